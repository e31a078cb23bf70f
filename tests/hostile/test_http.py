"""The other ports: what no browser and no monitoring system would send, on the panel's and the metrics' listener."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from tests.hostile.arena import KIB, Arena
from tests.hostile.crowd import Crowd, Peer, all_hung_up_on
from tests.server import HOST

pytestmark = [pytest.mark.hostile, pytest.mark.timeout(180)]

SLOW = 15.0 + 3.0  # seconds that a request may take to come in
HELD = 200


def request(path: str, *headers: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {HOST}", *headers, "", ""]).encode()


def ports(arena: Arena) -> dict[str, int]:
    return {"panel": arena.server.web_port, "metrics": arena.server.metrics_port}


@pytest.mark.promise("A1", "A2")
@pytest.mark.parametrize("port", ["panel", "metrics"])
@pytest.mark.parametrize("said", ["nothing", "half a line", "headers without end"])
async def test_requests_that_never_end(arena: Arena, port: str, said: str) -> None:
    async with arena.case(f"{port}: {said}", HELD), Crowd(ports(arena)[port]) as crowd:
        peers = await crowd.dial_many(HELD)
        if said == "half a line":
            await asyncio.gather(*[peer.say(b"GET / HT") for peer in peers])
        if said == "headers without end":
            await asyncio.gather(*[peer.say(request("/")[:-2]) for peer in peers])
            endless = [asyncio.create_task(peer.trickle(b"X-A: b\r\n" * 100, 8, 0.5)) for peer in peers]
        await all_hung_up_on(peers, SLOW)
        if said == "headers without end":
            await asyncio.gather(*endless)


@pytest.mark.promise("A1", "A2")
@pytest.mark.parametrize(
    "path", ["/api/v1/accounts", "/login", "/api/v1/accounts/smpp-victim/senders", "/no/such/page"]
)
async def test_bodies_of_strangers(arena: Arena, path: str) -> None:
    """A hundred megabytes announced, as many sent as are taken."""
    head = request(path, "Content-Length: 100000000", "Content-Type: application/json", method="POST")
    async with arena.case(f"panel: large bodies for {path}", 20), Crowd(arena.server.web_port) as crowd:
        peers = await crowd.dial_many(20)
        await asyncio.gather(*[stuffed(peer, head) for peer in peers])


async def stuffed(peer: Peer, head: bytes) -> None:
    if await peer.say(head):
        await peer.stuff(b"x" * 64 * KIB, 2)
        with suppress(TimeoutError):
            await peer.hear_all(1)


@pytest.mark.promise("A1", "A2")
async def test_a_body_that_does_not_come(arena: Arena) -> None:
    head = request("/login", "Content-Length: 1000", "Content-Type: application/x-www-form-urlencoded", method="POST")
    async with arena.case("panel: a body that does not come", HELD), Crowd(arena.server.web_port) as crowd:
        peers = await crowd.dial_many(HELD)
        for peer in peers:
            await peer.say(head + b"name=")
        await all_hung_up_on(peers, SLOW + 15)


@pytest.mark.promise("A1", "A2")
async def test_headers_without_measure(arena: Arena) -> None:
    async with arena.case("panel: headers without measure", 20) as case, Crowd(arena.server.web_port) as crowd:
        while case.goes_on():
            peers = await crowd.dial_many(20)
            for peer in peers:
                await peer.say(request("/")[:-2] + b"X-A: " + b"b" * 200 * KIB)
            await all_hung_up_on(peers, 5)
            for peer in peers:
                crowd.leave(peer)


@pytest.mark.promise("A1", "A2")
async def test_questions_without_measure(arena: Arena) -> None:
    path = "/api/v1/accounts?" + "&".join(f"a{number}=1" for number in range(8000))
    async with arena.case("panel: questions without measure", 10) as case, Crowd(arena.server.web_port) as crowd:
        while case.goes_on():
            peers = await crowd.dial_many(10)
            for peer in peers:
                await peer.say(request(path, "Connection: close"))
            await all_hung_up_on(peers, 10)
            for peer in peers:
                crowd.leave(peer)


@pytest.mark.promise("A1", "A2")
async def test_pages_that_nobody_reads(arena: Arena) -> None:
    async with arena.case("panel: pages that nobody reads", 20), Crowd(arena.server.web_port) as crowd:
        peers = [await crowd.dial(hears=4096) for _ in range(20)]
        await asyncio.gather(*[peer.stuff(request("/api/v1/openapi.json") * 20, 2) for peer in peers])


@pytest.mark.promise("A1", "A2")
async def test_guesses_at_the_panel(arena: Arena) -> None:
    body = b"email=nobody@example.com&password=wrong"
    head = request(
        "/login", "Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}",
        f"Origin: http://{HOST}", "Sec-Fetch-Site: same-origin", "Connection: close", method="POST",
    )  # fmt: skip
    async with arena.case("panel: guesses", 60, guesses=True) as case, Crowd(arena.server.web_port) as crowd:
        while case.goes_on():
            peers = await crowd.dial_many(60)
            for peer in peers:
                await peer.say(head + body)
            with suppress(TimeoutError):
                await all_hung_up_on(peers, 3)
            for peer in peers:
                crowd.leave(peer)


@pytest.mark.promise("A1", "A2")
async def test_who_asks_and_does_not_wait(arena: Arena) -> None:
    body = b"x" * 60_000  # as much as is taken before anybody looks at it
    said = request("/api/v1/accounts", "Content-Type: application/json", f"Content-Length: {len(body)}", method="POST")
    async with arena.case("panel: asked and hung up", 40) as case, Crowd(arena.server.web_port) as crowd:
        asked: list[Peer] = []
        while case.goes_on():
            peers = await crowd.dial_many(20)
            for peer in peers:
                await peer.say(said + body)
            for peer in asked:
                crowd.leave(peer)
            asked = peers
