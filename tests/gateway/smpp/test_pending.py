"""query_sm, cancel_sm and replace_sm: what a client is told and may change about what it has sent, and nothing else."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acl import reasons
from gateway.accounts import Account
from gateway.smpp.handling import Handler
from gateway.smpp.pending import Pending, replaced, until
from pdu import codec, tlv
from pdu import constants as c
from pdu.bodies import BODIES, CANCEL_SM_BODY, QUERY_SM_BODY, REPLACE_SM_BODY, SubmitSm, address
from pdu.frames import split
from pdu.times import format_absolute
from store.protocol import Batch, Outcome, OutcomeUnknown, StoreDown

from ..scene import MOBILE, SENDER, START_MS, Peer, Scene, settled, submit

OTHER = address(1, 1, b"48600100201")
HOUR = 3_600_000


class Counter(Scene):
    """The scene with the three handlers, and one client."""

    def __init__(self) -> None:
        super().__init__()
        self.pending = Pending(self.store, self.dispatch, self.meter.traffic, self.clock.wall_ms)

    async def open(self, **settings: Any) -> Account:
        self.customer = await self.account("a", **settings)
        return self.customer

    async def sent(self, *values: dict[str, Any], schedule: int | None = None, shared: bool = False) -> list[int]:
        """Messages that were accepted; `schedule` milliseconds from now."""
        keys = self.minter.mint(len(values), self.clock.wall_ms())
        rows = [(key, 10_000, bytearray(submit(1, **each).raw)) for key, each in zip(keys, values, strict=True)]
        at = [] if schedule is None else [(key, self.clock.wall_ms() + schedule) for key in keys]
        multi = [(key, keys[0]) for key in keys[1:]] if shared else []
        await self.store.accept(Batch(self.customer.id, rows, 10_000 * len(rows), at, multi), "session")
        if at:
            self.dispatch.schedule(at[0][1])
        return list(keys)

    async def end(self, id_: int, state: int, error: int = 0) -> None:
        await self.store.settle([Outcome(self.customer.id, state, error, False, [id_], [])])

    async def ask(self, command: int, *run: dict[str, Any], account: Account | None = None) -> list[codec.Pdu]:
        handlers: dict[int, Handler] = {
            c.QUERY_SM: self.pending.query_sm,
            c.CANCEL_SM: self.pending.cancel_sm,
            c.REPLACE_SM: self.pending.replace_sm,
        }
        requests = [BODIES[command].build(number, **values) for number, values in enumerate(run, 1)]
        answer = await handlers[command](Peer(account or self.customer), requests, self.clock())
        assert answer.then is None
        frames, used, _fault = split(answer.octets)
        assert used == len(answer.octets)
        return [codec.decode(answer.octets[at - 16 : end]) for *_, at, end in frames]

    async def status(self, command: int, account: Account | None = None, **values: Any) -> int:
        [pdu] = await self.ask(command, {"source": SENDER, **values}, account=account)
        assert pdu.command == command | c.RESPONSE
        assert pdu.status == 0 or pdu.body.raw == b""  # no body with an error
        return pdu.status

    async def query(self, id_: int, **values: Any) -> tuple[int, int, bytes]:
        """(message_state, error_code, final_date)"""
        [pdu] = await self.ask(c.QUERY_SM, {"message_id": b"%d" % id_, "source": SENDER, **values})
        assert (pdu.status, pdu.body.message_id) == (0, b"%d" % id_)
        return pdu.body.message_state, pdu.body.error_code, pdu.body.final_date

    async def cancel(self, id_: int | None = None, **values: Any) -> int:
        return await self.status(c.CANCEL_SM, message_id=b"" if id_ is None else b"%d" % id_, **values)

    async def replace(self, id_: int, text: bytes = b"other", **values: Any) -> int:
        return await self.status(c.REPLACE_SM, message_id=b"%d" % id_, short_message=text, **values)

    def body(self, id_: int) -> SubmitSm:
        octets = self.memory.kept[id_].body
        record: SubmitSm = BODIES[c.SUBMIT_SM].decode(octets, 1, 0, len(octets))
        return record

    def states(self) -> dict[int, int]:
        return {id_: ended.state for id_, ended in self.memory.ended.items()}


@pytest.fixture
async def counter() -> Counter:
    counter = Counter()
    await counter.open()
    return counter


# -- whose message is it -------------------------------------------------------------------------------------------
ASKED = [c.QUERY_SM, c.CANCEL_SM, c.REPLACE_SM]


@pytest.mark.parametrize("command", ASKED)
@pytest.mark.parametrize(
    "message_id", [b"", b"1", b"x", b"-1", b"1.0", b"0x1F", b" 1", b"9" * 19, b"9" * 20, b"9" * 64, b"\xb2"]
)
async def test_an_id_that_is_none_is_unknown(counter: Counter, command: int, message_id: bytes) -> None:
    if command == c.CANCEL_SM and not message_id:
        return  # there an empty id means: by addresses
    await counter.sent({}, schedule=HOUR)
    assert await counter.status(command, message_id=message_id) == c.ESME_RINVMSGID


@pytest.mark.parametrize("command", ASKED)
async def test_another_accounts_message_is_unknown(counter: Counter, command: int) -> None:
    [id_] = await counter.sent({}, schedule=HOUR)
    other = await counter.account("b")
    assert await counter.status(command, other, message_id=b"%d" % id_) == c.ESME_RINVMSGID
    assert counter.memory.ended == {}
    assert counter.body(id_).short_message == b"hello"
    assert await counter.status(command, message_id=b"%d" % id_) == 0


@pytest.mark.parametrize("command", ASKED)
async def test_a_message_is_known_by_its_id_and_its_sender(counter: Counter, command: int) -> None:
    [id_] = await counter.sent({}, schedule=HOUR)
    for source in (address(5, 0, b"another"), b"\0\0\0", address(1, 1, b"smppgat")):
        assert await counter.status(command, message_id=b"%d" % id_, source=source) == c.ESME_RINVMSGID
    assert await counter.status(command, message_id=b"%d" % id_, source=address(0, 1, b"smppgate")) == 0


@pytest.mark.parametrize("command", ASKED)
async def test_who_left_the_sender_out_may_leave_it_out_again(command: int) -> None:
    counter = Counter()
    await counter.open(senders=["smppgate", "other"], default_sender="smppgate")
    [mine] = await counter.sent({}, schedule=HOUR)
    [named] = await counter.sent({"source": address(5, 0, b"other")}, schedule=HOUR)
    assert await counter.status(command, message_id=b"%d" % named, source=b"\0\0\0") == c.ESME_RINVMSGID
    assert await counter.status(command, message_id=b"%d" % mine, source=b"\0\0\0") == 0


@pytest.mark.parametrize("command", ASKED)
async def test_an_account_may_have_its_own_statuses(command: int) -> None:
    counter = Counter()
    await counter.open(status_overrides={reasons.MESSAGE_UNKNOWN: 0x67, reasons.MESSAGE_FINAL: 0x11D})
    [id_] = await counter.sent({})
    assert await counter.status(command, message_id=b"1") == 0x67
    if command != c.QUERY_SM:
        assert await counter.status(command, message_id=b"%d" % id_) == 0x11D


@pytest.mark.parametrize("command", ASKED)
async def test_a_store_that_cannot_now(counter: Counter, command: int) -> None:
    [id_] = await counter.sent({}, schedule=HOUR)
    counter.memory.fail("find", StoreDown("no disk"))
    assert await counter.status(command, message_id=b"%d" % id_) == c.ESME_RSYSERR
    assert await counter.status(command, message_id=b"%d" % id_) == 0


@pytest.mark.parametrize(("command", "verb"), [(c.CANCEL_SM, "settle"), (c.REPLACE_SM, "replace")])
async def test_where_nobody_knows_there_is_no_answer(counter: Counter, command: int, verb: str) -> None:
    [id_] = await counter.sent({}, schedule=HOUR)
    counter.memory.fail(verb, OutcomeUnknown("who knows"))
    with pytest.raises(OutcomeUnknown):
        await counter.status(command, message_id=b"%d" % id_)
    counter.memory.fail(verb, StoreDown("no disk"))
    assert await counter.status(command, message_id=b"%d" % id_) == c.ESME_RSYSERR
    assert counter.memory.ended == {}


async def test_the_requests_of_a_run_are_answered_in_their_order(counter: Counter) -> None:
    [one], [two] = await counter.sent({}), await counter.sent({})
    run = [{"message_id": id_, "source": SENDER} for id_ in (b"%d" % two, b"7", b"%d" % one)]
    answers = await counter.ask(c.QUERY_SM, *run)
    assert [(pdu.sequence, pdu.status) for pdu in answers] == [(1, 0), (2, c.ESME_RINVMSGID), (3, 0)]
    assert [answers[0].body.message_id, answers[2].body.message_id] == [b"%d" % two, b"%d" % one]
    assert counter.meter.traffic.counts == {
        ("out", c.QUERY_SM_RESP, 0): 2,
        ("out", c.QUERY_SM_RESP, c.ESME_RINVMSGID): 1,
    }


# -- query_sm ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("state", [c.DELIVERED, c.EXPIRED, c.DELETED, c.UNDELIVERABLE, c.UNKNOWN, c.REJECTED])
async def test_how_a_message_ended(counter: Counter, state: int) -> None:
    [id_] = await counter.sent({})
    assert await counter.query(id_) == (c.ENROUTE, 0, b"")
    counter.clock.pass_(3600)
    await counter.end(id_, state, 9)
    counter.clock.pass_(3600)
    assert await counter.query(id_) == (state, 9, b"260921151320000+")


async def test_a_scheduled_message_is_on_its_way(counter: Counter) -> None:
    [id_] = await counter.sent({}, schedule=HOUR)
    assert await counter.query(id_) == (c.ENROUTE, 0, b"")


async def test_an_error_code_that_does_not_fit_is_the_largest_that_does(counter: Counter) -> None:
    [id_] = await counter.sent({})
    await counter.end(id_, c.EXPIRED, 801)
    assert (await counter.query(id_))[:2] == (c.EXPIRED, 255)


async def test_of_many_with_one_id_whoever_is_still_on_the_way_is_told_of(counter: Counter) -> None:
    one, two = await counter.sent({}, {"destination": OTHER}, shared=True)
    await counter.end(one, c.DELIVERED)
    assert (await counter.query(one))[0] == c.ENROUTE
    await counter.end(two, c.UNDELIVERABLE, 9)
    assert (await counter.query(one))[0] == c.DELIVERED
    assert await counter.status(c.QUERY_SM, message_id=b"%d" % two) == c.ESME_RINVMSGID  # an id nobody was given


# -- cancel_sm -----------------------------------------------------------------------------------------------------
async def test_a_scheduled_message_is_cancelled_once_and_refunded(counter: Counter) -> None:
    account = counter.customer
    [id_] = await counter.sent({}, schedule=HOUR)
    account.purse.credit -= 10_000
    assert await counter.cancel(id_) == 0
    assert counter.states() == {id_: c.DELETED}
    assert counter.memory.balance(account.id) == account.purse.credit // 10_000 == 1_000_000
    assert await counter.cancel(id_) == c.ESME_RCANCELFAIL
    assert counter.memory.balance(account.id) == 1_000_000


@pytest.mark.parametrize("state", [None, c.DELIVERED, c.EXPIRED])
async def test_what_has_left_cannot_be_cancelled(counter: Counter, state: int | None) -> None:
    [id_] = await counter.sent({})
    if state is not None:
        await counter.end(id_, state)
    assert await counter.cancel(id_) == c.ESME_RCANCELFAIL
    assert counter.states() == ({} if state is None else {id_: state})


async def test_a_never_refunding_account_gets_nothing_back(counter: Counter) -> None:
    counter.memory.change(counter.customer.id, settings={"refund": "never"})
    await counter.accounts.refresh()
    [id_] = await counter.sent({}, schedule=HOUR)
    assert await counter.cancel(id_) == 0
    assert counter.memory.balance(counter.customer.id) == 1_000_000 - 1


async def test_without_an_id_the_addresses_decide(counter: Counter) -> None:
    alike = await counter.sent(
        {}, {"service_type": b"WAP"}, {"destination": address(0, 0, b"48600100200")}, schedule=HOUR
    )
    others = await counter.sent({"destination": OTHER}, {"source": address(5, 0, b"other")}, schedule=HOUR)
    others += await counter.sent({})  # alike, and on its way
    assert await counter.cancel(destination=MOBILE, service_type=b"WAP") == 0
    assert counter.states() == {alike[1]: c.DELETED}
    assert await counter.cancel(destination=MOBILE) == 0
    assert counter.states() == dict.fromkeys(alike, c.DELETED)
    assert await counter.cancel(destination=MOBILE) == c.ESME_RCANCELFAIL
    assert await counter.cancel(destination=address(1, 1, b"1")) == c.ESME_RCANCELFAIL
    assert not set(others) & counter.states().keys()


async def test_a_number_in_the_text_or_a_longer_one_is_not_the_destination(counter: Counter) -> None:
    await counter.sent(
        {"destination": OTHER, "short_message": b"call 48600100200"},
        {"destination": address(1, 1, b"148600100200")},
        schedule=HOUR,
    )
    assert await counter.cancel(destination=MOBILE) == c.ESME_RCANCELFAIL
    assert await counter.cancel(destination=b"\0\0\0") == c.ESME_RCANCELFAIL


async def test_with_an_id_the_destination_does_not_matter(counter: Counter) -> None:
    [id_] = await counter.sent({}, schedule=HOUR)
    assert await counter.cancel(id_, destination=OTHER) == 0


async def test_all_that_share_an_id_are_cancelled(counter: Counter) -> None:
    ids = await counter.sent({}, {"destination": OTHER}, shared=True, schedule=HOUR)
    assert await counter.cancel(ids[0]) == 0
    assert counter.states() == dict.fromkeys(ids, c.DELETED)


async def test_another_accounts_scheduled_messages_are_safe(counter: Counter) -> None:
    [id_] = await counter.sent({}, schedule=HOUR)
    other = await counter.account("b")
    status = await counter.status(c.CANCEL_SM, other, destination=MOBILE)
    assert (status, counter.states()) == (c.ESME_RCANCELFAIL, {})
    assert await counter.cancel(id_) == 0


async def test_thousands_are_cancelled_at_once(counter: Counter) -> None:
    ids = await counter.sent(*[{}] * 2_500, schedule=HOUR)
    assert await counter.cancel(destination=MOBILE) == 0
    assert counter.states() == dict.fromkeys(ids, c.DELETED)


# -- replace_sm ----------------------------------------------------------------------------------------------------
async def test_a_scheduled_message_gets_another_text_and_nothing_else_changes(counter: Counter) -> None:
    before = {
        "service_type": b"WAP", "protocol_id": 3, "priority_flag": 2, "data_coding": 0, "sm_default_msg_id": 1,
        "tlvs": tlv.encode([(c.TLV_USER_MESSAGE_REFERENCE, b"\0\7"), (0x1400, b"x")]),
    }  # fmt: skip
    [id_] = await counter.sent(before, schedule=HOUR + 37)
    old, scheduled_at = counter.body(id_), counter.memory.kept[id_].scheduled_at
    assert await counter.replace(id_, b"other", registered_delivery=1, sm_default_msg_id=4) == 0
    new = counter.body(id_)
    assert (new.short_message, new.registered_delivery, new.sm_default_msg_id) == (b"other", 1, 4)
    changed = {"short_message", "sm_length", "registered_delivery", "sm_default_msg_id", "raw"}
    assert {name: value for name, value in new._asdict().items() if name not in changed} == {
        name: value for name, value in old._asdict().items() if name not in changed
    }
    assert counter.memory.kept[id_].scheduled_at == scheduled_at
    assert counter.memory.balance(counter.customer.id) == 1_000_000 - 1


@pytest.mark.parametrize("state", [None, c.DELIVERED])
async def test_what_has_left_cannot_be_replaced(counter: Counter, state: int | None) -> None:
    [id_] = await counter.sent({})
    if state is not None:
        await counter.end(id_, state)
    assert await counter.replace(id_) == c.ESME_RREPLACEFAIL
    assert counter.body(id_).short_message == b"hello"


async def test_what_leaves_at_that_moment_is_not_replaced(counter: Counter) -> None:
    [id_] = await counter.sent({}, schedule=HOUR)
    counter.memory.stalled = True
    released = counter.store.unschedule([id_])
    asked = asyncio.ensure_future(counter.replace(id_))
    await settled()
    counter.memory.resume()
    assert await released == {id_}
    assert await asked == c.ESME_RREPLACEFAIL
    assert counter.body(id_).short_message == b"hello"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"x" * 160, 0),
        (b"x" * 161, c.ESME_RREPLACEFAIL),  # two parts, and one was paid for
        (b"", 0),
        (b"caf\xe9", c.ESME_RINVGSM7CODING),
    ],
)
async def test_the_new_text_must_fit_what_was_paid(counter: Counter, text: bytes, status: int) -> None:
    [id_] = await counter.sent({}, schedule=HOUR)
    assert await counter.replace(id_, text) == status
    assert counter.body(id_).short_message == (text if status == 0 else b"hello")


async def test_a_long_message_may_be_replaced_by_a_long_one(counter: Counter) -> None:
    payload = tlv.encode([(c.TLV_MESSAGE_PAYLOAD, b"x" * 300), (c.TLV_USER_MESSAGE_REFERENCE, b"\0\7")])
    [id_] = await counter.sent({"short_message": b"", "tlvs": payload}, schedule=HOUR)
    assert await counter.replace(id_, b"y" * 200) == 0
    new = counter.body(id_)
    assert (new.short_message, new.tlvs) == (b"y" * 200, tlv.encode([(c.TLV_USER_MESSAGE_REFERENCE, b"\0\7")]))


async def test_all_that_share_an_id_are_replaced_or_none(counter: Counter) -> None:
    ids = await counter.sent({}, {"destination": OTHER}, shared=True, schedule=HOUR)
    assert await counter.replace(ids[0]) == 0
    assert [counter.body(id_).short_message for id_ in ids] == [b"other", b"other"]
    assert [counter.body(id_).destination for id_ in ids] == [MOBILE, OTHER]
    await counter.store.unschedule([ids[1]])
    assert await counter.replace(ids[0], b"third") == c.ESME_RREPLACEFAIL
    assert counter.body(ids[0]).short_message == b"other"


# -- the times of a replaced message -------------------------------------------------------------------------------
def absolute(ms: int) -> bytes:
    return format_absolute((START_MS + ms) / 1000)


async def test_another_time_is_kept_to(counter: Counter) -> None:
    [id_] = await counter.sent({}, schedule=HOUR)
    assert await counter.replace(id_, schedule_delivery_time=absolute(60_000)) == 0
    assert counter.memory.kept[id_].scheduled_at == START_MS + 60_000
    counter.tick(59)
    await settled()
    assert counter.wire.ids == []
    counter.tick()
    await settled()
    assert counter.wire.ids == [id_]


async def test_a_time_that_has_passed_means_now(counter: Counter) -> None:
    [id_] = await counter.sent({}, schedule=HOUR)
    counter.clock.pass_(100)
    assert await counter.replace(id_, schedule_delivery_time=absolute(0)) == 0
    counter.tick()
    await settled()
    assert counter.wire.ids == [id_]


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"schedule_delivery_time": b"soon"}, c.ESME_RINVSCHED),
        ({"schedule_delivery_time": b"000200000000000R"}, c.ESME_RINVSCHED),
        ({"validity_period": b"soon"}, c.ESME_RINVEXPIRY),
        ({"validity_period": absolute(-1000)}, c.ESME_RINVEXPIRY),
        ({"validity_period": absolute(HOUR // 2)}, c.ESME_RINVEXPIRY),  # before its time has come
        ({"schedule_delivery_time": absolute(3 * HOUR)}, c.ESME_RINVEXPIRY),  # behind its old validity
        ({"schedule_delivery_time": absolute(3 * HOUR), "validity_period": absolute(4 * HOUR)}, 0),
        ({"validity_period": absolute(4 * HOUR)}, 0),
    ],
)
async def test_the_times_must_make_sense_together(counter: Counter, values: dict[str, bytes], status: int) -> None:
    [id_] = await counter.sent({"validity_period": absolute(2 * HOUR)}, schedule=HOUR)
    assert await counter.replace(id_, **values) == status
    assert counter.body(id_).short_message == (b"other" if status == 0 else b"hello")


async def test_a_relative_validity_counts_from_the_replacing(counter: Counter) -> None:
    [id_] = await counter.sent({}, schedule=10 * HOUR)
    counter.clock.pass_(9 * 3600)
    assert await counter.replace(id_, validity_period=b"000000020000000R") == 0  # two hours
    counter.tick(3600)
    await settled()
    assert (counter.wire.ids, counter.states()) == ([id_], {})
    counter.tick(3598)
    assert counter.states() == {}
    counter.tick(2)
    assert counter.states() == {id_: c.EXPIRED}


async def test_the_old_relative_validity_goes_on_as_it_was(counter: Counter) -> None:
    [id_] = await counter.sent({"validity_period": b"000000100000000R"}, schedule=2 * HOUR)
    counter.clock.pass_(3600)
    assert await counter.replace(id_) == 0
    counter.tick(3600)
    await settled()
    assert counter.wire.ids == [id_]
    counter.tick(8 * 3600 - 2)
    assert counter.states() == {}
    counter.tick(2)
    assert counter.states() == {id_: c.EXPIRED}


async def test_a_validity_beyond_the_centurys_37th_year_is_as_good_as_none() -> None:
    counter = Counter()
    await counter.open(max_validity=0)
    [id_] = await counter.sent({"validity_period": b"990000000000000R"}, schedule=HOUR)
    assert await counter.replace(id_) == 0
    assert await counter.replace(id_, validity_period=b"990000000000000R") == 0
    assert counter.body(id_).validity_period == b""
    assert until(START_MS / 1000) == absolute(0)


@given(st.binary(max_size=254), st.integers(0, 255), st.integers(0, 255), st.binary(max_size=9))
def test_a_replaced_message_can_be_read(text: bytes, coding: int, registered: int, value: bytes) -> None:
    old = submit(3, data_coding=coding, tlvs=tlv.encode([(0x1400, value), (c.TLV_MESSAGE_PAYLOAD, value)]))
    request = REPLACE_SM_BODY.build(1, short_message=text, registered_delivery=registered)
    new = replaced(old, request, b"")
    assert (new.short_message, new.registered_delivery, new.data_coding) == (text, registered, coding)
    assert tlv.parse(new.tlvs) == [(0x1400, value)]


def test_the_requests_have_the_fields_that_are_used_here() -> None:
    for body in (CANCEL_SM_BODY, QUERY_SM_BODY, REPLACE_SM_BODY):
        assert {"message_id", "source"} <= set(body.record._fields)
