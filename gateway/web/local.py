"""The API on a socket in the data folder, for the command line on the same machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.types import ASGIApp

from .serving import serving
from .unix import listen, remove


@asynccontextmanager
async def local_api(path: Path, app: ASGIApp) -> AsyncIterator[None]:
    """Serve app at path, mode 0600. The caller holds the lock of the data folder, so what lies there is a leftover."""
    listener = listen(path)
    try:
        async with serving(app, listener):
            yield
    finally:
        remove(path)
