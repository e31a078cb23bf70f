"""When clients that do not wait for their answers are served: under load together, every few milliseconds.

A client that sends no more before it has its answers gains by every answer that comes sooner, and is never held back
here. One that sends on gains nothing: what it sends meanwhile shares the run, the commit and the write of what it sent
before. Invariant: nobody is held back for longer than PATIENCE, and nobody at all while the machine has time to spare.
Knows no session and no store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .alarm import Expected

WITHIN, SLACK = 0.0057, 1.4
"""Seconds within which nearly all shall be answered, and how often what serving a run usually takes has to have room in
them: the rest is the time from one common turn to the next. So a slow machine has shorter ones than a fast one."""
SHORTEST, LONGEST = 0.003, 0.0048
"""Seconds from one common turn to the next under full load."""
PATIENCE = 0.008
"""Seconds after which one begins although not all of the last have their answers. One commit follows the other: a turn
that began before would wait for theirs, miss its successor, and so on for good, in two halves with two commits."""
USUAL = 64
"""Runs over which the time that serving one takes is smoothed."""
IDLE, BUSY = 0.15, 0.30
"""Shares of a core: below the first nobody is held back, from the second on for as long as there is time."""
MEASURED = 0.1
"""Seconds over which that share is taken."""
PROMPT = 0.0005
"""Seconds within which a client that waited for an answer asks again."""
MANY = 8
"""So many requests are unanswered twice in a row only because there may not be more."""
SURE, LONG_KNOWN = 2, 8
Later = Callable[[float, Callable[[], None]], Expected]


class Habit:
    """Whether a client waits for answers before it sends more: then it has the same number of requests unanswered
    whenever it is answered, asks again at once, and asks all it wants at once."""

    __slots__ = ("_alike", "_answered_at", "_asked_at", "_prompt", "_unanswered")

    def __init__(self) -> None:
        self._answered_at = self._asked_at = 0.0
        self._prompt = False
        self._unanswered = self._alike = 0

    def asks(self, now: float) -> None:
        """A request came while none was at work."""
        self._asked_at = now
        self._prompt = now - self._answered_at <= PROMPT

    def asks_more(self, now: float) -> None:
        """One came while others were. Long after them it was not for want of an answer that it had not come before."""
        if now - self._asked_at > PROMPT:
            self._prompt = False

    def answered(self, now: float, unanswered: int) -> None:
        """`unanswered`: how many were, before this answer."""
        alike = unanswered == self._unanswered and (self._prompt or unanswered >= MANY)
        self._alike = min(self._alike + 1, LONG_KNOWN) if alike else self._alike // 2
        self._unanswered, self._answered_at = unanswered, now

    def waits(self) -> bool:
        return self._alike >= SURE


class Pace:
    """The common turns of one gateway."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, clock: Callable[[], float], cpu: Callable[[], float], later: Later
    ) -> None:
        """`cpu`: seconds this process has worked; `later`: calls in so many seconds."""
        self._loop, self._clock, self._cpu, self._later = loop, clock, cpu, later
        self._waiting: list[asyncio.Future[int]] = []
        self._number = 0  # of the last turn
        self._at_work = 0  # of those whose turn it was, without their answers yet
        self._overdue = False  # the next turn, because of those
        self._last = self._measured = clock()
        self._worked = cpu()
        self._timer: Expected | None = None
        self.beat = 0.0  # seconds between turns as things stand
        self._serving = 0.0  # seconds that serving a run takes

    def turn(self) -> asyncio.Future[int] | None:
        """-> None: it is your turn now; else a future of the common turn's number, for `over`."""
        now = self._clock()
        if now >= self._measured + MEASURED:
            self._measure(now)
        if not self.beat:
            return None
        future = self._loop.create_future()
        self._waiting.append(future)
        if self._timer is None:
            wait = self._last + self.beat - now
            # even when it is due, whoever else has something in this turn of the loop comes along
            self._timer = self._later(wait, self._due) if wait > 0 else self._loop.call_soon(self._due)
        return future

    def over(self, number: int) -> None:
        """One whose turn this was has its answers."""
        if number != self._number:
            return
        self._at_work -= 1
        if self._overdue and not self._at_work and self._timer is not None:
            self._timer.cancel()
            self._timer = self._loop.call_soon(self._begin)

    def _measure(self, now: float) -> None:
        """How busy we are says how much is gained by doing things together."""
        worked = self._cpu()
        share = (worked - self._worked) / (now - self._measured)
        self._worked, self._measured = worked, now
        longest = min(LONGEST, max(SHORTEST, WITHIN - SLACK * self._serving))
        self.beat = longest * min(1.0, max(0.0, (share - IDLE) / (BUSY - IDLE)))

    def served(self, seconds: float) -> None:
        """A run of one that sends on is stored and has its answers, so long after its turn came."""
        self._serving += (seconds - self._serving) / USUAL

    def _due(self) -> None:
        wait = self._last + PATIENCE - self._clock()
        if self._at_work and wait > 0:
            self._overdue, self._timer = True, self._later(wait, self._begin)
        else:
            self._begin()

    def _begin(self) -> None:
        self._timer, self._overdue, self._last = None, False, self._clock()
        waiting, self._waiting = self._waiting, []
        there = [future for future in waiting if not future.done()]  # else its turn came for another reason
        self._number, self._at_work = self._number + 1, len(there)
        for future in there:
            future.set_result(self._number)
