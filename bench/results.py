"""The figures of the road as people read them: on the terminal, and in docs/BENCHMARKS.md between two marks."""

from pathlib import Path
from typing import Any

from bench.machine import ROOT, as_lines

DOCUMENT = ROOT / "docs" / "BENCHMARKS.md"
BEGIN, END = "<!-- results: written by `make bench ARGS=--write` -->", "<!-- end of results -->"

FIGURES = {
    "messages_per_cpu_second": "messages a CPU second",
    "messages_per_second": "messages a second",
    "server_share": "share of a core",
}


def rows(case: dict[str, Any]) -> list[list[str]]:
    """A row for each round: the compared figure of both, their ratio, and how long the gateway's answers took."""
    found = []
    for number, one in enumerate(case["rounds"], 1):
        ours, theirs = one["gateway"], one["node-smpp"]
        found.append(
            [
                str(number),
                amount(ours[case["figure"]]),
                amount(theirs[case["figure"]]),
                f"{one['ratio']:.2f}",
                amount(ours["messages_per_second"]),
                amount(theirs["messages_per_second"]),
                f"{ours['p50_ms']:.2f} / {ours['p99_ms']:.2f}",
                f"{theirs['p50_ms']:.2f} / {theirs['p99_ms']:.2f}",
                amount(ours["written_per_message"]),
                f"{ours['generator_share']:.2f} / {theirs['generator_share']:.2f}",
            ]
        )
    return found


def amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def heads(case: dict[str, Any]) -> list[str]:
    figure = FIGURES[case["figure"]]
    return [
        "round",
        f"smppgate, {figure}",
        f"node-smpp, {figure}",
        "ratio",
        "smppgate, msgs/s",
        "node-smpp, msgs/s",
        "smppgate, p50 / p99 ms",
        "node-smpp, p50 / p99 ms",
        "octets written a message",
        "generator's core",
    ]


def verdict(case: dict[str, Any]) -> str:
    promise = f" (promised: at least {case['promise']})" if case["promise"] else ""
    better = " (less is better)" if case["figure"] == "server_share" else ""
    return f"median ratio {case['ratio']:.2f}{promise}{better}"


def text(report: dict[str, Any]) -> str:
    """Plain columns under short heads."""
    short = ["", "smppgate", "node-smpp", "ratio", "msgs/s", "msgs/s", "p50 / p99 ms", "p50 / p99 ms", "written", "gen"]
    parts = [as_lines(report["facts"])]
    for case in report["cases"].values():
        table = [short, *rows(case)]
        widths = [max(len(row[column]) for row in table) for column in range(len(short))]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
        parts.append("\n".join([f"{case['title']}: {FIGURES[case['figure']]}", *lines, verdict(case)]))
    return "\n\n".join(parts)


def markdown(report: dict[str, Any]) -> str:
    parts = ["\n".join(f"- {name}: {value}" for name, value in report["facts"].items())]
    parts[0] += f"\n- each run: {report['manner']['seconds']:g} s after a warm-up"
    for case in report["cases"].values():
        head = heads(case)
        table = ["| " + " | ".join(row) + " |" for row in (head, ["---:"] * len(head), *rows(case))]
        parts.append(
            "\n".join([f"### {case['title'][0].upper()}{case['title'][1:]}", "", *table, "", f"**{verdict(case)}**"])
        )
    return "\n\n".join(parts)


def write(report: dict[str, Any], document: Path = DOCUMENT) -> None:
    """Replace what stands between the marks; the words around them stay."""
    before, begin, rest = document.read_text().partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{document} lacks the marks that say where results stand")
    document.write_text(f"{before}{BEGIN}\n\n{markdown(report)}\n\n{END}{after}")
