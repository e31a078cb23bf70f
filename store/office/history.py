"""What an account sent, as people look for it: by time, sender, recipient and state.

Invariant: every message is found, whether it has been entered into the index or not, and each once; erasing takes what
was said and by whom to whom, and leaves what it cost. Lines of the ledger are in the order of the commits, so the index
follows them and misses nothing. Knows no encoding: who reads a body hands in how.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .. import reading
from ..group import Told
from ..protocol import MessageRow, RefusalRow
from ..sql import Statements, overwriting, with_ids
from .changes import Change, logged
from .database import Database

# ruff: noqa: S608 (statements are put together from the texts below, never from values)
LAST = 2**63 - 1
BITE = 100
"""Messages entered or erased at a time, if nothing else is said. Each is a page or two of the index."""
PAGE = STRIDE = 2_000
"""Messages, and lines of the ledger, beyond the index that are looked through at a time."""
AROUND = 50
"""Lines of the ledger within which ids may stand in another order than their commits."""
DELIVERED = 2
Addresses = Callable[[bytes], tuple[str, str]]
"""Body -> sender and recipient."""


class Wanted(NamedTuple):
    """`first` and `last` bound the ids (so the time), both included. `state` None for any, 0 for no end yet."""

    first: int = 0
    last: int = LAST
    source: str = ""
    destination: str = ""
    state: int | None = None


class Kept(NamedTuple):
    """`free`: it may be erased."""

    id: int
    body: bytes
    free: bool


class Unwanted(NamedTuple):
    """Refused messages: `since` to `until` in milliseconds, numbered `below`; texts may be empty."""

    since: int = 0
    until: int = LAST
    below: int = LAST
    reason: str = ""
    source: str = ""
    destination: str = ""


class Fate(NamedTuple):
    """What became of the receipt of a message: it is owed, or was given up with a reason; neither: acknowledged, or
    never wanted."""

    owed: bool
    given_up_at: int | None
    given_up: str | None


_BY_IDS = reading.MESSAGE.format(source="message AS m") + "WHERE m.account = ? AND m.id IN ? ORDER BY m.id DESC"
_TAIL = (
    reading.MESSAGE.format(source=reading.OF_LINES)
    + "WHERE l.account = ?1 AND l.kind = 'debit' AND l.line > ?2 AND l.line <= ?3 AND (l.line < ?3 OR m.id < ?4)"
    " AND instr(m.body, ?5) AND instr(m.body, ?6) ORDER BY l.line DESC, m.id DESC LIMIT ?7"
)
# What has no end lies above the mark, or is scheduled: few, so they lead to their messages.
_UNDER_WAY = """(
    SELECT id FROM scheduled WHERE account = ? UNION
    SELECT id FROM sent WHERE account = ? AND id >= (SELECT settled_below FROM mark)
) AS p CROSS JOIN sent AS x ON x.id = p.id"""
# The + keeps SQLite from making an index over all messages for each bite. One row for all: for each row sqlite3 gives
# the interpreter away and asks for it again, and the sessions wait for it as often.
_NEXT = """
    SELECT json_group_array(json_array(line, account, id, hex(body))), (SELECT max(line) FROM ledger) FROM (
        SELECT l.line, m.account, m.id, m.body FROM ledger AS l
        CROSS JOIN message AS m
            ON m.id BETWEEN max(l.first_id, iif(l.line = ?2, ?3 + 1, 0)) AND l.last_id AND +m.charge_line = l.line
        WHERE l.line > ?1 AND l.kind = 'debit' ORDER BY l.line, m.id LIMIT ?4
    )
"""
_ENTER = """
    INSERT OR IGNORE INTO sent(account, id, source, destination)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)
"""


class History:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._alone = asyncio.Lock()
        """Whoever erases what is just being entered would have its numbers come back."""
        self._mark = -1
        """The line up to which all is entered, once it is known; nobody else moves it."""
        self._within = (0, 0)
        """A line behind it of which this id and lower ones are entered: forgotten, they are entered again."""

    # -- the index -------------------------------------------------------------------------------------------------
    async def behind(self) -> int:
        """Lines of the ledger that the index has not seen."""
        ((lines,),) = await self._database.read(
            "SELECT coalesce((SELECT max(line) FROM ledger), 0) - line FROM sent_mark"
        )
        return int(lines)

    async def enter(self, addresses: Addresses, bite: int = BITE) -> bool:
        """The next messages. -> whether there may be more."""
        async with self._alone:
            return await self._enter(addresses, bite)

    async def _enter(self, addresses: Addresses, bite: int) -> bool:
        if self._mark < 0:
            ((self._mark,),) = await self._database.read("SELECT line FROM sent_mark")
        ((packed, last),) = await self._database.read(_NEXT, self._mark, *self._within, bite)
        rows, mark, within = json.loads(packed), last or 0, (0, 0)
        if len(rows) == bite:
            within, mark = (rows[-1][0], rows[-1][2]), rows[-1][0] - 1
        if rows or mark > self._mark:
            entries = [(account, id_, *addresses(bytes.fromhex(body))) for _line, account, id_, body in rows]
            await self._database.along([(_ENTER, (json.dumps(entries),)), ("UPDATE sent_mark SET line = ?", (mark,))])
        self._mark, self._within = mark, within
        return len(rows) > 0

    # -- sent ------------------------------------------------------------------------------------------------------
    async def sent(self, account: int, wanted: Wanted, addresses: Addresses, limit: int) -> list[MessageRow]:
        """Newest first: at most `limit`."""
        ((mark,),) = await self._database.read("SELECT line FROM sent_mark")
        found = await self._beyond(mark, account, wanted, addresses, limit)
        ids = [id_ for (id_,) in await self._database.read(*indexed(account, wanted, limit))]
        known = {row.id for row in found}  # entered between the two questions
        if missing := [id_ for id_ in ids if id_ not in known]:
            sql = _BY_IDS.replace("IN ?", f"IN ({','.join('?' * len(missing))})")
            found += map(MessageRow._make, await self._database.read(sql, account, *missing))
        return sorted(found, key=lambda row: row.id, reverse=True)[:limit]

    async def count(self, account: int, wanted: Wanted) -> int:
        """How many of those that the index has seen fit."""
        sql, *parameters = indexed(account, wanted, LAST)
        ((number,),) = await self._database.read(f"SELECT count(*) FROM ({sql})", *parameters)
        return int(number)

    async def _beyond(
        self, mark: int, account: int, wanted: Wanted, addresses: Addresses, limit: int
    ) -> list[MessageRow]:
        """What fits of what the index has not seen; when there is enough, a page more, for those out of order."""
        found: list[MessageRow] = []
        ((line,),) = await self._database.read(reading.LINE_BEFORE, wanted.last, account)
        ((floor,),) = await self._database.read(reading.LINE_BEFORE, wanted.first, account)
        line, id_, floor, last_page = line + AROUND, LAST, max(mark, floor - AROUND), False
        # a number stands in the body as it is asked for: SQLite leaves out nearly all that cannot fit
        sieve = [text.encode("latin-1", "replace") for text in (wanted.source, wanted.destination)]
        while line > floor and not last_page:
            last_page, low = len(found) >= limit, max(floor, line - STRIDE)
            page = await self._database.read(_TAIL, account, low, line, id_, *sieve, PAGE)
            rows = [MessageRow._make(row) for row in page]
            found += [row for row in rows if fits(row, wanted, addresses)]
            line, id_ = (rows[-1].charge_line, rows[-1].id) if len(rows) == PAGE else (low, LAST)
            await asyncio.sleep(0)  # the sessions have their turn
        return found

    async def fates(self, ids: Sequence[int]) -> dict[int, Fate]:
        """Id -> what became of its receipt."""
        marks = ",".join("?" * len(ids))
        owed = await self._database.read(f"SELECT id FROM delivery WHERE id IN ({marks})", *ids)
        given = await self._database.read(f"SELECT id, at, reason FROM given_up WHERE id IN ({marks})", *ids)
        found = {id_: Fate(True, None, None) for (id_,) in owed}
        return found | {id_: Fate(False, at, reason) for id_, at, reason in given}

    # -- refused ---------------------------------------------------------------------------------------------------
    async def refused(self, account: int, wanted: Unwanted, limit: int = 50) -> list[tuple[int, RefusalRow]]:
        """Of those that are remembered, newest first, each with its number."""
        where = "account = ? AND kind = 'message' AND at >= ? AND at < ? AND id < ?"
        parameters: list[Any] = [account, *wanted[:3]]
        for column in ("reason", "source", "destination"):
            if value := getattr(wanted, column):
                where += f" AND {column} = ?"
                parameters.append(value)
        rows = await self._database.read(
            f"SELECT id, {reading.REFUSED} FROM refusal WHERE {where} ORDER BY id DESC LIMIT ?", *parameters, limit
        )
        return [(row[0], RefusalRow._make(row[1:])) for row in rows]

    # -- erasing ---------------------------------------------------------------------------------------------------
    async def erase(self, account: int, ids: Sequence[int], changes: Sequence[Change] = ()) -> int:
        """Content and numbers of messages that have ended and owe no receipt. -> how many were erased."""
        async with self._alone:
            erased: int = await self._database.write(overwriting(erasing(account, ids, changes)))
        return erased

    async def ended(self, account: int, after: int, below: int, limit: int = BITE) -> list[Kept]:
        """What the index knows from `after` to `below`, oldest first."""
        rows = await self._database.read(
            "SELECT x.id, m.body, EXISTS (SELECT 1 FROM outcome AS o WHERE o.message = x.id) AND NOT EXISTS"
            " (SELECT 1 FROM delivery AS d WHERE d.account = x.account AND d.id = x.id)"
            " FROM sent AS x CROSS JOIN message AS m ON m.id = x.id"
            " WHERE x.account = ? AND x.id >= ? AND x.id < ? ORDER BY x.id LIMIT ?",
            *(account, after, below, limit),
        )
        return [Kept(id_, body, bool(free)) for id_, body, free in rows]

    async def strip(
        self, account: int, bodies: Sequence[tuple[int, bytes]], numbers: bool, mark: tuple[str, int]
    ) -> None:
        """Other bodies for messages that may be erased; `numbers`: they are found by theirs no more."""
        await self._database.write(overwriting(stripping(account, bodies, numbers, mark)))

    async def erased_below(self, account: int, what: str) -> int:
        rows = await self._database.read("SELECT below FROM erased WHERE account = ? AND what = ?", account, what)
        return int(rows[0][0]) if rows else 0

    async def forget_refused(self, account: int, before: int) -> int:
        """-> how many are remembered no more."""
        forgotten: int = await self._database.write(overwriting(forgetting(account, before)))
        return forgotten


def indexed(account: int, wanted: Wanted, limit: int) -> tuple[Any, ...]:
    """The question for ids, and its parameters: along the index that fits best."""
    where = ["x.account = ?", "x.id BETWEEN ? AND ?"]
    parameters: list[Any] = [account, wanted.first, wanted.last]
    source, order = "sent AS x", "x.id"
    if wanted.destination:
        where.append("x.destination = ?")
        parameters.append(wanted.destination)
    if wanted.source:
        where.append("x.source = ?")
        parameters.append(wanted.source)
    if wanted.state == 0:
        source, parameters = _UNDER_WAY, [account, account, *parameters]
        where.append("NOT EXISTS (SELECT 1 FROM outcome AS o WHERE o.message = x.id)")
    elif wanted.state == DELIVERED or (wanted.state is not None and wanted.destination):
        where.append("EXISTS (SELECT 1 FROM outcome AS o WHERE o.message = x.id AND o.state = ?)")
        parameters.append(wanted.state)
    elif wanted.state is not None:  # rare ends lead to their messages: a sender has many more
        source, order = "outcome AS o CROSS JOIN sent AS x ON x.id = o.message", "o.message"
        where += ["o.state = ?", "o.state <> 2", "o.message BETWEEN ? AND ?"]
        parameters += [wanted.state, wanted.first, wanted.last]
    return f"SELECT x.id FROM {source} WHERE {' AND '.join(where)} ORDER BY {order} DESC LIMIT ?", *parameters, limit


def fits(row: MessageRow, wanted: Wanted, addresses: Addresses) -> bool:
    if not wanted.first <= row.id <= wanted.last:
        return False
    if wanted.state is not None and (row.state or 0) != wanted.state:
        return False
    if not (wanted.source or wanted.destination):
        return True
    source, destination = addresses(row.body)
    return wanted.source in ("", source) and wanted.destination in ("", destination)


# -- the transactions --------------------------------------------------------------------------------------------------
def erasing(account: int, ids: Sequence[int], changes: Sequence[Change]) -> Statements[Told]:
    rows = yield from with_ids(
        "SELECT m.id FROM message AS m JOIN outcome AS o ON o.message = m.id WHERE m.account = ? AND m.id IN ?"
        " AND NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.account = m.account AND d.id = m.id)",
        (account,),
        ids,
    )
    done = [id_ for (id_,) in rows]
    yield from with_ids("UPDATE message SET body = x'' WHERE account = ? AND id IN ?", (account,), done)
    yield from with_ids("UPDATE sent SET source = '', destination = '' WHERE account = ? AND id IN ?", (account,), done)
    told = yield from logged(changes if done else ())
    told.value, told.erased = len(done), bool(done)
    return told


def stripping(
    account: int, bodies: Sequence[tuple[int, bytes]], numbers: bool, mark: tuple[str, int]
) -> Statements[Told]:
    for id_, body in bodies:
        yield "UPDATE message SET body = ? WHERE id = ? AND account = ?", (bytearray(body), id_, account)
    if numbers:
        ids = [id_ for id_, _body in bodies]
        yield from with_ids(
            "UPDATE sent SET source = '', destination = '' WHERE account = ? AND id IN ?", (account,), ids
        )
    yield from marked(account, mark)
    return Told(erased=bool(bodies))


def marked(account: int, mark: tuple[str, int]) -> Statements[None]:
    yield (
        "INSERT INTO erased(account, what, below) VALUES (?, ?, ?)"
        " ON CONFLICT(account, what) DO UPDATE SET below = max(below, excluded.below)",
        (account, *mark),
    )


def forgetting(account: int, before: int) -> Statements[Told]:
    rows = yield "DELETE FROM refusal WHERE account = ? AND at < ? RETURNING id", (account, before)
    return Told(len(rows), erased=bool(rows))
