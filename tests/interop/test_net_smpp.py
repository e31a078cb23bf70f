"""Perl's Net::SMPP: it sends octets as they are, and reads answers with a decoder of its own."""

import pytest

from tests.interop.esme import converse, octets
from tests.server import Login, Server

pytestmark = pytest.mark.interop

MOBILE = {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "48600100200"}
FROM = {"source_addr_ton": 5, "source_addr_npi": 0, "source_addr": "smppgate"}


@pytest.fixture(scope="module")
def login(server: Server) -> Login:
    return server.account("perl")


def test_a_transceiver_submits_and_gets_its_receipts(server: Server, perl: list[str], login: Login) -> None:
    codings = {0: b"plain gsm", 3: "señor".encode("latin-1"), 8: "Zażółć".encode("utf-16-be")}
    ask = [
        (
            "submit_sm",
            {**FROM, **MOBILE, "registered_delivery": 1, "data_coding": coding, "short_message": octets(text)},
        )
        for coding, text in codings.items()
    ]
    seen = converse(perl, server, login, ask, deliveries=len(ask))

    assert (seen.bind["status"], seen.bind["sc_interface_version"]) == (0, "\x34")
    ids = [answer["message_id"] for answer in seen.answers]
    stored = {message["message_id"]: message["text"] for message in server.export(login)["messages"]}
    assert [stored[message_id] for message_id in ids] == ["plain gsm", "señor", "Zażółć"]
    assert sorted(delivery["receipted_message_id"].rstrip("\0") for delivery in seen.deliveries) == sorted(ids)
    for delivery in seen.deliveries:
        assert (delivery["esm_class"], delivery["message_state"]) == (4, "\x02")
        assert "stat:DELIVRD" in delivery["short_message"]
    assert seen.unbind is not None
    assert seen.unbind["status"] == 0


def test_a_pair_of_transmitter_and_receiver(server: Server, perl: list[str], login: Login) -> None:
    ask = [("submit_sm", {**FROM, **MOBILE, "registered_delivery": 1, "short_message": "over the pair"})]
    sent = converse(perl, server, login, ask, bind="bind_transmitter")
    heard = converse(perl, server, login, [], bind="bind_receiver", deliveries=1)
    [answer], [delivery] = sent.answers, heard.deliveries
    assert answer["status"] == 0
    assert delivery["receipted_message_id"].rstrip("\0") == answer["message_id"]


def test_the_optional_commands(server: Server, perl: list[str], login: Login) -> None:
    later = {"schedule_delivery_time": "000001000000000R"}
    [scheduled] = converse(
        perl, server, login, [("submit_sm", {**FROM, **MOBILE, **later, "short_message": "tomorrow"})]
    ).answers
    name = {"message_id": scheduled["message_id"], **FROM}
    seen = converse(
        perl,
        server,
        login,
        [
            ("enquire_link", {}),
            ("data_sm", {**FROM, **MOBILE, "message_payload": "data"}),
            ("query_sm", name),
            ("replace_sm", {**name, "short_message": "Tomorrow"}),
            ("cancel_sm", {**name, **MOBILE}),
            ("query_sm", name),
        ],
    )
    assert [answer["status"] for answer in seen.answers] == [0] * 6
    assert [answer["cmd"] for answer in seen.answers] == [
        0x80000015,
        0x80000103,
        0x80000003,
        0x80000007,
        0x80000008,
        0x80000003,
    ]
    assert [seen.answers[2]["message_state"], seen.answers[5]["message_state"]] == [1, 4]


def test_an_old_client_gets_no_optional_parameters(server: Server, perl: list[str], login: Login) -> None:
    ask = [("submit_sm", {**FROM, **MOBILE, "registered_delivery": 1, "short_message": "from before 3.4"})]
    seen = converse(perl, server, login, ask, deliveries=1, interface_version=0x33)
    [answer], [delivery] = seen.answers, seen.deliveries
    assert "sc_interface_version" not in seen.bind
    assert "receipted_message_id" not in delivery
    assert f"id:{answer['message_id']} " in delivery["short_message"]


def test_a_wrong_password(server: Server, perl: list[str], login: Login) -> None:
    seen = converse(perl, server, login._replace(password="wrong"), [])
    assert seen.bind["status"] == 0x0E
