"""What an error of the database means to those who wait: full, down, their own fault, or unknown.

Invariant: StoreFull and StoreDown are said only when surely nothing was committed. Knows the error codes of SQLite and
nothing of what was being written.
"""

from __future__ import annotations

import errno
import sqlite3
from typing import Any

from .protocol import Contradiction, StoreDown, StoreError, StoreFull

NO_ROOM = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})
NO_ROOM_OS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
NO_COMMIT_RECORD = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE})
"""Errors of COMMIT after which the WAL cannot hold a complete commit: its last frame is what could not be written."""
CALLERS = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
    Contradiction,
)


class CommitFailed(Exception):  # noqa: N818 (says what happened; it never leaves the store)
    """COMMIT raised: the cause says what. `told` is what the transaction had to say, should it be stored after all."""

    def __init__(self, told: Any) -> None:
        super().__init__("COMMIT failed")
        self.told = told

    def may_haunt(self) -> bool:
        """Whether the WAL may hold the whole transaction, for the next start to find."""
        return code_of(self.__cause__) not in NO_COMMIT_RECORD


def code_of(error: BaseException | None) -> int:
    """SQLite's extended result code; 0 if it is no error of SQLite."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code


def is_damage(error: BaseException | None) -> bool:
    return code_of(error) & 0xFF in DAMAGE


def of_the_rows(error: Exception) -> bool:
    """Whether the rows are to blame, not the disk: then the group is worth another try in parts."""
    return isinstance(error, CALLERS) or not isinstance(error, sqlite3.Error | OSError | StoreError)


def meaning(error: BaseException | None) -> StoreError:
    """A new exception for each who waits: a shared one would collect all their tracebacks."""
    if isinstance(error, StoreError):
        said = type(error)(*error.args)
    elif code_of(error) in NO_ROOM or (isinstance(error, OSError) and error.errno in NO_ROOM_OS):
        said = StoreFull(f"no room on the disk: {error}")
    elif isinstance(error, Exception) and of_the_rows(error):
        said = Contradiction(f"the rows contradict what is stored: {error}")
    else:
        said = StoreDown(f"the store cannot do it now: {error}")
    said.__cause__ = error
    return said
