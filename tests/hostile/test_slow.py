"""Peers that are slow, silent or gone: before they bind and after, with TLS and without."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress

import pytest

from pdu import constants as c
from pdu import frames
from tests.hostile.arena import MIB, Arena
from tests.hostile.crowd import ELSEWHERE, Crowd, Peer, all_hung_up_on, bind_request, client_hello
from tests.road.client import answers_to, bound, octets_of, submitted, until
from tests.server import HOST

pytestmark = [pytest.mark.hostile, pytest.mark.timeout(180)]

PATIENT = 3.0 + 2.0  # session_init as the arena has it, and what the tick may be late
HANDSHAKE = 10.0 + 3.0
WINDOW = 10
MESSAGE = submitted("48600100200", b"hello")
LONG = frames.HEADER.pack(65_000, c.SUBMIT_SM, 0, 2) + bytes(64_984)


@pytest.mark.promise("A1", "A2")
async def test_silent_strangers(arena: Arena) -> None:
    async with arena.case("silent strangers", 300), Crowd(arena.server.port) as crowd:
        await all_hung_up_on(await crowd.dial_many(300, ELSEWHERE), PATIENT)


@pytest.mark.promise("A1", "A2")
async def test_a_bind_octet_by_octet(arena: Arena) -> None:
    async with arena.case("a bind that takes for ever", 100), Crowd(arena.server.port) as crowd:
        peers = await crowd.dial_many(100, ELSEWHERE)
        done = await asyncio.gather(*[peer.trickle(bind_request(arena.victim), 1, 0.3) for peer in peers])
        assert not any(done)


@pytest.mark.promise("A1", "A2")
@pytest.mark.parametrize("begun", ["not begun", "half begun", "waiting for us"])
async def test_handshakes_that_never_end(arena: Arena, begun: str) -> None:
    hello = client_hello()
    said = {"not begun": b"", "half begun": hello[: len(hello) // 2], "waiting for us": hello}[begun]
    assert arena.tls is not None
    async with arena.case(f"handshakes that never end, {begun}", 100), Crowd(arena.tls.port) as crowd:
        peers = await crowd.dial_many(100, ELSEWHERE)
        for peer in peers:
            await peer.say(said)
        await all_hung_up_on(peers, HANDSHAKE)


@pytest.mark.promise("A1", "A2")
async def test_silence_behind_a_handshake(arena: Arena) -> None:
    assert arena.tls is not None
    async with arena.case("silence behind a handshake", 50):
        streams = [
            await asyncio.open_connection(HOST, arena.tls.port, ssl=arena.tls.client, server_hostname="localhost")
            for _ in range(50)
        ]
        try:
            async with asyncio.timeout(PATIENT):
                for reader, _writer in streams:
                    with suppress(ConnectionError, ssl.SSLError):
                        assert await reader.read() == b""
        finally:
            for _reader, writer in streams:
                writer.transport.abort()


@pytest.mark.promise("A1", "A2")
async def test_a_long_request_in_the_smallest_pieces(arena: Arena) -> None:
    """What is unfinished must not cost more than it will when it is whole."""
    async with arena.case("a long request in the smallest pieces", 20), Crowd(arena.server.port) as crowd:
        peers = [await crowd.bound(arena.victim) for _ in range(20)]
        await asyncio.gather(*[peer.trickle(LONG[:-2], 2, 0) for peer in peers])
        await all_hung_up_on(peers, PATIENT + 10)


@pytest.mark.promise("A1", "A2")
@pytest.mark.parametrize(
    ("what", "octets"),
    [
        ("link checks", frames.frame(c.ENQUIRE_LINK, 0, 1) * 4000),
        ("unknown commands", frames.frame(0xABCDEF, 0, 1) * 4000),
        ("requests that cannot be read", frames.frame(c.SUBMIT_SM, 0, 1, b"\xff" * 20) * 2000),
        ("messages", octets_of(c.SUBMIT_SM, 1, **MESSAGE) * 1000),
        ("messages with receipts", octets_of(c.SUBMIT_SM, 1, registered_delivery=1, **MESSAGE) * 1000),
    ],
)
async def test_answers_that_nobody_reads(arena: Arena, what: str, octets: bytes) -> None:
    """The account has its rate: what messages cost that are under way at full speed is not the price of answers."""
    async with arena.case(f"answers to {what} that nobody reads", 10), Crowd(arena.server.port) as crowd:
        peers = [await crowd.bound(arena.slow, hears=4096) for _ in range(10)]
        taken = await asyncio.gather(*[peer.stuff(octets, 10) for peer in peers])
        assert max(taken) < 64 * MIB, "it is read on and on"


@pytest.mark.promise("A1", "A2", "D2")
async def test_connections_that_are_dead_on_one_side(arena: Arena) -> None:
    """No packet reaches them any more: they are given up, and what they were owed goes to another bind."""
    desk = arena.server.desk
    login = desk.account("half-open", enquire_link=2, response_timeout=3, max_binds=0, window=WINDOW)
    async with (
        arena.case("connections that are dead on one side", 20, guesses=True),
        Crowd(arena.server.port) as crowd,
    ):
        peers = [await crowd.bound(login) for _ in range(20)]
        async with await bound(arena.server.port, login, c.BIND_TRANSMITTER) as sender:
            for peer in peers:
                peer.go_deaf()
            asked = sender.submit_many(30, registered_delivery=1)
            await answers_to(asked)
            await until("they are given up", lambda: len(desk.binds(login)) == 1)
        async with await bound(arena.server.port, login) as receiver:
            await until("every receipt came", lambda: len({one.message_id for one in receiver.receipts}) == 30, 30)


@pytest.mark.promise("A1", "A2")
async def test_binds_that_answer_no_link_check(arena: Arena) -> None:
    desk = arena.server.desk
    login = desk.account("mute", enquire_link=2, response_timeout=2, max_binds=0)
    async with arena.case("binds that answer no link check", 50), Crowd(arena.server.port) as crowd:
        peers = [await crowd.bound(login) for _ in range(50)]
        await all_hung_up_on(peers, 8)
        assert desk.binds(login) == []


@pytest.mark.promise("A1", "A2", "D3")
async def test_deliveries_that_are_never_acknowledged(arena: Arena) -> None:
    desk = arena.server.desk
    login = desk.account("unmoved", window=WINDOW, max_binds=0, response_timeout=3, credits="100000")
    async with (
        arena.case("deliveries that are never acknowledged", 10, guesses=True),
        Crowd(arena.server.port) as crowd,
        await bound(arena.server.port, login, c.BIND_TRANSMITTER) as sender,
    ):
        peers = [await crowd.bound(login) for _ in range(10)]
        await answers_to(sender.submit_many(2000, registered_delivery=1))
        delivered = await asyncio.gather(*[unacknowledged(peer) for peer in peers])
        assert max(delivered) <= WINDOW


async def unacknowledged(peer: Peer) -> int:
    """How many deliveries came within a second or so, less than the server waits for their answers."""
    said = b""
    with suppress(TimeoutError):
        async with asyncio.timeout(1.5):
            while more := await peer.hear():
                said += more
    found, _used, _fault = frames.split(said)
    return sum([frame[0] == c.DELIVER_SM for frame in found])


@pytest.mark.promise("A1", "A2")
async def test_a_receiver_that_reads_a_drop_at_a_time(arena: Arena) -> None:
    login = arena.server.desk.account("dropwise", window=1000, max_binds=0, credits="100000")
    async with (
        arena.case("a receiver that reads a drop at a time", 4, guesses=True) as case,
        Crowd(arena.server.port) as crowd,
        await bound(arena.server.port, login, c.BIND_TRANSMITTER) as sender,
    ):
        peers = [await crowd.bound(login, hears=2048) for _ in range(4)]
        await answers_to(sender.submit_many(2000, registered_delivery=1))
        while case.goes_on():
            for peer in peers:
                await peer.hear(100)
            await asyncio.sleep(0.1)


@pytest.mark.promise("A1", "A2")
async def test_half_closed_connections(arena: Arena) -> None:
    """They ask, say that they ask no more, and hear the answers."""
    async with arena.case("half-closed connections", 50) as case, Crowd(arena.server.port) as crowd:
        while case.goes_on():
            peers = [await crowd.bound(arena.victim) for _ in range(50)]
            for peer in peers:
                await peer.say(octets_of(c.SUBMIT_SM, 2, **MESSAGE))
                peer.finish_writing()
            for peer in peers:
                assert [answer[1] for answer in await peer.answers(2)] == [c.ESME_ROK]
                crowd.leave(peer)
