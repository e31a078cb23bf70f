"""Mixed load for a long time, with binds coming and going: what the server holds is in the end what it was before.

Three stretches alike: the first fills every cache there is, the second is held against the third.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import signal
import statistics
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pdu import codec
from pdu import constants as c
from tests.promises import note
from tests.road.books import Customer
from tests.road.client import connect, until
from tests.road.running import Road
from tests.road.traffic import Traffic
from tests.server import HOST, Login

pytestmark = [pytest.mark.road, pytest.mark.prove, pytest.mark.alone, pytest.mark.timeout(4000)]
SEED = int(os.environ.get("SMPPGATE_SEED", 0)) or secrets.randbelow(10**9)
MIB = 1 << 20
ACCOUNTS, CLIENTS = 3, 2  # of each
FAMILIAR: dict[str, Any] = {
    "addresses": [HOST], "senders": ["smppgate"], "window": 20, "max_binds": 3, "response_timeout": 2,
    "credits": 10**8, "delivery_window": 20,
}  # fmt: skip


class Counts(NamedTuple):
    """Of the server at rest."""

    types: dict[str, int]
    tasks: int
    files: int

    @property
    def objects(self) -> int:
        return sum(self.types.values())

    def more_than(self, before: Counts) -> str:
        """What there is more of, most first."""
        grown = Counter(self.types)
        grown.subtract(before.types)
        return ", ".join([f"{kind} {number:+}" for kind, number in grown.most_common(12) if number > 0])


class Stretch:
    """One third: the smallest memory of each of its minutes, and what was there when it was over."""

    def __init__(self) -> None:
        self.minima: list[int] = []
        self.messages = 0
        self.counts = Counts({}, 0, 0)


class Crowd:
    """The customers' clients. `pause`: seconds between two batches of one client."""

    def __init__(self, server: Road, logins: list[Login], chance: random.Random) -> None:
        self._server, self._logins, self._chance = server, logins, chance
        self.messages = 0

    async def come_and_go(self, deadline: float, pause: float) -> None:
        async def client(login: Login) -> None:
            while time.monotonic() < deadline:
                await self._visit(login, min(deadline, time.monotonic() + self._chance.uniform(0.2, 8)), pause)
                await asyncio.sleep(self._chance.uniform(0, 0.5))

        await asyncio.gather(*[client(login) for login in self._logins for _ in range(CLIENTS)])

    async def _visit(self, login: Login, enough: float, pause: float) -> None:
        chance, customer = self._chance, Customer("unsent")
        forgetful = chance.choice((0.0, 0.0, 0.02))

        def answering(_pdu: codec.Pdu) -> int | None:
            return None if chance.random() < forgetful else c.ESME_ROK

        client = await connect(self._server.port, answering=answering)
        password = login.password if chance.random() < 0.95 else "guess"
        try:
            answer = await client.ask(
                c.BIND_TRANSCEIVER, system_id=login.system_id.encode(), password=password.encode()
            )
            traffic = Traffic(customer, chance)
            while client.open and answer.status == c.ESME_ROK and time.monotonic() < enough:
                await traffic.run(client, iter((True, False)).__next__)
                await asyncio.sleep(pause)
                client.log.clear()
                client.heard.clear()
                client.receipts.clear()
                client.answers.clear()
            if client.open and chance.random() < 0.5:
                await client.send(c.UNBIND).done
        finally:
            client.abort()
            await client.gone()
            self.messages += len(customer.sent)


async def counted(server: Road, file: Path) -> Counts:
    """When everybody has gone and all that can be done is done."""
    await until("nobody is bound", lambda: not server.desk.binds())
    await asyncio.sleep(3)  # the last receipts are made, figures and refusals are written
    file.unlink(missing_ok=True)
    server.signal(signal.SIGUSR2)
    await until("it has counted", file.exists)
    return Counts(**json.loads(file.read_text()), files=server.files())


async def stretch(crowd: Crowd, server: Road, file: Path, seconds: float, minute: float, pause: float) -> Stretch:
    passed, before = Stretch(), crowd.messages
    deadline = time.monotonic() + seconds
    going = asyncio.create_task(crowd.come_and_go(deadline, pause))
    while time.monotonic() + minute / 2 < deadline:
        least, over = server.memory(), time.monotonic() + minute
        while time.monotonic() < over:
            await asyncio.sleep(minute / 20)
            least = min(least, server.memory())
        passed.minima.append(least)
    await going
    passed.messages = crowd.messages - before
    passed.counts = await counted(server, file)
    return passed


@pytest.mark.promise("A9")
async def test_after_a_long_time_the_server_holds_what_it_held_before(
    tmp_path: Path,
    effort: Callable[[int, int], int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seconds, minute = effort(8, 900), effort(1, 60)
    file = tmp_path / "counts.json"
    server = Road(tmp_path, delay="0.5s", LOG__LEVEL="error")
    server.program = ("tests.overload.counted",)
    monkeypatch.setenv("COUNTS_FILE", str(file))
    async with server:
        logins = [server.desk.account(f"soak{n}", throughput=(0, 400, 50)[n], **FAMILIAR) for n in range(ACCOUNTS)]
        crowd = Crowd(server, logins, random.Random(SEED))
        warm_up = await stretch(crowd, server, file, seconds, minute, pause=0.0)
        first = await stretch(crowd, server, file, seconds, minute, pause=0.2)
        last = await stretch(crowd, server, file, seconds, minute, pause=0.2)
        server.desk.audited()
    grown = statistics.median(last.minima) - statistics.median(first.minima)
    highest = max(last.minima) - max(first.minima)
    said = (
        f"{warm_up.messages + first.messages + last.messages:,} messages in {3 * seconds / 60:.0f} minutes:"
        f" memory {grown / MIB:+.1f} MiB (its highest minute {highest / MIB:+.1f}),"
        f" objects {first.counts.objects:,} then {last.counts.objects:,},"
        f" tasks {first.counts.tasks} then {last.counts.tasks},"
        f" descriptors {first.counts.files} then {last.counts.files}"
    )
    with capsys.disabled():
        print(f"\nsoak (SMPPGATE_SEED={SEED}): {said}", end="")
    note("A9", "soak", said)
    assert grown <= effort(24, 2) * MIB  # the short form ends before the caches of the store are full
    # in the short form what is rare has not happened yet when the first stretch is over
    room = first.counts.objects * 0.02 + effort(100, 0)
    assert last.counts.objects <= first.counts.objects + room, last.counts.more_than(first.counts)
    assert last.counts.tasks <= first.counts.tasks + 2
    assert last.counts.files <= first.counts.files + 2
