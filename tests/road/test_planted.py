"""Mistakes are planted into the server, and the crash suite must find each: one that never finds any proves nothing."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.road.ordeal import Load, Verdict, accounts, reconciled
from tests.road.running import Road
from tests.road.test_crash import SEED
from tests.road.test_power import cuts, recorded

pytestmark = [pytest.mark.road, pytest.mark.prove, pytest.mark.crash, pytest.mark.timeout(300)]
ROUNDS = 10


async def killed(server: Road, mistake: str, rounds: int) -> tuple[Load, list[Verdict]]:
    """Killed under load until something is found."""
    server.program = ("tests.road.planted", mistake)
    await asyncio.to_thread(server.start)
    load = Load(server, accounts(server, "500"), random.Random(SEED))
    verdicts: list[Verdict] = []
    while len(verdicts) < rounds and not any(verdict.faults for verdict in verdicts):
        work = asyncio.create_task(load.run_for(60))
        await asyncio.sleep(0.4)
        await asyncio.to_thread(server.kill)
        await work
        await load.hang_up()
        verdicts.append(await reconciled(server.data, load, ended=False))
        await asyncio.to_thread(server.start)
    await asyncio.to_thread(server.kill)
    return load, verdicts


async def test_an_answer_before_its_commit_is_found(mortal: Road) -> None:
    _load, verdicts = await killed(mortal, "answered-early", ROUNDS)
    assert verdicts[-1].faults.get("lost"), verdicts[-1]


async def test_a_debit_repeated_at_a_start_is_found(mortal: Road) -> None:
    _load, verdicts = await killed(mortal, "charged-again", ROUNDS)
    assert verdicts[-1].faults.keys() >= {"unpaid", "audit"}, verdicts[-1]


async def test_receipts_dropped_at_a_start_are_found(mortal: Road) -> None:
    load, verdicts = await killed(mortal, "receipts-forgotten", ROUNDS)  # not at each of them is a receipt owed
    assert not verdicts[-1].faults, verdicts[-1]  # they are missed in the end
    verdict = await load.come_to_an_end(patience=3)
    assert verdict.faults.keys() == {"receipts_missing"}, verdict


async def test_a_commit_that_is_not_synced_is_found(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    server, load = await recorded(tmp_path, "not-synced,small-wal", chance, 1.5)
    verdicts = await cuts(server, load, 10, chance)
    assert any("lost" in verdict.faults for verdict in verdicts), list(map(str, verdicts))
