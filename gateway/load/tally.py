"""What a run counted.

Invariant: a receipt is matched with the response that gave its id, once; what matches nothing is counted as foreign, so
nothing is lost between the two. Knows nothing of octets beyond the ids.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import repeat
from time import monotonic_ns

from .times import Times

MOST_OWED = 3_000_000  # ids that wait for their receipts; beyond that receipts are only counted


class Tally:
    """Plain counts of one phase; a fresh one is made when the clock starts."""

    def __init__(self) -> None:
        self.sent = self.accepted = self.receipts = 0
        self.unmatched = self.nacks = self.strays = self.enquiries = 0
        self.refused: Counter[int] = Counter()
        self.latency, self.receipt_latency = Times(), Times()
        self.foreign = 0  # receipts with an id that no response gave, or gave once and they came again
        self.following = True
        self.started = self.last_response = self.last_receipt = monotonic_ns()
        self._owed: dict[bytes, int] = {}  # id -> when its response was read
        self._early: set[bytes] = set()  # ids of foreign receipts whose response may still come

    @property
    def answered(self) -> int:
        return self.accepted + self.refused.total()

    @property
    def ids_match(self) -> bool:
        """Every id that was answered has come in one receipt, and no other id in any."""
        return self.following and not self._owed and not self.foreign

    def owe(self, ids: Sequence[bytes], now: int) -> None:
        """The responses of one read promise receipts."""
        if not self.following:
            return
        self._owed.update(zip(ids, repeat(now)))  # quicker than by a dictionary of their own
        if self._early:
            self._meet(ids)
        if len(self._owed) + len(self._early) > MOST_OWED:
            self.following = False
            self._owed.clear()
            self._early.clear()

    def _meet(self, ids: Sequence[bytes]) -> None:
        """A receipt may overtake the response that names it: on another connection, or in a server that is quick."""
        met = self._early.intersection(ids)
        self._early -= met
        for id_ in met:
            del self._owed[id_]
        self.foreign -= len(met)
        self.receipts += len(met)
        self.receipt_latency.add(0, len(met))

    def receive(self, ids: Sequence[bytes], now: int) -> None:
        """The receipts of one read. Those of one earlier read share their start."""
        self.last_receipt = now
        if not self.following:
            self.receipts += len(ids)
            return
        starts = list(map(self._owed.pop, ids, repeat(0)))
        for start, number in Counter(starts).items():
            if start:
                self.receipts += number
                self.receipt_latency.add((now - start) // 1000, number)
            else:
                self.foreign += number
                self._early.update(id_ for id_, found in zip(ids, starts, strict=True) if not found)
