"""What an operator can do, as methods with plain results: behind the API, the command line and later the panel.

Invariant: the same code runs over the store of a stopped server and inside a live one; there, a change has reached
every open session when its method returns. Knows neither HTTP nor terminals. Amounts are decimal strings in credits,
times RFC 3339.
"""

from collections.abc import Callable

from gateway.ids import Minter
from store.protocol import Store

from .accounts import Accounts
from .binds import Binds
from .credits import Credits
from .faults import Conflict, Fault, Invalid, NotFound, Unavailable, Wrong
from .health import Health
from .incoming import Incoming
from .live import Live
from .messages import Messages
from .prices import Prices

__all__ = ["Admin", "Conflict", "Fault", "Invalid", "Live", "NotFound", "Unavailable", "Wrong"]


class Admin:
    """`clock` is wall time in seconds; `live` the running gateway, None when the server is stopped."""

    def __init__(self, store: Store, minter: Minter, clock: Callable[[], float], live: Live | None = None) -> None:
        def wall_ms() -> int:
            return int(clock() * 1000)

        self.accounts = Accounts(store, live, wall_ms)
        self.credits = Credits(store, wall_ms)
        self.messages = Messages(store, wall_ms)
        self.incoming = Incoming(store, live, minter, wall_ms)
        self.binds = Binds(store, live)
        self.prices = Prices(store, live)
        self.health = Health(store, live)
