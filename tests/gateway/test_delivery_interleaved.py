"""Whatever happens to a mailbox in whatever order, nothing owed is lost, and nothing is with the client twice."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.delivery import Due, Mailbox
from gateway.metrics import WAITS, Histogram
from store.protocol import StoreDown

from .scene import START_MS, Reader


class Tiny(Mailbox):
    HELD = 6
    PAGE = 3
    GIVE_WAY = 0.0


class Road(RuleBasedStateMachine):
    """A store whose reads and writes end when a rule says so; receipts that are durable before anybody hears of it."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.now = 0.0
        self.awaited = False
        self.owed: set[int] = set()
        self.gone: set[int] = set()  # no longer owed
        self.stored: list[list[int]] = []  # durable, and not yet told
        self.unwritten: list[list[int]] = []  # told, and waiting for a response to be written
        self.reads: list[tuple[asyncio.Future[None], Callable[[], list[int]]]] = []
        self.snapshot: list[int] | None = None  # what the read under way has seen already
        self.writes: list[tuple[asyncio.Future[None], list[int]]] = []
        self.links: list[Reader] = []
        self.box = Tiny(1, self, self.load, lambda: START_MS, Histogram(WAITS))

    # -- what the mailbox asks of the store ------------------------------------------------------------------------
    async def load(self, after: int, limit: int) -> list[Due]:
        read: asyncio.Future[None] = self.loop.create_future()
        self.reads.append((read, lambda: sorted(id_ for id_ in self.owed if id_ > after)[:limit]))
        await read
        return dues(self.seen())

    def seen(self) -> list[int]:
        seen, self.snapshot = self.snapshot, None
        assert seen is not None
        return seen

    def acknowledge(self, account: int, ids: list[int]) -> asyncio.Future[None]:
        write: asyncio.Future[None] = self.loop.create_future()
        self.writes.append((write, ids))
        return write

    def give_up(self, account: int, ids: list[int], reason: str) -> asyncio.Future[None]:
        return self.acknowledge(account, ids)

    # -- one turn of the loop --------------------------------------------------------------------------------------
    def turn(self, work: Callable[[], object] = lambda: None) -> None:
        async def run() -> None:
            work()
            for _ in range(5):
                await asyncio.sleep(0)

        self.complete(run())

    def complete(self, work: Coroutine[Any, Any, None]) -> None:
        self.loop.run_until_complete(work)

    # -- what happens ----------------------------------------------------------------------------------------------
    @initialize(owed=st.integers(0, 10), windows=st.lists(st.integers(1, 3), max_size=2))
    def start(self, owed: int, windows: list[int]) -> None:
        self.owed.update(range(50, 50 + owed))
        self.box.restore(owed, START_MS)
        for window in windows:
            self.a_link_joins(window)

    @rule(new=st.sets(st.integers(1, 120), min_size=1, max_size=3))
    def messages_end(self, new: set[int]) -> None:
        """Not in the order of their ids: some end behind the cursor of the page that is being read."""
        ids = sorted(new - self.owed - self.gone)
        if not ids:
            return
        self.turn(lambda: self.box.expect(ids))
        self.owed.update(ids)
        self.stored.append(ids)

    @precondition(lambda self: self.stored)
    @rule(which=st.integers(0, 9), written=st.booleans())
    def the_gateway_hears_of_it(self, which: int, written: bool) -> None:
        ids = self.stored.pop(which % len(self.stored))
        if written:
            self.turn(lambda: self.tell(ids))
        else:
            self.unwritten.append(ids)

    @precondition(lambda self: self.unwritten)
    @rule()
    def responses_are_written(self) -> None:
        ids = self.unwritten.pop(0)
        self.turn(lambda: self.tell(ids))

    def tell(self, ids: list[int]) -> None:
        self.box.forget(ids)
        if self.box.wants(len(ids)):
            self.box.put(dues(ids))
            self.box.pump()
        else:
            self.box.announce(len(ids))

    @rule(id_=st.integers(1, 120))
    def a_message_comes_in(self, id_: int) -> None:
        """Stored by somebody who does not ask the mailbox first."""
        if id_ not in self.owed and id_ not in self.gone:
            self.owed.add(id_)
            self.turn(lambda: self.box.announce(1))

    @rule(wait=st.booleans())
    def clients_of_other_accounts_wait_for_the_store(self, wait: bool) -> None:
        self.awaited = wait

    @precondition(lambda self: len(self.links) < 3)
    @rule(window=st.integers(1, 4))
    def a_link_joins(self, window: int) -> None:
        self.links.append(Reader(window))
        self.turn(lambda: self.box.join(self.links[-1]))

    @precondition(lambda self: self.links)
    @rule(which=st.integers(0, 9))
    def a_link_is_lost(self, which: int) -> None:
        link = self.links.pop(which % len(self.links))
        unanswered, link.unanswered = link.unanswered, []
        self.turn(lambda: self.box.leave(link, unanswered))

    @precondition(lambda self: any(link.unanswered for link in self.links))
    @rule(which=st.integers(0, 9), count=st.integers(1, 3), status=st.sampled_from([0, 0, 0, 0x14, 0x65, 0x0B]))
    def a_client_answers(self, which: int, count: int, status: int) -> None:
        link = self.links[which % len(self.links)]
        if link.unanswered:
            self.turn(lambda: link.answer(self.box, self.now, status, count))

    @precondition(lambda self: self.writes)
    @rule(durable=st.sampled_from([True, True, False]))
    def a_write_ends(self, durable: bool) -> None:
        write, ids = self.writes.pop(0)
        if durable:
            self.owed.difference_update(ids)
            self.gone.update(ids)
            self.turn(lambda: write.set_result(None))
        else:
            self.turn(lambda: write.set_exception(StoreDown("no disk")))

    @precondition(lambda self: self.reads)
    @rule()
    def a_read_looks(self) -> None:
        """It sees what is owed at this moment, which is neither when it was begun nor when it is told."""
        if self.snapshot is None:
            self.snapshot = self.reads[0][1]()

    @precondition(lambda self: self.reads)
    @rule(well=st.sampled_from([True, True, True, False]))
    def a_read_ends(self, well: bool) -> None:
        self.a_read_looks()
        read, _page = self.reads.pop(0)
        if not well:
            self.snapshot = None
        self.turn(lambda: read.set_result(None) if well else read.set_exception(StoreDown("no disk")))

    @rule(seconds=st.sampled_from([1.0, 400.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.turn(lambda: self.box.tick(self.now))

    # -- what must hold --------------------------------------------------------------------------------------------
    @invariant()
    def nothing_is_with_the_client_twice(self) -> None:
        out = [due.id for link in self.links for due in link.unanswered]
        assert len(out) == len(set(out))
        assert self.gone.isdisjoint(out)
        answered = {id_ for _write, ids in self.writes for id_ in ids}
        assert answered.isdisjoint(out)

    @invariant()
    def nothing_overtakes_its_response(self) -> None:
        out = {due.id for link in self.links for due in link.unanswered}
        assert out.isdisjoint([id_ for ids in self.stored + self.unwritten for id_ in ids])

    def held(self) -> list[int]:
        """In memory, with the client included."""
        out = [due.id for link in self.links for due in link.unanswered]
        return out + [due.id for due in self.box._due] + [due.id for _at, _order, due in self.box._paused]

    @invariant()
    def nothing_is_held_twice(self) -> None:
        held = self.held()
        assert len(held) == len(set(held))
        assert self.gone.isdisjoint(held)
        assert self.box._leaving.isdisjoint(held)

    @invariant()
    def nothing_is_forgotten(self) -> None:
        """What is neither in memory nor on its way into or out of it is known to wait in the store."""
        on_its_way = self.stored + self.unwritten + [ids for _write, ids in self.writes]
        waits = self.owed.difference(self.held(), *on_its_way)
        assert self.box._spilled or not waits

    @invariant()
    def memory_is_bounded(self) -> None:
        room = Tiny.HELD + Tiny.PAGE + 12  # what three lost links had not answered comes on top
        assert len(self.box._due) + len(self.box._paused) <= room + sum(map(len, self.unwritten))

    @invariant()
    def all_that_is_owed_is_counted(self) -> None:
        untold = [id_ for ids in self.stored + self.unwritten for id_ in ids]
        leaving = [id_ for _write, ids in self.writes for id_ in ids]
        assert self.box.pending == len(self.owed) - len(untold) - len(leaving)

    def teardown(self) -> None:
        try:
            self.all_arrives()
        finally:
            self.loop.close()

    def all_arrives(self) -> None:
        """From now on all goes well: then everything that is owed arrives."""
        for ids in self.stored + self.unwritten:
            self.turn(lambda ids=ids: self.tell(ids))  # type: ignore[misc]  # each its own
        self.stored, self.unwritten = [], []
        if not self.links:
            self.a_link_joins(4)
        for _ in range(40 + 3 * len(self.owed)):
            while self.reads:
                self.a_read_ends(True)
            while self.writes:
                self.a_write_ends(True)
            for link in self.links:
                if link.unanswered:
                    self.turn(lambda link=link: link.answer(self.box, self.now))  # type: ignore[misc]
            self.time_passes(400.0)
            self.nothing_is_with_the_client_twice()
            if not self.owed:
                break
        assert self.owed == set()
        assert self.box.pending == 0


def dues(ids: Sequence[int]) -> list[Due]:
    return [Due(id_, b"", 0, START_MS) for id_ in ids]


TestRoad = Road.TestCase
TestRoad.settings = settings(stateful_step_count=60)
