"""The account's statement: every line once, added up by the hour, whatever has been added up before."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from store import migrations, open_store
from store.files import prepared
from store.money import GENESIS, chained
from store.office import statement
from store.office.statement import BY_HAND, MESSAGES, REFUNDS
from store.protocol import Store
from tests.store.backends import CREDIT, NOW, account, batch, failed


async def busy(store: Store) -> int:
    """6 messages, of which 2 come back; a topup; 3 messages."""
    row, other = await account(store), await account(store, name="smpp-b")
    for ids in ([1, 2, 3], [4, 5, 6]):
        await store.accept(batch(row.id, ids), "session")
        await store.accept(batch(other.id, [id_ + 100 for id_ in ids]), "session")
    await store.settle([failed(row.id, [1, 2])])
    await store.post(row.id, "topup", 7 * CREDIT, NOW)
    await store.accept(batch(row.id, [7, 8, 9]), "session")
    return row.id


async def seen(store: Store, account_: int) -> list[tuple[int, int, int, int, int]]:
    return [
        (span.messages, span.spent // CREDIT, span.refunds, span.refunded // CREDIT, span.balance_after // CREDIT)
        for span in await store.statement.spans(account_)
    ]


WANTED = [(3, 3, 0, 0, 100), (6, 6, 2, 2, 96)]


@pytest.mark.parametrize("chunk", [1, 2, 3, 1000])
async def test_sums_are_the_same_however_far_they_were_made_before(
    store: Store, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = await busy(store)
    assert await seen(store, mine) == WANTED
    monkeypatch.setattr(statement, "CHUNK", chunk)
    while await store.statement.add_up():
        assert await seen(store, mine) == WANTED
    assert await seen(store, mine) == WANTED
    await store.accept(batch(mine, [10]), "session")
    assert (await seen(store, mine))[0] == (4, 4, 0, 0, 99)


async def test_an_account_with_nothing_booked_has_an_empty_statement(store: Store) -> None:
    row = await account(store, 0)
    assert not await store.statement.add_up()
    assert await store.statement.spans(row.id) == []
    assert await store.statement.lines(row.id) == []
    assert await store.statement.sums(row.id) == (0, 0, 0, 0)


async def test_sums_and_single_lines_are_the_whole_ledger(store: Store) -> None:
    mine = await busy(store)
    whole = sum(line.amount for line in await store.ledger(mine))
    spans = await store.statement.spans(mine)
    single = await store.statement.lines(mine, BY_HAND)
    assert sum(line.amount for line in single) + sum(span.refunded - span.spent for span in spans) == whole
    sums = await store.statement.sums(mine)
    assert (sums.messages, sums.spent, sums.refunds, sums.refunded) == (9, 9 * CREDIT, 2, 2 * CREDIT)


@pytest.mark.parametrize("added_up", [False, True])
@pytest.mark.parametrize(
    ("kinds", "amounts"),
    [("", [-3, 7, 2, -3, -3, 100]), (MESSAGES, [-3, -3, -3]), (REFUNDS, [2]), (BY_HAND, [7, 100])],
)
async def test_every_line_by_kind_in_pages(store: Store, kinds: str, amounts: Sequence[int], added_up: bool) -> None:
    mine = await busy(store)
    while added_up and await store.statement.add_up():
        pass
    lines = await store.statement.lines(mine, kinds, limit=2)
    while page := await store.statement.lines(mine, kinds, before=lines[-1].line, limit=2):
        lines += page
    assert [line.amount // CREDIT for line in lines] == amounts


async def test_only_what_lies_in_a_time(store: Store) -> None:
    mine = await busy(store)
    await store.statement.add_up()
    for since, until, number in ((NOW, NOW + 1, 6), (0, NOW, 0), (NOW + 1, NOW + 9, 0), (NOW - 5, NOW + 5, 6)):
        assert len(await store.statement.lines(mine, since=since, until=until)) == number
        assert len(await store.statement.spans(mine, since=since, until=until)) == (2 if number else 0)
    assert (await store.statement.sums(mine, NOW + 1)).messages == 0


async def test_the_two_lines_of_a_transfer_find_each_other(store: Store) -> None:
    a, b = await account(store), await account(store, name="smpp-b")
    out, into = await store.transfer(a.id, b.id, CREDIT, NOW)
    assert await store.statement.accounts_of([out.line + 1, into.line - 1]) == {into.line: b.id, out.line: a.id}


async def test_each_hour_is_a_sum_of_its_own(store: Store) -> None:
    row = await account(store)
    rows = [(1, 0, 5, 2, 2, NOW, NOW + 1, 3, 30, 0, 0, 70), (1, 0, 6, 3, 3, NOW + 9, NOW + 9, 1, 10, 0, 0, 60)]
    spans = [statement.Span(*each)._replace(account=row.id) for each in rows]
    assert statement.joined(spans[0], spans[1])[3:] == (2, 3, NOW, NOW + 9, 4, 40, 0, 0, 60)


async def test_a_store_from_before_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lines do not tell how many messages they paid for; everything else is there."""
    number = next(step.number for step in migrations.known() if step.name == "topups")
    with monkeypatch.context() as earlier:
        steps = migrations.known()[: number - 1]
        earlier.setattr(migrations, "known", lambda: steps)
        with prepared(tmp_path) as database, closing(sqlite3.connect(database)) as connection:
            account_of = "INSERT INTO account(name, system_id, password_hash, settings, created_at)"
            connection.execute(f"{account_of} VALUES ('smpp-a', 'a', '', '{{}}', 0)")
            hash_ = GENESIS
            for fields in (
                (1, 1, NOW, "topup", 100, 100, None, None, None, "opening balance"),
                (2, 1, NOW, "debit", -30, 70, 1, 1, None, ""),
            ):
                hash_ = chained(hash_, fields)
                connection.execute("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*fields, hash_))
            connection.execute("INSERT INTO message VALUES (1, 1, 2, ?, 30, x'')", (NOW,))
            connection.commit()
    async with open_store(tmp_path, now=lambda: NOW / 1000) as store:
        assert [(span.messages, span.spent) for span in await store.statement.spans(1)] == [(0, 30)]
        await store.accept(batch(1, [2, 3], charge=10), "session")
        assert [(span.messages, span.spent) for span in await store.statement.spans(1)] == [(2, 50)]
        assert [line.note for line in await store.ledger(1)] == ["opening balance", "", "2"]
        assert await store.audit() == []
