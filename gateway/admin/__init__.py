"""What people can do, as methods with plain results: behind the API, the panel and the command line.

Invariant: the same code runs over the store of a stopped server and inside a live one; there, a change has reached
every open session when its method returns. Whoever asks is an Actor: what it may not see is not there, and what it
changes is logged in the same commit. Knows neither HTTP nor terminals. Amounts are decimal strings in credits, times
RFC 3339.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from gateway.ids import Minter
from gateway.payment import Payment
from store.protocol import Store

from .accounts import Accounts
from .actor import COMMAND_LINE, Actor, Right, actor_of
from .binds import Binds
from .blacklist import Blacklist
from .changes import Changes
from .credits import Credits
from .entrance import Entrance
from .estimate import Estimates
from .exports import Exports
from .faults import Conflict, Fault, Forbidden, Invalid, NotFound, Stale, TooMany, Unauthenticated, Unavailable, Wrong
from .health import Health
from .history import History
from .incoming import Incoming
from .letters import Letters
from .live import Live
from .messages import Messages
from .office import Mail, Office
from .own import Own
from .people import People
from .prices import Prices
from .senders import Senders
from .sending import Sending
from .service import Service
from .statement import Statement
from .topups import Topups
from .traffic import Traffic
from .why import Why

__all__ = [
    "COMMAND_LINE", "Actor", "Admin", "Conflict", "Desk", "Entrance", "Fault", "Forbidden", "Invalid", "Live", "Mail",
    "NotFound", "Office", "Right", "Stale", "TooMany", "Unauthenticated", "Unavailable", "Wrong", "actor_of",
]  # fmt: skip


class Desk:
    """Everything that can be done, in the name of one actor. Cheap to make: there is one for each request."""

    def __init__(self, office: Office, actor: Actor, entrance: Entrance) -> None:
        self.office, self.actor = office, actor
        self.accounts = Accounts(office, actor)
        self.credits = Credits(office, actor)
        self.statement = Statement(office, actor)
        self.topups = Topups(office, actor)
        self.estimates = Estimates(office, actor)
        self.messages = Messages(office, actor)
        self.incoming = Incoming(office, actor)
        self.binds = Binds(office, actor)
        self.prices = Prices(office, actor)
        self.traffic = Traffic(office, actor)
        self.why = Why(office, actor)
        self.service = Service(office, actor)
        self.health = Health(office, actor)
        self.people = People(office, actor)
        self.history = History(office, actor)
        self.exports = Exports(office, actor, self.history)
        self.sending = Sending(office, actor)
        self.senders, self.blacklist = Senders(office, actor), Blacklist(office, actor)
        self.letters = Letters(office, actor)
        self.own = Own(office, actor, entrance)
        self.changes = Changes(office, actor, self.accounts)


class Admin:
    """`clock` is wall time in seconds; `live` the running gateway, None when the server is stopped; `mail` None when no
    mail server is configured; `url` where the panel is found; `exports` the folder of exported files; `monotonic` and
    `pause` are for the brake on guessing."""

    def __init__(
        self,
        store: Store,
        minter: Minter,
        clock: Callable[[], float],
        live: Live | None = None,
        mail: Mail | None = None,
        url: str = "",
        payment: Payment | None = None,
        exports: Path | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.office = Office(
            store, live, lambda: int(clock() * 1000), minter, asyncio.Lock(), mail, url, payment, exports
        )
        self.entrance = Entrance(self.office, monotonic, pause)

    def acting(self, actor: Actor) -> Desk:
        return Desk(self.office, actor, self.entrance)
