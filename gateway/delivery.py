"""Receipts and mobile-originated messages on their way to the clients: one mailbox per account.

Invariant: a delivery is durable before it is offered and stays so until the client has acknowledged it or it was given
up with a reason. The mailbox holds a bounded part of what is owed; the rest waits in the store and is read in pages,
oldest first. Knows no wire beyond ready-made octets and no rules.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from itertools import count, islice
from typing import Any, NamedTuple, Protocol

import structlog

from pdu.constants import (
    ESME_RMSGQFUL,
    ESME_ROK,
    ESME_RSYSERR,
    ESME_RTHROTTLED,
    ESME_RUNKNOWNERR,
    ESME_RX_P_APPN,
    ESME_RX_R_APPN,
    ESME_RX_T_APPN,
    GENERIC_NACK,
    STATUS_NAMES,
)

from .metrics import Histogram

log = structlog.get_logger()
AGAIN = frozenset((ESME_RSYSERR, ESME_RMSGQFUL, 0x45, ESME_RTHROTTLED, ESME_RX_T_APPN, 0x67, 0xFE, ESME_RUNKNOWNERR))
NEVER = frozenset((ESME_RX_P_APPN, ESME_RX_R_APPN))
ATTEMPTS = 3  # for statuses that are neither
LONGEST_PAUSE = 300.0
DOUBLINGS = 9  # of a pause of one second, until it is longer than that
LIFETIME_MS = 7 * 86_400_000
ANSWERS = {**STATUS_NAMES, GENERIC_NACK: "generic_nack"}


class Due(NamedTuple):
    """One delivery, ready for the wire."""

    id: int
    octets: bytes  # the body of the deliver_sm
    plain: int  # length of that body without its TLVs
    since_ms: int  # when it became owed
    attempts: int = 0


class Receiver(Protocol):
    """What a mailbox needs of a link."""

    def room(self) -> int: ...
    def deliver(self, dues: Sequence[Due]) -> None: ...
    def awaited(self) -> Iterable[Due]: ...  # delivered and not answered, oldest first


class Keeper(Protocol):
    """What a mailbox needs of the store."""

    @property
    def awaited(self) -> bool: ...

    def acknowledge(self, account: int, ids: list[int]) -> asyncio.Future[None]: ...
    def give_up(self, account: int, ids: list[int], reason: str) -> asyncio.Future[None]: ...


Load = Callable[[int, int], Coroutine[Any, Any, list[Due]]]
"""(after id, limit) -> the account's owed deliveries in the order of their ids."""


class Mailbox:
    """What one account is owed, and its links that receive."""

    HELD = 20_000  # deliveries in memory at most, some 8 MB: what half a second of a fast account brings at once
    PAGE = 200  # deliveries read at once
    STOCK = 4  # pages in memory below which the next one is read
    BITE = 100  # deliveries given out in one turn of the loop
    LOOK = 60  # ticks with nothing under way, after which the store is asked whether that is right
    GIVE_WAY = 0.002  # seconds from one bite of a backlog to the next while clients wait for the store

    def __init__(self, account: int, store: Keeper, load: Load, wall_ms: Callable[[], int], seconds: Histogram) -> None:
        self.links: deque[Receiver] = deque()
        self.pending = 0
        self._account, self._store, self._load = account, store, load
        self._wall_ms, self._seconds = wall_ms, seconds
        self._due: deque[Due] = deque()
        self._paused: list[tuple[float, int, Due]] = []  # heap: (when it is tried again, tie-break, delivery)
        self._order = count()
        self._expected: list[Sequence[int]] = []  # being stored as owed, to be offered or announced after it
        self._leaving: set[int] = set()  # acknowledged or given up, not yet durable
        self._spilled = False  # the store holds some that are not here
        self._spilled_ms = 0  # since when the oldest of those is owed
        self._behind = False  # and some of them came after the page cursor had passed
        self._cursor = 0
        self._loading: asyncio.Task[None] | None = None
        self._pumping = self._giving_way = False
        self._idle = 0  # ticks
        self._arrived: set[int] = set()  # offered while a page was being read

    def restore(self, owed: int, oldest_ms: int) -> None:
        """At start: the store owes this many."""
        self.pending, self._spilled_ms, self._spilled = owed, oldest_ms, owed > 0

    @property
    def oldest_ms(self) -> int:
        """Since when the oldest is owed, as far as memory tells; its queues are in order, or nearly so."""
        queues: list[Iterable[Due]] = [self._due, *[link.awaited() for link in self.links]]
        since = [due.since_ms for queue in queues for due in islice(queue, 1)]
        since += [due.since_ms for _at, _order, due in self._paused]
        if self._spilled:
            since.append(self._spilled_ms)
        return min(since, default=self._wall_ms())

    # -- in --------------------------------------------------------------------------------------------------------
    def expect(self, ids: Sequence[int]) -> None:
        """These are being stored as owed. Until they are offered or announced, no page must bring them: neither
        twice, nor before the response that names them is written."""
        if ids:
            self._expected.append(ids)

    def forget(self, ids: Sequence[int]) -> None:
        """They are expected no more."""
        if ids:
            self._expected.remove(ids)

    def wants(self, number: int) -> bool:
        """Whether these would be kept in memory; if not, `announce` them and spare the work of making them."""
        here = not self._spilled or self._loading is not None
        return here and bool(self.links) and self._held_now() + number <= self.HELD

    def _held_now(self) -> int:
        return len(self._due) + len(self._paused)

    def announce(self, number: int) -> None:
        """Durable, but left in the store for now."""
        self.pending += number
        if not self._spilled:
            self._spilled_ms = self._wall_ms()
        self._spilled = self._behind = True
        self._refill()

    def put(self, dues: Sequence[Due]) -> None:
        """Durable from now on; the next pump gives them to whoever listens."""
        self.pending += len(dues)
        self._due.extend(dues)
        if self._loading is not None:  # the page under way may bring them, too
            self._arrived.update([due.id for due in dues])

    def expired(self, number: int) -> None:
        """The store gave up so many of those it held."""
        self.pending = max(0, self.pending - number)

    # -- out -------------------------------------------------------------------------------------------------------
    def join(self, link: Receiver) -> None:
        if not self.links:
            self._look()
        self.links.append(link)
        self._refill()
        self.pump()

    def leave(self, link: Receiver, unanswered: Sequence[Due]) -> None:
        """The link is gone: what it did not answer is due again, before all else."""
        if link in self.links:
            self.links.remove(link)
        self._due.extendleft(reversed(unanswered))
        self.pump()
        if not self.links:
            self._spill()

    def _spill(self) -> None:
        """Nobody listens: the store remembers, so memory need not (attempts made so far are forgotten, too)."""
        if self._due or self._paused:
            self._spilled_ms = self.oldest_ms
            self._due.clear()
            self._paused.clear()
            self._spilled, self._cursor = True, 0
            self._behind = self._behind or self._loading is not None  # the page under way leaves out what was here

    def pump(self) -> None:
        """Hand what is due to the links with room, in turns. A backlog gives way to submits: another account's client
        waits for its answer, this one has waited long."""
        if self._spilled and self._due and self._store.awaited:
            self._give_way()
        elif not self._giving_way:
            self._hand_out()

    def _hand_out(self) -> None:
        due, links, left = self._due, self.links, self.BITE
        for _ in range(len(links)):
            if not due:
                break
            if left <= 0:
                break
            link = links[0]
            links.rotate(-1)
            room = min(link.room(), len(due), left)
            if room > 0:
                link.deliver([due.popleft() for _ in range(room)])
                left -= room
        if due and left <= 0:
            self._pump_again()
        if self._spilled and len(due) < self.STOCK * self.PAGE:
            self._refill()

    def _pump_again(self) -> None:
        """A backlog on its way out must not hold up the other accounts: go on in the next turn of the loop."""
        if not self._pumping:
            self._pumping = True
            asyncio.get_running_loop().call_soon(self._pump_on)

    def _pump_on(self) -> None:
        self._pumping = False
        self.pump()

    def _give_way(self) -> None:
        if not self._giving_way:
            self._giving_way = True
            asyncio.get_running_loop().call_later(self.GIVE_WAY, self._way_given)

    def _way_given(self) -> None:
        self._giving_way = False
        self._hand_out()

    def answered(self, answers: Sequence[tuple[Due, int]], now: float) -> None:
        """deliver_sm_resp came, or deadlines passed (then with a status that means: again)."""
        good = [due.id for due, status in answers if status == ESME_ROK]
        if good:
            first = next(due for due, status in answers if status == ESME_ROK)
            self._seconds.observe((self._wall_ms() - first.since_ms) / 1000, len(good))
            self._forget(good, self._store.acknowledge(self._account, good))
        if len(good) < len(answers):
            for due, status in answers:
                if status != ESME_ROK:
                    self._failed(due._replace(attempts=due.attempts + 1), status, now)
        self.pump()

    def _failed(self, due: Due, status: int, now: float) -> None:
        """Design: some statuses mean later, two mean never, any other gets three attempts."""
        if self._wall_ms() - due.since_ms >= LIFETIME_MS:
            self._give_up(due, "not taken within 7 days")
        elif status in NEVER or (status not in AGAIN and due.attempts >= ATTEMPTS):
            self._give_up(due, f"refused by the client: {ANSWERS.get(status, hex(status))}")
        else:
            pause = min(LONGEST_PAUSE, 2.0 ** min(DOUBLINGS, due.attempts - 1))
            heapq.heappush(self._paused, (now + pause, next(self._order), due))

    def _give_up(self, due: Due, reason: str) -> None:
        self._forget([due.id], self._store.give_up(self._account, [due.id], reason))

    def _forget(self, ids: list[int], gone: asyncio.Future[None]) -> None:
        """Until the store has forgotten them they may come back in a page: remember them that long."""
        self._leaving.update(ids)
        self.pending = max(0, self.pending - len(ids))
        gone.add_done_callback(partial(self._forgotten, ids))

    def _forgotten(self, ids: list[int], gone: asyncio.Future[None]) -> None:
        self._leaving.difference_update(ids)
        if not gone.cancelled() and gone.exception() is not None:  # not durable: they are still owed
            self.pending += len(ids)
            self._spilled = self._behind = True

    def tick(self, now: float) -> None:
        """Once a second: what has paused long enough is due again."""
        again: list[Due] = []
        while self._paused and self._paused[0][0] <= now:
            again.append(heapq.heappop(self._paused)[2])
        if again:
            self._due.extendleft(reversed(again))
        self.pump()
        self._idle = self._idle + 1 if self.links and self._is_at_rest() else 0
        if self._idle >= self.LOOK:
            self._look()
            self._refill()

    def _is_at_rest(self) -> bool:
        """Nothing is owed, as far as anybody here knows."""
        under_way = self._spilled or self._due or self._paused or self._leaving or self._expected
        return not under_way and not any(True for link in self.links for _due in link.awaited())

    def _look(self) -> None:
        """The store may owe what nobody here was told of: a commit whose outcome is unknown tells nobody."""
        if not self._spilled:
            self._spilled, self._spilled_ms, self._cursor = True, self._wall_ms(), 0

    # -- pages from the store --------------------------------------------------------------------------------------
    def _refill(self) -> None:
        room = len(self._due) < self.STOCK * self.PAGE and self._held_now() < self.HELD
        if self._spilled and self._loading is None and self.links and room:
            self._arrived.clear()
            self._loading = asyncio.get_running_loop().create_task(self._load_page())

    async def _load_page(self) -> None:
        held = self._held()
        try:
            page = await self._load(self._cursor, self.PAGE)
        except Exception as fault:  # the next tick tries again
            log.warning("deliveries not read", account=self._account, reason=repr(fault))
            return
        finally:
            self._loading = None
        if len(page) < self.PAGE:  # the end: once more from the start if something came in behind the cursor
            self._cursor, self._spilled, self._behind = 0, self._behind, False
        else:
            self._cursor = page[-1].id
        held |= self._arrived.union(*self._expected)
        self._due.extend([due for due in page if due.id not in held])
        if self.links:
            self.pump()
        else:
            self._spill()

    def _held(self) -> set[int]:
        """Ids of everything owed that is in memory: a page must not bring it a second time."""
        held = {due.id for due in self._due}
        held.update(due.id for _at, _order, due in self._paused)
        held.update(self._leaving)
        for link in self.links:
            held.update([due.id for due in link.awaited()])
        return held
