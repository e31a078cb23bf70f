"""The SQLite back end: one file, one writer connection behind a group commit, one reader beside it.

Invariant: all that is written goes through the committer, so through one thread in one order; whatever is read comes
from connections that cannot write. Knows no message and no setting from inside.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from . import accounts, auditing, reading
from .backup import write
from .committer import Committer, Hop
from .connection import READER, WRITER, Connection, connected, finished, seen
from .failures import is_damage, meaning
from .files import prepared
from .group import Entry, Told, Verb
from .office.answers import Answers
from .office.blacklist import Blacklist
from .office.changes import Change, Changes
from .office.credentials import Credentials
from .office.exports import Exports
from .office.history import History
from .office.inbox import Inbox
from .office.outbox import Outbox
from .office.people import People
from .office.refused import Refused
from .office.senders import Senders
from .office.statement import AccountStatement
from .office.topups import Topups
from .office.traffic import Traffic
from .protocol import (
    AccountRow,
    Automatic,
    Batch,
    Commit,
    Contents,
    Export,
    LedgerLine,
    MessageRow,
    Outcome,
    Owed,
    RefusalRow,
    StoreDown,
    StoreError,
    StoreFull,
)
from .room import Room
from .sql import R, Statement, Statements
from .transaction import transaction

MARK_EVERY = 5.0
"""Seconds between two writings of the low-water mark."""


class SqliteStore:
    """See `protocol.Store` for what the verbs promise."""

    def __init__(
        self, database: Path, committer: Committer, reader: Connection, room: Room, scheduled: set[int]
    ) -> None:
        self._database, self._committer, self._reader, self._room = database, committer, reader, room
        self._scheduled = scheduled
        self._loop = asyncio.get_running_loop()
        self._running: set[asyncio.Task[Told]] = set()
        self._mark, self._marked, self._mark_at = 0, 0, 0.0
        self._summed_to, self._sums = 0, dict[int, int]()
        self._one_scan = asyncio.Lock()
        self.people, self.changes = People(self), Changes(self)
        self.credentials, self.answers = Credentials(self), Answers(self)
        self.senders, self.blacklist = Senders(self), Blacklist(self)
        self.history, self.inbox, self.exports = History(self), Inbox(self), Exports(self)
        self.traffic, self.outbox, self.refused = Traffic(self), Outbox(self), Refused(self)
        self.topups, self.statement = Topups(self), AccountStatement(self)

    @property
    def engine(self) -> str:
        return f"SQLite {sqlite3.sqlite_version}"

    @property
    def observer(self) -> Callable[[Commit], None]:
        return self._committer.observer

    @observer.setter
    def observer(self, observer: Callable[[Commit], None]) -> None:
        self._committer.observer = observer

    # -- the road of a message -------------------------------------------------------------------------------------
    @property
    def awaited(self) -> bool:
        return self._committer.awaited

    @property
    def idle(self) -> float:
        return self._committer.idle

    def accept(self, batch: Batch, session: object) -> asyncio.Future[frozenset[int]]:
        if not self._room.enough(self._loop.time()):
            return self._failed(StoreFull("the free space of the disk is down to its reserve"))
        if not batch.rows:
            return self._done(frozenset())
        self._scheduled.update([id_ for id_, _ in batch.scheduled])
        return self._committer.join_urgently(Verb.ACCEPT, batch, None if batch.sends_on else session)

    def settle(self, outcomes: Sequence[Outcome]) -> asyncio.Future[frozenset[int]]:
        future = self._committer.join(Verb.SETTLE, outcomes)
        if self._scheduled:
            ids = [id_ for outcome in outcomes for id_ in outcome.ids if id_ in self._scheduled]
            if ids:
                future.add_done_callback(partial(self._forget, ids))
        return future

    def _forget(self, ids: Sequence[int], settled: asyncio.Future[frozenset[int]]) -> None:
        """These stand in the table of scheduled messages no more. (Those that still do cost a look at most.)"""
        if not settled.cancelled() and settled.exception() is None:
            self._scheduled.difference_update(set(ids) - settled.result())

    def unschedule(self, ids: Sequence[int]) -> asyncio.Future[frozenset[int]]:
        return self._committer.join(Verb.UNSCHEDULE, ids)

    def replace(self, message: int, body: bytearray, scheduled_at: int | None = None) -> asyncio.Future[bool]:
        return self._committer.join(Verb.REPLACE, (message, body, scheduled_at))

    def acknowledge(self, account: int, ids: Sequence[int]) -> asyncio.Future[None]:
        return self._committer.join(Verb.ACKNOWLEDGE, (account, ids))

    def give_up(self, account: int, ids: Sequence[int], reason: str) -> asyncio.Future[None]:
        return self._committer.join(Verb.GIVE_UP, (account, ids, reason))

    def note_incoming(
        self, account: int, rows: Sequence[tuple[int, bytearray]], stopped: Sequence[str] = ()
    ) -> asyncio.Future[None]:
        return self._committer.join(Verb.INCOMING, (account, rows, stopped)) if rows else self._done(None)

    def mark(self, settled_below: int) -> None:
        self._mark = max(self._mark, settled_below)
        if self._mark > self._marked and self._loop.time() >= self._mark_at:
            self._mark_at = self._loop.time() + MARK_EVERY
            self._write_mark()

    def _write_mark(self) -> None:
        self._marked = self._mark
        written = self._committer.join(Verb.MARK, self._mark)
        written.add_done_callback(lambda done: done.cancelled() or done.exception())  # the next one will do as well

    def _done(self, answer: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self._loop.create_future()
        future.set_result(answer)
        return future

    def _failed(self, error: StoreError) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self._loop.create_future()
        future.set_exception(error)
        return future

    # -- accounts and money ----------------------------------------------------------------------------------------
    async def write(self, statements: Statements[Told]) -> Any:
        """A transaction of its own. It goes on when its caller is cancelled: its observer must hear of it."""
        if self._committer.closed:
            raise StoreDown("the store is closed")
        self._running.add(task := self._loop.create_task(self._committer.run(statements)))
        task.add_done_callback(self._running.discard)
        task.add_done_callback(seen)
        try:
            return (await asyncio.shield(task)).value
        except (StoreError, ValueError):
            raise
        except Exception as error:
            raise meaning(error) from error

    async def along(self, statements: Sequence[Statement]) -> None:
        await self._committer.join(Verb.ALONG, statements)

    async def read(self, sql: str, *parameters: Any) -> list[Any]:
        try:
            return await self._reader.fetch(sql, parameters)
        except Exception as error:
            raise meaning(error) from error

    async def accounts(self) -> list[AccountRow]:
        return [reading.account(row) for row in await self.read(f"{reading.ACCOUNT} ORDER BY id")]

    async def add_account(
        self,
        name: str,
        system_id: str,
        password_hash: str,
        settings: Mapping[str, Any],
        at: int,
        credits: int = 0,  # noqa: A002 (the protocol's name)
        credit_limit: int = 0,
        automatic: Automatic | None = None,
        changes: Sequence[Change] = (),
    ) -> AccountRow:
        row: AccountRow = await self.write(
            accounts.add(name, system_id, password_hash, settings, at, credits, credit_limit, automatic, changes)
        )
        return row

    async def change_account(
        self,
        account: int,
        *,
        settings: Mapping[str, Any] | None = None,
        password_hash: str | None = None,
        enabled: bool | None = None,
        credit_limit: int | None = None,
        automatic: Automatic | None = None,
        changes: Sequence[Change] = (),
    ) -> AccountRow:
        row: AccountRow = await self.write(
            accounts.change(account, settings, password_hash, enabled, credit_limit, automatic, changes)
        )
        return row

    async def post(
        self,
        account: int,
        kind: str,
        amount: int,
        at: int,
        request_id: str | None = None,
        note: str = "",
        changes: Sequence[Change] = (),
    ) -> LedgerLine:
        line: LedgerLine = await self.write(accounts.post(account, kind, amount, at, request_id, note, changes))
        return line

    async def transfer(
        self,
        source: int,
        target: int,
        amount: int,
        at: int,
        request_id: str | None = None,
        note: str = "",
        changes: Sequence[Change] = (),
    ) -> tuple[LedgerLine, LedgerLine]:
        out, into = await self.write(accounts.transfer(source, target, amount, at, request_id, note, changes))
        return out, into

    async def ledger(self, account: int, after: int = 0, limit: int = 100) -> list[LedgerLine]:
        sql = f"{reading.LEDGER} WHERE account = ? AND line > ? ORDER BY line LIMIT ?"
        return [reading.line(row) for row in await self.read(sql, account, after, limit)]

    async def price_plans(self) -> dict[str, dict[str, int]]:
        return reading.plans(await self.read(reading.PRICES))

    async def set_price_plan(self, name: str, prices: Mapping[str, int], changes: Sequence[Change] = ()) -> None:
        await self.write(accounts.set_prices(name, prices, changes))

    async def delete_price_plan(self, name: str, changes: Sequence[Change] = ()) -> None:
        await self.write(accounts.delete_prices(name, changes))

    # -- what happened ---------------------------------------------------------------------------------------------
    async def _messages(self, sql: str, *parameters: Any) -> list[MessageRow]:
        return [MessageRow._make(row) for row in await self.read(sql, *parameters)]

    async def messages(self, account: int, before: int | None = None, limit: int = 50) -> list[MessageRow]:
        if before is None:
            return await self._messages(reading.MESSAGES, account, reading.LAST, reading.LAST, limit)
        before = min(before, reading.LAST)
        ((line,),) = await self.read(reading.LINE_BEFORE, before, account)
        return await self._messages(reading.MESSAGES, account, line, before, limit)

    async def find(self, account: int | None, wire_id: int) -> list[MessageRow]:
        return await self._messages(reading.FIND, account, wire_id) if wire_id <= reading.LAST else []

    async def pending(self, after: int = 0, limit: int = 1000) -> list[MessageRow]:
        rows = await self._messages(reading.PENDING_BELOW_MARK, after, limit)
        if len(rows) < limit:
            rows += await self._messages(reading.PENDING, after, limit - len(rows))
        return rows

    async def scheduled(self, account: int) -> list[MessageRow]:
        return await self._messages(reading.SCHEDULED, account)

    async def due(self, now: int, limit: int = 1000) -> list[MessageRow]:
        return await self._messages(reading.DUE, now, limit)

    async def next_due(self) -> int | None:
        ((at,),) = await self.read(reading.NEXT_DUE)
        return None if at is None else int(at)

    async def owed(self, account: int, after: int = 0, limit: int = 1000) -> list[Owed]:
        return list(map(Owed._make, await self.read(reading.OWED, account, after, limit)))

    async def overdue(self, account: int, below: int, before: int, limit: int = 1000) -> list[int]:
        return [id_ for (id_,) in await self.read(reading.OVERDUE, account, below, before, limit)]

    async def owed_counts(self) -> dict[int, tuple[int, int]]:
        return {account: (number, since) for account, number, since in await self.read(reading.OWED_COUNTS)}

    async def refuse(self, rows: Sequence[RefusalRow]) -> None:
        if rows:
            await self._committer.join(Verb.REFUSE, rows)

    async def refusals(self, account: int | None, limit: int = 100) -> list[RefusalRow]:
        return [RefusalRow._make(row) for row in await self.read(reading.REFUSALS, account, limit)]

    async def last_id(self) -> int:
        ((last,),) = await self.read(reading.LAST_ID)
        return int(last)

    # -- in one snapshot -------------------------------------------------------------------------------------------
    async def _snapshot(self, statements: Statements[R]) -> R:
        return await self._aside(lambda connection: connection.snapshot(statements))

    async def _aside(self, look: Callable[[Connection], Awaitable[R]]) -> R:
        """On a connection of its own: a long look at the books holds up nobody's reading."""
        async with self._one_scan:
            try:
                async with connected(self._database, READER) as connection:
                    return await look(connection)
            except (StoreError, ValueError):
                raise
            except Exception as error:
                raise meaning(error) from error

    async def export(self, account: int) -> Export:
        return await self._snapshot(auditing.export(account))

    async def audit(self) -> list[str]:
        return await self._findings(auditing.audit())

    async def check(self) -> list[str]:
        return await self._findings(auditing.check())

    async def _findings(self, statements: Statements[list[str]]) -> list[str]:
        """Damage that keeps the files from being read is a finding, too."""
        try:
            return await self._snapshot(statements)
        except StoreDown as error:
            if not is_damage(error.__cause__):
                raise
            return [f"the files cannot be read to the end: {error.__cause__}"]

    async def backup(self, file: Path) -> Contents:
        def copy(source: sqlite3.Connection) -> Contents:
            return write(source, self._database, file, lambda: self.awaited)

        return await self._aside(lambda connection: connection.lend(copy))

    async def imbalance(self) -> int:
        """Lines never change, so only those that are new are added up."""
        summed_to, sums = self._summed_to, dict(self._sums)
        found = await self._snapshot(auditing.balances(summed_to))
        for account, moved, line in found.moved:
            sums[account] = sums.get(account, 0) + moved
            summed_to = max(summed_to, line)
        self._summed_to, self._sums = summed_to, sums
        return sum([abs(balance - sums.get(account, 0)) for account, balance in found.balances])

    # -- the end ---------------------------------------------------------------------------------------------------
    async def close(self) -> None:
        if self._mark > self._marked:
            self._write_mark()
        await self._committer.close()
        if self._running:
            await asyncio.wait(self._running)


@asynccontextmanager
async def open_store(
    path: Path,
    *,
    now: Callable[[], float] = time.time,
    around: Callable[[Hop], Hop] = lambda hop: hop,
    patience: float = 0.005,
    longest: float = 0.001,
    reserve: int | None = None,
) -> AsyncIterator[SqliteStore]:
    """Open the store in the folder `path` (made if it is not there); StoreLocked, StoreDamaged, StoreNewer, StoreDown.

    `now` is wall time in seconds. `reserve`: octets of the disk that new messages leave free, so that receipts and
    refunds can still be written (None: 1/20 of the disk, at most 64 MiB). `around` is the seam for tests and drills:
    it is given the hop, which carries a transaction to its commit, and returns what is called instead. That may wait,
    or raise an OSError or sqlite3.OperationalError without calling the hop (a disk that fails), or raise CommitFailed
    with what the hop returned (a COMMIT of which nobody knows).
    """
    with prepared(path) as database:
        async with connected(database, WRITER) as writer, connected(database, READER) as reader:
            scheduled = {row[0] for row in await reader.fetch(reading.SCHEDULED_IDS)}

            def compose(entries: Sequence[Entry], careful: bool) -> Statements[Told]:
                return transaction(entries, int(now() * 1000), careful, scheduled, lambda: writer.books)

            committer = Committer(around(writer.transact), writer, compose, patience, longest)
            store = SqliteStore(database, committer, reader, Room(path, reserve), scheduled)
            try:
                yield store
            finally:
                await finished(store.close())
