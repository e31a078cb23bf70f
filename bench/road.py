"""python -m bench.road: the whole road with every rule on and durable, next to a bare node-smpp server.

Both servers run on the same core, one after the other in every round, and the order changes from round to round: what
disturbs the machine disturbs both. The ratio within a round is the figure; absolute figures hold for one machine.
"""

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from typing import Any, NamedTuple

from bench import account, machine, results
from bench.machine import ROOT
from bench.servers import Failed, Server, cores, gateway, install_yardstick, node

PROMISE = 2.0  # times the yardstick's messages a CPU second: 10 connections, window 100, receipts on


class Case(NamedTuple):
    """One load, and the figure that is compared."""

    name: str
    title: str
    connections: int
    window: int
    receipts: bool
    figure: str
    rate: int = 0
    promise: float | None = None


CASES = (
    Case("receipts", "10 connections, window 100, receipts on", 10, 100, True, "messages_per_cpu_second", 0, PROMISE),
    Case("submits", "10 connections, window 100, receipts off", 10, 100, False, "messages_per_cpu_second"),
    Case("single", "1 connection, window 10, receipts on", 1, 10, True, "messages_per_second"),
    Case("paced", "5,000 a second over 10 connections, receipts on", 10, 100, True, "server_share", 5000),
)


OURS = f"{shlex.quote(sys.executable)} -m bench.load"


class Manner(NamedTuple):
    """How each run is made."""

    seconds: float = 4.0
    warm_up: float = 1.0
    generator: str = OURS


def load(case: Case, server: Server, core: int, manner: Manner) -> dict[str, Any]:
    """One run of the generator, in a process of its own."""
    words = [*shlex.split(manner.generator), "--json", "--core", str(core), "-p", str(server.port)]
    words += ["-c", str(case.connections), "-w", str(case.window)]
    words += ["-t", str(manner.seconds), "--warm-up", str(manner.warm_up)]
    words += ["-u", account.SYSTEM_ID, "-P", account.PASSWORD, "-s", str(server.pid)]
    words += [word for sender in account.SENDERS for word in ("--sender", sender)]
    words += ["--receipts"] if case.receipts else []
    words += ["--rate", str(case.rate)] if case.rate else []
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if not done.stdout:
        raise Failed(f"{case.title}, {server.name}: {done.stderr}")
    figures: dict[str, Any] = json.loads(done.stdout)
    if done.returncode or figures["refused"]:
        raise Failed(f"{case.title}, {server.name}: not every message went the whole road: {figures}")
    return figures


def one_round(cases: list[Case], number: int, manner: Manner) -> dict[str, dict[str, Any]]:
    """Each case against both servers -> case, server, figures."""
    server_core, load_core = cores()
    found: dict[str, dict[str, Any]] = {case.name: {} for case in cases}
    with ExitStack() as stack:
        servers = [stack.enter_context(gateway(server_core)), stack.enter_context(node(server_core))]
        for case in cases:
            for server in servers if number % 2 else reversed(servers):
                figures = load(case, server, load_core, manner)
                found[case.name][server.name] = figures
                progress(f"round {number}, {case.title}: {server.name} {figures[case.figure]:,}")
    return found


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def compare(cases: list[Case], rounds: list[dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """For each case: what each round gave, the ratio gateway/node of its figure, and the medians."""
    compared = {}
    for case in cases:
        rows = [found[case.name] for found in rounds]
        ratios = [row["gateway"][case.figure] / row["node-smpp"][case.figure] for row in rows]
        compared[case.name] = {
            "title": case.title,
            "figure": case.figure,
            "promise": case.promise,
            "rounds": [row | {"ratio": round(ratio, 3)} for row, ratio in zip(rows, ratios, strict=True)],
            "ratio": round(median(ratios), 3),
        }
    return compared


def broken(compared: dict[str, Any]) -> list[str]:
    return [
        f"{case['title']}: {case['ratio']:.2f} times node-smpp, promised {case['promise']}"
        for case in compared.values()
        if case["promise"] and case["ratio"] < case["promise"]
    ]


def report(cases: list[Case], rounds: int, manner: Manner) -> dict[str, Any]:
    install_yardstick()
    facts = machine.facts() | {"generator": "bench.load" if manner.generator == OURS else manner.generator}
    found = [one_round(cases, number, manner) for number in range(1, rounds + 1)]
    return {"facts": facts, "manner": manner._asdict(), "cases": compare(cases, found)}


def hold() -> None:
    """Both servers up, until Enter: for a generator of somebody else."""
    install_yardstick()
    core, other = cores()
    with gateway(core) as first, node(core) as second:
        for server in (first, second):
            print(f"{server.name:10} 127.0.0.1:{server.port}  pid {server.pid}  core {core}")
        print(f"system_id {account.SYSTEM_ID}, password {account.PASSWORD}, sender {account.SENDERS[0]}; ", end="")
        print(f"pin the generator to core {other}. Enter ends both.", flush=True)
        sys.stdin.readline()


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.road", description=(__doc__ or "").partition("\n")[0])
    add: Callable[..., Any] = parser.add_argument
    add("--rounds", type=int, default=3)
    add("--seconds", type=float, default=Manner().seconds, help="of each run")
    add("--warm-up", type=float, default=Manner().warm_up, metavar="SECONDS", help="before each run")
    add("--generator", default=Manner().generator, help="a program with the flags and the JSON of bench.load")
    add("--case", action="append", choices=[case.name for case in CASES], help="only this one; may be given again")
    add("--short", action="store_true", help="only the promised case, in short runs")
    add("--check", action="store_true", help="fail if a promise is broken")
    add("--write", action="store_true", help="put the results into docs/BENCHMARKS.md")
    add("--hold", action="store_true", help="only start both servers, for another generator")
    add("--json", action="store_true")
    return parser


def main(words: list[str] | None = None) -> int:
    given = arguments().parse_args(words)
    if given.short:
        given.case, given.seconds, given.warm_up = given.case or ["receipts"], 2.0, 0.5
    cases = [case for case in CASES if case.name in (given.case or [case.name])]
    try:
        if given.hold:
            hold()
            return 0
        found = report(cases, given.rounds, Manner(given.seconds, given.warm_up, given.generator))
    except Failed as why:
        print(f"bench.road: {why}", file=sys.stderr)
        return 2
    print(json.dumps(found, indent=1) if given.json else results.text(found))
    if given.write:
        results.write(found)
    for promise in broken(found["cases"]):
        print(f"BROKEN PROMISE: {promise}", file=sys.stderr)
    return 1 if given.check and broken(found["cases"]) else 0


if __name__ == "__main__":
    sys.exit(main())
