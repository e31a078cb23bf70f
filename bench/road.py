"""The whole road with every rule on and durable, next to a bare node-smpp server, and above a floor of bare C.

All servers run on the same core, one after the other in every round, and the order changes from round to round: what
disturbs the machine disturbs them all. The ratio within a round is the figure; absolute figures hold for one machine.
"""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from typing import Any

from bench import account, generator
from bench.cases import Case, Manner
from bench.generator import Load
from bench.machine import disk_ms
from bench.servers import Server, cores, floor, gateway, install_yardstick, node

OURS, YARDSTICK, FLOOR = "gateway", "node-smpp", "floor"
Figures = dict[str, Any]
Round = dict[str, dict[str, Figures]]  # case -> server -> figures


def measured(cases: Sequence[Case], manner: Manner) -> tuple[dict[str, Any], list[float]]:
    """-> case -> its rounds and medians; and how long the disk took at the start of each round, in ms."""
    install_yardstick()
    found, disk = [], []
    for number in range(1, manner.rounds + 1):
        disk.append(disk_ms())
        wanted = cases if number == 1 or not manner.short else cases[:1]
        found.append(one_round(wanted, number, manner))
    return compared(cases, found), disk


def one_round(cases: Sequence[Case], number: int, manner: Manner) -> Round:
    """Each case against each server."""
    server_core, load_core = cores()
    found: Round = {case.name: {} for case in cases}
    with ExitStack() as stack:
        up = [stack.enter_context(start(server_core)) for start in (gateway, node)]
        if number == 1 or not manner.short:
            up += filter(None, [stack.enter_context(floor(server_core))])
        for case in cases:
            for server in up if number % 2 else reversed(up):
                found[case.name][server.name] = figures = one_run(case, server, load_core, manner)
                progress(f"round {number}, {case.title}: {server.name} {figures[case.figure]:,}")
    return found


def one_run(case: Case, server: Server, core: int, manner: Manner) -> Figures:
    load = Load(case.connections, case.window, case.receipts, case.rate, manner.seconds, manner.warm_up, account.MAIN)
    return generator.run(manner.generator, load, server, core)


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def compared(cases: Sequence[Case], rounds: Sequence[Round]) -> dict[str, Any]:
    """For each case: what each round gave, the ratio of its figure to the yardstick's, and the medians."""
    rows = {case: [found[case.name] for found in rounds if case.name in found] for case in cases}
    return {case.name: one_compared(case, of_case) for case, of_case in rows.items()}


def one_compared(case: Case, rows: Sequence[dict[str, Figures]]) -> dict[str, Any]:
    def ratios(other: str) -> list[float]:
        return [row[OURS][case.figure] / row[other][case.figure] for row in rows if other in row]

    def middle(figure: str) -> float:
        return float(median([row[OURS][figure] for row in rows]))

    to_yardstick, to_floor = ratios(YARDSTICK), ratios(FLOOR)
    return {
        "title": case.title,
        "figure": case.figure,
        "rate": case.rate,
        "rounds": [row | {"ratio": round(ratio, 3)} for row, ratio in zip(rows, to_yardstick, strict=True)],
        "ratio": round(median(to_yardstick), 3),
        "to_floor": round(median(to_floor), 5) if to_floor else None,
        "p99_ms": middle("p99_ms"),
        "floor_p99_ms": median([row[FLOOR]["p99_ms"] for row in rows if FLOOR in row]) if to_floor else None,
        "messages_per_second": middle("messages_per_second"),
        "written_per_message": middle("written_per_message"),
    }


def hold() -> None:
    """Gateway and yardstick up, until Enter: for a generator of somebody else."""
    install_yardstick()
    core, other = cores()
    with gateway(core) as first, node(core) as second:
        for server in (first, second):
            print(f"{server.name:10} 127.0.0.1:{server.port}  pid {server.pid}  core {core}")
        print(f"system_id {account.SYSTEM_ID}, password {account.PASSWORD}, sender {account.SENDERS[0]}; ", end="")
        print(f"pin the generator to core {other}. Enter ends both.", flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    from bench.command import main

    sys.exit(main(["--road", *sys.argv[1:]]))
