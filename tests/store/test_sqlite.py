"""The SQLite back end as a whole: opening and closing on every way out, and the seam where commits stall and fail."""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from store import connection, open_store
from store.committer import EACH, FRAMES, Hop
from store.failures import CommitFailed
from store.group import Told
from store.protocol import OutcomeUnknown, Store, StoreDown, StoreFull
from store.sql import Statements

from .backends import NOW, account, balance, batch, delivered, failed


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if not thread.daemon}


# -- every way out -----------------------------------------------------------------------------------------------
async def test_no_thread_is_left_behind(tmp_path: Path) -> None:
    before = threads()
    async with open_store(tmp_path) as store:
        assert len(threads() - before) == 2
        await store.audit()
        assert len(threads() - before) == 2
    assert threads() == before
    with pytest.raises(RuntimeError, match="ours"):
        async with open_store(tmp_path):
            raise RuntimeError("ours")
    assert threads() == before


async def test_a_store_that_is_cancelled_is_closed_all_the_same(tmp_path: Path) -> None:
    before = threads()
    stored: list[asyncio.Future[frozenset[int]]] = []

    async def serve() -> None:
        async with open_store(tmp_path, reserve=0) as store:
            a = await account(store)
            stored.append(store.accept(batch(a.id, [1]), "session"))
            await asyncio.Event().wait()

    serving = asyncio.ensure_future(serve())
    while not stored:
        await asyncio.sleep(0)
    serving.cancel()
    await asyncio.sleep(0)
    serving.cancel()  # impatiently
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert stored[0].result() == frozenset()
    assert threads() == before


@pytest.mark.parametrize("turns", range(0, 60, 4))
async def test_opening_can_be_cancelled_at_any_moment(tmp_path: Path, turns: int) -> None:
    before = threads()

    async def serve() -> None:
        async with open_store(tmp_path):
            await asyncio.Event().wait()

    serving = asyncio.ensure_future(serve())
    for _ in range(turns):
        await asyncio.sleep(0)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert threads() == before
    async with open_store(tmp_path) as store:
        assert await store.check() == []


async def test_an_error_while_opening_closes_what_was_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = threads()
    monkeypatch.setattr("store.sqlite.READER", ("wal_autocheckpoint nonsense",))
    with pytest.raises(StoreDown, match="nonsense"):
        async with open_store(tmp_path):
            pass
    assert threads() == before


# -- readers cannot write ----------------------------------------------------------------------------------------
async def test_the_reader_cannot_write(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await store._reader.fetch("INSERT INTO mark VALUES (1, 1)")


async def test_a_reader_that_keeps_the_log_from_shrinking_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "STEPS", 10)
    async with open_store(tmp_path) as store:
        await account(store)
        monkeypatch.setattr(connection, "PINNED", 0)
        with pytest.raises(StoreDown, match="took so long"):
            await store.audit()
        monkeypatch.setattr(connection, "PINNED", 1 << 30)
        assert await store.audit() == []


async def test_the_log_is_reused(tmp_path: Path) -> None:
    async with open_store(tmp_path, reserve=0) as store:
        a = await account(store)
        for n in range(1, 3 * FRAMES // EACH):
            await store.accept(batch(a.id, [n]), "session")
        assert (tmp_path / "smppgate.db-wal").stat().st_size < FRAMES * 4120


# -- the seam ----------------------------------------------------------------------------------------------------
class Seam:
    """What a test puts around the hop."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.before: Exception | None = None
        self.after: Exception | None = None

    def __call__(self, hop: Hop) -> Hop:
        async def run(statements: Statements[Told]) -> Told:
            await self.gate.wait()
            if self.before is not None:
                error, self.before = self.before, None
                raise error
            told = await hop(statements)
            if self.after is not None:
                error, self.after = self.after, None
                raise CommitFailed(told) from error
            return told

        return run


def unsure() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    return error


async def test_stalled_commits_gather_the_others(tmp_path: Path) -> None:
    seam = Seam()
    groups: list[int] = []
    async with open_store(tmp_path, around=seam, reserve=0) as store:
        a = await account(store)
        store.observer = lambda commit: groups.append(commit.messages)
        seam.gate.clear()
        done = [store.accept(batch(a.id, [1]), 1)]
        await asyncio.sleep(0.005)
        done += [store.accept(batch(a.id, [n]), n) for n in range(2, 10)]
        await asyncio.sleep(0.005)
        assert not any(future.done() for future in done)
        assert await store.messages(a.id) == []  # reading goes on
        seam.gate.set()
        await asyncio.gather(*done)
    assert groups == [1, 8]


async def test_a_disk_that_fails_and_comes_back(tmp_path: Path) -> None:
    seam = Seam()
    async with open_store(tmp_path, around=seam, reserve=0) as store:
        a = await account(store)
        seam.before = OSError(28, "No space left on device")
        with pytest.raises(StoreFull):
            await store.accept(batch(a.id, [1]), 1)
        seam.before = OSError(28, "No space left on device")
        with pytest.raises(StoreFull):
            await store.post(a.id, "topup", 1, NOW)
        assert await store.accept(batch(a.id, [1]), 1) == frozenset()
        assert await store.audit() == []


Attempt = Callable[[Store, int], Awaitable[object]]


@pytest.mark.parametrize(
    ("attempt", "answer"),
    [
        pytest.param(lambda s, a: s.accept(batch(a, [9]), 1), frozenset(), id="accept"),
        pytest.param(lambda s, a: s.settle([failed(a, [1])]), frozenset(), id="refund"),
        pytest.param(lambda s, a: s.settle([delivered(a, [1])]), frozenset(), id="settle"),
        pytest.param(lambda s, a: s.note_incoming(a, [(9, bytearray(b"mo"))]), None, id="incoming"),
        pytest.param(lambda s, a: s.unschedule([2]), frozenset({2}), id="unschedule"),
        pytest.param(lambda s, a: s.give_up(a, [3], "why"), None, id="give up"),
    ],
)
async def test_a_commit_that_happened_after_all_is_a_commit(tmp_path: Path, attempt: Attempt, answer: object) -> None:
    seam = Seam()
    moved: list[dict[int, int]] = []
    async with open_store(tmp_path, around=seam, reserve=0) as store:
        a = await account(store)
        await store.accept(batch(a.id, [1, 2, 3], scheduled=[(2, NOW)]), 1)
        await store.settle([delivered(a.id, [3], owed=[3])])
        store.observer = lambda commit: moved.append(commit.moved)
        seam.after = unsure()
        assert await attempt(store, a.id) == answer
        assert len(moved) == 1
        assert await store.audit() == []


async def test_money_by_hand_is_looked_up_too(tmp_path: Path) -> None:
    seam = Seam()
    async with open_store(tmp_path, around=seam, reserve=0) as store:
        a = await account(store)
        seam.after = unsure()
        assert (await store.post(a.id, "topup", 10_000, NOW)).amount == 10_000
        seam.after = unsure()
        b = await store.add_account("smpp-b", "b", "hash", {}, NOW)
        seam.after = unsure()
        await store.transfer(a.id, b.id, 10_000, NOW)
        assert (await balance(store, a.id), await balance(store, b.id)) == (100, 1)


async def test_a_commit_that_cannot_be_looked_up_is_unknown(tmp_path: Path) -> None:
    """A reader keeps the log from being emptied, so nobody can say what the next start would find in it."""
    seam = Seam()
    async with open_store(tmp_path, around=seam, reserve=0) as store:
        a = await account(store)
        await store.accept(batch(a.id, [1]), 1)
        await store._reader.fetch("BEGIN")
        await store._reader.fetch("SELECT count(*) FROM message")
        writer = store._committer._disk
        assert isinstance(writer, connection.Connection)
        await writer.fetch("PRAGMA busy_timeout = 0")  # or the look-up would wait for the reader
        seam.after = unsure()
        with pytest.raises(OutcomeUnknown):
            await store.accept(batch(a.id, [2]), 1)
        with pytest.raises(StoreDown, match="in doubt"):
            await store.accept(batch(a.id, [3]), 1)
        await store._reader.fetch("ROLLBACK")
        store._committer._try_again_at = 0.0
        assert await store.accept(batch(a.id, [3]), 1) == frozenset()
        assert [row.id for row in await store.messages(a.id)] == [3, 2, 1]
