"""What everybody outside the gateway knows: what customers sent and heard, what the operator ordered and allowed.

Invariant: nothing here was read from the gateway or its store. A text is sent to a number once, so the two name a
message whatever became of its answer.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from acl.settings import Settings
from tests.road.client import Asked, Esme

LAG = 2.0  # seconds within which a change is in force
CREDIT = 10_000
HOME, AWAY, NOWHERE = "10.0.0.1", "10.0.0.2", "192.0.2.66"


@dataclass
class Terms:
    """What an account is allowed, from some time on. `ends` when at the latest it is in force no more."""

    settings: Settings
    enabled: bool
    ends: float | None = None


@dataclass
class Sent:
    """One message to one number."""

    text: bytes
    to: str
    asked: Asked
    parts: int = 1
    registered: int = 1
    schedule_ms: int | None = None
    expires_ms: int | None = None

    @property
    def name(self) -> tuple[bytes, str]:
        return key_of(self.text), self.to


def key_of(text: bytes) -> bytes:
    """A text's first word: what stays of it when it is replaced."""
    return text.split(b" ", 1)[0]


@dataclass
class Customer:
    """One account. `clients` are all its connections there ever were."""

    number: int  # of the account in the store
    system_id: str
    settings: dict[str, Any]
    terms: list[Terms] = field(default_factory=list)
    history: list[Terms] = field(default_factory=list)
    changed: float = 0.0  # when it was last certain that a change was in force
    sent: list[Sent] = field(default_factory=list)
    clients: list[Esme] = field(default_factory=list)
    cancels: dict[str, list[Asked]] = field(default_factory=dict)  # by id
    may_be_deleted: bool = False  # a cancel or a replacement that named no id
    may_expire: bool = False  # for some time no message was tried for long
    refused: Counter[str] = field(default_factory=Counter)  # ids of deliveries that a client wanted no more
    incoming: dict[int, bytes] = field(default_factory=dict)  # surely stored: what it must receive
    perhaps_incoming: dict[int, bytes] = field(default_factory=dict)

    # -- what is in force --------------------------------------------------------------------------------------
    def asked_for(self, now: float, settings: dict[str, Any], enabled: bool) -> Terms:
        """A change is on its way: from now on it may be in force."""
        self.terms = self.in_force(now)
        self.may_expire = self.may_expire or "max_validity" in settings
        self.terms.append(Terms(Settings.of(settings), enabled))
        self.history.append(self.terms[-1])
        return self.terms[-1]

    def confirmed(self, now: float, terms: Terms) -> None:
        self.changed = now
        for other in self.terms:
            if other is not terms and other.ends is None:
                other.ends = now + LAG

    def in_force(self, now: float) -> list[Terms]:
        """What may be in force now, as far as anybody outside can tell."""
        return [terms for terms in self.terms if terms.ends is None or terms.ends >= now]

    def in_force_since(self, at: float) -> list[Terms]:
        """What may have been in force at any time since then."""
        return [terms for terms in self.history if terms.ends is None or terms.ends >= at]

    # -- what it has heard -------------------------------------------------------------------------------------
    def receipts(self) -> dict[tuple[str, str], set[int]]:
        """(id, number) -> the states that were told."""
        told: dict[tuple[str, str], set[int]] = {}
        for client in self.clients:
            for receipt in client.receipts:
                told.setdefault((receipt.message_id, receipt.source), set()).add(receipt.state)
        return told

    def received(self) -> set[bytes]:
        """The texts that came in."""
        return {key_of(pdu.body.short_message) for client in self.clients for pdu in client.incoming}


@dataclass
class Order:
    """Credit booked or moved, under a request id: it counts once, or not at all as long as nobody has said so."""

    request: str
    source: int | None
    target: int
    amount: int
    done: bool = False


class Books:
    def __init__(self) -> None:
        self.customers: list[Customer] = []
        self.orders: list[Order] = []
        self._texts = 0

    def text(self, length: int = 0) -> bytes:
        """One that nobody has sent before."""
        self._texts += 1
        return (b"m%06d hello" % self._texts).ljust(length, b".")

    def of(self, number: int) -> Customer:
        return next(customer for customer in self.customers if customer.number == number)

    def named(self, system_id: str) -> Customer | None:
        return next((customer for customer in self.customers if customer.system_id == system_id), None)
