"""Mailboxes: who is given what, what becomes of it, and what waits in the store meanwhile."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from gateway.delivery import ATTEMPTS, LIFETIME_MS, LONGEST_PAUSE, Due, Mailbox
from gateway.metrics import WAITS, Histogram
from pdu import constants as c
from store.protocol import StoreDown

from .scene import Clock, Reader, settled

DAY = 86_400.0
LATER = [0x08, 0x14, 0x45, 0x58, 0x64, 0x67, 0xFE, 0xFF]
NEVER = [0x65, 0x66]
OTHERWISE = [0x01, 0x0B, 0x11, 0x68, 0x403, 0xFFFFFFFF, c.GENERIC_NACK]


class Shelf:
    """What the store owes one account; `faults` are what its next verbs fail with."""

    def __init__(self) -> None:
        self.owed: dict[int, Due] = {}
        self.acknowledged: list[int] = []
        self.given_up: list[tuple[int, str]] = []
        self.faults: list[Exception] = []
        self.pages: list[tuple[int, int]] = []
        self.load_faults: list[Exception] = []
        self.slow = False  # pages are read when `read` says so
        self.reading: list[asyncio.Future[None]] = []
        self.awaited = False

    def done(self, ids: list[int]) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.faults:
            future.set_exception(self.faults.pop(0))
        else:
            for id_ in ids:
                self.owed.pop(id_, None)
            future.set_result(None)
        return future

    def acknowledge(self, account: int, ids: list[int]) -> asyncio.Future[None]:
        self.acknowledged += ids
        return self.done(ids)

    def give_up(self, account: int, ids: list[int], reason: str) -> asyncio.Future[None]:
        self.given_up += [(id_, reason) for id_ in ids]
        return self.done(ids)

    async def load(self, after: int, limit: int) -> list[Due]:
        self.pages.append((after, limit))
        page = [self.owed[id_] for id_ in sorted(self.owed) if id_ > after][:limit]
        if self.slow:
            self.reading.append(asyncio.get_running_loop().create_future())
            await self.reading[-1]
        if self.load_faults:
            raise self.load_faults.pop(0)
        return page

    async def read(self) -> None:
        """The page under way has been read."""
        await settled()
        self.reading.pop().set_result(None)
        await settled()


class Small(Mailbox):
    HELD = 8
    PAGE = 4


class Prompt(Mailbox):
    PAGE, BITE, GIVE_WAY = 4, 2, 0.0


class Hall:
    """A mailbox with all around it."""

    def __init__(self, kind: type[Mailbox] = Mailbox) -> None:
        self.clock, self.shelf, self.seconds = Clock(), Shelf(), Histogram(WAITS)
        self.box = kind(1, self.shelf, self.shelf.load, self.clock.wall_ms, self.seconds)

    def dues(self, *ids: int) -> list[Due]:
        """New ones, durable."""
        dues = [Due(id_, b"receipt %d" % id_, 7, self.clock.wall_ms()) for id_ in ids]
        self.shelf.owed.update((due.id, due) for due in dues)
        return dues

    def offer(self, *ids: int) -> None:
        self.box.put(self.dues(*ids))
        self.box.pump()

    def spill(self, *ids: int) -> None:
        """Owed since an earlier life of the server."""
        self.dues(*ids)
        self.box.restore(len(self.shelf.owed), self.clock.wall_ms())

    def join(self, window: int = 10) -> Reader:
        reader = Reader(window)
        self.box.join(reader)
        return reader

    def tick(self, seconds: float = 1.0) -> None:
        self.box.tick(self.clock.pass_(seconds))

    def answer(self, reader: Reader, status: int = 0, count: int | None = None) -> None:
        reader.answer(self.box, self.clock(), status, count)


@pytest.fixture
async def hall() -> Hall:
    return Hall()


@pytest.fixture
async def small() -> Hall:
    return Hall(Small)


def ids(dues: Sequence[Due]) -> list[int]:
    return [due.id for due in dues]


# -- who is given what ---------------------------------------------------------------------------------------------
async def test_what_is_due_goes_to_whoever_listens_oldest_first(hall: Hall) -> None:
    reader = hall.join()
    hall.offer(1, 2)
    hall.offer(3)
    assert ids(reader.unanswered) == [1, 2, 3]
    assert hall.box.pending == 3


async def test_nobody_is_given_more_than_has_room(hall: Hall) -> None:
    reader = hall.join(window=2)
    hall.offer(1, 2, 3, 4, 5)
    assert ids(reader.unanswered) == [1, 2]
    hall.answer(reader, count=1)
    assert ids(reader.unanswered) == [2, 3]
    reader.window = 0  # the delivery window was made smaller
    hall.answer(reader)
    hall.tick()
    assert ids(reader.unanswered) == []


async def test_links_take_turns(hall: Hall) -> None:
    readers = [hall.join(window=1) for _ in range(3)]
    hall.offer(*range(30))
    for _ in range(10):
        for reader in readers:
            hall.answer(reader)
    assert [len(reader.delivered) for reader in readers] == [10, 10, 10]


async def test_a_link_without_room_keeps_nobody_waiting(hall: Hall) -> None:
    slow, quick = hall.join(window=1), hall.join(window=5)
    hall.offer(*range(20))
    for _ in range(10):
        hall.answer(quick)
    assert len(slow.delivered) == 1
    assert len(quick.delivered) == 19


async def test_what_waited_for_a_link_is_given_to_the_first_that_comes(hall: Hall) -> None:
    hall.offer(1, 2)
    assert ids(hall.join().unanswered) == [1, 2]


async def test_an_acknowledgement_is_told_to_the_store_once_and_timed(hall: Hall) -> None:
    reader = hall.join()
    hall.offer(1, 2, 3)
    hall.clock.pass_(2.0)
    hall.answer(reader, count=2)
    assert (hall.shelf.acknowledged, hall.box.pending) == ([1, 2], 1)
    assert hall.seconds._sum == pytest.approx(4.0)
    assert sum(hall.seconds._counts) == 2


# -- links that go -------------------------------------------------------------------------------------------------
async def test_what_a_lost_link_did_not_answer_goes_to_the_others_before_all_else(hall: Hall) -> None:
    lost, stays = hall.join(window=3), hall.join(window=1)
    hall.offer(*range(6))
    assert (ids(lost.unanswered), ids(stays.unanswered)) == ([0, 1, 2], [3])
    hall.box.leave(lost, lost.unanswered)
    stays.window = 9
    hall.answer(stays)
    assert ids(stays.unanswered) == [0, 1, 2, 4, 5]


async def test_a_link_that_leaves_without_having_joined_changes_nothing(hall: Hall) -> None:
    reader = hall.join()
    hall.box.leave(Reader(), [])
    hall.offer(1)
    assert ids(reader.unanswered) == [1]


async def test_when_nobody_listens_memory_lets_go_and_the_store_brings_it_back(hall: Hall) -> None:
    reader = hall.join(window=2)
    hall.offer(1, 2, 3)
    hall.box.leave(reader, reader.unanswered)
    assert hall.box.pending == 3
    assert not hall.box.wants(1)
    again = hall.join()
    await settled()
    assert ids(again.unanswered) == [1, 2, 3]
    hall.answer(again)
    assert (hall.shelf.owed, hall.box.pending) == ({}, 0)


# -- answers -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", LATER)
async def test_later_means_again_and_again_with_growing_pauses(hall: Hall, status: int) -> None:
    reader = hall.join()
    hall.offer(1)
    for pause in (1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300):
        hall.answer(reader, status)
        hall.tick(pause - 0.1)
        assert reader.unanswered == []
        hall.tick(0.1)
        assert ids(reader.unanswered) == [1]
    assert (hall.shelf.given_up, hall.box.pending) == ([], 1)
    hall.answer(reader)
    assert hall.shelf.acknowledged == [1]


async def test_later_for_7_days_is_the_end_and_nothing_overflows_on_the_way(hall: Hall) -> None:
    reader = hall.join()
    hall.offer(1)
    attempts = 0
    while reader.unanswered:
        hall.answer(reader, c.ESME_RTHROTTLED)
        hall.tick(LONGEST_PAUSE)
        attempts += 1
    assert attempts == 7 * DAY / LONGEST_PAUSE + 1
    assert hall.shelf.given_up == [(1, "not taken within 7 days")]
    assert hall.box.pending == 0


@pytest.mark.parametrize("status", NEVER)
async def test_never_means_never(hall: Hall, status: int) -> None:
    reader = hall.join()
    hall.offer(1)
    hall.answer(reader, status)
    assert hall.shelf.given_up == [(1, f"refused by the client: {c.STATUS_NAMES[status]}")]
    hall.tick(1e6)
    assert (reader.unanswered, hall.shelf.owed, hall.box.pending) == ([], {}, 0)


@pytest.mark.parametrize("status", OTHERWISE, ids=hex)
async def test_any_other_status_gets_three_attempts(hall: Hall, status: int) -> None:
    reader = hall.join()
    hall.offer(1)
    for attempt in range(ATTEMPTS):
        assert len(reader.delivered) == attempt + 1
        hall.answer(reader, status)
        hall.tick(LONGEST_PAUSE)
    assert reader.unanswered == []
    [(given_up, reason)] = hall.shelf.given_up
    name = {c.GENERIC_NACK: "generic_nack"}.get(status) or c.STATUS_NAMES.get(status, hex(status))
    assert (given_up, reason) == (1, f"refused by the client: {name}")


async def test_the_statuses_are_those_of_the_design_and_no_others() -> None:
    from gateway import delivery

    assert sorted(delivery.AGAIN) == LATER
    assert sorted(delivery.NEVER) == NEVER


async def test_a_pause_holds_up_nobody_else(hall: Hall) -> None:
    reader = hall.join(window=1)
    hall.offer(1, 2, 3)
    hall.answer(reader, c.ESME_RTHROTTLED)
    assert ids(reader.unanswered) == [2]
    hall.tick(1.0)
    hall.answer(reader)
    assert ids(reader.unanswered) == [1]  # its pause is over: before what came later


async def test_answers_of_all_kinds_in_one_read(hall: Hall) -> None:
    reader = hall.join()
    hall.offer(1, 2, 3, 4)
    one, two, three, four = reader.unanswered
    reader.unanswered = []
    hall.box.answered([(one, 0), (two, 0x65), (three, 0x14), (four, 0)], hall.clock())
    assert hall.shelf.acknowledged == [1, 4]
    assert [id_ for id_, _reason in hall.shelf.given_up] == [2]
    hall.tick()
    assert reader.unanswered == [three._replace(attempts=1)]


async def test_an_acknowledgement_that_is_not_durable_is_still_owed(hall: Hall) -> None:
    reader = hall.join()
    hall.offer(1, 2)
    hall.shelf.faults.append(StoreDown("no disk"))
    hall.answer(reader)
    await settled()
    assert hall.box.pending == 2
    hall.tick()
    await settled()
    assert ids(reader.unanswered) == [1, 2]
    hall.answer(reader)
    assert (hall.shelf.owed, hall.box.pending) == ({}, 0)


async def test_giving_up_that_is_not_durable_is_still_owed(hall: Hall) -> None:
    reader = hall.join()
    hall.offer(1)
    hall.shelf.faults.append(StoreDown("no disk"))
    hall.answer(reader, c.ESME_RX_P_APPN)
    await settled()
    hall.tick()
    await settled()
    assert ids(reader.unanswered) == [1]


# -- pages ---------------------------------------------------------------------------------------------------------
async def test_what_an_earlier_life_owes_is_read_in_pages_oldest_first(small: Hall) -> None:
    small.spill(*range(1, 11))
    assert small.box.pending == 10
    reader = small.join(window=3)
    assert not reader.delivered  # still being read
    while small.box.pending:
        await settled()
        small.answer(reader)
    assert ids(reader.delivered) == list(range(1, 11))
    assert [after for after, _limit in small.shelf.pages[:3]] == [0, 4, 8]
    assert {limit for _after, limit in small.shelf.pages} == {4}


async def test_nothing_is_read_while_nobody_listens(small: Hall) -> None:
    small.spill(1, 2)
    small.tick()
    small.box.announce(1)
    await settled()
    assert small.shelf.pages == []


async def test_what_comes_behind_the_cursor_is_read_in_another_round(small: Hall) -> None:
    small.spill(*range(11, 20))
    reader = small.join(window=2)
    await settled()
    small.dues(5)
    small.box.announce(1)
    while small.box.pending:
        small.answer(reader)
        await settled()
    assert sorted(ids(reader.delivered)) == [5, *range(11, 20)]


async def test_memory_is_bounded_and_the_rest_waits_in_the_store(small: Hall) -> None:
    reader = small.join(window=1)
    for first in range(1, 101, 4):
        dues = small.dues(*range(first, first + 4))
        if small.box.wants(4):
            small.box.put(dues)
            small.box.pump()
        else:
            small.box.announce(4)
        await settled()
        assert len(small.box._due) <= Small.HELD + Small.PAGE
    while small.box.pending:
        small.answer(reader)
        await settled()
    assert sorted(ids(reader.delivered)) == list(range(1, 101))


async def test_memory_is_bounded_also_when_the_client_puts_everything_off(small: Hall) -> None:
    small.spill(*range(1, 201))
    reader = small.join(window=4)
    for _ in range(100):
        await settled()
        small.answer(reader, c.ESME_RMSGQFUL)
        assert len(small.box._due) + len(small.box._paused) <= Small.HELD + Small.PAGE
    assert not small.box.wants(1)
    while small.box.pending:
        small.tick(LONGEST_PAUSE)
        await settled()
        small.answer(reader)
    assert sorted(set(ids(reader.delivered))) == list(range(1, 201))


async def test_a_page_that_cannot_be_read_is_tried_again_with_the_next_tick(small: Hall) -> None:
    small.spill(1, 2)
    small.shelf.load_faults.append(StoreDown("no disk"))
    reader = small.join()
    with capture_logs() as logs:
        await settled()
    assert reader.delivered == []
    assert [(line["event"], line["account"]) for line in logs] == [("deliveries not read", 1)]
    small.tick()
    await settled()
    assert ids(reader.delivered) == [1, 2]


async def test_a_page_leaves_out_what_is_in_memory_already(small: Hall) -> None:
    reader = small.join(window=1)
    small.offer(1, 2, 3)
    small.answer(reader, c.ESME_RTHROTTLED)  # 1 is paused, 2 with the client, 3 waits
    small.dues(4)
    small.box.announce(1)
    await settled()
    while small.box.pending:
        small.answer(reader)
        small.tick()
        await settled()
    assert sorted(ids(reader.delivered)) == [1, 1, 2, 3, 4]


async def test_a_page_leaves_out_what_is_expected(small: Hall) -> None:
    small.spill(1)
    small.box.expect([7, 8])
    small.dues(7, 8)  # durable, but the one who stored them does not know yet
    reader = small.join()
    await settled()
    assert ids(reader.delivered) == [1]
    small.box.forget([7, 8])
    small.offer(7, 8)
    await settled()
    assert ids(reader.delivered) == [1, 7, 8]


async def test_what_is_spilled_while_a_page_is_read_is_not_lost(small: Hall) -> None:
    first = small.join()
    small.offer(1, 2)
    small.shelf.slow = True
    small.box.announce(0)
    await small.shelf.read()
    await settled()  # the last round is under way, and leaves out what the client has
    small.box.leave(first, first.unanswered)
    await small.shelf.read()
    small.shelf.slow = False
    reader = small.join()
    await settled()
    assert ids(reader.delivered) == [1, 2]


async def test_who_joins_while_a_page_is_read_for_another_gets_all(small: Hall) -> None:
    first = small.join()
    small.offer(1, 2)
    small.shelf.slow = True
    small.box.announce(0)
    await small.shelf.read()
    await settled()
    small.box.leave(first, first.unanswered)
    small.shelf.slow = False
    reader = small.join()
    await small.shelf.read()
    assert ids(reader.delivered) == [1, 2]


async def test_what_the_store_gave_up_is_counted_no_more(hall: Hall) -> None:
    hall.spill(1, 2, 3)
    hall.box.expired(2)
    assert hall.box.pending == 1
    hall.box.expired(5)
    assert hall.box.pending == 0


# -- the age of the oldest -----------------------------------------------------------------------------------------
async def test_the_age_is_that_of_the_oldest_that_is_still_owed(hall: Hall) -> None:
    reader, start = hall.join(window=1), hall.clock.wall_ms()
    await settled()
    for number in range(5):
        hall.offer(number)
        hall.clock.pass_(10.0)
    assert hall.box.oldest_ms == start
    for number in range(5):
        assert hall.box.oldest_ms == start + number * 10_000
        hall.answer(reader)
    assert hall.box.oldest_ms == hall.clock.wall_ms()


async def test_the_age_counts_what_pauses_and_what_is_in_the_store_only(hall: Hall) -> None:
    start = hall.clock.wall_ms()
    hall.spill(1)
    hall.clock.pass_(10.0)
    assert hall.box.oldest_ms == start
    reader = hall.join()
    await settled()
    hall.offer(2)
    hall.answer(reader, c.ESME_RTHROTTLED, count=1)
    hall.answer(reader)
    assert hall.box.oldest_ms == start
    hall.box.leave(reader, [])
    hall.clock.pass_(10.0)
    assert hall.box.oldest_ms == start


async def test_the_age_of_what_was_left_in_the_store_starts_when_it_came(hall: Hall) -> None:
    hall.clock.pass_(50.0)
    hall.box.announce(1)
    came = hall.clock.wall_ms()
    hall.clock.pass_(50.0)
    hall.box.announce(1)
    assert hall.box.oldest_ms == came


async def test_seven_days_are_seven_days() -> None:
    assert LIFETIME_MS == 7 * DAY * 1000


# -- a backlog beside other accounts -----------------------------------------------------------------------------
async def test_a_backlog_leaves_a_bite_at_a_time_while_clients_wait_for_the_store() -> None:
    hall = Hall(Prompt)
    hall.spill(*range(1, 100))
    hall.shelf.awaited = True
    reader = hall.join(window=10)
    seen = [len(reader.delivered)]
    while seen[-1] < 10:
        await asyncio.sleep(0)
        seen.append(len(reader.delivered))
    assert {later - earlier for earlier, later in pairwise(seen)} == {0, Prompt.BITE}

    hall.answer(reader, count=4)  # acknowledged, and nothing leaves the sooner for it
    assert len(reader.delivered) == 10


async def test_what_is_no_backlog_waits_for_nobody() -> None:
    hall = Hall(Prompt)
    hall.shelf.awaited = True
    reader = hall.join(window=10)
    await settled()
    hall.offer(1, 2)
    assert ids(reader.delivered) == [1, 2]


# -- what nobody told of -----------------------------------------------------------------------------------------
@pytest.mark.promise("D2")
async def test_who_comes_gets_what_the_store_owes_though_nobody_was_told(hall: Hall) -> None:
    hall.dues(1, 2)  # a commit whose outcome nobody knows
    reader = hall.join()
    await settled()
    assert ids(reader.delivered) == [1, 2]


@pytest.mark.promise("D2")
async def test_who_is_there_gets_it_when_nothing_has_been_under_way_for_a_while(hall: Hall) -> None:
    reader = hall.join()
    await settled()
    hall.offer(1)
    hall.dues(2)
    for _ in range(2 * Mailbox.LOOK):
        hall.box.tick(hall.clock())
        await settled()
    assert ids(reader.delivered) == [1]  # it is not answered yet
    hall.answer(reader)
    await settled()
    for _ in range(Mailbox.LOOK):
        assert ids(reader.delivered) == [1]
        hall.box.tick(hall.clock())
        await settled()
    assert ids(reader.delivered) == [1, 2]


async def test_where_nobody_listens_the_store_is_not_asked(hall: Hall) -> None:
    for _ in range(2 * Mailbox.LOOK):
        hall.box.tick(hall.clock())
    await settled()
    assert hall.shelf.pages == []
