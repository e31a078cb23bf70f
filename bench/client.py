"""The ESME side of many connections on one epoll loop.

Invariant: a request leaves the window exactly once, by its response; what cannot be matched is counted, never dropped.
One read and one write for each wake-up of a connection, as a well-made ESME does it.
"""

import select
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import count, repeat
from time import monotonic_ns

from bench import wire
from bench.tally import Plan, Tally

READ = 65_536
SECOND = 1_000_000_000


class BindError(Exception):
    """The server did not let us bind."""


class Connection:
    """One bound transceiver with its window."""

    def __init__(self, plan: Plan, numbers: Iterator[int]) -> None:
        self.socket = socket.create_connection((plan.host, plan.port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tally = Tally()
        self.open, self.bound = True, False
        self.waiting: dict[int, int] = {}  # sequence number -> when its request was written
        self._window = plan.window
        self._pages = wire.Pages(numbers, plan.senders, plan.length, plan.receipts, plan.prefix)
        self._rest, self._outbox, self._last = b"", [wire.bind(plan.system_id, plan.password, 1)], 1
        self.unsent = b""

    def read(self) -> None:
        """Take what has come; answers to it are put into the outbox."""
        try:
            octets = self.socket.recv(READ)
        except BlockingIOError:
            return
        except ConnectionError:
            octets = b""
        if not octets:
            self.open = False
            return
        now = monotonic_ns()
        buffer = self._rest + octets if self._rest else octets
        arrived = wire.scan(buffer)
        self._rest = buffer[arrived.used :]
        if arrived.accepted or arrived.refused:
            self._responses(arrived, now)
        if arrived.delivered:
            self._deliveries(arrived, now)
        for command, status, sequence in arrived.others:
            self._other(command, status, sequence)

    def _responses(self, arrived: wire.Arrived, now: int) -> None:
        tally, answered = self.tally, arrived.accepted
        tally.accepted += len(answered)
        tally.ids_answered += sum(map(hash, arrived.ids))
        if arrived.refused:
            tally.refused.update(status for _sequence, status in arrived.refused)
            answered = answered + [sequence for sequence, _status in arrived.refused]
        # A window is written in a few pieces, so the many responses of one read share a few start times.
        for sent, responses in Counter(map(self.waiting.pop, answered, repeat(0))).items():
            if sent:
                tally.latency[(now - sent) // 1000] += responses
            else:
                tally.unmatched += responses
        tally.last_response = now

    def _deliveries(self, arrived: wire.Arrived, now: int) -> None:
        tally, ids = self.tally, arrived.receipts
        self._outbox.append(wire.acknowledgements(arrived.delivered))
        tally.receipts += len(ids)
        tally.strays += len(arrived.delivered) - len(ids)
        tally.ids_received += sum(map(hash, ids))
        tally.last_receipt = now

    def _other(self, command: int, status: int, sequence: int) -> None:
        if command == wire.BIND_TRANSCEIVER | wire.RESPONSE:
            if status:
                raise BindError(f"bind refused with status 0x{status:08x}")
            self.bound = True
        elif command == wire.GENERIC_NACK:
            self.tally.nacks += 1
        elif command == wire.ENQUIRE_LINK:
            self.tally.enquiries += 1
            self._outbox.append(wire.pdu(command | wire.RESPONSE, 0, sequence))
        elif command == wire.UNBIND:
            self._outbox.append(wire.pdu(command | wire.RESPONSE, 0, sequence))
            self.flush()
            self.open = False

    def room(self) -> int:
        """How many requests the window still takes; none while the peer does not read."""
        return self._window - len(self.waiting) if self.open and self.bound and not self.unsent else 0

    def submit(self, number: int) -> None:
        now = monotonic_ns()
        for sequences, octets in self._pages.take(number):
            self.waiting.update(dict.fromkeys(sequences, now))
            self._outbox.append(octets)
            self._last = sequences[-1]
        self.tally.sent += number

    def unbind(self) -> None:
        self._outbox.append(wire.pdu(wire.UNBIND, 0, self._last + 1))
        self.flush()

    def flush(self) -> None:
        """Everything in one write; what the socket does not take now waits for it."""
        if not self._outbox and not self.unsent:
            return
        octets = self.unsent + b"".join(self._outbox)
        self._outbox.clear()
        try:
            taken = self.socket.send(octets)
        except BlockingIOError:
            taken = 0
        except ConnectionError:
            self.open, taken = False, len(octets)
        self.unsent = octets[taken:]


class Crowd:
    """All connections, and the loop that keeps them busy."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.sending, self._total = plan, False, 0
        self.tally = Tally()
        self._poll, self._armed = select.epoll(), set[int]()
        numbers = count()
        self.connections = [Connection(plan, numbers) for _ in range(plan.connections)]
        self._by_fd = {connection.socket.fileno(): connection for connection in self.connections}
        self._turns = deque(self.connections)  # whose turn it is when paced
        for fd, connection in self._by_fd.items():
            connection.socket.setblocking(False)
            self._poll.register(fd, select.EPOLLIN)
            connection.flush()

    # -- phases ----------------------------------------------------------------------------------------

    def wait_bound(self, seconds: float = 10.0) -> None:
        self._until(lambda: all(c.bound for c in self.connections), seconds)
        if missing := sum(not c.bound for c in self.connections):
            raise BindError(f"{missing} of {len(self.connections)} connections did not bind")

    def start(self) -> Tally:
        """A new phase: from here on everything is counted anew."""
        self.tally = Tally()
        for connection in self.connections:
            connection.tally = self.tally
        return self.tally

    def send(self, seconds: float, total: int = 0) -> float:
        """Keep the windows full (or the pace) until the time is over or `total` is answered; the seconds it took."""
        tally, self.sending, self._total = self.tally, True, total
        self._refill()
        self._until(lambda: bool(total) and tally.answered >= total, seconds)
        self.sending = False
        ended = tally.last_response if total and tally.answered >= total else monotonic_ns()
        return (ended - tally.started) / SECOND

    def drain(self) -> None:
        """Wait for the last response, then for the last receipt; `grace` runs anew with each that comes."""
        tally, grace, seen, since = self.tally, self.plan.grace, -1, monotonic_ns()
        while any(c.open for c in self.connections):
            if not self.unanswered() and (not self.plan.receipts or tally.receipts >= tally.accepted):
                break
            if seen != (seen := tally.receipts + tally.answered):
                since = monotonic_ns()
            elif monotonic_ns() - since > grace * SECOND:
                break
            self._turn(0.01)

    def leave(self) -> None:
        """Unbind politely, but wait no longer than a moment: nothing is counted any more."""
        for connection in self.connections:
            if connection.open:
                connection.unbind()
        self._until(lambda: not any(c.open for c in self.connections), 0.3)

    def close(self) -> None:
        for connection in self.connections:
            connection.socket.close()
        self._poll.close()

    def unanswered(self) -> int:
        return sum(len(c.waiting) for c in self.connections if c.open)

    def lost(self) -> int:
        return sum(not c.open for c in self.connections)

    # -- the loop --------------------------------------------------------------------------------------

    def _until(self, done: Callable[[], bool], seconds: float) -> None:
        end = monotonic_ns() + int(seconds * SECOND)
        step = 0.001 if self.plan.rate and self.sending else 0.05
        while not done() and monotonic_ns() < end and self._by_fd:
            self._turn(step)

    def _turn(self, timeout: float) -> None:
        for fd, event in self._poll.poll(timeout):
            connection = self._by_fd[fd]
            if event & ~select.EPOLLOUT:
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
            self._poll.modify(fd, select.EPOLLIN | (select.EPOLLOUT if connection.unsent else 0))

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
                self._watch(connection.socket.fileno(), connection)
