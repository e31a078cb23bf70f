"""Everything at once for a while: customers that come and go, an operator who changes what they are allowed, and then
the books are held against what each of them saw."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pdu import codec
from pdu import constants as c
from tests.road.books import Customer
from tests.road.client import Esme, bound, connect, until
from tests.road.desk import Desk
from tests.road.running import Road
from tests.road.traffic import Traffic
from tests.server import HOST, Login

pytestmark = [pytest.mark.road, pytest.mark.timeout(1200)]

SEED = int(os.environ.get("SMPPGATE_SEED", 0)) or secrets.randbelow(10**9)
OPEN: dict[str, Any] = {
    "addresses": [HOST], "senders": ["*"], "window": 20, "throughput": 0, "max_binds": 4, "delivery_window": 20,
    "bind_types": ["transmitter", "receiver", "transceiver"], "response_timeout": 2, "price_plan": "default",
}  # fmt: skip
CHANGES: tuple[dict[str, Any], ...] = (
    {"addresses": []},
    {"senders": ["ACME"]},
    {"window": 1},
    {"window": 200},
    {"throughput": 50},
    {"max_binds": 1},
    {"delivery_window": 1},
    {"bind_types": ["transceiver"]},
    {"price_plan": "dear"},
    {"session_limit": 1},
    {"default_alphabet": "latin1"},
)


class Shop:
    """A customer with its account, and clients that do not always behave."""

    def __init__(self, login: Login, refund: str, chance: random.Random) -> None:
        self.login, self.customer, self._chance = login, Customer(refund), chance
        self._traffic = Traffic(self.customer, chance)

    async def visit(self, port: int) -> None:
        """One session, from a bind that may be refused to an end of one kind or another."""
        enough = time.monotonic() + self._chance.uniform(0.05, 1.0)
        forgetful = self._chance.choice((0.0, 0.0, 0.1))

        def answering(_pdu: codec.Pdu) -> int | None:
            return None if self._chance.random() < forgetful else c.ESME_ROK

        client = await connect(port, answering=answering)
        try:
            if await self._let_in(client):
                await self._traffic.run(client, lambda: time.monotonic() < enough)
                if client.open and self._chance.random() < 0.5:
                    await client.send(c.UNBIND).done
        finally:
            client.abort()
            await client.gone()
            assert not client.strays, client.strays
            self.customer.received(client.receipts)

    async def _let_in(self, client: Esme) -> bool:
        secret: dict[str, Any] = {"system_id": self.login.system_id.encode(), "password": self.login.password.encode()}
        asked = client.send(c.BIND_TRANSCEIVER, **secret)
        await asked.done
        return asked.accepted


async def meddle(desk: Desk, shop: Shop, chance: random.Random) -> None:
    """An operator's day: each change is taken back a moment later."""
    name = shop.login.name
    act = chance.random()
    if act < 0.7:
        await asyncio.to_thread(desk.change, shop.login, **chance.choice(CHANGES))
    elif act < 0.8:
        await asyncio.to_thread(desk.ask, "POST", "accounts", name, "disable")
    elif act < 0.9:
        await asyncio.to_thread(desk.ask, "DELETE", "accounts", name, "binds")
    else:
        await asyncio.to_thread(desk.top_up, shop.login, chance.randint(1, 9))
    await asyncio.sleep(chance.uniform(0, 0.2))
    await restore(desk, shop)


async def restore(desk: Desk, shop: Shop) -> None:
    await asyncio.to_thread(desk.change, shop.login, session_limit=None, default_alphabet=None, **OPEN)
    await asyncio.to_thread(desk.ask, "POST", "accounts", shop.login.name, "enable")


async def test_whatever_customers_and_operators_do_the_books_say_what_happened(
    tmp_path: Path, effort: Callable[[int, int], int], capsys: pytest.CaptureFixture[str]
) -> None:
    seconds, chance = effort(6, 60), random.Random(SEED)
    async with Road(tmp_path, delay="0.1s", LOG__LEVEL="warning") as server:
        server.desk.prices("dear", rest="3.5")
        shops = [
            Shop(server.desk.account(f"soak-{refund}", refund=refund, credits=10**7, **OPEN), refund, chance)
            for refund in ("unsent", "undelivered", "never")
        ]
        deadline = time.monotonic() + seconds

        async def customer(shop: Shop) -> None:
            while time.monotonic() < deadline:
                await shop.visit(server.port)

        async def operator(shop: Shop) -> None:
            while time.monotonic() < deadline:
                await meddle(server.desk, shop, chance)

        await asyncio.gather(*[customer(shop) for shop in shops for _ in range(3)], *[operator(shop) for shop in shops])
        for shop in shops:
            await restore(server.desk, shop)
            await settled(server, shop)
            found = shop.customer.compare(server.desk.export(shop.login), ended=True)
            with capsys.disabled():
                print(f"\nsoak (SMPPGATE_SEED={SEED}): {shop.login.name}: {found.acknowledged} acknowledged,"
                      f" {found.unanswered} unanswered, {shop.customer.again()} receipts told again", end="")
            assert not found.faults(), found
            assert found.acknowledged > 20 * seconds
        server.desk.audited()


async def settled(server: Road, shop: Shop) -> None:
    """Everything has ended, and every receipt that is owed has come."""
    async with await bound(server.port, shop.login) as client:

        def done() -> bool:
            shop.customer.received(client.receipts)
            client.receipts.clear()
            return not shop.customer.awaited()

        await until("every receipt has arrived", done, 30)
        states = ("accepted", "scheduled")

        def ended() -> bool:
            return all(message["state"] not in states for message in server.desk.export(shop.login)["messages"])

        await until("every message has ended", ended, 30)
