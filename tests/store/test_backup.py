"""A copy of the store holds all that was answered before it began, appears only when whole, and finds its way back."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from store import backup, open_store
from store.files import DATABASE
from store.protocol import BackupFailed, StoreDamaged, StoreLocked

from .backends import NOW, account, batch, delivered


async def filled(folder: Path, copy: Path) -> None:
    async with open_store(folder, reserve=0) as store:
        a = await account(store)
        assert await store.accept(batch(a.id, range(1, 101)), "session") == frozenset()
        await store.settle([delivered(a.id, range(1, 51))])
        found = await store.backup(copy)
    assert (found.accounts, found.messages, found.octets) == (1, 100, copy.stat().st_size)
    assert found.until >= NOW


async def test_a_backup_is_one_private_file_and_comes_back_whole(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    await filled(tmp_path / "data", copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(tmp_path)) == ["copy.db", "data"]
    before = copy.read_bytes()
    found = backup.restore(copy, tmp_path / "other")
    assert found.messages == 100
    assert copy.read_bytes() == before
    assert sorted(os.listdir(tmp_path / "other")) == ["lock", DATABASE]
    async with open_store(tmp_path / "other") as store:
        assert await store.audit() == []
        [a] = await store.accounts()
        assert len((await store.export(a.id)).messages) == 100
        assert len(await store.pending()) == 50


async def test_what_was_answered_before_a_backup_began_is_in_it_and_commits_go_on_meanwhile(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    async with open_store(tmp_path / "data", reserve=0) as store:
        a = await account(store, 1_000_000)
        await store.accept(batch(a.id, range(1, 3001)), "session")
        copying = asyncio.ensure_future(store.backup(copy))
        last = 3000
        while not copying.done():
            await store.accept(batch(a.id, [last + 1]), "session")
            last += 1
        found = await copying
    assert last > 3001
    assert 3000 <= found.messages < last
    assert backup.restore(copy, tmp_path / "other") == found._replace(octets=found.octets)


async def test_a_backup_overwrites_nothing_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with open_store(tmp_path / "data") as store:
        taken = tmp_path / "taken"
        taken.write_text("precious")
        with pytest.raises(BackupFailed, match="there already"):
            await store.backup(taken)
        assert taken.read_text() == "precious"
        with pytest.raises(BackupFailed, match="cannot be written"):
            await store.backup(tmp_path / "nowhere" / "copy.db")
    assert sorted(os.listdir(tmp_path)) == ["data", "taken"]


async def test_a_backup_does_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_store(tmp_path / "data", reserve=0) as store:
        monkeypatch.setattr("store.backup.MOST", 1 << 60)
        with pytest.raises(BackupFailed, match="another disk"):
            await store.backup(tmp_path / "copy.db")
    assert sorted(os.listdir(tmp_path)) == ["data"]


async def test_books_that_are_wrong_make_no_backup(tmp_path: Path) -> None:
    await filled(tmp_path / "data", tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "data" / DATABASE)) as connection:
        connection.execute("DROP TRIGGER account_follows_ledger")
        connection.execute("UPDATE account SET balance = balance + 1")
        connection.executescript(
            "CREATE TRIGGER account_follows_ledger BEFORE UPDATE OF balance ON account\n"
            "WHEN NOT EXISTS (SELECT 1 FROM ledger WHERE line = (SELECT max(line) FROM ledger)\n"
            "                 AND account = NEW.id AND balance_after = NEW.balance"
            " AND amount = NEW.balance - OLD.balance)\n"
            "BEGIN SELECT RAISE(ABORT, 'account: only a ledger line moves the balance'); END"
        )
        connection.commit()
    async with open_store(tmp_path / "data") as store:
        with pytest.raises(StoreDamaged, match="balance"):
            await store.backup(tmp_path / "wrong.db")
    assert not (tmp_path / "wrong.db").exists()


async def test_a_restore_refuses_a_folder_that_has_a_store_or_a_server(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    await filled(tmp_path / "data", copy)
    with pytest.raises(BackupFailed, match="there already"):
        backup.restore(copy, tmp_path / "data")
    (tmp_path / "left").mkdir()
    (tmp_path / "left" / f"{DATABASE}-wal").write_bytes(b"commits")
    with pytest.raises(BackupFailed, match="another store"):
        backup.restore(copy, tmp_path / "left")
    async with open_store(tmp_path / "open"):
        with pytest.raises(StoreLocked):
            backup.restore(copy, tmp_path / "open")


@pytest.mark.parametrize("at", [0, 70, 4096])
async def test_a_damaged_backup_is_not_restored(tmp_path: Path, at: int) -> None:
    copy = tmp_path / "copy.db"
    await filled(tmp_path / "data", copy)
    with copy.open("r+b") as file:
        file.seek(at)
        file.write(b"\xff" * 300)
    with pytest.raises((StoreDamaged, BackupFailed)):
        backup.restore(copy, tmp_path / "other")
    assert not (tmp_path / "other" / DATABASE).exists()
