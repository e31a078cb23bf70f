"""What is remembered, logged and counted of refusals, in a trickle and in a flood."""

import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from acl import reasons
from acl.reasons import Refusal
from gateway.accounts import Account
from gateway.refusals import ROWS, ROWS_IN_ALL, Refusals, printable
from pdu import constants as c
from pdu.bodies import SubmitSm, address
from store.protocol import RefusalRow

from .scene import START_MS, Scene, submit

Refused = tuple[SubmitSm, Refusal]


def refused(count: int = 1, reason: str = reasons.NO_CREDIT, detail: str = "") -> list[Refused]:
    return [(submit(number + 1), Refusal(reason, detail)) for number in range(count)]


def binds(refusals: Refusals, count: int, account: Account | None = None) -> None:
    for _ in range(count):
        refusals.note_bind(account, "10.0.0.1", b"x", Refusal(reasons.WRONG_PASSWORD), c.ESME_RINVPASWD)


# -- what is written down ------------------------------------------------------------------------------------------
async def test_a_refused_message_with_everything_its_owner_wants_to_know() -> None:
    scene = Scene()
    account = await scene.account("a")
    scene.clock.pass_(2.5)
    sender, number = address(5, 0, b"acme"), address(1, 1, b"48600100200")
    message = submit(source=sender, destination=number)
    scene.refusals.note_submits(account, "10.0.0.1", [(message, Refusal(reasons.SENDER_NOT_ALLOWED, "acme"))])
    assert scene.refusals.flush() == [
        RefusalRow(
            at=START_MS + 2500,
            account=account.id,
            kind="message",
            reason=reasons.SENDER_NOT_ALLOWED,
            status=c.ESME_RINVSRCADR,
            peer="10.0.0.1",
            system_id=account.system_id,
            source="acme",
            destination="48600100200",
            detail="acme",
        )
    ]


async def test_the_status_written_down_is_the_one_the_client_read() -> None:
    scene = Scene()
    account = await scene.account("a", status_overrides={reasons.NO_CREDIT: 0x45})
    scene.refusals.note_submits(account, "10.0.0.1", refused())
    [row] = scene.refusals.flush()
    assert row.status == 0x45


async def test_a_refused_bind_belongs_to_nobody_even_if_the_account_is_known() -> None:
    scene = Scene()
    account = await scene.account("a")
    scene.refusals.note_bind(None, "10.0.0.1", b"guess", Refusal(reasons.UNKNOWN_SYSTEM_ID), c.ESME_RINVPASWD)
    scene.refusals.note_bind(account, "10.0.0.1", b"a", Refusal(reasons.ACCOUNT_DISABLED, "why"), c.ESME_RBINDFAIL)
    rows = scene.refusals.flush()
    assert [(row.account, row.kind, row.peer, row.system_id, row.reason, row.status, row.detail) for row in rows] == [
        (None, "bind", "10.0.0.1", "guess", reasons.UNKNOWN_SYSTEM_ID, c.ESME_RINVPASWD, ""),
        (None, "bind", "10.0.0.1", "a", reasons.ACCOUNT_DISABLED, c.ESME_RBINDFAIL, "why"),
    ]


async def test_a_flush_hands_over_once() -> None:
    scene = Scene()
    scene.refusals.note_submits(await scene.account("a"), "10.0.0.1", refused(3))
    assert len(scene.refusals.flush()) == 3
    with capture_logs() as lines:
        assert scene.refusals.flush() == []
    assert lines == []


# -- bounds --------------------------------------------------------------------------------------------------------
async def test_a_flood_of_one_account_is_counted_whole_and_written_down_in_part() -> None:
    scene = Scene()
    account = await scene.account("a")
    for _ in range(50):
        scene.refusals.note_submits(account, "10.0.0.1", refused(100))
    with capture_logs() as lines:
        assert len(scene.refusals.flush()) == ROWS
    assert scene.meter.refusals == {reasons.NO_CREDIT: 5000}
    assert lines == [
        {
            "event": "refused",
            "log_level": "info",
            "kind": "message",
            "account": "smpp-a",
            "reason": reasons.NO_CREDIT,
            "count": 5000,
        }
    ]


async def test_the_first_of_a_second_are_the_ones_written_down() -> None:
    scene = Scene()
    account = await scene.account("a")
    for reason in (reasons.NO_CREDIT, reasons.THROTTLED):
        scene.refusals.note_submits(account, "10.0.0.1", refused(ROWS - 1, reason))
    kept = Counter(row.reason for row in scene.refusals.flush())
    assert kept == {reasons.NO_CREDIT: ROWS - 1, reasons.THROTTLED: 1}


async def test_the_next_second_has_room_again() -> None:
    scene = Scene()
    account = await scene.account("a")
    for _ in range(3):
        scene.refusals.note_submits(account, "10.0.0.1", refused(ROWS + 1))
        assert len(scene.refusals.flush()) == ROWS
    assert scene.meter.refusals[reasons.NO_CREDIT] == 3 * (ROWS + 1)


async def test_a_flood_of_one_account_leaves_room_for_another_and_for_binds() -> None:
    scene = Scene()
    noisy, quiet = await scene.account("a"), await scene.account("b")
    scene.refusals.note_submits(noisy, "10.0.0.1", refused(5 * ROWS))
    scene.refusals.note_submits(quiet, "10.0.0.2", refused(1))
    binds(scene.refusals, 1)
    kept = Counter(row.account for row in scene.refusals.flush())
    assert kept == {noisy.id: ROWS, quiet.id: 1, None: 1}


async def test_a_flood_of_binds_is_bounded_whoever_they_name() -> None:
    scene = Scene()
    account = await scene.account("a")
    binds(scene.refusals, 300)
    binds(scene.refusals, 300, account)
    assert len(scene.refusals.flush()) == ROWS
    assert scene.meter.refusals == {reasons.WRONG_PASSWORD: 600}


async def test_many_noisy_accounts_are_bounded_together() -> None:
    scene = Scene()
    accounts = [await scene.account(f"a{number}") for number in range(ROWS_IN_ALL // ROWS + 3)]
    for account in accounts:
        scene.refusals.note_submits(account, "10.0.0.1", refused(ROWS))
    assert len(scene.refusals.flush()) == ROWS_IN_ALL
    assert scene.meter.refusals[reasons.NO_CREDIT] == len(accounts) * ROWS


# -- the log -------------------------------------------------------------------------------------------------------
async def test_one_line_for_a_reason_an_account_and_a_second() -> None:
    scene = Scene()
    one, other = await scene.account("a"), await scene.account("b")
    scene.refusals.note_submits(one, "10.0.0.1", refused(2) + refused(3, reasons.THROTTLED))
    scene.refusals.note_submits(other, "10.0.0.2", refused(4))
    scene.refusals.note_command(one, 5)
    binds(scene.refusals, 6)
    with capture_logs() as lines:
        scene.refusals.flush()
    assert Counter({(line["kind"], line["account"], line["reason"]): line["count"] for line in lines}) == {
        ("message", "smpp-a", reasons.NO_CREDIT): 2,
        ("message", "smpp-a", reasons.THROTTLED): 3,
        ("message", "smpp-b", reasons.NO_CREDIT): 4,
        ("command", "smpp-a", reasons.COMMAND_SWITCHED_OFF): 5,
        ("bind", "", reasons.WRONG_PASSWORD): 6,
    }
    assert len(lines) == 5


async def test_a_line_of_a_bind_names_the_account_once_the_login_was_right() -> None:
    scene = Scene()
    binds(scene.refusals, 1, await scene.account("a"))
    with capture_logs() as lines:
        scene.refusals.flush()
    assert [line["account"] for line in lines] == ["smpp-a"]


async def test_commands_switched_off_are_counted_and_logged_but_not_written_down() -> None:
    scene = Scene()
    scene.refusals.note_command(await scene.account("a"), 7)
    assert scene.refusals.flush() == []
    assert scene.meter.refusals == {reasons.COMMAND_SWITCHED_OFF: 7}


# -- what peers wrote ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"", ""),
        (b"acme", "acme"),
        (b"48600100200", "48600100200"),
        (b"two\r\nlines", r"two\r\nlines"),
        (b"\x1b[31mred", r"\x1b[31mred"),
        (b"\0\x7f\x9b\xff", r"\x00\x7f\x9b\xff"),
        (b"back\\slash", r"back\\slash"),
        (b"x" * 1000, "x" * 64),
    ],
)
def test_octets_of_a_peer_as_text(octets: bytes, text: str) -> None:
    assert printable(octets) == text


@given(st.binary(max_size=300))
def test_octets_of_a_peer_can_harm_no_log_and_no_screen(octets: bytes) -> None:
    text = printable(octets)
    assert len(text) <= 4 * 64
    assert text.isascii()
    assert not any(unicodedata.category(character).startswith("C") for character in text)


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_different_octets_stay_different(one: bytes, other: bytes) -> None:
    assert (printable(one) == printable(other)) is (one == other)


async def test_names_and_numbers_of_a_client_are_made_harmless() -> None:
    scene = Scene()
    account = await scene.account("a")
    evil = submit(source=address(5, 0, b"a\nb\x1b"), destination=address(1, 1, b"48\r\n\xff"))
    scene.refusals.note_submits(account, "10.0.0.1", [(evil, Refusal(reasons.DESTINATION_INVALID))])
    scene.refusals.note_bind(None, "10.0.0.1", b"x\ny", Refusal(reasons.UNKNOWN_SYSTEM_ID), c.ESME_RINVPASWD)
    message, bind = scene.refusals.flush()
    assert (message.source, message.destination) == (r"a\nb\x1b", r"48\r\n\xff")
    assert bind.system_id == r"x\ny"
