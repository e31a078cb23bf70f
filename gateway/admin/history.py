"""History as people look through it: what was sent and received, with filters, each message's whole life, erasing.

Invariant: who may only look sees masked numbers, wherever they stand. Erasing takes words and numbers, never money.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from acl.money import as_credits
from acl.reasons import LOGIN_REASONS, REASONS
from gateway.archive import addresses, received_addresses
from gateway.ids import id_at
from pdu.bodies import DELIVER_SM_BODY, DeliverSm, digits_of, user_data
from pdu.constants import STATE_NAMES
from pdu.faults import Malformed
from pdu.text import decode
from store.office.history import LAST, Fate, Unwanted, Wanted, fits
from store.office.inbox import Received
from store.protocol import AccountRow, MessageRow

from . import period
from .actor import Actor
from .faults import Conflict, Invalid, NotFound, Wrong
from .masking import for_eyes_of
from .messages import number
from .office import Office, alphabet_of
from .shapes import Shape, message, moment, refusal
from .sheet import row as sheet_row

MOST = 500
OUTGOING, INCOMING = "outgoing", "incoming"
AT_ONCE = 500  # rows of a sheet read at a time
BITE = 50  # rows written at a time: two milliseconds
BREATH, GIVE_WAY = 0.005, 0.05  # seconds between two of these, and while clients wait for the store
WHY = tuple(reason for reason in REASONS if reason not in LOGIN_REASONS)
STATES = {name: state for state, name in STATE_NAMES.items() if state != 1}
UNDER_WAY = "under way"
COLUMNS = (
    "id", "date", "sender", "receiver", "ptt", "operatorCode", "descriptionDlr", "tag", "message",
    "error", "done", "credits",
)  # fmt: skip
"""The documented ones in their order, so that what reads them goes on working; then ours. There are no operators and no
tags here: these stay empty."""
COLUMNS_RECEIVED = ("id", "date", "sender", "receiver", "message", "state")
HEADS = {OUTGOING: COLUMNS, INCOMING: COLUMNS_RECEIVED}
PTT = {"delivered": 4, "expired": 8, "undeliverable": 5, "unknown": 6, "accepted": 3, "enroute": 3}
"""How the documented column says it; what ended otherwise has no number there."""


class Filter(NamedTuple):
    """As it is asked for; texts may be empty. `state` and `message_id` are for what was sent, `reason` for what was
    refused."""

    since: str = ""
    until: str = ""
    sender: str = ""
    recipient: str = ""
    state: str = ""
    message_id: str = ""
    reason: str = ""


EVERYTHING = Filter()


class Piece(NamedTuple):
    """Some lines of a sheet, how many, and the id of the last of them."""

    text: str
    rows: int
    last: int


class History:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor = office, actor
        self._history, self._inbox = office.store.history, office.store.inbox

    # -- sent ------------------------------------------------------------------------------------------------------
    async def outgoing(
        self, name: str, asked: Filter = EVERYTHING, before: str | None = None, limit: int = 50
    ) -> tuple[list[Shape], str | None]:
        """-> newest first, and the `before` of the next page."""
        row = await self._office.named(self._actor, name)
        wanted = self._wanted(asked, before)
        limit = min(limit, MOST)
        rows = await self._sent(row, asked, wanted, limit)
        shown = self._shapes(rows, row)
        return shown, shown[-1]["key"] if len(rows) == limit and rows else None

    async def _sent(self, row: AccountRow, asked: Filter, wanted: Wanted, limit: int) -> list[MessageRow]:
        if not asked.message_id:
            return await self._history.sent(row.id, wanted, addresses, limit)
        known = await self._office.store.find(row.id, number("message_id", asked.message_id.strip()))
        return [each for each in reversed(known) if fits(each, wanted, addresses)][:limit]

    def _period(self, asked: Filter, wrong: list[Wrong]) -> tuple[int, int | None]:
        """Milliseconds; the end is not meant, None is no end."""
        zone = self._actor.time_zone
        since = period.begin("since", asked.since, zone, wrong) if asked.since else 0
        return since, period.end("until", asked.until, zone, wrong) if asked.until else None

    def _wanted(self, asked: Filter, before: str | None) -> Wanted:
        wrong: list[Wrong] = []
        since, until = self._period(asked, wrong)
        state = None
        if asked.state == UNDER_WAY:
            state = 0
        elif asked.state:
            state = STATES.get(asked.state)
            if state is None:
                wrong.append(Wrong("state", f"is one of: {', '.join([UNDER_WAY, *STATES])}"))
        last = LAST if until is None else id_at(until) - 1
        if before is not None:
            last = min(last, number("before", before) - 1)
        if wrong:
            raise Invalid(*wrong)
        return Wanted(id_at(since) if since else 0, last, address_of(asked.sender), address_of(asked.recipient), state)

    def _shapes(self, rows: Sequence[MessageRow], row: AccountRow) -> list[Shape]:
        alphabet = alphabet_of(row)
        return [for_eyes_of(self._actor, {**message(each, alphabet), "key": str(each.id)}) for each in rows]

    async def show(self, name: str, key: str) -> Shape:
        """One message, and its timeline: (what, when, detail) as far as it has come."""
        row, found = await self._one(name, key)
        fate = (await self._history.fates([found.id])).get(found.id)
        shown = self._shapes([found], row)[0]
        return {**shown, "erased": not found.body, "timeline": timeline(found, fate)}

    async def erase(self, name: str, keys: Sequence[str]) -> int:
        """-> how many were erased: those that had ended and owed no receipt."""
        row = await self._office.named(self._actor, name)
        ids = [number("id", key) for key in keys[:MOST]]
        change = self._actor.change(self._office.wall_ms(), "history", "erased", old=len(ids), account=row.id)
        erased = await self._history.erase(row.id, ids, [change])
        if ids and not erased:
            raise Conflict("a message can be erased once it has ended and its receipt was taken")
        return erased

    # -- as CSV ----------------------------------------------------------------------------------------------------
    async def sheet(self, name: str, asked: Filter, direction: str = OUTGOING) -> AsyncIterator[str]:
        """All that fits, newest first."""
        row = await self._office.named(self._actor, name)
        self.check(asked)
        return self._sheet(row, asked, direction)

    def check(self, asked: Filter) -> None:
        """Invalid if that cannot be asked for."""
        self._wanted(asked, None)
        if asked.message_id:
            number("message_id", asked.message_id.strip())

    async def estimate(self, row: AccountRow, asked: Filter, direction: str) -> int:
        """How many lines a sheet will have, but for what has come in the last second."""
        wanted = self._wanted(asked, None)
        if direction == INCOMING:
            return await self._inbox.count(row.id, wanted)
        return 1 if asked.message_id else await self._history.count(row.id, wanted)

    async def _sheet(self, row: AccountRow, asked: Filter, direction: str) -> AsyncIterator[str]:
        yield sheet_row(HEADS[direction])
        async for piece in self.pieces(row, asked, direction):
            yield piece.text

    async def pieces(
        self, row: AccountRow, asked: Filter, direction: str, before: str | None = None
    ) -> AsyncIterator[Piece]:
        """The lines of a sheet in small pieces, after the message `before`. Whoever is served besides has their turn
        between them, and longer while clients wait for the store."""
        while True:
            found = await self._lines(row, asked, direction, before)
            for start in range(0, len(found), BITE):
                some = found[start : start + BITE]
                yield Piece("".join([sheet_row(cells()) for _id, cells in some]), len(some), some[-1][0])
                await asyncio.sleep(GIVE_WAY if self._office.store.awaited else BREATH)
            if len(found) < AT_ONCE or asked.message_id:
                return
            before = str(found[-1][0])

    async def _lines(
        self, row: AccountRow, asked: Filter, direction: str, before: str | None
    ) -> list[tuple[int, Callable[[], list[object]]]]:
        """Ids, and what makes the line when its turn comes."""
        wanted, alphabet = self._wanted(asked, before), alphabet_of(row)
        if direction == INCOMING:
            taken = await self._inbox.received(row.id, wanted, received_addresses, AT_ONCE)
            return [(each.id, partial(self._received_cells, each, alphabet)) for each in taken]
        sent = await self._sent(row, asked, wanted, AT_ONCE)
        return [(each.id, partial(self._sent_cells, each, alphabet)) for each in sent]

    # -- received --------------------------------------------------------------------------------------------------
    async def incoming(
        self, name: str, asked: Filter = EVERYTHING, before: str | None = None, limit: int = 50
    ) -> tuple[list[Shape], str | None]:
        """-> newest first, and the `before` of the next page."""
        row = await self._office.named(self._actor, name)
        wanted, alphabet = self._wanted(asked, before), alphabet_of(row)
        limit = min(limit, MOST)
        rows = await self._inbox.received(row.id, wanted, received_addresses, limit)
        shown = [for_eyes_of(self._actor, received(each, alphabet)) for each in rows]
        return shown, str(rows[-1].id) if len(rows) == limit and rows else None

    async def erase_received(self, name: str, keys: Sequence[str]) -> int:
        row = await self._office.named(self._actor, name)
        ids = [number("id", key) for key in keys[:MOST]]
        change = self._actor.change(self._office.wall_ms(), "history", "received erased", old=len(ids), account=row.id)
        erased = await self._inbox.erase(row.id, ids, [change])
        if ids and not erased:
            raise Conflict("a message can be erased once a client has taken it")
        return erased

    # -- refused ---------------------------------------------------------------------------------------------------
    async def refused(
        self, name: str, asked: Filter = EVERYTHING, before: str | None = None, limit: int = 50
    ) -> tuple[list[Shape], str | None]:
        """What is remembered of messages that were not taken, newest first, and the `before` of the next page."""
        row = await self._office.named(self._actor, name)
        wrong: list[Wrong] = []
        since, until = self._period(asked, wrong)
        if asked.reason and asked.reason not in WHY:
            wrong.append(Wrong("reason", f"is one of: {', '.join(WHY)}"))
        if wrong:
            raise Invalid(*wrong)
        below = LAST if before is None else number("before", before)
        source, destination = address_of(asked.sender), address_of(asked.recipient)
        unwanted = Unwanted(since, LAST if until is None else until, below, asked.reason, source, destination)
        limit = min(limit, MOST)
        rows = await self._history.refused(row.id, unwanted, limit)
        shown = [for_eyes_of(self._actor, {**refusal(each, row.name), "key": str(id_)}) for id_, each in rows]
        return shown, str(rows[-1][0]) if len(rows) == limit and rows else None

    # -- what they share -------------------------------------------------------------------------------------------
    async def _one(self, name: str, key: str) -> tuple[AccountRow, MessageRow]:
        row = await self._office.named(self._actor, name)
        id_ = number("id", key)
        rows = await self._history.sent(row.id, Wanted(id_, id_), addresses, 1)
        if not rows:
            raise NotFound(f"{row.name} has no message {key}")
        return row, rows[0]


    def _sent_cells(self, row: MessageRow, alphabet: str) -> list[object]:
        return cells(for_eyes_of(self._actor, message(row, alphabet)))

    def _received_cells(self, row: Received, alphabet: str) -> list[object]:
        return received_cells(for_eyes_of(self._actor, received(row, alphabet)))


def address_of(text: str) -> str:
    """A number as the wire has it, however people write it; a name stays."""
    digits = text.strip().removeprefix("+").replace(" ", "")
    return digits if digits.isdecimal() else text.strip()


def received(row: Received, alphabet: str) -> Shape:
    source = destination = ""
    text: str | None = None
    try:
        deliver: DeliverSm = DELIVER_SM_BODY.decode(row.body, 0, 0, len(row.body))
        source, destination = (digits_of(each).decode("latin-1") for each in (deliver.source, deliver.destination))
        text = decode(deliver.data_coding, user_data(deliver), alphabet, deliver.esm_class)
    except Malformed:
        pass  # shown as it is: a message whose words cannot be read
    return {
        "message_id": str(row.id),
        "key": str(row.id),
        "at": moment(row.at),
        "source_addr": source,
        "destination_addr": destination,
        "text": text,
        "state": "waiting" if row.owed else "given up" if row.given_up else "taken",
        "reason": row.given_up or "",
    }


def timeline(row: MessageRow, fate: Fate | None) -> list[Shape]:
    """What happened to a message, in its order; what has not happened yet has no time."""
    steps: list[Shape] = [
        step("submitted", row.at),
        step("charged", row.at, credits=as_credits(row.charge), line=row.charge_line),
    ]
    if row.scheduled_at is not None:
        steps.append(step("scheduled", None, until=moment(row.scheduled_at)))
    if row.state is None:
        return [*steps, step("ended", None)]
    steps.append(step("ended", row.done_at, state=STATE_NAMES.get(row.state, str(row.state)), error=row.error))
    if row.refund_line is not None:
        steps.append(step("refunded", row.done_at, credits=as_credits(row.charge), line=row.refund_line))
    if fate is not None and fate.owed:
        steps.append(step("receipt waiting", row.done_at))
    elif fate is not None:
        steps.append(step("receipt given up", fate.given_up_at, reason=fate.given_up))
    else:
        steps.append(step("no receipt owed", None))
    return steps


def step(what: str, at: int | None, **facts: Any) -> Shape:
    return {"what": what, "at": moment(at), **facts}


def cells(shape: Mapping[str, Any]) -> list[object]:
    return [
        shape["message_id"],
        shape["at"],
        shape["source_addr"],
        shape["destination_addr"],
        PTT.get(shape["state"], ""),
        "",
        shape["state"],
        "",
        shape["text"] if shape["text"] is not None else shape["body_hex"],
        "" if shape["error"] is None else shape["error"],
        shape["done_at"],
        shape["charge"],
    ]


def received_cells(shape: Mapping[str, Any]) -> list[object]:
    fields = ("message_id", "at", "source_addr", "destination_addr", "text", "state")
    return [shape[field] for field in fields]
