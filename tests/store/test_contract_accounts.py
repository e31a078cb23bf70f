"""Accounts, top-ups, transfers and prices, as every back end must keep them."""

import asyncio

import pytest

from store.protocol import AccountRow, Conflict, Insufficient, NotFound, Store

from .backends import CREDIT, NOW, account, balance, batch


async def test_an_account_begins_with_a_topup_of_its_credits(store: Store) -> None:
    row = await store.add_account("smpp-ą", "ą", "hash", {"senders": ["*"], "window": 5}, NOW, 7 * CREDIT)
    settings = {"senders": ["*"], "window": 5}
    assert row == AccountRow(row.id, "smpp-ą", "ą", "hash", True, settings, 7 * CREDIT, 0, NOW)
    assert await store.accounts() == [row]
    assert [(line.kind, line.amount, line.balance_after) for line in await store.ledger(row.id)] == [
        ("topup", 7 * CREDIT, 7 * CREDIT)
    ]


async def test_an_account_begins_with_its_credit_limit(store: Store) -> None:
    row = await store.add_account("smpp-a", "a", "hash", {}, NOW, CREDIT, credit_limit=2 * CREDIT)
    assert (row.balance, row.credit_limit) == (CREDIT, 2 * CREDIT)
    assert await store.accept(batch(row.id, [1, 2, 3]), "session") == frozenset()
    assert await store.accept(batch(row.id, [4]), "session") == {4}


async def test_an_account_without_credits_has_no_lines(store: Store) -> None:
    row = await store.add_account("smpp-a", "a", "hash", {}, NOW)
    assert (row.balance, await store.ledger(row.id)) == (0, [])


@pytest.mark.parametrize(("name", "system_id"), [("smpp-a", "other"), ("smpp-other", "a")])
async def test_names_are_taken_once(store: Store, name: str, system_id: str) -> None:
    await account(store)
    with pytest.raises(Conflict):
        await store.add_account(name, system_id, "hash", {}, NOW)
    assert len(await store.accounts()) == 1


async def test_every_part_of_an_account_can_be_changed_alone(store: Store) -> None:
    a = await account(store)
    assert (await store.change_account(a.id, settings={"x": 1})).settings == {"x": 1}
    assert (await store.change_account(a.id, password_hash="new")).password_hash == "new"
    assert not (await store.change_account(a.id, enabled=False)).enabled
    changed = await store.change_account(a.id, credit_limit=5)
    assert changed == a._replace(settings={"x": 1}, password_hash="new", enabled=False, credit_limit=5)
    assert await store.accounts() == [changed]


async def test_a_credit_limit_cannot_be_taken_back_from_under_a_balance(store: Store) -> None:
    a = await account(store, credits_=1, credit_limit=2)
    await store.accept(batch(a.id, [1, 2]), "session")
    with pytest.raises(Insufficient):
        await store.change_account(a.id, settings={"x": 1}, enabled=False, credit_limit=0)
    assert await store.accounts() == [a._replace(balance=-CREDIT)]  # nothing of it was done
    assert (await store.change_account(a.id, credit_limit=CREDIT)).credit_limit == CREDIT


async def test_what_is_not_there_is_not_found(store: Store) -> None:
    for attempt in (store.change_account(9), store.post(9, "topup", 1, NOW), store.export(9)):
        with pytest.raises(NotFound):
            await attempt


# -- money by hand -----------------------------------------------------------------------------------------------
async def test_a_request_counts_once(store: Store) -> None:
    a, b = await account(store), await account(store, name="smpp-b")
    lines = await asyncio.gather(*(store.post(a.id, "topup", 5 * CREDIT, NOW, "r1", "paid") for _ in range(5)))
    assert len(set(lines)) == 1
    assert (lines[0].request_id, lines[0].note) == ("r1", "paid")
    assert await balance(store, a.id) == 105
    assert (await store.post(b.id, "topup", 1, NOW, "r1")).account == b.id
    for kind, amount in (("topup", 6 * CREDIT), ("adjustment", 5 * CREDIT)):
        with pytest.raises(Conflict):
            await store.post(a.id, kind, amount, NOW, "r1")


async def test_an_adjustment_takes_no_more_than_there_is(store: Store) -> None:
    a = await account(store, credits_=2)
    assert (await store.post(a.id, "adjustment", -2 * CREDIT, NOW)).balance_after == 0
    with pytest.raises(Insufficient):
        await store.post(a.id, "adjustment", -1, NOW)
    await store.change_account(a.id, credit_limit=1)
    assert (await store.post(a.id, "adjustment", -1, NOW)).balance_after == -1


@pytest.mark.parametrize("kind", ["debit", "refund", "transfer_in", "gift"])
async def test_only_some_kinds_are_posted_by_hand(store: Store, kind: str) -> None:
    a = await account(store)
    with pytest.raises(ValueError):
        await store.post(a.id, kind, 1, NOW)


async def test_a_transfer_is_both_lines_or_none(store: Store) -> None:
    a, b = await account(store, credits_=10), await account(store, name="smpp-b", credits_=0)
    out, into = await store.transfer(a.id, b.id, 4 * CREDIT, NOW, "t1", "rent")
    assert (out.kind, out.amount, into.kind, into.amount) == ("transfer_out", -4 * CREDIT, "transfer_in", 4 * CREDIT)
    assert await store.transfer(a.id, b.id, 4 * CREDIT, NOW, "t1") == (out, into)
    with pytest.raises(Conflict):
        await store.transfer(a.id, b.id, 5 * CREDIT, NOW, "t1")
    with pytest.raises(Conflict):
        await store.transfer(b.id, a.id, 4 * CREDIT, NOW, "t1")
    with pytest.raises(Insufficient):
        await store.transfer(a.id, b.id, 7 * CREDIT, NOW)
    with pytest.raises(NotFound):
        await store.transfer(a.id, 99, CREDIT, NOW)
    for amount, target in ((0, b.id), (-1, b.id), (1, a.id)):
        with pytest.raises(ValueError):
            await store.transfer(a.id, target, amount, NOW)
    assert (await balance(store, a.id), await balance(store, b.id)) == (6, 4)


async def test_the_ledger_is_read_in_pages(store: Store) -> None:
    a, b = await account(store, credits_=0), await account(store, name="smpp-b", credits_=0)
    for amount in range(1, 6):
        await store.post(a.id, "topup", amount, NOW)
        await store.post(b.id, "topup", 1, NOW)
    first = await store.ledger(a.id, limit=3)
    rest = await store.ledger(a.id, after=first[-1].line)
    assert [line.amount for line in first + rest] == [1, 2, 3, 4, 5]
    assert [line.balance_after for line in first + rest] == [1, 3, 6, 10, 15]


async def test_a_caller_that_gives_up_does_not_take_back_what_it_asked_for(store: Store) -> None:
    a = await account(store)
    moved: list[dict[int, int]] = []
    store.observer = lambda commit: moved.append(commit.moved)
    asked = asyncio.ensure_future(store.post(a.id, "topup", CREDIT, NOW))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await store.post(a.id, "topup", 2 * CREDIT, NOW)
    assert (await balance(store, a.id), moved) == (103, [{a.id: CREDIT}, {a.id: 2 * CREDIT}])


# -- prices ------------------------------------------------------------------------------------------------------
async def test_a_store_begins_with_a_price_for_everything(store: Store) -> None:
    assert await store.price_plans() == {"default": {"": CREDIT}}


async def test_a_plan_is_its_last_prices(store: Store) -> None:
    await store.set_price_plan("gold", {"48": 1, "4850": 2})
    await store.set_price_plan("gold", {"48": 3})
    await store.set_price_plan("default", {})
    assert await store.price_plans() == {"default": {}, "gold": {"48": 3}}


async def test_a_plan_is_deleted_unless_an_account_has_it(store: Store) -> None:
    for plan in ("gold", "silver"):
        await store.set_price_plan(plan, {"48": 1})
    for name in "abcde":
        await store.add_account(f"smpp-{name}", name, "hash", {"price_plan": "gold"}, NOW)
    with pytest.raises(Conflict, match="gold is that of smpp-a, smpp-b, smpp-c and 2 more"):
        await store.delete_price_plan("gold")
    await account(store, name="smpp-f")
    with pytest.raises(Conflict, match="default is that of smpp-f"):
        await store.delete_price_plan("default")
    await store.delete_price_plan("silver")
    await store.set_price_plan("silver", {})
    assert await store.price_plans() == {"default": {"": CREDIT}, "gold": {"48": 1}, "silver": {}}
