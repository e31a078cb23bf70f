"""May these messages pass, and what do they cost? One pass over a run, a verdict for each of its messages.

Invariant: a refused message takes neither credit nor rate, an accepted one takes both, and what throws denies.
Everything that can be worked out before a message comes is worked out in Policy; how texts are counted is passed in.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from acl import reasons
from acl.addresses import Networks
from acl.rate import Rate
from acl.reasons import Refusal
from acl.senders import Senders, wire
from acl.settings import Settings
from acl.tariff import LONGEST, SHORTEST, Tariff

SENDER = Refusal(reasons.SENDER_NOT_ALLOWED)
CODING = Refusal(reasons.DATA_CODING_UNSUPPORTED)
ALPHABET = Refusal(reasons.ALPHABET_INVALID)
LENGTH = Refusal(reasons.TEXT_TOO_LONG)
CREDIT = Refusal(reasons.NO_CREDIT)
BLACKLISTED = Refusal(reasons.DESTINATION_BLACKLISTED)
THROTTLED = Refusal(reasons.THROTTLED)
FAILED = Refusal(reasons.CHECK_FAILED)

_EVERY_CODING = frozenset(range(256))


class Message(Protocol):
    """What is looked at here; addresses as the wire has them: TON, NPI, characters, NUL."""

    @property
    def source(self) -> bytes: ...
    @property
    def destination(self) -> bytes: ...
    @property
    def data_coding(self) -> int: ...


M = TypeVar("M", bound=Message)


class Policy:
    """An account's settings and its plan's prices, compiled. A change of settings makes a new one; only `blocked`, the
    digits of numbers on its blacklist, changes in between."""

    __slots__ = (
        "blocked", "codings", "default_source", "max_parts", "networks", "refused", "senders", "settings", "tariff",
    )  # fmt: skip

    def __init__(
        self, settings: Settings, prices: Mapping[str, int], blocked: frozenset[bytes] = frozenset()
    ) -> None:
        self.settings = settings
        self.block(blocked)
        self.networks = Networks(settings.addresses)
        self.senders = Senders(settings.senders, settings.default_sender)
        self.default_source = wire(settings.default_sender) if settings.default_sender else None
        self.tariff = Tariff(prices, settings.allow_destinations, settings.deny_destinations)
        self.codings = frozenset(settings.data_codings) or _EVERY_CODING
        self.max_parts = settings.max_parts or sys.maxsize

    def block(self, numbers: frozenset[bytes]) -> None:
        """From now on these are on the blacklist. What is not refused for it ends with a receipt instead."""
        self.blocked = numbers
        self.refused = numbers if self.settings.blacklisted == "refuse" else frozenset[bytes]()


class Purse:
    """What moves: the rate, and the units that are neither spent nor promised to a commit under way."""

    __slots__ = ("credit", "rate")

    def __init__(self, credit: int, rate: Rate) -> None:
        self.credit, self.rate = credit, rate


def judge(policy: Policy, purse: Purse, run: Sequence[M], now: float, parts: Callable[[M], int]) -> list[int | Refusal]:
    """-> for each message its charge in units, or the refusal. Takes credit and rate from the purse.

    `parts(message)` counts: at least 1, 0 for octets that are not text of their coding, -1 for an unknown coding.
    """
    try:
        free = purse.rate.available(now)
    except Exception:
        return [FAILED] * len(run)
    senders, tariff, codings, max_parts = policy.senders, policy.tariff, policy.codings, policy.max_parts
    refused = policy.refused
    head, burst, credit, taken = tariff.head, purse.rate.burst, purse.credit, 0
    verdicts: list[int | Refusal] = []
    add = verdicts.append
    for message in run:
        try:
            if not senders[message.source]:
                add(SENDER)
                continue
            destination = message.destination
            price = tariff[destination[:head]]
            digits = destination[2:-1]
            if isinstance(price, Refusal) or not (digits.isdigit() and SHORTEST <= len(digits) <= LONGEST):
                price = tariff.price(destination)
                if isinstance(price, Refusal):
                    add(price)
                    continue
            if refused and digits.lstrip(b"+") in refused:
                add(BLACKLISTED)
                continue
            count = parts(message) if message.data_coding in codings else -1
            if not 0 < count <= max_parts:
                add(LENGTH if count > 0 else ALPHABET if count == 0 else CODING)
                continue
            charge = price * count
            if charge > credit:
                add(CREDIT)
            elif count > free < burst:
                add(THROTTLED)
            else:
                credit, free, taken = credit - charge, free - count, taken + count
                add(charge)
        except Exception:
            add(FAILED)
    purse.credit = credit
    purse.rate.take(taken, now)
    return verdicts
