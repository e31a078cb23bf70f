"""Requests begin one after another: however many come in at once, the gateway has its other work to do in between.

Invariant: in one pass of the loop no more than one request is begun, and none before what all of them need is made. To
make it takes so long that a thread does. Knows nothing of HTTP.
"""

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send


class Turnstile:
    """`first` makes what the app would else make on the loop when it is first asked."""

    def __init__(self, app: ASGIApp, first: Callable[[], None] | None = None) -> None:
        self.app = app
        self._first = first
        self._one = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._one:
            if self._first is not None:
                await asyncio.to_thread(self._first)
                self._first = None
            await asyncio.sleep(0)
        await self.app(scope, receive, send)
