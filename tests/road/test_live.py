"""The operator at the command line while customers are bound: a change shows on their sessions within two seconds."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from pdu import constants as c
from tests.road.client import Asked, Esme, accepted, answers_to, bound, connect, until
from tests.road.running import Road
from tests.server import HOST, Login

pytestmark = pytest.mark.road

SOON = 2.0


async def cli(server: Road, *words: str) -> Any:
    """A command, while the customers' connections live on."""
    out = await asyncio.to_thread(server.cli, *words, "--json")
    return json.loads(out) if out.strip() else None


async def bind_status(server: Road, login: Login, command: int = c.BIND_TRANSCEIVER, local: str | None = None) -> int:
    async with await connect(server.port, local=local) as esme:
        return (await esme.bind(login, command)).status


async def unbound(client: Esme) -> None:
    """Asked to go, not thrown out."""
    await client.gone(SOON)
    assert client.heard_of(c.UNBIND)


async def test_removing_the_address_unbinds_and_keeps_out(server: Road) -> None:
    server.desk.account("stays")  # so that the address stands on somebody's list all the time
    login = server.desk.account("moved", addresses=[HOST, "192.0.2.0/24"])
    client = await bound(server.port, login)
    await cli(server, "account", "ip", "rm", login.name, HOST)
    await unbound(client)
    assert await bind_status(server, login) == c.ESME_RINVPASWD
    await cli(server, "account", "ip", "add", login.name, HOST)
    assert await bind_status(server, login) == c.ESME_ROK


async def test_disabling_the_account_unbinds_and_keeps_out(server: Road) -> None:
    login = server.desk.account("barred", max_binds=2)
    clients = [await bound(server.port, login), await bound(server.port, login, c.BIND_RECEIVER)]
    await cli(server, "account", "disable", login.name)
    for client in clients:
        await unbound(client)
    assert await bind_status(server, login) == c.ESME_RBINDFAIL
    await cli(server, "account", "enable", login.name)
    assert await bind_status(server, login) == c.ESME_ROK


async def test_lowering_the_rate_and_the_window_shows_on_an_open_bind(server: Road) -> None:
    login = server.desk.account("slowed", window=100)
    client = await bound(server.port, login)
    await accepted(client.submit_many(100))
    await cli(server, "account", "set", login.name, "--throughput", "1", "--burst", "3", "--window", "2")
    asked = client.submit_many(10)
    await answers_to(asked)
    passed = [one.status for one in asked].count(c.ESME_ROK)
    assert 3 <= passed <= 5
    assert {one.status for one in asked} == {c.ESME_ROK, c.ESME_RTHROTTLED}
    assert [bind["window"] for bind in await cli(server, "bind", "list", login.name)] == [2]


async def test_the_rate_is_kept_over_all_binds_of_the_account(server: Road) -> None:
    login = server.desk.account("paced", throughput=40, burst=10, window=10, max_binds=2, credits="1000")
    clients = [await bound(server.port, login), await bound(server.port, login)]
    asked, begun = list[Asked](), time.monotonic()
    while (passed := time.monotonic() - begun) < 3:
        batch = [one for client in clients for one in client.submit_many(5)]
        await answers_to(batch)
        asked += batch
    allowed = 10 + 40 * passed
    took = [one.status for one in asked].count(c.ESME_ROK)
    assert allowed * 0.3 < took <= allowed + 2, (took, allowed)  # a busy machine leaves some of it unused
    assert {one.status for one in asked} == {c.ESME_ROK, c.ESME_RTHROTTLED}
    assert int(server.desk.balance(login)) == 1000 - took


async def test_removing_a_sender_shows_on_an_open_bind(server: Road) -> None:
    login = server.desk.account("renamed", senders=["smppgate", "ACME"])
    client = await bound(server.port, login)
    await accepted([client.submit()])
    await cli(server, "account", "set", login.name, "--sender", "ACME")
    assert (await client.submit().answered()).status == c.ESME_RINVSRCADR
    assert (await client.submit(source=b"\5\0ACME\0").answered()).status == c.ESME_ROK


async def test_a_rotated_password_is_refused_at_once_and_the_open_bind_stays(server: Road) -> None:
    login = server.desk.account("rotated", max_binds=3)
    client = await bound(server.port, login)
    assert await bind_status(server, login) == c.ESME_ROK  # remembered by now, so no hash is made
    made = await cli(server, "account", "rotate-password", login.name)
    assert await bind_status(server, login) == c.ESME_RINVPASWD
    renewed = login._replace(password=made["password"])
    assert await bind_status(server, renewed) == c.ESME_ROK
    await accepted([client.submit()])
    made = await cli(server, "account", "rotate-password", login.name, "--drop-binds")
    await unbound(client)
    assert await bind_status(server, renewed) == c.ESME_RINVPASWD
    assert await bind_status(server, login._replace(password=made["password"])) == c.ESME_ROK


async def test_a_kicked_bind_is_asked_to_go(server: Road) -> None:
    login = server.desk.account("kicked", max_binds=2)
    first, second = await bound(server.port, login), await bound(server.port, login)
    binds = await cli(server, "bind", "list", login.name)
    assert [bind["type"] for bind in binds] == ["transceiver"] * 2
    await cli(server, "bind", "kick", str(binds[0]["id"]))
    await unbound(first)
    await accepted([second.submit()])
    await cli(server, "bind", "kick", "--account", login.name)
    await unbound(second)


async def test_a_change_takes_effect_within_two_seconds_under_load(server: Road) -> None:
    login = server.desk.account("busy", window=50, credits="1000000")
    client = await bound(server.port, login)
    refused_at = list[float]()

    async def load() -> None:
        while not refused_at:
            asked = client.submit_many(50)
            await answers_to(asked)
            if any(one.status == c.ESME_RINVSRCADR for one in asked):
                refused_at.append(time.monotonic())

    work = asyncio.create_task(load())
    await until("it is busy", lambda: len(client.answers) > 200)
    begun = time.monotonic()
    await asyncio.to_thread(server.desk.change, login, senders=[])
    await work
    assert refused_at[0] - begun < SOON


async def test_what_was_accepted_before_a_disconnect_by_the_operator_is_answered(server: Road) -> None:
    """The answers of requests that were under way come before the connection closes."""
    login = server.desk.account("cut", window=10)
    client = await bound(server.port, login)
    asked = client.submit_many(500)
    await until("some are answered", lambda: sum(one.answer is not None for one in asked) > 20)
    await asyncio.to_thread(server.desk.ask, "POST", "accounts", login.name, "disable")
    await client.gone(SOON)
    answered = [one for one in asked if one.answer is not None]
    stored = {message["message_id"] for message in server.desk.export(login)["messages"]}
    assert {one.message_id for one in answered if one.accepted} == stored
    assert {one.status for one in answered} <= {c.ESME_ROK, c.ESME_RINVBNDSTS}


async def test_an_address_on_nobodys_list_learns_nothing(server: Road) -> None:
    login = server.desk.account("private")
    for stranger in (login, login._replace(password="wrong"), login._replace(system_id="nobody")):
        assert await bind_status(server, stranger, local="127.0.0.77") == c.ESME_RBINDFAIL
    for known in (login._replace(password="wrong"), login._replace(system_id="nobody")):
        assert await bind_status(server, known) == c.ESME_RINVPASWD


async def test_an_address_is_the_same_in_every_spelling(tmp_path: Path) -> None:
    """A client that comes by IPv6 is known by IPv6, and one by IPv4 whatever the listener makes of it."""
    if not socket.has_dualstack_ipv6():
        (pytest.fail if "CI" in os.environ else pytest.skip)("this machine has no IPv6")
    server = Road(tmp_path)
    port = server.port
    server.environ["SMPPGATE_SMPP__LISTEN"] = f"[::1]:{port}, {HOST}:{port}"
    async with server:
        login = server.desk.account("spelt", addresses=["0:0:0::1"], max_binds=9)
        assert server.desk.show(login)["addresses"] == ["::1"]
        sixth = await connect(port, host="::1")
        assert (await sixth.bind(login)).status == c.ESME_ROK
        assert [bind["peer"] for bind in server.desk.binds(login)] == ["::1"]
        async with await connect(port) as fourth:
            assert (await fourth.bind(login)).status == c.ESME_RBINDFAIL
        server.desk.change(login, addresses=["::ffff:127.0.0.1"])
        await unbound(sixth)
        async with await connect(port) as fourth:
            assert (await fourth.bind(login)).status == c.ESME_ROK


async def test_a_neighbour_is_not_let_in_with_its_right_password(server: Road) -> None:
    """The address is on a list, but not on this account's."""
    server.desk.account("here")
    login = server.desk.account("elsewhere", addresses=["192.0.2.7"])
    assert await bind_status(server, login) == c.ESME_RINVPASWD

    def why() -> set[str]:
        return {refusal["reason"] for refusal in server.desk.refusals() if refusal["system_id"] == login.system_id}

    assert await until("the operator sees why", why) == {"address_not_authorised"}


async def test_a_dead_bind_gives_way_to_the_client_that_comes_back(server: Road) -> None:
    login = server.desk.account("reborn")
    dead = await bound(server.port, login)
    dead.answers_links = False
    deadline = time.monotonic() + 15
    while (status := await bind_status(server, login)) == c.ESME_RALYBND:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.5)
    assert status == c.ESME_ROK
    await dead.gone()


async def test_a_living_bind_does_not_give_way(server: Road) -> None:
    login = server.desk.account("alive")
    client = await bound(server.port, login)
    for _ in range(3):
        assert await bind_status(server, login) == c.ESME_RALYBND
        await until("it was asked whether it lives", lambda: client.heard_of(c.ENQUIRE_LINK))
    await accepted([client.submit()])
