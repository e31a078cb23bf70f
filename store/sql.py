"""Few statements, many rows: a transaction told as a generator, and the texts of multi-row statements, built once.

A `Statements[R]` yields (sql, parameters), is sent the rows that came back, and returns R. So a whole transaction is
one value that runs wherever a connection lives. Knows no table.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, TypeAlias, TypeVar

R = TypeVar("R")
Statement: TypeAlias = tuple[str, Sequence[Any]]
Statements: TypeAlias = Generator[Statement, list[Any], R]

CHUNK = 100


def chunks(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (rows[at : at + CHUNK] for at in range(0, len(rows), CHUNK))


@lru_cache(1024)
def _insert(table: str, shared: tuple[str, ...], own: tuple[str, ...], count: int) -> str:
    """INSERT of count rows whose `shared` columns are the same parameters ?1, ?2, … in every row: bound once."""
    fixed = [f"?{n + 1}" for n in range(len(shared))]
    # a plain ? takes the number after the largest so far, and costs sqlite3 less than one with a name
    row = ",".join([*fixed, *["?"] * len(own)])
    rows = "),(".join([row] * count)
    return f"INSERT INTO {table}({','.join(shared + own)}) VALUES ({rows})"  # noqa: S608 (names, no values)


def insert(
    table: str, shared: tuple[str, ...], values: Sequence[Any], own: tuple[str, ...], rows: Sequence[Sequence[Any]]
) -> Statements[None]:
    """Insert all rows. Octets must come as bytearray: sqlite3 searches for an adapter for every `bytes`."""
    for part in chunks(rows):
        yield _insert(table, shared, own, len(part)), [*values, *chain.from_iterable(part)]


def insert_ids(
    table: str, shared: tuple[str, ...], values: Sequence[Any], own: str, ids: Sequence[int]
) -> Statements[None]:
    """Insert a row for each id, whose column is `own`."""
    for part in chunks(ids):
        yield _insert(table, shared, (own,), len(part)), [*values, *part]


@lru_cache(1024)
def _with_ids(sql: str, count: int) -> str:
    return sql.replace("IN ?", f"IN ({','.join('?' * count)})")


def with_ids(sql: str, values: Sequence[Any], ids: Sequence[int]) -> Statements[list[Any]]:
    """Run a statement whose last parameters are the list in `… IN ?`. -> all rows that came back."""
    found: list[Any] = []
    for part in chunks(ids):
        found += yield _with_ids(sql, len(part)), [*values, *part]
    return found


def overwriting(statements: Statements[R]) -> Statements[R]:
    """What these statements erase is overwritten in the file, not only given up: zeros cost pages that nobody else
    needs written, so only they pay for it."""
    ((before,),) = yield "PRAGMA secure_delete", ()
    yield "PRAGMA secure_delete = ON", ()
    result = yield from statements
    yield f"PRAGMA secure_delete = {('OFF', 'ON', 'FAST')[before]}", ()
    return result
