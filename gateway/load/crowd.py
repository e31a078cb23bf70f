"""Many connections on one loop, and the phases of a run: bind, send, wait for the rest, leave.

Invariant: one thread, and no connection waits for another. What is written is written for a whole window.
"""

from collections import deque
from collections.abc import Callable
from itertools import count
from time import monotonic_ns

from . import refusals, transport
from .connection import Connection
from .plan import Plan
from .tally import Tally

SECOND = 1_000_000_000
PATIENCE = 15.0  # seconds for all answers to the binds; a server may look for dead binds first
TICK = SECOND // 4


class BindError(Exception):
    """The server did not let us bind, or is not there."""


class Crowd:
    """All connections, and the loop that keeps them busy. `tick` is called four times a second."""

    def __init__(self, plan: Plan, tick: Callable[["Crowd"], None] | None = None) -> None:
        self.plan, self.sending, self.stops = plan, False, 0
        self.phase = ""  # in words, for people
        self.tally = Tally()
        self.connections: list[Connection] = []
        self._total, self._tick, self._next_tick = 0, tick, 0
        self._poll, self._armed = transport.poller(), set[int]()
        self._by_fd: dict[int, Connection] = {}
        self._turns = deque[Connection]()  # whose turn it is when paced

    # -- phases ----------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Each binds as soon as it is connected, so that no server loses patience."""
        plan, numbers = self.plan, count()
        for number in range(plan.connections):
            try:
                connection = Connection(plan, numbers)
            except OSError as error:
                which = f"connection {number + 1} of {plan.connections} to " if number else ""
                raise BindError(f"{which}{plan.host}:{plan.port}: {transport.why(error)}") from error
            fd = connection.transport.fileno()
            self.connections.append(connection)
            self._by_fd[fd] = connection
            self._poll.register(fd, transport.READABLE)
            connection.flush()
        self._turns.extend(self.connections)

    def wait_bound(self, seconds: float = PATIENCE) -> None:
        """BindError if any connection is not, with what the server said."""
        self._until(lambda: all(c.bound or c.refusal or not c.open for c in self.connections), seconds)
        missing = [c for c in self.connections if not c.bound]
        if not missing:
            return
        which = "" if len(self.connections) == 1 else f"{len(missing)} of {len(self.connections)}: "
        status = next((c.refusal for c in missing if c.refusal), 0)
        if status:
            raise BindError(f"{which}bind refused with {refusals.explained(status)}")
        if any(not c.open for c in missing):
            raise BindError(f"{which}the server closed the connection instead of answering the bind")
        raise BindError(f"{which}no answer to the bind within {seconds:g} seconds")

    def start(self) -> Tally:
        """A new phase: from here on everything is counted anew."""
        self.tally = Tally()
        for connection in self.connections:
            connection.tally = self.tally
        return self.tally

    def send(self, seconds: float, total: int = 0) -> float:
        """Keep the windows full (or the pace) until the time is over or `total` is answered; the seconds it took."""
        tally, self.sending, self._total = self.tally, True, total
        silent, stops = Silence(tally, self.plan.grace), self.stops

        def done() -> bool:
            if self.stops > stops or (total and tally.answered >= total):
                return True
            return not self.plan.timed and silent() and self.unanswered() > 0

        self._refill()
        self._until(done, seconds)
        self.sending = False
        ended = tally.last_response if total and tally.answered >= total else monotonic_ns()
        return (ended - tally.started) / SECOND

    def drain(self) -> None:
        """Wait for the last response, then for the last receipt; `grace` runs anew with each that comes."""
        tally, silent, stops = self.tally, Silence(self.tally, self.plan.grace), self.stops

        def done() -> bool:
            came = not self.unanswered() and (not self.plan.receipts or tally.receipts >= tally.accepted)
            return came or self.stops > stops or silent()

        self._until(done, float("inf"))

    def leave(self) -> None:
        """Unbind politely, but wait no longer than a moment: nothing is counted any more."""
        for connection in self.connections:
            if connection.open:
                connection.unbind()
        self._until(lambda: not any(c.open for c in self.connections), 0.3)

    def close(self) -> None:
        for connection in self.connections:
            connection.transport.close()
        self._poll.close()

    def stop(self) -> None:
        """End the phase that is under way. May be called by a signal handler."""
        self.stops += 1

    def unanswered(self) -> int:
        """Requests that may still be answered."""
        return sum(len(c.waiting) for c in self.connections if c.open)

    def lost(self) -> int:
        return sum(not c.open for c in self.connections)

    # -- the loop --------------------------------------------------------------------------------------

    def _until(self, done: Callable[[], bool], seconds: float) -> None:
        end = monotonic_ns() + seconds * SECOND
        step = 0.001 if self.plan.rate and self.sending else 0.05
        while not done() and (now := monotonic_ns()) < end and self._by_fd:
            if self._tick and now >= self._next_tick:
                self._next_tick = now + TICK
                self._tick(self)
            self._turn(step)

    def _turn(self, timeout: float) -> None:
        for fd, event in self._poll.poll(timeout):
            connection = self._by_fd[fd]
            if event & ~transport.WRITABLE:
                connection.read()
            if self.sending and not self.plan.rate:
                self._fill(connection)
            connection.flush()
            self._watch(fd, connection)
        if self.sending and self.plan.rate:
            self._pace()

    def _watch(self, fd: int, connection: Connection) -> None:
        if not connection.open:
            self._poll.unregister(fd)
            del self._by_fd[fd]
        elif bool(connection.unsent) != (fd in self._armed):
            self._armed ^= {fd}
            self._poll.modify(fd, transport.READABLE | (transport.WRITABLE if connection.unsent else 0))

    def _refill(self) -> None:
        for fd, connection in list(self._by_fd.items()):
            if not self.plan.rate:
                self._fill(connection)
            connection.flush()
            self._watch(fd, connection)

    def _fill(self, connection: Connection) -> None:
        room = connection.room()
        if self._total:
            room = min(room, self._total - self.tally.sent)
        if room > 0:
            connection.submit(room)

    def _pace(self) -> None:
        """What is due by now, one message to each connection in turn: no connection gets a burst of its own."""
        due = (monotonic_ns() - self.tally.started) * self.plan.rate // SECOND
        due = (min(due, self._total) if self._total else due) - self.tally.sent
        used: set[Connection] = set()
        skipped = 0
        while due > 0 and skipped < len(self._turns):
            connection = self._turns[0]
            self._turns.rotate(-1)
            if connection.room() <= 0:
                skipped += 1
                continue
            connection.submit(1)
            used.add(connection)
            due, skipped = due - 1, 0
        for connection in used:
            connection.flush()
            if connection.open:
                self._watch(connection.transport.fileno(), connection)


class Silence:
    """Whether nothing has come for so long that nothing more is to be expected."""

    def __init__(self, tally: Tally, seconds: float) -> None:
        self._tally, self._patience = tally, seconds * SECOND
        self._seen, self._since = -1, 0

    def __call__(self) -> bool:
        now, seen = monotonic_ns(), self._tally.receipts + self._tally.answered
        if seen != self._seen:
            self._seen, self._since = seen, now
        return now - self._since > self._patience
