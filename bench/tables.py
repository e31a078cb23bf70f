"""Figures as people read them: a table as plain columns, or as Markdown. Knows no figure."""

from typing import NamedTuple

WIDE = 130  # characters of heads


class Table(NamedTuple):
    title: str
    heads: list[str]
    rows: list[list[str]]
    note: str = ""


def amount(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if value >= 100 or isinstance(value, int) else f"{value:.2f}"


def plain(table: Table) -> str:
    """Columns under their heads; heads that would make the lines too long are letters, explained above."""
    heads, named = table.heads, list[str]()
    if sum(map(len, heads)) > WIDE:
        heads = [chr(ord("a") + number) for number in range(len(table.heads))]
        named = ["   " + "; ".join([f"{letter} {head}" for letter, head in zip(heads, table.heads, strict=True)])]
    every = [heads, *table.rows]
    widths = [max(len(row[column]) for row in every) for column in range(len(heads))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in every]
    return "\n".join([table.title, *named, *lines, *([table.note] if table.note else [])])


def markdown(table: Table) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (table.heads, ["---:"] * len(table.heads), *table.rows)]
    title = table.title[0].upper() + table.title[1:]
    return "\n".join([f"### {title}", "", *lines, *(["", f"**{table.note}**"] if table.note else [])])
