"""kill -9 at random instants under load, then the books: what was acknowledged is there, paid once, and told once."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
from http.client import HTTPException
from pathlib import Path

import pytest

from gateway.admin.shapes import exported_line, exported_message
from store import open_store
from tests.conftest import PROFILE
from tests.road.books import Customer, Findings
from tests.road.client import Esme, bound, until
from tests.road.desk import Refused
from tests.road.running import Road
from tests.road.traffic import Traffic
from tests.server import Login

KILLS = int(os.environ.get("SMPPGATE_KILLS", 0)) or (50 if PROFILE == "prove" else 8)
SEED = int(os.environ.get("SMPPGATE_SEED", 0)) or secrets.randbelow(10**9)
CLIENTS = 3  # of each account
CREDITS = 1_000_000

pytestmark = [pytest.mark.road, pytest.mark.prove, pytest.mark.timeout(120 + 20 * KILLS)]


class Load:
    """Two accounts, some binds each, everything by chance; and top-ups."""

    def __init__(self, server: Road, chance: random.Random) -> None:
        self._server = server
        self.logins: dict[str, Login] = {
            refund: server.desk.account(
                f"crash-{refund}", refund=refund, credits=CREDITS, max_binds=10, window=20, delivery_window=50
            )
            for refund in ("unsent", "undelivered")
        }
        self.customers = {refund: Customer(refund) for refund in self.logins}
        self._traffic = {refund: Traffic(customer, chance) for refund, customer in self.customers.items()}
        self.top_ups = 0
        self._unsure: int | None = None  # the top-up that nobody answered yet
        self.clients: list[tuple[str, Esme]] = []

    async def connect(self) -> None:
        self.clients = [
            (refund, await bound(self._server.port, login))
            for refund, login in self.logins.items()
            for _ in range(CLIENTS)
        ]

    async def run(self, seconds: float) -> None:
        """Until the server is dead or the time is over."""
        deadline = time.monotonic() + seconds

        def going_on() -> bool:
            return time.monotonic() < deadline

        work = [self._traffic[refund].run(client, going_on) for refund, client in self.clients]
        await asyncio.gather(*work, self._top_up(deadline))

    async def hang_up(self) -> None:
        """Note what came, and forget the connections."""
        for refund, client in self.clients:
            client.abort()
            await client.gone()
            assert not client.strays, client.strays
            self.customers[refund].received(client.receipts)
        self.clients = []

    async def _top_up(self, deadline: float) -> None:
        """A credit now and then; what was not answered is sent again, under the same request id."""
        login = self.logins["unsent"]
        while time.monotonic() < deadline:
            number = self.top_ups if self._unsure is None else self._unsure
            self._unsure = number
            try:
                await asyncio.to_thread(self._server.desk.top_up, login, 1, f"top-up {number}")
            except (OSError, HTTPException, ValueError, Refused):  # it died before, in or after its answer
                return
            self._unsure, self.top_ups = None, number + 1
            await asyncio.sleep(0.02)


async def examined(folder: Path, load: Load, ended: bool) -> list[Findings]:
    """The dead server's store, opened by somebody else: the audit, and each customer's story."""
    findings = []
    async with open_store(folder) as store:
        assert await store.audit() == []
        assert await store.imbalance() == 0
        if ended:
            assert await store.check() == []
        for account in await store.accounts():
            customer = load.customers[account.settings["refund"]]
            whole = await store.export(account.id)
            export = {
                "messages": [exported_message(row, "gsm") for row in whole.messages],
                "ledger": [exported_line(row) for row in whole.ledger],
            }
            findings.append(customer.compare(export, ended))
            topped = [line.amount for line in whole.ledger if line.kind == "topup"]
            if customer.refund == "unsent":  # the one that is topped up; the last one may be there, unanswered
                assert len(topped) - 1 in (load.top_ups, load.top_ups + (not ended)), (topped, load.top_ups)
            assert sum(line.amount for line in whole.ledger) == whole.account.balance
    return findings


@pytest.mark.promise("R1", "R2", "R3", "R4", "R5", "M1", "M2", "M3", "M6", "D1", "D2")
async def test_no_acknowledged_message_is_lost_or_paid_twice_whenever_the_server_dies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(SEED)
    server = Road(tmp_path, delay="0.2s", LOG__LEVEL="warning")
    with capsys.disabled():
        print(f"\nkills: {KILLS}, seed {SEED} (SMPPGATE_KILLS, SMPPGATE_SEED)")
    recoveries = []
    begun = time.monotonic()
    async with server:
        load = Load(server, chance)
        for _ in range(KILLS):
            await load.connect()
            work = asyncio.create_task(load.run(60))
            await asyncio.sleep(chance.uniform(0.1, 1.2))  # the instant of death is what is random here
            await asyncio.to_thread(server.kill)
            await work
            await load.hang_up()
            for found in await examined(server.data, load, ended=False):
                assert not found.faults(), found
            if chance.random() < 0.25:
                await asyncio.to_thread(stillborn, server, chance.uniform(0.0, 2.0))
            recoveries.append(await asyncio.to_thread(started, server))
        await load.connect()
        await load.run(0.2)  # also books a top-up that is in doubt
        await collect(load)
        await load.hang_up()
    findings = await examined(server.data, load, ended=True)
    with capsys.disabled():
        print(summary(findings, load, recoveries, time.monotonic() - begun))
    for found in findings:
        assert not found.faults(), found
        assert found.acknowledged > KILLS


async def collect(load: Load) -> None:
    """Bound again, until every receipt that is owed has come."""

    def missing() -> int:
        for refund, client in load.clients:
            load.customers[refund].received(client.receipts)
            client.receipts.clear()
        return sum(len(customer.awaited()) for customer in load.customers.values())

    await until("every receipt has arrived", lambda: not missing(), patience=30)


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


def summary(findings: list[Findings], load: Load, recoveries: list[float], seconds: float) -> str:
    total = {name: sum(getattr(found, name) for found in findings) for name in Findings._fields}
    receipts = sum(len(customer.receipts) for customer in load.customers.values())
    again = sum(customer.again() for customer in load.customers.values())
    return (
        f"kills: {KILLS} in {seconds:.0f} s; {total['acknowledged']} acknowledged, {total['lost']} lost,"
        f" {total['doubled']} stored or charged twice, {total['unpaid']} charged and missing,"
        f" {total['unanswered']} unanswered ({total['unanswered_stored']} of them stored);"
        f" {receipts} receipts, {total['receipts_missing']} missing, {total['receipts_wrong']} contradictory,"
        f" {again} told again; {load.top_ups} top-ups; slowest restart {max(recoveries):.1f} s"
    )
