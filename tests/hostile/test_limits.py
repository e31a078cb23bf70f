"""A server with few descriptors, and one behind a proxy: arenas of their own."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from gateway.smpp.proxied import SIGNATURE
from pdu import constants as c
from tests.hostile.arena import Arena
from tests.hostile.crowd import ELSEWHERE, Crowd, all_hung_up_on, bind_request
from tests.road.client import until
from tests.server import HOST

pytestmark = [pytest.mark.hostile, pytest.mark.timeout(180)]

FEW = 40  # descriptors beside those that are open
HEADER = 5.0 + 2.0  # seconds that a proxy may take to say whom it speaks for
BEHIND = "127.0.0.7"  # where the proxy stands


@pytest.mark.promise("A1", "A2")
async def test_no_descriptors_are_left(tmp_path: Path, quick: bool) -> None:
    with Arena(tmp_path, quick=quick) as arena:
        few = arena.server.files() + FEW
        resource.prlimit(arena.server.pid, resource.RLIMIT_NOFILE, (few, few))
        async with arena.case("no descriptors are left", 100) as case, Crowd(arena.server.port) as crowd:
            before = processor_time(arena.server.pid)
            await crowd.dial_many(100, ELSEWHERE)
            await until("they are gone", lambda: arena.server.files() < few - FEW + 5)
            assert processor_time(arena.server.pid) - before < 2.0, "it spins"
        assert case.begun


def processor_time(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def written(address: str) -> bytes:
    return f"PROXY TCP4 {address} 127.0.0.1 4660 2775\r\n".encode()


LIES = (b"", written("300.1.1.1"), b"PROXY " + b"x" * 200, SIGNATURE + b"\x21\x11\xff\xff", written(HOST) * 2)


@pytest.mark.promise("A1", "A2", "S3")
async def test_lies_about_who_it_is(tmp_path: Path, quick: bool) -> None:
    """Only the proxy is believed, and only what is exactly a header."""
    with Arena(tmp_path, quick=quick, SMPP__PROXY_FROM=BEHIND) as arena:
        bind = bind_request(arena.victim)
        async with arena.case("lies in PROXY headers", 60, guesses=True), Crowd(arena.server.port) as crowd:
            peer = await crowd.dial(BEHIND)
            await peer.say(written(HOST) + bind)
            assert (await peer.answers(1))[0][1] == c.ESME_ROK
            peer = await crowd.dial(BEHIND)
            await peer.say(written(ELSEWHERE) + bind)  # from the listed machine, for one that is not
            assert (await peer.answers(1))[0][1] == c.ESME_RBINDFAIL
            for lie in LIES:
                peers = await crowd.dial_many(10, BEHIND)
                for peer in peers:
                    await peer.say(lie + (bind if lie else b""))
                await all_hung_up_on(peers, HEADER)
            peer = await crowd.dial(ELSEWHERE)  # nobody's proxy
            await peer.say(written(HOST) + bind)
            assert [answer[0] for answer in await peer.answers(2)] == [c.GENERIC_NACK]
