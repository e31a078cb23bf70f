"""Power cuts: a server's writes and syncs are recorded under load; what a cut would have left is put together, opened,
and held against what everybody had seen by then."""

from __future__ import annotations

import os
import random
import secrets
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import PROFILE
from tests.road.ordeal import Load, Verdict, accounts, reconciled, record
from tests.road.power import FATES, Disk, Recorded, put, records, syncs

IMAGES = int(os.environ.get("SMPPGATE_IMAGES", 0)) or (60 if PROFILE == "prove" else 10)
SECONDS = 6.0 if PROFILE == "prove" else 2.0  # of load in each of two lives
SEED = int(os.environ.get("SMPPGATE_SEED", 0)) or secrets.randbelow(10**9)
WAYS = tuple(FATES)

pytestmark = [pytest.mark.road, pytest.mark.prove, pytest.mark.crash, pytest.mark.timeout(120 + 10 * IMAGES)]


async def recorded(folder: Path, mistakes: str, chance: random.Random, seconds: float) -> tuple[Recorded, Load]:
    """Made, used, stopped, and used again."""
    server = Recorded(folder, delay="0.2s", LOG__LEVEL="warning")
    server.program = ("tests.road.planted", mistakes)
    async with server:
        load = Load(server, accounts(server, "500"), chance)
        await load.run_for(seconds)
        await load.hang_up()
    async with server:
        await load.run_for(seconds)
        await load.hang_up()
    return server, load


async def cuts(server: Recorded, load: Load, number: int, chance: random.Random) -> list[Verdict]:
    """Cut the power so many times, each between two syncs, and look at what is left."""
    done = syncs(server.recording)
    chosen = chance.sample(range(len(done) - 1), number)
    at = {chance.randint(done[one][0], done[one + 1][0] - 1): done[one + 1][1] for one in chosen}
    disk, verdicts, image = Disk(), list[Verdict](), server.folder / "image"
    for place, each in enumerate(records(server.recording)):
        disk.follow(each)
        if (moment := at.get(place)) is not None:
            put(disk.cut(chance, WAYS[len(verdicts) % len(WAYS)]), image)
            verdicts.append(await reconciled(image, load.known_at(moment), ended=False))
            shutil.rmtree(image)
    found = {file.name: file.read_bytes() for file in server.data.iterdir() if file.is_file()}
    assert disk.now() == found, "the recording is not all that was written"
    return verdicts


@pytest.mark.promise("R1", "R3", "R5", "R8", "M1", "M2", "M3", "M6", "D2")
async def test_a_power_cut_takes_nothing_that_anybody_was_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(SEED)
    server, load = await recorded(tmp_path, "small-wal", chance, SECONDS)
    verdicts = await cuts(server, load, IMAGES, chance)
    seen = Counter[str]()
    for verdict in verdicts:
        seen.update(verdict.seen)
    with capsys.disabled():
        print(
            f"\npower cuts: {IMAGES}, between {len(syncs(server.recording))} syncs,"
            f" seed {SEED} (SMPPGATE_IMAGES, SMPPGATE_SEED);"
            f" {seen['acknowledged']} acknowledged until then, {seen['lost']} lost"
        )
    assert [str(verdict) for verdict in verdicts if verdict.faults] == []
    assert seen["acknowledged"] > 100 * IMAGES
    record("power cuts", verdicts, f"{IMAGES} images")
