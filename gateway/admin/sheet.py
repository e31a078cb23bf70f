"""Rows of a CSV file, safe to open in a spreadsheet.

Invariant: no cell that somebody else wrote is taken for a formula: a text that begins like one gets an apostrophe in
front. Numbers are ours and stay numbers.
"""

import csv
import io
import re
from collections.abc import Iterable

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def cell(value: object) -> str:
    text = "" if value is None else str(value)
    if text.lstrip(" ").startswith(FORMULA) and not NUMBER.fullmatch(text):
        return "'" + text
    return text


def row(values: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([cell(value) for value in values])
    return out.getvalue()
