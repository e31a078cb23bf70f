"""Who a new account is: its name and login, made up where nobody chose, and its first credits."""

import re
import secrets
from collections.abc import Mapping
from random import SystemRandom
from typing import Any, NamedTuple

from acl.money import credits as units_of
from acl.password import generate

from .faults import Wrong
from .office import PREFIX, full_name

FIELDS = ("name", "system_id", "password", "credits")
NAME = re.compile(r"smpp-[A-Za-z0-9][A-Za-z0-9._-]{0,58}")
PRINTABLE = re.compile(r"[!-~]{1,64}")
SYSTEM_ID_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # no look-alikes: people read it over the telephone
SYSTEM_ID_LENGTH = 10
LONGEST_SYSTEM_ID, LONGEST_PASSWORD = 15, 8  # what fits into the fields of a bind


class Identity(NamedTuple):
    name: str
    system_id: str
    password: str
    topup: int

    @property
    def warnings(self) -> list[str]:
        """Longer ones are taken, but most clients cut them off without a word and then fail to log in."""
        lengths = (
            ("system_id", len(self.system_id), LONGEST_SYSTEM_ID),
            ("password", len(self.password), LONGEST_PASSWORD),
        )
        return [
            f"{field} has {length} characters; many clients send only the first {longest}"
            for field, length, longest in lengths
            if length > longest
        ]


def read(fields: Mapping[str, Any]) -> tuple[Identity, list[Wrong]]:
    """-> the identity (of use only if nothing is wrong), and what is wrong."""
    wrong = list[Wrong]()
    name = full_name(text(fields, "name", wrong))
    if not NAME.fullmatch(name):
        wrong.append(Wrong("name", f"after {PREFIX} has 1 to 59 letters, digits, dots, dashes and underscores"))
    system_id = text(fields, "system_id", wrong) or made_up_system_id()
    password = text(fields, "password", wrong) or generate(SystemRandom())
    for field, value, most in (("system_id", system_id, LONGEST_SYSTEM_ID), ("password", password, LONGEST_PASSWORD)):
        if not PRINTABLE.fullmatch(value):
            wrong.append(Wrong(field, f"has 1 to {most} characters: ASCII letters, digits, punctuation, no spaces"))
    topup = 0
    try:
        topup = units_of(fields.get("credits") or 0)
    except ValueError as why:
        wrong.append(Wrong("credits", str(why)))
    if topup < 0:
        wrong.append(Wrong("credits", "is not negative: an account cannot start in debt"))
    return Identity(name, system_id, password, topup), wrong


def text(fields: Mapping[str, Any], field: str, wrong: list[Wrong]) -> str:
    value = fields.get(field)
    if value is None or isinstance(value, str):
        return value or ""
    wrong.append(Wrong(field, "is a text"))
    return ""


def made_up_system_id() -> str:
    return "".join(secrets.choice(SYSTEM_ID_LETTERS) for _ in range(SYSTEM_ID_LENGTH))
