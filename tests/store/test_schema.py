"""What the schema itself makes impossible, whatever the code above it does."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from store import migrations
from store.connection import WRITER

LINE = "INSERT INTO ledger VALUES ({}, 1, 0, '{}', {}, {}, {}, NULL, '', zeroblob(32))"


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        migrations.apply(opened)
        for pragma in WRITER:
            opened.execute(f"PRAGMA {pragma}").fetchall()
        opened.executescript(
            "INSERT INTO account(id, name, system_id, password_hash, settings, created_at)"
            " VALUES (1, 'smpp-a', 'a', '', '{}', 0), (2, 'smpp-b', 'b', '', '{}', 0);"
            + LINE.format(1, "topup", 100, 100, "NULL, NULL")
            + ";"
            + LINE.format(2, "debit", -30, 70, "1, 2")
            + ";INSERT INTO message VALUES (1, 1, 2, 0, 20, x''), (2, 1, 2, 0, 10, x'');"
            "INSERT INTO outcome VALUES (1, 2, 0, 0, NULL);"
            "INSERT INTO change VALUES (1, 0, NULL, 'ola', '', 'cli', 1, 'setting', 'window', NULL, '5');"
        )
        yield opened


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE ledger SET amount = 1", id="change a line"),
        pytest.param("UPDATE ledger SET note = 'x' WHERE line = 1", id="annotate a line"),
        pytest.param("DELETE FROM ledger WHERE line = 2", id="delete a line"),
        pytest.param("INSERT OR REPLACE INTO ledger SELECT * FROM ledger WHERE line = 2", id="replace a line"),
        pytest.param(LINE.format(4, "topup", 1, 71, "NULL, NULL"), id="leave out a line"),
        pytest.param(LINE.format(2, "topup", 1, 71, "NULL, NULL"), id="use a line twice"),
        pytest.param(LINE.format(3, "topup", 1, 72, "NULL, NULL"), id="a line that does not follow"),
        pytest.param(LINE.format(3, "debit", -71, -1, "3, 3"), id="below zero"),
        pytest.param(LINE.format(3, "debit", 1, 71, "3, 3"), id="a debit that gives"),
        pytest.param(LINE.format(3, "debit", -1, 69, "NULL, NULL"), id="a debit for nothing"),
        pytest.param(LINE.format(3, "refund", -1, 69, "NULL, NULL"), id="a refund that takes"),
        pytest.param(LINE.format(3, "gift", 1, 71, "NULL, NULL"), id="an unknown kind"),
        pytest.param(LINE.format(3, "topup", 0, 70, "NULL, NULL"), id="a topup of nothing"),
        pytest.param(LINE.replace("1, 0", "9, 0").format(3, "topup", 1, 1, "NULL, NULL"), id="for nobody"),
        pytest.param("UPDATE account SET balance = 71 WHERE id = 1", id="move a balance without a line"),
        pytest.param("UPDATE account SET balance = 70 WHERE id = 2", id="move another balance to the last line's"),
        pytest.param("UPDATE account SET credit_limit = -1", id="a negative credit limit"),
        pytest.param("UPDATE account SET settings = 'x'", id="settings that are none"),
        pytest.param("UPDATE account SET id = 3 WHERE id = 2", id="another id for an account"),
        pytest.param("DELETE FROM account WHERE id = 2", id="delete an account"),
        pytest.param(
            "INSERT INTO account(name, system_id, password_hash, settings, balance, created_at)"
            " VALUES ('c', 'c', '', '{}', 5, 0)",
            id="an account with money from nowhere",
        ),
        pytest.param("INSERT INTO message VALUES (1, 1, 2, 0, 20, x'')", id="charge a message twice"),
        pytest.param("INSERT OR REPLACE INTO message VALUES (1, 1, 2, 0, 25, x'')", id="replace a message"),
        pytest.param("INSERT INTO message VALUES (3, 1, 2, 0, -1, x'')", id="a message that pays"),
        pytest.param("INSERT INTO message VALUES (3, 1, NULL, 0, 1, x'')", id="a message that nobody paid for"),
        pytest.param("UPDATE message SET charge = 5", id="change a price"),
        pytest.param("UPDATE message SET charge_line = 1", id="change who paid"),
        pytest.param("UPDATE message SET id = 9 WHERE id = 2", id="change an id"),
        pytest.param("DELETE FROM message", id="delete messages"),
        pytest.param("INSERT INTO outcome VALUES (1, 5, 0, 0, 3)", id="a second end, a second refund"),
        pytest.param("INSERT OR REPLACE INTO outcome VALUES (1, 5, 0, 0, 3)", id="replace an end"),
        pytest.param("UPDATE outcome SET refund_line = 3", id="change an end"),
        pytest.param("DELETE FROM outcome", id="take an end back"),
        pytest.param("UPDATE change SET who = 'someone else'", id="rewrite what somebody changed"),
        pytest.param("DELETE FROM change", id="forget what somebody changed"),
        pytest.param("INSERT INTO price VALUES ('default', '+48', 1)", id="a prefix that is no number"),
        pytest.param("INSERT INTO price VALUES ('default', '48', -1)", id="a negative price"),
    ],
)
@pytest.mark.promise("R5", "M2")
def test_the_schema_refuses(connection: sqlite3.Connection, statement: str) -> None:
    before = list(connection.iterdump())
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    assert list(connection.iterdump()) == before


def test_a_line_moves_its_balance(connection: sqlite3.Connection) -> None:
    connection.execute(LINE.format(3, "refund", 20, 90, "NULL, NULL"))
    assert connection.execute("SELECT balance FROM account").fetchall() == [(90,), (0,)]


def test_a_request_is_posted_once_an_account(connection: sqlite3.Connection) -> None:
    posted = LINE.replace("NULL, ''", "'r', ''")
    connection.execute(posted.format(3, "topup", 1, 71, "NULL, NULL"))
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(posted.format(4, "topup", 1, 72, "NULL, NULL"))
    connection.execute(posted.replace(", 1, 0,", ", 2, 0,").format(4, "topup", 1, 1, "NULL, NULL"))


def test_a_text_may_be_erased(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE message SET body = x'' WHERE id = 1")
