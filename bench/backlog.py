"""A customer who comes back to a million receipts: how quickly they go out, and what the other customers feel of it.

The same once with one bind, where the rate is harder to reach, and once with ten, which leave less to the others.
"""

from pathlib import Path
from typing import Any

from bench import account, filling, generator
from bench.cases import BY_NAME, Manner
from bench.generator import Load
from bench.road import one_run, progress
from bench.servers import cores, gateway
from bench.tables import Table, amount

RECEIPTS = 1_000_000
HOUR = 3600.0  # the time over which their messages were sent
BINDS = (1, 10)
RATE = 1_000  # what another customer submits meanwhile, over two binds
PATIENCE = 300.0


def measured(manner: Manner, receipts: int = RECEIPTS) -> dict[str, Any]:
    rounds = [one_round(binds, manner, receipts) for binds in BINDS]
    return {"receipts": receipts, "rounds": rounds} | worst(rounds)


def one_round(binds: int, manner: Manner, receipts: int) -> dict[str, Any]:
    """The rate of the road, the other customer alone, and the other customer while the receipts go out."""

    def fill(data: Path) -> None:
        progress(f"backlog: writing {receipts:,} receipts")
        filling.fill(data, account.OTHER, receipts, HOUR, owed=True)

    server_core, load_core = cores()
    modest = Load(2, 10, True, RATE, manner.seconds)
    back = Load(binds, account.WINDOW, seconds=PATIENCE, customer=account.OTHER)
    with gateway(server_core, (account.MAIN, account.OTHER), fill) as server:
        road = one_run(BY_NAME["receipts"], server, load_core, manner)
        quiet = generator.run(manner.generator, modest._replace(warm_up=manner.warm_up), server, load_core)
        with generator.silent(back, server, load_core, receipts) as waiting:
            busy = generator.run(manner.generator, modest, server, load_core)
            whole = waiting.poll() is None
            out, complaint = waiting.communicate()
    if not whole:
        progress("backlog: all receipts were out before the other customer had finished; its p99 is partly quiet")
    drained = generator.figures_of(out, complaint, waiting.returncode, "backlog")
    progress(f"backlog: {binds} binds, {drained['receipts_per_second']:,} receipts a second")
    return {"binds": binds} | summed_up(road, quiet, busy, drained)


def summed_up(
    road: dict[str, Any], quiet: dict[str, Any], busy: dict[str, Any], drained: dict[str, Any]
) -> dict[str, Any]:
    """From the figures of four runs."""
    return {
        "seconds": drained["seconds"],
        "drained_per_second": drained["receipts_per_second"],
        "drained_per_cpu_second": drained["messages_per_cpu_second"],
        "road_per_second": road["messages_per_second"],
        "road_per_cpu_second": road["messages_per_cpu_second"],
        "ratio": drained["receipts_per_second"] / road["messages_per_second"],
        "quiet_p99_ms": quiet["p99_ms"],
        "busy_p99_ms": busy["p99_ms"],
        "p99_ratio": busy["p99_ms"] / quiet["p99_ms"],
    }


def worst(rounds: list[dict[str, Any]]) -> dict[str, float]:
    return {"ratio": min(one["ratio"] for one in rounds), "p99_ratio": max(one["p99_ratio"] for one in rounds)}


def table(found: dict[str, Any]) -> Table:
    figures = (
        "binds",
        "seconds",
        "drained_per_second",
        "road_per_second",
        "drained_per_cpu_second",
        "road_per_cpu_second",
        "quiet_p99_ms",
        "busy_p99_ms",
    )
    rows = [[amount(one[name]) for name in figures] for one in found["rounds"]]
    heads = [
        "binds",
        "seconds",
        "receipts/s",
        "the road, msgs/s",
        "receipts a CPU second",
        "the road, messages a CPU second",
        "p99 ms of another account, before",
        "meanwhile",
    ]
    note = f"receipts went out at {found['ratio']:.2f} times the road's rate, or more; the other account's p99 (of its "
    note += f"{RATE:,} submits a second) was up to {found['p99_ratio']:.1f} times what it was before"
    return Table(f"{found['receipts']:,} receipts waiting when their client binds", heads, rows, note)
