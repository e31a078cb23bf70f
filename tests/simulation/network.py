"""Connections without sockets: octets that arrive in pieces, late, or not at all; peers that hang up or fall silent.

Invariant: what arrives is a prefix of what was written, in its order. What has left a transport's buffer is in the
hands of the network: only then does a tap see it as sent. Knows no SMPP.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from random import Random
from typing import Any, Protocol, cast

from .clock import LIFE, Life, Loop

FACTORY = Callable[[], asyncio.BaseProtocol]


class Tap(Protocol):
    """Who watches one connection, at the gateway's end."""

    def written(self, octets: bytes) -> None: ...
    def sent(self, octets: bytes) -> None: ...
    def received(self, octets: bytes) -> None: ...
    def closed(self) -> None: ...


class End(asyncio.Transport):
    """One end of a connection. `context` is where its protocol lives."""

    other: End
    protocol: asyncio.Protocol

    def __init__(self, network: Network, context: Context, peer: tuple[str, int]) -> None:
        super().__init__({"peername": peer})
        self.tap: Tap | None = None
        self._network, self._context = network, context
        self._loop = network.loop
        self._buffer = bytearray()  # written, not yet taken by the network
        self._under_way = 0  # octets that the network has and the other end has not read
        self._arrives_at = 0.0  # what was sent last: nothing overtakes
        self._came: deque[bytes | None] = deque()  # None: nothing more will come
        self._high, self._low = 64 * 1024, 16 * 1024
        self._stopped = self._reading_paused = False
        self._closing = self._lost = self._eof_sent = self._deaf = False
        self._listens_at: float | None = None

    # -- what a protocol asks ----------------------------------------------------------------------------------
    def write(self, data: Any) -> None:
        if (life := self._context.get(LIFE)) is not None:
            life.step()
        if self._lost or self._closing or self._eof_sent:
            return
        if self.tap is not None:
            self.tap.written(bytes(data))
        self._buffer += data
        self._push()
        if len(self._buffer) > self._high and not self._stopped:
            self._stopped = True
            self.protocol.pause_writing()

    def write_eof(self) -> None:
        if not self._eof_sent and not self._lost:
            self._eof_sent = True
            self._send(None)

    def get_write_buffer_size(self) -> int:
        return len(self._buffer)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = high if high is not None else self._high
        self._low = low if low is not None else self._high // 4

    def is_closing(self) -> bool:
        return self._closing or self._lost

    def pause_reading(self) -> None:
        self._reading_paused = True

    def resume_reading(self) -> None:
        self._reading_paused = False
        self._soon(self._read)

    def close(self) -> None:
        if not self._closing and not self._lost:
            self._closing = True
            if not self._buffer:
                self._hang_up()

    def abort(self) -> None:
        if not self._lost:
            self._buffer.clear()
            self._closing = True
            self._loop.call_at(self._delayed(), self.other.reset, context=self.other._context)
            self._soon(self._lose, None)

    # -- on its way --------------------------------------------------------------------------------------------
    def _soon(self, call: Callable[..., object], *args: Any) -> None:
        self._loop.call_soon(call, *args, context=self._context)

    def _push(self) -> None:
        """The network takes what it has room for."""
        if self._lost:
            return
        room = self._network.capacity - self._under_way
        if room > 0 and self._buffer:
            octets = bytes(self._buffer[:room])
            del self._buffer[:room]
            self._under_way += len(octets)
            if self.tap is not None:
                self.tap.sent(octets)
            self._send(octets)
        if self._stopped and len(self._buffer) <= self._low:
            self._stopped = False
            self.protocol.resume_writing()
        if self._closing and not self._buffer:
            self._hang_up()

    def _send(self, octets: bytes | None) -> None:
        self._loop.call_at(self._delayed(), self.other.arrive, octets, context=self.other._context)

    def _delayed(self) -> float:
        self._arrives_at = max(self._arrives_at + 1e-6, self._loop.time() + self._network.delay())
        if self.other._listens_at is not None:  # not before it was accepted
            self._arrives_at = max(self._arrives_at, self.other._listens_at + 1e-6)
        return self._arrives_at

    def arrive(self, octets: bytes | None) -> None:
        if self._deaf:
            return
        if not self._lost:
            self._came.append(octets)
            self._read()
        elif octets is not None:  # nobody is there to read it
            self._loop.call_at(self._delayed(), self.other.reset, context=self.other._context)

    def _read(self) -> None:
        """One read, as a selector loop makes it: what is there, up to a size."""
        if self._reading_paused or self._lost or self._closing or not self._came:
            return
        octets = self._came.popleft()
        if octets is None:
            if not self.protocol.eof_received():
                self.close()
            return
        size = self._network.piece()
        if len(octets) > size:
            self._came.appendleft(octets[size:])
            octets = octets[:size]
        self.other._taken(len(octets))
        if self.tap is not None:
            self.tap.received(octets)
        self._network.saw(self, octets)
        self.protocol.data_received(octets)
        if self._came:
            self._soon(self._read)

    def _taken(self, number: int) -> None:
        self._under_way -= number
        if self._buffer:
            self._soon(self._push)

    # -- the end -----------------------------------------------------------------------------------------------
    def _hang_up(self) -> None:
        if not self._lost:
            if not self._eof_sent:
                self._eof_sent = True
                self._send(None)
            self._soon(self._lose, None)

    def reset(self) -> None:
        if not self._deaf:
            self._lose(ConnectionResetError("reset by peer"))

    def _lose(self, error: Exception | None) -> None:
        if not self._lost:
            self._lost = self._closing = True
            self._buffer.clear()
            if self.tap is not None:
                self.tap.closed()
            self._network.ends.discard(self)
            self.protocol.connection_lost(error)

    def vanish(self) -> None:
        """Its machine is gone from the net: the other end hears nothing, and nobody hears it."""
        self._deaf = True
        self._lose(ConnectionAbortedError("no network"))

    def cut(self, cleanly: bool) -> None:
        """Its process is dead; the system hangs up for it."""
        self._lost = True
        self._network.ends.discard(self)
        if self.tap is not None:
            self.tap.closed()
        call, args = (self.other.arrive, (None,)) if cleanly else (self.other.reset, ())
        self._loop.call_at(self._delayed(), call, *args, context=self.other._context)


class Ends(dict[End, None]):
    """A set in the order of arrival: what is done to all is done in the same order each time."""

    def add(self, end: End) -> None:
        self[end] = None

    def discard(self, end: End) -> None:
        self.pop(end, None)


class Listener:
    """What `create_server` gives."""

    def __init__(self, port: int) -> None:
        self.sockets = [self]
        self.open, self._port = True, port

    def getsockname(self) -> tuple[str, int]:
        return "0.0.0.0", self._port

    def close(self) -> None:
        self.open = False


class Network:
    """`slow`: seconds that octets take at most; `pieces`: sizes of single reads; `capacity`: octets under way."""

    def __init__(self, loop: Loop, chance: Random, slow: float, pieces: tuple[int, ...], capacity: int) -> None:
        self.loop, self.capacity = loop, capacity
        self.ends = Ends()
        self.watch: Callable[[str, int], Tap] | None = None
        self.saw: Callable[[End, bytes], None] = lambda end, octets: None
        self._chance, self._slow, self._pieces = chance, slow, pieces
        self._listener: tuple[Life, FACTORY, Listener] | None = None
        self._ports = 40_000

    def delay(self) -> float:
        return self._chance.random() ** 3 * self._slow

    def piece(self) -> int:
        return self._chance.choice(self._pieces)

    async def listen(self, factory: FACTORY, host: str, port: int, **_: Any) -> Listener:
        """In place of the loop's create_server."""
        life = LIFE.get()
        assert life is not None
        listener = Listener(port)
        self._listener = life, factory, listener
        return listener

    def connect(self, client: asyncio.Protocol, address: str) -> End:
        """From this address. ConnectionRefusedError where nobody listens."""
        if self._listener is None or self._listener[0].dead or not self._listener[2].open:
            raise ConnectionRefusedError
        life, factory, _listener = self._listener
        self._ports += 1
        here = End(self, copy_context(), ("0.0.0.0", 2775))
        there = End(self, life.context, (address, self._ports))
        here.other, there.other = there, here
        here.protocol = client
        self.ends.add(there)
        there._listens_at = self.loop.time() + self.delay()
        self.loop.call_at(there._listens_at, self._accept, there, factory, context=life.context)
        client.connection_made(here)
        return here

    def _accept(self, end: End, factory: FACTORY) -> None:
        if self.watch is not None:
            end.tap = self.watch(*end.get_extra_info("peername"))
        end.protocol = cast(asyncio.Protocol, factory())
        end.protocol.connection_made(end)

    def lose(self, life: Life) -> None:
        """That process is dead."""
        for end in list(self.ends):
            if end._context is life.context:
                end.cut(self._chance.random() < 0.5)
