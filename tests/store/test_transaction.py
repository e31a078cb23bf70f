"""A group in few statements: what the hot road costs is the number of them."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import migrations
from store.connection import told
from store.group import Entry, Told, Verb
from store.money import Ledger
from store.protocol import Outcome
from store.sql import Statements
from store.transaction import affordable, spans, transaction

from .backends import NOW, batch, delivered, failed


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        migrations.apply(opened)
        for id_ in (1, 2):
            opened.execute(
                "INSERT INTO account(id, name, system_id, password_hash, settings, created_at)"
                " VALUES (?1, 'smpp-' || ?1, ?1, '', '{}', 0)",
                (id_,),
            )
            told(opened, Ledger(NOW).post(id_, "topup", 100_000_000))
        yield opened


def counted(statements: Statements[Told], counts: Counter[str]) -> Statements[Told]:
    rows: Any = None
    try:
        while True:
            statement = statements.send(rows)
            words = statement[0].split()
            counts[" ".join(words[: 3 if words[0] != "SELECT" else 1]).partition("(")[0]] += 1
            rows = yield statement
    except StopIteration as end:
        result: Told = end.value
        return result


async def entries(*requests: tuple[Verb, Any]) -> list[Entry]:
    loop = asyncio.get_running_loop()
    return [Entry(verb, payload, loop.create_future()) for verb, payload in requests]


def run(connection: sqlite3.Connection, group: Sequence[Entry], careful: bool = False) -> tuple[Told, Counter[str]]:
    counts: Counter[str] = Counter()
    return told(connection, counted(transaction(group, NOW, careful, set()), counts)), counts


async def test_sessions_of_an_account_share_statements_and_lines(connection: sqlite3.Connection) -> None:
    group = await entries(*[(Verb.ACCEPT, batch(1, range(first, first + 10))) for first in range(1, 101, 10)])
    said, counts = run(connection, group)
    assert counts == {"SELECT": 2, "INSERT INTO ledger": 1, "INSERT INTO message": 1}
    assert (said.messages, said.answers, said.moved) == (100, {}, {})


async def test_alike_outcomes_are_written_together(connection: sqlite3.Connection) -> None:
    run(connection, await entries((Verb.ACCEPT, batch(1, range(1, 41)))))
    reports = [(Verb.SETTLE, [delivered(1, [n, n + 1], [n]), failed(1, [n + 2])]) for n in range(1, 37, 3)]
    other = Outcome(1, 8, 1, True, [40], [])
    acknowledged = [(Verb.ACKNOWLEDGE, (1, [n])) for n in range(5)]
    _, counts = run(connection, await entries(*reports, (Verb.SETTLE, [other]), *acknowledged))
    assert counts == {
        "SELECT": 3,
        "INSERT INTO ledger": 1,
        "INSERT INTO outcome": 3,
        "INSERT INTO delivery": 1,
        "DELETE FROM delivery": 1,
    }


async def test_care_costs_one_more_question(connection: sqlite3.Connection) -> None:
    run(connection, await entries((Verb.ACCEPT, batch(1, range(1, 11)))))
    run(connection, await entries((Verb.SETTLE, [delivered(1, [1])])))
    group = await entries((Verb.SETTLE, [delivered(1, [1, 2])]), (Verb.SETTLE, [delivered(1, [2, 3])]))
    with pytest.raises(sqlite3.IntegrityError):
        run(connection, group)
    connection.execute("DROP TRIGGER outcome_stays")
    connection.execute("DELETE FROM outcome WHERE message <> 1")  # the failed transaction had no BEGIN here
    said, counts = run(connection, group, careful=True)
    assert said.answers == {0: frozenset({1}), 1: frozenset({2})}
    assert counts == {"SELECT": 1, "INSERT INTO outcome": 1}


def test_what_is_affordable_is_kept_in_order() -> None:
    rows = [(1, 5, b""), (2, 7, b""), (3, 0, b""), (4, 4, b""), (5, 2, b"")]
    assert affordable(rows, 10) == ([rows[0], rows[2], rows[3]], 9, frozenset({2, 5}))
    assert affordable(rows, -1) == ([], 0, frozenset({1, 2, 3, 4, 5}))


@given(st.lists(st.integers(0, 30), max_size=60))
def test_spans_say_the_same_as_the_ids(ids: list[int]) -> None:
    found = spans(ids)
    assert [id_ for first, last in found for id_ in range(first, last + 1)] == ids
    assert all(first <= last for first, last in found)


async def test_what_is_acknowledged_is_forgotten_and_nothing_else(connection: sqlite3.Connection) -> None:
    owed = [1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15, 16, 20]
    for account, ids in ((1, owed), (2, [3, 7, 9, 12])):
        connection.executemany("INSERT INTO delivery(account, id) VALUES (?, ?)", [(account, id_) for id_ in ids])
    run(
        connection, await entries((Verb.ACKNOWLEDGE, (1, [1, 2, 3, 4, 5, 6])), (Verb.ACKNOWLEDGE, (1, [8, 11, 12, 13])))
    )
    left = connection.execute("SELECT account, id FROM delivery ORDER BY account, id").fetchall()
    assert left == [(1, id_) for id_ in (10, 14, 15, 16, 20)] + [(2, id_) for id_ in (3, 7, 9, 12)]
