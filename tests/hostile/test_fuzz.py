"""What looks like SMPP and is not: changed requests and random octets. Whatever can be answered is, once."""

from __future__ import annotations

import random

import pytest

from pdu import constants as c
from pdu import frames
from tests.hostile.arena import Arena
from tests.hostile.crowd import ELSEWHERE, Crowd, Peer
from tests.hostile.mutations import framed, mutated, requests

pytestmark = [pytest.mark.hostile, pytest.mark.timeout(180)]

BATCH = 50
MARK = 0x7ABBCCDD


@pytest.mark.promise("A1", "A2", "R3")
async def test_changed_requests_on_a_bind(arena: Arena, seed: int) -> None:
    """Their frames are whole, so the session lives and owes each of them one answer."""
    chance = random.Random(seed)
    async with arena.case("changed requests on a bind", 1) as case, Crowd(arena.server.port) as crowd:
        peer = await crowd.bound(arena.victim)
        while case.goes_on():
            batch = [framed(mutated(request, chance)) for request in chance.choices(requests(), k=BATCH)]
            batch = [octets for octets in batch if command_of(octets) != c.UNBIND]
            await answered_once(peer, batch)


@pytest.mark.promise("A1", "A2")
async def test_changed_requests_of_strangers(arena: Arena, seed: int) -> None:
    chance = random.Random(seed)
    async with arena.case("changed requests of strangers", 10, guesses=True) as case:
        while case.goes_on():
            async with Crowd(arena.server.port) as crowd:
                for peer in await crowd.dial_many(10, chance.choice((ELSEWHERE, "127.0.0.1"))):
                    await peer.say(b"".join([framed(mutated(each, chance)) for each in requests()]))


@pytest.mark.promise("A1", "A2")
async def test_frames_that_are_broken(arena: Arena, seed: int) -> None:
    """Nobody repairs the length of what was changed."""
    chance = random.Random(seed)
    async with arena.case("frames that are broken", 10, guesses=True) as case, Crowd(arena.server.port) as crowd:
        while case.goes_on():
            peers = [await crowd.bound(arena.victim) for _ in range(10)]
            for peer in peers:
                await peer.say(b"".join([mutated(each, chance) for each in chance.choices(requests(), k=BATCH)]))
            for peer in peers:
                crowd.leave(peer)


@pytest.mark.promise("A1", "A2")
async def test_random_octets(arena: Arena, seed: int) -> None:
    chance = random.Random(seed)
    async with arena.case("random octets", 20, guesses=True) as case:
        while case.goes_on():
            async with Crowd(arena.server.port) as crowd:
                for peer in await crowd.dial_many(20):
                    await peer.say(chance.randbytes(chance.randrange(1, 5000)))


@pytest.mark.promise("A1", "A2")
async def test_random_bodies(arena: Arena, seed: int) -> None:
    chance, commands = random.Random(seed), [*c.COMMAND_NAMES]
    async with arena.case("random bodies", 1, guesses=True) as case, Crowd(arena.server.port) as crowd:
        peer = await crowd.bound(arena.victim)
        while case.goes_on():
            batch = [
                frames.frame(chance.choice(commands), 0, number, chance.randbytes(chance.randrange(300)))
                for number in range(2, BATCH)
            ]
            await answered_once(peer, [octets for octets in batch if command_of(octets) != c.UNBIND])


def command_of(octets: bytes) -> int:
    return int.from_bytes(octets[4:8], "big")


async def answered_once(peer: Peer, batch: list[bytes]) -> None:
    """An answer for each request and none for a response. What is refused need not wait for what is stored."""
    wanted = sum([not command_of(octets) & c.RESPONSE for octets in batch])
    assert await peer.say(b"".join(batch) + frames.frame(c.SUBMIT_SM, 0, MARK, b"\xff" * 20)), "it was hung up on"
    answered, marked = 0, False
    while not marked or answered < wanted:
        [(command, _status, sequence, _at, _end)] = await peer.answers(1)
        if command & c.RESPONSE and sequence == MARK:
            marked = True
        else:
            answered += bool(command & c.RESPONSE)
        if command == c.DELIVER_SM:
            await peer.say(frames.response(c.DELIVER_SM, 0, sequence, b"\0"))
    assert answered == wanted
