"""Messages sent without a bind: written as SMPP would have them, then judged, charged and kept like all others.

Invariant: what is refused costs nothing; a message in parts that was taken in part says so, with the ids that went.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from acl.money import as_credits
from acl.reasons import REASONS, Refusal
from acl.settings import InvalidSettings, Settings
from gateway.archive import addresses
from gateway.taken import Taken
from pdu.bodies import SUBMIT_SM_BODY, SubmitSm
from pdu.constants import UDHI
from pdu.text import encode, split
from pdu.times import format_absolute, format_relative
from store.office.history import Wanted
from store.protocol import AccountRow

from .actor import Actor
from .faults import Conflict, Invalid, NotFound, Unavailable, Wrong
from .incoming import on_the_wire
from .messages import number
from .office import Office, alphabet_of
from .shapes import Shape

MOST_RECIPIENTS, LONGEST_MESSAGE = 100, 4_000


class Wish(NamedTuple):
    """As it is asked for; an empty sender stands for the account's default one."""

    recipients: Sequence[str]
    message: str
    sender: str = ""
    coding: str = "auto"
    registered: bool = False
    validity_seconds: int | None = None
    schedule: datetime | None = None


class Sending:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor = office, actor

    async def send(self, name: str, wish: Wish) -> list[Shape]:
        """-> what became of it, for each recipient."""
        row = await self._office.named(self._actor, name)
        if self._office.live is None:
            raise Unavailable("the server is stopped: nothing is sent")
        if not may_send(row):
            raise Conflict(f"{row.name} may not send: it is switched off")
        records, parts = self._records(wish, alphabet_of(row))
        told = await self._office.live.submit(row.id, self._actor.origin, records)
        return [
            fate(recipient, told[at : at + parts])
            for recipient, at in zip(wish.recipients, range(0, len(told), parts), strict=True)
        ]

    async def cancel(self, name: str, key: str) -> None:
        """A message that waits for its time; what was paid for it comes back as the account's rules have it."""
        row = await self._office.named(self._actor, name)
        id_ = number("id", key)
        found = await self._office.store.history.sent(row.id, Wanted(id_, id_), addresses, 1)
        if not found:
            raise NotFound(f"{row.name} has no message {key}")
        if self._office.live is None:
            raise Unavailable("the server is stopped: nothing is sent, and nothing is cancelled")
        if found[0].scheduled_at is None or not await self._office.live.cancel(row.id, found[0]):
            raise Conflict("this message does not wait for its time any more")
        changes = [self._actor.change(self._office.wall_ms(), "history", "cancelled", old=key, account=row.id)]
        await self._office.store.changes.note(changes)

    def _records(self, wish: Wish, alphabet: str) -> tuple[list[SubmitSm], int]:
        """-> the parts for the first recipient, then those for the next, and how many parts each has."""
        if not 0 < len(wish.recipients) <= MOST_RECIPIENTS:
            raise Invalid(Wrong("recipients", f"are 1 to {MOST_RECIPIENTS} numbers"))
        if not 0 < len(wish.message) <= LONGEST_MESSAGE:
            raise Invalid(Wrong("message", f"has 1 to {LONGEST_MESSAGE} characters"))
        source = on_the_wire("sender", wish.sender) if wish.sender else b"\0\0\0"
        targets = [on_the_wire("recipients", each) for each in wish.recipients]
        coding, pieces = pieces_of(wish, alphabet, self._office.wall_ms() & 0xFF)
        schedule, validity = times_of(wish)
        records = [
            SUBMIT_SM_BODY.build(
                source=source,
                destination=target,
                esm_class=UDHI if len(pieces) > 1 else 0,
                schedule_delivery_time=schedule,
                validity_period=validity,
                registered_delivery=int(wish.registered),
                data_coding=coding,
                short_message=piece,
            )
            for target in targets
            for piece in pieces
        ]
        return records, len(pieces)


def may_send(row: AccountRow) -> bool:
    """What cannot be read allows nothing."""
    try:
        Settings.of(row.settings)
    except InvalidSettings:
        return False
    return row.enabled


def pieces_of(wish: Wish, alphabet: str, reference: int) -> tuple[int, list[bytes]]:
    coding, octets = encode(wish.message, alphabet)
    if wish.coding == "ucs2":
        coding, octets = 8, wish.message.encode("utf-16-be", "surrogatepass")
    elif wish.coding == "alphabet" and coding:
        raise Invalid(Wrong("message", "has characters outside the account's alphabet; auto or ucs2 can send them"))
    try:
        return coding, split(coding, octets, reference, alphabet=alphabet)
    except ValueError as why:
        raise Invalid(Wrong("message", str(why))) from None


def times_of(wish: Wish) -> tuple[bytes, bytes]:
    """Schedule and validity; what is valid for so long is so from its schedule on."""
    seconds = wish.validity_seconds
    if wish.schedule is None:
        return b"", format_relative(seconds) if seconds else b""
    starts = wish.schedule.timestamp()
    try:
        return format_absolute(starts), format_absolute(starts + seconds) if seconds else b""
    except ValueError as why:
        raise Invalid(Wrong("schedule", str(why))) from None


def fate(recipient: str, told: Sequence[Taken | Refusal]) -> Shape:
    taken = [each for each in told if isinstance(each, Taken)]
    refused = [each for each in told if isinstance(each, Refusal)]
    shape: Shape = {"recipient": recipient}
    if taken:
        shape["ids"] = [str(each.id) for each in taken]
        shape["charge"], shape["parts"] = as_credits(sum(each.charge for each in taken)), len(told)
    if refused:
        shape["reason"] = refused[0].reason
        shape["why"] = refused[0].detail or REASONS.get(refused[0].reason, refused[0].reason)
    return shape
