"""Load that goes on while its server dies and comes back, and afterwards the books of everybody who took part.

Invariant: what customers and the operator saw is remembered here, outside the server; `reconciled` opens the store of a
server that has ended and counts what does not agree with it. Knows neither how the server dies nor why.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from http.client import HTTPException
from math import inf
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from gateway.admin.shapes import exported_line, exported_message
from store import open_store
from store.protocol import AccountRow, LedgerLine, Store
from tests.promises import note
from tests.road.books import COUNTED, Customer, Findings
from tests.road.client import Esme, bound, until
from tests.road.desk import Refused
from tests.road.running import Road
from tests.road.traffic import Traffic
from tests.server import Login

CLIENTS = {"unsent": 3, "undelivered": 3, "never": 1}
"""Binds of each account, which is named after what comes back to it. The last one uses its credit up and is given more
by itself."""
CREDITS = 1_000_000
PLAN = "ordeal"
UNIT = 10_000  # of a credit
Going = Callable[[], bool]
Asking = TypeVar("Asking", "Request", "Plan")


def accounts(server: Road, topup: str) -> dict[str, Login]:
    """`topup`: the credit that the last account gets, and therefore after how many messages it does."""
    limits = {"max_binds": 10, "window": 20, "delivery_window": 50}
    hungry = {"credits": topup, "auto_topup_amount": topup, "auto_topup_at_once": "yes", "auto_topup_per_day": 100}
    return {
        refund: server.desk.account(
            f"crash-{refund}", refund=refund, **limits, **(hungry if refund == "never" else {"credits": CREDITS})
        )
        for refund in CLIENTS
    }


# -- the operator ------------------------------------------------------------------------------------------------------
class Request:
    """Money to be moved by hand; once, however often it is asked for."""

    def __init__(self, source: str, target: str | None) -> None:
        self.source, self.target = source, target  # None: a top-up
        self.asked_at, self.answered_at = time.monotonic(), inf

    def lines(self) -> set[tuple[str, str, int]]:
        """What it leaves in the ledger: account, kind and amount."""
        if self.target is None:
            return {(self.source, "topup", UNIT)}
        return {(self.source, "transfer_out", -UNIT), (self.target, "transfer_in", UNIT)}


class Plan:
    """Prices that were asked for."""

    def __init__(self, prices: dict[str, str]) -> None:
        self.prices = prices
        self.asked_at, self.answered_at = time.monotonic(), inf


class Operator:
    """Moves credit and changes prices now and then. What was not answered is asked again with the same request id."""

    def __init__(self, server: Road, logins: Mapping[str, Login], chance: random.Random) -> None:
        self._desk, self._logins, self._chance = server.desk, logins, chance
        self.requests: dict[str, Request] = {}
        self.unsure: str | None = None  # the request that nobody answered yet
        self.plans: list[Plan] = []

    async def run(self, going_on: Going) -> None:
        while going_on() or self.unsure:
            try:
                await asyncio.to_thread(self._turn)
            except (OSError, HTTPException, ValueError, Refused):  # before, in or after its answer
                if not going_on():
                    return
            await asyncio.sleep(0.02)

    def _turn(self) -> None:
        if self.unsure is not None or self._chance.random() < 0.7:
            self._move()
        else:
            self._price()

    def _move(self) -> None:
        if self.unsure is None:
            self.unsure = f"request {len(self.requests)}"
            self.requests[self.unsure] = Request("unsent", self._chance.choice((None, "undelivered")))
        request = self.requests[self.unsure]
        source = self._logins[request.source]
        if request.target is None:
            self._desk.top_up(source, 1, self.unsure)
        else:
            to = self._logins[request.target].name
            body = {"smsAccountTarget": to, "credits": 1, "request_id": self.unsure}
            self._desk.ask("POST", "accounts", source.name, "transferCredits", body=body)
        request.answered_at, self.unsure = time.monotonic(), None

    def _price(self) -> None:
        prefix = str(self._chance.randrange(4800, 4900))
        plan = Plan({"": "1", prefix: "0.5"})
        self.plans.append(plan)
        self._desk.prices(PLAN, **{"rest": "1", f"n{prefix}": "0.5"})
        plan.answered_at = time.monotonic()

    def at(self, moment: float) -> Operator:
        """The same operator, knowing what was known then."""
        known = copy(self)
        known.requests = {id_: at(one, moment) for id_, one in self.requests.items() if one.asked_at < moment}
        known.plans = [at(plan, moment) for plan in self.plans if plan.asked_at < moment]
        return known

    def wrong(self, lines: Mapping[str, Sequence[LedgerLine]], plan: Mapping[str, int]) -> dict[str, int]:
        """Against the ledgers, by account, and the price plan."""
        found = Counter(
            (line.request_id, (name, line.kind, line.amount))
            for name, of_account in lines.items()
            for line in of_account
            if line.request_id
        )
        lost = parts = 0
        for id_, request in self.requests.items():
            there = [(id_, line) in found for line in request.lines()]
            lost += request.answered_at < inf and not all(there)
            parts += any(there) and not all(there)
        asked = {(id_, line) for id_, request in self.requests.items() for line in request.lines()}
        prices = {prefix: f"{price / UNIT:g}" for prefix, price in plan.items()}
        return {
            "requests_lost": lost,
            "requests_in_part": parts,
            "requests_doubled": sum(found.values()) - len(found) + len(found.keys() - asked),
            "prices_mixed": int(prices not in self._in_force()),
        }

    def _in_force(self) -> list[dict[str, str]]:
        """Prices that may be: the last that were answered, or later ones that were not."""
        last = max((number for number, plan in enumerate(self.plans) if plan.answered_at < inf), default=-1)
        return [plan.prices for plan in self.plans[max(last, 0) :]] + ([{}] if last < 0 else [])


def at(asked: Asking, moment: float) -> Asking:
    known = copy(asked)
    if known.answered_at >= moment:
        known.answered_at = inf
    return known


# -- everybody ---------------------------------------------------------------------------------------------------------
class Load:
    """Three accounts, some binds each, everything by chance; and the operator."""

    def __init__(self, server: Road, logins: Mapping[str, Login], chance: random.Random) -> None:
        self.server, self.logins = server, logins
        self.customers = {refund: Customer(refund) for refund in logins}
        self._traffic = {refund: Traffic(customer, chance) for refund, customer in self.customers.items()}
        self.operator = Operator(server, logins, chance)
        self.clients: list[tuple[str, Esme]] = []

    def known_at(self, moment: float) -> Load:
        """With everybody knowing what they knew then."""
        known = copy(self)
        known.customers = {refund: customer.at(moment) for refund, customer in self.customers.items()}
        known.operator = self.operator.at(moment)
        return known

    def alive(self) -> bool:
        process = self.server.process
        return process is not None and process.poll() is None

    async def run(self, going_on: Going) -> None:
        """While wanted and as long as the server lives. The connections stay."""

        def on() -> bool:
            return going_on() and self.alive()

        clients = [self._client(refund, on) for refund, number in CLIENTS.items() for _ in range(number)]
        await asyncio.gather(*clients, self.operator.run(on))

    async def run_for(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        await self.run(lambda: time.monotonic() < deadline)

    async def _client(self, refund: str, on: Going) -> None:
        """One that comes again when it is hung up on."""
        while on():
            try:
                client = await bound(self.server.port, self.logins[refund])
            except (OSError, AssertionError, TimeoutError):  # not now
                await asyncio.sleep(0.05)
                continue
            self.clients.append((refund, client))
            await self._traffic[refund].run(client, on)

    def note(self) -> None:
        """What has come until now."""
        for refund, client in self.clients:
            assert not client.strays, client.strays
            self.customers[refund].received(client.receipts)
            client.receipts.clear()

    async def hang_up(self) -> None:
        for _refund, client in self.clients:
            client.abort()
            await client.gone()
        self.note()
        self.clients = []

    async def collect(self, patience: float = 30) -> None:
        """Once more, until all has ended and every receipt that is owed has come, or nobody has the patience."""
        await self.run_for(0.2)  # also asks for what the operator is not sure of

        def complete() -> bool:
            self.note()
            return not any(customer.awaited() for customer in self.customers.values())

        deadline = time.monotonic() + patience
        while await asyncio.to_thread(self._under_way) and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        with suppress(AssertionError):  # what is missing is counted
            await until("every receipt has arrived", complete, patience)

    def _under_way(self) -> bool:
        ask = self.server.desk.ask
        return any(
            ask("GET", "accounts", login.name, "outgoing", state="under way", limit=1)["items"]
            for login in self.logins.values()
        )

    async def come_to_an_end(self, patience: float = 30) -> Verdict:
        """Start the server as it should be, wait for what is owed, stop it, and look."""
        async with self.server:
            await self.collect(patience)
            await self.hang_up()
        return await reconciled(self.server.data, self, ended=True)


class Verdict(NamedTuple):
    """What was found in a store."""

    faults: dict[str, int]
    said: list[str]
    seen: Counter[str]

    def __str__(self) -> str:
        counted = {name: self.seen[name] for name in Findings._fields}
        return f"{counted}; {self.faults or 'no faults'}; {'; '.join(self.said[:5])}"


async def reconciled(folder: Path, load: Load, ended: bool) -> Verdict:
    """The dead server's store, opened by somebody else. `ended`: by now every message must have, and be told of."""
    seen, faults = Counter[str](), Counter[str]()
    async with open_store(folder) as store:
        said = await store.audit() + (await store.check() if ended else [])
        faults["audit"], faults["wrong_balance"] = len(said), await store.imbalance()
        refunds = {row.id: row.settings["refund"] for row in await store.accounts()}
        lines = {}
        for account in await store.accounts():
            customer = load.customers[refunds[account.id]]
            export, lines[customer.refund] = await exported(store, account)
            seen.update(customer.compare(export, ended)._asdict())
        faults.update(load.operator.wrong(lines, (await store.price_plans()).get(PLAN, {})))
    faults.update({name: number for name, number in seen.items() if name not in COUNTED})
    return Verdict({name: number for name, number in faults.items() if number}, said, seen)


async def exported(store: Store, account: AccountRow) -> tuple[dict[str, Any], list[LedgerLine]]:
    """As an operator's export has it."""
    whole = await store.export(account.id)
    messages = [exported_message(row, "gsm") for row in whole.messages]
    return {"messages": messages, "ledger": [exported_line(row) for row in whole.ledger]}, whole.ledger


# -- what is told ------------------------------------------------------------------------------------------------------
FIGURES = {
    "R1": ("acknowledged", "lost"),
    "R3": ("stored_though_refused",),
    "R4": ("unanswered", "doubled"),
    "R5": ("rewritten",),
    "M1": ("wrong_balance", "audit"),
    "M2": ("doubled", "unpaid"),
    "M6": ("requests_doubled",),
    "D1": ("wrong_ends",),
    "D2": ("receipts_missing", "receipts_wrong"),
}
WORDS = {
    "stored_though_refused": "refused but stored or charged",
    "doubled": "stored or charged twice",
    "rewritten": "lines or final states changed",
    "wrong_balance": "off balance",
    "audit": "findings of the audit",
    "unpaid": "charged without a message",
    "requests_doubled": "top-ups and transfers twice",
    "wrong_ends": "contradictory ends",
    "receipts_missing": "receipts missing",
    "receipts_wrong": "receipts contradictory",
}


def record(what: str, verdicts: Sequence[Verdict], times: str) -> None:
    """A figure for each promise, where figures are wanted."""
    total = Counter[str]()
    for verdict in verdicts:
        total.update({**{name: verdict.seen[name] for name in COUNTED}, **verdict.faults})
    for promise, counted in FIGURES.items():
        note(promise, what, f"{times}, " + ", ".join(f"{total[name]} {WORDS.get(name, name)}" for name in counted))
