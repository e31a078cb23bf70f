"""Every PDU that a server emits, with status 0 and as an error, is dissected by tshark without a complaint."""

import socket
from pathlib import Path

import pytest

from pdu import constants as c
from pdu import frames
from pdu.bodies import address
from tests.esme import MOBILE, SENDER, Esme
from tests.interop.capture import Capture, Dissected
from tests.server import HOST, Server

pytestmark = pytest.mark.interop

TOMORROW = b"000001000000000R"
REFUSED = address(1, 1, b"48600100208")
UNDELIVERED = address(1, 1, b"48600100209")
NOBODY = address(0, 0, b"12")

# Sent by a server to a customer of ours, all of SMPP 3.4 but outbind and alert_notification.
EMITTED = {
    c.BIND_RECEIVER_RESP,
    c.BIND_TRANSMITTER_RESP,
    c.BIND_TRANSCEIVER_RESP,
    c.SUBMIT_SM_RESP,
    c.DATA_SM_RESP,
    c.SUBMIT_MULTI_RESP,
    c.QUERY_SM_RESP,
    c.CANCEL_SM_RESP,
    c.REPLACE_SM_RESP,
    c.ENQUIRE_LINK_RESP,
    c.UNBIND_RESP,
    c.GENERIC_NACK,
    c.DELIVER_SM,
    c.ENQUIRE_LINK,
    c.UNBIND,
}


def test_every_pdu_we_emit(tmp_path: Path) -> None:
    with Server(tmp_path / "server") as server:
        capture = Capture(tmp_path, server.port)
        with capture.running():
            talk(server)
            vendor_parameters(server)
            old_client(server)
            trouble(server)
            asked_and_shown_the_door(server)
        emitted = capture.dissected()

    complaints = [f"{c.COMMAND_NAMES.get(pdu.command)}: {pdu.complaints}" for pdu in emitted if pdu.complaints]
    assert complaints == []
    assert {pdu.command for pdu in emitted} == EMITTED
    assert {c.COMMAND_NAMES[command] for command in refused(emitted)} >= {
        "bind_transceiver_resp",
        "submit_sm_resp",
        "query_sm_resp",
        "cancel_sm_resp",
        "replace_sm_resp",
        "generic_nack",
    }


def test_the_referee_does_complain(tmp_path: Path) -> None:
    """Of a submit_sm_resp without the NUL behind its message_id and of an optional parameter that runs over the end."""
    unended = frames.frame(c.SUBMIT_SM_RESP, 0, 1, b"12345")
    overrun = frames.frame(c.SUBMIT_SM_RESP, 0, 2, b"1\0\x00\x1e\x00\x09abc")
    good = frames.frame(c.SUBMIT_SM_RESP, 0, 3, b"12345\0")
    with socket.create_server((HOST, 0)) as listener:
        capture = Capture(tmp_path, listener.getsockname()[1])
        with capture.running():
            for octets in (good, unended, overrun):
                with socket.create_connection(listener.getsockname()) as client:
                    answer(listener, client, octets)
                    assert client.recv(100) == octets
    assert [bool(pdu.complaints) for pdu in capture.dissected()] == [False, True, True]


def answer(listener: socket.socket, client: socket.socket, octets: bytes) -> None:
    """Send to this client; the knocks of the capture are let in and out."""
    address = None
    while address != client.getsockname():
        server, address = listener.accept()
        with server:
            if address == client.getsockname():
                server.sendall(octets)


def refused(emitted: list[Dissected]) -> set[int]:
    return {pdu.command for pdu in emitted if pdu.status}


def talk(server: Server) -> None:
    """Everything a customer may ask, answered with a yes; receipts of all kinds, and messages from phones."""
    login = server.account("talk", "--sender", "*", "--sender", "48500600700")
    with Esme(server) as esme:
        assert esme.bind(login).status == 0
        for destination in (MOBILE, UNDELIVERED, REFUSED):
            assert esme.submit(destination=destination, registered_delivery=1).status == 0
        many = esme.ask(c.SUBMIT_MULTI, source=SENDER, destinations=(MOBILE, NOBODY), short_message=b"many")
        assert (many.status, many.body.no_unsuccess) == (0, 1)
        payload = b"\x04\x24\x00\x04data"
        assert esme.ask(c.DATA_SM, source=SENDER, destination=MOBILE, registered_delivery=1, tlvs=payload).status == 0
        later = esme.submit(schedule_delivery_time=TOMORROW).body.message_id
        name = {"message_id": later, "source": SENDER}
        assert esme.ask(c.QUERY_SM, **name).status == 0
        assert esme.ask(c.REPLACE_SM, **name, short_message=b"other").status == 0
        assert esme.ask(c.CANCEL_SM, **name, destination=MOBILE).status == 0
        assert esme.ask(c.QUERY_SM, **name).body.message_state == c.DELETED
        for text in ("Hello", "Zażółć gęślą jaźń", "long " * 60):
            server.cli("mo", "48600100200", "48500600700", text)
        for _ in range(7):
            delivery = esme.heard(c.DELIVER_SM)
            esme.send(c.DELIVER_SM_RESP, sequence=delivery.sequence)
        assert esme.ask(c.ENQUIRE_LINK).status == 0
        assert esme.ask(c.UNBIND).status == 0


def vendor_parameters(server: Server) -> None:
    """Receipts with the vendor's optional parameters, over a pair of binds."""
    login = server.account("vendor", "--receipt-tlvs", "vendor")
    with Esme(server) as sending, Esme(server) as hearing:
        assert hearing.bind(login, c.BIND_RECEIVER).status == 0
        assert sending.bind(login, c.BIND_TRANSMITTER).status == 0
        for destination in (MOBILE, UNDELIVERED):
            assert sending.submit(destination=destination, registered_delivery=1).status == 0
            delivery = hearing.heard(c.DELIVER_SM)
            hearing.send(c.DELIVER_SM_RESP, sequence=delivery.sequence)


def old_client(server: Server) -> None:
    """SMPP 3.3: a receipt without optional parameters."""
    login = server.account("old")
    with Esme(server) as esme:
        assert esme.bind(login, interface_version=0x33).status == 0
        assert esme.submit(registered_delivery=1).status == 0
        delivery = esme.heard(c.DELIVER_SM)
        assert delivery.body.tlvs == b""
        esme.send(c.DELIVER_SM_RESP, sequence=delivery.sequence)
        assert esme.ask(c.UNBIND).status == 0


def trouble(server: Server) -> None:
    """Everything answered with a no."""
    login = server.account("trouble", "--sender", "smppgate", "--credits", "1")
    with Esme(server) as esme:
        assert esme.bind(login._replace(password="wrong")).status == c.ESME_RINVPASWD
        assert esme.read() is None
    with Esme(server) as esme:
        assert esme.submit().status == c.ESME_RINVBNDSTS
        assert esme.bind(login).status == 0
        assert esme.submit(source=address(5, 0, b"stranger")).status == c.ESME_RINVSRCADR
        assert esme.submit(destination=NOBODY).status == c.ESME_RINVDSTADR
        assert esme.submit(data_coding=0x0F).status == c.ESME_RUNSDATACODING
        assert esme.submit().status == 0
        assert esme.submit().status == c.ESME_RNOCREDIT
        nothing = {"message_id": b"1", "source": SENDER}
        assert esme.ask(c.QUERY_SM, **nothing).status
        assert esme.ask(c.CANCEL_SM, **nothing, destination=MOBILE).status
        assert esme.ask(c.REPLACE_SM, **nothing, short_message=b"x").status
        esme.write(frames.frame(0x7777, 0, 900))
        assert esme.answer(900).command == c.GENERIC_NACK
        esme.write(b"\x00\x00\x00\x05")  # a lying length: the answer names it, then the line is cut
        lost = esme.heard(c.GENERIC_NACK)
        assert lost.status == c.ESME_RINVCMDLEN
        assert esme.read() is None


def asked_and_shown_the_door(server: Server) -> None:
    """The server's own requests: enquire_link after silence, unbind when the operator ends a bind."""
    login = server.account("door", "--enquire-link", "1")
    with Esme(server) as esme:
        assert esme.bind(login).status == 0
        asked = esme.heard(c.ENQUIRE_LINK)
        esme.send(c.ENQUIRE_LINK_RESP, sequence=asked.sequence)
        server.cli("account", "disable", login.name)
        leaving = esme.heard(c.UNBIND)
        esme.send(c.UNBIND_RESP, sequence=leaving.sequence)
        assert esme.read() is None
