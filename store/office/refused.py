"""What was refused, as people look for it: by account, kind, reason, time, and whatever names it.

Invariant: every question looks through a bounded number of rows; where there may be more, the answer says from where to
go on. The rows are written and trimmed by `transaction.refuse`; nothing here changes them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..protocol import RefusalRow
from .database import Database

# ruff: noqa: S608 (statements are put together from the texts below, never from values)
SCANNED = 100_000
"""Rows looked through for one answer, where no account is named: those of an account are 10,000 at most."""
LAST = 2**63 - 1
GROUPS = 100
"""There are fewer kinds and reasons than that."""
COLUMNS = ", ".join(RefusalRow._fields)
FITS = """
    id BETWEEN ?1 AND ?2 AND at >= ?3 AND (?4 = '' OR kind = ?4) AND (?5 = '' OR reason = ?5)
    AND (?6 = '' OR ?6 COLLATE NOCASE IN (peer, system_id, ltrim(source, '+'), ltrim(destination, '+')))
"""
OF_ACCOUNTS = """
    id IN (
        SELECT id FROM refusal WHERE account IN (SELECT value FROM json_each(?7))
        UNION ALL
        SELECT id FROM refusal WHERE account IS NULL AND system_id IN (SELECT value FROM json_each(?8))
    ) AND
"""


class Wanted(NamedTuple):
    """Empty texts stand for any. `accounts` None for all; else those whose messages are meant, and `system_ids` by
    which their binds are known. `named`: the peer's address, the system_id, the sender or the recipient."""

    accounts: Sequence[int] | None = None
    system_ids: Sequence[str] = ()
    kind: str = ""
    reason: str = ""
    named: str = ""
    since: int = 0


class Remembered(NamedTuple):
    id: int
    row: RefusalRow


class Counted(NamedTuple):
    """Refusals of one kind for one reason, and the last of them."""

    number: int
    last: Remembered


class Refused:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, id_: int) -> Remembered | None:
        rows = await self._database.read(f"SELECT id, {COLUMNS} FROM refusal WHERE id = ?", id_)
        return remembered(rows[0]) if rows else None

    async def newest(
        self, wanted: Wanted, before: int | None = None, limit: int = 50
    ) -> tuple[list[Remembered], int | None]:
        """-> newest first, and the `before` to go on from: also where nothing fitted among those looked through."""
        ((first,),) = await self._database.read("SELECT coalesce(min(id), 0) FROM refusal")
        floor, last = await self._range(wanted, before)
        rows = await self._database.read(
            f"SELECT id, {COLUMNS} FROM refusal WHERE {where(wanted)} ORDER BY id DESC LIMIT ?9",
            *values(wanted, floor, last), limit,
        )  # fmt: skip
        found = list(map(remembered, rows))
        if len(found) == limit:
            return found, found[-1].id
        return found, floor if floor > first else None

    async def by_reason(self, wanted: Wanted) -> list[Counted]:
        """Most frequent first."""
        # SQLite takes the other columns of a group from the row that has the max()
        rows = await self._database.read(
            f"SELECT sum(count), max(id), {COLUMNS} FROM refusal WHERE {where(wanted)}"
            " GROUP BY kind, reason ORDER BY 1 DESC, kind, reason LIMIT ?9",
            *values(wanted, *await self._range(wanted, None)), GROUPS,
        )  # fmt: skip
        return [Counted(number, remembered(rest)) for number, *rest in rows]

    async def _range(self, wanted: Wanted, before: int | None) -> tuple[int, int]:
        """The ids to look through, both included."""
        if wanted.accounts is not None:
            return 0, LAST if before is None else before - 1
        ((newest,),) = await self._database.read("SELECT coalesce(max(id), 0) FROM refusal")
        last = newest if before is None else min(newest, before - 1)
        return max(0, last - SCANNED + 1), last


def where(wanted: Wanted) -> str:
    return FITS if wanted.accounts is None else OF_ACCOUNTS + FITS


def values(wanted: Wanted, floor: int, last: int) -> tuple[Any, ...]:
    accounts, system_ids = json.dumps(wanted.accounts), json.dumps(wanted.system_ids)
    return floor, last, wanted.since, wanted.kind, wanted.reason, wanted.named.lstrip("+"), accounts, system_ids


def remembered(row: Sequence[Any]) -> Remembered:
    return Remembered(row[0], RefusalRow._make(row[1:]))
