"""Looking through what was refused: bounded for each answer, and nothing is missed from page to page."""

import pytest

from store.office import refused
from store.office.refused import Wanted
from store.protocol import RefusalRow, Store
from tests.store.backends import NOW, account


def row(number: int, account_: int | None, reason: str = "no_credit") -> RefusalRow:
    return RefusalRow(NOW + number, account_, "message", reason, destination=f"4860010{number:04}")


async def test_what_is_rare_is_found_from_bite_to_bite(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refused, "SCANNED", 10)
    a = await account(store)
    await store.refuse([row(n, a.id, "throttled" if n == 3 else "no_credit") for n in range(25)])
    wanted, before, found, asked = Wanted(reason="throttled"), None, [], 0
    while asked == 0 or before is not None:
        rows, before = await store.refused.newest(wanted, before)
        found += rows
        asked += 1
    assert ([each.row.destination for each in found], asked) == (["48600100003"], 3)
    of_one, following = await store.refused.newest(wanted._replace(accounts=[a.id]))
    assert (of_one, following) == (found, None)


async def test_counts_are_those_of_the_rows(store: Store) -> None:
    a, b = await account(store), await account(store, name="smpp-b")
    await store.refuse([row(1, a.id)._replace(count=5), row(2, b.id), row(3, None, "throttled")])
    counted = await store.refused.by_reason(Wanted())
    assert [(each.number, each.last.row.at - NOW) for each in counted] == [(6, 2), (1, 3)]
    [of_b] = await store.refused.by_reason(Wanted(accounts=[b.id]))
    assert (of_b.number, of_b.last.row) == (1, row(2, b.id))


async def test_one_is_found_by_its_number(store: Store) -> None:
    a = await account(store)
    await store.refuse([row(1, a.id)])
    found = await store.refused.find(1)
    assert found is not None
    assert found.row == row(1, a.id)
    assert await store.refused.find(2) is None
