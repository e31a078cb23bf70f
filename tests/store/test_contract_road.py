"""The road of a message, as every back end must keep it: accepted, ended, owed, acknowledged."""

import asyncio

import pytest

from store.protocol import Batch, Commit, Contradiction, Outcome, Store, StoreDown

from .backends import CREDIT, DELETED, DELIVERED, NOW, UNDELIVERABLE, account, balance, batch, body, delivered, failed
from .conftest import Reopen


# -- accepted ----------------------------------------------------------------------------------------------------
async def test_what_is_accepted_is_stored_and_paid(store: Store) -> None:
    a = await account(store)
    assert await store.accept(batch(a.id, [1, 2, 3]), "session") == frozenset()
    newest = (await store.messages(a.id))[0]
    assert (newest.id, newest.wire_id, newest.at, newest.charge, newest.body) == (3, 3, NOW, CREDIT, bytes(body(3)))
    assert (newest.state, newest.error, newest.done_at, newest.refund_line, newest.scheduled_at) == (None,) * 5
    assert await balance(store, a.id) == 97


async def test_all_batches_of_a_group_share_one_debit_line(store: Store) -> None:
    a, b = await account(store), await account(store, name="smpp-b")
    done = [store.accept(batch(who.id, [first, first + 1]), first) for first, who in ((1, a), (3, b), (5, a))]
    assert await asyncio.gather(*done) == [frozenset()] * 3
    debits = [line for line in await store.ledger(a.id) if line.kind == "debit"]
    assert [(line.amount, line.first_id, line.last_id) for line in debits] == [(-4 * CREDIT, 1, 6)]
    assert {row.charge_line for row in await store.messages(a.id)} == {debits[0].line}
    assert [row.id for row in await store.messages(a.id)] == [6, 5, 2, 1]


async def test_what_the_balance_does_not_allow_is_refused_in_order(store: Store) -> None:
    a = await account(store, credits_=3)
    first = store.accept(batch(a.id, [1, 2]), "one")
    second = store.accept(batch(a.id, [3, 4]), "two")
    assert (await first, await second) == (frozenset(), frozenset({4}))
    assert await balance(store, a.id) == 0
    assert await store.accept(batch(a.id, [5]), "one") == frozenset({5})
    assert [row.id for row in await store.messages(a.id)] == [3, 2, 1]


async def test_money_that_moves_between_two_groups_is_seen_by_the_next(store: Store) -> None:
    a = await account(store, credits_=1)
    assert await store.accept(batch(a.id, [1]), "session") == frozenset()
    assert await store.accept(batch(a.id, [2]), "session") == frozenset({2})
    await store.post(a.id, "topup", CREDIT, NOW)
    assert await store.accept(batch(a.id, [3, 4]), "session") == frozenset({4})
    await store.change_account(a.id, credit_limit=CREDIT)
    assert await store.accept(batch(a.id, [5, 6]), "session") == frozenset({6})
    with pytest.raises(Contradiction):
        await store.accept(batch(99, [7]), "nobody")
    assert await store.settle([failed(a.id, [1])]) == frozenset()
    assert await store.accept(batch(a.id, [8, 9]), "session") == frozenset({9})
    assert await store.audit() == []


async def test_a_cheaper_message_may_pass_where_a_dearer_one_was_refused(store: Store) -> None:
    a = await account(store, credits_=2)
    rows = [(1, 3 * CREDIT, body(1)), (2, 2 * CREDIT, body(2))]
    assert await store.accept(Batch(a.id, rows, 5 * CREDIT), "session") == frozenset({1})


async def test_a_credit_limit_lets_the_balance_go_below_zero_and_no_further(store: Store) -> None:
    a = await account(store, credits_=1, credit_limit=2)
    assert await store.accept(batch(a.id, [1, 2, 3, 4]), "session") == frozenset({4})
    assert await balance(store, a.id) == -2


async def test_free_messages_are_found_too(store: Store) -> None:
    a = await account(store, credits_=0)
    assert await store.accept(batch(a.id, [1], charge=0), "session") == frozenset()
    assert [row.id for row in await store.messages(a.id)] == [1]


async def test_an_empty_batch_is_nothing(store: Store) -> None:
    a = await account(store)
    assert await store.accept(Batch(a.id, [], 0), "session") == frozenset()
    assert len(await store.ledger(a.id)) == 1


async def test_long_bodies_and_large_batches(store: Store) -> None:
    a = await account(store, credits_=10_000)
    assert await store.accept(batch(a.id, range(1, 1235)), "session") == frozenset()
    assert await store.accept(Batch(a.id, [(5000, 1, bytearray(70_000))], 1), "session") == frozenset()
    rows = await store.messages(a.id, limit=2000)
    assert len(rows) == 1235
    assert rows[0].body == bytes(70_000)


async def test_a_bad_batch_does_not_sink_its_neighbours(store: Store) -> None:
    a = await account(store)
    await store.accept(batch(a.id, [1]), "session")
    done = [store.accept(batch(a.id, ids), ids[0]) for ids in ([2, 3], [1], [4], [5])]
    nobody = store.accept(batch(99, [6]), "nobody")
    answers = await asyncio.gather(*done, nobody, return_exceptions=True)
    assert [answers[0], answers[2], answers[3]] == [frozenset()] * 3
    assert isinstance(answers[1], Contradiction)
    assert isinstance(answers[4], Contradiction)
    assert {row.id for row in await store.messages(a.id)} == {1, 2, 3, 4, 5}
    assert await balance(store, a.id) == 95


async def test_a_cancelled_waiter_changes_nothing_for_the_others(store: Store) -> None:
    a = await account(store)
    gone, stays = store.accept(batch(a.id, [1]), 1), store.accept(batch(a.id, [2]), 2)
    gone.cancel()
    assert await stays == frozenset()
    assert [row.id for row in await store.messages(a.id)] == [2, 1]


# -- ended -------------------------------------------------------------------------------------------------------
@pytest.mark.promise("D1")
async def test_messages_end_once(store: Store) -> None:
    a = await account(store)
    await store.accept(batch(a.id, [1, 2, 3]), "session")
    assert await store.settle([delivered(a.id, [1, 2]), failed(a.id, [3])]) == frozenset()
    assert [(row.state, row.error, row.done_at) for row in await store.messages(a.id)] == [
        (UNDELIVERABLE, 9, NOW),
        (DELIVERED, 0, NOW),
        (DELIVERED, 0, NOW),
    ]
    assert await store.settle([failed(a.id, [1, 2, 3], owed=[1])]) == frozenset({1, 2, 3})
    assert [row.state for row in await store.messages(a.id)] == [UNDELIVERABLE, DELIVERED, DELIVERED]
    assert await store.owed(a.id) == []


async def test_a_refund_gives_back_what_each_message_cost_in_one_line(store: Store) -> None:
    a, b = await account(store), await account(store, name="smpp-b")
    await store.accept(Batch(a.id, [(1, 10_000, body(1)), (2, 35_000, body(2)), (3, 1, body(3))], 45_001), "session")
    await store.accept(batch(b.id, [4]), "session")
    ended = [Outcome(a.id, 5, 1, True, [1], []), Outcome(a.id, 8, 2, True, [2], []), failed(b.id, [4])]
    await asyncio.gather(store.settle(ended), store.settle([delivered(a.id, [3])]))
    refunds = [line for line in await store.ledger(a.id) if line.kind == "refund"]
    assert [line.amount for line in refunds] == [45_000]
    assert [row.refund_line for row in await store.messages(a.id)] == [None, refunds[0].line, refunds[0].line]
    assert await balance(store, b.id) == 100


@pytest.mark.promise("M3")
async def test_a_repeated_outcome_sinks_no_neighbour_and_refunds_nothing_twice(store: Store) -> None:
    a = await account(store)
    await store.accept(batch(a.id, range(1, 9)), "session")
    await store.settle([failed(a.id, [1])])
    answers = await asyncio.gather(
        store.settle([failed(a.id, [1, 2], owed=[1, 2]), delivered(a.id, [3])]),
        store.settle([delivered(a.id, [2, 4])]),
        store.settle([failed(a.id, [5, 5], owed=[5]), failed(a.id, [6]), delivered(a.id, [6])]),
        store.accept(batch(a.id, [9]), "session"),
    )
    assert list(answers) == [frozenset({1}), frozenset({2}), frozenset({6}), frozenset()]
    states = {row.id: row.state for row in await store.messages(a.id)}
    assert states == {1: 5, 2: 5, 3: 2, 4: 2, 5: 5, 6: 5, 7: None, 8: None, 9: None}
    assert await balance(store, a.id) == 100 - 9 + 4
    assert [due.id for due in await store.owed(a.id)] == [2, 5]


async def test_a_refund_of_what_another_account_sent_is_refused_alone(store: Store) -> None:
    a, b = await account(store), await account(store, name="smpp-b")
    await store.accept(batch(a.id, [1, 2]), "session")
    wrong, right = store.settle([failed(b.id, [1])]), store.settle([failed(a.id, [2])])
    with pytest.raises(Contradiction):
        await wrong
    assert await right == frozenset()
    assert (await balance(store, a.id), await balance(store, b.id)) == (99, 100)


async def test_messages_that_were_free_end_without_a_refund_line(store: Store) -> None:
    a = await account(store)
    await store.accept(batch(a.id, [1], charge=0), "session")
    assert await store.settle([failed(a.id, [1])]) == frozenset()
    assert [line.kind for line in await store.ledger(a.id)] == ["topup", "debit"]


# -- owed --------------------------------------------------------------------------------------------------------
async def test_receipts_are_owed_until_acknowledged(store: Store) -> None:
    a, b = await account(store), await account(store, name="smpp-b")
    await store.accept(batch(a.id, [1, 2, 3]), "session")
    await store.accept(batch(b.id, [4]), "session")
    await store.settle([delivered(a.id, [1, 2], owed=[1, 2]), failed(a.id, [3], owed=[3]), delivered(b.id, [4], [4])])
    assert await store.owed_counts() == {a.id: (3, NOW), b.id: (1, NOW)}
    await store.acknowledge(b.id, [1])  # not its own
    await store.acknowledge(a.id, [2, 77])
    due = await store.owed(a.id)
    assert [(one.id, one.wire_id, one.state, one.error, one.incoming) for one in due] == [
        (1, 1, DELIVERED, 0, False),
        (3, 3, UNDELIVERABLE, 9, False),
    ]
    assert (due[0].at, due[0].done_at, due[0].body) == (NOW, NOW, bytes(body(1)))
    assert [one.id for one in await store.owed(a.id, after=1)] == [3]
    assert [one.id for one in await store.owed(a.id, limit=1)] == [1]
    await store.acknowledge(a.id, [1, 3])
    assert await store.owed_counts() == {b.id: (1, NOW)}


async def test_what_is_given_up_is_owed_no_more(store: Store) -> None:
    a = await account(store)
    await store.accept(batch(a.id, [1, 2]), "session")
    await store.settle([delivered(a.id, [1, 2], owed=[1, 2])])
    await store.give_up(a.id, [1, 99], "invalid")
    await store.give_up(a.id, [1], "again")
    assert [one.id for one in await store.owed(a.id)] == [2]


async def test_incoming_messages_are_owed_like_receipts(store: Store) -> None:
    a = await account(store)
    await store.accept(batch(a.id, [1]), "session")
    await store.note_incoming(a.id, [(2, bytearray(b"mo"))])
    await store.note_incoming(a.id, [])
    await store.settle([delivered(a.id, [1], owed=[1])])
    assert [(one.id, one.body, one.incoming, one.state) for one in await store.owed(a.id)] == [
        (1, bytes(body(1)), False, DELIVERED),
        (2, b"mo", True, 0),
    ]
    assert await store.owed_counts() == {a.id: (2, NOW)}
    await store.acknowledge(a.id, [1, 2])
    assert await store.owed(a.id) == []


# -- scheduled ---------------------------------------------------------------------------------------------------
async def test_scheduled_messages_wait_are_released_and_end(store: Store) -> None:
    a = await account(store)
    await store.accept(batch(a.id, [1, 2, 3], scheduled=[(1, NOW + 20), (2, NOW + 10)]), "session")
    assert [(row.id, row.scheduled_at) for row in await store.scheduled(a.id)] == [(1, NOW + 20), (2, NOW + 10)]
    assert [row.id for row in await store.due(NOW + 20)] == [2, 1]
    assert [row.id for row in await store.due(NOW + 15)] == [2]
    assert await store.next_due() == NOW + 10
    assert await store.unschedule([2, 3, 99]) == frozenset({2})
    assert await store.unschedule([2]) == frozenset()
    assert await store.next_due() == NOW + 20
    assert [(row.id, row.scheduled_at) for row in await store.pending()] == [(1, NOW + 20), (2, None), (3, None)]
    await store.settle([delivered(a.id, [1, 2, 3])])
    assert await store.next_due() is None
    assert await store.pending() == await store.scheduled(a.id) == []


async def test_a_cancellation_ends_only_what_still_waits(store: Store) -> None:
    a = await account(store)
    await store.accept(batch(a.id, [1, 2, 3], scheduled=[(1, NOW), (2, NOW)]), "session")
    cancel = Outcome(a.id, DELETED, 802, True, [1, 2, 3], [1, 2, 3], if_scheduled=True)
    released, cancelled = store.unschedule([2]), store.settle([cancel])
    assert (await released, await cancelled) == (frozenset({2}), frozenset({2, 3}))
    assert await store.settle([cancel]) == frozenset({1, 2, 3})
    assert [row.state for row in await store.messages(a.id)] == [None, None, DELETED]
    assert [one.id for one in await store.owed(a.id)] == [1]
    assert await balance(store, a.id) == 98


async def test_a_scheduled_message_can_be_replaced_until_it_is_released(store: Store) -> None:
    a = await account(store)
    await store.accept(batch(a.id, [1, 2], scheduled=[(1, NOW)]), "session")
    assert await store.replace(1, bytearray(b"new"))
    assert await store.replace(1, bytearray(b"newer"), NOW + 5)
    assert not await store.replace(2, bytearray(b"never"))
    row = (await store.find(a.id, 1))[0]
    assert (row.body, row.scheduled_at) == (b"newer", NOW + 5)
    released, replaced = store.unschedule([1]), store.replace(1, bytearray(b"late"))
    assert (await released, await replaced) == (frozenset({1}), False)


async def test_refused_messages_are_not_scheduled(store: Store) -> None:
    a = await account(store, credits_=1)
    refused = await store.accept(batch(a.id, [1, 2], scheduled=[(1, 5), (2, 6)], multi=[(1, 1), (2, 1)]), "session")
    assert refused == frozenset({2})
    assert [row.id for row in await store.scheduled(a.id)] == [1]
    assert [row.id for row in await store.find(a.id, 1)] == [1]


# -- restart -----------------------------------------------------------------------------------------------------
async def test_everything_is_there_again(reopen: Reopen) -> None:
    async with reopen() as store:
        a = await account(store)
        await store.accept(batch(a.id, [1, 2, 3, 4], scheduled=[(4, NOW)]), "session")
        await store.settle([delivered(a.id, [1], owed=[1])])
        before = await store.export(a.id)
    async with reopen() as store:
        assert await store.export(a.id) == before
        assert [row.id for row in await store.pending()] == [2, 3, 4]
        assert [one.id for one in await store.owed(a.id)] == [1]
        assert await store.settle([failed(a.id, [4])]) == frozenset()
        assert await store.scheduled(a.id) == []
        assert await store.audit() == []


async def test_the_open_group_is_finished_by_close(reopen: Reopen) -> None:
    async with reopen() as store:
        a = await account(store)
        done = [store.accept(batch(a.id, [1]), "session")]
        await asyncio.sleep(0)  # the first group has left, the second gathers
        done.append(store.accept(batch(a.id, [2]), "other"))
        await store.close()
        assert [future.result() for future in done] == [frozenset()] * 2
        with pytest.raises(StoreDown):
            await store.accept(batch(a.id, [3]), "session")
        with pytest.raises(StoreDown):
            await store.post(a.id, "topup", 1, NOW)


async def test_the_low_water_mark_spares_a_restart_the_history(reopen: Reopen) -> None:
    async with reopen() as store:
        a = await account(store)
        await store.accept(batch(a.id, range(1, 11), scheduled=[(2, NOW), (3, NOW)]), "session")
        await store.settle([delivered(a.id, [1, 4, 5, 7])])
        await store.unschedule([3])
        store.mark(6)
        store.mark(2)
        assert await store.settle([delivered(a.id, [6])]) == frozenset()
    async with reopen() as store:
        assert [row.id for row in await store.pending()] == [2, 3, 8, 9, 10]
        assert [row.id for row in await store.pending(limit=3)] == [2, 3, 8]
        assert [row.id for row in await store.pending(after=2, limit=2)] == [3, 8]
        assert [row.id for row in await store.pending(after=9)] == [10]
        assert await store.audit() == []


async def test_the_low_water_mark_never_passes_the_last_id(reopen: Reopen) -> None:
    """Ids are given out that nothing is stored under, and clocks are set back: nothing of the next start is skipped."""
    async with reopen() as store:
        a = await account(store)
        await store.accept(batch(a.id, [1]), "session")
        await store.settle([delivered(a.id, [1])])
        store.mark(1000)
    async with reopen() as store:
        assert await store.audit() == []
        await store.accept(batch(a.id, [await store.last_id() + 1]), "session")
    async with reopen() as store:
        assert [row.id for row in await store.pending()] == [2]
        assert await store.audit() == []


# -- observed ----------------------------------------------------------------------------------------------------
async def test_the_observer_hears_of_every_commit_before_its_futures(store: Store) -> None:
    heard: list[tuple[Commit, bool]] = []
    a = await account(store)
    future: asyncio.Future[frozenset[int]] = asyncio.get_running_loop().create_future()
    store.observer = lambda commit: heard.append((commit, future.done()))
    future = store.accept(batch(a.id, [1, 2]), "session")
    await future
    await store.settle([failed(a.id, [1])])
    await store.post(a.id, "topup", 5, NOW)
    assert [(commit.messages, commit.moved, done) for commit, done in heard] == [
        (2, {}, False),
        (0, {a.id: CREDIT}, True),
        (0, {a.id: 5}, True),
    ]
    assert all(commit.seconds > 0 for commit, _ in heard)


async def test_an_observer_that_fails_harms_nobody(store: Store) -> None:
    a = await account(store)

    def fails(commit: Commit) -> None:
        raise RuntimeError("observed too closely")

    store.observer = fails
    assert await store.accept(batch(a.id, [1]), "session") == frozenset()
    assert (await store.post(a.id, "topup", 5, NOW)).amount == 5
