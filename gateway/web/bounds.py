"""How much a request may bring along: what is larger is refused before anybody keeps it.

Invariant: no more than the bound is ever handed on, whatever the request said about its length. Only where files are
handed in may it be more than a form, and there nobody reads it before it is known who asks: FastAPI reads a body of
JSON before it looks at rights.
"""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access import API
from .problems import problem

FORM = 1 << 20
FILE, FILES = 11 << 20, 105 << 20
"""One of 10 MB as the body; ten of them, and what is around them, in a form."""
TOO_LARGE = 413


class Bounded:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        bound = bound_of(scope["path"])
        sentence, taken = f"this is more than {bound} octets; nothing was changed", 0
        if announced(scope) > bound:
            await problem(TOO_LARGE, sentence)(scope, receive, send)
            return

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > bound:
                raise HTTPException(TOO_LARGE, sentence)
            return message

        await self.app(scope, bounded, send)


def bound_of(path: str) -> int:
    if path.startswith(API):
        return FILE if path.endswith("/documents") else FORM
    return FILES if path.endswith(("/senders", "/documents")) else FORM


def announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0
