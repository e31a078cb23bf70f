"""A store with very many messages of every kind, and somebody who looks at all of it over HTTP."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from bench import filling
from bench.account import PRICE, Customer
from gateway.archive import addresses, received_addresses
from gateway.ids import id_at
from pdu.bodies import DELIVER_SM_BODY, SUBMIT_SM_BODY, address
from store.protocol import Batch, Outcome, RefusalRow, Store
from store.sqlite import open_store
from tests.road.running import Road
from tests.server import HOST, Login

MONTH = 30 * 86_400.0
UNDELIVERABLE, REJECTED = 5, 8
RARE_SENDER, RARE_NUMBER = "MAPLE", "48600100299"
PATIENCE = 30.0


def fill(folder: Path, login: Login, messages: int) -> None:
    """A month of delivered messages, and a handful of each other kind, among the oldest; all in the index."""
    filling.fill(folder, Customer(login.name, login.system_id), messages, MONTH, owed=False)
    asyncio.run(more(folder, login, messages))


async def more(folder: Path, login: Login, messages: int) -> None:
    clock = filling.Moment(time.time() - MONTH - 3600)
    async with open_store(folder, now=clock) as store:
        account = next(row.id for row in await store.accounts() if row.system_id == login.system_id)
        first = id_at(int(clock.at * 1000))
        rows = [(first + place, PRICE, rare()) for place in range(100)]
        await store.accept(Batch(account, rows, PRICE * len(rows)), store)
        ids = [row[0] for row in rows]
        await store.settle([Outcome(account, UNDELIVERABLE, 9, False, ids[:90], [])])
        await store.settle([Outcome(account, REJECTED, 53, False, ids[90:], [])])
        await received(store, account, first + 1_000, messages // 10)
        for _ in range(100):
            rows_ = [RefusalRow(int(clock.at * 1000), account, "message", "throttled", destination="44")] * 100
            await store.refuse(rows_)
        while await store.history.enter(addresses) or await store.inbox.enter(received_addresses):
            pass
        while await store.statement.add_up():
            pass


def rare() -> bytearray:
    source, destination = address(5, 0, RARE_SENDER.encode()), address(1, 1, RARE_NUMBER.encode())
    return bytearray(
        SUBMIT_SM_BODY.encode(SUBMIT_SM_BODY.build(source=source, destination=destination, short_message=b"rare"))
    )


async def received(store: Store, account: int, first: int, number: int) -> None:
    for start in range(0, number, filling.GROUP):
        numbers = range(start, min(start + filling.GROUP, number))
        rows = [(first + at, bytearray(DELIVER_SM_BODY.encode(reply(at)))) for at in numbers]
        await store.note_incoming(account, rows)
        await store.acknowledge(account, [row[0] for row in rows])


def reply(number: int) -> Any:
    source = address(1, 1, f"4860{number:07d}".encode())
    return DELIVER_SM_BODY.build(source=source, destination=address(5, 0, b"ACME"), short_message=b"yes")


class Seen(NamedTuple):
    status: int
    seconds: float
    body: bytes


class Visitor:
    """An operator with a token, one request after the other."""

    def __init__(self, server: Road) -> None:
        made = server.desk.ask("POST", "people", body={"email": "eve@example.com", "operator": True, "shown": True})
        scopes = ["read", "settings", "credits", "send", "operate"]
        token = server.desk.ask("POST", "people", made["id"], "tokens", body={"name": "test", "scopes": scopes})
        self._headers = {"Authorization": f"Bearer {token['token']}", "Content-Type": "application/json"}
        self._port = server.web_port

    def ask(self, path: str, method: str = "GET", body: object = None) -> Seen:
        octets = None if body is None else json.dumps(body)
        began = time.perf_counter()
        with closing(http.client.HTTPConnection(HOST, self._port, timeout=PATIENCE)) as connection:
            connection.request(method, path, octets, self._headers)
            answer = connection.getresponse()
            found = answer.read()
        return Seen(answer.status, time.perf_counter() - began, found)

    def get(self, path: str) -> Any:
        seen = self.ask(path)
        assert seen.status == 200, (path, seen)
        return json.loads(seen.body)
