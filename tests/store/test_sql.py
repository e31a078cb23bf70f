"""Statements of many rows."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from store.connection import told
from store.sql import CHUNK, insert, with_ids


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        opened.execute("CREATE TABLE t(a, b, id INTEGER PRIMARY KEY, c)")
        yield opened


@pytest.mark.parametrize("count", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
def test_all_rows_arrive_with_what_they_share(connection: sqlite3.Connection, count: int) -> None:
    rows = [(n, bytearray(b"%d" % n)) for n in range(count)]
    told(connection, insert("t", ("a", "b"), ("x", None), ("id", "c"), rows))
    found = connection.execute("SELECT a, b, id, c FROM t ORDER BY id").fetchall()
    assert found == [("x", None, n, b"%d" % n) for n in range(count)]


def test_nothing_needs_to_be_shared(connection: sqlite3.Connection) -> None:
    told(connection, insert("t", (), (), ("id", "c"), [(1, "one")]))
    assert connection.execute("SELECT id, c FROM t").fetchall() == [(1, "one")]


@pytest.mark.parametrize("count", [0, 1, CHUNK, 2 * CHUNK + 1])
def test_rows_come_back_from_every_part_of_the_list(connection: sqlite3.Connection, count: int) -> None:
    told(connection, insert("t", ("a",), ("x",), ("id",), [(n,) for n in range(count)]))
    rows = told(connection, with_ids("SELECT id FROM t WHERE a = ? AND id IN ?", ("x",), list(range(count))))
    assert rows == [(n,) for n in range(count)]
    assert told(connection, with_ids("DELETE FROM t WHERE id IN ? RETURNING id", (), list(range(count)))) == rows
