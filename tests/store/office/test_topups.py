"""Requests for credit: asked for in the debit's commit, one at a time by itself, decided once, booked once."""

import asyncio

import pytest

from store.office.topups import DAY, MOST_OPEN, Topup
from store.protocol import AccountRow, Automatic, Commit, Conflict, NotFound, Store
from tests.store.backends import CREDIT, NOW, account, balance, batch

LATER = NOW + DAY


async def asking(store: Store, credits_: int = 100, name: str = "smpp-a", **more: int | bool) -> AccountRow:
    """An account that asks for 100 credits when it has 50 or less."""
    row = await account(store, credits_, name)
    wanted = {"below": 50 * CREDIT, "amount": 100 * CREDIT, "per_day": 3, **more}
    return await store.change_account(row.id, automatic=Automatic(**wanted))  # type: ignore[arg-type]  # mixed


async def spend(store: Store, account_: int, *ids: int) -> frozenset[int]:
    return await store.accept(batch(account_, ids), "session")


async def the_only(store: Store, account_: int) -> Topup:
    [found] = await store.topups.of_account(account_)
    return found


# -- automatic ---------------------------------------------------------------------------------------------------------
async def test_the_debit_that_comes_to_the_threshold_asks_in_its_own_commit(store: Store) -> None:
    row = await asking(store)
    await spend(store, row.id, *range(1, 50))
    assert await store.topups.of_account(row.id) == []
    commits: list[Commit] = []
    store.observer = commits.append
    await spend(store, row.id, 50)
    found = await the_only(store, row.id)
    assert len(commits) == 1
    assert (found.state, found.automatic, found.amount, found.balance) == ("open", True, 100 * CREDIT, 50 * CREDIT)
    assert await balance(store, row.id) == 50


async def test_the_log_of_changes_tells_of_what_the_account_asked_by_itself(store: Store) -> None:
    row = await asking(store, at_once=True, per_day=1)
    for first in (1, 101):
        await spend(store, row.id, *range(first, first + 95))
    lines = [each.change for each in await store.changes.newest([row.id])]
    assert [(line.who, line.subject, line.name, line.new) for line in lines] == [
        ("gateway", "credits", "automatic top-up, held back by the limit of a day", "100"),
        ("gateway", "credits", "automatic top-up, given at once", "100"),
    ]


async def test_it_asks_once_however_much_is_spent_and_whoever_writes_meanwhile(store: Store) -> None:
    row = await asking(store)
    await spend(store, row.id, *range(1, 61))
    for id_ in range(61, 70):
        await asyncio.gather(spend(store, row.id, id_), spend(store, row.id, id_ + 1000))
        await store.change_account(row.id, enabled=True)  # so that the balance is read afresh
    await store.topups.watch(LATER)
    assert (await the_only(store, row.id)).state == "open"


async def test_an_account_that_did_not_ask_for_it_never_asks(store: Store) -> None:
    row = await account(store, 10)
    await spend(store, row.id, *range(1, 11))
    await store.change_account(row.id, automatic=Automatic(50 * CREDIT, 0))
    await spend(store, row.id, 99)
    await store.topups.watch(NOW)
    assert await store.topups.of_account(row.id) == []


async def test_at_once_the_credit_comes_with_the_debit_that_needs_it(store: Store) -> None:
    row = await asking(store, at_once=True)
    moved: list[dict[int, int]] = []
    store.observer = lambda commit: moved.append(commit.moved)
    await spend(store, row.id, *range(1, 61))
    found = await the_only(store, row.id)
    assert (found.state, await balance(store, row.id), moved) == ("booked", 140, [{row.id: 100 * CREDIT}])
    lines = {line.line: line for line in await store.ledger(row.id)}
    assert found.line is not None
    assert (lines[found.line].kind, lines[found.line].amount) == ("auto_topup", 100 * CREDIT)


async def test_at_once_is_as_often_as_a_day_allows_and_then_says_so(store: Store) -> None:
    row = await asking(store, at_once=True, per_day=2)
    for first in (1, 101, 201):
        await spend(store, row.id, *range(first, first + 95))
    await spend(store, row.id, 999)
    found = await store.topups.of_account(row.id)
    assert [one.state for one in found] == ["capped", "booked", "booked"]
    assert await balance(store, row.id) == 100 + 200 - 286
    await store.topups.watch(LATER - 1)
    assert len(await store.topups.of_account(row.id)) == 3
    await store.topups.watch(LATER)
    assert [one.state for one in await store.topups.of_account(row.id)][:2] == ["booked", "capped"]
    assert await balance(store, row.id) == 114


async def test_a_threshold_above_the_balance_is_noticed(store: Store) -> None:
    row = await asking(store, credits_=40)
    await store.topups.watch(NOW)
    assert (await the_only(store, row.id)).balance == 40 * CREDIT


async def test_a_payment_that_failed_is_asked_for_again_a_quarter_of_an_hour_later(store: Store) -> None:
    row = await asking(store, credits_=40)
    await store.topups.watch(NOW)
    first = await the_only(store, row.id)
    await store.topups.close(first.id, "failed", NOW, "payment service", "no money")
    await spend(store, row.id, 1)
    await store.topups.watch(NOW + 15 * 60_000 - 1)
    assert (await the_only(store, row.id)).reason == "no money"
    await store.topups.watch(NOW + 15 * 60_000)
    assert [one.state for one in await store.topups.of_account(row.id)] == ["open", "failed"]


async def test_what_is_refused_for_want_of_credit_does_not_keep_it_from_asking(store: Store) -> None:
    row = await asking(store, credits_=51)
    refused = await spend(store, row.id, *range(1, 60))
    assert len(refused) == 8
    assert (await the_only(store, row.id)).state == "open"


# -- decided once ------------------------------------------------------------------------------------------------------
async def test_it_is_booked_once_however_often_the_callback_comes(store: Store) -> None:
    row = await asking(store)
    await spend(store, row.id, *range(1, 61))
    asked = await the_only(store, row.id)
    done = await asyncio.gather(*(store.topups.book(asked.id, NOW, "payment service") for _ in range(5)))
    assert len(set(done)) == 1
    assert (done[0].state, done[0].done_by, await balance(store, row.id)) == ("booked", "payment service", 140)
    with pytest.raises(Conflict, match="booked already"):
        await store.topups.close(asked.id, "refused", NOW, "anna", "")
    await spend(store, row.id, *range(100, 195))
    assert len(await store.topups.of_account(row.id)) == 2


async def test_what_was_refused_is_not_booked(store: Store) -> None:
    row = await account(store)
    asked = await store.topups.ask(row.id, 5 * CREDIT, NOW, "jan", "for May")
    for _ in range(2):
        closed = await store.topups.close(asked.id, "refused", NOW, "anna", "unpaid invoices")
    assert (closed.state, closed.reason, closed.done_by) == ("refused", "unpaid invoices", "anna")
    with pytest.raises(Conflict, match="refused already"):
        await store.topups.book(asked.id, NOW, "anna")
    assert await balance(store, row.id) == 100


async def test_a_persons_request_counts_once_and_says_what_it_is_for(store: Store) -> None:
    row = await account(store)
    asked = [await store.topups.ask(row.id, 5 * CREDIT, NOW, "jan", "for May", "r1") for _ in range(3)]
    assert len(set(asked)) == 1
    with pytest.raises(Conflict, match="another amount"):
        await store.topups.ask(row.id, 6 * CREDIT, NOW, "jan", "", "r1")
    await store.topups.book(asked[0].id, NOW, "anna")
    line = (await store.ledger(row.id))[-1]
    assert (line.kind, line.amount, line.note) == ("topup", 5 * CREDIT, "for May")


async def test_only_so_many_wait_at_a_time(store: Store) -> None:
    row, other = await account(store), await account(store, name="smpp-b")
    asked = [await store.topups.ask(row.id, CREDIT, NOW, "jan") for _ in range(MOST_OPEN)]
    with pytest.raises(Conflict, match="wait already"):
        await store.topups.ask(row.id, CREDIT, NOW, "jan")
    await store.topups.ask(other.id, CREDIT, NOW, "jan")
    await store.topups.close(asked[0].id, "refused", NOW, "anna", "")
    await store.topups.ask(row.id, CREDIT, NOW, "jan")
    assert len(await store.topups.open(limit=5)) == 5
    assert [one.account for one in await store.topups.open(after=asked[-1].id)] == [other.id, row.id]


async def test_nobody_asks_for_an_account_that_is_not_there(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.topups.ask(9, CREDIT, NOW, "jan")
    topups = store.topups
    for attempt in (topups.book(9, NOW, "x"), topups.close(9, "failed", NOW, "x", ""), topups.find(9)):
        with pytest.raises(NotFound):
            await attempt


# -- what is done about them -------------------------------------------------------------------------------------------
async def test_it_is_sent_until_it_is_taken_or_decided(store: Store) -> None:
    row = await account(store)
    one, two = [await store.topups.ask(row.id, CREDIT, NOW, "jan") for _ in range(2)]
    assert [each.id for each in await store.topups.to_send(NOW)] == [one.id, two.id]
    await store.topups.sent(one.id, NOW + 1000, "no route to host")
    await store.topups.sent(two.id, None, "202")
    assert await store.topups.to_send(NOW + 999) == []
    [again] = await store.topups.to_send(NOW + 1000)
    assert (again.id, again.tries, again.answer) == (one.id, 1, "no route to host")
    await store.topups.book(one.id, NOW, "anna")
    await store.topups.sent(one.id, NOW, "too late")
    assert await store.topups.to_send(LATER) == []


async def test_everything_decided_is_announced_once(store: Store) -> None:
    row = await account(store)
    one, two, _open = [await store.topups.ask(row.id, CREDIT, NOW, "jan") for _ in range(3)]
    await store.topups.book(one.id, NOW, "anna")
    await store.topups.close(two.id, "failed", NOW, "payment service", "")
    assert [each.id for each in await store.topups.to_announce()] == [one.id, two.id]
    await store.topups.announced([one.id, two.id])
    assert await store.topups.to_announce() == []
