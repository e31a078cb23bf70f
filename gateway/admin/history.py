"""History as people look through it: what was sent and received, with filters, each message's whole life, erasing.

Invariant: who may only look sees masked numbers, wherever they stand. Erasing takes words and numbers, never money.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

from acl.money import as_credits
from gateway.archive import addresses
from gateway.ids import id_at
from pdu.bodies import DELIVER_SM_BODY, DeliverSm, digits_of, user_data
from pdu.constants import STATE_NAMES
from pdu.faults import Malformed
from pdu.text import decode
from store.office.history import LAST, Fate, Received, Wanted
from store.protocol import AccountRow, MessageRow

from . import period
from .actor import Actor
from .faults import Conflict, Invalid, NotFound, Wrong
from .masking import for_eyes_of
from .messages import number
from .office import Office, alphabet_of
from .shapes import Shape, message, moment
from .sheet import row as sheet_row

MOST = 500
AT_ONCE = 500  # rows of a sheet read at a time
STATES = {name: state for state, name in STATE_NAMES.items() if state != 1}
UNDER_WAY = "under way"
COLUMNS = (
    "id", "date", "sender", "receiver", "ptt", "operatorCode", "descriptionDlr", "tag", "message",
    "error", "done", "credits",
)  # fmt: skip
"""The documented ones in their order, so that what reads them goes on working; then ours. There are no operators and no
tags here: these stay empty."""
PTT = {"delivered": 4, "expired": 8, "undeliverable": 5, "unknown": 6, "accepted": 3, "enroute": 3}
"""How the documented column says it; what ended otherwise has no number there."""


class Filter(NamedTuple):
    """As it is asked for; texts may be empty."""

    since: str = ""
    until: str = ""
    sender: str = ""
    recipient: str = ""
    state: str = ""


EVERYTHING = Filter()


class History:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor, self._history = office, actor, office.store.history

    # -- sent ------------------------------------------------------------------------------------------------------
    async def outgoing(
        self, name: str, asked: Filter = EVERYTHING, before: str | None = None, limit: int = 50
    ) -> tuple[list[Shape], str | None]:
        """-> newest first, and the `before` of the next page."""
        row = await self._office.named(self._actor, name)
        wanted = self._wanted(asked, before)
        limit = min(limit, MOST)
        rows = await self._history.sent(row.id, wanted, addresses, limit)
        shown = self._shapes(rows, row)
        return shown, shown[-1]["key"] if len(rows) == limit and rows else None

    def _wanted(self, asked: Filter, before: str | None) -> Wanted:
        wrong: list[Wrong] = []
        zone = self._actor.time_zone
        since = period.begin("since", asked.since, zone, wrong) if asked.since else 0
        until = period.end("until", asked.until, zone, wrong) if asked.until else None
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
        return Wanted(id_at(since) if since else 0, last, asked.sender, digits(asked.recipient), state)

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

    async def sheet(self, name: str, asked: Filter) -> AsyncIterator[str]:
        """All that fits, as CSV, newest first."""
        row = await self._office.named(self._actor, name)
        self._wanted(asked, None)
        return self._sheet(row, asked)

    async def _sheet(self, row: AccountRow, asked: Filter) -> AsyncIterator[str]:
        yield sheet_row(COLUMNS)
        before: str | None = None
        while True:
            rows = await self._history.sent(row.id, self._wanted(asked, before), addresses, AT_ONCE)
            yield "".join([sheet_row(cells(each)) for each in self._shapes(rows, row)])
            if len(rows) < AT_ONCE:
                return
            before = str(rows[-1].id)

    # -- received --------------------------------------------------------------------------------------------------
    async def incoming(
        self, name: str, asked: Filter = EVERYTHING, before: str | None = None, limit: int = 50
    ) -> tuple[list[Shape], str | None]:
        """-> newest first, and the `before` of the next page. Senders and recipients are chosen from a page."""
        row = await self._office.named(self._actor, name)
        wanted, alphabet = self._wanted(asked, before), alphabet_of(row)
        limit = min(limit, MOST)
        rows = await self._history.received(row.id, wanted.first, wanted.last, limit)
        shown = [for_eyes_of(self._actor, received(each, alphabet)) for each in rows]
        chosen = [
            each
            for each in shown
            if asked.sender in ("", each["source_addr"]) and asked.recipient in ("", each["destination_addr"])
        ]
        return chosen, str(rows[-1].id) if len(rows) == limit and rows else None

    async def erase_received(self, name: str, keys: Sequence[str]) -> int:
        row = await self._office.named(self._actor, name)
        ids = [number("id", key) for key in keys[:MOST]]
        change = self._actor.change(self._office.wall_ms(), "history", "received erased", old=len(ids), account=row.id)
        erased = await self._history.erase_received(row.id, ids, [change])
        if ids and not erased:
            raise Conflict("a message can be erased once a client has taken it")
        return erased

    # -- what they share -------------------------------------------------------------------------------------------
    async def _one(self, name: str, key: str) -> tuple[AccountRow, MessageRow]:
        row = await self._office.named(self._actor, name)
        id_ = number("id", key)
        rows = await self._history.sent(row.id, Wanted(id_, id_), addresses, 1)
        if not rows:
            raise NotFound(f"{row.name} has no message {key}")
        return row, rows[0]


def digits(text: str) -> str:
    return text.strip().removeprefix("+").replace(" ", "")


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
