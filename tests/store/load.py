"""A process that writes to a store as fast as it can and says on stdout what was promised to it, until it is killed.

    python -m tests.store.load FOLDER SEED

A line per promise: `accepted ID…`, `refused ID…`, `full ID…`, `down ID…`, `unknown ID…`, `ended STATE ID…`, `owed ID…`,
`open` (nobody said whether some have ended).
"""

import asyncio
import os
import random
import sys
import time
from pathlib import Path

from store import open_store
from store.protocol import Automatic, OutcomeUnknown, Store, StoreError, StoreFull

from .backends import CREDIT, NOW, batch, delivered, failed

SESSIONS = 5


def say(what: str, *values: int) -> None:
    os.write(1, f"{' '.join([what, *map(str, values)])}\n".encode())


async def session(store: Store, account: int, choose: random.Random, ids: list[int]) -> None:
    while True:
        first = ids[0]
        ids[0] += 20
        mine = list(range(first, first + choose.randint(1, 20)))
        try:
            refused = await store.accept(batch(account, mine), account)
        except OutcomeUnknown:
            say("unknown", *mine)
            continue
        except StoreError as error:
            say("full" if isinstance(error, StoreFull) else "down", *mine)
            await asyncio.sleep(0.01)
            continue
        try:
            kept = [id_ for id_ in mine if id_ not in refused]
            say("accepted", *kept)
            if refused:
                say("refused", *refused)
                await store.post(account, "topup", 50 * CREDIT, NOW)
            if choose.random() < 0.1:
                await decide(store)
            half = len(kept) // 2
            good, bad = kept[:half], kept[half:]
            await store.settle([delivered(account, good, owed=good), failed(account, bad)])
            say("ended 2", *good)
            say("ended 5", *bad)
            if choose.random() < 0.1:
                assert await store.settle([failed(account, good)]) == set(good)
            acknowledged = good[: len(good) // 2]
            await store.acknowledge(account, acknowledged)
            say("owed", *good[len(acknowledged) :])
        except StoreError:
            say("open")  # whether these ended is for the next start to find out
            await asyncio.sleep(0.01)


async def decide(store: Store) -> None:
    """The callbacks of what was asked for, some of them twice; and the ledger is added up."""
    for topup in await store.topups.open():
        for _ in range(1 + topup.id % 2):
            await store.topups.book(topup.id, NOW, "payment service")
    await store.statement.add_up()


def automatic(number: int) -> Automatic:
    """One account is given credit at once, the other has to wait for its callbacks."""
    return Automatic(5 * CREDIT, 20 * CREDIT, 10**6, at_once=number == 0)


async def main(folder: Path, seed: int) -> None:
    choose = random.Random(seed)
    async with open_store(folder, reserve=0) as store:
        rows = await store.accounts() or [
            await store.add_account(f"smpp-{n}", str(n), "", {}, NOW, 20 * CREDIT, automatic=automatic(n))
            for n in range(2)
        ]
        ids = [max(await store.last_id(), time.time_ns() // 1_000_000) + 1]
        await asyncio.gather(
            *[session(store, rows[n % 2].id, random.Random(choose.random()), ids) for n in range(SESSIONS)]
        )


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
