"""What was erased is in none of the files any more, whoever looks at their octets."""

import asyncio
import time
from pathlib import Path

import pytest

from store import open_store
from store.office.history import Wanted
from store.protocol import Batch, Outcome, Store
from tests.store.backends import account

NUMBER, LONG = 48_600_100_000, 3_000
PATIENCE = 15.0


def octets(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("smppgate.db*")) if "shm" not in file.name)


async def fill(store: Store, account_: int) -> list[int]:
    """Some with bodies that need pages of their own, in an order as several sessions leave it."""
    ids = [10 + place for place in range(400)]
    for at in range(0, len(ids), 4):
        some = [ids[at + place] for place in (1, 0, 3, 2)] if at % 8 else ids[at : at + 4]
        for id_ in some:
            words = f"A {NUMBER + id_} hushhush {id_:05d} " + ("x" * LONG if id_ % 50 == 0 else "")
            await store.accept(Batch(account_, [(id_, 0, bytearray(words.encode()))], 0), "session")
    await store.settle([Outcome(account_, 2, 0, False, ids, [])])
    mos = [(1_000 + n, bytearray(f"{NUMBER + n} A hushhush mo".encode())) for n in range(50)]
    await store.note_incoming(account_, mos)
    return ids


def first_and_rest(body: bytes) -> tuple[str, str]:
    source, destination = body.decode().split(" ")[:2]
    return source, destination


async def left(folder: Path) -> bool:
    """Whether the hushhush is still somewhere, after as long as it may take."""
    deadline = time.monotonic() + PATIENCE
    while (found := b"hushhush" in octets(folder)) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    return found


@pytest.mark.parametrize("by_hand", [True, False])
async def test_what_was_erased_cannot_be_read_from_the_files(tmp_path: Path, by_hand: bool) -> None:
    async with open_store(tmp_path, reserve=0) as store:
        mine = (await account(store)).id
        ids = await fill(store, mine)
        while await store.history.enter(first_and_rest) or await store.inbox.enter(first_and_rest):
            pass
        received = [row.id for row in await store.inbox.received(mine, Wanted(), first_and_rest, 99)]
        await store.acknowledge(mine, received)
        assert b"hushhush" in octets(tmp_path)
        for at in range(0, len(ids), 100):
            some = ids[at : at + 100]
            if by_hand:
                assert await store.history.erase(mine, some) == len(some)
            else:
                await store.history.strip(mine, [(id_, b"") for id_ in some], True, ("text", some[-1]))
        if by_hand:
            assert await store.inbox.erase(mine, received) == len(received)
        else:
            await store.inbox.strip(mine, [(id_, b"") for id_ in received], True, ("received text", received[0]))
        assert not await left(tmp_path)
        assert str(NUMBER + ids[7]).encode() not in octets(tmp_path)
        assert await store.audit() == []
