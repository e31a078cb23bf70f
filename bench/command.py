"""The flags of `make bench`, and what is measured in which order."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from bench import aged, backlog, compiled, generator, idle, machine, promises, results, road, tls
from bench.cases import CASES, Manner
from bench.machine import Failed

OTHERS: dict[str, Callable[[Manner], dict[str, Any]]] = {
    "tls": tls.measured,
    "idle": idle.measured,
    "backlog": backlog.measured,
    "aged": aged.measured,
}
ALL = [*[case.name for case in CASES], *OTHERS]
SHORT = Manner(generator.PYTHON, seconds=2.0, warm_up=0.5, short=True)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="How fast the gateway is, and beside what.")
    default = Manner(generator.PYTHON)
    add = parser.add_argument
    add("--case", action="append", choices=ALL, help="only this one; may be given again")
    add("--road", action="store_true", help="only the four loads of the road")
    add("--short", action="store_true", help="the road in short runs, all but the first case once; a minute")
    add("--rounds", type=int, default=default.rounds)
    add("--seconds", type=float, default=default.seconds, help="of each run")
    add("--warm-up", type=float, default=default.warm_up, metavar="SECONDS", help="before each run")
    add("--generator", default="", help='a program with the flags and the JSON of bench.load; "python" for that itself')
    add("--check", action="store_true", help="fail if the first case is far below what is promised of it")
    add("--write", action="store_true", help="put the results into docs/BENCHMARKS.md")
    add("--hold", action="store_true", help="only start gateway and yardstick, for another generator")
    add("--json", action="store_true")
    return parser


def wanted(given: argparse.Namespace) -> list[str]:
    """The names of the cases."""
    usual = [case.name for case in CASES] if given.road or given.short else ALL
    return [name for name in ALL if name in (given.case or usual)]


def report(names: Sequence[str], manner: Manner) -> dict[str, Any]:
    """Everything measured. Failed if the road cannot be; another case that cannot be is left out, with its reason."""
    cases = [case for case in CASES if case.name in names]
    made: dict[str, Any] = {"prompt": manner.generator.prompt, "partial": [*names] != ALL, "cases": {}, "left_out": {}}
    busy = os.getloadavg()[0]
    if cases:
        made["cases"], disk = road.measured(cases, manner)
    else:
        disk = [machine.disk_ms()]
    if cases and compiled.built("floor") is None:
        made["left_out"]["floor"] = f"needs {compiled.WANTED}"
    for name in [name for name in names if name in OTHERS]:
        try:
            made[name] = OTHERS[name](manner)
        except Failed as why:
            made["left_out"][name] = str(why)
            road.progress(f"{name}: {why}")
    made["disk_ms"] = round(median(disk), 3)
    made["facts"] = machine.facts() | {
        "disk": f"{made['disk_ms']:.2f} ms to append 4 KiB durably (median of 100, of each round)",
        "generator": manner.generator.name,
        "load": f"{busy:.1f} processes that wanted to run, on average of the minute before",
        "each run": f"{manner.seconds:g} s after a warm-up of {manner.warm_up:g} s",
    }
    return made


def main(words: list[str] | None = None) -> int:
    given = arguments().parse_args(words)
    try:
        if given.hold:
            road.hold()
            return 0
        player = generator.chosen(given.generator)
        manner = Manner(player, given.rounds, given.seconds, given.warm_up)
        if given.short:
            manner = SHORT._replace(generator=player, rounds=given.rounds)
        found = report(wanted(given), manner)
    except Failed as why:
        print(f"bench: {why}", file=sys.stderr)
        return 2
    print(json.dumps(found, indent=1) if given.json else results.text(found))
    if given.write:
        results.write(found)
    broken = promises.broken(found) if given.check else []
    for promise in broken:
        print(f"BROKEN PROMISE: {promise}", file=sys.stderr)
    return 1 if broken else 0
