"""Binds that fail, and what is said of them."""

import select
import socket
from contextlib import closing

import pytest

from gateway.load import wire
from gateway.load.crowd import BindError, Crowd
from gateway.load.plan import Plan

from .peer import accepted, listening, refusing, serve, server

RESPONSE = wire.BIND_TRANSCEIVER | wire.RESPONSE


def bind(plan: Plan, seconds: float = 5.0) -> None:
    with closing(Crowd(plan)) as made:
        made.connect()
        made.wait_bound(seconds)


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (wire.pdu(RESPONSE, 0x0E, 1), r"^bind refused with 0x0E ESME_RINVPASWD: the system_id or the password"),
        (wire.pdu(RESPONSE, 0x0D, 1, b"me\0"), "ESME_RBINDFAIL: the address"),
        (wire.pdu(RESPONSE, 0x4FF, 1), "refused with 0x4FF$"),
        (wire.pdu(wire.GENERIC_NACK, 3, 1), "ESME_RINVCMDID: .* --bind"),
        (wire.pdu(wire.GENERIC_NACK, 0, 1), "ESME_RUNKNOWNERR"),
        (b"", "closed the connection instead"),
    ],
)
def test_a_refused_bind_says_why(octets: bytes, said: str) -> None:
    with listening(refusing(octets)) as port, pytest.raises(BindError, match=said):
        bind(Plan(port))


def test_some_of_many_are_refused() -> None:
    places = [True, True]

    def full(connection: socket.socket) -> None:
        if places:
            places.pop()
            with connection:
                serve(connection, accepted)
        else:
            refusing(wire.pdu(RESPONSE, 5, 1))(connection)

    with listening(full, connections=5) as port, pytest.raises(BindError, match=r"^3 of 5: .* fewer --connections"):
        bind(Plan(port, connections=5))


def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(BindError, match=r"no answer .* 0\.2 sec"):
        bind(Plan(silent.getsockname()[1]), 0.2)


def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(BindError, match=rf"^127\.0\.0\.1:{port}: Connection refused$"):
        bind(Plan(port))


def test_an_unknown_host() -> None:
    with pytest.raises(BindError, match=r"^nobody\.invalid:2775: "):
        bind(Plan(2775, "nobody.invalid"))


def test_all_connections_are_closed_in_the_end() -> None:
    with server(accepted, connections=3) as port, closing(Crowd(Plan(port, connections=3))) as made:
        made.connect()
        made.wait_bound()
    assert [connection.transport.fileno() for connection in made.connections] == [-1] * 3


def test_without_epoll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(select, "epoll")
    with server(accepted, connections=2) as port, closing(Crowd(Plan(port, connections=2))) as made:
        made.connect()
        made.wait_bound()
        tally = made.start()
        made.send(5.0, 300)
        assert tally.accepted == 300
