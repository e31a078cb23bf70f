"""An operator who changes what accounts may do, books and moves credit, hangs up on binds, and brings in messages.

Invariant: what was asked for is noted before it is asked, and confirmed only when the gateway has said so.
"""

from __future__ import annotations

import asyncio
import contextlib
from random import Random
from typing import Any

from gateway.app import Gateway
from pdu.bodies import DELIVER_SM_BODY, address
from store.protocol import Insufficient, StoreError

from .books import AWAY, CREDIT, Books, Customer, Order
from .clock import Died, Life, Loop

CHANGES: tuple[dict[str, Any], ...] = (
    {"addresses": []},
    {"addresses": [AWAY]},
    {"senders": ["ACME"]},
    {"window": 1},
    {"window": 50},
    {"throughput": 3},
    {"max_binds": 1},
    {"delivery_window": 1},
    {"bind_types": ["transceiver"]},
    {"session_limit": 3},
    {"response_timeout": 1},
    {"commands": ["query_sm"]},
    {"max_validity": 5},
)


class Operator:
    """`running` is the gateway as it is now."""

    def __init__(self, books: Books, loop: Loop, chance: Random) -> None:
        self.running: tuple[Life, Gateway] | None = None
        self._books, self._loop, self._chance = books, loop, chance
        self._requests = self._texts = 0

    async def live(self, until: float, busy: float) -> None:
        """`busy`: seconds between two ideas, about."""
        while self._loop.time() < until:
            await asyncio.sleep(self._chance.uniform(0, 2 * busy))
            if self.running is not None and self._loop.time() < until:
                await self._act(self._chance.choice(self._books.customers))

    async def _act(self, customer: Customer) -> None:
        act = self._chance.random()
        if act < 0.35:
            changes = self._chance.choice(CHANGES)
            await self.change(customer, {**customer.settings, **changes}, enabled=True)
            await asyncio.sleep(self._chance.uniform(0, 6))
            await self.restore(customer)
        elif act < 0.42:
            await self.change(customer, customer.settings, enabled=False)
            await asyncio.sleep(self._chance.uniform(0, 4))
            await self.restore(customer)
        elif act < 0.62:
            await self._order(Order(self._request(), None, customer.number, self._chance.randint(1, 20) * CREDIT))
        elif act < 0.75:
            other = self._chance.choice(self._books.customers)
            if other is not customer:
                amount = self._chance.randint(1, 20) * CREDIT
                await self._order(Order(self._request(), customer.number, other.number, amount))
        elif act < 0.85:
            await self._kick()
        else:
            await self._bring_in(customer)

    def _request(self) -> str:
        self._requests += 1
        return f"request {self._requests}"

    # -- settings ----------------------------------------------------------------------------------------------
    async def change(self, customer: Customer, settings: dict[str, Any], enabled: bool) -> bool:
        """-> whether it is in force now."""
        if self.running is None:
            return False
        life, gateway = self.running
        terms = customer.asked_for(self._loop.time(), settings, enabled)

        async def work() -> None:
            await gateway.store.change_account(customer.number, settings=settings, enabled=enabled)
            await gateway.accounts.refresh()

        try:
            await life.do(work())
        except (StoreError, Died):
            return False
        customer.confirmed(self._loop.time(), terms)
        return True

    async def restore(self, customer: Customer) -> None:
        """Tried until it is so."""
        while not await self.change(customer, customer.settings, enabled=True):
            await asyncio.sleep(0.5)

    # -- credit ------------------------------------------------------------------------------------------------
    async def _order(self, order: Order) -> None:
        """Sent again and again until somebody confirms it, and once more now and then."""
        self._books.orders.append(order)
        for _ in range(6):
            if await self._tell(order) and self._chance.random() < 0.7:
                return
            await asyncio.sleep(self._chance.uniform(0, 1))

    async def _tell(self, order: Order) -> bool:
        if self.running is None:
            return False
        life, gateway = self.running
        at, store = int(self._loop.wall() * 1000), gateway.store

        async def work() -> None:
            if order.source is None:
                await store.post(order.target, "topup", order.amount, at, order.request)
            else:
                await store.transfer(order.source, order.target, order.amount, at, order.request)

        try:
            await life.do(work())
        except Insufficient:
            return True
        except (StoreError, Died):
            return False
        order.done = True
        return True

    # -- the rest ----------------------------------------------------------------------------------------------
    async def _kick(self) -> None:
        assert self.running is not None
        life, gateway = self.running

        async def work() -> None:
            if gateway.server.links:
                gateway.kick(self._chance.choice(list(gateway.server.links)))

        with contextlib.suppress(Died):
            await life.do(work())

    async def _bring_in(self, customer: Customer) -> None:
        """A message for the customer."""
        assert self.running is not None
        life, gateway = self.running
        self._texts += 1
        text = b"mo%05d to you" % self._texts
        body = bytearray(
            DELIVER_SM_BODY.encode(
                DELIVER_SM_BODY.build(
                    source=address(1, 1, b"48600999999"), destination=address(5, 0, b"ACME"), short_message=text
                )
            )
        )

        async def work() -> int:
            (id_,) = gateway.minter.mint(1, gateway.wall_ms())
            customer.perhaps_incoming[id_] = text
            await gateway.store.note_incoming(customer.number, [(id_, body)])
            gateway.wake(customer.number)
            return id_

        with contextlib.suppress(StoreError, Died):
            customer.incoming[await life.do(work())] = text
