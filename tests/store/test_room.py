"""New messages stop before the disk is full."""

import os
from collections import namedtuple
from pathlib import Path

import pytest

from store import open_store
from store.protocol import StoreFull
from store.room import EVERY, MOST, Room

from .backends import account, batch, delivered

Found = namedtuple("Found", "f_blocks f_bavail f_frsize")


class Folder:
    free = 1000


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Folder:
    folder = Folder()
    monkeypatch.setattr(os, "statvfs", lambda path: Found(1000, folder.free, 4096))
    return folder


def test_there_is_room_until_the_reserve_is_reached(disk: Folder, tmp_path: Path) -> None:
    room = Room(tmp_path, 100 * 4096)
    assert room.enough(1.0)
    disk.free = 99
    assert room.enough(1.0 + EVERY / 2)
    assert not room.enough(1.0 + EVERY)
    disk.free = 100
    assert room.enough(1.0 + 2 * EVERY)


def test_the_reserve_is_small_on_a_small_disk_and_bounded_on_a_large_one(
    disk: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.free = 49
    assert not Room(tmp_path, None).enough(1.0)
    disk.free = 50
    assert Room(tmp_path, None).enough(1.0)
    monkeypatch.setattr(os, "statvfs", lambda path: Found(10**9, MOST // 4096, 4096))
    assert Room(tmp_path, None).enough(1.0)


def test_a_folder_that_cannot_be_looked_at_is_left_to_the_writer(tmp_path: Path) -> None:
    room = Room(tmp_path, 0)
    tmp_path.rmdir()
    assert room.enough(1.0)


async def test_what_has_been_accepted_can_still_end(tmp_path: Path) -> None:
    async with open_store(tmp_path, reserve=0) as store:
        a = await account(store)
        await store.accept(batch(a.id, [1]), "session")
    async with open_store(tmp_path, reserve=1 << 60) as store:
        with pytest.raises(StoreFull):
            await store.accept(batch(a.id, [2]), "session")
        assert await store.settle([delivered(a.id, [1], owed=[1])]) == frozenset()
        await store.acknowledge(a.id, [1])
