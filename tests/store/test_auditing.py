"""An audit finds what the schema would have refused: the tables are spoilt behind its back."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from store import migrations, open_store
from store.auditing import SHOWN

from .backends import NOW, account, batch, delivered, failed

Spoil = Callable[[str], None]


async def spoilt(folder: Path, script: str) -> list[str]:
    """What an audit says of a store that is in order but for this."""
    async with open_store(folder, reserve=0) as store:
        a, b = await account(store), await account(store, name="smpp-b")
        await store.accept(batch(a.id, [1, 2, 3, 4], scheduled=[(4, NOW)]), "session")
        await store.accept(batch(b.id, [5]), "session")
        await store.settle([delivered(a.id, [1], owed=[1]), failed(a.id, [2])])
        assert await store.audit() == []
    with closing(sqlite3.connect(folder / "smppgate.db", isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _sql in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.executescript(f"PRAGMA ignore_check_constraints = ON; {script}")
        for _name, sql in triggers:
            connection.execute(sql)
        assert migrations.differences(connection) == []
    async with open_store(folder, reserve=0) as store:
        return await store.audit()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("UPDATE account SET balance = balance + 1 WHERE id = 1", "the balance of account 1"),
        ("UPDATE account SET balance = -1 WHERE id = 1", "below its credit limit"),
        ("UPDATE ledger SET amount = amount + 1 WHERE line = 1", "does not continue the chain"),
        ("UPDATE ledger SET note = 'a gift' WHERE line = 1", "does not continue the chain"),
        ("UPDATE ledger SET balance_after = 7 WHERE line = 3", "says 7 where"),
        ("DELETE FROM ledger WHERE line = 2", "ledger line 2 is missing"),
        ("UPDATE ledger SET account = 9 WHERE line = 2", "account 9, which is not there"),
        ("UPDATE message SET charge = 1 WHERE id = 3", "debit line 3 took 40000, its messages cost 30001"),
        ("DELETE FROM message WHERE id = 3", "debit line 3"),
        ("UPDATE message SET charge_line = 1 WHERE id = 3", "which is no debit"),
        ("UPDATE message SET account = 2 WHERE id = 3", "which is no debit"),
        ("INSERT INTO message VALUES (99, 1, 3, 0, 0, x'')", "which is no debit"),
        ("UPDATE outcome SET refund_line = NULL", "refund line 5 gave 10000, its messages cost 0"),
        ("UPDATE outcome SET refund_line = 5", "its messages cost 20000"),
        ("UPDATE outcome SET refund_line = 1 WHERE message = 1", "which is no refund"),
        ("UPDATE outcome SET refund_line = 4 WHERE message = 2", "names refund line 4, which is no refund"),
        ("UPDATE outcome SET refund_line = 5 WHERE message = 1", "message 1 was delivered (state 2) and is refunded"),
        ("UPDATE outcome SET state = 2 WHERE message = 2", "message 2 was delivered (state 2) and is refunded"),
        ("INSERT INTO outcome VALUES (77, 2, 0, 0, NULL)", "message 77 has ended but was never accepted"),
        ("INSERT INTO delivery VALUES (1, 3)", "delivery 3"),
        ("INSERT INTO delivery VALUES (2, 1)", "account 2 is owed delivery 1"),
        ("INSERT INTO scheduled VALUES (1, 1, 5)", "message 1 is scheduled"),
        ("INSERT INTO scheduled VALUES (88, 1, 5)", "message 88 is scheduled"),
        ("UPDATE mark SET settled_below = 5", "message 3 has not ended but lies below"),
        ("UPDATE mark SET settled_below = 7", "the low-water mark 7 lies beyond the last id there is, 5"),
        ("INSERT INTO multi VALUES (66, 1)", "message 66 was answered as 1"),
    ],
)
@pytest.mark.promise("M7")
async def test_what_is_wrong_is_said(tmp_path: Path, script: str, said: str) -> None:
    found = await spoilt(tmp_path, script)
    assert any(said in sentence for sentence in found), found


async def test_much_that_is_wrong_is_said_briefly(tmp_path: Path) -> None:
    many = ", ".join(f"({n}, 2, 0, 0, NULL)" for n in range(100, 200))
    found = await spoilt(tmp_path, f"INSERT INTO outcome VALUES {many}")
    assert len(found) == SHOWN + 1
    assert "more like it" in found[-1]


async def test_a_broken_ledger_is_not_read_to_its_end(tmp_path: Path) -> None:
    found = await spoilt(tmp_path, "DELETE FROM ledger WHERE line = 1; UPDATE ledger SET hash = zeroblob(32)")
    assert "ledger line 1 is missing" in found


async def test_lines_are_counted_once_however_often_the_imbalance_is_asked_for(tmp_path: Path) -> None:
    async with open_store(tmp_path, reserve=0) as store:
        a = await account(store)
        assert [await store.imbalance() for _ in range(3)] == [0, 0, 0]
        await store.accept(batch(a.id, [1]), "session")
        assert await store.imbalance() == 0
    with closing(sqlite3.connect(tmp_path / "smppgate.db", isolation_level=None)) as connection:
        (sql,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'account_follows_ledger'").fetchone()
        connection.executescript(f"DROP TRIGGER account_follows_ledger; UPDATE account SET balance = 5; {sql}")
    async with open_store(tmp_path, reserve=0) as store:
        assert await store.imbalance() == 989_995
