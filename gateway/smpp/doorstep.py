"""A listener that looks at a connection before it becomes a session: whom a trusted proxy speaks for, then TLS.

Invariant: a connection counts against the caps from before its handshake, under the address it really comes from; it
has a time to become one, and nothing it does until then reaches a session. Knows no rules.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from typing import Protocol

import structlog

from acl.addresses import Networks
from acl.addresses import peer as canonical

from .link import Link
from .proxied import NoHeader, Origin, origin

log = structlog.get_logger()
HANDSHAKE = 10.0  # seconds
HEADER = 5.0  # seconds
MOST_UNREAD = 500  # connections of proxies that have not said yet whom they speak for
NO_DESCRIPTORS = 1.0  # seconds until the next try
PASSING = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class House(Protocol):
    def expect(self, secured: bool, address: str, port: int) -> Link | None:
        """A link that counts from now on; None: there are too many."""

    def forget(self, link: Link) -> None: ...


class Doorstep:
    def __init__(self, house: House, context: ssl.SSLContext | None, proxies: Networks) -> None:
        self._house, self._context, self._proxies = house, context, proxies
        self._loop = asyncio.get_running_loop()
        self._arriving: set[asyncio.Task[None]] = set()
        self._accepting: list[asyncio.Task[None]] = []
        self._unread = 0

    async def listen(self, host: str, port: int) -> int:
        """-> the port, which the system chooses if 0 is asked for."""
        found = await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        chosen = port
        for family, address in dict.fromkeys((each[0], each[4]) for each in found):
            listener = socket.create_server((str(address[0]), chosen), family=family, backlog=1024)
            listener.setblocking(False)
            chosen = listener.getsockname()[1]
            self._accepting.append(self._loop.create_task(self._accept(listener)))
        return chosen

    def close(self) -> None:
        """Nobody else comes in; who is still on the doorstep goes."""
        for task in (*self._accepting, *self._arriving):
            task.cancel()

    async def _accept(self, listener: socket.socket) -> None:
        with listener:
            while True:
                try:
                    sock, name = await self._loop.sock_accept(listener)
                except OSError as error:
                    if error.errno in PASSING:
                        await asyncio.sleep(NO_DESCRIPTORS)
                    continue
                task = self._loop.create_task(self._arrive(sock, Origin(canonical(name[0]) or "unreadable", name[1])))
                self._arriving.add(task)
                task.add_done_callback(self._arriving.discard)

    async def _arrive(self, sock: socket.socket, peer: Origin) -> None:
        taken = False
        try:
            sock.setblocking(False)
            if self._proxies.contains(peer.address):
                peer = await self._told(sock) or peer
            taken = await self._let_in(sock, peer)
        except (NoHeader, TimeoutError) as error:
            log.warning("proxy header refused", peer=peer.address, reason=str(error) or "it did not come in time")
        except (OSError, EOFError):
            pass  # it went away, or does not speak TLS
        finally:
            if not taken:
                sock.close()

    async def _told(self, sock: socket.socket) -> Origin | None:
        if self._unread >= MOST_UNREAD:
            raise NoHeader("too many connections without one are waiting")
        self._unread += 1
        try:
            async with asyncio.timeout(HEADER):
                said = await origin(lambda number: self._exactly(sock, number))
        finally:
            self._unread -= 1
        return None if said is None else said._replace(address=canonical(said.address) or "unreadable")

    async def _exactly(self, sock: socket.socket, number: int) -> bytes:
        octets = b""
        while len(octets) < number:
            more = await self._loop.sock_recv(sock, number - len(octets))
            if not more:
                raise EOFError
            octets += more
        return octets

    async def _let_in(self, sock: socket.socket, peer: Origin) -> bool:
        link = self._house.expect(self._context is not None, peer.address, peer.port)
        if link is None:
            return False
        try:
            await self._loop.connect_accepted_socket(
                lambda: link, sock, ssl=self._context, ssl_handshake_timeout=HANDSHAKE if self._context else None
            )
        except BaseException:
            self._house.forget(link)
            raise
        return True
