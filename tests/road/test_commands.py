"""Every command of the protocol on the whole road: asked on the wire, seen in the books, told by receipts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pdu import constants as c
from pdu import receipt as receipts
from pdu import text, tlv
from pdu.bodies import address
from pdu.tables import DistributionList, Unsuccess
from pdu.times import format_absolute, format_relative
from tests.road.client import MOBILE, SENDER, Asked, Esme, accepted, answers_to, bound, connect, payload, until
from tests.road.running import Road
from tests.server import Login

pytestmark = pytest.mark.road

STUCK = """
rules = [
    {to = "*9", state = "undeliverable", error = 9},
    {to = "*8", state = "rejected", error = 803},
    {to = "*7", state = "delivered", delay = "1h"},
]
"""
FAILING, REFUSED, NEVER = "48600100209", "48600100208", "48600100207"
TO = address(1, 1, MOBILE.encode())
HOUR = format_relative(3600)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    """Numbers that end in 7 are never delivered."""
    with Road(tmp_path_factory.mktemp("road"), more=STUCK) as running:
        yield running


def row(server: Road, login: Login, message_id: str) -> Any:
    [found] = server.desk.messages(login, message_id)
    return found


async def state(server: Road, login: Login, message_id: str, wanted: str) -> Any:
    """The message, once it is in this state."""
    await until(f"it is {wanted}", lambda: row(server, login, message_id)["state"] == wanted)
    return row(server, login, message_id)


# -- schedule and validity -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("absolute", [False, True])
async def test_a_scheduled_message_is_sent_when_its_time_has_come(server: Road, absolute: bool) -> None:
    login = server.desk.account(f"scheduled-{absolute}")
    async with await bound(server.port, login) as client:
        begun = time.time()
        at = format_absolute(begun + 2) if absolute else format_relative(2)
        [id_] = await accepted([client.submit(schedule_delivery_time=at, registered_delivery=1)])
        assert row(server, login, id_)["state"] == "scheduled"
        assert server.desk.balance(login) == "999"
        receipt = await client.receipt(id_)
        assert receipt.state == c.DELIVERED
        assert 1.5 < time.time() - begun < 5
    assert row(server, login, id_)["state"] == "delivered"


async def test_a_schedule_in_the_past_means_now(server: Road) -> None:
    login = server.desk.account("belated")
    async with await bound(server.port, login) as client:
        yesterday = format_absolute(time.time() - 86_400)
        [id_] = await accepted([client.submit(schedule_delivery_time=yesterday, registered_delivery=1)])
        assert (await client.receipt(id_)).state == c.DELIVERED


async def test_scheduled_messages_survive_a_restart_and_leave_on_time(tmp_path: Path) -> None:
    async with Road(tmp_path) as server:
        login = server.desk.account("scheduled")
        async with await bound(server.port, login) as client:
            soon, missed, far = await accepted(
                client.submit(schedule_delivery_time=format_relative(at), registered_delivery=1) for at in (3, 1, 3600)
            )
            await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        async with await bound(server.port, login) as client:
            assert (await client.receipt(missed)).state == c.DELIVERED
            assert (await client.receipt(soon)).state == c.DELIVERED
            assert row(server, login, far)["state"] == "scheduled"
            assert (await client.ask(c.CANCEL_SM, message_id=far.encode(), source=SENDER)).status == c.ESME_ROK
            assert (await client.receipt(far)).state == c.DELETED
        server.desk.audited()


async def test_what_is_not_delivered_within_its_validity_expires(server: Road) -> None:
    login = server.desk.account("expiring")
    async with await bound(server.port, login) as client:
        [id_] = await accepted([client.submit(NEVER, validity_period=format_relative(1), registered_delivery=1)])
        receipt = await client.receipt(id_)
        assert (receipt.state, receipt.error) == (c.EXPIRED, "801")
        found = await state(server, login, id_, "expired")
        assert found["refund_line"] is None  # the network had it


async def test_a_validity_that_ends_before_the_schedule_is_refused(server: Road) -> None:
    login = server.desk.account("vain")
    async with await bound(server.port, login) as client:
        asked = client.submit(schedule_delivery_time=HOUR, validity_period=format_relative(60))
        assert (await asked.answered()).status == c.ESME_RINVEXPIRY
        for wrong in (b"soon", b"991332250000000+", b"000000000000000"):
            status = (await client.submit(schedule_delivery_time=wrong).answered()).status
            assert status == c.ESME_RINVSCHED
            assert (await client.submit(validity_period=wrong).answered()).status == c.ESME_RINVEXPIRY
        far = format_relative(40 * 86_400)
        assert (await client.submit(schedule_delivery_time=far).answered()).status == c.ESME_RINVSCHED
    assert server.desk.balance(login) == "1000"


# -- query, cancel, replace ----------------------------------------------------------------------------------------
async def asked_state(client: Esme, message_id: str) -> tuple[int, int, bytes]:
    answer = await client.ask(c.QUERY_SM, message_id=message_id.encode(), source=SENDER)
    assert answer.status == c.ESME_ROK
    assert answer.body.message_id == message_id.encode()
    return answer.body.message_state, answer.body.error_code, answer.body.final_date


async def test_query_tells_the_state_of_a_message_and_when_it_ended(server: Road) -> None:
    login = server.desk.account("curious")
    async with await bound(server.port, login) as client:
        good, bad, under_way, scheduled = await accepted(
            [
                client.submit(registered_delivery=1),
                client.submit(FAILING, registered_delivery=1),
                client.submit(NEVER),
                client.submit(schedule_delivery_time=HOUR),
            ]
        )
        await client.receipt(good)
        await client.receipt(bad)
        assert (await asked_state(client, good))[:2] == (c.DELIVERED, 0)
        assert (await asked_state(client, bad))[:2] == (c.UNDELIVERABLE, 9)
        assert len((await asked_state(client, bad))[2]) == 16
        assert await asked_state(client, under_way) == (c.ENROUTE, 0, b"")
        assert await asked_state(client, scheduled) == (c.ENROUTE, 0, b"")
        unknown = await client.ask(c.QUERY_SM, message_id=b"1234567", source=SENDER)
        assert unknown.status == c.ESME_RINVMSGID
        other_sender = await client.ask(c.QUERY_SM, message_id=good.encode(), source=address(5, 0, b"ACME"))
        assert other_sender.status == c.ESME_RINVMSGID


async def test_nobody_can_ask_for_or_touch_the_messages_of_another_account(server: Road) -> None:
    login, other = server.desk.account("owner"), server.desk.account("thief")
    async with await bound(server.port, login) as client, await bound(server.port, other) as thief:
        [id_] = await accepted([client.submit(schedule_delivery_time=HOUR)])
        named: dict[str, Any] = {"message_id": id_.encode(), "source": SENDER}
        for command in (c.QUERY_SM, c.CANCEL_SM):
            assert (await thief.ask(command, **named)).status == c.ESME_RINVMSGID
        assert (await thief.ask(c.REPLACE_SM, short_message=b"mine", **named)).status == c.ESME_RINVMSGID
        alike: dict[str, Any] = {"message_id": b"", "source": SENDER, "destination": TO}
        assert (await thief.ask(c.CANCEL_SM, **alike)).status == c.ESME_RCANCELFAIL
    assert row(server, login, id_)["state"] == "scheduled"


async def test_a_cancelled_message_is_refunded_and_receipted_once(server: Road) -> None:
    login = server.desk.account("undecided")
    async with await bound(server.port, login) as client:
        [id_] = await accepted([client.submit(schedule_delivery_time=HOUR, registered_delivery=1)])
        cancel: dict[str, Any] = {"message_id": id_.encode(), "source": SENDER, "destination": TO}
        assert (await client.ask(c.CANCEL_SM, **cancel)).status == c.ESME_ROK
        receipt = await client.receipt(id_)
        assert (receipt.state, receipt.error) == (c.DELETED, "802")
        assert server.desk.balance(login) == "1000"
        assert (await client.ask(c.CANCEL_SM, **cancel)).status == c.ESME_RCANCELFAIL
        [gone] = await accepted([client.submit(registered_delivery=1)])
        await client.receipt(gone)
        late = await client.ask(c.CANCEL_SM, message_id=gone.encode(), source=SENDER, destination=TO)
        assert late.status == c.ESME_RCANCELFAIL
        assert len(client.receipts) == 2
    assert server.desk.balance(login) == "999"
    server.desk.audited()


async def test_cancel_without_an_id_takes_back_all_that_are_alike(server: Road) -> None:
    login = server.desk.account("regretful")
    async with await bound(server.port, login) as client:
        alike = await accepted(client.submit(schedule_delivery_time=HOUR) for _ in range(3))
        [other] = await accepted([client.submit("48600100300", schedule_delivery_time=HOUR)])
        answer = await client.ask(c.CANCEL_SM, message_id=b"", source=SENDER, destination=TO)
        assert answer.status == c.ESME_ROK
        assert [row(server, login, id_)["state"] for id_ in alike] == ["deleted"] * 3
        assert row(server, login, other)["state"] == "scheduled"
    assert server.desk.balance(login) == "999"


async def test_thousands_are_taken_back_in_a_moment(server: Road) -> None:
    login = server.desk.account("wholesale", credits="5000", window=1000)
    async with await bound(server.port, login) as client:
        await accepted(client.submit_many(5000, schedule_delivery_time=HOUR))
        assert server.desk.balance(login) == "0"
        cancel = client.send(c.CANCEL_SM, message_id=b"", source=SENDER, destination=TO)
        assert (await cancel.answered()).status == c.ESME_ROK
        assert cancel.seconds < 5
    assert server.desk.balance(login) == "5000"
    server.desk.audited()


async def test_cancels_at_the_very_moment_of_release_leave_each_message_one_end(server: Road) -> None:
    login = server.desk.account("photo-finish", window=100)
    async with await bound(server.port, login) as client:
        soon = format_absolute(time.time() + 2)
        ids = await accepted(client.submit_many(400, schedule_delivery_time=soon, registered_delivery=1))
        cancels = list[Asked]()
        for id_ in ids:  # about as long as it takes until they are released
            cancels.append(client.send(c.CANCEL_SM, message_id=id_.encode(), source=SENDER))
            await asyncio.sleep(0.006)
        await answers_to(cancels)
        await until("each has its receipt", lambda: len(client.receipts) == len(ids))
        states = {receipt.message_id: receipt.state for receipt in client.receipts}
    assert len(states) == len(ids)
    taken_back = {id_ for id_, cancel in zip(ids, cancels, strict=True) if cancel.accepted}
    assert {id_ for id_, state in states.items() if state == c.DELETED} == taken_back
    assert {cancel.status for cancel in cancels} <= {c.ESME_ROK, c.ESME_RCANCELFAIL}  # how many of each is luck
    assert int(server.desk.balance(login)) == 1000 - len(ids) + len(taken_back)
    server.desk.audited()


async def test_a_replaced_message_goes_out_with_its_new_text_and_time(server: Road) -> None:
    login = server.desk.account("improving")
    async with await bound(server.port, login) as client:
        [id_] = await accepted([client.submit(schedule_delivery_time=HOUR)])
        named: dict[str, Any] = {"message_id": id_.encode(), "source": SENDER}
        too_dear = await client.ask(c.REPLACE_SM, short_message=b"x" * 200, **named)
        assert too_dear.status == c.ESME_RREPLACEFAIL
        soon = format_relative(1)
        answer = await client.ask(
            c.REPLACE_SM, short_message=b"better", schedule_delivery_time=soon, registered_delivery=1, **named
        )
        assert answer.status == c.ESME_ROK
        receipt = await client.receipt(id_)
        assert receipts.parse(receipt.pdu.body.short_message).text == b"better"
        assert row(server, login, id_)["text"] == "better"
        late = await client.ask(c.REPLACE_SM, short_message=b"too late", **named)
        assert late.status == c.ESME_RREPLACEFAIL
    assert server.desk.balance(login) == "999"


async def test_replace_if_present_takes_the_older_message_back(server: Road) -> None:
    login = server.desk.account("latest")
    async with await bound(server.port, login) as client:
        [old] = await accepted([client.submit(text=b"old", schedule_delivery_time=HOUR)])
        [new] = await accepted([client.submit(text=b"new", schedule_delivery_time=HOUR, replace_if_present_flag=1)])
        assert row(server, login, old)["state"] == "deleted"
        assert row(server, login, new)["state"] == "scheduled"
    assert server.desk.balance(login) == "999"


# -- submit_multi and data_sm --------------------------------------------------------------------------------------
async def test_submit_multi_is_many_messages_with_one_id_each_priced_and_told(server: Road) -> None:
    server.desk.prices("multi", n48="1", n44="2.5")
    login = server.desk.account("multi", price_plan="multi", credits="100")
    numbers = ["48600100200", FAILING, REFUSED, "447700900100"]
    unpriced, wrong = address(1, 1, b"33600100200"), address(1, 1, b"12")
    async with await bound(server.port, login) as client:
        answer = await client.ask(
            c.SUBMIT_MULTI,
            source=SENDER,
            destinations=(
                *[address(1, 1, number.encode()) for number in numbers],
                unpriced,
                wrong,
                DistributionList(b"friends"),
            ),
            short_message=b"to all of you",
            registered_delivery=1,
        )
        assert answer.status == c.ESME_ROK
        assert set(answer.body.unsuccess) == {
            Unsuccess(unpriced, c.ESME_RINVDSTADR),
            Unsuccess(wrong, c.ESME_RINVDSTADR),
            Unsuccess(address(0, 0, b"friends"), c.ESME_RINVDLNAME),
        }
        id_ = answer.body.message_id.decode()
        await until("a receipt for each", lambda: len(client.receipts_of(id_)) == 4)
        told = {receipt.source: receipt.state for receipt in client.receipts}
        assert told == dict(zip(numbers, [c.DELIVERED, c.UNDELIVERABLE, c.REJECTED, c.DELIVERED], strict=True))
        stored = server.desk.messages(login, id_)
        assert {message["destination_addr"]: message["charge"] for message in stored} == dict(
            zip(numbers, ["1", "1", "1", "2.5"], strict=True)
        )
    assert server.desk.balance(login) == "95.5"  # what the network refused came back
    server.desk.audited()


async def test_submit_multi_with_credit_for_some_sends_to_some(server: Road) -> None:
    login = server.desk.account("multi-poor", credits="2")
    everybody = tuple(address(1, 1, b"4860010020%d" % n) for n in range(5))
    async with await bound(server.port, login) as client:
        answer = await client.ask(c.SUBMIT_MULTI, source=SENDER, destinations=everybody, short_message=b"hi")
        assert answer.status == c.ESME_ROK
        assert [entry.status for entry in answer.body.unsuccess] == [c.ESME_RNOCREDIT] * 3
        answer = await client.ask(c.SUBMIT_MULTI, source=SENDER, destinations=everybody, short_message=b"hi")
        assert answer.status == c.ESME_RNOCREDIT
    assert len(server.desk.export(login)["messages"]) == 2


async def test_data_sm_takes_the_same_road(server: Road) -> None:
    login = server.desk.account("data")
    async with await bound(server.port, login) as client:
        answer = await client.ask(
            c.DATA_SM, source=SENDER, destination=TO, registered_delivery=1, tlvs=payload(b"y" * 300)
        )
        assert answer.status == c.ESME_ROK
        id_ = answer.body.message_id.decode()
        assert (await client.receipt(id_)).state == c.DELIVERED
        found = row(server, login, id_)
        assert (found["text"], found["charge"]) == ("y" * 300, "2")
        without = await client.ask(c.DATA_SM, source=SENDER, destination=TO)
        assert without.status == c.ESME_RMISSINGOPTPARAM
        short_lived = tlv.encode([(c.TLV_QOS_TIME_TO_LIVE, (1).to_bytes(4, "big"))]) + payload(b"quick")
        never = address(1, 1, NEVER.encode())
        answer = await client.ask(
            c.DATA_SM, source=SENDER, destination=never, registered_delivery=1, tlvs=short_lived
        )
        assert (await client.receipt(answer.body.message_id.decode())).state == c.EXPIRED


# -- texts ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "charge"),
    [
        ({"text": b"x" * 160}, "1"),
        ({"text": b"x" * 161}, "2"),
        ({"text": b"x" * 306}, "2"),
        ({"text": b"x" * 307}, "3"),
        ({"text": b"\x1be" * 80}, "1"),  # 80 euro signs, two septets each
        ({"text": b"\x1be" * 81}, "2"),
        ({"text": "ł".encode("utf-16-be") * 70, "data_coding": 8}, "1"),
        ({"text": "ł".encode("utf-16-be") * 71, "data_coding": 8}, "2"),
        ({"text": "😀".encode("utf-16-be") * 36, "data_coding": 8}, "2"),
        ({"text": b"\5\0\3\7\2\1" + b"x" * 153, "esm_class": c.UDHI}, "1"),
        ({"text": b"\0" * 141, "data_coding": 4}, "2"),
    ],
)
async def test_a_text_costs_as_many_parts_as_it_makes(server: Road, values: dict[str, Any], charge: str) -> None:
    login = server.desk.account(f"text-{time.monotonic_ns()}")
    async with await bound(server.port, login) as client:
        [id_] = await accepted([client.submit(**values)])
    assert row(server, login, id_)["charge"] == charge


async def test_texts_are_kept_as_they_were_written(server: Road) -> None:
    login = server.desk.account("texts")
    polish, emoji, binary = "Zażółć gęślą jaźń", "Hello 😀", b"\xff\xfe\x00\x80"
    coding, octets = text.encode("Ünïcode? GSM: @£$¥ €[]", "gsm")
    async with await bound(server.port, login) as client:
        ids = await accepted(
            [
                client.submit(text=polish.encode("utf-16-be"), data_coding=8),
                client.submit(text=emoji.encode("utf-16-be"), data_coding=8),
                client.submit(text=octets, data_coding=coding),
                client.submit(text=binary, data_coding=4),
                client.submit(text=b"\5\0\3\7\2\1part one", esm_class=c.UDHI),
                client.submit(text=b""),
            ]
        )
    stored = [row(server, login, id_) for id_ in ids]
    assert [message["text"] for message in stored] == [
        polish, emoji, "Ünïcode? GSM: @£$¥ €[]", None, "part one", "",
    ]  # fmt: skip
    assert stored[3]["body_hex"] == binary.hex()


async def test_a_long_message_in_parts_is_charged_and_told_part_by_part(server: Road) -> None:
    login = server.desk.account("long")
    pieces = text.split(8, ("Długi tekst. " * 12).encode("utf-16-be"), 77)
    assert len(pieces) == 3
    async with await bound(server.port, login) as client:
        ids = await accepted(
            client.submit(text=piece, data_coding=8, esm_class=c.UDHI, registered_delivery=1) for piece in pieces
        )
        for id_ in ids:
            receipt = await client.receipt(id_)
            assert receipts.parse(receipt.pdu.body.short_message).text == b""  # nothing but ASCII is quoted
    assert server.desk.balance(login) == "997"


# -- receipts ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("registered", "told"),
    [(0, set()), (1, {MOBILE, FAILING, REFUSED}), (2, {FAILING, REFUSED}), (3, {MOBILE})],
)
async def test_registered_delivery_says_which_ends_are_told(server: Road, registered: int, told: set[str]) -> None:
    """3 is reserved in 3.4; 5.0 means success only, and a delivered message is what such clients ask about."""
    login = server.desk.account(f"registered-{registered}")
    async with await bound(server.port, login) as client:
        ids = await accepted(client.submit(to, registered_delivery=registered) for to in (MOBILE, FAILING, REFUSED))
        for id_ in ids:
            await until("it has ended", lambda: row(server, login, id_)["done_at"])  # noqa: B023 - at once
        last = (await accepted([client.submit(registered_delivery=1)]))[0]
        await client.receipt(last)  # those before would have come by now
        came = {receipt.source for receipt in client.receipts if receipt.message_id != last}
    assert came == told


async def test_a_receipt_gives_the_clients_own_reference_back(server: Road) -> None:
    login = server.desk.account("reference")
    async with await bound(server.port, login) as client:
        reference = tlv.encode([(c.TLV_USER_MESSAGE_REFERENCE, b"\x12\x34")])
        [id_] = await accepted([client.submit(registered_delivery=1, tlvs=reference)])
        pdu = (await client.receipt(id_)).pdu
        assert tlv.find(pdu.body.tlvs, c.TLV_USER_MESSAGE_REFERENCE) == b"\x12\x34"


@pytest.mark.parametrize("version", [0x33, 0x00])
async def test_a_client_of_an_older_version_gets_no_optional_parameters(server: Road, version: int) -> None:
    login = server.desk.account(f"older-{version}")
    async with await bound(server.port, login) as newer:
        assert newer.answers[0].body.tlvs
        await newer.unbind()
    client = await bound_with(server, login, version)
    assert client.answers[0].body.tlvs == b""
    [id_] = await accepted([client.submit(registered_delivery=1)])
    assert (await client.receipt(id_)).pdu.body.tlvs == b""
    server.desk.incoming(MOBILE, "smppgate", "hello", login.name)
    await until("a message from a phone", lambda: client.incoming)
    assert client.incoming[0].body.tlvs == b""


async def bound_with(server: Road, login: Login, version: int) -> Esme:
    client = await connect(server.port)
    assert (await client.bind(login, interface_version=version)).status == c.ESME_ROK
    return client


# -- messages from phones ------------------------------------------------------------------------------------------
async def test_a_message_from_a_phone_arrives_now_or_when_somebody_binds(server: Road) -> None:
    login = server.desk.account("inbox", senders=["48732100100", "36180"])
    server.desk.incoming("48600100200", "48732100100", "Are you there?")
    async with await bound(server.port, login, c.BIND_RECEIVER) as client:
        await until("it has come", lambda: client.incoming)
        server.desk.incoming("48600100200", "36180", "Zażółć gęślą jaźń 😀")
        await until("so has the next", lambda: len(client.incoming) == 2)
        server.desk.incoming("48600100200", "36180", "word " * 60)
        await until("and the long one", lambda: len(client.incoming) == 4)
        first, second, *parts = [pdu.body for pdu in client.incoming]
    assert first.source == address(1, 1, b"48600100200")
    assert first.destination == address(1, 1, b"48732100100")
    assert first.short_message == b"Are you there?"
    assert first.esm_class == 0
    assert text.decode(second.data_coding, second.short_message) == "Zażółć gęślą jaźń 😀"
    assert [body.esm_class for body in parts] == [c.UDHI, c.UDHI]
    whole = "".join(text.decode(body.data_coding, body.short_message, esm_class=body.esm_class) or "" for body in parts)
    assert whole == "word " * 60


async def test_messages_from_phones_survive_a_kill(tmp_path: Path) -> None:
    async with Road(tmp_path) as server:
        login = server.desk.account("inbox", senders=["36180"])
        for number in range(20):
            server.desk.incoming(f"486001002{number:02}", "36180", f"number {number}")
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        async with await bound(server.port, login) as client:
            await until("all came", lambda: len(client.incoming) == 20)
            assert [pdu.body.short_message for pdu in client.incoming] == [b"number %d" % n for n in range(20)]
            await answers_to([client.send(c.ENQUIRE_LINK)])
            assert len(client.incoming) == 20
