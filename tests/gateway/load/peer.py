"""Small SMPP servers for the tests of the generator: each answers as the test says."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from gateway.load import wire

Answer = Callable[[int, int], bytes]  # of a submit_sm: its sequence number and its number in the session


def accepted(sequence: int, _number: int) -> bytes:
    return wire.pdu(wire.SUBMIT_SM_RESP, 0, sequence, b"%d\0" % sequence)


def receipt(message_id: int, number: int) -> bytes:
    return wire.pdu(wire.DELIVER_SM, 0, number, bytes(16) + b"id:%d sub:001 stat:DELIVRD" % message_id)


def delivered(sequence: int, number: int) -> bytes:
    return accepted(sequence, number) + receipt(sequence, number)


def refused(status: int, sequence: int) -> bytes:
    return wire.pdu(wire.SUBMIT_SM_RESP, status, sequence)


class Wire(Protocol):
    def recv(self, size: int, /) -> bytes: ...
    def sendall(self, octets: bytes, /) -> None: ...


def serve(connection: Wire, answer: Answer) -> None:
    """Until the client goes, or `answer` raises ConnectionError."""
    rest, submitted = b"", 0
    while octets := connection.recv(65536):
        rest, replies = rest + octets, []
        while len(rest) >= 16:
            length, command, _status, sequence = wire.HEADER.unpack_from(rest)
            if len(rest) < length:
                break
            rest = rest[length:]
            if command == wire.SUBMIT_SM:
                submitted += 1
                try:
                    replies.append(answer(sequence, submitted))
                except ConnectionError:
                    connection.sendall(b"".join(replies))
                    return
            elif not command & wire.RESPONSE:
                replies.append(wire.pdu(command | wire.RESPONSE, 0, sequence))
        connection.sendall(b"".join(replies))


@contextmanager
def server(answer: Answer, connections: int = 1) -> Iterator[int]:
    """-> the port."""

    def serve_one(connection: socket.socket) -> None:
        with connection:
            serve(connection, answer)

    with listening(serve_one, connections) as port:
        yield port


@contextmanager
def listening(serve_one: Callable[[socket.socket], None], connections: int = 1) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            for _ in range(connections):
                threading.Thread(target=serve_one, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        port: int = listener.getsockname()[1]
        yield port


def refusing(octets: bytes) -> Callable[[socket.socket], None]:
    """Answers the bind with these octets, and hangs up."""

    def once(connection: socket.socket) -> None:
        with connection:
            connection.recv(1000)
            connection.sendall(octets)

    return once
