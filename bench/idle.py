"""Customers that are bound and say nothing: what each of them holds in memory, and what all of them cost the others."""

from statistics import median
from typing import Any

from bench import account, generator
from bench.cases import Manner
from bench.generator import Load
from bench.process import usage
from bench.road import progress
from bench.servers import cores, gateway
from bench.tables import Table, amount

BINDS = 500
RATE = 2_000
HOURS = 3600.0  # longer than any run


def measured(manner: Manner) -> dict[str, Any]:
    found = [one_round(manner) for _ in range(manner.rounds)]
    return {
        "rounds": found,
        "kib_per_bind": median([one["kib_per_bind"] for one in found]),
        "server_share": median([one["server_share"] for one in found]),
    }


def one_round(manner: Manner) -> dict[str, Any]:
    server_core, load_core = cores()
    busy = Load(1, 100, True, RATE, manner.seconds, manner.warm_up)
    idle = Load(customer=account.OTHER, connections=BINDS, seconds=HOURS)
    with gateway(server_core, (account.MAIN, account.OTHER)) as server:
        # Before any traffic: memory that it left free would take in the binds unseen. The password is hashed once.
        with generator.silent(idle._replace(connections=1), server, load_core):
            pass
        before = usage([server.pid]).rss_kib
        with generator.silent(idle, server, load_core):
            after = usage([server.pid]).rss_kib
            figures = generator.run(manner.generator, busy, server, load_core)
        alone = generator.run(manner.generator, busy, server, load_core)
    progress(f"{BINDS} idle binds: {(after - before) / BINDS:.1f} KiB each, {figures['server_share']} of a core")
    return {
        "kib_per_bind": (after - before) / BINDS,
        "share_without": alone["server_share"],
        "server_share": figures["server_share"],
        "p99_ms": figures["p99_ms"],
    }


def table(found: dict[str, Any]) -> Table:
    rows = [
        [
            str(number),
            f"{one['kib_per_bind']:.1f}",
            amount(one["server_share"]),
            amount(one["share_without"]),
            amount(one["p99_ms"]),
        ]
        for number, one in enumerate(found["rounds"], 1)
    ]
    heads = ["round", "KiB an idle bind", "share of a core", "without them", "p99 ms"]
    return Table(f"{BINDS} idle binds, and {RATE:,} a second on another one, receipts on", heads, rows)
