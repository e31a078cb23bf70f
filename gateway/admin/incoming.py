"""Mobile-originated messages, injected by hand into the queue that real ones would take.

Invariant: an account receives what is sent to its sender; when two could be meant, nobody is guessed.
"""

import structlog

from acl.senders import ANY, sender, wire
from acl.settings import InvalidSettings, Settings
from pdu.bodies import DELIVER_SM_BODY, DeliverSm
from pdu.constants import UDHI
from pdu.text import encode, split
from store.office.blacklist import MOST_STOPPED
from store.protocol import AccountRow

from .actor import Actor
from .faults import Conflict, Invalid, NotFound, Wrong
from .office import Office, alphabet_of
from .shapes import Shape

log = structlog.get_logger()


class Incoming:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor = office, actor

    async def inject(self, source: str, to: str, text: str, account: str | None = None) -> Shape:
        """-> the account that will receive it, and the ids of its parts."""
        origin, target = on_the_wire("from", source), on_the_wire("to", to)
        row = await self._office.named(self._actor, account) if account is not None else await self._owner(to)
        bodies = [
            bytearray(DELIVER_SM_BODY.encode(part)) for part in self._parts(origin, target, text, alphabet_of(row))
        ]
        ids = self._office.minter.mint(len(bodies), self._office.wall_ms())
        stopped = [source.lstrip("+")] if self._asks_to_be_left_alone(row, source, text) else []
        if stopped and await self._office.store.blacklist.count(row.id) >= MOST_STOPPED:
            log.error("the blacklist is full: a STOP could not be entered", account=row.name, most=MOST_STOPPED)
            stopped = []
        await self._office.store.note_incoming(row.id, list(zip(ids, bodies, strict=True)), stopped)
        if self._office.live is not None:
            self._office.live.wake(row.id, len(bodies))
            if stopped:
                await self._office.live.accounts.follow_blacklist(row.id)
        return {"account": row.name, "message_ids": [str(each) for each in ids], "parts": len(bodies)}

    def _asks_to_be_left_alone(self, row: AccountRow, source: str, text: str) -> bool:
        """A keyword and nothing else, from a number."""
        try:
            keywords = Settings.of(row.settings).stop_keywords
        except InvalidSettings:
            keywords = Settings().stop_keywords
        said = " ".join(text.split()).strip(" .!\"'").casefold()
        return source.lstrip("+").isdecimal() and said in {keyword.casefold() for keyword in keywords}

    def _parts(self, origin: bytes, target: bytes, text: str, alphabet: str) -> list[DeliverSm]:
        coding, octets = encode(text, alphabet)
        try:
            pieces = split(coding, octets, self._office.wall_ms() & 0xFF, alphabet=alphabet)
        except ValueError as why:
            raise Invalid(Wrong("text", str(why))) from None
        esm_class = UDHI if len(pieces) > 1 else 0
        return [
            DELIVER_SM_BODY.build(
                source=origin, destination=target, esm_class=esm_class, data_coding=coding, short_message=piece
            )
            for piece in pieces
        ]

    async def _owner(self, to: str) -> AccountRow:
        """Whoever has this very sender; failing that, whoever may send as anybody."""
        rows = [(row, senders_of(row)) for row in await self._office.seen(self._actor)]
        spelling = sender(to)
        owners = [row for row, senders in rows if spelling in senders] or [
            row for row, senders in rows if ANY in senders
        ]
        if not owners:
            raise NotFound(f"no account has the sender {to}")
        if len(owners) > 1:
            names = ", ".join(row.name for row in owners)
            raise Conflict(f"{to} belongs to {names}; say which of them is meant")
        return owners[0]


def senders_of(row: AccountRow) -> list[str]:
    try:
        return list(Settings.of(row.settings).senders)
    except InvalidSettings:
        return []


def on_the_wire(field: str, text: str) -> bytes:
    try:
        return wire(text)
    except ValueError as why:
        raise Invalid(Wrong(field, f"{text}: {why}")) from None
