"""From acceptance to final state: what is handed over when, what an end costs or gives back, and who hears of it."""

import asyncio
from typing import Any

import pytest

from gateway.accounts import Account
from gateway.network import dispatch
from gateway.network.connector import End, Message, Parcel
from gateway.network.dispatch import DELETED_ERROR, EVERY, EXPIRED_ERROR, PAGE, refunds, wanted
from gateway.network.simulator import Rule, Simulator
from pdu import constants as c
from pdu import receipt
from pdu.bodies import DELIVER_SM_BODY
from pdu.times import format_absolute
from store.protocol import Batch, Contradiction, OutcomeUnknown, StoreDown

from ..scene import START_MS, Peer, Reader, Scene, settled, submit

DAY = 86_400
FINAL = [c.DELIVERED, c.EXPIRED, c.DELETED, c.UNDELIVERABLE, c.UNKNOWN, c.REJECTED]


class Road(Scene):
    account_: Account

    async def open(self, **settings: Any) -> Account:
        self.account_ = await self.account(**settings)
        return self.account_

    async def accept(self, *values: dict[str, Any], scheduled: int | None = None) -> list[Message]:
        """Messages that are durable; `scheduled` milliseconds from now, or on their way to nobody yet."""
        keys = self.minter.mint(len(values), self.clock.wall_ms())
        submits = [submit(number, **each) for number, each in enumerate(values, 1)]
        rows = [(key, 10_000, bytearray(each.raw)) for key, each in zip(keys, submits, strict=True)]
        at = [] if scheduled is None else [(key, self.clock.wall_ms() + scheduled) for key in keys]
        await self.store.accept(Batch(self.account_.id, rows, 10_000 * len(rows), at), "session")
        if scheduled is not None:
            self.dispatch.schedule(at[0][1])
        return [(key, b"%d" % key, each) for key, each in zip(keys, submits, strict=True)]

    async def sent(self, *values: dict[str, Any], unheard: Peer | None = None) -> Parcel:
        """`unheard`: the link that has the response, which is not written yet."""
        messages = await self.accept(*values)
        if unheard is not None:
            unheard.holding = True
            self.dispatch.hold(messages, unheard)
        self.dispatch.take(self.account_.id, messages, self.clock.wall_ms())
        return self.wire.parcels[-1]

    def end(self, parcel: Parcel, state: int = c.DELIVERED, error: int = 0, reached: bool = True) -> None:
        self.dispatch.report([(parcel, End(state, error, reached, parcel.messages))])

    def reader(self, window: int = 10) -> Reader:
        reader = Reader(window)
        self.account_.mailbox.join(reader)
        return reader

    def low_water(self) -> int:
        return self.dispatch.low_water(self.minter.next)

    async def run(self, ticks: int) -> None:
        for _ in range(ticks):
            self.tick()
            await settled()


@pytest.fixture
async def road() -> Road:
    road = Road()
    await road.open()
    return road


RECEIPT = {"registered_delivery": 1}


# -- ends ----------------------------------------------------------------------------------------------------------
async def test_an_end_is_stored_counted_and_told(road: Road) -> None:
    reader, parcel = road.reader(), await road.sent(RECEIPT, {}, RECEIPT)
    road.clock.pass_(90)
    road.end(parcel)
    await settled()
    assert {id_: ended.state for id_, ended in road.memory.ended.items()} == dict.fromkeys(road.wire.ids, c.DELIVERED)
    assert road.meter.messages == {("smpp-a", "delivered"): 3}
    assert [due.id for due in reader.delivered] == [road.wire.ids[0], road.wire.ids[2]]
    found = receipt.parse(DELIVER_SM_BODY.decode(reader.delivered[0].octets, 1, 0, len(reader.delivered[0].octets))[14])
    assert (found.message_id, found.stat) == (b"%d" % road.wire.ids[0], b"DELIVRD")
    assert (found.submit_date, found.done_date) == (b"2609211413", b"2609211414")


async def test_several_ends_of_a_parcel_are_one_report_and_one_commit(road: Road) -> None:
    parcel = await road.sent(RECEIPT, RECEIPT)
    first, second = parcel.messages
    road.dispatch.report(
        [(parcel, End(c.DELIVERED, 0, True, [first])), (parcel, End(c.UNDELIVERABLE, 9, True, [second]))]
    )
    await settled()
    assert [(outcome.state, outcome.error, outcome.ids) for outcome in road.memory.outcomes] == [
        (c.DELIVERED, 0, [first[0]]),
        (c.UNDELIVERABLE, 9, [second[0]]),
    ]
    assert road.low_water() == road.minter.next


async def test_reports_that_are_alike_are_one_outcome(road: Road) -> None:
    reader, parcels = road.reader(), [await road.sent(RECEIPT), await road.sent(RECEIPT, {}), await road.sent(RECEIPT)]
    states = [c.DELIVERED, c.DELIVERED, c.UNDELIVERABLE]
    ends = [End(state, 0, True, parcel.messages) for parcel, state in zip(parcels, states, strict=True)]
    road.dispatch.report(list(zip(parcels, ends, strict=True)))
    await settled()
    assert [(one.state, one.ids) for one in road.memory.outcomes] == [
        (c.DELIVERED, road.wire.ids[:3]),
        (c.UNDELIVERABLE, road.wire.ids[3:]),
    ]
    assert [due.id for due in reader.delivered] == [road.wire.ids[0], road.wire.ids[1], road.wire.ids[3]]
    assert road.low_water() == road.minter.next


async def test_but_not_those_of_another_minute_or_of_an_answer_that_is_not_written(road: Road) -> None:
    peer, reader = Peer(road.account_), road.reader()
    parcels = [await road.sent(RECEIPT), await road.sent(RECEIPT, unheard=peer)]
    road.clock.pass_(60)
    parcels.append(await road.sent(RECEIPT))
    road.dispatch.report([(parcel, End(c.DELIVERED, 0, True, parcel.messages)) for parcel in parcels])
    await settled()
    assert [one.ids for one in road.memory.outcomes] == [[id_] for id_ in road.wire.ids]
    assert [due.id for due in reader.delivered] == [road.wire.ids[0], road.wire.ids[2]]
    peer.written()
    assert [due.id for due in reader.delivered] == [road.wire.ids[0], road.wire.ids[2], road.wire.ids[1]]


async def test_one_that_had_ended_does_not_spoil_an_outcome_of_several(road: Road) -> None:
    reader, parcels = road.reader(), [await road.sent(RECEIPT), await road.sent(RECEIPT), await road.sent(RECEIPT)]
    road.end(parcels[1], c.UNDELIVERABLE, 9)
    await settled()
    road.dispatch.report([(parcel, End(c.DELIVERED, 0, True, parcel.messages)) for parcel in parcels])
    await settled()
    first, second, third = road.wire.ids
    states = {first: c.DELIVERED, second: c.UNDELIVERABLE, third: c.DELIVERED}
    assert {id_: ended.state for id_, ended in road.memory.ended.items()} == states
    assert sorted(due.id for due in reader.delivered) == [first, second, third]
    assert road.meter.messages == {("smpp-a", "undeliverable"): 1, ("smpp-a", "delivered"): 2}
    assert road.low_water() == road.minter.next
    assert road.account_.mailbox._expected == []


async def test_what_the_store_contradicts_keeps_none_of_those_beside_it_from_ending(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda _d, call, *args: calls.append((call, args)))
    reader, parcels = road.reader(), [await road.sent(RECEIPT), await road.sent(RECEIPT)]
    road.memory.fail("settle", Contradiction("one of them is not this account's"), times=2)
    road.dispatch.report([(parcel, End(c.DELIVERED, 0, True, parcel.messages)) for parcel in parcels])
    await settled()
    again, args = calls.pop()
    again(*args)  # each by itself; the first of them is refused once more
    await settled()
    assert [due.id for due in reader.delivered] == [parcels[1].first]
    [(again, args)] = calls
    again(*args)
    await settled()
    assert [due.id for due in reader.delivered] == [parcels[1].first, parcels[0].first]
    assert road.low_water() == road.minter.next


async def test_a_message_ends_once(road: Road) -> None:
    reader, parcel = road.reader(), await road.sent(RECEIPT)
    road.end(parcel, c.UNDELIVERABLE, 9)
    road.end(parcel)
    await settled()
    road.end(parcel)
    await settled()
    assert [ended.state for ended in road.memory.ended.values()] == [c.UNDELIVERABLE]
    assert len(reader.delivered) == 1
    assert {state: count for (_name, state), count in road.meter.messages.items() if count} == {"undeliverable": 1}


@pytest.mark.parametrize("state", FINAL)
@pytest.mark.parametrize("reached", [True, False])
@pytest.mark.parametrize("policy", ["unsent", "undelivered", "never"])
async def test_what_comes_back(road: Road, policy: str, reached: bool, state: int) -> None:
    road.memory.change(road.account_.id, settings={"refund": policy})
    await road.accounts.refresh()
    before = road.account_.purse.credit
    road.end(await road.sent({}, {}), state, 1, reached)
    await settled()
    back = {
        "never": False,
        "undelivered": state != c.DELIVERED,
        "unsent": not reached or state == c.REJECTED,
    }[policy]
    assert {ended.refunded for ended in road.memory.ended.values()} == {back}
    assert road.memory.balance(road.account_.id) == 1_000_000 - (0 if back else 2)
    assert road.account_.purse.credit == before + (20_000 if back else 0)
    assert refunds(policy, End(state, 1, reached, [])) is back


@pytest.mark.parametrize(
    ("asked", "delivered", "failed"),
    [
        (0x00, False, False),
        (0x01, True, True),
        (0x02, False, True),
        (0x03, True, False),  # what 5.0 means by it
        (0x10, False, False),  # an intermediate notification only
        (0x11, True, True),
        (0x12, False, True),
        (0x04, False, False),  # an acknowledgement by the recipient's user only
        (0xFC, False, False),
        (0xFD, True, True),
    ],
    ids=hex,
)
async def test_who_gets_a_receipt(road: Road, asked: int, delivered: bool, failed: bool) -> None:
    reader = road.reader(window=100)
    for state in FINAL:
        parcel = await road.sent({"registered_delivery": asked}, {})
        road.end(parcel, state)
        await settled()
        expected = [parcel.first] if (delivered if state == c.DELIVERED else failed) else []
        assert [due.id for due in reader.unanswered] == expected
        assert wanted(End(state, 0, True, parcel.messages)) == expected
        reader.answer(road.account_.mailbox, road.clock())


async def test_a_receipt_that_nobody_hears_is_left_in_the_store(road: Road) -> None:
    parcel = await road.sent(RECEIPT)
    road.end(parcel)
    await settled()
    assert road.account_.mailbox.pending == 1
    reader = road.reader()
    await settled()
    assert [due.id for due in reader.delivered] == [parcel.first]


async def test_a_fresh_receipt_and_one_from_the_store_are_the_same(road: Road) -> None:
    reader = road.reader()
    parcel = await road.sent({**RECEIPT, "short_message": b"hello there"})
    road.clock.pass_(200)
    road.end(parcel, c.UNDELIVERABLE, 9)
    await settled()
    [fresh] = reader.delivered
    [owed] = await road.account_.mailbox._load(0, 10)
    assert owed == fresh


# -- a receipt never overtakes the response that names its id ------------------------------------------------------
async def test_a_receipt_waits_for_the_response_to_be_written(road: Road) -> None:
    reader, peer = road.reader(), Peer(road.account_)
    parcel = await road.sent(RECEIPT, unheard=peer)
    road.end(parcel)
    await settled()
    assert reader.delivered == []
    peer.written()
    assert [due.id for due in reader.delivered] == [parcel.first]
    assert peer.waiting == []


async def test_no_page_of_the_store_brings_it_before_that(road: Road) -> None:
    reader, peer = road.reader(), Peer(road.account_)
    parcel = await road.sent(RECEIPT, unheard=peer)
    road.end(parcel)
    await settled()
    await road.store.note_incoming(road.account_.id, [(parcel.first + 1, bytearray(b"mo"))])
    road.account_.mailbox.announce(1)
    await settled()
    assert [due.id for due in reader.delivered] == [parcel.first + 1]
    peer.written()
    await settled()
    assert [due.id for due in reader.delivered] == [parcel.first + 1, parcel.first]


async def test_that_nobody_hears_it_now_does_not_matter_either(road: Road) -> None:
    peer = Peer(road.account_)
    parcel = await road.sent(RECEIPT, unheard=peer)
    road.end(parcel)
    await settled()
    reader = road.reader()  # joins before the response is written
    await settled()
    assert reader.delivered == []
    peer.written()
    await settled()
    assert [due.id for due in reader.delivered] == [parcel.first]


async def test_a_response_that_was_written_meanwhile_holds_up_nothing(road: Road) -> None:
    reader, peer = road.reader(), Peer(road.account_)
    parcel = await road.sent(RECEIPT, unheard=peer)
    peer.written()
    road.end(parcel)
    await settled()
    assert (len(reader.delivered), peer.waiting) == (1, [])


async def test_nor_does_that_of_a_message_that_wants_no_receipt(road: Road) -> None:
    reader, peer = road.reader(), Peer(road.account_)
    await road.sent({}, unheard=peer)
    road.end(await road.sent(RECEIPT))
    await settled()
    assert len(reader.delivered) == 1


@pytest.mark.promise("D5")
async def test_the_receipt_of_a_message_that_expires_waits_too(road: Road) -> None:
    reader, peer = road.reader(), Peer(road.account_)
    parcel = await road.sent(RECEIPT, unheard=peer)
    road.dispatch.watch(road.account_.id, parcel.messages[0], START_MS, START_MS + 1000)
    await road.run(3)
    assert road.memory.ended[parcel.first].state == c.EXPIRED
    assert reader.delivered == []
    peer.written()
    assert [due.id for due in reader.delivered] == [parcel.first]


@pytest.mark.parametrize("cancelled", [False, True])
async def test_so_does_that_of_a_scheduled_one(road: Road, cancelled: bool) -> None:
    reader, peer = road.reader(), Peer(road.account_)
    peer.holding = True
    [message] = await road.accept(RECEIPT, scheduled=1000)
    road.dispatch.hold([message], peer)
    if cancelled:
        [row] = await road.store.due(road.clock.wall_ms() + 1000, 1)
        assert await road.dispatch.cancel(road.account_, row)
    else:
        await road.run(3)
        road.end(road.wire.parcels[-1])
    await settled()
    assert (message[0] in road.memory.ended, reader.delivered) == (True, [])
    peer.written()
    assert [due.id for due in reader.delivered] == [message[0]]


async def test_one_of_two_links_is_not_enough(road: Road) -> None:
    reader, first, second = road.reader(), Peer(road.account_), Peer(road.account_)
    first.holding = second.holding = True
    messages = await road.accept(RECEIPT, RECEIPT, scheduled=1000)
    for message, peer in zip(messages, (first, second), strict=True):
        road.dispatch.hold([message], peer)
    await road.run(3)
    road.end(road.wire.parcels[-1])
    await settled()
    first.written()
    assert reader.delivered == []
    second.written()
    assert [due.id for due in reader.delivered] == [id_ for id_, _wire, _submit in messages]


@pytest.mark.parametrize("written", [0, 1])
async def test_where_many_wait_the_store_remembers(road: Road, monkeypatch: pytest.MonkeyPatch, written: int) -> None:
    monkeypatch.setattr(dispatch, "MOST_UNHEARD", 2)
    reader, peer = road.reader(), Peer(road.account_)
    parcels = [await road.sent(RECEIPT, RECEIPT, unheard=peer), await road.sent(RECEIPT, RECEIPT, unheard=peer)]
    road.end(parcels[1 - written])
    await settled()
    assert reader.delivered == []
    peer.written()
    await settled()
    assert [due.id for due in reader.delivered] == [id_ for id_, _wire, _submit in parcels[1 - written].messages]
    assert road.account_.mailbox._expected == []


# -- a store that cannot -------------------------------------------------------------------------------------------
async def test_an_end_that_could_not_be_stored_is_said_again(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[float, Any, tuple[Any, ...]]] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "call_later", lambda delay, call, *args: calls.append((delay, call, args)))
    reader, parcel = road.reader(), await road.sent(RECEIPT)
    road.memory.fail("settle", StoreDown("no disk"))
    road.end(parcel)
    await settled()
    assert road.low_water() == parcel.first
    [(delay, again, args)] = calls
    assert delay == 1.0
    again(*args)
    await settled()
    assert len(reader.delivered) == 1
    assert road.low_water() == road.minter.next
    assert road.account_.mailbox._expected == []


async def test_a_receipt_of_a_commit_that_was_never_answered_is_found_in_the_store(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda _d, call, *args: calls.append((call, args)))
    reader, parcel = road.reader(), await road.sent(RECEIPT)
    with monkeypatch.context() as patch:
        lose_answers(road, patch)
        road.end(parcel)
        await settled()
    [(again, args)] = calls
    again(*args)
    await settled()
    assert [due.id for due in reader.delivered] == [parcel.first]


def lose_answers(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store takes ends, and cannot tell whether it has."""
    settle = road.memory.settle

    def lost(outcomes: Any) -> Any:
        settle(outcomes)
        road.memory.fail("settle", OutcomeUnknown("who knows"))
        return settle(outcomes)

    monkeypatch.setattr(road.memory, "settle", lost)


async def test_such_a_receipt_waits_for_the_response_to_be_written_too(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that binds between the lost answer and the next attempt has the store read through."""
    calls: list[Any] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda _d, call, *args: calls.append((call, args)))
    peer = Peer(road.account_)
    parcel = await road.sent(RECEIPT, unheard=peer)
    with monkeypatch.context() as patch:
        lose_answers(road, patch)
        road.end(parcel)
        await settled()
    reader = road.reader()
    await settled()
    assert reader.delivered == []
    [(again, args)] = calls
    again(*args)
    await settled()
    assert reader.delivered == []
    peer.written()
    await settled()
    assert [due.id for due in reader.delivered] == [parcel.first]
    assert road.account_.mailbox._expected == []


async def test_and_so_does_that_of_a_cancellation(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = Peer(road.account_)
    peer.holding = True
    [message] = await road.accept(RECEIPT, scheduled=1000)
    road.dispatch.hold([message], peer)
    with monkeypatch.context() as patch:
        lose_answers(road, patch)
        with pytest.raises(OutcomeUnknown):
            await road.dispatch.cancel(road.account_, await row_of(road, message))
    reader = road.reader()
    await settled()
    assert reader.delivered == []
    peer.written()
    assert road.account_.mailbox._expected == []
    road.account_.mailbox.announce(0)  # as a bind does after a minute of rest
    await settled()
    assert [due.id for due in reader.delivered] == [message[0]]


async def test_an_end_that_is_given_up_by_a_stop_is_left_to_the_next_start(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(_outcomes: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.cancel()
        return future

    parcel = await road.sent(RECEIPT)
    monkeypatch.setattr(road.memory, "settle", stopped)
    road.end(parcel)
    await settled()
    assert road.account_.mailbox._expected == []
    assert road.low_water() == parcel.first


async def test_ends_of_an_account_that_is_gone_are_nobodys(road: Road) -> None:
    parcel = await road.sent({})
    del road.accounts.by_id[road.account_.id]
    road.end(parcel)
    await settled()
    assert road.memory.ended == {}


# -- the low-water mark --------------------------------------------------------------------------------------------
async def test_the_mark_is_the_oldest_that_has_not_ended(road: Road) -> None:
    one, two, three = [await road.sent({}, {}) for _ in range(3)]
    for parcel, expected in ((two, one.first), (one, three.first), (three, road.minter.next)):
        road.end(parcel)
        await settled()
        assert road.low_water() == expected


async def test_a_parcel_is_open_until_its_last_message_has_ended(road: Road) -> None:
    parcel = await road.sent({}, {}, {})
    for message in parcel.messages:
        assert road.low_water() == parcel.first
        road.dispatch.report([(parcel, End(c.DELIVERED, 0, True, [message]))])
        await settled()
    assert road.low_water() == road.minter.next


async def test_what_is_released_does_not_hide_what_was_accepted_with_it(road: Road) -> None:
    """Of one run the first message was scheduled and the second was not."""
    [later] = await road.accept({}, scheduled=5_000)
    [now] = await road.accept({})
    road.dispatch.announce(later[0])
    road.dispatch.withdraw(later[0])
    road.dispatch.take(road.account_.id, [now], road.clock.wall_ms())
    await road.run(6)
    assert road.wire.ids == [now[0], later[0]]
    road.end(road.wire.parcels[1])
    await settled()
    assert road.low_water() == now[0]


# -- validity ------------------------------------------------------------------------------------------------------
def watch(road: Road, parcel: Parcel, *seconds: int) -> None:
    for message, after in zip(parcel.messages, seconds, strict=True):
        road.dispatch.watch(parcel.account, message, parcel.accepted_ms, parcel.accepted_ms + after * 1000)


async def test_what_outlives_its_validity_ends_as_expired_to_the_second(road: Road) -> None:
    reader, parcel = road.reader(), await road.sent(RECEIPT, RECEIPT)
    watch(road, parcel, 30, 10)
    await road.run(9)
    assert road.memory.ended == {}
    await road.run(1)
    ended = road.memory.ended
    assert {id_: (end.state, end.error) for id_, end in ended.items()} == {parcel.first + 1: (c.EXPIRED, EXPIRED_ERROR)}
    assert not ended[parcel.first + 1].refunded  # the network had it
    await road.run(20)
    assert [due.id for due in reader.delivered] == [parcel.first + 1, parcel.first]
    road.end(parcel)  # the network's report comes too late
    await settled()
    assert {end.state for end in road.memory.ended.values()} == {c.EXPIRED}
    assert road.low_water() == road.minter.next


async def test_what_ended_in_time_does_not_expire_and_is_not_remembered(road: Road) -> None:
    parcel = await road.sent({}, {})
    watch(road, parcel, 10, 10)
    road.end(parcel)
    await settled()
    assert road.dispatch._watched == {}
    settles = len(road.memory.outcomes)
    await road.run(15)
    assert len(road.memory.outcomes) == settles


async def test_a_week_of_short_lives_with_long_validities_fits_into_memory(road: Road) -> None:
    for _ in range(50):
        parcel = await road.sent(*[{}] * 100)
        watch(road, parcel, *[7 * DAY] * 100)
        road.end(parcel)
        await settled()
    assert len(road.dispatch._expiries) <= PAGE + 100
    assert road.dispatch._watched == {}


async def test_what_the_network_never_reports_expires_when_the_account_says_so(road: Road) -> None:
    road.memory.change(road.account_.id, settings={"max_validity": 100})
    await road.accounts.refresh()
    reader, parcel = road.reader(), await road.sent(RECEIPT, {})
    await road.run(99)
    assert road.memory.ended == {}
    await road.run(EVERY)
    assert {end.state for end in road.memory.ended.values()} == {c.EXPIRED}
    assert [due.id for due in reader.delivered] == [parcel.first]
    assert road.low_water() == road.minter.next


async def test_a_limit_of_0_is_none(road: Road) -> None:
    road.memory.change(road.account_.id, settings={"max_validity": 0})
    await road.accounts.refresh()
    await road.sent({})
    road.clock.pass_(400 * DAY)
    await road.run(EVERY)
    assert road.memory.ended == {}


async def test_how_long_it_is_tried_counts_from_when_it_went(road: Road) -> None:
    """Scheduled further ahead than the account's messages may be tried: it is not late when its time comes."""
    road.memory.change(road.account_.id, settings={"max_validity": DAY})
    await road.accounts.refresh()
    [message] = await road.accept({}, scheduled=20 * DAY * 1000)
    road.clock.pass_(20 * DAY)
    await road.run(EVERY + 1)
    assert (road.wire.ids, road.memory.ended) == ([message[0]], {})


# -- schedules -----------------------------------------------------------------------------------------------------
async def test_scheduled_messages_go_when_their_time_has_come(road: Road) -> None:
    [second], [first] = await road.accept({}, scheduled=8_000), await road.accept({}, scheduled=3_000)
    await road.run(2)
    assert road.wire.ids == []
    await road.run(1)
    assert road.wire.ids == [first[0]]
    await road.run(4)
    assert road.wire.ids == [first[0]]
    await road.run(1)
    assert road.wire.ids == [first[0], second[0]]
    assert road.wire.parcels[1].accepted_ms == START_MS


async def test_the_store_is_not_asked_while_nothing_is_due(road: Road) -> None:
    await road.accept({}, scheduled=1_000)
    await road.accept({}, scheduled=60_000)
    await road.run(1)
    road.memory.fail("due", StoreDown("not to be asked"))
    await road.run(58)
    assert road.memory.faults["due"]


async def test_more_than_a_page_is_due_at_once(road: Road) -> None:
    messages = await road.accept(*[{}] * (PAGE + 5), scheduled=1_000)
    await road.run(1)
    assert len(road.wire.ids) == PAGE
    await road.run(1)
    assert road.wire.ids == [message[0] for message in messages]


async def test_what_is_scheduled_while_others_are_released_is_not_forgotten(road: Road) -> None:
    await road.accept({}, scheduled=1_000)
    next_due = road.memory.next_due

    async def slow() -> int | None:
        found = await next_due()
        await road.accept({}, scheduled=5_000)  # after this was read
        return found

    road.memory.next_due = slow  # type: ignore[method-assign]
    await road.run(1)
    road.memory.next_due = next_due  # type: ignore[method-assign]
    await road.run(6)
    assert len(road.wire.ids) == 2


@pytest.mark.parametrize("verb", ["due", "unschedule", "next_due"])
async def test_a_store_that_cannot_release_now_is_asked_again(road: Road, verb: str) -> None:
    [message] = await road.accept({}, scheduled=1_000)
    road.memory.fail(verb, StoreDown("no disk"))
    await road.run(1)
    [again] = await road.accept({}, scheduled=0)
    await road.run(2)
    assert road.wire.ids == [message[0], again[0]]


async def test_a_fault_while_releasing_does_not_stop_the_clock(road: Road) -> None:
    await road.accept({}, scheduled=1_000)
    road.memory.fail("due", RuntimeError("a fault of ours"))
    road.tick()
    task = road.dispatch._reading
    assert task is not None
    with pytest.raises(RuntimeError):
        await task
    await road.run(1)
    assert len(road.wire.ids) == 1


async def test_what_expired_while_it_waited_is_never_sent_and_is_refunded(road: Road) -> None:
    until = format_absolute((START_MS + 3_000) / 1000)
    [late] = await road.accept({**RECEIPT, "validity_period": until}, scheduled=2_000)
    [fine] = await road.accept({"validity_period": b"000000010000000R"}, scheduled=2_000)
    road.clock.pass_(10)  # nothing ticked meanwhile
    reader = road.reader()
    await road.run(1)
    assert road.wire.ids == [fine[0]]
    assert road.memory.ended[late[0]].state == c.EXPIRED
    assert road.memory.ended[late[0]].refunded
    assert [due.id for due in reader.delivered] == [late[0]]
    assert list(road.dispatch._watched) == [fine[0]]


# -- taking back ---------------------------------------------------------------------------------------------------
async def row_of(road: Road, message: Message) -> Any:
    [row] = await road.store.find(road.account_.id, message[0])
    return row


async def test_a_scheduled_message_is_taken_back_and_refunded(road: Road) -> None:
    reader = road.reader()
    [message] = await road.accept({"registered_delivery": 2}, scheduled=5_000)
    assert await road.dispatch.cancel(road.account_, await row_of(road, message))
    ended = road.memory.ended[message[0]]
    assert (ended.state, ended.error, ended.refunded) == (c.DELETED, DELETED_ERROR, True)
    assert [due.id for due in reader.delivered] == [message[0]]
    assert road.meter.messages == {("smpp-a", "deleted"): 1}
    await road.run(10)
    assert road.wire.ids == []


async def test_what_has_left_or_ended_cannot_be_taken_back(road: Road) -> None:
    [message] = await road.accept(RECEIPT, scheduled=1_000)
    row = await row_of(road, message)
    await road.run(1)
    reader = road.reader()
    assert not await road.dispatch.cancel(road.account_, row)
    assert road.memory.ended == {}
    road.end(road.wire.parcels[0])
    await settled()
    assert not await road.dispatch.cancel(road.account_, row)
    assert not await road.dispatch.cancel(road.account_, await row_of(road, message))
    assert len(reader.delivered) == 1
    assert road.meter.messages["smpp-a", "deleted"] == 0


async def test_who_comes_first_gets_it(road: Road) -> None:
    """The release and the taking back of one message, in either order, with both commits under way at once."""
    for cancel_first in (True, False):
        [message] = await road.accept({}, scheduled=1_000)
        row = await row_of(road, message)
        road.wire.parcels.clear()
        road.memory.stalled = True
        if cancel_first:
            taken = asyncio.ensure_future(road.dispatch.cancel(road.account_, row))
            await settled()
            road.tick()
            await settled()
        else:
            road.tick()
            await settled()
            taken = asyncio.ensure_future(road.dispatch.cancel(road.account_, row))
            await settled()
        road.memory.resume()
        await settled()
        assert await taken is cancel_first
        assert road.wire.ids == ([] if cancel_first else [message[0]])


async def test_a_store_that_cannot_take_it_back_leaves_it_as_it_is(road: Road) -> None:
    [message] = await road.accept(RECEIPT, scheduled=1_000)
    road.memory.fail("settle", StoreDown("no disk"))
    with pytest.raises(StoreDown):
        await road.dispatch.cancel(road.account_, await row_of(road, message))
    assert road.account_.mailbox._expected == []
    await road.run(1)
    assert road.wire.ids == [message[0]]


# -- a new start ---------------------------------------------------------------------------------------------------
async def test_at_start_everything_that_has_not_ended_goes_out_again(road: Road) -> None:
    ended = await road.sent({})
    road.end(ended)
    await settled()
    under_way = [await road.accept({}, {}), await road.accept(RECEIPT)]
    road.clock.pass_(0.5)
    under_way.append(await road.accept({}))
    [waits] = await road.accept({}, scheduled=5_000)
    [released] = await road.accept({}, scheduled=0)
    await road.run(1)
    again = Road()
    again.memory, again.store, again.clock = road.memory, road.store, road.clock
    again.dispatch._store, again.dispatch._wall_ms = road.store, road.clock.wall_ms
    again.accounts._store = road.store
    await again.accounts.refresh()
    again.account_ = again.accounts.by_id[road.account_.id]
    expected = [message[0] for messages in under_way for message in messages] + [released[0]]
    assert await again.dispatch.recover() == len(expected)
    assert sorted(again.wire.ids) == expected
    assert again.dispatch.low_water(1 << 62) == expected[0]
    assert {parcel.accepted_ms for parcel in again.wire.parcels} == {START_MS, START_MS + 500}
    await again.run(5)
    assert again.wire.ids[-1] == waits[0]


async def test_more_than_a_page_is_recovered(road: Road) -> None:
    messages = await road.accept(*[{}] * (2 * PAGE + 5))
    assert await road.dispatch.recover() == len(messages)
    assert road.wire.ids == [message[0] for message in messages]


async def test_what_expired_while_the_server_was_down_is_not_sent_again(road: Road) -> None:
    [late] = await road.accept({**RECEIPT, "validity_period": b"000000000100000R"})
    [fine] = await road.accept({"validity_period": b"000000010000000R"})
    road.clock.pass_(600)
    await road.dispatch.recover()
    await settled()
    assert road.wire.ids == [fine[0]]
    ended = road.memory.ended[late[0]]
    assert (ended.state, ended.error) == (c.EXPIRED, EXPIRED_ERROR)
    assert not ended.refunded  # nobody knows whether the network had it
    await road.run(3000)
    assert road.memory.ended[fine[0]].state == c.EXPIRED
    assert road.low_water() == fine[0]  # until the network has had its say


# -- with the built-in network -------------------------------------------------------------------------------------
async def test_the_built_in_network_reports_to_the_dispatch(road: Road) -> None:
    rules = [Rule("*0", "undeliverable", 9, 0.0)]
    simulator = Simulator(rules, 0.0, asyncio.get_running_loop(), road.dispatch.report)
    road.dispatch.connect(simulator)
    reader = road.reader()
    messages = await road.accept(RECEIPT)
    road.dispatch.take(road.account_.id, messages, road.clock.wall_ms())
    while not reader.delivered:
        await asyncio.sleep(0)
    assert road.memory.ended[messages[0][0]].error == 9


# -- what nobody could vouch for -----------------------------------------------------------------------------------
async def lost_release(road: Road, monkeypatch: pytest.MonkeyPatch, released: bool) -> Message:
    """A scheduled message whose release is in doubt; whether it took place only the store knows."""
    [message] = await road.accept({}, scheduled=1_000)
    unschedule = road.memory.unschedule

    def lost(ids: Any) -> Any:
        monkeypatch.setattr(road.memory, "unschedule", unschedule)
        if released:
            unschedule(ids)
        road.memory.fail("unschedule", OutcomeUnknown("who knows"))
        return unschedule(ids)

    monkeypatch.setattr(road.memory, "unschedule", lost)
    await road.run(1)
    return message


@pytest.mark.parametrize("released", [True, False])
async def test_a_release_in_doubt_is_found_out_and_happens_once(
    road: Road, monkeypatch: pytest.MonkeyPatch, released: bool
) -> None:
    message = await lost_release(road, monkeypatch, released)
    await road.run(5)
    assert road.wire.ids == [message[0]]
    assert road.low_water() == message[0]


async def test_a_doubt_waits_until_the_store_can_be_asked(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    message = await lost_release(road, monkeypatch, released=True)
    road.memory.fail("acknowledge", StoreDown("no disk"), times=3)
    await road.run(3)
    assert road.wire.ids == []
    await road.run(1)
    assert road.wire.ids == [message[0]]


async def doubtful(road: Road, *values: dict[str, Any], stored: bool, scheduled: int | None = None) -> list[int]:
    """Messages that were accepted, or not: the one who asked was told that nobody knows."""
    purse = road.account_.purse
    if stored:
        ids = [message[0] for message in await road.accept(*values, scheduled=scheduled)]
        road.dispatch._next_due = None
    else:
        ids = list(road.minter.mint(len(values), road.clock.wall_ms()))
    purse.credit -= 10_000 * len(ids)
    road.dispatch.announce(ids[0])
    road.dispatch.doubt(road.account_, dict.fromkeys(ids, 10_000))
    return ids


async def test_what_was_stored_after_all_goes_its_way_and_stays_paid(road: Road) -> None:
    ids = await doubtful(road, {}, {}, stored=True)
    assert road.low_water() == ids[0]
    await road.run(1)
    assert road.wire.ids == ids
    assert road.low_water() == ids[0]
    assert road.account_.purse.credit == road.memory.rows[1].balance == 999_998 * 10_000
    assert road.meter.messages == {("smpp-a", "accepted"): 2}
    await road.run(5)
    assert road.wire.ids == ids


async def test_what_was_not_stored_can_be_spent_again(road: Road) -> None:
    await doubtful(road, {}, {}, stored=False)
    await road.run(1)
    assert road.wire.ids == []
    assert road.low_water() == road.minter.next
    assert road.account_.purse.credit == 1_000_000 * 10_000


async def test_what_is_in_doubt_and_scheduled_waits_for_its_time_and_goes_once(road: Road) -> None:
    [soon] = await doubtful(road, {}, stored=True, scheduled=1_000)
    [later] = await doubtful(road, {}, stored=True, scheduled=5_000)
    await road.run(3)
    assert road.wire.ids == [soon]
    await road.run(5)
    assert road.wire.ids == [soon, later]


async def test_what_was_released_before_it_was_doubted_goes_once(road: Road) -> None:
    [message] = await road.accept({}, scheduled=1_000)
    await road.run(1)
    assert road.wire.ids == [message[0]]
    road.dispatch.doubt(road.account_, {message[0]: 10_000})  # its accept could not be learnt until now
    await road.run(3)
    assert road.wire.ids == [message[0]]
    assert road.low_water() == message[0]


async def test_ids_that_were_never_stored_are_not_taken_for_their_neighbours(road: Road) -> None:
    [mine] = await doubtful(road, {}, stored=False)
    [other] = await road.accept({})
    road.dispatch.take(road.account_.id, [other], road.clock.wall_ms())
    await road.run(2)
    assert mine < other[0]
    assert road.wire.ids == [other[0]]
