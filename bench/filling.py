"""A store that has a past: messages of one account put into it before its server starts.

Everything goes through the store's own verbs, so the tables are what its server would have made of these messages, and
an audit finds nothing. Only the clock is told another time.
"""

import asyncio
from pathlib import Path
from time import time

from bench.account import PRICE, Customer
from gateway.ids import id_at
from store.protocol import Batch, Outcome, Store
from store.sqlite import open_store

GROUP = 500  # messages a commit, and so a line of the ledger
DELIVERED = 2
TEXT = b"The quick brown fox jumps over the lazy dog 0123456789. "[:40]
BODY = b"\0\5\0ACME\0\1\x01447700%06d\0\0\0\0\0\0\1\0\0\0" + bytes([len(TEXT)]) + TEXT


class Moment:
    """A clock that stands where it is put."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def fill(data: Path, customer: Customer, messages: int, seconds: float, owed: bool) -> None:
    """Delivered messages, accepted at an even pace over the last `seconds`; `owed`: their receipts still wait."""
    asyncio.run(filled(data, customer, messages, seconds, owed))


async def filled(data: Path, customer: Customer, messages: int, seconds: float, owed: bool) -> None:
    clock = Moment(time() - seconds)
    async with open_store(data, now=clock) as store:
        account = next(row.id for row in await store.accounts() if row.system_id == customer.system_id)
        before: list[int] = []
        for start in range(0, messages, GROUP):
            count = min(GROUP, messages - start)
            clock.at += seconds * count / messages
            first = id_at(int(clock.at * 1000))
            rows = [(first + place, PRICE, bytearray(BODY % ((start + place) % 1_000_000))) for place in range(count)]
            accepted = store.accept(Batch(account, rows, PRICE * count), store)
            await asyncio.gather(accepted, settled(store, account, before, owed))
            before = [row[0] for row in rows]
        await settled(store, account, before, owed)
        store.mark(before[-1] + 1)


async def settled(store: Store, account: int, ids: list[int], owed: bool) -> None:
    if ids:
        await store.settle([Outcome(account, DELIVERED, 0, False, ids, ids if owed else [])])
