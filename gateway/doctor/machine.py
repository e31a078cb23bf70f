"""What the doctor sees of the machine: clock, memory, the files of the data folder, the inodes left for more.

Invariant: nothing is changed, and what this system cannot tell is said to be unknown, not to be well.
"""

import ctypes
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from .finding import BAD, GOOD, MEGABYTE, WARNING, Finding

CLOCK_ERROR = 5  # TIME_ERROR of adjtimex(2): nobody disciplines the clock
TIMEX = 512  # octets, more than struct timex has anywhere
BEHIND = 5_000  # milliseconds by which the newest id may be ahead of the clock: ids never go back
FEW_INODES = 1_000
LONG_LOG = 1024 * MEGABYTE
LITTLE_MEMORY, NO_MEMORY = 512 * MEGABYTE, 128 * MEGABYTE
SYNCHRONISE = "run chrony or systemd-timesyncd: validity and schedules follow this clock"


def clock(newest_ms: int | None) -> Iterator[Finding]:
    """`newest_ms`: when the store's newest id was made, if there is one."""
    ahead = 0 if newest_ms is None else newest_ms - int(time.time() * 1000)
    if ahead > BEHIND:
        yield Finding(
            "clock", BAD, f"it was set back: the store knows of something {ahead // 1000:,} s from now",
            "set the clock right; meanwhile new ids go on from the newest, and validity periods end late",
        )  # fmt: skip
    synchronised = disciplined()
    if synchronised is None:
        yield Finding("clock", WARNING, "this system does not say whether it is synchronised", SYNCHRONISE)
    elif not synchronised:
        yield Finding("clock", WARNING, "no NTP service keeps it right", SYNCHRONISE)
    elif ahead <= BEHIND:
        yield Finding("clock", GOOD, "synchronised")


def disciplined() -> bool | None:
    """What the kernel says about its clock; None if it cannot be asked."""
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX))  # modes = 0: only a question
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != CLOCK_ERROR


def memory(root: Path = Path("/")) -> Finding:
    """What is available to one more process, and to this one by its control group."""
    try:
        told = re.search(r"(?m)^MemAvailable: +(\d+) kB", (root / "proc/meminfo").read_text())
    except OSError:
        told = None
    if told is None:
        return Finding("memory", GOOD, "this system does not say how much is left")
    free = int(told[1]) * 1024
    found = f"{free // MEGABYTE:,} MB available"
    try:
        limit = (root / "sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        limit = "max"
    if limit.isdecimal() and int(limit) < free:
        free = int(limit)
        found += f", and a limit of {free // MEGABYTE:,} MB for this control group"
    if free < NO_MEMORY:
        return Finding("memory", BAD, found, "stop what else runs here, or the kernel will choose what to kill")
    if free < LITTLE_MEMORY:
        return Finding("memory", WARNING, found, "a thousand busy binds take some 100 MB")
    return Finding("memory", GOOD, found)


def inodes(folder: Path) -> Finding:
    disk = os.statvfs(folder)
    if disk.f_files and disk.f_favail < FEW_INODES:  # some file systems do not count them
        return Finding("inodes", WARNING, f"{disk.f_favail} left", "remove small files: without inodes nothing is made")
    return Finding("inodes", GOOD, f"{disk.f_favail:,} left" if disk.f_files else "not counted here")


def sizes(folder: Path) -> Iterator[Finding]:
    """The store and the log of what is not in it yet."""
    database, log = folder / "smppgate.db", folder / "smppgate.db-wal"
    if not database.exists():
        return
    written = log.stat().st_size if log.exists() else 0
    found = f"store {database.stat().st_size // MEGABYTE:,} MB, write-ahead log {written // MEGABYTE:,} MB"
    if written > LONG_LOG:
        yield Finding("size", WARNING, found, "something reads for long and keeps the log from being reused")
    else:
        yield Finding("size", GOOD, found)


def files(folder: Path) -> Iterator[Finding]:
    """The store is its owner's alone, and its owner can write it."""
    for path in sorted(folder.glob("smppgate.db*")):
        try:
            mode, owner = stat.S_IMODE(path.stat().st_mode), path.stat().st_uid
        except FileNotFoundError:  # a leftover that is being removed
            continue
        if mode & 0o077:
            yield Finding("files", WARNING, f"{path.name} has mode {mode:04o}", f"chmod 600 {path}")
        if owner != folder.stat().st_uid:
            yield Finding(
                "files", BAD, f"{path.name} does not belong to the owner of the folder",
                f"chown --reference={folder} {path}: the server cannot write it",
            )  # fmt: skip
