"""Where and when figures were taken: without this they mean nothing."""

import os
import platform
import shutil
import sqlite3
import subprocess
import sysconfig
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"  # beside the sources: /tmp may be memory, and this is to be a disk


class Failed(Exception):  # noqa: N818 - read as "the benchmark failed"
    """Nothing can be measured."""


def facts() -> dict[str, str]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "machine": f"{os.cpu_count()} cores, {processor()}",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}, {compiler()}",
        "sqlite": sqlite3.sqlite_version,
        "node": said_by("node", "--version") or "not there",
    }


def disk_ms(folder: Path = RESULTS) -> float:
    """What a commit waits for at least, median of 100: latencies can only be judged next to it."""
    folder.mkdir(exist_ok=True)
    times = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(100):
            started = perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            times.append(perf_counter() - started)
    return median(times) * 1000


def commit() -> str:
    """The commit that was measured; a star if the tree had changes that it does not know."""
    number = said_by("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    changed = said_by("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no")
    return (number or "unknown") + ("*" if changed else "")


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].split())
    return platform.machine()


def compiler() -> str:
    """Whether the interpreter was built with profile-guided optimisation is worth a tenth of every figure."""
    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    return f"{platform.python_compiler()}, {'with' if optimised else 'without'} --enable-optimizations"


def said_by(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def as_lines(known: dict[str, str]) -> str:
    return "\n".join(f"{name:10} {value}" for name, value in known.items())
