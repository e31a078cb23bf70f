"""The inbox: found by number as by looking at everything, whether the numbers were read yet or not."""

import pytest

from store.office.history import Wanted
from store.protocol import Store
from tests.store.backends import account

MESSAGES = {5: "44 A", 6: "48 A", 7: "44 B", 8: "48 B", 9: "44 A"}


def addresses(body: bytes) -> tuple[str, str]:
    source, _, destination = body.decode().partition(" ")
    return source, destination


async def fill(store: Store) -> int:
    mine, other = await account(store), await account(store, name="smpp-b")
    await store.note_incoming(mine.id, [(id_, bytearray(body.encode())) for id_, body in MESSAGES.items()])
    await store.note_incoming(other.id, [(10, bytearray(b"44 A"))])
    return mine.id


async def test_received_messages_say_whether_somebody_took_them(store: Store) -> None:
    mine = await fill(store)
    await store.acknowledge(mine, [5])
    found = await store.inbox.received(mine, Wanted(last=6), addresses)
    assert [(row.id, row.owed) for row in found] == [(6, True), (5, False)]
    assert await store.inbox.erase(mine, [5, 6]) == 1
    assert [row.id for row in await store.inbox.received(mine, Wanted(), addresses)] == [9, 8, 7, 6]


@pytest.mark.parametrize("read", [False, True])
async def test_what_fits_is_found_with_its_numbers_read_or_not(store: Store, read: bool) -> None:
    mine = await fill(store)
    while read and await store.inbox.enter(addresses):
        pass
    for source in ("", "44", "48", "33"):
        for destination in ("", "A", "B"):
            wanted = Wanted(6, 9, source, destination)
            expected = [
                id_ for id_, body in reversed(MESSAGES.items())
                if id_ >= 6 and source in ("", body[:2]) and destination in ("", body[3:])
            ]  # fmt: skip
            found = [row.id for row in await store.inbox.received(mine, wanted, addresses, 2)]
            assert found == expected[:2]
            if read:
                assert await store.inbox.count(mine, wanted) == len(expected)


async def test_a_question_goes_on_where_the_index_begins(store: Store) -> None:
    mine = await fill(store)
    await store.inbox.enter(addresses)
    await store.note_incoming(mine, [(20, bytearray(b"44 A"))])
    assert [row.id for row in await store.inbox.received(mine, Wanted(source="44"), addresses)] == [20, 9, 7, 5]
