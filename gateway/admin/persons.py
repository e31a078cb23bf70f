"""What is read from whoever describes a person, field by field, and how a person looks to others.

Invariant: a field that passed is in its only spelling; nothing that proves anybody is ever shown.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from acl.settings import BY_NAME
from store.office.people import Person

from .faults import Wrong
from .shapes import Shape, moment

EMAIL = re.compile(r"[^@\s,;<>\"()\[\]\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,185}[A-Za-z0-9])?")
LONGEST_NAME = 100


def email(value: object) -> str:
    if not isinstance(value, str) or not EMAIL.fullmatch(value) or not value.isprintable():
        raise ValueError("is an e-mail address, such as ola@example.com")
    return value


def name(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_NAME or not value.isprintable():
        raise ValueError(f"is a text of at most {LONGEST_NAME} characters, without line ends")
    return value.strip()


def switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is true or false")
    return value


def like_the_setting(setting: str) -> Callable[[object], object]:
    """Language and time zone of a person are what they are for an account."""
    return BY_NAME[setting].check


READERS: dict[str, Callable[[object], object]] = {
    "email": email,
    "name": name,
    "operator": switch,
    "read_only": switch,
    "language": like_the_setting("language"),
    "time_zone": like_the_setting("time_zone"),
    "enabled": switch,
}
NEW: dict[str, Any] = {"name": "", "operator": False, "read_only": False, "language": "en", "time_zone": "UTC"}


def read(fields: Mapping[str, Any], allowed: frozenset[str]) -> tuple[dict[str, Any], list[Wrong]]:
    """-> what can be taken as it is, and what is wrong."""
    taken, wrong = dict[str, Any](), list[Wrong]()
    for field, value in fields.items():
        if field not in allowed:
            wrong.append(Wrong(str(field)[:60], f"is not one of {', '.join(sorted(allowed))}"))
            continue
        try:
            taken[field] = READERS[field](value)
        except ValueError as why:
            wrong.append(Wrong(field, str(why)))
    return taken, wrong


def shape(person: Person, accounts: Mapping[int, str]) -> Shape:
    """`accounts`: the names of all accounts by their ids."""
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "operator": person.operator,
        "read_only": person.read_only,
        "accounts": sorted(accounts[id_] for id_ in person.accounts if id_ in accounts),
        "language": person.language,
        "time_zone": person.time_zone,
        "enabled": person.enabled,
        "invited": person.password_hash is None,
        "one_time_codes": person.otp_secret is not None,
        "created_at": moment(person.created_at),
    }


def known_of(person: Person) -> tuple[str, ...]:
    """What a password must not contain."""
    return (person.name, person.email, person.email.partition("@")[0])
