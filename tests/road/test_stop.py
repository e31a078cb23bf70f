"""The end and the beginning: a stop loses nothing and says goodbye, and a start that cannot be says why."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.account import PRICE
from bench.filling import GROUP
from pdu import constants as c
from store import open_store
from store.protocol import Batch
from tests.promises import note
from tests.road.client import Asked, Esme, accepted, bound, connect, until
from tests.road.large import fill, rare
from tests.road.running import Road
from tests.server import HOST, PATIENCE, Login

pytestmark = pytest.mark.road

FIRST_BIND = 5.0  # seconds from the start of the process


async def stored(server: Road) -> set[str]:
    """The ids in the store of a server that has ended; its books are right."""
    async with open_store(server.data) as store:
        assert await store.audit() == []
        [account] = await store.accounts()
        return {str(row.wire_id) for row in (await store.export(account.id)).messages}


async def busy(client: Esme, asked: list[Asked]) -> None:
    """Keep asking until the connection ends."""
    while client.open:
        batch = client.submit_many(20, registered_delivery=1)
        asked += batch
        await batch[-1].done


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.promise("A5")
async def test_a_stop_under_load_answers_what_it_accepted_and_says_goodbye(
    tmp_path: Path, number: signal.Signals
) -> None:
    server = Road(tmp_path, delay="0.2s").start()
    login = server.desk.account("busy", max_binds=4, window=30, credits="1000000")
    clients = [await bound(server.port, login) for _ in range(4)]
    asked = [list[Asked]() for _ in clients]
    work = [asyncio.create_task(busy(client, mine)) for client, mine in zip(clients, asked, strict=True)]
    await until("it is busy", lambda: sum(map(len, asked)) > 1000)
    server.signal(number)
    if number == signal.SIGTERM:
        server.signal(number)  # twice is once
    begun = time.monotonic()
    process = server.process
    assert process is not None
    await until("it has ended", lambda: process.poll() is not None, 15)
    assert process.returncode == 0, server.said()
    server.process = None
    assert time.monotonic() - begun < 15
    assert "Traceback" not in server.said(), server.said()
    await asyncio.gather(*work)
    for client in clients:
        assert client.heard_of(c.UNBIND)
    ids = {one.message_id for mine in asked for one in mine if one.accepted}
    assert {one.status for mine in asked for one in mine} <= {c.ESME_ROK, c.ESME_RINVBNDSTS, None}
    assert ids == await stored(server)  # what was stored was answered, too: nothing is in doubt
    async with server:
        client = await bound(server.port, login)
        before = sum(len(client.receipts) for client in clients)
        await until("the rest of the receipts", lambda: before + len(client.receipts) >= len(ids))
        told = {receipt.message_id for one in (*clients, client) for receipt in one.receipts}
        assert told == ids


@pytest.mark.prove
@pytest.mark.promise("A5")
async def test_a_stop_does_not_wait_for_ever_for_clients_that_do_not_answer(tmp_path: Path) -> None:
    server = Road(tmp_path).start()
    login = server.desk.account("mute", max_binds=2)
    mute, deaf = await bound(server.port, login), await bound(server.port, login)
    mute.leaving_politely = False
    deaf.stop_reading()
    begun = time.monotonic()
    await asyncio.to_thread(server.stop)
    assert time.monotonic() - begun < 15
    await mute.gone()


async def test_an_idle_server_stops_at_once(tmp_path: Path) -> None:
    server = Road(tmp_path).start()
    login = server.desk.account("idle")
    client, unbound = await bound(server.port, login), await connect(server.port)
    begun = time.monotonic()
    await asyncio.to_thread(server.stop)
    assert time.monotonic() - begun < 5
    await client.gone()
    await unbound.gone()
    assert client.heard_of(c.UNBIND)
    assert not unbound.heard


async def test_a_server_that_was_suspended_goes_on_where_it_was(server: Road) -> None:
    login = server.desk.account("frozen", credits="100000", window=50)
    client = await bound(server.port, login)
    asked = list[Asked]()
    work = asyncio.create_task(busy(client, asked))
    await until("it is busy", lambda: len(asked) > 500)
    server.signal(signal.SIGSTOP)
    await asyncio.sleep(1.5)  # nothing moves meanwhile, so there is nothing to wait for
    before = len(client.answers)
    server.signal(signal.SIGCONT)
    await until("it goes on", lambda: len(client.answers) > before + 500)
    client.abort()
    await work
    ids = {one.message_id for one in asked if one.accepted}
    assert ids <= {message["message_id"] for message in server.desk.export(login)["messages"]}
    server.desk.audited()


async def exits(server: Road) -> tuple[int, str]:
    """A server that cannot start: its exit code and its last words."""
    process = server.launch()
    await until("it gives up", lambda: process.poll() is not None)
    return process.returncode, server.said()


async def test_a_second_server_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    async with Road(tmp_path / "first") as first:
        login = first.desk.account("only")
        client = await bound(first.port, login)
        second = Road(tmp_path / "second", DATA_DIR=str(first.data))
        code, said = await exits(second)
        assert code == 1
        assert f"in use by pid {first.pid}" in said, said
        assert "Traceback" not in said
        await accepted([client.submit()])
        first.desk.audited()  # and its desk still answers


@pytest.mark.parametrize("which", ["port", "metrics_port", "web_port"])
async def test_a_port_in_use_is_named_and_nothing_is_left_behind(tmp_path: Path, which: str) -> None:
    server = Road(tmp_path)
    port: int = getattr(server, which)
    with socket.create_server((HOST, port)):
        code, said = await exits(server)
    assert code == 1
    assert str(port) in said, said
    assert "in use" in said, said
    assert "Traceback" not in said
    async with open_store(server.data) as store:  # the folder is free, the lock is gone
        assert await store.check() == []


async def test_connections_beyond_the_cap_are_turned_away_and_come_back_when_there_is_room(tmp_path: Path) -> None:
    async with Road(tmp_path, SMPP__MAX_CONNECTIONS_PER_ADDRESS="20") as server:
        login = server.desk.account("many", max_binds=0)
        clients = [await bound(server.port, login) for _ in range(20)]
        for _ in range(5):
            extra = await connect(server.port)
            await extra.gone()
        assert len(server.desk.binds(login)) == 20
        for client in clients:
            assert (await client.ask(c.ENQUIRE_LINK)).status == c.ESME_ROK
        await clients[0].unbind()
        await until("there is room", lambda: len(server.desk.binds(login)) == 19)
        await bound(server.port, login)


@pytest.mark.timeout(1800)
@pytest.mark.promise("A6")
async def test_a_restart_with_many_messages_stored_and_under_way_is_quick(
    tmp_path: Path, effort: Callable[[int, int], int]
) -> None:
    """Recovery looks at what has not ended, not at history; and what has not ended does not keep a client waiting."""
    ended, under_way = effort(20_000, 1_000_000), effort(2_000, 100_000)
    server = Road(tmp_path, delay="1h")
    login = await asyncio.to_thread(server.account, "veteran", "--credits", str(10**8))
    await asyncio.to_thread(fill, server.data, login, ended)
    first = await leave_under_way(server.data, login, under_way)
    try:
        seconds = [await to_first_bind(server, login) for _ in ("started", "started after kill -9")]
    finally:
        server.kill()
    assert server.said().count(f"resumed={under_way}") == len(seconds)
    assert max(seconds) <= FIRST_BIND, seconds
    with_ = f"{ended:,} messages stored and {under_way:,} under way"
    note("A6", "from start to first bind", f"{max(seconds):.1f} s with {with_}")
    async with open_store(server.data) as store:
        assert await store.audit() == []
        assert [row.wire_id for row in await store.pending(limit=1)] == [first]


async def leave_under_way(folder: Path, login: Login, number: int) -> int:
    """Messages that were accepted last and have no outcome. -> the id of the first."""
    async with open_store(folder) as store:
        account = next(row.id for row in await store.accounts() if row.system_id == login.system_id)
        first = await store.last_id() + 1
        for start in range(0, number, GROUP):
            rows = [(first + place, PRICE, rare()) for place in range(start, min(start + GROUP, number))]
            await store.accept(Batch(account, rows, PRICE * len(rows)), store)
    return first


async def to_first_bind(server: Road, login: Login) -> float:
    """Seconds from the start of the process; then it is killed."""
    begun = time.monotonic()
    process = server.process = server.launch()
    while True:
        assert process.poll() is None, server.said()
        assert time.monotonic() - begun < PATIENCE, server.said()
        try:
            client = await bound(server.port, login)
        except (OSError, AssertionError):
            await asyncio.sleep(0.02)
            continue
        taken = time.monotonic() - begun
        client.abort()
        await asyncio.to_thread(server.kill)
        return taken
