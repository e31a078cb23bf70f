"""smppgate with a mistake in it: `python -m tests.road.planted MISTAKE[,MISTAKE] serve …`. The suites must find each.

Invariant: the product does not know of them; they replace its functions before it begins.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from gateway.app import Gateway
from gateway.network.dispatch import Dispatch
from store import committer, sqlite
from store.accounts import told
from store.connection import WRITER
from store.group import Told
from store.money import Ledger
from store.protocol import Batch, MessageRow
from store.sql import Statements
from store.sqlite import SqliteStore


def replace(owner: Any, name: str, by: object) -> None:
    assert hasattr(owner, name)
    setattr(owner, name, by)


def answered_early() -> None:
    """An OK before the commit."""
    accept = SqliteStore.accept

    def accepting(store: SqliteStore, batch: Batch, session: object) -> asyncio.Future[frozenset[int]]:
        accept(store, batch, session).add_done_callback(lambda done: done.cancelled() or done.exception())
        early: asyncio.Future[frozenset[int]] = asyncio.get_running_loop().create_future()
        early.set_result(frozenset())
        return early

    replace(SqliteStore, "accept", accepting)


def not_synced() -> None:
    """A commit that is on disk some time later."""
    pragmas = [one.replace("synchronous=FULL", "synchronous=NORMAL") for one in WRITER]
    assert pragmas != list(WRITER)
    replace(sqlite, "WRITER", pragmas)


def charged_again() -> None:
    """What is under way at a start is paid once more."""
    recover = Dispatch.recover

    def debit(row: MessageRow) -> Statements[Told]:
        ledger = Ledger(row.at)
        line = yield from ledger.post(row.account, "debit", -row.charge, ids=(row.id, row.id), note="1")
        return told(line, ledger)

    async def recovering(dispatch: Any) -> int:
        for row in await dispatch._store.pending(limit=10):
            await dispatch._store.write(debit(row))
        return await recover(dispatch)

    replace(Dispatch, "recover", recovering)


def receipts_forgotten() -> None:
    """What is owed at a start is taken for delivered."""
    start = Gateway.start

    async def starting(gateway: Gateway) -> Any:
        for row in await gateway.store.accounts():
            owed = await gateway.store.owed(row.id, limit=1_000_000)
            await gateway.store.acknowledge(row.id, [due.id for due in owed])
        return await start(gateway)

    replace(Gateway, "start", starting)


def small_wal() -> None:
    """No mistake: the WAL is written back, and begun anew, every other moment."""
    replace(committer, "FRAMES", 400)


MISTAKES: dict[str, Callable[[], None]] = {
    "answered-early": answered_early,
    "not-synced": not_synced,
    "charged-again": charged_again,
    "receipts-forgotten": receipts_forgotten,
    "small-wal": small_wal,
}

if __name__ == "__main__":
    from gateway.cli import main

    for name in sys.argv.pop(1).split(","):
        MISTAKES[name]()
    main()
