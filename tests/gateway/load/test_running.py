"""The generator against small servers of the test: what it counts, and what it refuses to believe."""

import os
import signal
import socket
from math import inf
from typing import Any

import pytest

from gateway.load import running, wire
from gateway.load.figures import faults, warnings
from gateway.load.plan import Plan
from gateway.load.running import run

from .peer import accepted, delivered, listening, receipt, refused, serve, server


def test_every_message_is_counted_with_its_receipt() -> None:
    with server(delivered, connections=3) as port:
        found = run(Plan(port, connections=3, window=7, total=500, receipts=True))
    assert (found["sent"], found["accepted"], found["receipts"]) == (500, 500, 500)
    assert found["p50_ms"] <= found["p90_ms"] <= found["p99_ms"] <= found["p999_ms"] <= found["max_ms"]
    assert sum(bar["number"] for bar in found["histogram"]) == 500
    assert faults(found) == []


def test_ids_are_matched_whichever_connection_has_the_receipt() -> None:
    given: list[int] = []

    def to_the_next(sequence: int, number: int) -> bytes:
        """Ids of their own; each answer brings the receipt of the message before, whoever sent it."""
        given.append(len(given) + 1000)
        last = [receipt(given[-2], number)] if len(given) > 1 else []
        return b"".join([wire.pdu(wire.SUBMIT_SM_RESP, 0, sequence, b"%d\0" % given[-1]), *last])

    with server(to_the_next) as port:
        found = run(Plan(port, total=50, receipts=True, grace=0.2))
    assert (found["receipts"], found["receipts_missing"], found["foreign_receipts"]) == (49, 1, 0)
    assert faults(found) == ["1 receipts missing"]


def test_refusals_are_counted_by_status() -> None:
    def every_third(sequence: int, number: int) -> bytes:
        return accepted(sequence, number) if number % 3 else refused(0x58, sequence)

    with server(every_third) as port:
        found = run(Plan(port, total=300))
    assert (found["accepted"], found["refused"], found["throttled"]) == (200, {"0x00000058": 100}, 100)
    assert found["statuses"] == {"ESME_ROK": 200, "ESME_RTHROTTLED": 100}
    assert faults(found) == ["100 refused"]


def test_a_pace_is_kept() -> None:
    with server(accepted, connections=2) as port:
        found = run(Plan(port, connections=2, rate=1000, seconds=0.3))
    assert 0 < found["accepted"] <= 1000 * found["seconds"] + 1


def test_a_pace_that_is_not_kept_is_told() -> None:
    with server(lambda sequence, number: accepted(sequence, number) if number < 5 else b"") as port:
        found = run(Plan(port, rate=1000, seconds=0.3, grace=0.1))
    assert any("not kept" in sentence for sentence in warnings(found))


def test_a_receipt_with_a_foreign_id() -> None:
    def confused(sequence: int, number: int) -> bytes:
        return accepted(sequence, number) + receipt(sequence + (number == 7) * 1000, number)

    with server(confused) as port:
        found = run(Plan(port, total=20, receipts=True, grace=0.2))
    assert (found["ids"], found["receipts"], found["foreign_receipts"]) == ("differ", 19, 1)
    assert faults(found) == ["1 receipts missing"]
    assert any("two ways" in sentence for sentence in warnings(found))


def test_messages_from_phones_are_not_receipts() -> None:
    hello = wire.pdu(wire.DELIVER_SM, 0, 9, bytes(16) + b"\2hi")
    with server(lambda sequence, number: accepted(sequence, number) + (hello if number == 1 else b"")) as port:
        found = run(Plan(port, total=20))
    assert (found["other_deliveries"], found["receipts"], faults(found)) == (1, 0, [])


def test_responses_that_never_come_are_told() -> None:
    with server(lambda sequence, number: accepted(sequence, number) if number < 5 else b"") as port:
        found = run(Plan(port, seconds=0.2, grace=0.2))
    assert (found["accepted"], found["unanswered"]) == (4, 10)
    assert faults(found) == ["10 never answered"]


def test_a_server_that_falls_silent_ends_a_run_without_a_time() -> None:
    with server(lambda sequence, number: accepted(sequence, number) if number < 5 else b"") as port:
        found = run(Plan(port, seconds=inf, total=100, grace=0.2))
    assert (found["accepted"], found["unanswered"]) == (4, 10)


def test_a_lost_connection_is_told_and_the_others_go_on() -> None:
    def hangs_up(sequence: int, number: int) -> bytes:
        if number == 30 and not gone:
            gone.append(True)
            raise ConnectionError
        return accepted(sequence, number)

    gone: list[bool] = []
    with server(hangs_up, connections=2) as port:
        found = run(Plan(port, connections=2, total=500, seconds=0.5, grace=0.2))
    assert (found["lost_connections"], found["sent"]) == (1, 500)
    assert found["accepted"] + found["unanswered"] == 500
    assert "1 connections lost" in faults(found)


def test_a_nack_is_the_answer_to_its_message() -> None:
    def nack(sequence: int, number: int) -> bytes:
        return wire.pdu(wire.GENERIC_NACK, 3, sequence) if number % 2 else accepted(sequence, number)

    with server(nack) as port:
        found = run(Plan(port, total=100))
    assert (found["accepted"], found["statuses"]) == (50, {"ESME_ROK": 50, "ESME_RINVCMDID": 50})
    assert (found["generic_nacks"], found["unanswered"]) == (50, 0)


class Heard:
    """A connection that keeps what it was sent."""

    def __init__(self, connection: socket.socket) -> None:
        self.octets, self._connection = b"", connection
        self.sendall = connection.sendall

    def recv(self, size: int) -> bytes:
        octets = self._connection.recv(size)
        self.octets += octets
        return octets


def test_an_enquiry_is_answered() -> None:
    heard: list[Heard] = []

    def listen(connection: socket.socket) -> None:
        heard.append(Heard(connection))
        with connection:
            serve(heard[0], enquiring)

    def enquiring(sequence: int, number: int) -> bytes:
        return accepted(sequence, number) + (wire.pdu(wire.ENQUIRE_LINK, 0, 77) if number == 3 else b"")

    with listening(listen) as port:
        found = run(Plan(port, total=50))
    assert (found["enquire_links"], found["accepted"]) == (1, 50)
    assert wire.pdu(wire.ENQUIRE_LINK | wire.RESPONSE, 0, 77) in heard[0].octets


def test_the_warm_up_is_not_counted() -> None:
    seen: list[int] = []

    def counted(sequence: int, number: int) -> bytes:
        seen.append(number)
        return delivered(sequence, number)

    with server(counted) as port:
        found = run(Plan(port, total=40, warm_up=0.05, receipts=True))
    assert (found["accepted"], found["receipts"]) == (40, 40)
    assert len(seen) > 40


def test_a_transmitter_binds_as_one() -> None:
    with server(accepted) as port:
        found = run(Plan(port, total=10, transmitter=True))
    assert (found["accepted"], found["bind"]) == (10, "transmitter")


def test_moments_and_ticks_come_in_their_order() -> None:
    moments: list[str] = []
    phases: list[str] = []
    with server(accepted) as port:
        run(Plan(port, total=10), moments.append, lambda crowd: phases.append(crowd.phase))
    assert moments == [running.START, running.SENT, running.END]
    assert phases[0] == "binding"


def test_an_interrupt_ends_the_run_and_not_the_figures() -> None:
    def interrupt(sequence: int, number: int) -> bytes:
        if number == 100:
            os.kill(os.getpid(), signal.SIGINT)
        return accepted(sequence, number)

    before = signal.getsignal(signal.SIGINT)
    with server(interrupt) as port:
        found = run(Plan(port, seconds=30))
    assert found["interrupted"]
    assert 100 <= found["accepted"] == found["sent"]
    assert found["seconds"] < 30
    assert signal.getsignal(signal.SIGINT) is before


def test_octets_that_are_not_smpp_end_the_run() -> None:
    with server(lambda _sequence, _number: b"HTTP/1.1 400 Bad Request\r\n") as port, pytest.raises(wire.WireError):
        run(Plan(port, total=10))


def test_a_bind_in_many_pieces_is_one() -> None:
    """Nothing is assumed of where a read ends."""

    def dribbling(connection: Any) -> None:
        with connection:
            connection.recv(1000)
            for octet in wire.pdu(wire.BIND_TRANSCEIVER | wire.RESPONSE, 0, 1, b"me\0"):
                connection.send(bytes([octet]))
            serve(connection, accepted)

    with listening(dribbling) as port:
        assert run(Plan(port, total=10))["accepted"] == 10
