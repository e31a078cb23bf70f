"""One connection of a client over HTTP, which has a time to say what it wants and to read what it is told.

Invariant: a request that does not come, and an answer that is not read, end in bounded time; of whoever keeps coming
there are at most MOST, and whoever says much is read once in a pass of the loop, a quarter of a megabyte at most.
uvicorn itself waits for ever, for any number, and takes what there is. Knows nothing of what is asked.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 256  # connections of one listener, and requests under way: some of who asked hang up before they are answered
REQUEST = 15.0  # seconds for a request to come in whole, and
SLOWEST = 16 * 1024  # octets for which it gets a second more
ANSWER = 60.0  # seconds in which nothing of an answer is taken
MUCH = 64 * 1024  # octets of one read; libuv would go on, up to 8 MB of each connection, before anybody else's turn


class Visitor(H11Protocol):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._taken = 0  # octets of the request
        self._asking_since = self.loop.time()
        self._stuck_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if max(len(self.connections), len(self.tasks)) > MOST:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self._taken += len(data)
        super().data_received(data)
        if len(data) >= MUCH and not self.transport.is_closing():
            self.transport.pause_reading()
            self.loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        if not self.flow.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def on_response_complete(self) -> None:
        self._begin_anew()
        super().on_response_complete()

    def pause_writing(self) -> None:
        self._stuck_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stuck_since = None
        super().resume_writing()

    def tick(self) -> None:
        """Once a second."""
        now = self.loop.time()
        if not self._asks():
            self._begin_anew()
        late = now - self._asking_since > REQUEST + self._taken / SLOWEST
        if late or (self._stuck_since is not None and now - self._stuck_since > ANSWER):
            self.transport.abort()

    def _asks(self) -> bool:
        """Is it the client whom we wait for?"""
        return getattr(self.cycle, "response_complete", True) or self.cycle.more_body

    def _begin_anew(self) -> None:
        self._taken, self._asking_since = 0, self.loop.time()
