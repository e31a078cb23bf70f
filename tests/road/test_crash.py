"""kill -9 at random instants under load, then the books: what was acknowledged is there, paid once, and told once."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time

import pytest

from tests.conftest import PROFILE
from tests.road.ordeal import Load, accounts, reconciled, record
from tests.road.running import Road

KILLS = int(os.environ.get("SMPPGATE_KILLS", 0)) or (100 if PROFILE == "prove" else 8)
STOPS = 20 if PROFILE == "prove" else 3
SEED = int(os.environ.get("SMPPGATE_SEED", 0)) or secrets.randbelow(10**9)

pytestmark = [pytest.mark.road, pytest.mark.prove, pytest.mark.crash, pytest.mark.timeout(120 + 20 * KILLS)]


@pytest.mark.promise("R1", "R2", "R3", "R4", "R5", "M1", "M2", "M3", "M6", "D1", "D2")
async def test_no_acknowledged_message_is_lost_or_paid_twice_whenever_the_server_dies(
    mortal: Road, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(SEED)
    server = mortal.start()
    with capsys.disabled():
        print(f"\nkills: {KILLS}, seed {SEED} (SMPPGATE_KILLS, SMPPGATE_SEED)")
    load = Load(server, accounts(server, "500"), chance)
    recoveries, begun = [0.0], time.monotonic()
    for _ in range(KILLS):
        work = asyncio.create_task(load.run_for(60))
        await asyncio.sleep(chance.uniform(0.1, 1.2))  # the instant of death is what is random here
        await asyncio.to_thread(server.kill)
        await work
        await load.hang_up()
        verdict = await reconciled(server.data, load, ended=False)
        assert not verdict.faults, verdict
        if chance.random() < 0.25:
            await asyncio.to_thread(stillborn, server, chance.uniform(0.0, 2.0))
        recoveries.append(await asyncio.to_thread(started, server))
    await asyncio.to_thread(server.kill)
    verdict = await load.come_to_an_end()
    told_again = sum(customer.again() for customer in load.customers.values())
    with capsys.disabled():
        print(
            f"kills: {KILLS} in {time.monotonic() - begun:.0f} s; {verdict}; {told_again} receipts told again,"
            f" {len(load.operator.requests)} top-ups and transfers, slowest restart {max(recoveries):.1f} s"
        )
    assert not verdict.faults, verdict
    assert verdict.seen["acknowledged"] > KILLS
    record("kill -9", [verdict], f"{KILLS} kills")


def stillborn(server: Road, seconds: float) -> None:
    """Start it and kill it before it is up, or just then."""
    process = server.launch()
    time.sleep(seconds)
    process.kill()
    process.wait()


def started(server: Road) -> float:
    begun = time.monotonic()
    server.start()
    return time.monotonic() - begun


@pytest.mark.promise("A5", "R4", "M2", "D2")
async def test_a_server_that_is_told_to_stop_answers_all_it_has_taken_and_forgets_nothing(
    mortal: Road, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(SEED)
    server = mortal.start()
    with capsys.disabled():
        print(f"\nstops: {STOPS}, seed {SEED}")
    load = Load(server, accounts(server, "500"), chance)
    slowest = 0.0
    for _ in range(STOPS):
        work = asyncio.create_task(load.run_for(60))
        await asyncio.sleep(chance.uniform(0.1, 1.5))
        begun = time.monotonic()
        stopping = asyncio.create_task(asyncio.to_thread(server.stop))  # exit code 0, or it complains
        await work
        await stopping
        slowest = max(slowest, time.monotonic() - begun)
        await load.hang_up()
        verdict = await reconciled(server.data, load, ended=False)
        assert not verdict.faults, verdict
        assert not verdict.seen["unanswered_stored"], verdict
        await asyncio.to_thread(server.start)
    await asyncio.to_thread(server.stop)
    verdict = await load.come_to_an_end()
    with capsys.disabled():
        print(f"stops: {STOPS}; {verdict}; slowest stop {slowest:.1f} s")
    assert not verdict.faults, verdict
    assert slowest < 15
    record("SIGTERM", [verdict], f"{STOPS} stops, the slowest {slowest:.1f} s")
