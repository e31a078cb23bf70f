"""A disk that fails under load, or dawdles: nobody hears OK for what is not there, and it works again by itself."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import subprocess
import time
from pathlib import Path

import pytest

from pdu import constants as c
from tests.road.client import accepted, bound, until
from tests.road.failing import FULL, Failing
from tests.road.ordeal import Load, accounts, reconciled
from tests.road.running import Road
from tests.road.test_disk import REFUSED, small_disk

SEED = int(os.environ.get("SMPPGATE_SEED", 0)) or secrets.randbelow(10**9)
LASTS = 1.2  # seconds
PATIENCE = 10.0  # seconds within which it must be back

pytestmark = pytest.mark.road


def statuses(load: Load, since: float, until_: float) -> list[int]:
    """What was said to submits that were asked and answered in that time."""
    return [
        asked.answer.status
        for _refund, client in load.clients
        for asked in client.log
        if asked.command == c.SUBMIT_SM and asked.answer and since < asked.sent_at and asked.answered_at < until_
    ]


@pytest.mark.prove
@pytest.mark.crash
@pytest.mark.parametrize("fault", ["sync", "readonly", "gone", FULL])
@pytest.mark.promise("R1", "R3", "M1", "M2", "M6", "D1", "D2")
async def test_a_disk_that_fails_costs_refusals_and_never_a_message(tmp_path: Path, fault: str) -> None:
    print(f"seed {SEED} (SMPPGATE_SEED)")
    async with Failing(tmp_path, delay="0.2s", LOG__LEVEL="error") as server:
        load, wanted = Load(server, accounts(server, "500"), random.Random(SEED)), True
        everybody = asyncio.create_task(load.run(lambda: wanted))
        await until("traffic flows", lambda: c.ESME_ROK in statuses(load, 0, time.monotonic()))
        with server.fault(fault):
            begun = time.monotonic()
            await asyncio.sleep(LASTS)
            cured = time.monotonic()
        await until("it works again", lambda: c.ESME_ROK in statuses(load, cured, time.monotonic()), PATIENCE)
        wanted = False
        await everybody
        said = statuses(load, begun, cured)
        if fault != FULL:  # a log that starts over has room for a while
            assert c.ESME_ROK not in said
        assert REFUSED & set(said)
        others = {c.ESME_ROK, c.ESME_RTHROTTLED, c.ESME_RNOCREDIT}
        assert set(said) <= REFUSED | others, set(map(hex, said))
        await load.collect()
        await load.hang_up()
    verdict = await reconciled(server.data, load, ended=True)
    assert not verdict.faults, str(verdict)
    assert verdict.seen["acknowledged"] > 100


@pytest.mark.prove
@pytest.mark.promise("R1", "A1")
async def test_a_disk_that_dawdles_delays_submits_and_nothing_else(tmp_path: Path) -> None:
    async with Failing(tmp_path) as server:
        login = server.desk.account("patient", window=20, max_binds=2)
        client, other = await bound(server.port, login), await bound(server.port, login)
        with server.fault("slow"):
            begun = time.monotonic()
            asked = client.submit_many(20)
            checks = []
            while not all(one.answer for one in asked):
                checks.append(other.send(c.ENQUIRE_LINK))
                await checks[-1].answered()
                await asyncio.sleep(0.02)
            stored = await accepted(asked)
        assert time.monotonic() - begun > 0.3
        assert max(check.seconds for check in checks) < 0.25
        assert {message["message_id"] for message in server.desk.export(login)["messages"]} == set(stored)
        server.desk.audited()


async def test_a_read_only_disk_is_said_at_start_and_nothing_is_made_of_it(tmp_path: Path) -> None:
    def remounted(how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True, timeout=20)

    folder = tmp_path / "data"
    with small_disk(folder, 100):
        server = Road(tmp_path)
        async with server:
            login = server.desk.account("patient")
            stored = await accepted((await bound(server.port, login)).submit_many(3))
        before = (folder / "smppgate.db").read_bytes()
        remounted("ro")
        process = server.launch()
        assert await asyncio.to_thread(process.wait, 20) == 1
        assert "cannot be opened" in server.said()
        assert "Traceback" not in server.said()
        assert (folder / "smppgate.db").read_bytes() == before
        remounted("rw")
        async with server:
            assert [message["message_id"] for message in server.desk.export(login)["messages"]] == stored
            await accepted((await bound(server.port, login)).submit_many(3))
