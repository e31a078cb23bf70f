"""The lines of the ledger, chained."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256

import pytest

from store import migrations
from store.connection import told
from store.money import GENESIS, Ledger, chained
from store.protocol import Contradiction, LedgerLine
from store.sql import Statements

AT = 1_790_000_000_000


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        migrations.apply(opened)
        opened.execute(
            "INSERT INTO account(id, name, system_id, password_hash, settings, credit_limit, created_at)"
            " VALUES (1, 'smpp-a', 'a', '', '{}', 5, 0), (2, 'smpp-b', 'b', '', '{}', 0, 0)"
        )
        yield opened


def three(ledger: Ledger) -> Statements[list[LedgerLine]]:
    return [
        (yield from ledger.post(1, "topup", 100, request_id="r", note="żółw")),
        (yield from ledger.post(1, "debit", -30, ids=(7, 9))),
        (yield from ledger.post(2, "topup", 1)),
    ]


def test_lines_follow_each_other_over_accounts_and_transactions(connection: sqlite3.Connection) -> None:
    lines = told(connection, three(Ledger(AT)))
    lines.append(told(connection, Ledger(AT).post(1, "refund", 30)))
    assert [(line.line, line.balance_after) for line in lines] == [(1, 100), (2, 70), (3, 1), (4, 100)]
    before = GENESIS
    for line in lines:
        assert line.hash == chained(before, line[:-1])
        before = line.hash
    assert connection.execute("SELECT balance FROM account").fetchall() == [(100,), (1,)]
    stored = connection.execute("SELECT * FROM ledger ORDER BY line").fetchall()
    assert stored == [tuple(line) for line in lines]


def test_the_hash_is_that_of_the_whole_line(connection: sqlite3.Connection) -> None:
    line = told(connection, three(Ledger(AT)))[0]
    text = '[1,1,1790000000000,"topup",100,100,null,null,"r","żółw"]'
    assert line.hash == sha256(bytes(32) + text.encode()).digest()


def test_a_debit_is_hashed_as_the_json_that_any_other_line_is() -> None:
    fields = (5, 3, AT, "debit", -460, 99_540, 71, 80, None, "")
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    assert chained(GENESIS, fields) == sha256(GENESIS + text.encode()).digest()


def test_what_moved_is_told_except_for_debits(connection: sqlite3.Connection) -> None:
    ledger = Ledger(AT)
    told(connection, three(ledger))
    assert ledger.moved == {1: 100, 2: 1}


def test_room_includes_the_credit_limit(connection: sqlite3.Connection) -> None:
    ledger = Ledger(AT)
    told(connection, three(ledger))
    assert (told(connection, ledger.room(1)), told(connection, ledger.room(2))) == (75, 1)


def test_nobody_has_no_room(connection: sqlite3.Connection) -> None:
    with pytest.raises(Contradiction):
        told(connection, Ledger(AT).room(9))
