"""Too much of everything: connections, binds, guesses, nonsense; from one peer or from many."""

from __future__ import annotations

import asyncio
import random
import time

import pytest

from pdu import constants as c
from pdu import frames
from tests.hostile.arena import MIB, Arena, Case
from tests.hostile.crowd import ELSEWHERE, Crowd, Peer, all_hung_up_on, bind_request, client_hello
from tests.road.client import octets_of, submitted
from tests.server import Login

pytestmark = [pytest.mark.hostile, pytest.mark.timeout(120)]

CAP = 500  # connections of one address, as the server has it if nothing is configured
CROWD = 60  # who guess at once: as many get through before the first of them has failed
GUESSES = 21  # passwords of one address in a second, at most
UNKNOWN = 0x00ABCDEF
BANNERS = {
    "http": b"GET / HTTP/1.1\r\nHost: sms.example.com\r\nUser-Agent: curl\r\n\r\n",
    "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
    "tls": client_hello(),
    "smtp": b"EHLO mail.example.com\r\n",
    "redis": b"*1\r\n$4\r\nPING\r\n",
    "rdp": bytes.fromhex("030000130ee000000000000100080003000000"),
    "proxy header": b"PROXY TCP4 127.0.0.1 127.0.0.1 4660 2775\r\n",
    "nothing but line ends": b"\r\n" * 2000,
}


@pytest.mark.promise("A1", "A2")
async def test_connections_that_come_and_go(arena: Arena) -> None:
    async with arena.case("connections that come and go", 20) as case:
        made = await asyncio.gather(*[come_and_go(arena, case) for _ in range(20)])
    assert sum(made) > 500


async def come_and_go(arena: Arena, case: Case) -> int:
    made = 0
    while case.goes_on():
        async with Crowd(arena.server.port) as crowd:
            await crowd.dial_many(5, ELSEWHERE)
            made += 5
    return made


@pytest.mark.promise("A1", "A2")
async def test_more_connections_than_one_address_may_have(arena: Arena) -> None:
    async with arena.case("more connections than one address may have", CAP), Crowd(arena.server.port) as crowd:
        peers = await crowd.dial_many(CAP + 50, ELSEWHERE)
        open_now = await asyncio.gather(*[is_open(peer) for peer in peers])
        assert sum(open_now) == CAP
        await all_hung_up_on(peers, 10)


async def is_open(peer: Peer) -> bool:
    """Does the server answer?"""
    await peer.say(octets_of(c.ENQUIRE_LINK, 1))
    return len(await peer.answers(1)) == 1


@pytest.mark.promise("A1", "A2")
async def test_binds_and_unbinds_without_end(arena: Arena) -> None:
    async with arena.case("binds and unbinds without end", 20) as case, Crowd(arena.server.port) as crowd:
        made = await asyncio.gather(*[bind_and_unbind(crowd, arena.victim, case) for _ in range(20)])
    assert sum(made) > 100


async def bind_and_unbind(crowd: Crowd, login: Login, case: Case) -> int:
    made = 0
    while case.goes_on():
        peer = await crowd.bound(login)
        await peer.say(octets_of(c.UNBIND, 2))
        assert [answer[0] for answer in await peer.answers(1)] == [c.UNBIND_RESP]
        crowd.leave(peer)
        made += 1
    return made


@pytest.mark.promise("A1", "A2", "A3")
@pytest.mark.parametrize("names", ["of one name", "of ever new names"])
async def test_wrong_passwords(arena: Arena, names: str) -> None:
    login = arena.victim if names == "of one name" else None
    async with arena.case(f"wrong passwords {names}", CROWD, guesses=True) as case, Crowd(arena.server.port) as crowd:
        answered = await asyncio.gather(*[guess(crowd, login, case) for _ in range(CROWD)])
        seconds = time.monotonic() - case.begun
        told = [status for some in answered for status in some]
        assert set(told) <= {c.ESME_RINVPASWD, c.ESME_RBINDTHROTTLED, None}
        assert told.count(c.ESME_RINVPASWD) <= CROWD + GUESSES * seconds


async def guess(crowd: Crowd, login: Login | None, case: Case) -> list[int | None]:
    told = []
    while case.goes_on():
        peer = await crowd.dial()
        name = login.system_id if login else f"name{random.randrange(10**9)}"
        told.append(await peer.bind(Login("", name, f"p{random.randrange(10**6)}")))
        crowd.leave(peer)
    return told


@pytest.mark.promise("A1", "A2", "A3")
async def test_wrong_passwords_from_where_nobody_may_bind(arena: Arena) -> None:
    case_ = arena.case("wrong passwords from elsewhere", 20, guesses=True)
    async with case_ as case, Crowd(arena.server.port) as crowd:
        answered = await asyncio.gather(*[guess_from_elsewhere(crowd, arena.victim, case) for _ in range(20)])
        told = [status for some in answered for status in some]
        assert set(told) == {c.ESME_RBINDFAIL}
        assert len(told) > 200


async def guess_from_elsewhere(crowd: Crowd, login: Login, case: Case) -> list[int | None]:
    told = []
    while case.goes_on():
        peer = await crowd.dial(ELSEWHERE)
        told.append(await peer.bind(login))
        crowd.leave(peer)
    return told


@pytest.mark.promise("A1", "A2")
async def test_binds_in_one_breath(arena: Arena) -> None:
    """A thousand in one write: the first counts, or none."""
    async with arena.case("a thousand binds in one write", 10, guesses=True), Crowd(arena.server.port) as crowd:
        peers = await crowd.dial_many(10)
        wrong = Login("", arena.victim.system_id, "wrong")
        for peer in peers:
            await peer.say(b"".join([bind_request(wrong, sequence=n) for n in range(1, 1001)]))
        await all_hung_up_on(peers, 15)


@pytest.mark.promise("A1", "A2")
@pytest.mark.parametrize(
    ("what", "octets"),
    [
        ("unknown commands", frames.frame(UNKNOWN, 0, 1) * 1000),
        ("link checks", frames.frame(c.ENQUIRE_LINK, 0, 1) * 1000),
        ("answers to nothing", frames.response(c.DELIVER_SM, 0, 1, b"\0") * 1000),
        ("requests that cannot be read", frames.frame(c.SUBMIT_SM, 0, 1, b"\xff" * 20) * 1000),
        ("messages that are refused", octets_of(c.SUBMIT_SM, 1, **submitted("12", b"hello")) * 500),
    ],
)
async def test_a_flood_on_a_bind(arena: Arena, what: str, octets: bytes) -> None:
    async with arena.case(f"a flood of {what}", 20) as case, Crowd(arena.server.port) as crowd:
        peers = [await crowd.bound(arena.victim) for _ in range(20)]
        reading = [asyncio.create_task(peer.hear_all(60)) for peer in peers]
        said = await asyncio.gather(*[repeat(peer, octets, case) for peer in peers])
        assert sum(said) > MIB
        for task in reading:
            task.cancel()
        await asyncio.wait(reading)


async def repeat(peer: Peer, octets: bytes, case: Case) -> int:
    said = 0
    while case.goes_on():
        assert await peer.say(octets), "it was hung up on"
        said += len(octets)
    return said


@pytest.mark.promise("A1", "A2")
async def test_unknown_commands_of_strangers(arena: Arena) -> None:
    async with arena.case("unknown commands of strangers", 20) as case, Crowd(arena.server.port) as crowd:
        while case.goes_on():
            peers = await crowd.dial_many(20, ELSEWHERE)
            for peer in peers:
                await peer.say(frames.frame(UNKNOWN, 0, 1) * 3000)
            await all_hung_up_on(peers, 10)
            for peer in peers:
                crowd.leave(peer)


@pytest.mark.promise("A1", "A2")
async def test_octet_by_octet(arena: Arena) -> None:
    """Every octet a packet of its own, as fast as they go."""
    async with arena.case("octet by octet", 10) as case, Crowd(arena.server.port) as crowd:
        peers = [await crowd.bound(arena.victim) for _ in range(10)]
        await asyncio.gather(*[spelled(peer, case) for peer in peers])


async def spelled(peer: Peer, case: Case) -> None:
    while case.goes_on():
        assert await peer.trickle(frames.frame(c.ENQUIRE_LINK, 0, 1), 1, 0)
        assert [answer[0] for answer in await peer.answers(1)] == [c.ENQUIRE_LINK_RESP]


@pytest.mark.promise("A1", "A2")
@pytest.mark.parametrize("length", [0, 1, 4, 15, 70_001, 0x7FFFFFFF, 0xFFFFFFFF])
async def test_a_length_that_lies(arena: Arena, length: int) -> None:
    lie = length.to_bytes(4, "big") + frames.frame(c.SUBMIT_SM, 0, 7)[4:] + bytes(5000)
    name = f"a command_length of {length}"
    async with arena.case(name, 20, seconds=(1, 3)) as case, Crowd(arena.server.port) as crowd:
        while case.goes_on():
            peers = [await crowd.bound(arena.victim) for _ in range(20)]
            for peer in peers:
                await peer.say(lie)
            for peer in peers:
                [nack] = await peer.answers(9)
                assert nack[:2] == (c.GENERIC_NACK, c.ESME_RINVCMDLEN)
                crowd.leave(peer)


@pytest.mark.promise("A1", "A2")
@pytest.mark.parametrize("protocol", BANNERS)
async def test_a_foreign_protocol(arena: Arena, protocol: str) -> None:
    assert arena.tls is not None
    async with arena.case(f"foreign: {protocol}", 20, seconds=(1, 3)) as case:
        for port in (arena.server.port, *([arena.tls.port] if protocol != "tls" else [])):
            async with Crowd(port) as crowd:
                peers = await crowd.dial_many(10)
                for peer in peers:
                    await peer.say(BANNERS[protocol])
                await all_hung_up_on(peers, 15)
    assert case.begun
