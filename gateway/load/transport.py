"""A connection's socket, plain or TLS, and what waits for many of them.

Invariant: nothing here waits once a connection stands. Both kinds of socket answer alike: nothing there, some octets,
or gone. Knows nothing of SMPP.
"""

import select
import socket
import ssl
from pathlib import Path
from typing import Any

READ = 65_536
PATIENCE = 10.0  # seconds to connect
FLAGS = select.POLLIN, select.POLLOUT
READABLE, WRITABLE = FLAGS


def secured(ca: Path | None = None, *, insecure: bool = False) -> ssl.SSLContext:
    """TLS as it should be, or without asking who the server is. OSError if `ca` cannot be read."""
    context = ssl.create_default_context(cafile=ca)
    if insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Plain:
    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        connected.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self) -> bytes | None:
        """What has come; None if nothing has, b"" if the peer is gone."""
        try:
            return self._socket.recv(READ)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def send(self, octets: bytes) -> int:
        """How many of the octets are on their way; the others are to be offered again, with more behind them at most.

        If the peer is gone all of them are: the next read will tell.
        """
        try:
            return self._socket.send(octets)
        except BlockingIOError:
            return 0
        except OSError:
            return len(octets)

    def close(self) -> None:
        self._socket.close()


class Secured(Plain):
    """A record at a time, until there is none: what TLS holds already, no poll would tell of."""

    def receive(self) -> bytes | None:
        records = list[bytes]()
        try:
            while record := self._socket.recv(READ):
                records.append(record)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b"".join(records) or None
        except OSError:
            pass
        return b"".join(records)  # gone; if something came before that, the next read tells

    def send(self, octets: bytes) -> int:
        view, sent = memoryview(octets), 0
        try:
            while sent < len(view):
                sent += self._socket.send(view[sent:])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            return len(view)
        return sent


def connect(host: str, port: int, tls: ssl.SSLContext | None = None) -> Plain:
    """OSError if it cannot be."""
    connected = socket.create_connection((host, port), timeout=PATIENCE)
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is None:
            return Plain(connected)
        return Secured(tls.wrap_socket(connected, server_hostname=host))
    except BaseException:
        connected.close()
        raise


def why(error: OSError) -> str:
    """What went wrong while connecting, for people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no TLS there: {error.reason or error}"
    return error.strerror or str(error)


class Poll:
    """select.poll with the manners of select.epoll, where there is none."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self.register, self.modify, self.unregister = self._poll.register, self._poll.modify, self._poll.unregister

    def poll(self, seconds: float) -> list[tuple[int, int]]:
        return self._poll.poll(seconds * 1000)

    def close(self) -> None:
        """There is nothing to close."""


def poller() -> Any:
    """The flags of both are the same numbers."""
    return select.epoll() if hasattr(select, "epoll") else Poll()
