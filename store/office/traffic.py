"""How much each account did, minute by minute and day by day: what charts are drawn of.

Invariant: an account has at most KEPT of each step, and a message counts once in each. These are no books: what was
counted since the last `add` is lost with the power.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from ..group import Told
from ..sql import Statements
from .database import Database

MINUTE, DAY = 60, 86_400
KEPT = {MINUTE: 49 * 60, DAY: 400}
FIGURES = ("submitted", "delivered", "failed", "refused")
SUMS = ", ".join(f"sum({name})" for name in FIGURES)


class Count(NamedTuple):
    """What an account did in the step that began at `at`, a second of wall time."""

    account: int
    at: int
    submitted: int
    delivered: int
    failed: int
    refused: int


class Traffic:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, counts: Sequence[Count]) -> None:
        """More of these minutes, and of the days they lie in."""
        await self._database.write(add(counts))

    async def steps(self, account: int, step: int, since: int, until: int) -> list[Count]:
        """Oldest first; where nothing happened there is none."""
        rows = await self._database.read(
            f"SELECT account, at, {', '.join(FIGURES)} FROM traffic"  # noqa: S608 (names)
            " WHERE account = ? AND step = ? AND at >= ? AND at < ? ORDER BY at",
            *(account, step, since, until),
        )
        return [Count._make(row) for row in rows]

    async def since(self, accounts: Sequence[int], at: int) -> dict[int, Count]:
        """What each account did in the minutes from then on."""
        rows = await self._database.read(
            f"SELECT account, ?2, {SUMS} FROM traffic WHERE account IN (SELECT value FROM json_each(?1))"  # noqa: S608 (names)
            f" AND step = {MINUTE} AND at >= ?2 GROUP BY account",
            *(json.dumps(accounts), at),
        )
        return {row[0]: Count._make(row) for row in rows}


def add(counts: Sequence[Count]) -> Statements[Told]:
    more = ", ".join(f"{name} = {name} + excluded.{name}" for name in FIGURES)
    values = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(Count._fields) + 1))
    accounts = json.dumps(sorted({count.account for count in counts}))
    for step, kept in KEPT.items():
        rows = [(count.account, step, count.at - count.at % step, *count[2:]) for count in counts]
        yield (
            f"INSERT INTO traffic SELECT {values} FROM json_each(?) WHERE true"  # noqa: S608 (names)
            f" ON CONFLICT(account, step, at) DO UPDATE SET {more}",
            (json.dumps(rows),),
        )
        yield (
            "DELETE FROM traffic WHERE account IN (SELECT value FROM json_each(?)) AND step = ? AND at < ?",
            (accounts, step, max(count.at for count in counts) - step * kept),
        )
    return Told()
