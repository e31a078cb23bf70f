"""One hop for a transaction, and what waits to the end."""

import asyncio
import gc
import os
import resource
import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from store.connection import WRITER, connected, finished, seen
from store.failures import CommitFailed
from store.protocol import StoreDown
from store.sql import Statements


def write(*values: int) -> Statements[str]:
    for value in values:
        yield "INSERT INTO t(x) VALUES (?)", (value,)
    rows = yield "SELECT count(*) FROM t", ()
    return f"{rows[0][0]} rows"


async def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    async with connected(tmp_path / "db", WRITER) as writer:
        await writer.fetch("CREATE TABLE t(x INTEGER PRIMARY KEY)")
        assert await writer.transact(write(1, 2)) == "2 rows"
        with pytest.raises(sqlite3.IntegrityError):
            await writer.transact(write(3, 1))
        assert await writer.fetch("SELECT x FROM t") == [(1,), (2,)]
        with pytest.raises(TypeError):
            await writer.transact(broken())
        assert await writer.transact(write(3)) == "3 rows"


def broken() -> Statements[None]:
    yield "INSERT INTO t(x) VALUES (9)", ()
    raise TypeError("ours")


async def test_a_commit_that_raises_carries_what_was_told(tmp_path: Path) -> None:
    async with connected(tmp_path / "db", WRITER) as writer:
        await writer.fetch("PRAGMA foreign_keys = ON")
        await writer.fetch("CREATE TABLE one(x INTEGER PRIMARY KEY)")
        await writer.fetch("CREATE TABLE t(x INTEGER REFERENCES one DEFERRABLE INITIALLY DEFERRED)")
        with pytest.raises(CommitFailed) as failed:
            await writer.transact(write(77))
        assert failed.value.told == "1 rows"
        assert isinstance(failed.value.__cause__, sqlite3.IntegrityError)
        assert await writer.fetch("SELECT x FROM t") == []


async def test_a_transaction_is_recognised_afresh(tmp_path: Path) -> None:
    async with connected(tmp_path / "db", WRITER) as writer:
        await writer.fetch("CREATE TABLE t(x INTEGER PRIMARY KEY)")
        await writer.transact(write(1))
        for wipe in (False, True):
            assert await writer.recognise(("SELECT 1 FROM t WHERE x = ?", (1,)), wipe)
            assert not await writer.recognise(("SELECT 1 FROM t WHERE x = ?", (2,)), wipe)
            assert not await writer.recognise(None, wipe)
        assert (tmp_path / "db-wal").stat().st_size == 0


@pytest.mark.parametrize("name", ["db", "db-wal"])
@pytest.mark.parametrize("copied", [False, True])
@pytest.mark.parametrize("old", [False, True], ids=["in a folder that has just changed", "in one that has not"])
async def test_nothing_is_written_to_a_file_that_has_lost_its_name(
    tmp_path: Path, name: str, copied: bool, old: bool
) -> None:
    async with connected(tmp_path / "db", WRITER) as writer:
        await writer.fetch("CREATE TABLE t(x INTEGER PRIMARY KEY)")
        if old:
            os.utime(tmp_path, (0, 0))
        await writer.transact(write(1))
        kept = (tmp_path / name).rename(tmp_path / "kept")
        if copied:
            shutil.copy(kept, tmp_path / name)
        with pytest.raises(OSError, match="removed or replaced"):
            await writer.transact(write(2))
        kept.rename(tmp_path / name)
        assert await writer.transact(write(2)) == "2 rows"


async def test_a_commit_needs_no_descriptor(tmp_path: Path) -> None:
    async with connected(tmp_path / "db", WRITER) as writer:
        await writer.fetch("CREATE TABLE t(x INTEGER PRIMARY KEY)")
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
        try:
            for folder in (0, time.time()):
                os.utime(tmp_path, (folder, folder))
                assert await writer.transact(write(int(folder))) in ("1 rows", "2 rows")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_what_cannot_be_opened_is_down(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    with pytest.raises(StoreDown):
        async with connected(tmp_path / "db", WRITER):
            pass


# -- finished ----------------------------------------------------------------------------------------------------
async def test_finished_passes_on_what_came_of_it() -> None:
    async def works() -> int:
        await asyncio.sleep(0)
        return 5

    async def fails() -> None:
        raise ValueError("so it goes")

    assert await finished(works()) == 5
    with pytest.raises(ValueError, match="so it goes"):
        await finished(fails())


@pytest.mark.parametrize("fails", [False, True])
async def test_finished_cannot_be_hurried(fails: bool) -> None:
    gate, ended = asyncio.Event(), []

    async def work() -> None:
        await gate.wait()
        ended.append(True)
        if fails:
            raise ValueError("too late to matter")

    waiting = asyncio.ensure_future(finished(work()))
    for _ in range(3):
        await asyncio.sleep(0)
        waiting.cancel()
    await asyncio.sleep(0)
    assert not waiting.done()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended == [True]


async def test_what_failed_and_nobody_waits_for_is_no_complaint_of_the_loop() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context["message"]))

    async def fail() -> None:
        raise StoreDown("no disk")

    for look in (lambda task: None, seen):
        task = asyncio.create_task(fail())
        task.add_done_callback(look)
        await asyncio.wait([task])
        del task
        gc.collect()
    assert complaints == ["Task exception was never retrieved"]  # of the first
