"""Senders: what an account may put in source_addr.

Invariant: the characters decide the kind, TON and NPI nothing, and a sender matches exactly or not at all: no case is
folded and no space trimmed. The `+` before an international number is no part of it.
"""

import re
from collections.abc import Iterable
from typing import Final

ANY: Final = "*"
LONGEST: Final = 16  # octets of the longest sender there is: a plus and 15 digits

ALPHANUMERIC, SHORTCODE, INTERNATIONAL = "alphanumeric", "shortcode", "international"

_DIGITS = re.compile(r"[0-9]+")
# The part of the GSM default alphabet that is ASCII: elsewhere one character has several encodings on the wire.
_NAME = re.compile(r"[A-Za-z0-9 !\"#$%&'()+,\-./:;<=>?@_]{1,11}")
_TON_NPI = {ALPHANUMERIC: b"\x05\x00", SHORTCODE: b"\x03\x01", INTERNATIONAL: b"\x01\x01"}


def sender(text: str) -> str:
    """A sender in its only spelling; ValueError says what is wrong with it."""
    return text if text == ANY else _spelt(text)[1]


def kind(text: str) -> str:
    """alphanumeric, shortcode or international."""
    return _spelt(text)[0]


def wire(text: str) -> bytes:
    """A sender as an address on the wire: TON, NPI, characters, NUL."""
    found, spelling = _spelt(text)
    return _TON_NPI[found] + spelling.encode("ascii") + b"\0"


def _spelt(text: str) -> tuple[str, str]:
    digits = text.removeprefix("+")
    if _DIGITS.fullmatch(digits):
        if 9 <= len(digits) <= 15:
            return INTERNATIONAL, digits
        if 3 <= len(digits) <= 8 and digits == text:
            return SHORTCODE, digits
        raise ValueError("a number has 9 to 15 digits, a short code 3 to 8 and no +")
    if text.startswith("+"):
        raise ValueError("after a + there are digits only")
    if not _NAME.fullmatch(text):
        raise ValueError("has 1 to 11 characters: letters, digits, spaces and !\"#$%&'()+,-./:;<=>?@_")
    if text != text.strip():
        raise ValueError("begins or ends with a space")
    return ALPHANUMERIC, text


class Senders(dict[bytes, bool]):
    """An address as the wire has it -> may this account send from it? Remembers, within bounds, what it was asked.

    An empty address stands for the account's default sender and is right when there is one.
    """

    __slots__ = ("_any", "_default", "_names")

    LIMIT = 10_000

    def __init__(self, names: Iterable[str] = (), default: str = "") -> None:
        super().__init__()
        spellings = {sender(name) for name in names}
        self._any = ANY in spellings
        self._names = frozenset(name.encode("ascii") for name in spellings)
        self._default = bool(default)

    def __missing__(self, address: bytes) -> bool:
        characters = address[2:-1]
        if len(characters) > LONGEST or len(address) < 3 or address[-1] != 0:
            return False
        if len(self) >= self.LIMIT:
            self.clear()
        self[address] = allowed = self._allows(characters)
        return allowed

    def _allows(self, characters: bytes) -> bool:
        if not characters:
            return self._default
        try:
            spelling = _spelt(characters.decode("ascii"))[1]
        except ValueError:
            return False
        return self._any or spelling.encode("ascii") in self._names
