"""How many parts an account may send: the generic cell rate algorithm, told as a bucket that leaks.

Invariant: in any stretch of t seconds no more than throughput * t + burst parts pass (a single message of more parts
than the burst excepted, which passes when the bucket is full and is paid off afterwards). Keeps no clock.
"""

from math import inf

_DECIMALS = 6  # of a part: what floating point may lose must not cost a message


class Rate:
    """One for an account, shared by all its binds. A throughput of 0 means no limit."""

    __slots__ = ("_at", "_owed", "burst", "throughput")

    def __init__(self, throughput: float, burst: float) -> None:
        self.throughput, self.burst = throughput, burst
        self._owed, self._at = 0.0, 0.0  # parts taken and not yet paid off, at that time

    def available(self, now: float) -> float:
        """Parts that may pass now. Equal to the burst when the bucket is full; negative after a larger message."""
        if not self.throughput:
            return inf
        return round(self.burst - self._left(now), _DECIMALS)

    def take(self, parts: int, now: float) -> None:
        """These parts have passed."""
        if self.throughput and parts:
            self._owed, self._at = self._left(now) + parts, max(now, self._at)

    def give_back(self, parts: int) -> None:
        """These were taken and could not be accepted after all."""
        self._owed = max(0.0, self._owed - parts)

    def retune(self, throughput: float, burst: float) -> None:
        """New limits for an account that is sending: what it has just taken still counts, up to one empty bucket."""
        self.throughput, self.burst = throughput, burst
        self._owed = min(self._owed, burst)

    def _left(self, now: float) -> float:
        return max(0.0, self._owed - max(0.0, now - self._at) * self.throughput)
