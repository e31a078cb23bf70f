"""What anybody may ask over HTTP: is the gateway alive, is it ready. The panel will grow here.

Invariant: nothing that is answered here tells about accounts.
"""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from .serving import serving


def create_public(unready: Callable[[], list[str]]) -> Starlette:
    """`unready` names what keeps the gateway from taking traffic; nothing if all is well."""

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        reasons = unready()
        return JSONResponse({"ready": not reasons, "reasons": reasons}, status_code=503 if reasons else 200)

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz)])


@asynccontextmanager
async def public_web(host: str, port: int, app: ASGIApp) -> AsyncIterator[tuple[str, int]]:
    """Serve app at host:port -> where it really listens (port 0 lets the system choose)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=256)
    listener.setblocking(False)
    name = listener.getsockname()
    async with serving(app, listener):
        yield name[0], name[1]
