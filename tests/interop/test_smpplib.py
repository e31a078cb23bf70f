"""smpplib as its users use it: one blocking socket, and the defaults, which die of an unknown optional parameter."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.gsm

from tests.server import HOST, Login, Server

pytestmark = pytest.mark.interop

FROM = {"source_addr_ton": 5, "source_addr": "smppgate"}
MOBILE = {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "48600100200"}


class Customer:
    """A bound client that remembers what it heard."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.sent: list[Any] = []
        self.heard: list[Any] = []
        self.answered: list[Any] = []
        client.set_message_sent_handler(lambda pdu: self.sent.append(pdu))
        client.set_error_pdu_handler(lambda pdu: None)  # it would raise; the sent handler gets the status as well
        client.set_message_received_handler(lambda pdu: self.heard.append(pdu))
        client.set_query_resp_handler(self.answered.append)

    def until(self, done: Callable[[], bool]) -> None:
        while not done():
            self.client.read_once()

    def ids(self) -> list[str]:
        return [pdu.message_id.decode("ascii") for pdu in self.sent if pdu.status == 0]


@contextmanager
def bound(server: Server, login: Login, bind: str = "bind_transceiver") -> Iterator[Customer]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it announces another default for some later version
        client = smpplib.client.Client(HOST, server.port, timeout=10)
    client.connect()
    try:
        getattr(client, bind)(system_id=login.system_id, password=login.password)
        yield Customer(client)
        client.unbind()
    finally:
        client.disconnect()


@pytest.fixture(scope="module")
def login(server: Server) -> Login:
    return server.account("smpplib", "--max-binds", "2")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Hello, world", 1),
        ("€ [escapes] {cost} two", 1),
        ("Zażółć gęślą jaźń", 1),
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("ż" * 71, 2),
        ("long " * 100, 4),
    ],
)
def test_a_text_its_parts_and_their_receipts(server: Server, login: Login, text: str, parts: int) -> None:
    with bound(server, login) as customer:
        cut, data_coding, esm_class = smpplib.gsm.make_parts(text)
        for part in cut:
            customer.client.send_message(
                **FROM,
                **MOBILE,
                data_coding=data_coding,
                esm_class=esm_class,
                short_message=part,
                registered_delivery=1,
            )
        customer.until(lambda: len(customer.heard) == len(cut))
    ids = customer.ids()
    assert len(ids) == parts
    stored = {message["message_id"]: message for message in server.export(login)["messages"]}
    assert "".join(stored[message_id]["text"] for message_id in ids) == text
    assert {pdu.receipted_message_id.decode("ascii").rstrip("\0") for pdu in customer.heard} == set(ids)
    for pdu in customer.heard:
        assert b" stat:DELIVRD err:000 " in pdu.short_message
        assert pdu.message_state == smpplib.consts.SMPP_MESSAGE_STATE_DELIVERED


def test_a_pair_of_binds(server: Server, login: Login) -> None:
    with bound(server, login, "bind_receiver") as receiver, bound(server, login, "bind_transmitter") as transmitter:
        transmitter.client.send_message(**FROM, **MOBILE, short_message=b"by the pair", registered_delivery=1)
        transmitter.until(lambda: bool(transmitter.sent))
        receiver.until(lambda: bool(receiver.heard))
    [message_id] = transmitter.ids()
    assert f"id:{message_id} ".encode() in receiver.heard[0].short_message


def test_query(server: Server, login: Login) -> None:
    with bound(server, login) as customer:
        customer.client.send_message(**FROM, **MOBILE, short_message=b"where is it", registered_delivery=1)
        customer.until(lambda: bool(customer.heard))
        customer.client.query_message(message_id=customer.ids()[0], **FROM)
        customer.until(lambda: bool(customer.answered))
    assert customer.answered[0].message_state == smpplib.consts.SMPP_MESSAGE_STATE_DELIVERED


def test_refusals_are_statuses_it_can_read(server: Server) -> None:
    login = server.account("choosy", "--sender", "smppgate", "--credits", "1")
    with bound(server, login) as customer:
        for source, destination in [
            ("stranger", "48600100200"),
            ("smppgate", "12"),
            *[("smppgate", "48600100200")] * 2,
        ]:
            customer.client.send_message(
                source_addr=source, dest_addr_ton=1, destination_addr=destination, short_message=b"?"
            )
        customer.until(lambda: len(customer.sent) == 4)
    assert [pdu.status for pdu in customer.sent] == [0x0A, 0x0B, 0, 0x403]


@pytest.mark.parametrize(("change", "status"), [({"password": "wrong"}, 0x0E), ({"system_id": "nobody"}, 0x0E)])
def test_a_refused_bind_is_answered(server: Server, login: Login, change: dict[str, str], status: int) -> None:
    with pytest.raises(smpplib.exceptions.PDUError) as refused, bound(server, login._replace(**change)):
        pass
    assert refused.value.args[1] == status


def test_the_server_asks_whether_it_is_still_there(server: Server) -> None:
    """smpplib answers enquire_link while it listens; a server that did not take that for life would hang up."""
    login = server.account("quiet", "--enquire-link", "1")
    with bound(server, login) as customer:
        for _ in range(2):
            pdu = customer.client.read_pdu()
            assert pdu.command == "enquire_link"
            customer.client._enquire_link_received(pdu)
        customer.client.send_message(**FROM, **MOBILE, short_message=b"still here")
        customer.until(lambda: bool(customer.sent))
    assert customer.ids()
