"""What a setting can be: how each kind of value is read from text, checked, and shown.

Invariant: a value that passed `check` is in its only spelling, immutable, and passes again. Which settings there are
stands in acl.settings.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from acl import money
from acl.addresses import network
from acl.reasons import LOGIN_REASONS, MALFORMED, REASONS
from acl.senders import ANY, sender
from acl.tariff import prefix

LARGEST_STATUS = 0xFFFFFFFF

_WHOLE = re.compile(r"[+-]?[0-9]+|0[xX][0-9a-fA-F]+")
_DURATION = re.compile(r"([0-9]+)([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+")
_PLAN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One line of the table of settings. `kind` is that of the value, or with `many` of each of its items."""

    name: str
    kind: str
    default: Any
    help: str
    unit: str = ""
    minimum: int = 0
    maximum: int = 0  # of an integer, of the units of an amount, of the characters of a text
    choices: tuple[str, ...] = ()
    many: bool = False
    fewest: int = 0  # items of `many`
    most: int = 0
    flag: str = ""  # of the command line; given once for each item of `many`
    who: str = "operator"  # may change it: the owner of the account too, or an operator alone

    def check(self, value: object) -> Any:
        """The value in its only spelling; ValueError says what is wrong with it."""
        if self.kind == "statuses":
            return _statuses(value)
        return self._items(value) if self.many else _KINDS[self.kind](self, value)

    def parse(self, text: str) -> Any:
        """As `check`, from the text of a command line: items are separated by commas, or all of it is JSON."""
        if self.kind == "statuses":
            return self.check(_json(text) if text.lstrip().startswith("{") else _pairs(text))
        if not self.many:
            return self.check(self._read(text))
        if text.lstrip().startswith("["):
            return self.check(_json(text))
        return self.check([self._read(item.strip()) for item in text.split(",")] if text.strip() else [])

    def plain(self, value: Any) -> Any:
        """The value as JSON has it."""
        if isinstance(value, Mapping):
            return dict(value)
        return list(value) if isinstance(value, tuple) else value

    def text(self, value: Any) -> str:
        """The value as `parse` reads it."""
        if isinstance(value, Mapping):
            return ",".join(f"{name}={status:#x}" for name, status in value.items())
        if not isinstance(value, tuple):
            return str(value)
        items = [str(item) for item in value]
        return json.dumps(items) if any("," in item for item in items) else ",".join(items)

    def _read(self, text: str) -> object:
        if self.kind != "integer":
            return text
        if self.unit == "s" and (duration := _DURATION.fullmatch(text)):
            return int(duration[1]) * _SECONDS[duration[2]]
        if not _WHOLE.fullmatch(text):
            raise ValueError("is a duration such as 30, 30s, 5m, 12h or 7d" if self.unit == "s" else _NO_INTEGER)
        return int(text, 16 if text[:2] in ("0x", "0X") else 10)

    def _items(self, value: object) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError("is a list")
        items = tuple(dict.fromkeys(self._item(item) for item in value))
        if len(items) < self.fewest:
            raise ValueError(f"has at least {self.fewest} item{'s' * (self.fewest != 1)}")
        if self.most and len(items) > self.most:
            raise ValueError(f"has at most {self.most} items")
        return items

    def _item(self, item: object) -> Any:
        try:
            return _KINDS[self.kind](self, item)
        except ValueError as wrong:
            raise ValueError(f"{item!r:.60}: {wrong}") from None


_NO_INTEGER = "is a whole number"


def _integer(setting: Setting, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(_NO_INTEGER)
    if not setting.minimum <= value <= setting.maximum:
        raise ValueError(f"is a number from {setting.minimum} to {setting.maximum}")
    return value


def _amount(setting: Setting, value: object) -> str:
    if not isinstance(value, str | int):
        raise ValueError("is an amount of credits, written as a whole number or as text such as 12.5")
    units = money.credits(value)
    if not setting.minimum <= units <= setting.maximum:
        raise ValueError(f"is from {money.as_credits(setting.minimum)} to {money.as_credits(setting.maximum)} credits")
    return money.as_credits(units)


def _text(setting: Setting, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is a text")
    if len(value) > setting.maximum:
        raise ValueError(f"has at most {setting.maximum} characters")
    if not value.isprintable():
        raise ValueError("has no control characters or line ends")
    return value


def _ascii(setting: Setting, value: object) -> str:
    if not _text(setting, value).isascii():
        raise ValueError("has ASCII characters only")
    return str(value)


def _email(setting: Setting, value: object) -> str:
    text = _text(setting, value)
    if text and not _EMAIL.fullmatch(text):
        raise ValueError("is an e-mail address such as ops@example.org")
    return text


def _plan(setting: Setting, value: object) -> str:
    text = _text(setting, value)
    if not _PLAN.fullmatch(text):
        raise ValueError("is the name of a price plan: letters, digits, dots, hyphens and underscores")
    return text


def _zone(setting: Setting, value: object) -> str:
    text = _text(setting, value)
    if text != "UTC":  # which is there even where no time zone data is installed
        try:
            ZoneInfo(text)
        except (ValueError, KeyError, OSError):
            raise ValueError("is a time zone such as UTC or Europe/Warsaw") from None
    return text


def _choice(setting: Setting, value: object) -> str:
    if not isinstance(value, str) or value not in setting.choices:
        raise ValueError(f"is one of: {', '.join(setting.choices)}")
    return value


def _spelt(spell: Callable[[str], str]) -> Callable[[Setting, object], str]:
    def check(setting: Setting, value: object) -> str:
        return spell(_text(setting, value))

    return check


def _one_sender(setting: Setting, value: object) -> str:
    text = _text(setting, value)
    if text == ANY:
        raise ValueError(f"is one sender, not {ANY}")
    return sender(text) if text else text


def _statuses(value: object) -> Mapping[str, int]:
    if not isinstance(value, Mapping):
        raise ValueError("is a mapping of reasons to command statuses")
    for reason, status in value.items():
        if reason not in REASONS:
            raise ValueError(f"{reason!r:.60} is not a reason")
        if reason in LOGIN_REASONS:
            raise ValueError(f"{reason}: the answer to a refused login is the same for every account")
        if reason == MALFORMED:
            raise ValueError(f"{reason}: the answer says what is wrong with the request")
        if not isinstance(status, int) or isinstance(status, bool) or not 1 <= status <= LARGEST_STATUS:
            raise ValueError(f"{reason}: a status is a number from 1 to {LARGEST_STATUS:#x}; 0 would say OK")
    return MappingProxyType({reason: value[reason] for reason in sorted(value)})


def _pairs(text: str) -> dict[str, int]:
    pairs = {}
    for pair in filter(None, (pair.strip() for pair in text.split(","))):
        reason, equals, status = (part.strip() for part in pair.partition("="))
        if not equals or not _WHOLE.fullmatch(status):
            raise ValueError("is written as reason=status, such as no_credit=0x45")
        pairs[reason] = int(status, 16 if status[:2] in ("0x", "0X") else 10)
    return pairs


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("is not valid JSON") from None


def _comment(setting: Setting, value: object) -> str:
    address, _space, words = _text(setting, value).strip().partition(" ")
    if not words.strip():
        raise ValueError("is an address, a space and a comment")
    return f"{network(address)} {words.strip()}"


_KINDS: dict[str, Callable[[Setting, object], int | str]] = {
    "integer": _integer,
    "credits": _amount,
    "text": _text,
    "ascii": _ascii,
    "email": _email,
    "plan": _plan,
    "zone": _zone,
    "choice": _choice,
    "network": _spelt(network),
    "comment": _comment,
    "sender": _spelt(sender),
    "one_sender": _one_sender,
    "prefix": _spelt(prefix),
}
