"""Figures and reports as the benchmark makes them, with numbers that are easy to follow."""

from typing import Any

from bench import aged, backlog, road
from bench.cases import CASES


def figures(amount: float, **more: float) -> dict[str, Any]:
    """Of a run whose compared figure is `amount`, whichever that is."""
    return {
        "messages_per_cpu_second": amount,
        "messages_per_second": amount,
        "server_share": amount,
        "p50_ms": 1.0,
        "p99_ms": 2.5,
        "written_per_message": 250.0,
        "generator_share": 0.2,
        **more,
    }


def report(*pairs: tuple[float, float], prompt: bool = True) -> dict[str, Any]:
    """Every case of the road, with these figures of gateway and yardstick in its rounds; nothing else measured."""
    rows = [{"gateway": figures(ours), "node-smpp": figures(theirs), "floor": figures(1e6)} for ours, theirs in pairs]
    return {
        "facts": {"commit": "abc1234", "date": "2026-01-01"},
        "prompt": prompt,
        "disk_ms": 0.5,
        "left_out": {},
        "cases": {case.name: road.one_compared(case, rows) for case in CASES},
    }


def whole(*pairs: tuple[float, float]) -> dict[str, Any]:
    """A report in which nothing is missing."""
    drain = backlog.summed_up(
        figures(1000.0),
        figures(1.0, p99_ms=2.0),
        figures(1.0, p99_ms=3.0),
        {"seconds": 9.5, "receipts_per_second": 900, "messages_per_cpu_second": 950},
    )
    rounds = [drain | {"binds": 1}, drain | {"binds": 10, "ratio": 0.7}]
    losses = aged.compared(
        {
            case.name: [
                {
                    "fresh": figures(1000.0),
                    "old": figures(900.0),
                    "loss": aged.loss(case, figures(900.0), figures(1000.0)),
                }
            ]
            for case in CASES
        }
    )
    return report(*pairs) | {
        "idle": {
            "rounds": [{"kib_per_bind": 5.0, "share_without": 0.2, "server_share": 0.3, "p99_ms": 3.0}],
            "kib_per_bind": 5.0,
            "server_share": 0.3,
        },
        "backlog": {"receipts": 1_000_000, "rounds": rounds} | backlog.worst(rounds),
        "aged": losses | {"messages": 10_000_000, "gib": 1.2},
        "tls": {"rounds": [{"tls": figures(70.0), "plain": figures(100.0), "ratio": 0.7}], "ratio": 0.7},
    }
