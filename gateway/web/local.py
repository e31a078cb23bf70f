"""The API on a socket in the data folder, for the command line on the same machine.

Invariant: nobody but the owner of the data folder can connect. The file's mode is the only login there is.
"""

import os
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from starlette.types import ASGIApp

from .serving import serving

NAME = "admin.sock"
LONGEST = 100   # a socket's address holds 108 octets on Linux, 104 elsewhere


@asynccontextmanager
async def local_api(path: Path, app: ASGIApp) -> AsyncIterator[None]:
    """Serve app at path, mode 0600. The caller holds the lock of the data folder, so what lies there is a leftover."""
    listener = listen(path)
    try:
        async with serving(app, listener):
            yield
    finally:
        remove(path)


def remove(path: Path) -> None:
    with suppress(FileNotFoundError):
        path.unlink()


def listen(path: Path) -> socket.socket:
    remove(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short(path) as name:
            listener.bind(name)
            os.chmod(name, 0o600)       # before listen(): until then nobody can connect
        listener.listen(64)
    except BaseException:
        listener.close()
        raise
    return listener


def connect(path: Path, timeout: float) -> socket.socket:
    """-> a socket connected to the gateway that serves this data folder; OSError if none does."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        client.settimeout(timeout)
        with short(path) as name:
            client.connect(name)
    except BaseException:
        client.close()
        raise
    return client


@contextmanager
def short(path: Path) -> Iterator[str]:
    """A name for path that fits into a socket's address: itself, or by way of a link to its folder."""
    name = str(path)
    if len(os.fsencode(name)) <= LONGEST:
        yield name
        return
    with tempfile.TemporaryDirectory(prefix="smppgate-") as folder:
        link = Path(folder, "d")
        link.symlink_to(path.parent.resolve(), target_is_directory=True)
        yield str(link / path.name)
