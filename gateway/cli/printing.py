"""How answers look on a terminal, and that nothing in them can harm one.

Invariant: what came from a peer is shown with its control characters escaped. Without a terminal there is no colour and
no line is cut. rich is imported only when a table is drawn.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

Row = Mapping[str, Any]
NUMBERS = {
    "balance",
    "amount",
    "balance_after",
    "charge",
    "line",
    "charge_line",
    "refund_line",
    "count",
    "messages",
    "binds",
    "price",
}
WIDE = 10_000


def print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def console() -> "Console":
    from rich.console import Console

    width = None if sys.stdout.isatty() else WIDE
    return Console(width=width, highlight=False, soft_wrap=False, emoji=False, markup=False)


def shown(value: object) -> str:
    from gateway.log import harmless

    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(shown(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}={shown(each)}" for name, each in value.items())
    return harmless(str(value))


def print_table(rows: Iterable[Row], columns: Mapping[str, str], empty: str) -> None:
    """columns: the field of a row -> its heading; `empty` is said if there are no rows."""
    from rich.table import Table
    from rich.text import Text

    rows = list(rows)
    if not rows:
        click.echo(empty, err=True)
        return
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for field, heading in columns.items():
        table.add_column(heading, justify="right" if field in NUMBERS else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(row.get(field))) for field in columns))
    draw(table)


def print_details(pairs: Sequence[tuple[str, object]] | Row) -> None:
    """A name and a value a line."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
        table.add_row(name, Text(shown(value)))
    draw(table)


def draw(table: Any) -> None:
    """Without the blanks that fill up a table's last column."""
    screen = console()
    with screen.capture() as captured:
        screen.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip(), color=None if screen.is_terminal and "NO_COLOR" not in os.environ else False)


def warn(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        click.echo(f"warning: {sentence}", err=True)
