"""The seam to a mobile network: what a connector is given and what it reports.

A connector takes parcels and reports, later and in batches, how their messages ended. It knows no money, no store and
no client session. The simulator is one; an SMPP client bound to a real SMSC will be another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from pdu.bodies import SubmitSm

Message = tuple[int, bytes, SubmitSm]
"""id, its form on the wire (what receipts name: shared by the messages of one submit_multi), the request."""


class Origin(Protocol):
    """The link that submitted messages: a receipt must not overtake the response that names its id."""

    def holds_answers(self) -> bool:
        """Whether responses are still waiting to be written."""

    def when_written(self, then: Callable[[], None]) -> None:
        """Call `then` once they are written or the link is gone."""


class Parcel:
    """Messages of one account on their way, accepted together. `left` counts those that have not ended."""

    __slots__ = ("accepted_ms", "account", "first", "left", "messages", "sent_ms")

    def __init__(
        self, account: int, messages: Sequence[Message], accepted_ms: int, first: int, sent_ms: int = 0
    ) -> None:
        self.account = account
        self.messages = messages
        self.accepted_ms = accepted_ms  # wall clock, milliseconds
        self.first = first  # the smallest id: the key under which the parcel is known
        self.sent_ms = sent_ms  # when they were handed over
        self.left = len(messages)


class End(NamedTuple):
    """Messages of a parcel that ended alike."""

    state: int  # message_state, SMPP 3.4 §5.2.28
    error: int  # the code of the receipt's err field
    reached: bool  # False: the network never took them, so the `unsent` refund policy gives the charge back
    messages: Sequence[Message]


Report = Callable[[Sequence[tuple[Parcel, End]]], None]
"""How messages ended, of however many parcels: what is known together is booked together."""


class Connector(Protocol):
    """What dispatch needs of a way to a network."""

    def send(self, parcel: Parcel) -> None:
        """Take the parcel; its report comes later, never inside this call."""

    def close(self) -> None:
        """Forget what is under way; it is handed over again after the next start."""
