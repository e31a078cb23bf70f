"""The back ends that must keep the promises of `store.protocol`, and how their tests make things to store."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from store import open_store
from store.protocol import AccountRow, Batch, Outcome, Store

Opener = Callable[[Path], AbstractAsyncContextManager[Store]]


def sqlite(folder: Path) -> AbstractAsyncContextManager[Store]:
    return open_store(folder / "data", now=lambda: NOW / 1000, reserve=0)


BACK_ENDS: dict[str, Opener] = {"sqlite": sqlite}

NOW = 1_790_000_000_000
CREDIT = 10_000
DELIVERED, UNDELIVERABLE, DELETED = 2, 5, 4


async def account(store: Store, credits_: int = 100, name: str = "smpp-a", credit_limit: int = 0) -> AccountRow:
    row = await store.add_account(name, name.removeprefix("smpp-"), "hash", {"window": 10}, NOW, credits_ * CREDIT)
    return await store.change_account(row.id, credit_limit=credit_limit * CREDIT) if credit_limit else row


def batch(
    account_: int,
    ids: Sequence[int],
    charge: int = CREDIT,
    scheduled: Sequence[tuple[int, int]] = (),
    multi: Sequence[tuple[int, int]] = (),
) -> Batch:
    return Batch(account_, [(id_, charge, body(id_)) for id_ in ids], charge * len(ids), scheduled, multi)


def body(id_: int) -> bytearray:
    return bytearray(b"body of %d" % id_)


def delivered(account_: int, ids: Sequence[int], owed: Sequence[int] = ()) -> Outcome:
    return Outcome(account_, DELIVERED, 0, False, list(ids), list(owed))


def failed(account_: int, ids: Sequence[int], owed: Sequence[int] = ()) -> Outcome:
    return Outcome(account_, UNDELIVERABLE, 9, True, list(ids), list(owed))


async def balance(store: Store, account_: int) -> int:
    """In credits."""
    return {row.id: row.balance for row in await store.accounts()}[account_] // CREDIT
