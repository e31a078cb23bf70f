"""A gateway with something on every page: accounts in every state, messages of every end, people, letters, decisions.

Invariant: everything goes the way it would in life, over the API and over SMPP; nothing is written into the store.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pdu import constants as c
from pdu.bodies import address
from pdu.times import format_relative
from tests.browser.stage import Stage
from tests.esme import Esme
from tests.road.client import answer_to
from tests.server import HOST, Login, eventually

OWNER, READER, NEWCOMER = "anna@maple.example", "piotr@maple.example", "new@oak.example"
SENDERS = ("MAPLE", "36180")
NUMBERS = ("48600100200", "48600100201", "48600100209", "48600100218", "447700900123")
TEXTS = (
    "Your appointment is tomorrow at 14:30. Reply STOP to opt out.",
    "Zażółć gęślą jaźń",
    "Your code is 493 201",
    "<script>alert(1)</script> & \"quotes\"",
)  # fmt: skip


def accounts(stage: Stage) -> Login:
    """-> the one that everything happens to."""
    desk = stage.desk
    maple = desk.account(
        "maple", senders=[], credits="1000", throughput=20, max_binds=3, enquire_link=0, contact_email=OWNER,
        description="Maple Clinic · appointment reminders", addresses=[HOST, "198.51.100.0/28", "2001:db8:41:7::10"],
        address_comments=[f"{HOST} Gateway A, Warsaw", "198.51.100.0/28 Office, 16 addresses"],
        low_credit_alert="100", auto_topup_amount="100", auto_topup_threshold="50",
    )  # fmt: skip
    desk.account("birch", credits="0", contact_email=OWNER, description="Birch Pharmacy · codes")
    desk.account("oak", credits="0", addresses=[], senders=[], contact_email=NEWCOMER)
    off = desk.account("elm", credits="12.5", description="Elm Logistics, until March")
    desk.ask("POST", "accounts", off.name, "disable")
    return maple


def decisions(stage: Stage, maple: Login) -> None:
    """Some are made, some wait."""
    ask, here = stage.desk.ask, ("accounts", maple.name)
    for sender, reason in (("MAPLE", "Our name."), ("36180", "Our number."), ("CLINIC", "Our trade."), ("BANK", "?")):
        ask("POST", *here, "senders", body={"sender": sender, "reason": reason, "description": "reminders"})
    for sender in SENDERS:
        ask("POST", *here, "senders", sender, "approve", body={"comment": ""})
    ask("POST", *here, "senders", "BANK", "refuse", body={"comment": "You are not a bank."})
    for amount, note in (("250", "order 2025/117"), ("100", "order 2025/118"), ("500", "")):
        asked = ask("POST", *here, "topups", body={"amount": amount, "note": note})
        if note.endswith("7"):
            ask("POST", "topups", asked["id"], "approve")
        elif note:
            ask("POST", "topups", asked["id"], "refuse", body={"reason": "No payment came."})
    ask("POST", *here, "transferCredits", body={"smsAccountTarget": "smpp-birch", "credits": "12.5"})
    ask("POST", *here, "blacklists", body={"numbers": ["48600100299"], "note": "by letter"})
    stage.desk.prices("roaming", n48="1", n44="2.5", rest="4")


@contextmanager
def traffic(stage: Stage, maple: Login) -> Iterator[None]:
    """Messages of every end; the bind stays open for as long as somebody looks."""
    with Esme(stage) as esme:
        assert esme.bind(maple).status == c.ESME_ROK
        for number, text in ((number, text) for text in TEXTS for number in NUMBERS):
            coding = {} if text.isascii() else {"data_coding": 8}
            octets = text.encode("utf-16-be") if coding else text.encode()
            submit(esme, number, octets, registered_delivery=1, **coding)
        submit(esme, NUMBERS[0], b"next day", schedule_delivery_time=format_relative(86_400))
        submit(esme, "48600100299", b"to whom nobody may write")
        submit(esme, NUMBERS[0], b"from nobody", source=address(5, 0, b"NOT OURS?"))
        for _ in range(len(TEXTS) * len(NUMBERS)):
            esme.write(answer_to(esme.heard(c.DELIVER_SM), 0))
        for text in ("Thank you!", "STOP"):
            stage.desk.incoming("48600100201", SENDERS[1], text, maple.name)
            esme.write(answer_to(esme.heard(c.DELIVER_SM), 0))
        yield


def submit(esme: Esme, number: str, octets: bytes, **values: Any) -> int:
    named = {"source": address(5, 0, SENDERS[0].encode()), "destination": address(1, 1, number.encode())}
    return esme.submit(octets, **named | values).status


def letters(stage: Stage, maple: Login) -> None:
    """One arrives, one never will."""
    eventually("those about decisions have left", lambda: not stage.desk.ask("GET", "mail")["counts"].get("waiting"))
    stage.mail.answers = ["550 no such mailbox"]
    stage.desk.ask("POST", "accounts", maple.name, "smpp", "password")
    eventually("it fails", lambda: stage.desk.ask("GET", "mail")["counts"].get("failed"))


@contextmanager
def busy(stage: Stage) -> Iterator[None]:
    maple = accounts(stage)
    decisions(stage, maple)
    letters(stage, maple)
    wrong = Esme(stage)
    wrong.bind(maple._replace(password="wrong"))
    wrong.socket.close()
    with traffic(stage, maple):
        yield

