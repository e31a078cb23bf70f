"""Numbered steps with checksums."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from store import migrations
from store.files import prepared
from store.migrations import Migration
from store.protocol import StoreDamaged, StoreDown, StoreNewer

NEXT = Migration(migrations.latest() + 1, "second", "CREATE TABLE second(x INTEGER) STRICT;")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with prepared(tmp_path):
        return tmp_path


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later version of the program."""
    steps = (*migrations.known(), NEXT)
    monkeypatch.setattr(migrations, "known", lambda: steps)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        yield opened


def test_steps_are_numbered_without_a_gap() -> None:
    assert [step.number for step in migrations.known()] == list(range(1, migrations.latest() + 1))


def test_a_new_store_went_through_all_of_them(connection: sqlite3.Connection) -> None:
    migrations.apply(connection)
    migrations.verify(connection)
    assert migrations.differences(connection) == []
    assert migrations.applied(connection) == [(s.number, s.name, s.checksum) for s in migrations.known()]
    migrations.apply(connection)
    assert len(migrations.applied(connection)) == migrations.latest()


@pytest.mark.usefixtures("two")
def test_an_older_store_is_brought_up_to_date(folder: Path) -> None:
    with prepared(folder) as database, closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM second").fetchone() == (0,)
        assert connection.execute("PRAGMA user_version").fetchone() == (NEXT.number,)


def test_a_step_is_done_whole_or_not_at_all(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Migration(NEXT.number, "broken", "CREATE TABLE half(x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);")
    steps = (*migrations.known(), broken)
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "known", lambda: steps)
        with pytest.raises(StoreDown, match="nowhere"), prepared(folder):
            pass
    with prepared(folder) as database, closing(sqlite3.connect(database)) as connection:
        assert migrations.differences(connection) == []


def test_an_edited_step_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = migrations.known()[0]
    edited = (first._replace(script=first.script + "\n-- harmless?"), *migrations.known()[1:])
    monkeypatch.setattr(migrations, "known", lambda: edited)
    with pytest.raises(StoreDamaged, match="0001_first"), prepared(folder):
        pass


def test_a_newer_store_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (*migrations.known(), NEXT)
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "known", lambda: steps)
        with prepared(tmp_path):
            pass
    before = (tmp_path / "smppgate.db").read_bytes()
    with pytest.raises(StoreNewer, match="newer"), prepared(tmp_path):
        pass
    assert (tmp_path / "smppgate.db").read_bytes() == before


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER ledger_is_not_changed",
        "DROP TABLE given_up",
        "CREATE TABLE extra(x)",
        "ALTER TABLE multi ADD COLUMN x INTEGER",
        "DELETE FROM migration",
        "DROP TABLE migration",
    ],
)
def test_tables_that_no_migration_made_are_refused(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "smppgate.db")) as connection:
        connection.execute(statement)
        connection.commit()
    with pytest.raises(StoreDamaged), prepared(folder):
        pass
