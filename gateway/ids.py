"""Message ids: 63-bit integers that grow with time and never repeat, also across restarts.

Layout, high to low: 41 bits of milliseconds since EPOCH, 6 bits of node, 16 bits of sequence. On the wire they are
plain decimal digits without leading zeros, because clients compare them as text, as numbers, or both.

Invariant: every id is greater than all that this minter gave before and than `last`, whatever the wall clock does.
"""

from __future__ import annotations

EPOCH_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z: 41 bits of milliseconds reach to 2095
NODE_BITS, SEQUENCE_BITS = 6, 16
SHIFT = NODE_BITS + SEQUENCE_BITS
NODES = 1 << NODE_BITS
PER_MILLISECOND = 1 << SEQUENCE_BITS
LARGEST = (1 << 63) - 1


def id_at(wall_ms: int, node: int = 0) -> int:
    """The smallest id of that millisecond and node: a bound for searching by time."""
    return (max(0, wall_ms - EPOCH_MS) << SHIFT) + (node << SEQUENCE_BITS)


def made_at(id_: int) -> int | None:
    """When an id was made, in milliseconds of wall time; None for 0, the newest id of a store that has none."""
    return (id_ >> SHIFT) + EPOCH_MS if id_ else None


class Minter:
    """Gives out runs of consecutive ids. `last` is the greatest id the store has ever seen."""

    def __init__(self, node: int = 0, last: int = 0) -> None:
        if not 0 <= node < NODES:
            raise ValueError(f"node must be 0 to {NODES - 1}, not {node}")
        self._node = node
        self._next = last + 1

    def mint(self, count: int, wall_ms: int) -> range:
        """-> `count` consecutive ids; ahead of the clock, rather than repeated, when a millisecond has no more."""
        first = id_at(wall_ms, self._node)
        if first < self._next:
            first = self._after(count)
        self._next = first + count
        return range(first, first + count)

    def _after(self, count: int) -> int:
        """The next free ids of this node; a run never spills into the bits of another node."""
        first = self._next
        place = first & ((1 << SHIFT) - 1)
        start = self._node << SEQUENCE_BITS
        if not start <= place <= start + PER_MILLISECOND - count:
            first = first - place + start if place < start else first - place + (1 << SHIFT) + start
        return first

    def begin_after(self, last: int) -> None:
        """Never give out `last` or anything below it: the greatest id the store has seen."""
        self._next = max(self._next, last + 1)

    @property
    def next(self) -> int:
        """No id from here on has been given out."""
        return self._next
