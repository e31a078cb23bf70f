"""What a run of the generator is asked to do, and what it counted."""

from collections import Counter
from time import monotonic_ns
from typing import NamedTuple


class Plan(NamedTuple):
    """What is to be sent, and where."""

    port: int
    host: str = "127.0.0.1"
    connections: int = 1
    window: int = 10
    rate: int = 0  # messages a second over all connections; 0 = as fast as the windows allow
    total: int = 0  # messages in all; 0 = until the time is over
    seconds: float = 5.0
    receipts: bool = False
    length: int = 40
    senders: tuple[str, ...] = ("ACME",)
    prefix: str = "447700"
    system_id: str = "perf"
    password: str = "perf"
    grace: float = 3.0


class Tally:
    """Plain counts of one phase; a fresh one is made when the clock starts."""

    def __init__(self) -> None:
        self.sent = self.accepted = self.receipts = 0
        self.unmatched = self.nacks = self.strays = self.enquiries = 0
        self.refused: Counter[int] = Counter()
        self.latency: Counter[int] = Counter()  # whole microseconds -> responses
        # Sums of 64-bit hashes: equal, whatever the order, when the same ids came the same number of times.
        self.ids_answered = self.ids_received = 0
        self.started = self.last_response = self.last_receipt = monotonic_ns()

    @property
    def answered(self) -> int:
        return self.accepted + self.refused.total()

    def quantile(self, share: float) -> int:
        """Microseconds that `share` of the responses did not exceed."""
        wanted, seen = share * self.latency.total(), 0
        for value in sorted(self.latency):
            seen += self.latency[value]
            if seen >= wanted:
                return value
        return 0
