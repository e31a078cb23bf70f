"""Requests begin one after another: however many come in at once, the gateway has its other work to do in between.

Invariant: in one pass of the loop one request is begun, in the order in which they came. Knows nothing of HTTP.
"""

import asyncio
from collections import deque

from starlette.types import ASGIApp, Receive, Scope, Send


class Turnstile:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append(turn)
        if len(self._waiting) == 1:
            loop.call_soon(self._let_in, loop)
        await turn
        await self.app(scope, receive, send)

    def _let_in(self, loop: asyncio.AbstractEventLoop) -> None:
        turn = self._waiting.popleft()
        if not turn.done():  # it may have been cancelled
            turn.set_result(None)
        if self._waiting:
            loop.call_soon(self._let_in, loop)
