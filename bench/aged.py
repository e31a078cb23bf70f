"""The road over a store of ten million messages, next to a fresh one.

The old store's server stays up through all rounds, the fresh one's is made anew in each; both share a core, and the one
that is not asked has nothing to do.
"""

import shutil
from pathlib import Path
from statistics import median
from typing import Any

from bench import account, filling
from bench.cases import CASES, LESS_IS_BETTER, Case, Manner
from bench.machine import RESULTS, Failed
from bench.road import one_run, progress
from bench.servers import cores, gateway
from bench.tables import Table, amount

MESSAGES = 10_000_000
MONTH = 30 * 86_400.0
OCTETS = 700  # of disk a message at most, while it is written
GIB = 1 << 30


def measured(manner: Manner, messages: int = MESSAGES) -> dict[str, Any]:
    RESULTS.mkdir(exist_ok=True)
    if (free := shutil.disk_usage(RESULTS).free) < messages * OCTETS:
        raise Failed(f"{messages:,} messages need {messages * OCTETS / GIB:.1f} GiB; {free / GIB:.1f} are free")
    size = 0.0

    def fill(data: Path) -> None:
        nonlocal size
        progress(f"aged: writing {messages:,} messages")
        filling.fill(data, account.MAIN, messages, MONTH, owed=False)
        size = sum(file.stat().st_size for file in data.iterdir() if file.is_file()) / GIB
        progress(f"aged: the store has {size:.1f} GiB")

    server_core, load_core = cores()
    found: dict[str, list[dict[str, Any]]] = {case.name: [] for case in CASES}
    with gateway(server_core, fill=fill) as old:
        for number in range(1, manner.rounds + 1):
            with gateway(server_core) as fresh:
                for case in CASES:
                    both = ("fresh", fresh), ("old", old)
                    row = {
                        name: one_run(case, server, load_core, manner)
                        for name, server in (both if number % 2 else reversed(both))
                    }
                    found[case.name].append(row | {"loss": loss(case, row["old"], row["fresh"])})
                    progress(f"aged, round {number}, {case.title}: {found[case.name][-1]['loss']:+.0%}")
    return compared(found) | {"messages": messages, "gib": round(size, 1)}


def compared(found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    losses = {name: median([row["loss"] for row in rows]) for name, rows in found.items()}
    return {"cases": found, "losses": losses, "worst": max(losses.values())}


def loss(case: Case, old: dict[str, Any], fresh: dict[str, Any]) -> float:
    """What the old store loses of the figure: 0.1 is a tenth less, or for a share of a core a tenth more."""
    ratio: float = old[case.figure] / fresh[case.figure]
    return ratio - 1 if case.figure in LESS_IS_BETTER else 1 - ratio


def table(found: dict[str, Any]) -> Table:
    rows = [
        [
            case.title,
            amount(median([row["fresh"][case.figure] for row in found["cases"][case.name]])),
            amount(median([row["old"][case.figure] for row in found["cases"][case.name]])),
            f"{found['losses'][case.name]:+.0%}",
            amount(median([row["fresh"]["p99_ms"] for row in found["cases"][case.name]])),
            amount(median([row["old"]["p99_ms"] for row in found["cases"][case.name]])),
        ]
        for case in CASES
    ]
    heads = ["case", "fresh", "old", "lost (median of rounds)", "fresh, p99 ms", "old, p99 ms"]
    return Table(f"a store of {found['messages']:,} messages ({found['gib']} GiB) next to a fresh one", heads, rows)
