"""What the doctor sees of the machine: a clock set back, memory that runs out, files that are not their owner's."""

import os
import time
from collections import namedtuple
from pathlib import Path

import pytest

from gateway.doctor import machine


def now_ms() -> int:
    return int(time.time() * 1000)


@pytest.mark.parametrize(("kept", "state"), [(True, "ok"), (False, "warning"), (None, "warning")])
def test_whether_somebody_keeps_the_clock(monkeypatch: pytest.MonkeyPatch, kept: bool | None, state: str) -> None:
    monkeypatch.setattr(machine, "disciplined", lambda: kept)
    [found] = machine.clock(now_ms())
    assert found.state == state
    assert bool(found.advice) is (state != "ok")


def test_a_clock_that_was_set_back_is_seen_by_the_newest_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "disciplined", lambda: True)
    [found] = machine.clock(now_ms() + 3_600_000)
    assert found.state == "bad"
    assert "set back" in found.found


def test_the_kernel_can_be_asked() -> None:
    assert machine.disciplined() in (True, False, None)


def root(folder: Path, available: int, limit: str) -> Path:
    (folder / "proc").mkdir()
    (folder / "proc" / "meminfo").write_text(f"MemTotal:  9 kB\nMemAvailable:   {available << 10} kB\n")
    (folder / "sys" / "fs" / "cgroup").mkdir(parents=True)
    (folder / "sys" / "fs" / "cgroup" / "memory.max").write_text(limit + "\n")
    return folder


@pytest.mark.parametrize(
    ("available", "limit", "state"),
    [(4000, "max", "ok"), (400, "max", "warning"), (100, "max", "bad"), (4000, str(300 << 20), "warning")],
)
def test_memory(tmp_path: Path, available: int, limit: str, state: str) -> None:
    assert machine.memory(root(tmp_path, available, limit)).state == state


def test_memory_of_a_system_that_does_not_tell(tmp_path: Path) -> None:
    assert "does not say" in machine.memory(tmp_path).found


@pytest.mark.parametrize(("total", "left", "state"), [(1_000, 10, "warning"), (9_999, 9_999, "ok"), (0, 0, "ok")])
def test_inodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: int, left: int, state: str) -> None:
    disk = namedtuple("disk", "f_files f_favail")
    monkeypatch.setattr(os, "statvfs", lambda _path: disk(total, left))
    assert machine.inodes(tmp_path).state == state


def test_files_that_others_can_read(tmp_path: Path) -> None:
    database = tmp_path / "smppgate.db"
    database.touch(0o600)
    assert list(machine.files(tmp_path)) == []
    database.chmod(0o644)
    [found] = machine.files(tmp_path)
    assert "chmod 600" in found.advice


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_files_of_somebody_else(tmp_path: Path) -> None:
    database = tmp_path / "smppgate.db"
    database.touch(0o600)
    os.chown(database, 12345, -1)
    [found] = machine.files(tmp_path)
    assert found.state == "bad"


def test_how_large_the_store_and_its_log_are(tmp_path: Path) -> None:
    assert list(machine.sizes(tmp_path)) == []
    for name, size in (("smppgate.db", 3 << 20), ("smppgate.db-wal", 1 << 20)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    [found] = machine.sizes(tmp_path)
    assert (found.state, found.found) == ("ok", "store 3 MB, write-ahead log 1 MB")
    os.truncate(tmp_path / "smppgate.db-wal", (1 << 30) + 1)
    assert next(machine.sizes(tmp_path)).state == "warning"
