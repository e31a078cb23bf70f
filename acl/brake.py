"""The brake on guessing passwords: after some failures of one key, one check an interval, the others wait their turn.

Invariant: nobody is locked out. Checks are put off, never forbidden, and refused only while the queue of a key is full;
failures fade, a success clears them, and the table is bounded. A key is a (system_id, address) or whatever is to be
slowed down; keys get here only by a failed check, so filling the table costs a check an entry.

Checks that start before the first of them has failed cannot be told apart from a customer who opens many binds at
once. So let one key's checks take turns, and ask `braked` again when the turn has come.
"""

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(slots=True)
class _Trouble:
    failures: int
    at: float  # of the last one; from then on they fade
    next: float  # the first moment that no check has taken


class Brake:
    __slots__ = ("_fade", "_failures", "_interval", "_most", "_queue", "_size", "_table")

    def __init__(
        self, failures: int = 5, interval: float = 1.0, queue: int = 5, size: int = 10_000, fade: float = 60.0
    ) -> None:
        """`fade`: seconds without a failure after which one is forgotten."""
        self._failures, self._interval, self._queue, self._size, self._fade = failures, interval, queue, size, fade
        self._most = 2 * failures  # however long an attack lasted, it is forgotten this many fades after it
        self._table: dict[Hashable, _Trouble] = {}

    def __len__(self) -> int:
        return len(self._table)

    def braked(self, key: Hashable, now: float) -> bool:
        """Must checks of this key wait their turn?"""
        trouble = self._table.get(key)
        return trouble is not None and self._left(trouble, now) >= self._failures

    def wait(self, key: Hashable, now: float) -> float | None:
        """Seconds until this check may be made; its turn is taken. None if too many are waiting already."""
        trouble = self._table.get(key)
        if trouble is None or self._left(trouble, now) < self._failures:
            return 0.0
        turn = max(now, trouble.next)
        if turn - now > self._queue * self._interval:
            return None
        trouble.next = turn + self._interval
        return turn - now

    def failed(self, key: Hashable, now: float) -> None:
        """A check of this key failed."""
        trouble = self._table.pop(key, None)
        if trouble is None:
            trouble = _Trouble(0, now, now)
        trouble.failures, trouble.at = min(self._most, self._left(trouble, now) + 1), now
        trouble.next = max(trouble.next, now + self._interval)
        self._table[key] = trouble  # the table is in the order of the last failure
        while len(self._table) > self._size:
            del self._table[next(iter(self._table))]

    def passed(self, key: Hashable) -> None:
        """A check of this key succeeded."""
        self._table.pop(key, None)

    def _left(self, trouble: _Trouble, now: float) -> int:
        return max(0, trouble.failures - int(max(0.0, now - trouble.at) / self._fade))
