"""What can be asked afterwards, as every back end must answer it."""

from store.protocol import RefusalRow, Store

from .backends import CREDIT, NOW, account, batch, body, delivered, failed


async def test_messages_are_listed_newest_first_in_pages(store: Store) -> None:
    a, b = await account(store), await account(store, name="smpp-b")
    for first in range(1, 41, 4):
        await store.accept(batch(a.id, [first, first + 2]), "one")
        await store.accept(batch(b.id, [first + 1, first + 3]), "two")
    listed, before = [], None
    while page := await store.messages(a.id, before, limit=3):
        listed += page
        before = page[-1].id
    assert [row.id for row in listed] == list(range(39, 0, -2))
    assert {row.account for row in listed} == {a.id}


async def test_a_page_may_begin_at_an_id_that_is_not_there(store: Store) -> None:
    a = await account(store)
    await store.accept(batch(a.id, [10, 20]), "one")
    await store.accept(batch(a.id, [30, 40]), "one")
    assert [row.id for row in await store.messages(a.id, before=35)] == [30, 20, 10]
    assert [row.id for row in await store.messages(a.id, before=15)] == [10]
    assert [row.id for row in await store.messages(a.id, before=10)] == []
    assert await store.messages(a.id, before=5) == []
    assert [row.id for row in await store.messages(a.id, before=10**19)] == [40, 30, 20, 10]


async def test_find_knows_the_id_that_the_customer_was_given(store: Store) -> None:
    a, b = await account(store), await account(store, name="smpp-b")
    await store.accept(batch(a.id, [1, 2, 3, 4], multi=[(2, 2), (3, 2)]), "session")
    assert [row.id for row in await store.find(a.id, 1)] == [1]
    assert [(row.id, row.wire_id) for row in await store.find(a.id, 2)] == [(2, 2), (3, 2)]
    assert await store.find(a.id, 3) == []
    assert await store.find(b.id, 1) == []
    assert await store.find(a.id, 77) == []
    assert await store.find(a.id, 10**19) == []


async def test_receipts_of_a_submit_multi_carry_its_id(store: Store) -> None:
    a = await account(store)
    await store.accept(batch(a.id, [1, 2], multi=[(1, 1), (2, 1)]), "session")
    await store.settle([delivered(a.id, [1, 2], owed=[1, 2])])
    assert [(one.id, one.wire_id) for one in await store.owed(a.id)] == [(1, 1), (2, 1)]


async def test_the_last_id_covers_whatever_was_given_an_id(store: Store) -> None:
    assert await store.last_id() == 0
    a = await account(store)
    await store.accept(batch(a.id, [5]), "session")
    assert await store.last_id() == 5
    await store.note_incoming(a.id, [(9, bytearray(b"mo"))])
    assert await store.last_id() == 9
    await store.accept(batch(a.id, [10], multi=[(10, 12)]), "session")
    assert await store.last_id() == 12


async def test_an_export_is_the_account_and_nothing_else(store: Store) -> None:
    a, b = await account(store), await account(store, name="smpp-b")
    await store.accept(batch(b.id, [2]), "session")
    await store.accept(batch(a.id, [1, 3]), "session")
    await store.settle([failed(a.id, [3])])
    export = await store.export(a.id)
    assert export.account.name == "smpp-a"
    assert [row.id for row in export.messages] == [1, 3]
    assert [line.kind for line in export.ledger] == ["topup", "debit", "refund"]
    assert sum(line.amount for line in export.ledger) == export.account.balance == 99 * CREDIT
    assert export.messages[1].refund_line == export.ledger[2].line
    assert export.messages[0].body == bytes(body(1))


# -- refusals ----------------------------------------------------------------------------------------------------
def refusal(number: int, account_: int | None) -> RefusalRow:
    at = NOW + number
    return RefusalRow(at, account_, "message", "no_credit", 0x403, "127.0.0.1", "a", "48500", "48600", "why", 2)


async def test_refusals_are_kept_apart_newest_first(store: Store) -> None:
    a = await account(store)
    await store.refuse([refusal(1, a.id), refusal(2, None)])
    await store.refuse([refusal(3, a.id)])
    await store.refuse([])
    assert await store.refusals(a.id) == [refusal(3, a.id), refusal(1, a.id)]
    assert await store.refusals(None) == [refusal(2, None)]
    assert await store.refusals(a.id, limit=1) == [refusal(3, a.id)]


async def test_only_the_last_refusals_are_kept(store: Store) -> None:
    a, b = await account(store), await account(store, name="smpp-b")
    await store.refuse([refusal(0, b.id)])
    for start in range(0, 12_000, 3_000):
        await store.refuse([refusal(n, who) for n in range(start, start + 3_000) for who in (a.id, None)])
    for who in (a.id, None):
        kept = await store.refusals(who, limit=20_000)
        assert [row.at - NOW for row in kept] == list(range(11_999, 1_999, -1))
    assert len(await store.refusals(b.id)) == 1


# -- health ------------------------------------------------------------------------------------------------------
async def test_a_store_in_order_says_so(store: Store) -> None:
    a = await account(store)
    await store.accept(batch(a.id, [1, 2]), "session")
    await store.settle([failed(a.id, [1], owed=[1])])
    assert (await store.audit(), await store.check(), await store.imbalance()) == ([], [], 0)
    await store.accept(batch(a.id, [3]), "session")
    assert await store.imbalance() == 0
    assert store.engine
