"""A statement of millions of lines: no page of it is slower than people notice, wherever they look."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from store import open_store
from store.files import DATABASE
from store.office.statement import BY_HAND, LAST, MESSAGES, REFUNDS
from tests.store.backends import NOW

pytestmark = [pytest.mark.prove, pytest.mark.timeout(300)]
SLOWEST = 0.3  # seconds
STEP = 4_000  # milliseconds between two lines
HOUR = 3_600_000


def lines(number: int) -> Iterator[tuple[object, ...]]:
    """Of one busy account: debits, now and then a refund, seldom a topup."""
    balance = 0
    for line in range(1, number + 1):
        kind, amount, id_ = ("refund", 5, None) if line % 50 == 0 else ("debit", -10, line)
        if line % 100_000 == 1:
            kind, amount, id_ = "topup", 10**9, None
        balance += amount
        at = NOW - (number - line) * STEP
        yield line, 1, at, kind, amount, balance, id_, id_, None, "" if kind == "topup" else "3", bytes(32)


def fill(database: Path, number: int) -> None:
    """Past the triggers, which would take minutes to say yes a million times."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name IN ('ledger', 'account')"
        ).fetchall()
        connection.execute("BEGIN")
        for name, _sql in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", lines(number))
        last = "SELECT balance_after FROM ledger ORDER BY line DESC LIMIT 1"
        connection.execute(f"UPDATE account SET balance = ({last})")
        for _name, sql in triggers:
            connection.execute(sql)
        connection.execute("COMMIT")


async def seconds(question: Awaitable[object]) -> float:
    began = time.perf_counter()
    await question
    return time.perf_counter() - began


async def look(folder: Path) -> dict[str, float]:
    async with open_store(folder, now=lambda: NOW / 1000, reserve=0) as store:
        while await store.statement.add_up():
            pass
        statement, day = store.statement, (NOW - 600 * HOUR, NOW - 576 * HOUR)
        return {
            "hours": await seconds(statement.spans(1)),
            "hours of a day": await seconds(statement.spans(1, since=day[0], until=day[1])),
            "lines": await seconds(statement.lines(1)),
            "lines far back": await seconds(statement.lines(1, before=1000)),
            "lines of a day": await seconds(statement.lines(1, since=day[0], until=day[1])),
            "lines of a day of nothing": await seconds(statement.lines(1, since=0, until=1)),
            "messages": await seconds(statement.lines(1, MESSAGES)),
            "refunds": await seconds(statement.lines(1, REFUNDS)),
            "by hand": await seconds(statement.lines(1, BY_HAND)),
            "sums of a month": await seconds(statement.sums(1, NOW - 720 * HOUR, LAST)),
        }


def test_no_page_of_a_large_statement_is_slow(tmp_path: Path, effort: Callable[[int, int], int]) -> None:
    async def make() -> None:
        async with open_store(tmp_path, reserve=0) as store:
            await store.add_account("smpp-a", "a", "", {}, 0)

    asyncio.run(make())
    fill(tmp_path / DATABASE, effort(200_000, 2_000_000))
    slow = {what: took for what, took in asyncio.run(look(tmp_path)).items() if took > SLOWEST}
    assert not slow
