"""Messages, refusals, exports and mobile-originated messages at the operator's desk."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.admin import Conflict, Invalid, NotFound
from gateway.admin.messages import AT_ONCE
from pdu import text as texts
from pdu import tlv
from pdu.bodies import DELIVER_SM_BODY, DeliverSm, digits_of
from pdu.constants import DELIVERED, REJECTED, TLV_MESSAGE_PAYLOAD, UDHI

from .desk import NOW, Desk, open_desk, submit


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        await opened.operator.accounts.create({"name": "acme", "credits": "1000", "senders": ["ACME", "48500600700"]})
        yield opened


async def only(desk: Desk, body: bytes) -> dict[str, Any]:
    await desk.accept("smpp-acme", body)
    [shown], _ = await desk.operator.messages.newest("acme", limit=1)
    return shown


async def test_a_message_from_its_acceptance_to_its_refund(desk: Desk) -> None:
    shown = await only(desk, submit(b"Hello"))
    id_ = int(shown["message_id"])
    assert shown == {
        "message_id": str(id_), "source_addr": "ACME", "destination_addr": "48600100200", "text": "Hello",
        "body_hex": None, "data_coding": 0, "state": "accepted", "error": None, "at": "2027-01-15T08:00:00.000Z",
        "scheduled_at": None, "done_at": None, "charge": "1", "charge_line": 2, "refund_line": None,
    }  # fmt: skip
    await desk.settle("smpp-acme", [id_], REJECTED, 803, refund=True)
    [shown] = await desk.operator.messages.show("acme", str(id_))
    assert (shown["state"], shown["error"], shown["refund_line"]) == ("rejected", 803, 3)
    assert shown["done_at"] == "2027-01-15T08:00:00.000Z"


async def test_a_scheduled_message(desk: Desk) -> None:
    [id_] = await desk.accept("smpp-acme", submit(), scheduled=lambda ids: [(ids[0], int(NOW * 1000) + 60_000)])
    [shown] = await desk.operator.messages.show("acme", str(id_))
    assert (shown["state"], shown["scheduled_at"]) == ("scheduled", "2027-01-15T08:01:00.000Z")


async def test_one_submit_multi_is_several_messages_under_one_id(desk: Desk) -> None:
    bodies = [submit(destination=number) for number in ("48600100201", "48600100202")]
    ids = await desk.accept("smpp-acme", *bodies, multi=lambda ids: [(ids[1], ids[0])])
    shown = await desk.operator.messages.show("acme", str(ids[0]))
    assert [each["destination_addr"] for each in shown] == ["48600100201", "48600100202"]
    assert {each["message_id"] for each in shown} == {str(ids[0])}


@pytest.mark.parametrize(
    ("body", "text", "body_hex"),
    [
        (submit("zażółć".encode("utf-16-be"), data_coding=8), "zażółć", None),
        (submit(b"\x1be\x02"), "€$", None),
        (submit(b"\xe9", data_coding=3), "é", None),
        (submit(b"\x00\x01\xff", data_coding=4), None, "0001ff"),
        (submit(b"\x05\x00\x03\x01\x02\x01part", esm_class=UDHI), "part", None),
        (submit(b"\x05\x00\x03\x01\x02\x01\xff", esm_class=UDHI, data_coding=4), None, "050003010201ff"),
        (submit(b"", tlvs=tlv.encode([(TLV_MESSAGE_PAYLOAD, b"long" * 100)])), "long" * 100, None),
        (submit(b""), "", None),
    ],
)
async def test_what_a_message_says(desk: Desk, body: bytes, text: str | None, body_hex: str | None) -> None:
    shown = await only(desk, body)
    assert (shown["text"], shown["body_hex"]) == (text, body_hex)


async def test_data_coding_0_is_read_in_the_accounts_alphabet(desk: Desk) -> None:
    await desk.operator.accounts.change("acme", {"default_alphabet": "latin1"})
    assert (await only(desk, submit(b"\xe9@")))["text"] == "é@"


async def test_a_body_that_cannot_be_read_is_shown_as_octets(desk: Desk) -> None:
    shown = await only(desk, b"\xff\xff")
    assert (shown["source_addr"], shown["text"], shown["body_hex"]) == ("", None, "ffff")


async def test_messages_in_pages_newest_first(desk: Desk) -> None:
    ids = [str(id_) for _ in range(2) for id_ in await desk.accept("smpp-acme", submit(), submit())]
    page, following = await desk.operator.messages.newest("acme", limit=3)
    rest, end = await desk.operator.messages.newest("acme", before=following, limit=3)
    assert [each["message_id"] for each in page + rest] == ids[::-1]
    assert end is None


@pytest.mark.parametrize("message_id", ["", "x", "-1", "1" * 20, "²", "9223372036854775808"])
async def test_what_is_no_message_id(desk: Desk, message_id: str) -> None:
    with pytest.raises(Invalid, match="message_id"):
        await desk.operator.messages.show("acme", message_id)
    with pytest.raises(Invalid, match="before"):
        await desk.operator.messages.newest("acme", before=message_id)


async def test_another_accounts_message_is_not_found(desk: Desk) -> None:
    [id_] = await desk.accept("smpp-acme", submit())
    await desk.operator.accounts.create({"name": "other"})
    with pytest.raises(NotFound):
        await desk.operator.messages.show("other", str(id_))


# -- export ------------------------------------------------------------------------------------------------------------
async def exported(desk: Desk) -> Any:
    return json.loads("".join([piece async for piece in await desk.operator.messages.export("acme")]))


async def test_an_export_of_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path / "new") as desk:
        await desk.operator.accounts.create({"name": "acme"})
        assert await exported(desk) == {"account": "smpp-acme", "balance": "0", "messages": [], "ledger": []}


async def test_an_export_has_exactly_these_keys(desk: Desk) -> None:
    first, second = await desk.accept("smpp-acme", submit(), submit(b"\x01", data_coding=4), charge=5_000)
    await desk.settle("smpp-acme", [first], DELIVERED)
    await desk.settle("smpp-acme", [second], REJECTED, refund=True)
    whole = await exported(desk)
    assert list(whole) == ["account", "balance", "messages", "ledger"]
    common = {"source_addr": "ACME", "destination_addr": "48600100200", "charge": "0.5", "charge_line": 2}
    assert whole["messages"] == [
        {"message_id": str(first), **common, "text": "Hello", "body_hex": None, "state": "delivered",
         "refund_line": None},
        {"message_id": str(second), **common, "text": None, "body_hex": "01", "state": "rejected", "refund_line": 3},
    ]  # fmt: skip
    at = "2027-01-15T08:00:00.000Z"
    assert whole["ledger"] == [
        {"line": 1, "at": at, "kind": "topup", "amount": "1000", "balance_after": "1000"},
        {"line": 2, "at": at, "kind": "debit", "amount": "-1", "balance_after": "999"},
        {"line": 3, "at": at, "kind": "refund", "amount": "0.5", "balance_after": "999.5"},
    ]
    assert whole["balance"] == "999.5"


async def test_a_long_export_adds_up(desk: Desk) -> None:
    for _ in range(3):
        await desk.accept("smpp-acme", *[submit()] * (AT_ONCE - 1), charge=100)
    whole = await exported(desk)
    ids = [int(message["message_id"]) for message in whole["messages"]]
    assert len(ids) == 3 * (AT_ONCE - 1)
    assert ids == sorted(ids)
    assert sum(Decimal(line["amount"]) for line in whole["ledger"]) == Decimal(whole["balance"])
    for line in whole["ledger"][1:]:
        paid = [Decimal(each["charge"]) for each in whole["messages"] if each["charge_line"] == line["line"]]
        assert sum(paid) == -Decimal(line["amount"])


# -- mobile-originated -------------------------------------------------------------------------------------------------
async def owed(desk: Desk, name: str) -> list[DeliverSm]:
    rows = await desk.store.owed(await desk.id_of(name))
    assert all(row.incoming for row in rows)
    return [DELIVER_SM_BODY.decode(row.body, 0, 0, len(row.body)) for row in rows]


async def test_the_account_whose_sender_it_is_receives_it(desk: Desk) -> None:
    await desk.operator.accounts.create({"name": "any", "senders": ["*"]})
    made = await desk.operator.incoming.inject("+48600100200", "+48500600700", "Cześć")
    assert (made["account"], made["parts"], len(made["message_ids"])) == ("smpp-acme", 1, 1)
    assert desk.live.woken == [(await desk.id_of("smpp-acme"), 1)]
    [body] = await owed(desk, "smpp-acme")
    assert (digits_of(body.source), digits_of(body.destination)) == (b"48600100200", b"48500600700")
    assert (body.data_coding, body.esm_class) == (8, 0)
    assert texts.decode(body.data_coding, body.short_message) == "Cześć"


async def test_failing_that_whoever_may_use_any_sender(desk: Desk) -> None:
    with pytest.raises(NotFound, match="4321"):
        await desk.operator.incoming.inject("48600100200", "4321", "x")
    await desk.operator.accounts.create({"name": "any", "senders": ["*"]})
    assert (await desk.operator.incoming.inject("48600100200", "4321", "x"))["account"] == "smpp-any"


async def test_two_owners_are_a_conflict_unless_one_is_named(desk: Desk) -> None:
    await desk.operator.accounts.create({"name": "twin", "senders": ["ACME"]})
    with pytest.raises(Conflict, match="smpp-acme, smpp-twin"):
        await desk.operator.incoming.inject("48600100200", "ACME", "x")
    assert (await desk.operator.incoming.inject("48600100200", "ACME", "x", account="twin"))["account"] == "smpp-twin"
    with pytest.raises(NotFound):
        await desk.operator.incoming.inject("48600100200", "ACME", "x", account="none")


async def test_a_long_text_comes_in_parts(desk: Desk) -> None:
    made = await desk.operator.incoming.inject("48600100200", "ACME", "0123456789" * 20)
    assert (made["parts"], len(set(made["message_ids"]))) == (2, 2)
    bodies = await owed(desk, "smpp-acme")
    assert all(body.esm_class == UDHI for body in bodies)
    read = [texts.decode(body.data_coding, body.short_message, esm_class=body.esm_class) for body in bodies]
    assert "".join(map(str, read)) == "0123456789" * 20
    assert desk.live.woken == [(await desk.id_of("smpp-acme"), 2)]


@pytest.mark.parametrize(
    ("source", "to", "text", "field"),
    [("1", "ACME", "x", "from"), ("48600100200", "*", "x", "to"), ("48600100200", "ACME", "x" * 50_000, "text")],
)
async def test_what_cannot_be_injected(desk: Desk, source: str, to: str, text: str, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        await desk.operator.incoming.inject(source, to, text)
    assert [error.field for error in caught.value.errors] == [field]


# -- binds and health --------------------------------------------------------------------------------------------------
async def test_binds(desk: Desk) -> None:
    await desk.operator.accounts.create({"name": "other"})
    for number, name in enumerate(("smpp-acme", "smpp-other", "smpp-acme")):
        desk.live.bound(number, name)
    assert [bind["id"] for bind in await desk.operator.binds.all()] == [0, 1, 2]
    assert (await desk.operator.binds.all("acme"))[0]["since"] == "2027-01-15T08:00:00.000Z"
    assert (await desk.operator.accounts.show("acme"))["binds"] == 2
    await desk.operator.binds.kick(1)
    with pytest.raises(NotFound):
        await desk.operator.binds.kick(1)
    assert await desk.operator.binds.kick_account("acme") == 2
    assert await desk.operator.binds.all() == []


async def test_health(desk: Desk) -> None:
    await desk.accept("smpp-acme", submit())
    assert await desk.operator.health.audit() == {"ok": True, "problems": [], "imbalance": "0"}
    facts = await desk.operator.health.facts()
    assert (facts["running"], facts["damage"], facts["accounts"]) == (True, [], 1)
    assert facts["durability"] == ["journal_mode=WAL", "synchronous=FULL"]
