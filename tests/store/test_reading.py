"""No question walks through all that was ever stored, and none sorts it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from store import migrations, reading

LARGE = ("message", "m", "outcome", "o", "ledger", "l", "refusal")


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        migrations.apply(opened)
        yield opened


@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        (reading.MESSAGES, 4),
        (reading.LINE_BEFORE, 2),
        (reading.ALL_MESSAGES, 1),
        (reading.FIND, 2),
        (reading.PENDING, 2),
        (reading.PENDING_BELOW_MARK, 2),
        (reading.SCHEDULED, 1),
        (reading.DUE, 2),
        (reading.NEXT_DUE, 0),
        (reading.OWED, 3),
        (reading.OWED_COUNTS, 0),
        (reading.REFUSALS, 2),
        (reading.LAST_ID, 0),
        (f"{reading.LEDGER} WHERE account = ? AND line > ? ORDER BY line LIMIT ?", 3),
        (f"{reading.LEDGER} WHERE account = ? AND request_id = ?", 2),
    ],
)
def test_plan(connection: sqlite3.Connection, sql: str, parameters: int) -> None:
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", [1] * parameters)]
    assert not [step for step in plan if step.startswith("SCAN") and step.split()[1] in LARGE], plan
    assert not [step for step in plan if "ORDER BY" in step], plan
