"""The numbered steps that made the tables what they are. A step that has been applied somewhere is never edited.

Invariant: a store remembers the checksum of every step it went through, and does not open if one of them reads
otherwise now.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from ..protocol import StoreDamaged

FOLDER = Path(__file__).parent / "sqlite"


class Migration(NamedTuple):
    number: int
    name: str
    script: str

    @property
    def checksum(self) -> str:
        return sha256(self.script.encode()).hexdigest()


@cache
def known(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """All steps in their order: NNNN_name.sql, numbered from 1 without a gap."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        number, _, name = path.stem.partition("_")
        found.append(Migration(int(number), name, path.read_text(encoding="utf-8")))
    assert [step.number for step in found] == list(range(1, len(found) + 1)), "migrations are numbered without a gap"
    return tuple(found)


def latest() -> int:
    return len(known())


def applied(connection: sqlite3.Connection) -> list[tuple[int, str, str]]:
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'migration'").fetchone():
        return []
    return connection.execute("SELECT number, name, checksum FROM migration ORDER BY number").fetchall()


def verify(connection: sqlite3.Connection) -> None:
    """The steps this store went through are the ones this program knows."""
    rows = applied(connection)
    if not rows:
        raise StoreDamaged("the store does not say which migrations made it")
    for (number, name, checksum), step in zip(rows, known(), strict=False):
        if (number, checksum) != (step.number, step.checksum):
            raise StoreDamaged(f"migration {number:04}_{name} is not the one that this store went through")


def apply(connection: sqlite3.Connection) -> None:
    """The steps that are still missing, each in a transaction of its own."""
    for step in known()[len(applied(connection)) :]:
        try:
            write(connection, step)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.rollback()
            raise


def write(connection: sqlite3.Connection, step: Migration) -> None:
    """All of a step but its end."""
    connection.executescript(
        f"BEGIN IMMEDIATE;\n{step.script}\nPRAGMA user_version = {step.number};\n"
        "INSERT INTO migration(number, name, checksum)"
        f" VALUES ({step.number}, '{step.name}', '{step.checksum}')"
    )


def differences(connection: sqlite3.Connection) -> list[str]:
    """What the tables, indexes and triggers are that the migrations did not make, or made otherwise."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        apply(fresh)
        wanted, found = schema(fresh), schema(connection)
    return [f"{name} is not as the migrations made it" for name in sorted(wanted.keys() | found.keys())
            if wanted.get(name) != found.get(name)]  # fmt: skip


def schema(connection: sqlite3.Connection) -> dict[str, str]:
    query = "SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%'"
    return dict(connection.execute(query).fetchall())
