"""A socket in the data folder: how it is made private, and how it is found.

Invariant: nobody but the owner of the data folder can connect. The file's mode is the only login there is.
"""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NAME = "admin.sock"
LONGEST = 100  # a socket's address holds 108 octets on Linux, 104 elsewhere


def remove(path: Path) -> None:
    with suppress(FileNotFoundError):
        path.unlink()


def listen(path: Path) -> socket.socket:
    remove(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short(path) as name:
            listener.bind(name)
            os.chmod(name, 0o600)  # before listen(): until then nobody can connect
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
