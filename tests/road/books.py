"""What a customer remembers of everything it asked, to be held against what the store says afterwards.

Invariant: a text is sent to a number once, so the two name a message whatever became of its answer.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from pdu import constants as c
from pdu.bodies import digits_of
from pdu.constants import STATE_NAMES
from tests.road.client import Asked, Receipt

ENDS = {"8": "rejected", "9": "undeliverable"}  # by the last digit, as the built-in network has it; else delivered


class Sent(NamedTuple):
    """One message, by its text and its number. `asked` may be shared: a submit_multi has several."""

    text: str
    to: str
    asked: Asked
    scheduled: bool = False

    @property
    def name(self) -> tuple[str, str]:
        return self.text, self.to

    @property
    def status(self) -> int | None:
        """What was answered for this number; None if nothing was."""
        answer = self.asked.answer
        if answer is None or answer.status or answer.command != c.SUBMIT_MULTI_RESP:
            return self.asked.status
        refused: dict[str, int] = {digits_of(to).decode(): status for to, status in answer.body.unsuccess}
        return refused.get(self.to, c.ESME_ROK)


def name_of(message: Any) -> tuple[str, str]:
    return message["text"], message["destination_addr"]


class Findings(NamedTuple):
    """Each must be 0 but the last three, which are how much was looked at."""

    lost: int
    strangers: int
    doubled: int
    mixed_up: int
    stored_though_refused: int
    unpaid: int
    wrong_ends: int
    rewritten: int
    receipts_missing: int
    receipts_wrong: int
    acknowledged: int
    unanswered: int
    unanswered_stored: int

    def faults(self) -> dict[str, int]:
        return {name: number for name, number in self._asdict().items() if number and name not in COUNTED}


COUNTED = ("acknowledged", "unanswered", "unanswered_stored")


class Customer:
    """One account's side of the story."""

    def __init__(self, refund: str) -> None:
        self.refund = refund
        self.sent: list[Sent] = []
        self.cancelled: dict[str, Asked] = {}  # id -> what became of cancelling it
        self.receipts: dict[tuple[str, str], list[Receipt]] = defaultdict(list)  # by id and number
        self._ledger: list[Any] = []
        self._ends: dict[tuple[str, str], str] = {}  # by text and number

    def received(self, receipts: Iterable[Receipt]) -> None:
        for receipt in receipts:
            self.receipts[receipt.message_id, receipt.source].append(receipt)

    def at(self, moment: float) -> Customer:
        """The same customer, knowing what it knew then."""
        known = Customer(self.refund)
        known.sent = [sent._replace(asked=sent.asked.at(moment)) for sent in self.sent if sent.asked.sent_at < moment]
        known.cancelled = {id_: asked.at(moment) for id_, asked in self.cancelled.items() if asked.sent_at < moment}
        for receipts in self.receipts.values():
            known.received(receipt for receipt in receipts if receipt.at < moment)
        return known

    def awaited(self) -> set[tuple[str, str]]:
        """Receipts that must come and have not: of all that was acknowledged and asked for one."""
        return {
            (sent.asked.message_id, sent.to)
            for sent in self.sent
            if sent.status == c.ESME_ROK and sent.asked.values.get("registered_delivery")
        } - self.receipts.keys()

    def again(self) -> int:
        """Receipts that came more than once."""
        return sum(len(receipts) - 1 for receipts in self.receipts.values())

    def compare(self, export: Any, ended: bool) -> Findings:
        """Hold an export of the account against what this customer saw. `ended`: by now everything must have."""
        stored = {name_of(message): message for message in export["messages"]}
        acknowledged = [sent for sent in self.sent if sent.status == c.ESME_ROK]
        unanswered = [sent for sent in self.sent if sent.status is None]
        refused = [sent for sent in self.sent if sent.status]
        charges = Counter({line["line"]: 0 for line in export["ledger"] if line["kind"] == "debit"})
        charges.update(message["charge_line"] for message in export["messages"])
        ids = [(message["message_id"], message["destination_addr"]) for message in export["messages"]]
        ledger, before = export["ledger"], self._ledger
        self._ledger = ledger
        return Findings(
            lost=sum(sent.name not in stored for sent in acknowledged),
            strangers=len(stored.keys() - {sent.name for sent in self.sent}),
            doubled=len(export["messages"]) - len(stored) + len(ids) - len(set(ids)),
            mixed_up=sum(self._mixed_up(sent, stored.get(sent.name)) for sent in acknowledged),
            stored_though_refused=sum(sent.name in stored for sent in refused),
            unpaid=sum(not paid for paid in charges.values()),
            wrong_ends=sum(self._wrong_end(message, ended) for message in export["messages"]),
            rewritten=int(ledger[: len(before)] != before) + self._unfinal(export["messages"]),
            receipts_missing=len(self.awaited()) if ended else 0,
            receipts_wrong=self._wrong_receipts(export["messages"]),
            acknowledged=len(acknowledged),
            unanswered=len(unanswered),
            unanswered_stored=sum(sent.name in stored for sent in unanswered),
        )

    @staticmethod
    def _mixed_up(sent: Sent, message: Any) -> bool:
        """An id belongs to the very request that it answered."""
        return message is not None and message["message_id"] != sent.asked.message_id

    def _wrong_end(self, message: Any, ended: bool) -> bool:
        """The end is that of the number, or of a cancel; and what comes back follows from it."""
        state, cancel = message["state"], self.cancelled.get(message["message_id"])
        right = {ENDS.get(message["destination_addr"][-1], "delivered")}
        if cancel is not None:
            right = {"deleted"} if cancel.accepted else right | ({"deleted"} if cancel.answer is None else set())
        if state in ("accepted", "scheduled"):
            return ended or message["refund_line"] is not None or bool(cancel and cancel.accepted)
        back = self._comes_back(state)
        return state not in right or back != (message["refund_line"] is not None)

    def _comes_back(self, state: str) -> bool:
        if self.refund == "undelivered":
            return state != "delivered"
        return self.refund == "unsent" and state in ("rejected", "deleted")

    def _unfinal(self, messages: Iterable[Any]) -> int:
        """Final states that have changed since the last look, or are gone."""
        now = {name_of(message): message["state"] for message in messages}
        changed = sum(int(now.get(key) != state) for key, state in self._ends.items())
        self._ends = {key: state for key, state in now.items() if state not in ("accepted", "scheduled")}
        return changed

    def _wrong_receipts(self, messages: Iterable[Any]) -> int:
        """Receipts for nothing that was sent, or whose state is not the stored one."""
        ends = {(message["message_id"], message["destination_addr"]): message["state"] for message in messages}
        return sum(
            int({STATE_NAMES[receipt.state] for receipt in receipts} != {ends.get(key)})
            for key, receipts in self.receipts.items()
        )
