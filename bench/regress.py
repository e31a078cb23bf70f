"""python -m bench.regress: fails if a piece of the hot road takes clearly more instructions than the baseline says.

Times differ from run to run and from machine to machine; instructions, counted by valgrind's callgrind, hardly do. How
many a step of Python takes depends on how the interpreter was built, so a piece is not judged by its count but by its
ratio to a yardstick counted in the same run: plain Python, SQLite by itself, or both (see `bench.regress_pieces`).
Start-up is not in it: every piece is counted for N rounds and for 2N, and the difference is what N rounds take.

Measured: run again, a count differs by less than 0.1 %, whatever else the machine does. In another environment, so with
other addresses in memory, by less than 1 %; but now and then by 5 %, when two names meet in one place of CPython's
cache of attributes. So what looks dear is counted once more with memory laid out otherwise; the lower count counts.
Debian's 3.11.2 (with profile-guided optimisation) next to a 3.11.7 built without moves the small pieces by up to 9 %,
judge, session and store by up to 4 %, the road by 0.4 %: hence the margins. 3.12 and 3.13 move some pieces by a third:
a baseline is for one version of Python.

What it cannot see: waiting, the kernel, uvloop, the processor's caches. For those there is `bench.road`.
"""

import argparse
import json
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from bench.machine import ROOT, Failed, commit, compiler, said_by
from bench.servers import environment

BASELINE = ROOT / "bench" / "baseline.json"
MARGIN = 10.0  # per cent
SMALL = 15.0  # for pieces that lean on one C function or another
WHOLE = 5.0  # for the road, where all of that evens out
AGAIN = "python -m bench.regress --write"
TOTAL = re.compile(r"^totals: (\d+)$", re.MULTILINE)


class Count(NamedTuple):
    """What one work took: instructions a message, and what it is measured by (nothing: it is a yardstick itself)."""

    name: str
    instructions: float
    yardsticks: tuple[str, ...]
    margin: float


class Row(NamedTuple):
    """A piece next to its baseline; changes in per cent, more is worse."""

    name: str
    instructions: float
    ratio: float
    baseline: float
    change: float
    margin: float


# -- counting ------------------------------------------------------------------------------------------------


def counted(layout: int = 0, program: Sequence[str] = ("-m", "bench.regress_pieces")) -> list[Count]:
    """Run a Python program under callgrind. It lists what it did in the file it is given, and calls getppid(2) behind
    each section: the warm-up, N rounds, 2N rounds of each work in turn. `layout`: another number, other addresses."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise Failed("valgrind is not installed (Debian: apt install valgrind)")
    with tempfile.TemporaryDirectory(prefix="smppgate-regress-") as name:
        counts, listing = Path(name) / "counts", Path(name) / "listing"
        command = [valgrind, "--tool=callgrind", "--quiet", "--vgdb=no"]
        command += [f"--callgrind-out-file={counts}", "--combine-dumps=yes", "--dump-before=getppid"]
        command += [sys.executable, *program, str(listing)]
        done = subprocess.run(command, cwd=ROOT, env=quiet(layout), capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"{program[-1]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return sorted_out(counts.read_text(), json.loads(listing.read_text()))


def quiet(layout: int) -> dict[str, str]:
    """Nothing that makes an interpreter work differently, and the same hashes in every run."""
    kept = {name: value for name, value in environment().items() if not name.startswith("PYTHON")}
    return kept | {"PYTHONHASHSEED": "0"} | {f"LAYOUT_{number}": "x" * number for number in range(100 * layout)}


def sorted_out(counts: str, listing: list[dict[str, Any]]) -> list[Count]:
    """`counts`: callgrind's file, with a total for each section and one for the end of the process."""
    totals = [int(total) for total in TOTAL.findall(counts)]
    if len(totals) != 3 * len(listing) + 1:
        raise Failed(f"callgrind has {len(totals)} counts for {len(listing)} pieces: it did not see every mark")
    return [
        Count(work["name"], per_message(once, twice, work["messages"]), tuple(work["yardsticks"]), work["margin"])
        for work, once, twice in zip(listing, totals[1::3], totals[2::3], strict=True)
    ]


def per_message(once: int, twice: int, messages: int) -> float:
    """`messages` went through in the first section, twice as many in the second; what both have in common goes."""
    return (twice - once) / messages


def fewest(counts: list[Count], again: list[Count]) -> list[Count]:
    """Bad luck with addresses only ever adds."""
    return [min(pair, key=lambda count: count.instructions) for pair in zip(counts, again, strict=True)]


def ratios(counts: list[Count]) -> dict[str, float]:
    """Each piece by its yardsticks together."""
    taken = {count.name: count.instructions for count in counts}
    return {
        count.name: count.instructions / sum([taken[name] for name in count.yardsticks])
        for count in counts
        if count.yardsticks
    }


# -- judging -------------------------------------------------------------------------------------------------


def version() -> str:
    """What a baseline must have in common with a run."""
    return f"{platform.python_implementation()} {sys.version_info.major}.{sys.version_info.minor}"


def written(baseline: Path) -> dict[str, Any]:
    """The baseline, if it is one for this interpreter."""
    if not baseline.exists():
        raise Failed(f"there is no {baseline.name}; make one: {AGAIN}")
    found: dict[str, Any] = json.loads(baseline.read_text())
    if found["version"] != version():
        raise Failed(f"the baseline is for {found['version']}, this is {version()}: take that one, or {AGAIN}")
    return found


def compared(counts: list[Count], baseline: dict[str, float]) -> list[Row]:
    found = ratios(counts)
    if odd := sorted(found.keys() ^ baseline.keys()):
        raise Failed(f"pieces and baseline do not fit ({', '.join(odd)}); make a new one: {AGAIN}")
    return [
        Row(name, instructions, found[name], baseline[name], (found[name] / baseline[name] - 1) * 100, margin)
        for name, instructions, yardsticks, margin in counts
        if yardsticks
    ]


def table(counts: list[Count], rows: list[Row]) -> str:
    lines = [f"{'instructions a message':42} {'':>8}   ratio  baseline   change  allowed"]
    lines += [f"{count.name:42} {count.instructions:8,.0f}" for count in counts if not count.yardsticks]
    lines += [
        f"{row.name:42} {row.instructions:8,.0f} {row.ratio:7.4f} {row.baseline:9.4f} {row.change:+7.1f} %"
        f" {row.margin:+6.0f} %"
        for row in rows
    ]
    return "\n".join(lines)


def dearer(rows: list[Row]) -> list[str]:
    return [f"DEARER: {row.name}, {row.change:+.1f} %" for row in rows if row.change > row.margin]


def cheaper(rows: list[Row]) -> list[str]:
    """Until the baseline follows, so much may be lost again unseen."""
    return [f"cheaper: {row.name}, {row.change:+.1f} %. Keep it: {AGAIN}" for row in rows if row.change < -row.margin]


def write(counts: list[Count], baseline: Path) -> None:
    python = f"{platform.python_implementation()} {platform.python_version()}, {compiler()}"
    facts = {
        "version": version(),
        "made": f"{datetime.now(UTC):%Y-%m-%d}, {commit()}, {os.uname().machine}",
        "with": f"{python}; SQLite {sqlite3.sqlite_version}; {said_by('valgrind', '--version')}",
        "ratios": {name: round(ratio, 4) for name, ratio in ratios(counts).items()},
    }
    baseline.write_text(json.dumps(facts, indent=2) + "\n")


def main(words: list[str] | None = None, baseline: Path = BASELINE) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.regress", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="make what is counted now the baseline")
    given = parser.parse_args(words)
    try:
        if given.write:
            write(fewest(counted(), counted(layout=1)), baseline)
            return 0
        known = written(baseline)["ratios"]
        counts = counted()
        if dearer(compared(counts, known)):
            counts = fewest(counts, counted(layout=1))
        rows = compared(counts, known)
    except Failed as why:
        print(f"bench.regress: {why}", file=sys.stderr)
        return 2
    print("\n".join([table(counts, rows), *cheaper(rows), *dearer(rows)]))
    return 1 if dearer(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
