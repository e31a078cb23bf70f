"""Who asks: what somebody may do, which accounts they see, and how the log of changes names them.

Invariant: an actor without rights may do nothing; what is not in `accounts` does not exist for it.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

from store.office.changes import Change
from store.office.people import Person


class Right(StrEnum):
    READ = "read"
    SETTINGS = "settings"
    CREDITS = "credits"
    SEND = "send"
    OVERSEE = "oversee"
    """To look at what concerns everybody: an operator's, and a read-only operator's."""
    OPERATE = "operate"
    SELF = "self"
    """To change one's own password, codes and tokens: with a session of the panel only, never with a token."""


EVERY_RIGHT = frozenset(Right)
CUSTOMER = frozenset({Right.READ, Right.SETTINGS, Right.CREDITS, Right.SEND, Right.SELF})
LOOKING = frozenset({Right.READ, Right.SELF})
SCOPES = (Right.READ, Right.SETTINGS, Right.CREDITS, Right.SEND, Right.OPERATE)
"""What a token may be made for; to look at everybody's comes with `read`, for whose it is."""


def rights_of(operator: bool, read_only: bool) -> frozenset[Right]:
    if read_only:
        return LOOKING | {Right.OVERSEE} if operator else LOOKING
    return EVERY_RIGHT if operator else CUSTOMER


class Actor(NamedTuple):
    """`person` is None for the command line of this machine and for the gateway itself, `accounts` None for all;
    `origin` the peer's address, "" for this machine's socket; `via` panel, api, cli or gateway."""

    person: int | None
    name: str
    rights: frozenset[Right]
    accounts: frozenset[int] | None
    origin: str
    via: str
    language: str = "en"
    time_zone: str = "UTC"
    operator: bool = False
    read_only: bool = False

    def sees(self, account: int) -> bool:
        return self.accounts is None or account in self.accounts

    def change(
        self, at: int, subject: str, name: str, old: Any = None, new: Any = None, account: int | None = None
    ) -> Change:
        """A line of the log of changes, in this actor's name."""
        return Change(at, self.person, self.name, self.origin, self.via, account, subject, name, old, new)

    def with_scopes(self, scopes: Iterable[str]) -> "Actor":
        """The same with no more than a token of these scopes allows."""
        allowed = set(scopes).intersection(SCOPES)
        if Right.READ in allowed:
            allowed.add(Right.OVERSEE)
        return self._replace(rights=frozenset(right for right in self.rights if right in allowed))


def actor_of(person: Person, origin: str, via: str) -> Actor:
    return Actor(
        person.id,
        f"{person.name} <{person.email}>" if person.name else person.email,
        rights_of(person.operator, person.read_only),
        None if person.operator else person.accounts,
        origin,
        via,
        person.language,
        person.time_zone,
        person.operator,
        person.read_only,
    )


COMMAND_LINE = Actor(None, "command line", EVERY_RIGHT, None, "", "cli", operator=True)
GATEWAY = Actor(None, "gateway", EVERY_RIGHT, None, "", "gateway", operator=True)
