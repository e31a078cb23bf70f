"""The figures of a run as words for a terminal."""

from typing import Any

from . import refusals
from .figures import faults, warnings
from .times import Bar

WIDTH = 40  # characters of the longest bar
NAMES = {"p50": "p50", "p90": "p90", "p99": "p99", "p999": "p99.9", "max": "max"}


def report(found: dict[str, Any]) -> str:
    rows = [
        heading(found),
        f"  accepted   {found['accepted']:,} of {found['sent']:,} in {found['seconds']:,} s"
        f"{', interrupted' if found['interrupted'] else ''}; {found['messages_per_second']:,} answers a second",
        *(f"  refused    {number:,} with {named(status)}" for status, number in found["refused"].items()),
        *measured("response", "", found),
    ]
    if found["receipts_on"]:
        rows.append(
            f"  receipts   {found['receipts']:,} of {found['accepted']:,}, "
            f"{found['receipts_per_second']:,} a second to the last, ids {found['ids']}"
        )
        rows += measured("receipt", "receipt_", found)
    rows.append(f"  generator  {found['generator_share']} of a core")
    rows += [f"  warning    {sentence}" for sentence in warnings(found)]
    return "\n".join(rows + [f"  failed     {fault}" for fault in faults(found)])


def heading(found: dict[str, Any]) -> str:
    pace = f", {found['rate']:,} a second" if found["rate"] else ""
    connections = "1 connection" if found["connections"] == 1 else f"{found['connections']:,} connections"
    return f"{connections}, window {found['window']:,}{pace}, receipts {'on' if found['receipts_on'] else 'off'}"


def named(status: str) -> str:
    return refusals.name(int(status, 16))


def measured(what: str, prefix: str, found: dict[str, Any]) -> list[str]:
    """The quantiles, and under them the histogram; nothing if nothing was measured."""
    bars = [Bar(**bar) for bar in found[f"{prefix}histogram"]]
    if not bars:
        return []
    values = [f"{name} {milliseconds(found[f'{prefix}{key}_ms'])}" for key, name in NAMES.items()]
    return [f"  {what:10} {', '.join(values)} ms", *histogram(bars)]


def milliseconds(value: float) -> str:
    """Three digits that count."""
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:,.1f}"


def histogram(bars: list[Bar]) -> list[str]:
    most, whole = max(bar.number for bar in bars), sum(bar.number for bar in bars)
    return [
        f"{'':13}to {bar.to_ms:>9,g} ms {bar.number / whole:7.2%} {'#' * -(-bar.number * WIDTH // most)}"
        for bar in bars
    ]
