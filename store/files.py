"""The data folder: who may use it, and whether what lies there is a store that this program can open.

Invariant: a store file exists only whole: it is made under another name, with all its tables, and then renamed. Nothing
that looks wrong is changed, let alone replaced by an empty store. All of this happens before anything is served, so it
simply blocks.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from . import migrations
from .protocol import StoreDamaged, StoreDown, StoreLocked, StoreNewer

DATABASE, LOCK = "smppgate.db", "lock"
MAGIC = b"SQLite format 3\0"
APPLICATION = int.from_bytes(b"SMPG", "big")
USER_VERSION_AT, APPLICATION_AT, PAGE_SIZE_AT, PAGES_AT = 60, 68, 16, 28


@contextmanager
def prepared(folder: Path) -> Iterator[Path]:
    """Hold the folder's lock; -> the path of a store that is there, whole and of this version."""
    with ExitStack() as stack:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = stack.enter_context(locked(folder / LOCK))
            database = found(folder, lock)
        except (OSError, sqlite3.Error) as error:
            raise StoreDown(f"{folder} cannot be opened: {error}") from error
        yield database


def found(folder: Path, lock: int) -> Path:
    database = folder / DATABASE
    if not database.exists():
        if b"store" in os.pread(lock, 100, 0):
            raise StoreDamaged(
                f"{database} is gone. Bring it back from a backup (smppgate restore); "
                f"to begin anew, remove {folder / LOCK} as well"
            )
        create(database)
    inspect(database)
    update(database)
    write_over(lock, b"pid %d\nstore %s\n" % (os.getpid(), DATABASE.encode()))
    return database


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """One process at a time; the lock goes with the process, however it ends. -> the descriptor of the lock file."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 100, 0).partition(b"\n")[0].decode("ascii", "replace") or "another process"
            raise StoreLocked(f"{path.parent} is in use by {holder}") from None
        yield lock
    finally:
        os.close(lock)


def write_over(lock: int, text: bytes) -> None:
    """Best effort: on a full disk the note about the holder is the least of our worries."""
    with suppress(OSError):
        os.pwrite(lock, text, 0)
        os.ftruncate(lock, len(text))


def create(database: Path) -> None:
    """A new store, under its name only when it is complete and on disk."""
    if leftover := [name for name in (f"{database}-wal", f"{database}-journal") if Path(name).exists()]:
        raise StoreDamaged(f"{database} is gone, but {leftover[0]} is there: bring both back from a backup")
    unfinished = database.with_name(database.name + ".new")
    for name in (unfinished, f"{unfinished}-wal", f"{unfinished}-shm", f"{unfinished}-journal"):
        Path(name).unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with closing(sqlite3.connect(unfinished, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        migrations.apply(connection)
        connection.execute("PRAGMA journal_mode=WAL")
    unfinished.rename(database)
    sync_folder(database.parent)


def sync_folder(path: Path) -> None:
    """What was renamed in it stays so."""
    folder = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def inspect(database: Path) -> None:
    """Look at the header before SQLite does, and change nothing.

    Only before a connection is open: closing any descriptor of the file would drop the locks SQLite holds on it.
    """
    with database.open("rb") as file:
        header = file.read(100)
    if len(header) < 100 or not header.startswith(MAGIC):
        raise StoreDamaged(f"{database} does not begin like a database")
    (application,) = struct.unpack_from(">I", header, APPLICATION_AT)
    if application != APPLICATION:
        raise StoreDamaged(f"{database} is a database of another program")
    (version,) = struct.unpack_from(">I", header, USER_VERSION_AT)
    if version > migrations.latest():
        raise StoreNewer(newer(database, version))
    (page_size,), (pages,) = struct.unpack_from(">H", header, PAGE_SIZE_AT), struct.unpack_from(">I", header, PAGES_AT)
    page_size = 65536 if page_size == 1 else page_size
    wal = database.with_name(database.name + "-wal")
    if not (wal.exists() and wal.stat().st_size) and database.stat().st_size < pages * page_size:
        raise StoreDamaged(f"{database} has been cut short")


def newer(database: Path, version: int) -> str:
    return f"{database} was written by a newer version (store {version}, this program knows {migrations.latest()})"


def update(database: Path) -> None:
    """Bring the tables up to this version, and see that they are what the migrations make."""
    try:
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=FULL")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > migrations.latest():  # written, but not yet in the header of the file
                raise StoreNewer(newer(database, version))
            migrations.verify(connection)
            migrations.apply(connection)
            if wrong := migrations.differences(connection):
                raise StoreDamaged(f"{database}: {'; '.join(wrong)}")
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise  # locked, out of room, not readable: not a matter of what the file says
        raise StoreDamaged(f"{database}: {error}") from error
