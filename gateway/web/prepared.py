"""What an app makes when it is first asked is made on a thread: it takes a tenth of a second, and on the loop everybody
would wait for it.

Invariant: no request reaches the app before that is done, and it is done once. Who cannot have it made is told so, and
the next one tries again. Knows nothing of what is made.
"""

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send


class Prepared:
    def __init__(self, app: ASGIApp, prepare: Callable[[], None]) -> None:
        self.app = app
        self._prepare = prepare
        self._done, self._preparing = False, asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._done:
            async with self._preparing:
                if not self._done:
                    await asyncio.to_thread(self._prepare)
                    self._done = True
        await self.app(scope, receive, send)
