"""Files of history that are written in the background: what is asked for, how far each has come, how long it is kept.

Invariant: what stands here about a file is never more than what is surely in it; at most so many of an account at a
time. Knows neither folders nor formats: a row says how much of a file counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..group import Told
from ..protocol import Conflict
from ..sql import Statements
from .database import Database

OPEN = ("waiting", "running")
_COLUMNS = (
    "id, account, direction, filter, masked, who, time_zone, at, expires_at, state, rows, octets, before, estimate,"
    " done_at, reason"
)
# ruff: noqa: S608 (statements are put together from the texts above, never from values)


class Export(NamedTuple):
    """`rows` and `octets` are surely in the file; `before` is the id of the last of them."""

    id: int
    account: int
    direction: str
    filter: dict[str, str]
    masked: bool
    who: str
    time_zone: str
    at: int
    expires_at: int
    state: str
    rows: int
    octets: int
    before: int | None
    estimate: int | None
    done_at: int | None
    reason: str


class Order(NamedTuple):
    """What somebody asks for."""

    account: int
    direction: str
    filter: Mapping[str, str]
    masked: bool
    who: str
    time_zone: str
    at: int
    expires_at: int


class Exports:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, order: Order, most: int) -> Export:
        """Conflict if the account has as many already."""
        id_: int = await self._database.write(added(order, most))
        found = await self.find(order.account, id_)
        assert found is not None
        return found

    async def of_account(self, account: int) -> list[Export]:
        """Newest first."""
        return await self._all("WHERE account = ? ORDER BY id DESC", account)

    async def find(self, account: int, id_: int) -> Export | None:
        return next(iter(await self._all("WHERE account = ? AND id = ?", account, id_)), None)

    async def next(self) -> Export | None:
        """The one to go on with: the oldest that is not done."""
        return next(iter(await self._all("WHERE done_at IS NULL ORDER BY id LIMIT 1")), None)

    async def kept(self) -> list[Export]:
        """All whose files count."""
        return await self._all("WHERE state IN ('waiting', 'running', 'done')")

    async def expired(self, now: int) -> list[Export]:
        return await self._all("WHERE expires_at <= ?", now)

    async def _all(self, where: str, *parameters: Any) -> list[Export]:
        return [made(row) for row in await self._database.read(f"SELECT {_COLUMNS} FROM export {where}", *parameters)]

    async def progress(self, id_: int, rows: int, octets: int, before: int | None, estimate: int | None) -> bool:
        """-> False if nobody wants it any more."""
        wanted: bool = await self._database.write(progressed(id_, rows, octets, before, estimate))
        return wanted

    async def end(self, id_: int, state: str, at: int, reason: str = "") -> bool:
        """done, failed or cancelled. -> False if it had ended."""
        ended: bool = await self._database.write(ending(id_, state, at, reason))
        return ended

    async def remove(self, id_: int) -> None:
        await self._database.write(removed(id_))


def made(row: tuple[Any, ...]) -> Export:
    found = Export._make(row)
    return found._replace(filter=json.loads(row[3]), masked=bool(row[4]))


# -- the transactions --------------------------------------------------------------------------------------------------
def added(order: Order, most: int) -> Statements[Told]:
    ((number,),) = yield "SELECT count(*) FROM export WHERE account = ?", (order.account,)
    if number >= most:
        raise Conflict(f"there are {number} exports already")
    ((id_,),) = yield (
        "INSERT INTO export(account, direction, filter, masked, who, time_zone, at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (*order[:2], json.dumps(dict(order.filter)), int(order.masked), *order[4:]),
    )
    return Told(id_)


def progressed(id_: int, rows: int, octets: int, before: int | None, estimate: int | None) -> Statements[Told]:
    found = yield (
        "UPDATE export SET state = 'running', rows = ?, octets = ?, before = ?, estimate = ?"
        " WHERE id = ? AND done_at IS NULL RETURNING id",
        (rows, octets, before, estimate, id_),
    )
    return Told(bool(found))


def ending(id_: int, state: str, at: int, reason: str) -> Statements[Told]:
    found = yield (
        "UPDATE export SET state = ?, done_at = ?, reason = ? WHERE id = ? AND done_at IS NULL RETURNING id",
        (state, at, reason, id_),
    )
    return Told(bool(found))


def removed(id_: int) -> Statements[Told]:
    yield "DELETE FROM export WHERE id = ?", (id_,)
    return Told()
