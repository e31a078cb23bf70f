"""Who may open a data folder, and what must lie there."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from store import open_store
from store.files import prepared
from store.protocol import StoreDamaged, StoreDown, StoreLocked

from .backends import account, batch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with an account in it."""

    async def fill() -> None:
        async with open_store(tmp_path / "data", reserve=0) as store:
            await account(store)

    asyncio.run(fill())
    return tmp_path / "data"


@pytest.fixture
def database(folder: Path) -> Path:
    return folder / "smppgate.db"


def refused(folder: Path, why: str | None = None) -> None:
    """Nothing that looks wrong is opened, changed or replaced."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(StoreDamaged, match=why), prepared(folder):
        pass
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


# -- the lock ----------------------------------------------------------------------------------------------------
async def test_a_store_is_opened_once(tmp_path: Path) -> None:
    async with open_store(tmp_path):
        with pytest.raises(StoreLocked, match=f"pid {os.getpid()}"):
            async with open_store(tmp_path):
                pass
    async with open_store(tmp_path):
        pass


def test_a_second_process_stays_out(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\nfrom store.files import prepared\nfrom store.protocol import StoreLocked\n"
        "try:\n    with prepared(pathlib.Path(sys.argv[1])): print('in')\nexcept StoreLocked: print('out')\n"
    )

    def other() -> str:
        ran = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)
        return ran.stdout.strip()

    with prepared(tmp_path):
        assert other() == "out"
    assert other() == "in"


def test_only_the_owner_may_read(folder: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert modes == {"data": 0o700, "lock": 0o600, "smppgate.db": 0o600}


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"")
    with pytest.raises(StoreDown, match="cannot be opened"), prepared(tmp_path / "data"):
        pass


# -- what lies there ---------------------------------------------------------------------------------------------
def test_a_half_made_store_is_made_again(folder: Path, database: Path) -> None:
    new = folder / "new"
    new.mkdir()
    (new / "smppgate.db.new").write_bytes(database.read_bytes()[:5000])
    with prepared(new) as made, closing(sqlite3.connect(made)) as connection:
        assert connection.execute("SELECT count(*) FROM account").fetchone() == (0,)
    assert {path.name for path in new.iterdir()} == {"smppgate.db", "lock"}


@pytest.mark.promise("R8")
def test_a_store_that_is_gone_is_not_replaced_by_an_empty_one(folder: Path, database: Path) -> None:
    kept = database.rename(folder / "kept")
    refused(folder, "gone")
    kept.rename(database)
    with prepared(folder):
        pass


@pytest.mark.promise("R8")
def test_a_log_without_its_store_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "smppgate.db-wal").write_bytes(b"commits")
    (tmp_path / "lock").write_bytes(b"")
    refused(tmp_path, "backup")


@pytest.mark.parametrize("size", [0, 50, 4096, -4096, -1])
@pytest.mark.promise("R8")
def test_a_store_that_was_cut_short_is_refused(folder: Path, database: Path, size: int) -> None:
    os.truncate(database, size if size >= 0 else database.stat().st_size + size)
    refused(folder)


@pytest.mark.promise("R8")
def test_a_header_of_zeros_is_refused(folder: Path, database: Path) -> None:
    with database.open("r+b") as file:
        file.write(bytes(100))
    refused(folder, "does not begin")


@pytest.mark.promise("R8")
def test_a_broken_schema_is_refused(folder: Path, database: Path) -> None:
    with database.open("r+b") as file:
        file.seek(100)
        file.write(bytes(200))
    refused(folder)


@pytest.mark.promise("R8")
def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "smppgate.db")) as connection:
        connection.execute("CREATE TABLE account(id)")
        connection.commit()
    (tmp_path / "lock").write_bytes(b"")
    refused(tmp_path, "another program")


async def test_one_wrong_octet_in_a_page_is_found_by_check(folder: Path, database: Path) -> None:
    async with open_store(folder, reserve=0) as store:
        (a,) = await store.accounts()
        await store.accept(batch(a.id, range(1, 200)), "session")
        assert await store.check() == []
    with closing(sqlite3.connect(database)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'message'").fetchone()
    with database.open("r+b") as file:
        file.seek((page - 1) * 4096 + 3)
        file.write(b"\xff\xff")
    async with open_store(folder, reserve=0) as store:
        assert await store.check() != []


async def test_files_that_vanish_under_the_server_stop_it(folder: Path, database: Path) -> None:
    async with open_store(folder, reserve=0) as store:
        (a,) = await store.accounts()
        await store.accept(batch(a.id, [1]), "session")
        kept = database.rename(folder / "kept")
        with pytest.raises(StoreDown):
            await store.accept(batch(a.id, [2]), "session")
        kept.rename(database)
        assert await store.accept(batch(a.id, [2]), "session") == frozenset()
