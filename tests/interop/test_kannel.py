"""Kannel 1.4.5 as a customer, bound as a transceiver and as a pair: what it sends, and the receipts it matches."""

from pathlib import Path

import pytest

from tests.interop.kannel import kannel
from tests.server import Server, eventually

pytestmark = pytest.mark.interop

GSM, UCS2 = 0, 2
TEXTS = [  # text, Kannel's coding, parts
    ("Hello from Kannel", GSM, 1),
    ("€ [brackets] {braces} ~ | ^ \\ end", GSM, 1),
    ("a long text. " * 20, GSM, 2),
    ("Zażółć gęślą jaźń", UCS2, 1),
    ("Zażółć gęślą jaźń. " * 8, UCS2, 3),
]


@pytest.mark.parametrize("pair", [False, True], ids=["transceiver", "pair"])
def test_texts_and_their_receipts(tmp_path: Path, server: Server, pair: bool) -> None:
    login = server.account("kannel-pair" if pair else "kannel")
    with kannel(tmp_path, server, login, pair=pair) as box:
        for text, coding, _ in TEXTS:
            box.send(text, coding=coding)
        eventually("every text has its receipt", lambda: len(box.reports("1")) >= len(TEXTS))
        accepted = {report["id"] for report in box.reports("8")}
        delivered = {report["id"] for report in box.reports("1")}
        states = {bind["type"] for bind in server.json("bind", "list")}

    messages = server.export(login)["messages"]
    ids = {message["message_id"] for message in messages}
    assert len(messages) == sum(parts for _, _, parts in TEXTS)
    assert "".join(message["text"] for message in messages) == "".join(text for text, _, _ in TEXTS)
    assert {message["state"] for message in messages} == {"delivered"}
    assert delivered <= ids
    assert accepted <= ids
    assert states == ({"transmitter", "receiver"} if pair else {"transceiver"})
    assert "unknown DLR" not in box.said()
    assert "could not find" not in box.said()


def test_failures_are_reported_as_failures(tmp_path: Path, server: Server) -> None:
    login = server.account("kannel-fails", "--sender", "smppgate")
    with kannel(tmp_path, server, login, pair=False) as box:
        box.send("nobody there", coding=GSM, to="48600100209")
        box.send("not mine", coding=GSM, sender="stranger")
        [undelivered] = eventually("the receipt of the failure", lambda: box.reports("2"))
        [refused] = eventually("the refusal", lambda: box.reports("16"))
    assert "stat:UNDELIV" in undelivered["text"]
    assert "err:009" in undelivered["text"]
    assert "0x0000000A" in refused["text"].upper().replace("X", "x") or "NACK" in refused["text"]
    [message] = server.export(login)["messages"]
    assert (message["message_id"], message["state"]) == (undelivered["id"], "undeliverable")


def test_a_message_from_a_phone(tmp_path: Path, server: Server) -> None:
    login = server.account("kannel-inbox", "--sender", "48500600700")
    with kannel(tmp_path, server, login, pair=False) as box:
        server.cli("mo", "48600100200", "48500600700", "Hello Kannel")
        [heard] = eventually("the message", lambda: [one for one in list(box.heard) if one["path"] == "/mo"])
    # Kannel writes the + of an international number itself
    assert (heard["from"], heard["to"], heard["text"]) == ("+48600100200", "+48500600700", "Hello Kannel")
