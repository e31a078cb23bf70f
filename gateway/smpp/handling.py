"""What handlers and the link that calls them share: who asks, and what is to be sent.

Invariant: a handler returns what to send; it never sends. Knows no transport.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

from ..accounts import Account
from ..network.connector import Origin


class Asker(Origin, Protocol):
    """The link a run came by: its session is bound to an account."""

    @property
    def account(self) -> Account: ...

    @property
    def peer(self) -> str: ...

    def waits(self) -> bool:
        """Whether its client sends no more before it has its answers."""


class Answer(NamedTuple):
    """Octets to write, and what to do once they are written."""

    octets: bytes
    then: Callable[[], None] | None = None


Handler = Callable[[Asker, list[Any], float], Awaitable[Answer]]
"""(link, run of decoded requests, monotonic time of their arrival) -> answers in the order of the requests."""
