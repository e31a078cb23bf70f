"""node-smpp (npm `smpp`): it binds with interface_version 0x50, picks the coding of a text itself and pipelines."""

import pytest

from tests.interop.esme import Params, converse, octets
from tests.server import Login, Server

pytestmark = pytest.mark.interop

MOBILE = {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "48600100200"}
FROM = {"source_addr_ton": 5, "source_addr_npi": 0, "source_addr": "smppgate"}
RECEIPT = {"registered_delivery": 1}


@pytest.fixture(scope="module")
def login(server: Server) -> Login:
    return server.account("node")


def test_texts_in_every_coding_arrive_as_they_were_written(server: Server, node: list[str], login: Login) -> None:
    texts: dict[str, Params] = {
        "plain": {"short_message": "Hello from node"},
        "gsm": {"short_message": "€ [brackets] {braces} ~ \\ | ^ @ £ ñ", "data_coding": 0},
        "latin": {"short_message": "Grüße, señor", "data_coding": 3},
        "polish": {"short_message": "Zażółć gęślą jaźń"},
        "emoji": {"short_message": "see you 🙂"},
        "payload": {"message_payload": "long " * 80, "data_coding": 0},
    }
    ask = [("submit_sm", {**FROM, **MOBILE, **RECEIPT, **text}) for text in texts.values()]
    seen = converse(node, server, login, ask, deliveries=len(ask))

    assert [answer["command_status"] for answer in seen.answers] == [0] * len(ask)
    ids = [answer["message_id"] for answer in seen.answers]
    stored = {message["message_id"]: message["text"] for message in server.export(login)["messages"]}
    assert [stored[message_id] for message_id in ids] == [
        text.get("short_message") or text["message_payload"] for text in texts.values()
    ]
    assert sorted(delivery["receipted_message_id"] for delivery in seen.deliveries) == sorted(ids)
    for delivery in seen.deliveries:
        assert (delivery["esm_class"], delivery["message_state"]) == (4, 2)
        assert (delivery["source_addr"], delivery["destination_addr"]) == ("48600100200", "smppgate")
        assert "stat:DELIVRD err:000" in delivery["short_message"]["message"]
    assert seen.unbind is not None
    assert seen.unbind["command_status"] == 0


def test_a_text_in_parts_by_user_data_header(server: Server, node: list[str], login: Login) -> None:
    parts = ["first part, ", "second part, ", "third part"]
    ask = [
        (
            "submit_sm",
            {
                **FROM,
                **MOBILE,
                **RECEIPT,
                "data_coding": 0,
                "short_message": {"udh": octets(bytes([5, 0, 3, 77, len(parts), number])), "message": part},
            },
        )
        for number, part in enumerate(parts, 1)
    ]
    seen = converse(node, server, login, ask, deliveries=len(parts))
    ids = {answer["message_id"] for answer in seen.answers}
    assert {delivery["receipted_message_id"] for delivery in seen.deliveries} == ids
    stored = [message["text"] for message in server.export(login)["messages"] if message["message_id"] in ids]
    assert stored == parts


def test_the_optional_commands(server: Server, node: list[str], login: Login) -> None:
    later = {"schedule_delivery_time": "000001000000000R"}
    scheduled, *_ = converse(
        node, server, login, [("submit_sm", {**FROM, **MOBILE, **later, "short_message": "tomorrow"})]
    ).answers
    name = {"message_id": scheduled["message_id"], **FROM}
    seen = converse(
        node,
        server,
        login,
        [
            ("enquire_link", {}),
            ("data_sm", {**FROM, **MOBILE, "message_payload": octets(b"data")}),
            (
                "submit_multi",
                {
                    **FROM,
                    "dest_address": [
                        {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "48600100201"},
                        {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "12"},
                    ],
                    "short_message": "to many",
                },
            ),
            ("query_sm", name),
            ("replace_sm", {**name, "short_message": "Tomorrow"}),
            ("cancel_sm", {**name, **MOBILE}),
        ],
    )
    assert [answer["command"] for answer in seen.answers] == [
        "enquire_link_resp",
        "data_sm_resp",
        "submit_multi_resp",
        "query_sm_resp",
        "replace_sm_resp",
        "cancel_sm_resp",
    ]
    assert [answer["command_status"] for answer in seen.answers] == [0] * 6
    assert seen.answers[1]["message_id"]
    [refused] = seen.answers[2]["unsuccess_sme"]
    assert (refused["destination_addr"], refused["error_status_code"]) == ("12", 0x0B)
    assert (seen.answers[3]["message_id"], seen.answers[3]["message_state"]) == (scheduled["message_id"], 1)
    [cancelled] = [m for m in server.export(login)["messages"] if m["message_id"] == scheduled["message_id"]]
    assert (cancelled["text"], cancelled["state"]) == ("Tomorrow", "deleted")
    assert cancelled["refund_line"] is not None


def test_a_wrong_password_is_answered_before_the_server_hangs_up(server: Server, node: list[str], login: Login) -> None:
    seen = converse(node, server, login._replace(password="wrong"), [])
    assert seen.bind["command_status"] == 0x0E


def test_a_message_from_a_phone(server: Server, node: list[str]) -> None:
    login = server.account("inbox", "--sender", "48500600700")
    server.cli("mo", "48600100200", "48500600700", "Zażółć")
    seen = converse(node, server, login, [], bind="bind_receiver", deliveries=1)
    [delivery] = seen.deliveries
    assert (delivery["source_addr"], delivery["destination_addr"]) == ("48600100200", "48500600700")
    assert (delivery["esm_class"], delivery["data_coding"]) == (0, 8)
    assert delivery["short_message"]["message"] == "Zażółć"
