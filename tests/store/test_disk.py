"""A disk that is full, or does not sync: refused with the truth, and working again by itself."""

import asyncio
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from store import open_store
from store.connection import Connection
from store.protocol import Store, StoreFull

from .backends import account, batch, delivered
from .test_crash import promises, stored


def load(folder: Path, *before: str, limit: Callable[[], None] | None = None) -> "subprocess.Popen[str]":
    command = [*before, sys.executable, "-m", "tests.store.load", str(folder), "1"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=limit, start_new_session=True)


def until(process: "subprocess.Popen[str]", words: tuple[str, ...], times: int) -> list[str]:
    """What it says until it has said one of the words so often."""
    assert process.stdout is not None
    lines: list[str] = []
    while times:
        lines.append(process.stdout.readline())
        assert lines[-1], f"it ended before it said any of {words}"
        times -= lines[-1].startswith(words)
    return lines


def killed(process: "subprocess.Popen[str]") -> list[str]:
    """What was still to be read."""
    assert process.stdout is not None
    os.killpg(process.pid, signal.SIGKILL)  # whatever runs it dies with it
    return [line for line in process.stdout if line.endswith("\n")]


async def fill(store: Store, account_: int) -> list[int]:
    """Accept until there is no room. -> what was accepted."""
    kept: list[int] = []
    for first in range(1, 1_000_000, 100):
        ids = list(range(first, first + 100))
        try:
            await store.accept(batch(account_, ids, charge=1), "session")
        except StoreFull:
            return kept
        kept += ids
    raise AssertionError("it never became full")


async def test_full_and_roomy_again(tmp_path: Path) -> None:
    async with open_store(tmp_path, reserve=0) as store:
        a = await account(store)
        writer = store._committer._disk
        assert isinstance(writer, Connection)
        await writer.fetch("PRAGMA max_page_count = 300")
        kept = await fill(store, a.id)
        assert await store.audit() == []
        assert [row.id for row in await store.messages(a.id, limit=1)] == kept[-1:]
        await writer.fetch("PRAGMA max_page_count = 1000000")
        assert await store.accept(batch(a.id, [2_000_000]), "session") == frozenset()
        assert await store.settle([delivered(a.id, kept, owed=kept)]) == frozenset()
        assert len(await store.messages(a.id, limit=1_000_000)) == len(kept) + 1
        assert await store.audit() == []


def test_files_that_may_not_grow(tmp_path: Path) -> None:
    """No false OK, no false no, and the next process finds everything in order."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))

    with load(tmp_path / "data", limit=limit) as process:
        said = promises(until(process, ("full",), 5) + killed(process))
    messages, owed = asyncio.run(stored(tmp_path / "data"))
    assert said["accepted"] <= messages.keys()
    assert not (said["refused"] | said["full"] | said["down"]) & messages.keys()
    assert {id_ for id_ in said["2"] if messages[id_].state != 2} == set()
    assert said["owed"] <= owed


def can_trace() -> bool:
    strace = shutil.which("strace")
    traced = [strace or "", "-qq", "-o", "/dev/null", "true"]
    return strace is not None and subprocess.run(traced, check=False, stderr=subprocess.DEVNULL).returncode == 0


@pytest.mark.skipif("CI" not in os.environ and not can_trace(), reason="strace is not here, or may not trace")
@pytest.mark.parametrize(
    ("syncs", "words", "again"),
    [
        pytest.param("40", ("down", "open"), 50, id="one sync fails: nothing was committed, and on it goes"),
        pytest.param("40+1", ("unknown", "open"), 0, id="no sync works any more: nobody can say"),
    ],
)
def test_a_disk_that_does_not_sync(tmp_path: Path, syncs: str, words: tuple[str, ...], again: int) -> None:
    broken = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject=fdatasync:error=EIO:when={syncs}")
    with load(tmp_path / "data", *broken) as process:
        said = promises(until(process, words, 1) + until(process, ("accepted",), again) + killed(process))
    messages, _owed = asyncio.run(stored(tmp_path / "data"))
    assert said["accepted"] <= messages.keys()
    assert not (said["refused"] | said["full"] | said["down"]) & messages.keys()
