"""A gateway inside this process, over a store whose disk a test holds in its hand.

For what cannot be provoked from outside: commits that wait, that fail, or that nobody can vouch for.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.admin import COMMAND_LINE, Admin
from gateway.app import Gateway
from gateway.config import Config
from store import open_store
from store.committer import Hop
from store.failures import CommitFailed
from store.sql import Statements
from tests.road.desk import DEFAULTS
from tests.server import HOST, Login


class Disk:
    """The seam `around` of open_store: commits pass, wait, fail, or leave everybody guessing."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self.failure: Callable[[], Exception] | None = None
        self.spared = 0  # commits that pass before the failure
        self.guessing = False
        self.waiting = self.failed = 0  # commits

    def around(self, hop: Hop) -> Hop:
        async def commit(statements: Statements[Any]) -> Any:
            self.waiting += 1
            try:
                await self._open.wait()
            finally:
                self.waiting -= 1
            self.spared -= 1
            if self.failure is not None and self.spared < 0:
                statements.close()
                self.failed += 1
                raise self.failure()
            told = await hop(statements)
            if self.guessing:
                raise CommitFailed(told) from sqlite3.OperationalError("disk I/O error")
            return told

        return commit

    def stall(self) -> None:
        self._open.clear()

    def resume(self) -> None:
        self._open.set()


class Inside:
    """The gateway, its store and its operator."""

    def __init__(self, gateway: Gateway, store: Any, disk: Disk, port: int) -> None:
        self.gateway, self.store, self.disk, self.port = gateway, store, disk, port
        self.admin = Admin(store, gateway.minter, gateway.wall, gateway).acting(COMMAND_LINE)
        self.in_store: dict[object, int] = {}  # session -> messages that wait for their commit
        self.most_in_store = 0

    async def account(self, name: str, **settings: Any) -> Login:
        made = await self.admin.accounts.create({"name": name, **DEFAULTS, **settings})
        return Login(made["name"], made["system_id"], made["password"])

    def counted(self) -> None:
        """From now on, count how many messages of each session are inside the store."""
        accept = self.store.accept

        def counting(batch: Any, session: object) -> Any:
            number = len(batch.rows)
            self.in_store[session] = self.in_store.get(session, 0) + number
            self.most_in_store = max(self.most_in_store, self.in_store[session])
            future = accept(batch, session)
            future.add_done_callback(lambda _done: self.in_store.update({session: self.in_store[session] - number}))
            return future

        self.store.accept = counting


@asynccontextmanager
async def inside(
    folder: Path,
    *,
    rules: Sequence[Any] | None = None,
    delay: str = "0.05s",
    wall: Callable[[], float] = time.time,
) -> AsyncIterator[Inside]:
    """Its clients must have hung up when this ends. `wall` is the time of day."""
    simulator: dict[str, Any] = {"delay": delay} | ({} if rules is None else {"rules": rules})
    config = Config.model_validate({"data_dir": folder, "smpp": {"listen": [f"{HOST}:0"]}, "simulator": simulator})
    folder.mkdir(parents=True, exist_ok=True)
    disk = Disk()
    async with open_store(folder, around=disk.around, now=wall) as store:
        gateway = Gateway(config, store, wall=wall)
        try:
            endpoints = await gateway.start()
            yield Inside(gateway, store, disk, endpoints.plain[0].port)
        finally:
            disk.resume()
            disk.failure, disk.guessing = None, False
            await gateway.stop()
