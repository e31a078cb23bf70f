"""The log of changes: who changed what, when, from where, and what it was before.

Invariant: a line is written in the transaction of the change it tells of, and never touched again. Values are plain
JSON; what must not be read later (a password) is logged without its value.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..group import Told
from ..sql import Statement, Statements
from .database import Database


class Change(NamedTuple):
    """`old` and `new` are None where there is no value: before the first, after the last, or because it is secret."""

    at: int
    person: int | None
    who: str
    origin: str
    via: str
    account: int | None
    subject: str
    name: str
    old: Any = None
    new: Any = None


class ChangeRow(NamedTuple):
    id: int
    change: Change


COLUMNS = ", ".join(Change._fields)
LOOKED_BACK = 100_000


class Changes:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, changes: Sequence[Change]) -> None:
        """For what leaves no other trace in the store, such as a bind that somebody ended."""
        await self._database.write(logged(changes))

    async def find(self, id_: int) -> ChangeRow | None:
        rows = await self._database.read(f"SELECT id, {COLUMNS} FROM change WHERE id = ?", id_)  # noqa: S608 (names)
        return row_of(rows[0]) if rows else None

    async def last(self, subject: str, name: str) -> ChangeRow | None:
        """The last line of this, if it is among the last LOOKED_BACK."""
        rows = await self._database.read(
            f"SELECT id, {COLUMNS} FROM change WHERE subject = ? AND name = ?"  # noqa: S608 (names)
            " AND id > (SELECT coalesce(max(id), 0) FROM change) - ? ORDER BY id DESC LIMIT 1",
            subject, name, LOOKED_BACK,
        )  # fmt: skip
        return row_of(rows[0]) if rows else None

    async def newest(
        self, accounts: Sequence[int] | None, before: int | None = None, limit: int = 50
    ) -> list[ChangeRow]:
        """Newest first: of these accounts, or of everything if that is None. `before`: the last id seen."""
        chosen = "" if accounts is None else "account IN (SELECT value FROM json_each(?2)) AND"
        rows = await self._database.read(
            f"SELECT id, {COLUMNS} FROM change WHERE {chosen} id < ?1 ORDER BY id DESC LIMIT ?3",  # noqa: S608 (names)
            *(2**63 - 1 if before is None else before, json.dumps(accounts), limit),
        )
        return list(map(row_of, rows))


def row_of(row: tuple[Any, ...]) -> ChangeRow:
    id_, *fields = row
    change = Change._make(fields)
    return ChangeRow(id_, change._replace(old=loaded(change.old), new=loaded(change.new)))


def loaded(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def dumped(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def logged(changes: Sequence[Change]) -> Statements[Told]:
    told = Told()
    told.witness = yield from log(changes)
    return told


def log(changes: Sequence[Change], account: int | None = None) -> Statements[Statement | None]:
    """Write the lines; `account` for those that could not know it yet. -> what finds them again, if there are any."""
    witness: Statement | None = None
    for each in changes:
        change = each._replace(account=account) if each.account is None else each
        marks = ", ".join("?" * len(change))
        rows = yield (
            f"INSERT INTO change({COLUMNS}) VALUES ({marks}) RETURNING id",  # noqa: S608 (names)
            (*change[:-2], dumped(change.old), dumped(change.new)),
        )
        witness = "SELECT 1 FROM change WHERE id = ? AND at = ?", (rows[0][0], change.at)
    return witness
