"""A connection to SQLite on aiosqlite's thread, with one hop for a whole transaction.

Invariant: every transaction either reaches COMMIT or leaves no trace, and only the writer writes to the files,
checkpoints included (two writers or checkpointers at once can damage a WAL before SQLite 3.51.3). aiosqlite's thread is
no daemon: `connected` closes it on every way out.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from .failures import CommitFailed, code_of, meaning
from .money import Books
from .protocol import StoreDown
from .sql import R, Statement, Statements

T = TypeVar("T")
MEBIBYTE = 1 << 20
GROWN = 32 * MEBIBYTE
"""By how much the WAL may grow before it is written back whatever is thought to be in it."""
MEASURED = 64
"""Transactions between two looks at its size. A look costs the next commit: since Linux 6.13 a file whose times were
asked for gets new ones with the next write, and then its sync waits for the inode, too."""
SETTLED = 3_000_000_000
"""Nanoseconds after which a folder surely shows another time when it changes again: FAT counts in two seconds."""
PINNED = 1024 * MEBIBYTE
"""How large it may grow because a snapshot is being read; then the reader is cut off."""
STEPS = 1_000_000
"""Steps of SQLite's machine between two looks at that."""
WRITER = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=0",
    f"journal_size_limit={4 * GROWN}",
    "cache_size=-65536",
    "temp_store=MEMORY",
    "secure_delete=FAST",  # zeros where they cost no page; what erases asks for all of them
    "recursive_triggers=ON",  # so that INSERT OR REPLACE meets the triggers that forbid to delete
)
READER = ("query_only=ON", "wal_autocheckpoint=0", "cache_size=-16384", "temp_store=MEMORY")
CACHED = 1024
BUSY = 5_000  # milliseconds, as sqlite3 has it


class Connection(aiosqlite.Connection):
    def __init__(self, database: Path) -> None:
        super().__init__(partial(sqlite3.connect, database, isolation_level=None, cached_statements=CACHED), 64)
        self._database, self._wal, self._folder = str(database), f"{database}-wal", str(database.parent)
        self.books: Books | None = None
        """What the last transaction knew; touched by the thread only, and by nobody while one is under way."""
        self._files: tuple[int, ...] = ()
        self._as_of: tuple[int, int, int] | None = None  # what the folder was when the files were last looked at
        self._size = self._written_back_at = self._unmeasured = 0

    async def _hop(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run on the connection's thread. aiosqlite has no public name for it; the version is pinned."""
        execute: Callable[..., Awaitable[T]] = self._execute
        return await execute(function, *arguments)

    def _send(self, function: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        """The same without a coroutine around it, for what is done for every group."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if not self._running or not self._connection:
            future.set_exception(ValueError("the connection is closed"))
            return future
        self._tx.put_nowait((future, partial(function, *arguments)))
        return future

    async def prepare(self, pragmas: Sequence[str]) -> None:
        await self._hop(self._prepare, pragmas)

    def _prepare(self, pragmas: Sequence[str]) -> None:
        for pragma in pragmas:
            self._conn.execute(f"PRAGMA {pragma}").fetchall()
        self._conn.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # opens the WAL
        self._files = self._identity()

    def _identity(self) -> tuple[int, ...]:
        """Which files have the names of ours; none: one is missing."""
        try:
            database, wal = os.stat(self._database), os.stat(self._wal)
        except FileNotFoundError:
            return ()
        return database.st_dev, database.st_ino, wal.st_dev, wal.st_ino

    def _in_place(self) -> bool:
        """Whether our files still have their names: asked of their folder, and of themselves only after it has changed
        (see MEASURED). Within a tick of the system's clock it may change twice and show one time."""
        folder = os.stat(self._folder)
        as_of = folder.st_dev, folder.st_ino, folder.st_mtime_ns
        if as_of != self._as_of:
            if self._identity() != self._files:
                return False
            self._as_of = as_of if time.time_ns() - folder.st_mtime_ns > SETTLED else None
        return True

    async def shut(self) -> None:
        """Closed, and the thread gone."""
        try:
            await self.close()
        finally:
            if self._thread.ident is not None:
                self._thread.join()  # it has nothing left to do

    # -- writing ---------------------------------------------------------------------------------------------------
    def transact(self, statements: Statements[R]) -> asyncio.Future[R]:
        """One transaction, one hop. CommitFailed if COMMIT raised; after any other error surely nothing is stored."""
        return self._send(self._transact, statements)

    def _transact(self, statements: Statements[R]) -> R:
        if not self._in_place():  # what is written to a deleted file is lost at the next start
            raise OSError("the files of the store were removed or replaced while it was open")
        self._unmeasured += 1
        if self._unmeasured >= MEASURED:
            self._unmeasured, self._size = 0, self._wal_size()
        connection = self._conn
        try:
            connection.execute("BEGIN IMMEDIATE")
            result = told(connection, statements)
            books, self.books = getattr(result, "books", None), None
        except BaseException:
            self.books = None
            undo(connection)
            raise
        try:
            connection.execute("COMMIT")
        except BaseException as error:
            undo(connection)
            raise CommitFailed(result) from error
        self.books = books
        return result

    async def recognise(self, witness: Statement | None, wipe: bool) -> bool:
        """Whether the transaction that this is a witness of is stored, read afresh. `wipe`: see `wipe`."""
        return await self._hop(self._recognise, witness, wipe)

    def _recognise(self, witness: Statement | None, wipe: bool) -> bool:
        if wipe:
            self._wipe()
        if witness is None:
            return False
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, isolation_level=None)) as fresh:
            return bool(fresh.execute(*witness).fetchall())

    async def wipe(self) -> None:
        """Leave nothing in the WAL that a recovery could take for a commit.

        When a sync fails after the commit record was written, this process sees no commit, but the next start might.
        What was committed before is written to the database afresh and synced, then the WAL is cut to nothing; so no
        sync is repeated over pages that the kernel may have dropped.
        """
        await self._hop(self._wipe)

    def _wipe(self) -> None:
        busy, _frames, _moved = self._conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError("the WAL is being read and cannot be emptied")

    async def checkpoint(self) -> None:
        """Write back what can be written back without waiting for anybody."""
        await self._hop(self._checkpoint)

    def _checkpoint(self) -> None:
        self._written_back_at = self._wal_size()
        self._conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    async def empty(self) -> bool:
        """Write everything back and cut the WAL to nothing. -> False if somebody reads what is in it."""
        return await self._hop(self._empty)

    def _empty(self) -> bool:
        self._conn.execute("PRAGMA busy_timeout = 0")
        try:
            busy, _frames, _moved = self._conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self._conn.execute(f"PRAGMA busy_timeout = {BUSY}")
        self._written_back_at = self._wal_size()
        return not busy

    def overgrown(self) -> bool:
        """Whether the WAL has become much larger since it was last written back (its file is never made smaller). As
        a transaction not long ago found it."""
        return self._size - self._written_back_at > GROWN

    def _wal_size(self) -> int:
        return os.stat(self._wal).st_size

    # -- reading ---------------------------------------------------------------------------------------------------
    async def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        return await self._hop(lambda: self._conn.execute(sql, parameters).fetchall())

    async def lend(self, use: Callable[[sqlite3.Connection], T]) -> T:
        """To what takes its time: on the connection's thread, holding up nobody but those who ask this connection."""
        return await self._hop(lambda: use(self._conn))

    async def snapshot(self, statements: Statements[R]) -> R:
        """All of it as the store was at one instant."""
        return await self._hop(self._snapshot, statements)

    def _snapshot(self, statements: Statements[R]) -> R:
        self._conn.set_progress_handler(lambda: self._wal_size() > PINNED, STEPS)
        self._conn.execute("BEGIN")
        try:
            return told(self._conn, statements)
        except sqlite3.OperationalError as error:
            if code_of(error) == sqlite3.SQLITE_INTERRUPT:
                raise StoreDown("it took so long that what was written meanwhile had no room") from error
            raise
        finally:
            undo(self._conn)
            self._conn.set_progress_handler(None, STEPS)


def told(connection: sqlite3.Connection, statements: Statements[R]) -> R:
    """Run a generator of statements to its end. -> what it returns."""
    execute = connection.execute
    try:
        sql, parameters = next(statements)
        while True:
            sql, parameters = statements.send(execute(sql, parameters).fetchall())
    except StopIteration as end:
        result: R = end.value
        return result


def undo(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        with suppress(sqlite3.Error):  # what cannot be rolled back has been, by SQLite itself
            connection.rollback()


@asynccontextmanager
async def connected(database: Path, pragmas: Sequence[str]) -> AsyncIterator[Connection]:
    connection = Connection(database)
    try:
        await finished(opened(connection, pragmas))
        yield connection
    finally:
        await finished(connection.shut())


async def opened(connection: Connection, pragmas: Sequence[str]) -> None:
    try:
        await connection
        await connection.prepare(pragmas)
    except (OSError, sqlite3.Error) as error:
        raise meaning(error) from error


async def finished(work: Awaitable[T]) -> T:
    """Wait for it to the end, even when cancelled; a cancellation is passed on afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        seen(task)  # the cancellation is what the caller hears
        raise cancelled
    return task.result()


def seen(task: asyncio.Future[Any]) -> None:
    """What went wrong in it is for whoever waits for it; if nobody does, the loop need not complain."""
    if not task.cancelled():
        task.exception()
