"""How much a request may bring along: what is larger is refused before anybody keeps it.

Invariant: no more than the bound is ever handed on, whatever the request said about its length, and of what is larger
than a form only a few requests at a time. Only where files are handed in may it be more, and there nobody reads it
before it is known who asks: FastAPI reads a body of JSON before it looks at rights.
"""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access import API
from .problems import problem

FORM = 1 << 20
FILE, FILES = 11 << 20, 105 << 20
"""One of 10 MB as the body; ten of them, and what is around them, in a form."""
MOST_LARGE = 4
"""Requests larger than a form that are taken at a time: until they are served, memory or the disk keeps them."""
TOO_LARGE, TOO_MANY = 413, 503
BUSY = "several files are being handed in just now; nothing was changed, try again in a moment"


class Bounded:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._large = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        bound = bound_of(scope["path"])
        sentence, taken, large = f"this is more than {bound} octets; nothing was changed", 0, False
        if announced(scope) > bound:
            await problem(TOO_LARGE, sentence)(scope, receive, send)
            return

        async def bounded() -> Message:
            nonlocal taken, large
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > bound:
                raise HTTPException(TOO_LARGE, sentence)
            if taken > FORM and not large:
                if self._large >= MOST_LARGE:
                    raise HTTPException(TOO_MANY, BUSY, {"Retry-After": "10"})
                large, self._large = True, self._large + 1
            return message

        try:
            await self.app(scope, bounded, send)
        finally:
            self._large -= large


def bound_of(path: str) -> int:
    if path.startswith(API):
        return FILE if path.endswith("/documents") else FORM
    return FILES if path.endswith(("/senders", "/documents")) else FORM


def announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0
