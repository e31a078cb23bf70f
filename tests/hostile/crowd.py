"""Hostile peers: bare sockets that say what nobody should, slowly or without end, and read when they please.

Invariant: whatever a peer does to its own connection, no socket outlives its crowd. Knows no rules of the server.
"""

from __future__ import annotations

import asyncio
import ctypes
import socket
import ssl
import struct
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Self

from pdu import constants as c
from pdu import frames
from tests.road.client import octets_of
from tests.server import HOST, PATIENCE, Login

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST, and leave no port waiting
ELSEWHERE = "127.0.0.9"  # on nobody's list
SO_ATTACH_FILTER = 26
DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)  # a BPF program: ret #0


class Peer:
    """One connection, that speaks octets."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._loop = asyncio.get_running_loop()
        self.unread = b""
        self.read: list[frames.Frame] = []

    async def say(self, octets: bytes) -> bool:
        """-> False: it was hung up on."""
        try:
            await self._loop.sock_sendall(self.socket, octets)
        except (ConnectionError, BrokenPipeError):
            return False
        return True

    async def stuff(self, octets: bytes, seconds: float) -> int:
        """Say it again and again until the server takes no more, or for so long. -> octets that were taken."""
        taken, until = 0, time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                async with asyncio.timeout(0.5):
                    await self._loop.sock_sendall(self.socket, octets)
            except (TimeoutError, ConnectionError):
                break
            taken += len(octets)
        return taken

    async def trickle(self, octets: bytes, size: int, pause: float) -> bool:
        """-> False: it was hung up on before the end."""
        for at in range(0, len(octets), size):
            if not await self.say(octets[at : at + size]):
                return False
            await asyncio.sleep(pause)
        return True

    async def hear(self, size: int = 65536) -> bytes:
        """Some octets; none: it was hung up on."""
        try:
            return await self._loop.sock_recv(self.socket, size)
        except ConnectionError:
            return b""

    async def hear_all(self, patience: float = PATIENCE) -> bytes:
        """What is said until it is hung up on."""
        said = bytearray()
        async with asyncio.timeout(patience):
            while more := await self.hear():
                said += more
        return bytes(said)

    async def answers(self, number: int, patience: float = PATIENCE) -> list[frames.Frame]:
        """So many PDUs, or as many as come until it is hung up on."""
        got, self.read = self.read[:number], self.read[number:]
        async with asyncio.timeout(patience):
            while len(got) < number and (more := await self.hear()):
                self.unread += more
                found, used, fault = frames.split(self.unread)
                assert fault is None, fault
                self.unread = self.unread[used:]
                wanted = number - len(got)
                got, self.read = got + found[:wanted], found[wanted:]
        return got

    async def bind(self, login: Login, command: int = c.BIND_TRANSCEIVER) -> int | None:
        """-> the status; None: it was hung up on, having waited too long for its turn."""
        await self.say(bind_request(login, command))
        answers = await self.answers(1)
        return answers[0][1] if answers else None

    def finish_writing(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def go_deaf(self) -> None:
        """From now on nothing that the server sends reaches this side, not even a sign that its packets came."""
        program = ctypes.create_string_buffer(DROP_ALL, len(DROP_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))

    def close(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.socket.close()


class Crowd:
    """`async with Crowd(port) as crowd: peers = await crowd.dial_many(100)`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.peers: list[Peer] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for peer in self.peers:
            peer.close()

    async def dial(self, local: str = HOST, *, hears: int = 0) -> Peer:
        """`hears`: octets of answers that it has room for."""
        sock = socket.socket()
        peer = Peer(sock)
        self.peers.append(peer)
        sock.setblocking(False)
        if hears:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, hears)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((local, 0))
        await asyncio.get_running_loop().sock_connect(sock, (HOST, self.port))
        return peer

    async def dial_many(self, number: int, local: str = HOST) -> list[Peer]:
        return [await self.dial(local) for _ in range(number)]

    async def bound(self, login: Login, *, hears: int = 0) -> Peer:
        peer = await self.dial(hears=hears)
        assert await peer.bind(login) == c.ESME_ROK
        return peer

    def leave(self, peer: Peer) -> None:
        self.peers.remove(peer)
        peer.close()


async def all_hung_up_on(peers: Iterable[Peer], patience: float) -> None:
    async with asyncio.timeout(patience):
        await asyncio.gather(*[peer.hear_all(patience) for peer in peers])


def bind_request(login: Login, command: int = c.BIND_TRANSCEIVER, sequence: int = 1) -> bytes:
    return octets_of(
        command, sequence, system_id=login.system_id.encode(), password=login.password.encode(), interface_version=0x34
    )


def client_hello() -> bytes:
    """How a TLS client begins."""
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    talk = context.wrap_bio(into, out, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        talk.do_handshake()
    return out.read()
