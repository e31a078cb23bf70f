"""A report as people read it: on the terminal, and in docs/BENCHMARKS.md between two marks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import aged, backlog, idle, promises, tls
from bench.cases import LESS_IS_BETTER
from bench.machine import ROOT, as_lines
from bench.tables import Table, amount, markdown, plain

DOCUMENT = ROOT / "docs" / "BENCHMARKS.md"
BEGIN, END = "<!-- results: written by `make bench ARGS=--write` -->", "<!-- end of results -->"

FIGURES = {
    "messages_per_cpu_second": "messages a CPU second",
    "messages_per_second": "messages a second",
    "server_share": "share of a core",
}
NAMES = {"gateway": "smppgate", "node-smpp": "node-smpp", "floor": "floor"}
KEPT = 0.98  # of a pace
OTHERS = {"tls": tls.table, "idle": idle.table, "backlog": backlog.table, "aged": aged.table}


def road(case: Mapping[str, Any]) -> Table:
    """A row for each round: the compared figure of all servers, the ratio, and how long answers took."""
    figure = FIGURES[case["figure"]]
    heads = ["round", *[f"{name}, {figure}" for name in NAMES.values()], "ratio"]
    heads += [f"{name}, msgs/s" for name in NAMES.values()] + [f"{name}, p50 / p99 ms" for name in NAMES.values()]
    heads += ["octets written a message", "generator's core"]
    rows = [
        [str(number), *figures_of(one, case["figure"]), f"{one['ratio']:.2f}"]
        + figures_of(one, "messages_per_second")
        + [took(one.get(name)) for name in NAMES]
        + [amount(one["gateway"]["written_per_message"])]
        + [" / ".join([f"{one[name]['generator_share']:.2f}" for name in NAMES if name in one])]
        for number, one in enumerate(case["rounds"], 1)
    ]
    return Table(case["title"], heads, rows, verdict(case))


def figures_of(one: Mapping[str, Any], figure: str) -> list[str]:
    return [amount(one[name][figure]) if name in one else "-" for name in NAMES]


def took(figures: Mapping[str, Any] | None) -> str:
    return "-" if figures is None else f"{figures['p50_ms']:.2f} / {figures['p99_ms']:.2f}"


def verdict(case: Mapping[str, Any]) -> str:
    better = " (less is better)" if case["figure"] in LESS_IS_BETTER else ""
    floor = "" if case["to_floor"] is None else f"; {case['to_floor']:.3g} times the floor"
    return f"median ratio {case['ratio']:.2f}{better}{floor}{behind(case)}"


def behind(case: Mapping[str, Any]) -> str:
    """Shares of a core can be compared only where both did the same work."""
    runs = [one[name] for one in case["rounds"] for name in NAMES if name in one]
    kept = [run["messages_per_second"] >= KEPT * case["rate"] for run in runs]
    return "" if all(kept) else "; not every server kept the pace, so the shares are not of the same work"


def tables(report: Mapping[str, Any]) -> list[Table]:
    found = [road(case) for case in report["cases"].values()]
    return found + [table(report[name]) for name, table in OTHERS.items() if name in report]


def left_out(report: Mapping[str, Any]) -> list[str]:
    return [f"not measured: {name}: {why}" for name, why in report["left_out"].items()]


def text(report: Mapping[str, Any]) -> str:
    parts = [as_lines(report["facts"]), *map(plain, tables(report)), plain(promises.table(report))]
    return "\n\n".join(parts + left_out(report))


def markdown_of(report: Mapping[str, Any]) -> str:
    facts = "\n".join(
        [f"- {name}: {value}" for name, value in report["facts"].items()] + [f"- {line}" for line in left_out(report)]
    )
    return "\n\n".join([facts, markdown(promises.table(report)), *map(markdown, tables(report))])


def write(report: Mapping[str, Any], document: Path = DOCUMENT) -> None:
    """Replace what stands between the marks; the words around them stay."""
    before, begin, rest = document.read_text().partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{document} lacks the marks that say where results stand")
    document.write_text(f"{before}{BEGIN}\n\n{markdown_of(report)}\n\n{END}{after}")
