"""A copy of a store as it was at one instant: written beside traffic, verified, and brought back.

Invariant: a backup exists under its name only when it is whole, on disk, readable to its last page and right in its
books; a restore never replaces a store. Everything here blocks: it runs on a connection's thread or before anything is
served.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from . import auditing
from .connection import PINNED, told
from .files import DATABASE, LOCK, inspect, locked, sync_folder, update
from .protocol import BackupFailed, Contents, StoreDamaged, StoreError
from .room import MOST

BITE = 64  # pages between two looks at whether clients wait
SYNCED = 64  # bites between two syncs: one large one at the end would hold up the commits of the store
SHORT, LONG = 0.0005, 0.005  # seconds of rest after a bite; the long one while clients wait
CONTENTS = """
    SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM message),
           max((SELECT coalesce(max(at), 0) FROM ledger WHERE line > (SELECT max(line) FROM ledger) - 1000),
               (SELECT coalesce(max(at), 0) FROM message WHERE id = (SELECT max(id) FROM message)),
               (SELECT coalesce(max(at), 0) FROM outcome WHERE message = (SELECT max(message) FROM outcome)))
"""


def write(source: sqlite3.Connection, database: Path, file: Path, awaited: Callable[[], bool]) -> Contents:
    """Copy what is committed now. `awaited` says whether clients wait for the store; BackupFailed leaves nothing."""
    with named_when_whole(file) as unfinished:
        room_for(source, file)
        copy(source, database.with_name(f"{database.name}-wal"), unfinished, awaited)
        return verified(unfinished)


@contextmanager
def named_when_whole(file: Path) -> Iterator[Path]:
    """-> where to write it. Under its own name it appears last, for its owner alone."""
    unfinished = file.with_name(file.name + ".new")
    try:
        if file.exists():
            raise BackupFailed(f"{file} is there already, and nothing is overwritten; name another file")
        remove(unfinished)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        try:
            yield unfinished
            sync(unfinished)
            unfinished.rename(file)
            sync_folder(file.parent)
        finally:
            remove(unfinished)
    except StoreError:
        raise
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(f"{file} cannot be written: {error}") from error


def remove(unfinished: Path) -> None:
    for name in (unfinished, f"{unfinished}-wal", f"{unfinished}-shm", f"{unfinished}-journal"):
        Path(name).unlink(missing_ok=True)


def sync(file: Path) -> None:
    opened = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def room_for(source: sqlite3.Connection, file: Path) -> None:
    """A backup must not be what fills the disk of the store."""
    (pages,), (size,) = (source.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
    disk = os.statvfs(file.parent)
    free = disk.f_bavail * disk.f_frsize
    if free < pages * size + MOST:
        raise BackupFailed(
            f"{file.parent} has no room: the backup takes {pages * size >> 20} MB and {MOST >> 20} MB stay free, "
            f"but only {free >> 20} MB are; name a folder on another disk"
        )


def copy(source: sqlite3.Connection, wal: Path, unfinished: Path, awaited: Callable[[], bool]) -> None:
    """In small bites out of one snapshot: a commit meanwhile neither waits nor makes the copy begin anew."""
    bites = 0

    def rest(_status: int, _left: int, _pages: int) -> None:
        nonlocal bites
        bites += 1
        if bites % SYNCED == 0:
            if wal.stat().st_size > PINNED:
                raise BackupFailed("the backup took so long that what was written meanwhile had no room")
            sync(unfinished)
        time.sleep(LONG if awaited() else SHORT)

    with closing(sqlite3.connect(unfinished, isolation_level=None)) as target:
        target.execute("PRAGMA journal_mode=OFF")
        target.execute("PRAGMA synchronous=OFF")
        source.execute("BEGIN")
        try:
            source.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # from here on it is one instant
            source.backup(target, pages=BITE, progress=rest)
        finally:
            source.rollback()
    with closing(sqlite3.connect(unfinished, isolation_level=None)) as target:
        target.execute("PRAGMA journal_mode=DELETE")  # one file, without a WAL beside it


def verified(database: Path) -> Contents:
    """Every page read and all books recomputed; StoreDamaged if anything is wrong."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as copied:
        for look in (auditing.check, auditing.audit):
            if found := told(copied, look()):
                raise StoreDamaged(f"{database} is not right: {'; '.join(found[:3])}")
        accounts, messages, until = copied.execute(CONTENTS).fetchone()
    return Contents(accounts, messages, until, database.stat().st_size)


def restore(backup: Path, folder: Path) -> Contents:
    """Put a copy of the backup where a store is missing, brought to this version; the backup stays as it is.

    StoreLocked if a server has the folder open; BackupFailed if there is a store; StoreDamaged, StoreNewer.
    """
    inspect(backup)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = folder / DATABASE
    with locked(folder / LOCK):
        if left := [name for name in (f"{database}-wal", f"{database}-journal") if Path(name).exists()]:
            raise BackupFailed(f"{left[0]} is there: it belongs to another store; move it away first")
        with named_when_whole(database) as unfinished:
            duplicate(backup, unfinished)
            update(unfinished)
            return verified(unfinished)


def duplicate(backup: Path, unfinished: Path) -> None:
    with backup.open("rb") as source, unfinished.open("r+b") as target:
        while octets := source.read(1 << 20):
            target.write(octets)
