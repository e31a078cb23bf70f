"""The API on a socket in the data folder, for the command line on the same machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.types import ASGIApp

from gateway.admin import Admin

from .access import LocalAccess
from .api import create_api, prepare_routes
from .prepared import Prepared
from .serving import serving
from .unix import listen, remove


def create_local(admin: Admin) -> ASGIApp:
    api = create_api(admin, LocalAccess())
    return Prepared(api, lambda: prepare_routes(api))


@asynccontextmanager
async def local_api(path: Path, app: ASGIApp) -> AsyncIterator[None]:
    """Serve app at path, mode 0600. The caller holds the lock of the data folder, so what lies there is a leftover."""
    listener = listen(path)
    try:
        async with serving(app, listener):
            yield
    finally:
        remove(path)
