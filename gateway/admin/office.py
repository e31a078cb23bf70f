"""What every desk has at hand: the store, the running gateway, the clock, the mail; and how an account is found.

Invariant: an account that the actor does not see is not found, in the same words as one that is not there.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from acl.settings import InvalidSettings, Settings
from gateway.ids import Minter
from gateway.payment import Payment
from store.office.changes import Change
from store.office.outbox import Letter
from store.office.people import Person
from store.protocol import AccountRow, Store

from .actor import Actor
from .faults import NotFound
from .live import Live

PREFIX = "smpp-"


class Mail(Protocol):
    """Letters are put into the outbox; what is secret in them is made when they leave."""

    async def invite(self, person: Person) -> None: ...
    async def reset(self, person: Person) -> None: ...
    async def password(self, account: int, drop_binds: bool, changes: Sequence[Change]) -> Letter | None: ...
    async def notify(self, kind: str, account: int, facts: Mapping[str, Any]) -> None: ...
    async def try_out(self, to: str) -> Letter | None: ...
    def wake(self) -> None: ...


class Office(NamedTuple):
    """`wall_ms` is wall time; `live` the running gateway, None when the server is stopped; `mail` and `payment` None
    where no mail server or payment service is configured; `changing` is held while something is read, changed and
    written back; `url` is where the panel is found, without a slash at its end; `exports` the folder of exported
    files."""

    store: Store
    live: Live | None
    wall_ms: Callable[[], int]
    minter: Minter
    changing: asyncio.Lock
    mail: Mail | None = None
    url: str = ""
    payment: Payment | None = None
    exports: Path | None = None

    async def named(self, actor: Actor, name: str) -> AccountRow:
        wanted = full_name(name)
        for row in await self.store.accounts():
            if row.name == wanted and actor.sees(row.id):
                return row
        raise NotFound(f"there is no account {wanted}")

    async def seen(self, actor: Actor) -> list[AccountRow]:
        """The accounts that the actor sees, by name."""
        rows = [row for row in await self.store.accounts() if actor.sees(row.id)]
        return sorted(rows, key=lambda row: row.name)

    async def refreshed(self) -> None:
        """The running gateway takes over what the store says."""
        if self.live is not None:
            await self.live.accounts.refresh()


def full_name(name: str) -> str:
    """Every account's name begins alike, so it can be told from other products' accounts; typing it is optional."""
    return name if name.startswith(PREFIX) else PREFIX + name


def alphabet_of(row: AccountRow) -> str:
    """What data_coding 0 means for this account."""
    try:
        return Settings.of(row.settings).default_alphabet
    except InvalidSettings:
        return Settings().default_alphabet
