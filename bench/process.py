"""Facts about a process from /proc, and pinning to a core. Linux only, like every figure here."""

import os
from pathlib import Path
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    cpu: float  # seconds, user and system, all threads, living and ended
    written: int  # octets that were sent to the storage layer
    rss_kib: int


def usage(pids: list[int]) -> Usage:
    parts = [_usage(pid) for pid in pids]
    return Usage(sum(p.cpu for p in parts), sum(p.written for p in parts), sum(p.rss_kib for p in parts))


def _usage(pid: int) -> Usage:
    folder = Path(f"/proc/{pid}")
    # The process name stands in brackets and may hold blanks and brackets itself.
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return Usage(ticks / TICKS, _line(folder / "io", "write_bytes:"), _line(folder / "status", "VmRSS:"))


def _line(path: Path, name: str) -> int:
    """The number behind `name`; 0 where the kernel does not tell (a process of somebody else, one that is ending)."""
    try:
        text = path.read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(name)), 0)


def pin(core: int | None) -> bool:
    """Keep this process on one core, so that server and generator do not take time from each other."""
    if core is None or core not in os.sched_getaffinity(0):
        return False
    os.sched_setaffinity(0, {core})
    return True
