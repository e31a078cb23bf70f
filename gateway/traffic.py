"""How much each account does: counted on the road per batch, gathered a second or two later, kept by the minute.

Invariant: on the road a batch costs one addition. What could not be kept is tried again with what comes next, and is
bounded by accounts and minutes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass

from store.office.traffic import MINUTE, Count, Traffic

LONGEST_WAIT = 10_000  # minutes of accounts that a store which is down may owe


@dataclass(slots=True)
class Tally:
    """Of one account, since the gateway started."""

    submitted: int = 0
    delivered: int = 0
    failed: int = 0
    refused: int = 0


class Figures:
    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._seen: dict[int, tuple[int, ...]] = {}
        self._owed: dict[tuple[int, int], Count] = {}  # by account and minute

    def gather(self, tallies: Iterable[tuple[int, Tally]], now: int) -> None:
        """What was counted since the last time belongs to this minute."""
        minute = now - now % MINUTE
        for account, tally in tallies:
            total = astuple(tally)
            before = self._seen.get(account, (0, 0, 0, 0))
            if total == before:
                continue
            self._seen[account] = total
            owed = self._owed.get((account, minute), Count(account, minute, 0, 0, 0, 0))
            more = (new - old + so_far for new, old, so_far in zip(total, before, owed[2:], strict=True))
            if len(self._owed) < LONGEST_WAIT or (account, minute) in self._owed:
                self._owed[account, minute] = Count(account, minute, *more)

    async def keep(self) -> None:
        """A StoreError says that it is still owed."""
        counts = list(self._owed.values())
        if not counts:
            return
        self._owed.clear()
        try:
            await self._traffic.add(counts)
        except BaseException:
            for count in counts:
                key = (count.account, count.at)
                later = self._owed.get(key, Count(*key, 0, 0, 0, 0))
                self._owed[key] = Count(*key, *(a + b for a, b in zip(count[2:], later[2:], strict=True)))
            raise
