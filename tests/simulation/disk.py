"""The real SQLite store without its threads, on a disk with moods: slow, full, failing, and unsure what it has done.

Invariant: every statement is the product's and runs in SQLite; only when it runs, and whether it may, is decided here.
What is committed outlives the life that committed it. (That a power cut takes nothing is shown elsewhere: here nothing
is synced.)
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from store import reading
from store.committer import Committer, Hop
from store.connection import READER, WRITER, Connection
from store.failures import CommitFailed
from store.files import DATABASE, create, prepared
from store.group import Entry, Told
from store.protocol import Batch
from store.room import Room
from store.sql import Statements
from store.sqlite import SqliteStore
from store.transaction import transaction

from .clock import Loop

T = TypeVar("T")
UNSYNCED = (*tuple(pragma for pragma in WRITER if not pragma.startswith("synchronous")), "synchronous=OFF")
FINE = "fine"
MOODS = (
    "slow",  # every hop takes up to a second
    "full",  # less than the reserve is free
    "brimful",  # and nothing at all can be written
    "failing",  # an I/O error before anything is written
    "undone",  # COMMIT raises, and has not happened
    "silent",  # COMMIT raises, and has happened
    "blind",  # the same, and nobody can look it up
    "unreadable",  # reads fail
)


class Mood:
    """Of the disk, as the seed has it. Between `change`s it stays what it is, but strikes only now and then."""

    def __init__(self, chance: Random) -> None:
        self.now, self.often = FINE, 1.0
        self._chance = chance

    def change(self, mood: str, often: float) -> None:
        self.now, self.often = mood, often

    def strikes(self, *moods: str) -> bool:
        return self.now in moods and self._chance.random() < self.often

    def seconds(self) -> float:
        """That a hop waits, or its answer."""
        longest = 1.0 if self.now == "slow" else 0.004
        return 1e-5 + self._chance.random() ** 2 * longest

    def around(self, hop: Hop) -> Hop:
        async def moody(statements: Statements[Told]) -> Told:
            if self.strikes("brimful"):
                raise error_of(sqlite3.SQLITE_FULL)
            if self.strikes("failing"):
                raise error_of(sqlite3.SQLITE_IOERR_WRITE if self._chance.random() < 0.5 else sqlite3.SQLITE_IOERR)
            undone = self.strikes("undone")
            silent = self.strikes("silent", "blind")
            if undone:
                raise CommitFailed(told_of(statements)) from error_of(sqlite3.SQLITE_IOERR_FSYNC)
            told = await hop(statements)
            if silent:
                raise CommitFailed(told) from error_of(sqlite3.SQLITE_IOERR_FSYNC)
            return told

        return moody


def error_of(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("the disk of the simulation")
    error.sqlite_errorcode = code
    return error


def told_of(statements: Statements[Told]) -> Told:
    """Of a transaction that was rolled back nothing is true, and its witness is not found."""
    statements.close()
    told = Told()
    told.witness = "SELECT 1 WHERE 0", ()
    return told


class Inline(Connection):
    """A connection that works on the loop, one thing after the other, each in its time."""

    def __init__(self, database: Path, pragmas: Sequence[str], loop: Loop, mood: Mood) -> None:
        super().__init__(database)
        self._loop, self._mood = loop, mood
        self._free_at = 0.0
        self.committed: Callable[[sqlite3.Connection], None] = lambda connection: None
        self._connection = sqlite3.connect(database, isolation_level=None, cached_statements=1024)
        self._prepare(pragmas)

    async def _hop(self, function: Callable[..., T], *arguments: Any) -> T:
        return await self._send(function, *arguments)

    def _send(self, function: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._loop.create_future()
        begins = max(self._loop.time(), self._free_at) + self._mood.seconds()
        self._free_at = begins + self._mood.seconds()
        self._loop.call_at(begins, self._work, future, self._free_at, function, *arguments)
        return future

    def _work(self, future: asyncio.Future[T], ends: float, function: Callable[..., T], *arguments: Any) -> None:
        tell: Callable[..., None]
        try:
            outcome: Any = function(*arguments)
            tell = set_result
        except Exception as error:
            outcome, tell = error, set_exception
        self._loop.call_at(ends, tell, future, outcome)

    def _transact(self, statements: Statements[Any]) -> Any:
        result = super()._transact(statements)
        self.committed(self._conn)
        return result

    async def recognise(self, witness: Any, wipe: bool) -> bool:
        if self._mood.strikes("blind"):
            raise error_of(sqlite3.SQLITE_IOERR_READ)
        return await super().recognise(witness, wipe)

    async def wipe(self) -> None:
        if self._mood.strikes("blind", "failing"):
            raise error_of(sqlite3.SQLITE_IOERR)
        await super().wipe()

    async def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        if self._mood.strikes("unreadable"):
            raise error_of(sqlite3.SQLITE_IOERR_READ)
        return await super().fetch(sql, parameters)

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def set_result(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def set_exception(future: asyncio.Future[T], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


class MoodyRoom(Room):
    def __init__(self, folder: Path, mood: Mood) -> None:
        super().__init__(folder, 0)
        self._mood = mood

    def enough(self, now: float) -> bool:
        return not self._mood.strikes("full", "brimful")


class SimulatedStore(SqliteStore):
    """`accepting` sees every batch on its way to the disk, and the future that says what became of it."""

    accepting: Callable[[Batch, object, asyncio.Future[frozenset[int]]], None]

    def accept(self, batch: Batch, session: object) -> asyncio.Future[frozenset[int]]:
        answer = super().accept(batch, session)
        self.accepting(batch, session, answer)
        return answer

    async def _aside(self, look: Callable[[Connection], Any]) -> Any:
        async with self._one_scan:
            return await look(self._reader)


class Disk:
    """One data folder, through all lives. `committed` is called after each commit, with the connection that made it."""

    def __init__(self, folder: Path, loop: Loop, mood: Mood) -> None:
        self.folder, self.mood = folder, mood
        self.committed: Callable[[sqlite3.Connection], None] = lambda connection: None
        self._loop = loop

    def open(self, stack: ExitStack) -> SimulatedStore:
        """In the life that calls; the stack gives everything back, also after its death."""
        database = stack.enter_context(prepared(self.folder))
        writer = Inline(database, UNSYNCED, self._loop, self.mood)
        stack.callback(writer.hang_up)
        reader = Inline(database, READER, self._loop, self.mood)
        stack.callback(reader.hang_up)
        writer.committed = self.committed
        scheduled = {row[0] for row in reader._conn.execute(reading.SCHEDULED_IDS).fetchall()}

        def compose(entries: Sequence[Entry], careful: bool) -> Statements[Told]:
            return transaction(entries, int(self._loop.wall() * 1000), careful, scheduled, lambda: writer.books)

        committer = Committer(self.mood.around(writer.transact), writer, compose, 0.005, 0.001)
        return SimulatedStore(database, committer, reader, MoodyRoom(self.folder, self.mood), scheduled)

    def look(self) -> sqlite3.Connection:
        """Who only looks sees what is committed."""
        connection = sqlite3.connect(self.folder / DATABASE, isolation_level=None)
        connection.execute("PRAGMA query_only=ON")
        return connection


def blank(folder: Path) -> Path:
    """An empty store, to be copied: making one takes longer than a simulated minute."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / DATABASE).exists():
        create(folder / DATABASE)
        with closing(sqlite3.connect(folder / DATABASE)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder / DATABASE


def copied(template: Path, folder: Path) -> Path:
    folder.mkdir(parents=True)
    shutil.copyfile(template, folder / DATABASE)
    return folder
