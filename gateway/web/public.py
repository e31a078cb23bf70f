"""What is served to the public: the API and the panel to whoever can prove who they are, and to anybody whether the
gateway is alive and ready.

Invariant: nothing that is answered without a proof tells about accounts or people.
"""

import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gateway.admin import Admin

from .access import PublicAccess
from .api import create_api, prepare_routes
from .bounds import Bounded
from .panel import add_panel, prepare_pages
from .prepared import Prepared
from .serving import serving


def create_public(admin: Admin, unready: Callable[[], list[str]], trusted_proxies: Sequence[str] = ()) -> ASGIApp:
    """`unready` names what keeps the gateway from taking traffic; nothing if all is well."""
    api = create_api(admin, PublicAccess(admin.entrance, admin.office.url))
    api.include_router(health(unready), include_in_schema=False)
    add_panel(api)
    app: ASGIApp = Prepared(Bounded(api), lambda: prepare(api))
    # uvicorn's own types say the same of an application in other words
    return ProxyHeadersMiddleware(app, list(trusted_proxies)) if trusted_proxies else app  # type: ignore[arg-type,return-value]


def prepare(api: FastAPI) -> None:
    prepare_routes(api)
    prepare_pages(api)


def health(unready: Callable[[], list[str]]) -> APIRouter:
    routes = APIRouter()

    @routes.get("/healthz")
    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    @routes.get("/readyz")
    async def readyz(_request: Request) -> Response:
        reasons = unready()
        return JSONResponse({"ready": not reasons, "reasons": reasons}, status_code=503 if reasons else 200)

    return routes


@asynccontextmanager
async def public_web(host: str, port: int, app: ASGIApp) -> AsyncIterator[tuple[str, int]]:
    """Serve app at host:port -> where it really listens (port 0 lets the system choose)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=256)
    listener.setblocking(False)
    name = listener.getsockname()
    async with serving(app, listener):
        yield name[0], name[1]
