"""How long things took: a histogram whose size does not grow with the run.

Invariant: whole microseconds, exact up to two milliseconds, then to one part in a thousand; the longest stays exact.
"""

from collections import Counter
from typing import NamedTuple

EXACT = 11  # bits that are kept
STEPS = tuple(step * 10**power for power in range(1, 9) for step in (1, 2, 5))  # microseconds, where a bar ends


class Bar(NamedTuple):
    to_ms: float
    number: int


class Times:
    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.longest = 0

    def add(self, microseconds: int, number: int) -> None:
        if microseconds > self.longest:
            self.longest = microseconds
        if microseconds >> EXACT:
            microseconds |= (1 << microseconds.bit_length() - EXACT) - 1
        self._counts[microseconds] += number

    @property
    def number(self) -> int:
        return self._counts.total()

    def quantile(self, share: float) -> int:
        """Microseconds that `share` of them did not exceed; 0 of nothing."""
        wanted, seen = share * self.number, 0
        for value in sorted(self._counts):
            seen += self._counts[value]
            if seen >= wanted:
                return min(value, self.longest)
        return 0

    def bars(self) -> list[Bar]:
        """In steps of 1, 2 and 5, from the first that holds anything to the last."""
        found: Counter[int] = Counter()
        for value, number in self._counts.items():
            found[next((at for at, step in enumerate(STEPS) if value <= step), len(STEPS) - 1)] += number
        return [Bar(STEPS[at] / 1000, found[at]) for at in range(min(found), max(found) + 1)] if found else []
