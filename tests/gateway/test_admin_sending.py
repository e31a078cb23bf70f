"""Messages sent without a bind, at the desk: what is made of them, and how it is told."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from acl.reasons import NO_CREDIT, REASONS, Refusal
from gateway.admin import Conflict, Invalid, NotFound, Unavailable
from gateway.admin.sending import Wish
from pdu.bodies import digits_of
from pdu.constants import UDHI
from pdu.text import decode

from .desk import Desk, open_desk

HELLO = Wish(["48600100200"], "Hello", "ACME")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        await opened.operator.accounts.create({"name": "acme", "senders": ["ACME"]})
        yield opened


async def test_one_text_to_several(desk: Desk) -> None:
    told = await desk.operator.sending.send("acme", HELLO._replace(recipients=["48600100200", "+48600100201"]))
    assert told == [
        {"recipient": "48600100200", "ids": ["1"], "charge": "1", "parts": 1},
        {"recipient": "+48600100201", "ids": ["2"], "charge": "1", "parts": 1},
    ]
    assert [digits_of(each.destination) for each in desk.live.sent] == [b"48600100200", b"48600100201"]
    assert {digits_of(each.source) for each in desk.live.sent} == {b"ACME"}


async def test_a_long_text_goes_in_parts(desk: Desk) -> None:
    text = "0123456789" * 20
    [told] = await desk.operator.sending.send("acme", HELLO._replace(message=text))
    assert (told["ids"], told["charge"], told["parts"]) == (["1", "2"], "2", 2)
    assert "".join(decode(0, each.short_message, esm_class=UDHI) or "" for each in desk.live.sent) == text
    assert {each.esm_class for each in desk.live.sent} == {UDHI}


@pytest.mark.parametrize(("coding", "data_coding"), [("auto", 0), ("alphabet", 0), ("ucs2", 8)])
async def test_the_coding_is_the_askers(desk: Desk, coding: str, data_coding: int) -> None:
    await desk.operator.sending.send("acme", HELLO._replace(coding=coding))
    assert desk.live.sent[0].data_coding == data_coding


async def test_a_validity_begins_with_the_schedule(desk: Desk) -> None:
    at = datetime(2027, 1, 15, 9, tzinfo=UTC)
    await desk.operator.sending.send("acme", HELLO._replace(schedule=at, validity_seconds=60, registered=True))
    [sent] = desk.live.sent
    assert (sent.schedule_delivery_time, sent.validity_period) == (b"270115090000000+", b"270115090100000+")
    assert sent.registered_delivery == 1


async def test_a_refusal_has_its_reason(desk: Desk) -> None:
    desk.live.refusal = Refusal(NO_CREDIT)
    assert await desk.operator.sending.send("acme", HELLO) == [
        {"recipient": "48600100200", "reason": NO_CREDIT, "why": REASONS[NO_CREDIT]}
    ]


async def test_what_cannot_be_sent_is_said_before_anything_is(desk: Desk) -> None:
    for wish, field in (
        (HELLO._replace(recipients=["48600100200", "+x"]), "recipients"),
        (HELLO._replace(sender="much too long a name"), "sender"),
        (HELLO._replace(message="zażółć", coding="alphabet"), "message"),
    ):
        with pytest.raises(Invalid, match=field):
            await desk.operator.sending.send("acme", wish)
    with pytest.raises(NotFound):
        await desk.operator.sending.send("none", HELLO)
    await desk.operator.accounts.enable("acme", False)
    with pytest.raises(Conflict, match="switched off"):
        await desk.operator.sending.send("acme", HELLO)
    assert desk.live.sent == []


async def test_a_stopped_server_sends_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path / "stopped", live=False) as desk:
        await desk.operator.accounts.create({"name": "acme"})
        with pytest.raises(Unavailable):
            await desk.operator.sending.send("acme", HELLO)
