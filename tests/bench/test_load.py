"""The generator against small servers of the test: what it counts, and what it refuses to believe."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bench import load, wire
from bench.tally import Plan

Answer = Callable[[int, int], bytes]  # of a submit_sm: its sequence number and its number in the session


def serve(connection: socket.socket, answer: Answer) -> None:
    rest, submitted = b"", 0
    with connection:
        while octets := connection.recv(65536):
            rest, replies = rest + octets, []
            while len(rest) >= 16:
                length, command, _status, sequence = wire.HEADER.unpack_from(rest)
                if len(rest) < length:
                    break
                rest = rest[length:]
                if command == wire.SUBMIT_SM:
                    submitted += 1
                    replies.append(answer(sequence, submitted))
                elif not command & wire.RESPONSE:
                    replies.append(wire.pdu(command | wire.RESPONSE, 0, sequence))
            connection.sendall(b"".join(replies))


@contextmanager
def server(answer: Answer, connections: int = 1) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            for _ in range(connections):
                threading.Thread(target=serve, args=(listener.accept()[0], answer), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]


def accepted(sequence: int, _number: int) -> bytes:
    return wire.pdu(wire.SUBMIT_SM_RESP, 0, sequence, b"%d\0" % sequence)


def receipt(message_id: int, number: int) -> bytes:
    return wire.pdu(wire.DELIVER_SM, 0, number, bytes(16) + b"id:%d sub:001 stat:DELIVRD" % message_id)


def delivered(sequence: int, number: int) -> bytes:
    return accepted(sequence, number) + receipt(sequence, number)


def run(port: int, *words: str) -> list[str]:
    return ["--port", str(port), "--json", "--grace", "0.2", *words]


def test_every_message_is_counted_with_its_receipt(capsys: pytest.CaptureFixture[str]) -> None:
    with server(delivered, connections=3) as port:
        assert load.main(run(port, "-c", "3", "-w", "7", "-n", "500", "-r")) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["sent"], figures["accepted"], figures["receipts"], figures["ids"]) == (500, 500, 500, "match")
    assert figures["p50_ms"] <= figures["p99_ms"] <= figures["max_ms"]


def test_refusals_are_counted_by_status() -> None:
    def every_third(sequence: int, number: int) -> bytes:
        return accepted(sequence, number) if number % 3 else wire.pdu(wire.SUBMIT_SM_RESP, 0x58, sequence, b"\0")

    with server(every_third) as port:
        figures = load.run(Plan(port, total=300), [])
    assert (figures["accepted"], figures["refused"]) == (200, {"0x00000058": 100})
    assert load.faults(figures) == []


def test_a_pace_is_kept() -> None:
    with server(accepted, connections=2) as port:
        figures = load.run(Plan(port, connections=2, rate=1000, seconds=0.3), [])
    assert 0 < figures["accepted"] <= 1000 * figures["seconds"] + 1


def test_a_receipt_with_a_foreign_id_makes_the_figures_worthless() -> None:
    def confused(sequence: int, number: int) -> bytes:
        return accepted(sequence, number) + receipt(sequence + (number == 7), number)

    with server(confused) as port:
        figures = load.run(Plan(port, total=20, receipts=True, grace=0.2), [])
    assert figures["ids"] == "differ"
    assert load.faults(figures) != []


def test_responses_that_never_come_are_told() -> None:
    with server(lambda sequence, number: accepted(sequence, number) if number < 5 else b"") as port:
        figures = load.run(Plan(port, seconds=0.2, grace=0.2), [])
    assert (figures["accepted"], figures["unanswered"]) == (4, 10)


def test_a_refused_bind_ends_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(listener: socket.socket) -> None:
        connection, _peer = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(wire.pdu(wire.BIND_TRANSCEIVER | wire.RESPONSE, 0x0E, 1))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=refuse, args=(listener,), daemon=True).start()
        assert load.main(run(listener.getsockname()[1])) == 2
    assert "0x0000000e" in capsys.readouterr().err
