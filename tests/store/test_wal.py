"""A log that lost its end, or a part of it: what was committed before is there, whole, and nothing else."""

import asyncio
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.protocol import MessageRow

from .test_crash import run_and_kill, stored

FRAME, HEADER = 24 + 4096, 32
LOG = "smppgate.db-wal"


def image(folder: Path, to: Path, log: bytes) -> Path:
    """The store with another log."""
    shutil.copytree(folder, to, ignore=shutil.ignore_patterns("*-shm"))
    (to / LOG).write_bytes(log)
    return to


def cuts(length: int, chance: random.Random) -> Iterator[int]:
    """In the header of the log, in that of a frame, in a page, and between two frames."""
    frames = (length - HEADER) // FRAME
    yield from (0, 10, HEADER, length - 1)
    for within in (0, 10, 24, 2000):
        yield HEADER + chance.randrange(frames) * FRAME + within


def under_way(row: MessageRow) -> MessageRow:
    return row._replace(state=None, error=None, done_at=None, refund_line=None)


def extends(more: dict[int, MessageRow], less: dict[int, MessageRow]) -> bool:
    """Whether all that is known here is known there too, and an end was only added."""
    return all(id_ in more and row in (more[id_], under_way(more[id_])) for id_, row in less.items())


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A store whose process died before its log was written back."""
    said = run_and_kill(tmp_path / "data", 300)
    assert said["accepted"]
    return tmp_path / "data"


def test_a_log_that_was_cut_holds_what_was_committed_before(tmp_path: Path, killed: Path) -> None:
    log, chance = (killed / LOG).read_bytes(), random.Random(7)
    lately: dict[int, MessageRow] = {}
    for length in sorted(set(cuts(len(log), chance))):
        messages, _owed = asyncio.run(stored(image(killed, tmp_path / str(length), log[:length])))
        assert extends(messages, lately), length
        lately = messages
    messages, _owed = asyncio.run(stored(killed))
    assert messages
    assert extends(messages, lately)


def test_a_wrong_octet_in_the_log_ends_it_there(tmp_path: Path, killed: Path) -> None:
    log, chance = (killed / LOG).read_bytes(), random.Random(7)
    whole, _owed = asyncio.run(stored(image(killed, tmp_path / "whole", log)))
    for _ in range(5):
        at = chance.randrange(len(log))
        spoilt = bytearray(log)
        spoilt[at] ^= 1 << chance.randrange(8)
        messages, _owed = asyncio.run(stored(image(killed, tmp_path / str(at), bytes(spoilt))))
        assert extends(whole, messages), at
