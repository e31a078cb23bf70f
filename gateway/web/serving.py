"""An ASGI app on a listening socket inside the gateway's own loop: uvicorn without signals, log and lifespan.

Invariant: the socket is bound before `serving` begins and closed when it ends. Knows nothing of the app.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from .turnstile import Turnstile
from .visitor import Visitor

GRACE = 2  # seconds that requests under way may take when the gateway stops


class Embedded(uvicorn.Server):
    """uvicorn.Server for a process that has other things to do."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                Turnstile(app),
                loop="none",
                lifespan="off",
                http=Visitor,
                ws="none",
                log_config=None,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE,
            )
        )
        self.up, self.stop = asyncio.Event(), asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM belongs to the gateway."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def main_loop(self) -> None:
        """Once a second is enough for the date header and for who is late; to stop takes no time at all."""
        while not self.stop.is_set():
            await self.on_tick(0)
            for visitor in list(self.server_state.connections):
                if isinstance(visitor, Visitor):
                    visitor.tick()
            try:
                await asyncio.wait_for(self.stop.wait(), 1.0)
            except TimeoutError:
                continue


@asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    server = Embedded(app)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    started = asyncio.create_task(server.up.wait())
    try:
        await asyncio.wait((task, started), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        yield
    finally:
        started.cancel()
        server.stop.set()
        await asyncio.wait((task,))
        listener.close()
