"""From a run of requests to its answers: what is stored, what it costs, what is said, and when it goes its way."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acl import reasons
from gateway.accounts import Account
from gateway.network.connector import End
from gateway.smpp.handling import Answer, Handler
from gateway.smpp.pending import Pending
from gateway.smpp.submit import Submit, as_submit, for_destinations, with_source
from pdu import codec, tlv
from pdu import constants as c
from pdu.bodies import DATA_SM_BODY, SUBMIT_MULTI_BODY, SUBMIT_SM_BODY, DataSm, SubmitMulti, SubmitSm, address
from pdu.faults import Malformed
from pdu.frames import split
from pdu.tables import DistributionList
from pdu.tables import Unsuccess as Failed
from pdu.times import format_absolute
from store.protocol import OutcomeUnknown, StoreDown, StoreFull

from ..scene import MOBILE, SENDER, START_MS, Peer, Scene, settled, submit

OTHER = address(1, 1, b"48600100201")
HOUR = 3_600_000


class Desk(Scene):
    """The scene with the three handlers in it, and one client at them."""

    peer: Peer

    def __init__(self) -> None:
        super().__init__()
        self.pending = Pending(self.store, self.dispatch, self.meter.traffic, self.clock.wall_ms)
        self.submit = Submit(
            self.store, self.minter, self.dispatch, self.pending, self.meter, self.refusals, self.clock,
            self.clock.wall_ms,
        )  # fmt: skip

    async def open(self, **settings: Any) -> Account:
        account = await self.account(**settings)
        self.peer = Peer(account)
        return account

    async def ask(self, *run: Any) -> Answer:
        """The answer to a run; what is to be done once it is written is left to the caller."""
        handlers: dict[type, Handler] = {
            SubmitSm: self.submit.submit_sm,
            DataSm: self.submit.data_sm,
            SubmitMulti: self.submit.submit_multi,
        }
        return await handlers[type(run[0])](self.peer, list(run), self.clock())

    async def told(self, *run: Any) -> list[tuple[int, int, bytes]]:
        """(sequence, status, message_id) of each answer, which is written at once."""
        answer = await self.ask(*run)
        if answer.then is not None:
            answer.then()
        return [(pdu.sequence, pdu.status, getattr(pdu.body, "message_id", b"")) for pdu in pdus(answer.octets)]

    def loop_task(self, asked: Coroutine[Any, Any, Answer]) -> asyncio.Task[Answer]:
        return asyncio.get_running_loop().create_task(asked)

    def rows(self) -> list[tuple[int, int, bytearray]]:
        """What the last batch brought to the store."""
        return self.memory.batches[-1].rows

    async def statuses(self, *run: Any) -> list[int]:
        return [status for _sequence, status, _id in await self.told(*run)]


@pytest.fixture
async def desk() -> Desk:
    return Desk()


def pdus(octets: bytes) -> list[codec.Pdu]:
    frames, used, fault = split(octets)
    assert (used, fault) == (len(octets), None)
    return [codec.decode(octets[at - 16 : end]) for _command, _status, _sequence, at, end in frames]


# -- accepted ------------------------------------------------------------------------------------------------------
async def test_a_run_is_stored_in_one_batch_and_answered_in_its_order(desk: Desk) -> None:
    account = await desk.open()
    run = [submit(7), submit(3, short_message=b"x" * 161), submit(0xFFFFFFFF, destination=OTHER)]
    told = await desk.told(*run)
    assert [(sequence, status) for sequence, status, _id in told] == [(7, 0), (3, 0), (0xFFFFFFFF, 0)]
    [batch] = desk.memory.batches
    assert [(b"%d" % id_, charge, bytes(body)) for id_, charge, body in batch.rows] == [
        (told[0][2], 10_000, run[0].raw),
        (told[1][2], 20_000, run[1].raw),
        (told[2][2], 10_000, run[2].raw),
    ]
    assert (batch.account, batch.total, batch.scheduled, batch.multi) == (account.id, 40_000, [], ())
    assert desk.memory.balance(account.id) == account.purse.credit // 10_000 == 1_000_000 - 4


async def test_ids_are_decimal_numbers_that_grow(desk: Desk) -> None:
    await desk.open()
    told = await desk.told(submit()) + await desk.told(submit(), submit())
    ids = [id_ for _sequence, _status, id_ in told]
    assert [b"%d" % int(id_) for id_ in ids] == ids
    assert sorted({int(id_) for id_ in ids}) == [int(id_) for id_ in ids]


async def test_nothing_goes_to_the_network_before_it_is_durable_and_answered(desk: Desk) -> None:
    await desk.open()
    desk.memory.stalled = True
    asked = desk.loop_task(desk.ask(submit()))
    await settled()
    assert (desk.wire.parcels, asked.done()) == ([], False)
    desk.memory.resume()
    answer = await asked
    assert desk.wire.parcels == []
    assert answer.then is not None
    answer.then()
    [parcel] = desk.wire.parcels
    assert [(id_, wire) for id_, wire, _submit in parcel.messages] == [(parcel.first, b"%d" % parcel.first)]
    assert parcel.accepted_ms == START_MS


async def test_what_is_under_way_holds_the_low_water_mark(desk: Desk) -> None:
    await desk.open()
    desk.memory.stalled = True
    asked = desk.loop_task(desk.ask(submit(), submit()))
    await settled()
    first = desk.dispatch.low_water(desk.minter.next)
    assert first == desk.minter.next - 2
    desk.memory.resume()
    answer = await asked
    assert desk.dispatch.low_water(desk.minter.next) == first
    assert answer.then is not None
    answer.then()
    assert desk.dispatch.low_water(desk.minter.next) == first


async def test_an_account_without_a_balance_for_the_whole_run_pays_for_what_it_can(desk: Desk) -> None:
    account = await desk.open(balance=2)
    run = [submit(1), submit(2, short_message=b"x" * 161), submit(3), submit(4)]
    assert await desk.statuses(*run) == [0, c.ESME_RNOCREDIT, 0, c.ESME_RNOCREDIT]
    assert desk.memory.balance(account.id) == account.purse.credit == 0


async def test_what_is_counted(desk: Desk) -> None:
    await desk.open()
    desk.memory.stalled = True
    asked = desk.loop_task(desk.ask(submit(1), submit(2), submit(3, data_coding=0x2F)))
    await settled()
    desk.clock.pass_(0.25)
    desk.memory.resume()
    await asked
    assert desk.meter.submit_seconds._sum == pytest.approx(0.75)
    assert sum(desk.meter.submit_seconds._counts) == 3
    assert desk.meter.messages == {("smpp-a", "accepted"): 2}
    assert desk.meter.traffic.counts == {
        ("out", c.SUBMIT_SM_RESP, 0): 2,
        ("out", c.SUBMIT_SM_RESP, c.ESME_RUNSDATACODING): 1,
    }
    assert desk.meter.refusals == {reasons.DATA_CODING_UNSUPPORTED: 1}


# -- refused -------------------------------------------------------------------------------------------------------
STRICT: dict[str, Any] = {
    "senders": ["smppgate", "48600000001"],
    "deny_destinations": ["4870"],
    "data_codings": [0, 8],
    "max_parts": 2,
}
REFUSED: dict[str, tuple[dict[str, Any], str, int]] = {
    "a sender it does not have": ({"source": address(5, 0, b"bank")}, reasons.SENDER_NOT_ALLOWED, 0x0A),
    "no sender": ({"source": b"\0\0\0"}, reasons.SENDER_NOT_ALLOWED, 0x0A),
    "no destination": ({"destination": b"\0\0\0"}, reasons.DESTINATION_INVALID, 0x0B),
    "letters": ({"destination": address(1, 1, b"48600ABC200")}, reasons.DESTINATION_INVALID, 0x0B),
    "a network's own number": ({"destination": address(3, 1, b"600100200")}, reasons.DESTINATION_INVALID, 0x0B),
    "forbidden": ({"destination": address(1, 1, b"48700100200")}, reasons.DESTINATION_FORBIDDEN, 0x0B),
    "a coding it may not use": ({"data_coding": 4}, reasons.DATA_CODING_UNSUPPORTED, 0x401),
    "no coding at all": ({"data_coding": 0x2F}, reasons.DATA_CODING_UNSUPPORTED, 0x401),
    "not its alphabet": ({"short_message": b"\xc4"}, reasons.ALPHABET_INVALID, 0x402),
    "half a character": ({"data_coding": 8, "short_message": b"abc"}, reasons.ALPHABET_INVALID, 0x402),
    "too long": (
        {"short_message": b"", "tlvs": tlv.encode([(c.TLV_MESSAGE_PAYLOAD, b"x" * 307)])},
        reasons.TEXT_TOO_LONG,
        0x01,
    ),
    "text in two places": ({"tlvs": tlv.encode([(c.TLV_MESSAGE_PAYLOAD, b"x")])}, reasons.TEXT_TOO_LONG, 0x01),
    "a schedule that is none": ({"schedule_delivery_time": b"soon"}, reasons.SCHEDULE_INVALID, 0x61),
    "too far ahead": ({"schedule_delivery_time": b"000200000000000R"}, reasons.SCHEDULE_INVALID, 0x61),
    "a validity that is none": ({"validity_period": b"0"}, reasons.VALIDITY_INVALID, 0x62),
    "over before it starts": ({"validity_period": format_absolute(START_MS / 1000)}, reasons.VALIDITY_INVALID, 0x62),
}


@pytest.mark.parametrize(("values", "reason", "status"), REFUSED.values(), ids=REFUSED)
async def test_a_refused_message_is_told_why_and_costs_nothing(
    desk: Desk, values: dict[str, Any], reason: str, status: int
) -> None:
    account = await desk.open(**STRICT, throughput=3, burst=3)
    before = account.purse.credit
    assert await desk.statuses(submit(1), submit(2, **values), submit(3)) == [0, status, 0]
    assert account.purse.credit == before - 20_000
    assert account.purse.rate.available(desk.clock()) == 1
    assert len(desk.memory.kept) == 2
    [row] = desk.refusals.flush()
    assert (row.account, row.kind, row.reason, row.status, row.peer) == (
        account.id, "message", reason, status, "127.0.0.1",
    )  # fmt: skip


async def test_no_price_is_no_route(desk: Desk) -> None:
    desk.memory.plans["europe"] = {"44": 1}
    await desk.open(price_plan="europe")
    assert await desk.statuses(submit(), submit(destination=address(1, 1, b"447700900123"))) == [0x0B, 0]


async def test_faster_than_allowed_is_throttled_and_the_rest_of_the_run_too(desk: Desk) -> None:
    await desk.open(throughput=2, burst=2)
    assert await desk.statuses(*[submit(number) for number in range(4)]) == [0, 0, 0x58, 0x58]
    desk.clock.pass_(0.5)
    assert await desk.statuses(submit(), submit()) == [0, 0x58]


async def test_an_account_may_have_its_own_statuses(desk: Desk) -> None:
    await desk.open(balance=0, status_overrides={reasons.NO_CREDIT: 0x45, reasons.SENDER_NOT_ALLOWED: 0x400})
    found = await desk.statuses(submit(), submit(source=b"\0\0\0"))
    assert found == [0x45, 0x400]
    assert [row.status for row in desk.refusals.flush()] == [0x45, 0x400]


async def test_a_run_that_is_refused_whole_never_reaches_the_store(desk: Desk) -> None:
    await desk.open(senders=[])
    desk.memory.fail("accept", StoreDown("not to be asked"))
    answer = await desk.ask(submit(), submit())
    assert answer.then is None
    assert [pdu.status for pdu in pdus(answer.octets)] == [0x0A, 0x0A]
    assert desk.dispatch.low_water(desk.minter.next) == desk.minter.next


async def test_an_error_inside_a_check_denies_that_message_only(desk: Desk) -> None:
    account = await desk.open()
    count = account.parts
    account.parts = lambda message: count(message) if message.sequence != 2 else 1 // 0
    assert await desk.statuses(submit(1), submit(2), submit(3)) == [0, 0x08, 0]


# -- a store that cannot -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        (StoreFull("no room"), 0x14, reasons.STORE_FULL),
        (StoreDown("no disk"), 0x08, reasons.STORE_DOWN),
    ],
)
async def test_what_was_surely_not_stored_is_refused_and_credit_and_rate_are_back(
    desk: Desk, fault: Exception, status: int, reason: str
) -> None:
    account = await desk.open(balance=3, throughput=1, burst=3)
    desk.memory.fail("accept", fault)
    assert await desk.statuses(submit(1), submit(2, source=b"\0\0\0"), submit(3)) == [status, 0x0A, status]
    assert account.purse.credit == 30_000
    assert desk.dispatch.low_water(desk.minter.next) == desk.minter.next
    assert desk.wire.parcels == []
    assert [row.reason for row in desk.refusals.flush()] == [reason, reasons.SENDER_NOT_ALLOWED, reason]
    assert await desk.statuses(submit(), submit(), submit()) == [0, 0, 0]


async def test_where_nobody_knows_there_is_no_answer(desk: Desk) -> None:
    account = await desk.open(balance=3)
    desk.memory.fail("accept", OutcomeUnknown("who knows"))
    first = desk.minter.mint(0, desk.clock.wall_ms()).start
    with pytest.raises(OutcomeUnknown):
        await desk.ask(submit())
    assert account.purse.credit == 20_000  # it may have been spent
    assert desk.dispatch.low_water(desk.minter.next) == first  # a restart must look there


async def test_what_the_balance_does_not_cover_is_refused_and_the_rest_goes_its_way(desk: Desk) -> None:
    account = await desk.open(balance=2)
    account.purse.credit += 10_000  # it believes in one credit more than there is
    desk.memory.stalled = True
    asked = desk.loop_task(desk.ask(submit(1), submit(2), submit(3)))
    await settled()
    first = desk.minter.next - 3
    desk.memory.resume()
    answer = await asked
    assert [pdu.status for pdu in pdus(answer.octets)] == [0, 0, c.ESME_RNOCREDIT]
    assert desk.dispatch.low_water(desk.minter.next) == first  # not handed over yet, and stored
    assert answer.then is not None
    answer.then()
    assert desk.wire.ids == [first, first + 1]
    assert [row.reason for row in desk.refusals.flush()] == [reasons.NO_CREDIT]
    assert account.purse.credit == 10_000  # as before it was tried


# -- a sender that was left out ------------------------------------------------------------------------------------
async def test_the_default_sender_steps_in_also_in_what_is_stored(desk: Desk) -> None:
    await desk.open(senders=["smppgate", "x"], default_sender="smppgate")
    run = [
        submit(1, source=b"\0\0\0", service_type=b"WAP", tlvs=tlv.encode([(0x1400, b"x")])),
        submit(2, source=b"\1\1\0"),
        submit(3, source=address(5, 0, b"x")),
    ]
    assert await desk.statuses(*run) == [0, 0, 0]
    stored = [codec.decode_run(c.SUBMIT_SM, bytes(body), [(4, 0, 0, 0, len(body))]) for *_, body in desk.rows()]
    sources = [records[0].source for records, _faults in stored]
    assert sources == [SENDER, SENDER, address(5, 0, b"x")]
    assert [message[2].source for message in desk.wire.parcels[0].messages] == sources


@given(
    st.sampled_from([b"", b"W", b"SMSAB"]),
    st.integers(0, 255),
    st.integers(0, 255),
    st.binary(max_size=254),
    st.binary(max_size=9),
)
def test_another_sender_changes_nothing_else(
    service_type: bytes, ton: int, npi: int, text: bytes, value: bytes
) -> None:
    before = submit(
        service_type=service_type, source=address(ton, npi, b""), short_message=text, tlvs=tlv.encode([(0x1400, value)])
    )
    after = with_source(before, SENDER)
    assert after == SUBMIT_SM_BODY.decode(after.raw, before.sequence, 0, len(after.raw))
    assert after._replace(source=before.source, raw=before.raw) == before


# -- schedules, validities, replacing ------------------------------------------------------------------------------
async def test_a_scheduled_message_is_paid_and_waits(desk: Desk) -> None:
    account = await desk.open()
    run = [submit(1, schedule_delivery_time=format_absolute((START_MS + HOUR) / 1000)), submit(2)]
    told = await desk.told(*run)
    assert desk.memory.batches[0].scheduled == [(int(told[0][2]), START_MS + HOUR)]
    assert desk.wire.ids == [int(told[1][2])]
    assert desk.memory.balance(account.id) == 1_000_000 - 2
    desk.tick(3599)
    await settled()
    assert len(desk.wire.ids) == 1
    desk.tick()
    await settled()
    assert sorted(desk.wire.ids) == [int(id_) for _sequence, _status, id_ in told]


async def test_a_run_of_scheduled_messages_only_does_not_hold_the_low_water_mark(desk: Desk) -> None:
    await desk.open()
    await desk.told(submit(schedule_delivery_time=b"000001000000000R"))
    assert desk.dispatch.low_water(desk.minter.next) == desk.minter.next


async def test_the_accounts_limit_cuts_a_validity(desk: Desk) -> None:
    await desk.open(max_validity=60)
    [(_sequence, _status, id_)] = await desk.told(submit(validity_period=b"000001000000000R"))
    desk.tick(59)
    assert desk.memory.ended == {}
    desk.tick()
    assert desk.memory.ended[int(id_)].state == c.EXPIRED


async def test_what_goes_at_once_is_not_forgotten_when_what_came_with_it_is_released(desk: Desk) -> None:
    await desk.open()
    run = [submit(1, schedule_delivery_time=b"000000000005000R"), submit(2)]
    [_later, (_sequence, _status, now)] = await desk.told(*run)
    desk.tick(5)
    await settled()
    assert len(desk.wire.ids) == 2
    desk.dispatch.report([(desk.wire.parcels[1], End(c.DELIVERED, 0, True, desk.wire.parcels[1].messages))])
    await settled()
    assert desk.dispatch.low_water(desk.minter.next) == int(now)


async def test_a_message_that_is_not_taken_within_its_validity_expires(desk: Desk) -> None:
    await desk.open()
    [(_sequence, _status, id_)] = await desk.told(submit(validity_period=b"000000000100000R"))
    desk.tick(59)
    assert desk.memory.ended == {}
    desk.tick()
    assert desk.memory.ended[int(id_)].state == c.EXPIRED


async def test_a_newer_message_replaces_the_scheduled_one_that_is_alike(desk: Desk) -> None:
    account = await desk.open()
    soon = b"000000010000000R"
    old = await desk.told(
        submit(1, schedule_delivery_time=soon),
        submit(2, schedule_delivery_time=soon, destination=OTHER),
        submit(3, schedule_delivery_time=soon, service_type=b"WAP"),
    )
    await desk.told(submit(4, schedule_delivery_time=soon, replace_if_present_flag=1, service_type=b"WAP"))
    assert [desk.memory.ended.get(int(id_)) is not None for _s, _t, id_ in old] == [False, False, True]
    new = await desk.told(submit(5, schedule_delivery_time=soon, replace_if_present_flag=1))
    assert [desk.memory.ended.get(int(id_)) is not None for _s, _t, id_ in old] == [True, False, True]
    assert int(new[0][2]) not in desk.memory.ended
    # three that were taken back: the two old ones, and what had taken the place of the third
    assert desk.memory.balance(account.id) == 1_000_000 - 5 + len(desk.memory.ended)


async def test_a_store_that_cannot_replace_holds_up_nobody(desk: Desk) -> None:
    await desk.open()
    desk.memory.fail("scheduled", StoreDown("no disk"))
    assert await desk.statuses(submit(replace_if_present_flag=1)) == [0]
    assert len(desk.wire.ids) == 1


# -- data_sm -------------------------------------------------------------------------------------------------------
def data(sequence: int = 1, payload: bytes | None = b"hello", *tlvs: tuple[int, bytes], **values: Any) -> DataSm:
    pairs = [*tlvs] if payload is None else [(c.TLV_MESSAGE_PAYLOAD, payload), *tlvs]
    record: DataSm = DATA_SM_BODY.build(
        sequence, **{"source": SENDER, "destination": MOBILE, "tlvs": tlv.encode(pairs), **values}
    )
    return record


async def test_a_data_sm_is_a_submit_sm_that_says_the_same(desk: Desk) -> None:
    await desk.open()
    values = {"service_type": b"WAP", "registered_delivery": 1, "data_coding": 8, "esm_class": 0}
    told = await desk.told(data(5, b"\0h\0i", (c.TLV_USER_MESSAGE_REFERENCE, b"\0\7"), **values))
    assert told == [(5, 0, b"%d" % desk.wire.ids[0])]
    [(_id, _wire, sent)] = desk.wire.parcels[0].messages
    assert (sent.service_type, sent.registered_delivery, sent.data_coding) == (b"WAP", 1, 8)
    assert (sent.source, sent.destination, sent.short_message) == (SENDER, MOBILE, b"")
    assert tlv.find(sent.tlvs, c.TLV_MESSAGE_PAYLOAD) == b"\0h\0i"
    [(_key, charge, body)] = desk.rows()
    assert charge == 10_000
    assert SUBMIT_SM_BODY.decode(bytes(body), sent.sequence, 0, len(body)) == sent


async def test_answers_to_a_run_of_data_sm_keep_its_order(desk: Desk) -> None:
    await desk.open(max_parts=1)
    run = [
        data(1, None),
        data(2),
        data(3, b"x" * 161),
        data(4, destination=address(1, 1, b"4" * 40)),
        data(5, source=address(1, 1, b"4" * 40)),
        data(6, b""),
        data(7, None, (c.TLV_USER_MESSAGE_REFERENCE, b"\0\7")),
    ]
    told = await desk.told(*run)
    assert [(sequence, status) for sequence, status, _id in told] == [
        (1, c.ESME_RMISSINGOPTPARAM),
        (2, 0),
        (3, c.ESME_RINVMSGLEN),
        (4, c.ESME_RINVDSTADR),
        (5, c.ESME_RINVSRCADR),
        (6, 0),
        (7, c.ESME_RMISSINGOPTPARAM),
    ]
    assert [int(id_) for _s, status, id_ in told if not status] == desk.wire.ids
    assert desk.meter.traffic.counts[("out", c.DATA_SM_RESP, 0)] == 2


async def test_a_run_of_data_sm_without_any_text_needs_no_store(desk: Desk) -> None:
    await desk.open()
    desk.memory.fail("accept", StoreDown("not to be asked"))
    assert await desk.statuses(data(1, None), data(2, None)) == [c.ESME_RMISSINGOPTPARAM] * 2


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (b"\0\0\0\x3c", b"000000000100000R"),
        (b"\0\1\x51\x80", b"000001000000000R"),
        (b"\x3c", b"000000000100000R"),
        (b"", b""),
        (b"\xff\xff\xff\xff", b"000099000000000R"),
        (b"\xff" * 9, b"000099000000000R"),
    ],
)
def test_a_time_to_live_is_a_validity(seconds: bytes, expected: bytes) -> None:
    assert as_submit(data(1, b"x", (c.TLV_QOS_TIME_TO_LIVE, seconds))).validity_period == expected


async def test_a_time_to_live_of_nothing_is_over_at_once(desk: Desk) -> None:
    await desk.open()
    assert await desk.statuses(data(1, b"x", (c.TLV_QOS_TIME_TO_LIVE, bytes(4)))) == [c.ESME_RINVEXPIRY]


@given(st.binary(max_size=5), st.binary(max_size=70), st.binary(max_size=70), st.binary(max_size=300))
def test_any_data_sm_becomes_a_submit_sm_or_says_what_is_wrong(
    service_type: bytes, source: bytes, destination: bytes, payload: bytes
) -> None:
    def bare(octets: bytes, most: int) -> bytes:
        return octets.replace(b"\0", b"0")[:most]

    record = data(
        9,
        payload,
        service_type=bare(service_type, 5),
        source=address(5, 0, bare(source, 64)),
        destination=address(1, 1, bare(destination, 64)),
    )
    if max(len(source), len(destination)) <= 20:
        made = as_submit(record)
        assert (made.sequence, made.source, made.destination) == (9, record.source, record.destination)
    else:
        with pytest.raises(Malformed) as raised:
            as_submit(record)
        assert raised.value.status == (c.ESME_RINVDSTADR if len(destination) > 20 else c.ESME_RINVSRCADR)


# -- submit_multi --------------------------------------------------------------------------------------------------
def multi(sequence: int, *destinations: bytes | DistributionList, **values: Any) -> SubmitMulti:
    record: SubmitMulti = SUBMIT_MULTI_BODY.build(
        sequence, **{"source": SENDER, "short_message": b"hello", "destinations": destinations, **values}
    )
    return record


FORBIDDEN = address(1, 1, b"48700100200")
LIST = DistributionList(b"friends")
UNKNOWN_LIST = Failed(b"\0\0friends\0", c.ESME_RINVDLNAME)


async def multi_told(desk: Desk, *run: SubmitMulti) -> list[tuple[int, int, Any]]:
    answer = await desk.ask(*run)
    if answer.then is not None:
        answer.then()
    return [(pdu.sequence, pdu.status, pdu.body) for pdu in pdus(answer.octets)]


async def test_each_destination_is_paid_and_all_share_one_id(desk: Desk) -> None:
    account = await desk.open()
    [(sequence, status, body)] = await multi_told(desk, multi(9, MOBILE, OTHER))
    assert (sequence, status, body.unsuccess) == (9, 0, ())
    first, second = desk.wire.ids
    assert body.message_id == b"%d" % first
    assert desk.memory.batches[0].multi == [(second, first)]
    assert {wire for _id, wire, _submit in desk.wire.parcels[0].messages} == {body.message_id}
    assert [message[2].destination for message in desk.wire.parcels[0].messages] == [MOBILE, OTHER]
    assert desk.memory.balance(account.id) == 1_000_000 - 2
    assert [row.wire_id for row in await desk.store.find(account.id, first)] == [first, first]


async def test_destinations_that_fail_are_named_with_their_reason(desk: Desk) -> None:
    await desk.open(deny_destinations=["4870"])
    [(_sequence, status, body)] = await multi_told(desk, multi(1, FORBIDDEN, MOBILE, LIST, b"\1\1x\0", OTHER))
    assert status == 0
    assert set(body.unsuccess) == {
        UNKNOWN_LIST,
        Failed(FORBIDDEN, c.ESME_RINVDSTADR),
        Failed(b"\1\1x\0", c.ESME_RINVDSTADR),
    }
    assert len(desk.wire.ids) == 2
    assert desk.memory.batches[0].multi == [(desk.wire.ids[1], desk.wire.ids[0])]


@pytest.mark.parametrize(
    ("destinations", "status"),
    [
        ([FORBIDDEN], c.ESME_RINVDSTADR),
        ([FORBIDDEN, b"\1\1x\0"], c.ESME_RINVDSTADR),
        ([LIST], c.ESME_RINVDLNAME),
        ([LIST, FORBIDDEN], c.ESME_RSUBMITFAIL),  # each has a reason of its own
    ],
)
async def test_where_nobody_is_reached_there_is_an_error(
    desk: Desk, destinations: list[bytes | DistributionList], status: int
) -> None:
    await desk.open(deny_destinations=["4870"])
    answer = await desk.ask(multi(4, *destinations))
    assert [(pdu.sequence, pdu.status) for pdu in pdus(answer.octets)] == [(4, status)]
    assert len(answer.octets) == 16  # no body with an error
    assert (answer.then, desk.memory.kept) == (None, {})


async def test_a_multi_that_the_store_cannot_take(desk: Desk) -> None:
    account = await desk.open(balance=10)
    desk.memory.fail("accept", StoreFull("no room"))
    told = await multi_told(desk, multi(1, MOBILE, OTHER), multi(2, MOBILE))
    assert [(sequence, status) for sequence, status, _body in told] == [(1, c.ESME_RMSGQFUL), (2, 0)]
    assert account.purse.credit == 90_000


async def test_credit_for_some_of_the_destinations(desk: Desk) -> None:
    await desk.open(balance=1)
    [(_sequence, status, body)] = await multi_told(desk, multi(1, MOBILE, OTHER))
    assert (status, body.unsuccess) == (0, (Failed(OTHER, c.ESME_RNOCREDIT),))


async def test_what_was_stored_goes_its_way_though_the_next_one_is_never_answered(desk: Desk) -> None:
    await desk.open()
    desk.memory.faults["accept"] = []
    asked: list[int] = []
    accept = desk.memory.accept

    def failing(batch: Any, session: object) -> Any:
        asked.append(len(batch.rows))
        if len(asked) == 2:
            desk.memory.fail("accept", OutcomeUnknown("who knows"))
        return accept(batch, session)

    desk.memory.accept = failing  # type: ignore[method-assign]  # the second commit is lost
    with pytest.raises(OutcomeUnknown):
        await desk.ask(multi(1, MOBILE), multi(2, OTHER), multi(3, MOBILE))
    assert asked == [1, 1]
    assert len(desk.wire.ids) == 1  # durable and paid: not left lying until the next start


async def test_the_longest_list_of_destinations(desk: Desk) -> None:
    await desk.open()
    numbers = [address(1, 1, b"48600%06d" % number) for number in range(254)]
    [(_sequence, status, body)] = await multi_told(desk, multi(1, *numbers))
    assert (status, body.unsuccess, len(desk.wire.ids)) == (0, (), 254)
    desk.memory.fail("accept", StoreDown("no disk"))
    [(_sequence, status, body)] = await multi_told(desk, multi(1, *numbers))
    assert status == c.ESME_RSYSERR


@given(
    st.lists(st.sampled_from([MOBILE, OTHER, address(0, 0, b"+4860010020"), LIST]), min_size=1, max_size=5),
    st.binary(max_size=254),
    st.binary(max_size=5),
    st.integers(0, 1),
)
def test_what_a_multi_is_for_one_destination(
    destinations: list[bytes | DistributionList], text: bytes, value: bytes, flag: int
) -> None:
    whole = multi(7, *destinations, short_message=text, tlvs=tlv.encode([(0x1400, value)]),
                  replace_if_present_flag=flag, registered_delivery=1, data_coding=4)  # fmt: skip
    for destination in destinations:
        if isinstance(destination, bytes):
            (made,) = for_destinations(whole, [destination])
            assert made == submit(
                7, source=whole.source, destination=destination, short_message=text, tlvs=whole.tlvs,
                replace_if_present_flag=flag, registered_delivery=1, data_coding=4,
            )  # fmt: skip


# -- any run -------------------------------------------------------------------------------------------------------
KINDS: dict[str, tuple[dict[str, Any], int]] = {
    "fine": ({}, 0),
    "long": ({"short_message": b"x" * 200}, 0),
    "later": ({"schedule_delivery_time": b"000000010000000R"}, 0),
    "valid": ({"validity_period": b"000000010000000R"}, 0),
    "sender": ({"source": address(5, 0, b"bank")}, 0x0A),
    "destination": ({"destination": b"\1\1x\0"}, 0x0B),
    "coding": ({"data_coding": 0x2F}, 0x401),
    "schedule": ({"schedule_delivery_time": b"x"}, 0x61),
    "validity": ({"validity_period": b"x"}, 0x62),
}


@given(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=12), st.integers(0, 12))
def test_any_run_is_answered_message_by_message_and_the_sums_are_right(kinds: list[str], credits_: int) -> None:
    async def walk() -> None:
        desk = Desk()
        account = await desk.open(balance=credits_, senders=["smppgate"])
        run = [submit(100 + at, **KINDS[kind][0]) for at, kind in enumerate(kinds)]
        told = await desk.told(*run)
        assert [sequence for sequence, _status, _id in told] == list(range(100, 100 + len(run)))
        left, expected = credits_, []
        for kind in kinds:
            _values, status = KINDS[kind]
            price = 2 if kind == "long" else 1
            if not status and price > left:
                status = c.ESME_RNOCREDIT
            elif not status:
                left -= price
            expected.append(status)
        assert [status for _sequence, status, _id in told] == expected
        assert desk.memory.balance(account.id) * 10_000 == account.purse.credit == left * 10_000
        accepted = [int(id_) for _sequence, status, id_ in told if not status]
        assert sorted(desk.memory.kept) == accepted
        waiting = [id_ for id_, kept in desk.memory.kept.items() if kept.scheduled_at is not None]
        assert sorted(desk.wire.ids + waiting) == accepted
        assert [row.status for row in desk.refusals.flush()] == [status for status in expected if status]

    asyncio.run(walk())
