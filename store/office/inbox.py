"""What phones have sent to an account, as people look for it: by time and by numbers.

Invariant: every message is found, whether its numbers have been read out of it or not, and each once. Knows no
encoding: who reads a body hands in how.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..group import Told
from ..sql import Statements, overwriting, with_ids
from .changes import Change, logged
from .database import Database
from .history import BITE, PAGE, Kept, Wanted, marked

# ruff: noqa: S608 (statements are put together from the texts below, never from values)
Addresses = Callable[[bytes], tuple[str, str]]
"""Body -> sender and recipient."""
_RECEIVED = (
    "SELECT i.id, i.at, i.body,"
    " EXISTS (SELECT 1 FROM delivery AS d WHERE d.account = i.account AND d.id = i.id),"
    " (SELECT reason FROM given_up AS g WHERE g.id = i.id) FROM incoming AS i"
    " WHERE i.account = ? AND i.id BETWEEN ? AND ?"
)
_NEWEST = " ORDER BY i.id DESC LIMIT ?"


class Received(NamedTuple):
    """`owed`: it waits for a bind to take it."""

    id: int
    at: int
    body: bytes
    owed: bool
    given_up: str | None


class Inbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def enter(self, addresses: Addresses) -> bool:
        """The numbers of the next messages. -> whether there may be more."""
        rows = await self._database.read("SELECT id, body FROM incoming WHERE source IS NULL ORDER BY id LIMIT ?", BITE)
        if rows:
            await self._database.write(entered([(*addresses(body), id_) for id_, body in rows]))
        return len(rows) == BITE

    async def received(self, account: int, wanted: Wanted, addresses: Addresses, limit: int = 50) -> list[Received]:
        """Newest first: at most `limit`."""
        found = dict[int, Received]()
        if wanted.source or wanted.destination:
            found = {row.id: row for row in await self._unread(account, wanted, addresses, limit)}
        sql, parameters = indexed(account, wanted)
        for row in await self._database.read(_RECEIVED + sql + _NEWEST, *parameters, limit):
            found.setdefault(row[0], made(row))  # read between the two questions
        return [found[id_] for id_ in sorted(found, reverse=True)[:limit]]

    async def _unread(self, account: int, wanted: Wanted, addresses: Addresses, limit: int) -> list[Received]:
        """What fits of those whose numbers nobody has read yet."""
        found, last = list[Received](), wanted.last
        sql = _RECEIVED + " AND i.source IS NULL" + _NEWEST
        while len(found) < limit:
            rows = [made(row) for row in await self._database.read(sql, account, wanted.first, last, PAGE)]
            found += [row for row in rows if fits(row.body, wanted, addresses)]
            if len(rows) < PAGE:
                break
            last = rows[-1].id - 1
        return found

    async def count(self, account: int, wanted: Wanted) -> int:
        """How many fit, but for those whose numbers nobody has read."""
        sql, parameters = indexed(account, wanted)
        rows = await self._database.read(
            "SELECT count(*) FROM incoming AS i WHERE i.account = ? AND i.id BETWEEN ? AND ?" + sql, *parameters
        )
        return int(rows[0][0])

    async def erase(self, account: int, ids: Sequence[int], changes: Sequence[Change] = ()) -> int:
        """Of those that were taken or given up. -> how many."""
        erased: int = await self._database.write(overwriting(erasing(account, ids, changes)))
        return erased

    async def taken(self, account: int, after: int, below: int, limit: int = BITE) -> list[Kept]:
        """From `after` to `below`, oldest first."""
        rows = await self._database.read(
            "SELECT i.id, i.body, NOT EXISTS"
            " (SELECT 1 FROM delivery AS d WHERE d.account = i.account AND d.id = i.id)"
            " FROM incoming AS i WHERE i.account = ? AND i.id >= ? AND i.id < ? ORDER BY i.id LIMIT ?",
            *(account, after, below, limit),
        )
        return [Kept(id_, body, bool(free)) for id_, body, free in rows]

    async def strip(
        self, account: int, bodies: Sequence[tuple[int, bytes]], numbers: bool, mark: tuple[str, int]
    ) -> None:
        """Other bodies for messages that may be erased; those that would be empty go."""
        await self._database.write(overwriting(stripping(account, bodies, numbers, mark)))


def indexed(account: int, wanted: Wanted) -> tuple[str, list[Any]]:
    sql = ""
    parameters: list[Any] = [account, wanted.first, wanted.last]
    for column, value in (("source", wanted.source), ("destination", wanted.destination)):
        if value:
            sql += f" AND i.{column} = ?"
            parameters.append(value)
    return sql, parameters


def fits(body: bytes, wanted: Wanted, addresses: Addresses) -> bool:
    source, destination = addresses(body)
    return wanted.source in ("", source) and wanted.destination in ("", destination)


def made(row: tuple[Any, ...]) -> Received:
    id_, at, body, owed, given_up = row
    return Received(id_, at, body, bool(owed), given_up)


# -- the transactions --------------------------------------------------------------------------------------------------
def entered(entries: Sequence[tuple[str, str, int]]) -> Statements[Told]:
    for entry in entries:
        yield "UPDATE incoming SET source = ?, destination = ? WHERE id = ?", entry
    return Told()


def erasing(account: int, ids: Sequence[int], changes: Sequence[Change]) -> Statements[Told]:
    rows = yield from with_ids(
        "DELETE FROM incoming WHERE account = ? AND id IN ?"
        " AND NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.account = incoming.account AND d.id = incoming.id)"
        " RETURNING id",
        (account,),
        ids,
    )
    told = yield from logged(changes if rows else ())
    told.value, told.erased = len(rows), bool(rows)
    return told


def stripping(
    account: int, bodies: Sequence[tuple[int, bytes]], numbers: bool, mark: tuple[str, int]
) -> Statements[Told]:
    for id_, body in bodies:
        if not body:
            yield "DELETE FROM incoming WHERE id = ? AND account = ?", (id_, account)
            continue
        yield "UPDATE incoming SET body = ? WHERE id = ? AND account = ?", (bytearray(body), id_, account)
        if numbers:
            yield "UPDATE incoming SET source = '', destination = '' WHERE id = ?", (id_,)
    yield from marked(account, mark)
    return Told(erased=bool(bodies))
