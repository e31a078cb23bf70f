"""The log of changes: with the change or not at all, in its order, and never rewritten."""

import pytest

from store.office.changes import Change
from store.protocol import Conflict, Insufficient, Store
from tests.store.backends import CREDIT, NOW, account

HOSTILE = "<script>alert(1)</script>'; DROP TABLE change; --\n\x1b[31m"


def change(name: str, old: object = None, new: object = None, account_: int | None = None) -> Change:
    return Change(NOW, 7, HOSTILE, "192.0.2.1", "panel", account_, "setting", name, old, new)


async def logged(store: Store, *accounts: int) -> list[Change]:
    return [row.change for row in await store.changes.newest(accounts or None)]


async def test_a_change_and_its_line_commit_together(store: Store) -> None:
    row = await account(store)
    said = change("window", 10, 5, row.id)
    await store.change_account(row.id, settings={"window": 5}, changes=[said])
    assert await logged(store) == [said]


async def test_what_was_not_done_is_not_logged(store: Store) -> None:
    row = await account(store)
    with pytest.raises(Insufficient):
        await store.post(row.id, "adjustment", -101 * CREDIT, NOW, changes=[change("x", account_=row.id)])
    with pytest.raises(Conflict):
        await store.add_account(row.name, "other", "hash", {}, NOW, changes=[change("x")])
    assert await logged(store) == []


async def test_a_repeated_request_is_logged_once(store: Store) -> None:
    row = await account(store)
    for _ in range(2):
        await store.post(row.id, "topup", CREDIT, NOW, "r", changes=[change("topup", account_=row.id)])
    assert len(await logged(store)) == 1


async def test_the_lines_of_a_new_account_name_it(store: Store) -> None:
    row = await store.add_account("smpp-a", "a", "hash", {}, NOW, changes=[change("created")])
    assert [line.account for line in await logged(store)] == [row.id]


@pytest.mark.parametrize("value", [None, "", 0, False, HOSTILE, ["a", 1], {"48": "0.5"}])
async def test_values_come_back_as_they_were(store: Store, value: object) -> None:
    await store.changes.note([change(HOSTILE, value, value)])
    [line] = await logged(store)
    assert (line.who, line.name, line.old, line.new) == (HOSTILE, HOSTILE, value, value)


async def test_newest_first_in_pages_and_by_account(store: Store) -> None:
    await store.changes.note([change(str(number), account_=number % 3) for number in range(9)])
    page = await store.changes.newest(None, limit=4)
    rest = await store.changes.newest(None, before=page[-1].id, limit=99)
    assert [row.change.name for row in page + rest] == [str(number) for number in reversed(range(9))]
    assert [line.name for line in await logged(store, 1, 2)] == ["8", "7", "5", "4", "2", "1"]
    assert await store.changes.newest([]) == []
    assert await store.changes.find(page[0].id) == page[0]
    assert await store.changes.find(99) is None
