"""The smallest customer: a blocking socket that writes and reads whole PDUs, through the product's own codec.

For tests that must say exactly what goes over the wire. What the codec itself is worth, foreign clients tell.
"""

import socket
from collections.abc import Callable
from typing import Any, Self

from pdu import codec, frames
from pdu import constants as c
from pdu.bodies import BODIES, address
from tests.server import HOST, PATIENCE, Login, Server

MOBILE = address(1, 1, b"48600100200")
SENDER = address(5, 0, b"smppgate")


class Esme:
    """`with Esme(server) as esme: esme.bind(login); esme.ask(c.SUBMIT_SM, destination=..., short_message=...)`."""

    def __init__(self, server: Server, *, patience: float = PATIENCE) -> None:
        self.socket = socket.create_connection((HOST, server.port), timeout=patience)
        self.sequence = 0
        self._unread = b""
        self.aside: list[codec.Pdu] = []  # what came while something else was awaited

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def write(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def send(self, command: int, status: int = 0, sequence: int | None = None, **values: Any) -> int:
        """Write one PDU built from the fields given; -> its sequence number."""
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        body = BODIES[command].build(sequence, **values)
        self.write(codec.encode(codec.Pdu(command, status, sequence, body)))
        return sequence

    def read(self) -> codec.Pdu | None:
        """The next PDU, or None if the server hung up."""
        while True:
            [*_], used, fault = frames.split(self._unread)
            assert fault is None, fault
            if used:
                length = int.from_bytes(self._unread[:4], "big")
                octets, self._unread = self._unread[:length], self._unread[length:]
                return codec.decode(octets)
            more = self.socket.recv(65536)
            if not more:
                assert not self._unread, f"hung up within a PDU: {self._unread!r}"
                return None
            self._unread += more

    def until(self, wanted: Callable[[codec.Pdu], bool]) -> codec.Pdu:
        """The first PDU that is wanted, read now or set aside before."""
        for pdu in self.aside:
            if wanted(pdu):
                self.aside.remove(pdu)
                return pdu
        while not wanted(pdu := self._next()):
            self.aside.append(pdu)
        return pdu

    def _next(self) -> codec.Pdu:
        pdu = self.read()
        assert pdu is not None, f"the server hung up; aside: {self.aside}"
        return pdu

    def answer(self, sequence: int) -> codec.Pdu:
        return self.until(lambda pdu: bool(pdu.command & c.RESPONSE) and pdu.sequence == sequence)

    def ask(self, command: int, **values: Any) -> codec.Pdu:
        return self.answer(self.send(command, **values))

    def heard(self, command: int) -> codec.Pdu:
        """The next request of the server with that command; it stays unanswered."""
        return self.until(lambda pdu: pdu.command == command)

    def bind(self, login: Login, command: int = c.BIND_TRANSCEIVER, **values: Any) -> codec.Pdu:
        secret = {"system_id": login.system_id.encode(), "password": login.password.encode()}
        return self.ask(command, **secret, **values)

    def submit(self, text: bytes = b"hello", **values: Any) -> codec.Pdu:
        return self.ask(c.SUBMIT_SM, **{"source": SENDER, "destination": MOBILE, "short_message": text, **values})
