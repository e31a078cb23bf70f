"""Numbers that an account does not write to: those that answered STOP, and those somebody entered.

Invariant: a number stands there once for each account, for the reason it came first. What a phone says is noted in the
transaction that stores what it said (`transaction.incoming`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..group import Told
from ..protocol import Conflict
from ..sql import Statements, insert
from .changes import Change, logged
from .database import Database

MOST = 100_000
"""Numbers of one account that people may enter: they are held in memory."""
MOST_STOPPED = 500_000
"""Numbers of one account, with those that answered STOP."""


class Blocked(NamedTuple):
    """`origin`: stop or manual."""

    account: int
    number: str
    at: int
    origin: str
    note: str


BLOCKED = f"SELECT {', '.join(Blocked._fields)} FROM blacklist"  # noqa: S608 (names)


class Blacklist:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def numbers(self, account: int | None = None) -> dict[int, list[str]]:
        """Account -> its numbers; of one account, or of all that have any."""
        where, parameters = ("", ()) if account is None else ("WHERE account = ?", (account,))
        found: dict[int, list[str]] = {}
        for id_, number in await self._database.read(f"SELECT account, number FROM blacklist {where}", *parameters):  # noqa: S608 (no value)
            found.setdefault(id_, []).append(number)
        return found

    async def page(self, account: int, after: str = "", limit: int = 100, beginning: str = "") -> list[Blocked]:
        """In the order of the numbers; `after` is the last one seen."""
        rows = await self._database.read(
            f"{BLOCKED} WHERE account = ? AND number > ? AND number >= ? AND number < ? ORDER BY number LIMIT ?",
            *(account, after, beginning, beginning + ":", limit),
        )
        return list(map(Blocked._make, rows))

    async def find(self, account: int, number: str) -> Blocked | None:
        rows = await self._database.read(f"{BLOCKED} WHERE account = ? AND number = ?", account, number)
        return Blocked._make(rows[0]) if rows else None

    async def count(self, account: int) -> int:
        ((number,),) = await self._database.read("SELECT count(*) FROM blacklist WHERE account = ?", account)
        return int(number)

    async def add(
        self, account: int, numbers: Sequence[str], at: int, note: str, changes: Sequence[Change] = ()
    ) -> None:
        """Those that stand there already stay as they are. Conflict if there are too many."""
        await self._database.write(adding(account, numbers, at, note, changes))

    async def remove(self, account: int, numbers: Sequence[str], changes: Sequence[Change] = ()) -> int:
        """-> how many were there."""
        gone: int = await self._database.write(removing(account, numbers, changes))
        return gone


def stopped(account: int, numbers: Sequence[str], at: int) -> Statements[None]:
    """Phones that asked to be left alone; whatever else stands there."""
    for number in numbers:
        yield (
            "INSERT INTO blacklist(account, number, at, origin, note) VALUES (?, ?, ?, 'stop', '')"
            " ON CONFLICT DO NOTHING",
            (account, number, at),
        )


def adding(account: int, numbers: Sequence[str], at: int, note: str, changes: Sequence[Change]) -> Statements[Told]:
    ((present,),) = yield "SELECT count(*) FROM blacklist WHERE account = ?", (account,)
    if present + len(numbers) > MOST:
        raise Conflict(f"the blacklist holds at most {MOST} numbers; {present} are there")
    known: set[Any] = set()
    for number in numbers:
        if (yield "SELECT 1 FROM blacklist WHERE account = ? AND number = ?", (account, number)):
            known.add(number)
    rows = [(number,) for number in dict.fromkeys(numbers) if number not in known]
    shared = ("account", "at", "origin", "note")
    yield from insert("blacklist", shared, (account, at, "manual", note), ("number",), rows)
    return (yield from logged(changes if rows else ()))


def removing(account: int, numbers: Sequence[str], changes: Sequence[Change]) -> Statements[Told]:
    gone = 0
    for number in numbers:
        rows = yield "DELETE FROM blacklist WHERE account = ? AND number = ? RETURNING number", (account, number)
        gone += len(rows)
    told = yield from logged(changes if gone else ())
    told.value = gone
    return told
