"""What a power cut would have left of a folder, out of a recording of everything that was written and synced in it.

Invariant: what was synced is there; of what was not, a cut may keep anything, drop anything, and tear a write at a
sector. A name is on disk when its folder was synced; until then names change in their order, up to any point. Knows
files and octets, and nothing of what is in them.
"""

from __future__ import annotations

import os
import random
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.road.running import Road

SECTOR = 512
HEAD = struct.Struct("<QQqIIc7x")
SOURCE = Path(__file__).with_name("recorder.c")
GONE = ("-shm", ".sock")
"""Endings of what no cut leaves anything of: it is mapped, and made anew by whoever opens the store first."""


# -- the recording -----------------------------------------------------------------------------------------------------
class Recorded(Road):
    """A server whose data folder is recorded, from its first octet on."""

    def __init__(self, folder: Path, **options: str) -> None:
        super().__init__(folder, **options)
        self.data.mkdir()
        self.recording, self._shim = folder / "recording", folder / "recorder.so"
        command = ["cc", "-O2", "-shared", "-fPIC", "-o", str(self._shim), str(SOURCE), "-ldl", "-lpthread"]
        subprocess.run(command, check=True, capture_output=True)

    def environment(self) -> dict[str, str]:
        recorder = {"RECORDED_FOLDER": self.data, "RECORDED_TO": self.recording, "LD_PRELOAD": self._shim}
        return super().environment() | {name: str(path) for name, path in recorder.items()}


class Record(NamedTuple):
    """`what`: Create, Write, Truncate, Sync, sync the folDer, Unlink, Rename."""

    at: float  # by the monotonic clock, when it was done
    what: str
    file: int
    offset: int
    name: str
    data: bytes


def records(recording: Path) -> Iterator[Record]:
    with recording.open("rb") as file:
        while head := file.read(HEAD.size):
            at, inode, offset, length, named, what = HEAD.unpack(head)
            name = file.read(named).decode()
            yield Record(at / 1e9, what.decode(), inode, offset, name, file.read(length))


def syncs(recording: Path) -> list[tuple[int, float]]:
    """Which records are syncs, and when each was done."""
    return [(number, record.at) for number, record in enumerate(records(recording)) if record.what in "SD"]


# -- the disk ----------------------------------------------------------------------------------------------------------
Change = tuple[int, bytes | None]
"""What is written at an offset; None: the file is cut, or grows, to that length."""


class File:
    def __init__(self) -> None:
        self.durable = bytearray()
        self.recent: list[Change] = []

    def sync(self) -> None:
        for change in self.recent:
            apply(self.durable, change)
        self.recent = []


def apply(octets: bytearray, change: Change) -> None:
    offset, data = change
    end = offset if data is None else offset + len(data)
    if len(octets) < end:
        octets.extend(bytes(end - len(octets)))
    if data is None:
        del octets[offset:]
    else:
        octets[offset:end] = data


KEPT, LOST, TORN = "kept", "lost", "torn"
CERTAIN = random.Random(0)  # nothing is left to it
Fates = Callable[[int, random.Random], str]
"""How many writes came after it -> what becomes of it."""
FATES: dict[str, Fates] = {
    "dropped": lambda _after, _chance: LOST,
    "torn": lambda after, _chance: KEPT if after else TORN,  # the last one was under way
    "scattered": lambda _after, chance: chance.choice((KEPT, LOST, TORN)),
}


class Disk:
    """Follows a recording, record by record."""

    def __init__(self) -> None:
        self.names: dict[str, File] = {}
        self._recent: list[Record] = []  # changes of names, not yet on disk
        self._files: dict[int, File] = {}  # by inode: a number is used again for another file
        self._made: dict[int, File] = {}  # by the identity of the record that made it

    def follow(self, record: Record) -> None:
        if record.what == "C":
            self._files[record.file] = self._made[id(record)] = File()
            self._recent.append(record)
        elif record.what in "UR":
            self._recent.append(record)
        elif record.what == "D":
            self.names = self._named(len(self._recent))
            self._recent, self._made = [], {}
        elif record.what == "S":
            self._files[record.file].sync()
        else:
            data = None if record.what == "T" else record.data
            self._files[record.file].recent.append((record.offset, data))

    def _named(self, changes: int) -> dict[str, File]:
        """After so many of the changes of names."""
        names = dict(self.names)
        for record in self._recent[:changes]:
            if record.what == "C":
                names[record.name] = self._made[id(record)]
            elif (file := names.pop(record.name, None)) is not None and record.what == "R":
                names[record.data.decode()] = file
        return names

    def now(self) -> dict[str, bytes]:
        """As everybody sees the folder while the power is on."""
        return {name: left(file) for name, file in self._named(len(self._recent)).items() if not name.endswith(GONE)}

    def cut(self, chance: random.Random, how: str) -> dict[str, bytes]:
        """The power fails here. `how`: one of FATES."""
        changes = 0 if how == "dropped" else chance.randint(0, len(self._recent))
        named = self._named(changes).items()
        return {name: left(file, FATES[how], chance) for name, file in named if not name.endswith(GONE)}


def left(file: File, fates: Fates = lambda _after, _chance: KEPT, chance: random.Random = CERTAIN) -> bytes:
    """The file with what became of each write that was not synced."""
    octets = bytearray(file.durable)
    for number, change in enumerate(file.recent):
        fate = fates(len(file.recent) - number - 1, chance)
        for piece in sectors(change) if fate == TORN else [change]:
            if fate == KEPT or (fate == TORN and chance.random() < 0.5):
                apply(octets, piece)
    return bytes(octets)


def sectors(change: Change) -> Iterator[Change]:
    """A write as a disk does it: a sector at a time, in any order."""
    offset, data = change
    if data is None:
        yield change
        return
    at = 0
    while at < len(data):
        end = min(len(data), at + SECTOR - (offset + at) % SECTOR)
        yield offset + at, data[at:end]
        at = end


def put(image: dict[str, bytes], folder: Path) -> None:
    folder.mkdir()
    for name, octets in image.items():
        with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(octets)
