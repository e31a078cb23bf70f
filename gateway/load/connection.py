"""The ESME side of one bound connection with its window.

Invariant: a request leaves the window exactly once, by its response; what cannot be matched is counted, never dropped.
One read and one write for each wake-up, as a well-made ESME does it.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import repeat
from time import monotonic_ns

from . import transport, wire
from .pages import Pages
from .plan import Plan
from .tally import Tally

UNKNOWN = 0xFF  # ESME_RUNKNOWNERR: a nack that does not say why


class Connection:
    def __init__(self, plan: Plan, numbers: Iterator[int]) -> None:
        self._pages = Pages(numbers, plan.senders, plan.texts, plan.destination, plan.receipts)
        self.transport = transport.connect(plan.host, plan.port, plan.tls)
        self.tally = Tally()
        self.open, self.bound, self.refusal = True, False, 0
        self.waiting: dict[int, int] = {}  # sequence number -> when its request was written
        self._window, self._receipts = plan.window, plan.receipts
        command = wire.BIND_TRANSMITTER if plan.transmitter else wire.BIND_TRANSCEIVER
        self._outbox = [wire.bind(plan.system_id, plan.password, 1, command, plan.system_type)]
        self._rest, self._last = b"", 1
        self.unsent = b""

    def read(self) -> None:
        """Take what has come; answers to it are put into the outbox."""
        octets = self.transport.receive()
        if octets is None:
            return
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
        if self._receipts:
            tally.owe(arrived.ids, now)
        if arrived.refused:
            tally.refused.update(status for _sequence, status in arrived.refused)
            answered = answered + [sequence for sequence, _status in arrived.refused]
        # A window is written in a few pieces, so the many responses of one read share a few start times.
        for sent, responses in Counter(map(self.waiting.pop, answered, repeat(0))).items():
            if sent:
                tally.latency.add((now - sent) // 1000, responses)
            else:
                tally.unmatched += responses
        tally.last_response = now

    def _deliveries(self, arrived: wire.Arrived, now: int) -> None:
        self._outbox.append(wire.acknowledgements(arrived.delivered))
        self.tally.strays += len(arrived.delivered) - len(arrived.receipts)
        if arrived.receipts:
            self.tally.receive(arrived.receipts, now)

    def _other(self, command: int, status: int, sequence: int) -> None:
        if command in wire.BIND_RESPONSES:
            self.bound, self.refusal = not status, status
        elif command == wire.GENERIC_NACK:
            self._nack(status, sequence)
        elif command == wire.ENQUIRE_LINK:
            self.tally.enquiries += 1
            self._outbox.append(wire.pdu(command | wire.RESPONSE, 0, sequence))
        elif command == wire.UNBIND:
            self._outbox.append(wire.pdu(command | wire.RESPONSE, 0, sequence))
            self.flush()
            self.open = False
        elif command == wire.UNBIND | wire.RESPONSE:
            self.open = False

    def _nack(self, status: int, sequence: int) -> None:
        """The answer of a server that does not want to understand: to the bind, or to a message."""
        self.tally.nacks += 1
        if not self.bound:
            self.refusal = status or UNKNOWN
        elif self.waiting.pop(sequence, 0):
            self.tally.refused[status] += 1

    def room(self) -> int:
        """How many requests the window still takes; none while the peer does not read."""
        return self._window - len(self.waiting) if self.open and self.bound and not self.unsent else 0

    def submit(self, number: int) -> None:
        now = monotonic_ns()
        for sequences, octets in self._pages.take(number):
            self.waiting.update(zip(sequences, repeat(now)))
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
        self.unsent = octets[self.transport.send(octets) :]
