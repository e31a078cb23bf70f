"""A backup under SMPP load: right in its books, it holds every message that was answered before it began."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from store import open_store
from store.backup import restore
from tests.road.client import Asked, Esme, bound, until
from tests.road.running import Road

pytestmark = pytest.mark.road


async def busy(client: Esme, asked: list[Asked], going_on: list[bool]) -> None:
    while client.open and going_on:
        batch = client.submit_many(20, registered_delivery=1)
        asked += batch
        await batch[-1].done


async def test_a_backup_under_load_holds_what_was_answered_before_it_began(tmp_path: Path) -> None:
    async with Road(tmp_path / "gateway") as server:
        login = server.desk.account("busy", max_binds=4, window=30, credits="1000000")
        clients, asked, going_on = [await bound(server.port, login) for _ in range(3)], list[Asked](), [True]
        work = [asyncio.create_task(busy(client, asked, going_on)) for client in clients]
        await until("it is busy", lambda: sum(one.accepted for one in asked) > 2000)
        before = {one.message_id for one in list(asked) if one.accepted}
        copy = tmp_path / "copy.db"
        told = await asyncio.to_thread(server.desk.ask, "POST", "backups", body={"file": str(copy)})
        after = sum(one.accepted for one in asked)
        going_on.clear()
        await asyncio.gather(*work)
        server.desk.audited()
    assert after > len(before)  # it was taken under load
    found = await asyncio.to_thread(restore, copy, tmp_path / "restored")
    assert told["messages"] == found.messages < after + 1
    async with open_store(tmp_path / "restored") as store:
        assert await store.check() == await store.audit() == []
        [account] = await store.accounts()
        assert before <= {str(row.wire_id) for row in (await store.export(account.id)).messages}
