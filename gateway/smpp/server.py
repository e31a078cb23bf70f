"""The listeners: plain and TLS, the caps on connections, the tick that moves every session's time, the graceful stop.

Invariant: a stop ends every session by unbind after its accepted requests were answered. Knows no rules.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import structlog

from acl.addresses import Networks

from ..metrics import Traffic
from ..refusals import Refusals
from .alarm import Alarm
from .bind import Door
from .doorstep import Doorstep
from .handling import Handler
from .link import Link
from .pace import Pace
from .session import Timers

log = structlog.get_logger()


class Caps(NamedTuple):
    """Connections at most; 0 means no limit."""

    total: int = 0
    per_address: int = 0


class Certificate:
    """A TLS context whose certificate follows its files: new handshakes get the new one, sessions stay."""

    def __init__(self, cert: Path, key: Path, minimum: ssl.TLSVersion) -> None:
        self._cert, self._key = cert, key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = minimum
        self._complaint = ""
        self._stamps = self._read_stamps()
        self._load(self.context)

    def _load(self, context: ssl.SSLContext) -> None:
        """The empty password keeps OpenSSL from asking a terminal for one: an encrypted key is an error."""
        context.load_cert_chain(self._cert, self._key, password="")

    def _read_stamps(self) -> tuple[int, int]:
        return self._cert.stat().st_mtime_ns, self._key.stat().st_mtime_ns

    def follow(self) -> None:
        """Load the files again if they have changed; a half-written pair is tried again at the next call."""
        try:
            stamps = self._read_stamps()
            if stamps == self._stamps:
                return
            # into a throw-away context first: a pair that does not fit must not reach the live one
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            self._load(self.context)
        except (OSError, ssl.SSLError) as fault:
            if str(fault) != self._complaint:  # once, not once a second
                self._complaint = str(fault)
                log.warning("certificate not reloaded", reason=self._complaint)
        else:
            self._stamps, self._complaint = stamps, ""
            log.info("certificate reloaded", file=str(self._cert))


class Server:
    """All SMPP listeners and their links."""

    def __init__(
        self,
        door: Door,
        handlers: Mapping[int, Handler],
        refusals: Refusals,
        traffic: Traffic,
        timers: Timers,
        caps: Caps,
        clock: Callable[[], float],
        proxies: Networks | None = None,
    ) -> None:
        """`proxies` say in a PROXY header whom they speak for."""
        self.door, self.handlers, self.refusals, self.traffic, self.timers = door, handlers, refusals, traffic, timers
        self.clock, self.draining = clock, False
        loop = asyncio.get_running_loop()
        self._alarm = Alarm(loop)
        self.pace = Pace(loop, clock, time.process_time, self._alarm.call_later)
        self.links: dict[int, Link] = {}
        self.turned_away = 0
        self._caps, self._number = caps, 0
        self._addresses: Counter[str] = Counter()
        self._proxies = proxies or Networks()
        self._listeners: list[asyncio.Server | Doorstep] = []
        self._gone = asyncio.Event()

    # -- connections -----------------------------------------------------------------------------------------------
    async def listen(self, host: str, port: int, certificate: Certificate | None = None) -> int:
        """-> the port, which the system chooses if 0 is asked for."""
        if certificate is not None or self._proxies:
            doorstep = Doorstep(self, certificate.context if certificate else None, self._proxies)
            self._listeners.append(doorstep)
            return await doorstep.listen(host, port)
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(self._link, host, port, backlog=1024, reuse_address=True)
        self._listeners.append(listener)
        return int(listener.sockets[0].getsockname()[1])

    def _link(self, secured: bool = False, address: str = "", port: int = 0) -> Link:
        self._number += 1
        return Link(self, self._number, secured, address, port)

    def expect(self, secured: bool, address: str, port: int) -> Link | None:
        """A link that counts before its handshake is done; None: there are too many."""
        link = self._link(secured, address, port)
        if self.admit(link, address):
            return link
        self.forget(link)
        return None

    def admit(self, link: Link, address: str) -> bool:
        total, each = self._caps
        self.links[link.number] = link
        self._addresses[address] += 1
        if (total and len(self.links) > total) or (each and self._addresses[address] > each):
            self.turned_away += 1
            return False
        return True

    def forget(self, link: Link) -> None:
        self._gone.set()
        if self.links.pop(link.number, None) is not None:
            self._addresses[link.peer] -= 1
            if not self._addresses[link.peer]:
                del self._addresses[link.peer]

    # -- time ------------------------------------------------------------------------------------------------------
    def tick(self, now: float) -> None:
        for link in list(self.links.values()):
            link.tick(now)

    async def stop(self, patience: float) -> None:
        """Stop accepting, let commits finish and their answers leave, unbind, close; `patience` seconds in all."""
        self.draining = True
        for listener in self._listeners:
            listener.close()
        for link in list(self.links.values()):
            link.unbind("server stopping")
        try:
            async with asyncio.timeout(patience):
                while self.links:
                    self._gone.clear()
                    await self._gone.wait()
        except TimeoutError:
            log.warning("clients did not answer unbind", links=len(self.links))
        self.abort()

    def abort(self) -> None:
        """Whatever is still open, without another word."""
        for listener in self._listeners:
            listener.close()
        for link in list(self.links.values()):
            link.abort("server stopped")
        self._alarm.close()
