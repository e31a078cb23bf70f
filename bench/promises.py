"""What the project promises of its speed, and what it reaches for: each bound next to what was measured.

Invariant: a bound without a figure is neither held nor broken; it is shown as not measured. Ratios are to node-smpp,
medians of the rounds; a p99 is the median of the rounds' p99, its limit follows the disk of the same run.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from bench.cases import BY_NAME
from bench.tables import Table, amount

CHECKED = {True: 3.0, False: 2.0}
"""What `--check` asks of the receipts case, with a prompt generator and without: far enough below what is promised that
a busy machine does not break it."""
FIRST = {"receipts": 390.0, "paced": 3300.0}
"""Octets a message that the first version wrote."""


class Bound(NamedTuple):
    """One figure and its limits; `most`: it must not be more, else it must not be less."""

    case: str
    figure: str
    measured: float | None
    must: float | None
    reach: float | None
    most: bool = False

    def meets(self, limit: float | None) -> bool | None:
        if limit is None or self.measured is None:
            return None
        return self.measured <= limit if self.most else self.measured >= limit


def bounds(report: Mapping[str, Any]) -> list[Bound]:
    """Every promise, in the order of the table."""
    cases, disk = report.get("cases", {}), report.get("disk_ms") or 0.0
    idle, backlog = report.get("idle", {}), report.get("backlog", {})
    aged, tls = report.get("aged", {}), report.get("tls", {})

    def of(case: str, figure: str) -> Any:
        return cases.get(case, {}).get(figure)

    receipts, submits, single, paced = (BY_NAME[name].title for name in ("receipts", "submits", "single", "paced"))
    idler, waiting = "500 idle binds, 2,000 a second", "a million receipts waiting"
    times, written = "times node-smpp", "octets written a message"
    return [
        Bound(receipts, times, of("receipts", "ratio"), 3.6, 4.3),
        Bound(submits, times, of("submits", "ratio"), 2.0, 2.6),
        Bound(single, times, of("single", "ratio"), 0.75, 1.0),
        Bound(single, "p99 ms (4 x disk + 2)", of("single", "p99_ms"), 4 * disk + 2, None, most=True),
        Bound(paced, "times node-smpp's share", of("paced", "ratio"), 1.4, 1.0, most=True),
        Bound(paced, "p99 ms (4 x disk + 6)", of("paced", "p99_ms"), 4 * disk + 6, None, most=True),
        Bound(idler, "KiB an idle bind", idle.get("kib_per_bind"), 40.0, None, most=True),
        Bound(idler, "share of a core", idle.get("server_share"), 0.4, 0.3, most=True),
        Bound(waiting, "times the road's rate", backlog.get("ratio"), 0.8, None),
        Bound(waiting, "others' p99, times quiet", backlog.get("p99_ratio"), 2.0, None, most=True),
        Bound(receipts, written, of("receipts", "written_per_message"), None, FIRST["receipts"] / 2, most=True),
        Bound(paced, written, of("paced", "written_per_message"), None, FIRST["paced"] / 2, most=True),
        Bound("a store of 10 million messages", "lost of any figure", aged.get("worst"), 0.2, 0.1, most=True),
        Bound("TLS instead of plain", "times plain", tls.get("ratio"), 0.6, 0.8),
    ]


def table(report: Mapping[str, Any]) -> Table:
    words = {True: "yes", False: "NO", None: "-"}
    rows = [
        [
            bound.case,
            bound.figure,
            limit(bound.must, bound.most),
            amount(bound.measured) if bound.measured is not None else "not measured",
            words[bound.meets(bound.must)],
            limit(bound.reach, bound.most),
            words[bound.meets(bound.reach)],
        ]
        for bound in bounds(report)
        if bound.measured is not None or not report.get("partial")
    ]
    heads = ["case", "figure", "must hold", "measured", "held?", "reach for", "reached?"]
    return Table("what is promised", heads, rows, restless(report))


def restless(report: Mapping[str, Any]) -> str:
    """How long the answers of a server took that has next to nothing to do: that much is the machine's."""
    waits = [
        f"{case['floor_p99_ms']:.1f} ms ({case['title']})"
        for name in ("single", "paced")
        if (case := report["cases"].get(name)) and case["floor_p99_ms"] is not None
    ]
    return f"the floor's own p99: {', '.join(waits)}" if waits else ""


def limit(value: float | None, most: bool) -> str:
    return "-" if value is None else f"{'<=' if most else '>='} {amount(value)}"


def broken(report: Mapping[str, Any]) -> list[str]:
    """What a check on any machine may insist on: the ratio of the first case, with room to spare."""
    case, least = report["cases"].get("receipts"), CHECKED[report["prompt"]]
    if case is None or case["ratio"] >= least:
        return []
    return [f"{case['title']}: {case['ratio']:.2f} times node-smpp, not even {least}"]
