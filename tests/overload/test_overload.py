"""Too much is refused or waits; what would have been done is done all the same, and the others hardly notice."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.promises import HOUSE, note
from tests.road.running import Road
from tests.server import Login

pytestmark = [pytest.mark.road, pytest.mark.prove, pytest.mark.alone, pytest.mark.timeout(1800)]
RATE = 200  # parts a second of the account that sends ten times as many
ROUNDS = 5  # a disk that others use too stands still now and then


@pytest.fixture
async def road(tmp_path: Path) -> AsyncIterator[Road]:
    async with Road(tmp_path, delay="1s", LOG__LEVEL="warning") as server:
        yield server


def sender(login: Login, window: int, rate: float = 0) -> dict[str, Any]:
    return {"system_id": login.system_id, "password": login.password, "window": window, "rate": rate}


async def sent(server: Road, seconds: float, *senders: dict[str, Any]) -> list[dict[str, Any]]:
    """What became of these, all at once, for so long; in a process of their own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.overload.generator", cwd=HOUSE,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    asked = json.dumps({"port": server.port, "seconds": seconds, "senders": senders}).encode()
    out, _ = await process.communicate(asked)
    assert process.returncode == 0
    told: list[dict[str, Any]] = json.loads(out)
    return told


@pytest.mark.promise("A8")
async def test_an_account_at_ten_times_its_rate_gets_its_rate_and_the_others_notice_little(
    road: Road, effort: Callable[[int, int], int], capsys: pytest.CaptureFixture[str]
) -> None:
    seconds, slack = effort(2, 20), effort(20, 3) / 1000
    greedy = road.desk.account("greedy", credits=10**7, throughput=RATE, window=100)
    quiet = sender(road.desk.account("quiet", credits=10**7), window=1, rate=50)
    alone, beside, goodput, offered = list[float](), list[float](), 0, 0
    for _ in range(ROUNDS):
        (told,) = await sent(road, seconds, quiet)
        alone.append(told["p99"])
        loud = asyncio.create_task(sent(road, seconds + 1, sender(greedy, window=1000, rate=10 * RATE)))
        await asyncio.sleep(0.5)
        (told,) = await sent(road, seconds, quiet)
        beside.append(told["p99"])
        ((told),) = await loud
        goodput += told["accepted"]
        offered += told["accepted"] + told["refused"]
    p99 = statistics.median(alone), statistics.median(beside)
    share = goodput / (ROUNDS * (seconds + 1) * RATE)
    said = f"p99 of others {1000 * p99[0]:.1f} ms alone, {1000 * p99[1]:.1f} ms beside; {share:.0%} of the rate taken"
    with capsys.disabled():
        print(f"\noverload: ten times the rate ({offered:,} offered): {said}", end="")
    note("A8", "ten times the rate", said)
    assert offered > 5 * goodput
    assert 0.8 <= share <= 1.0 + RATE / (RATE * (seconds + 1)) + 0.05  # each round may begin with a burst
    assert p99[1] <= 2 * p99[0] + slack, (alone, beside)
    road.desk.audited()


@pytest.mark.promise("A8")
async def test_twice_what_the_machine_can_do_leaves_four_fifths_of_it_done(
    road: Road, effort: Callable[[int, int], int], capsys: pytest.CaptureFixture[str]
) -> None:
    number, seconds = effort(20, 100), effort(3, 30)
    logins = [road.desk.account(f"many{n}", credits=10**7, window=50) for n in range(number)]
    before = await sent(road, seconds, *[sender(login, window=50) for login in logins])
    capacity = sum(told["accepted"] for told in before) / seconds
    over = await sent(road, seconds, *[sender(login, 500, 2 * capacity / number) for login in logins])
    goodput = sum(told["accepted"] for told in over) / seconds
    least = min(told["accepted"] for told in over) * number / (goodput * seconds)
    after = await sent(road, 2, sender(logins[0], window=1, rate=50))
    said = (
        f"{number} accounts: {capacity:,.0f} a second at capacity, {goodput:,.0f} at twice as many;"
        f" the last gets {least:.0%} of an equal share"
    )
    with capsys.disabled():
        print(f"\noverload: {said}; p99 afterwards {1000 * after[0]['p99']:.1f} ms", end="")
    note("A8", "twice the capacity", said)
    assert goodput >= effort(60, 80) / 100 * capacity
    assert least > 0.5
    road.desk.audited()
