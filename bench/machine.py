"""Where and when figures were taken: without this they mean nothing."""

import os
import platform
import shutil
import sqlite3
import subprocess
import sysconfig
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


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
    return "\n".join(f"{name:8} {value}" for name, value in known.items())
