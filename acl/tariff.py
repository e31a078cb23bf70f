"""Destinations: which an account may send to, and what a part to them costs.

Invariant: the price is that of the longest prefix in the plan, a deny prefix beats every other rule, and a destination
is an international number: 7 to 15 digits that do not begin with 0 (the shortest in use are those of Niue and Tokelau),
TON 0, 1 or 2 (Kannel calls whatever it is given without a `+` national), a leading `+` is dropped. Prices are units;
where the plan has none there is no route.
"""

import re
from collections.abc import Iterable, Mapping

from acl import money, reasons
from acl.reasons import Refusal

SHORTEST, LONGEST = 7, 15
EVERYWHERE = ""  # the prefix of a plan's price for all other destinations

INVALID = Refusal(reasons.DESTINATION_INVALID)
FORBIDDEN = Refusal(reasons.DESTINATION_FORBIDDEN)
UNPRICED = Refusal(reasons.NO_ROUTE)

_PREFIX = re.compile(r"[1-9][0-9]{0,14}")
_ADDRESS = re.compile(rb"[\0-\2].\+?([1-9][0-9]{%d,%d})\0" % (SHORTEST - 1, LONGEST - 1), re.DOTALL)


def prefix(text: str) -> str:
    """The first digits of international numbers; ValueError says what is wrong with them."""
    digits = text.removeprefix("+")
    if not _PREFIX.fullmatch(digits):
        raise ValueError("a prefix is 1 to 15 digits that begin with a country code")
    return digits


def plan(prices: Mapping[str, str | int]) -> dict[str, int]:
    """A price plan as people write it, {"48": "0.5", "*": 1} in credits, as {prefix: units}."""
    read: dict[str, int] = {}
    for text, price in prices.items():
        try:
            digits = EVERYWHERE if text in ("*", EVERYWHERE) else prefix(text)
            units = money.credits(price)
            if units < 0:
                raise ValueError("a price is not negative")
        except ValueError as wrong:
            raise ValueError(f"{text}: {wrong}") from None
        if digits in read:
            raise ValueError(f"{text}: this prefix is there twice")
        read[digits] = units
    return read


class Tariff(dict[bytes, int | Refusal]):
    """The first `head` octets of a destination as the wire has it -> units a part, or why not.

    No rule looks further than its own digits, so the answers worth remembering are few, whatever is sent.
    `price` is the whole rule for one address; the memory of heads is its short cut for a run of messages.
    """

    __slots__ = ("_allow", "_deny", "_prices", "head")

    LIMIT = 10_000

    def __init__(self, prices: Mapping[str, int], allow: Iterable[str] = (), deny: Iterable[str] = ()) -> None:
        super().__init__()
        for digits, units in prices.items():
            if type(units) is not int or not 0 <= units <= money.LARGEST:
                raise ValueError(f"the price of {digits or 'other destinations'} is not an amount: {units!r}")
        self._prices = {digits.encode("ascii"): units for digits, units in prices.items()}
        self._allow = frozenset(text.encode("ascii") for text in allow)
        self._deny = frozenset(text.encode("ascii") for text in deny)
        rules = (*self._prices, *self._allow, *self._deny)
        self.head = 2 + max(map(len, rules), default=0)
        self.head = max(3, self.head)  # the first digit tells an international number

    def price(self, destination: bytes) -> int | Refusal:
        """What a part to this address costs, or why nothing may be sent to it."""
        number = _ADDRESS.fullmatch(destination)
        return self._decide(number[1]) if number else INVALID

    def prefix(self, destination: bytes) -> str | None:
        """The rule of the plan that prices this address: its first digits, or EVERYWHERE; None if there is none."""
        number = _ADDRESS.fullmatch(destination)
        starts = [number[1][:length] for length in range(len(number[1]), -1, -1)] if number else []
        return next((start.decode("ascii") for start in starts if start in self._prices), None)

    def __missing__(self, head: bytes) -> int | Refusal:
        digits = head[2:].rstrip(b"\0")
        if head[0] > 2 or not digits.isdigit() or digits.startswith(b"0"):
            return INVALID  # not remembered: rubbish must not push out what is asked every day
        if len(self) >= self.LIMIT:
            self.clear()
        self[head] = found = self._decide(digits)
        return found

    def _decide(self, digits: bytes) -> int | Refusal:
        prefixes = [digits[:length] for length in range(min(len(digits), self.head - 2), -1, -1)]
        if not self._deny.isdisjoint(prefixes):
            return FORBIDDEN
        if self._allow and self._allow.isdisjoint(prefixes):
            return FORBIDDEN
        return next((self._prices[start] for start in prefixes if start in self._prices), UNPRICED)
