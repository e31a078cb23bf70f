"""query_sm, cancel_sm and replace_sm: what a client may ask and change about messages it has sent.

Invariant: a message is found by its id and the sender it was sent with, and only inside the account (§4.8 to §4.10);
money moves only with the change of state that justifies it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from acl import reasons
from acl.reasons import Refusal
from pdu import times, tlv
from pdu.bodies import (
    QUERY_SM_RESP_BODY,
    SUBMIT_SM_BODY,
    CancelSm,
    QuerySm,
    ReplaceSm,
    SubmitSm,
    digits_of,
)
from pdu.constants import (
    CANCEL_SM,
    ENROUTE,
    ESME_ROK,
    ESME_RREPLACEFAIL,
    QUERY_SM,
    REPLACE_SM,
    RESPONSE,
    TLV_MESSAGE_PAYLOAD,
)
from pdu.frames import response
from store.protocol import MessageRow, OutcomeUnknown, Store, StoreError

from ..accounts import Account
from ..metrics import Traffic
from ..network.connector import Message
from ..network.dispatch import Dispatch
from ..receipts import submit_of
from .answers import status_of
from .handling import Answer, Asker
from .timing import Timing, timing

log = structlog.get_logger()
AT_ONCE = 1_000  # messages that are taken back together
REPLACE_FAILED = {reasons.MESSAGE_FINAL: ESME_RREPLACEFAIL}  # where the reason's own status is that of a cancel_sm
Told = tuple[int, bytes]
"""command_status and body of a response."""


class Pending:
    """Handlers of the three commands. A request costs a look-up, so the requests of a run are served one by one."""

    def __init__(self, store: Store, dispatch: Dispatch, traffic: Traffic, wall_ms: Callable[[], int]) -> None:
        self._store, self._dispatch, self._traffic, self._wall_ms = store, dispatch, traffic, wall_ms

    async def query_sm(self, link: Asker, run: list[QuerySm], now: float) -> Answer:
        return await self._each(QUERY_SM, self._query, link.account, run)

    async def cancel_sm(self, link: Asker, run: list[CancelSm], now: float) -> Answer:
        return await self._each(CANCEL_SM, self._cancel, link.account, run)

    async def replace_sm(self, link: Asker, run: list[ReplaceSm], now: float) -> Answer:
        return await self._each(REPLACE_SM, self._replace, link.account, run)

    async def _each(
        self, command: int, one: Callable[[Account, Any], Awaitable[Told]], account: Account, run: Sequence[Any]
    ) -> Answer:
        out = []
        for request in run:
            try:
                status, body = await one(account, request)
            except OutcomeUnknown:  # any answer could be a lie: the session closes unanswered
                raise
            except StoreError:
                status, body = refused(account, reasons.STORE_DOWN)
            out.append(response(command, status, request.sequence, body))
            self._traffic.sent(command | RESPONSE, status, 1)
        return Answer(b"".join(out))

    # -- one request -----------------------------------------------------------------------------------------------
    async def _query(self, account: Account, request: QuerySm) -> Told:
        rows = await self._found(account, request.message_id, request.source)
        if not rows:
            return refused(account, reasons.MESSAGE_UNKNOWN)
        row = next((row for row in rows if row.state is None), rows[0])  # of one submit_multi: what is still on its way
        body = QUERY_SM_RESP_BODY.build(
            message_id=request.message_id,
            final_date=b"" if row.done_at is None else times.format_absolute(row.done_at / 1000),
            message_state=ENROUTE if row.state is None else row.state,
            error_code=min(row.error or 0, 255),
        )
        return ESME_ROK, QUERY_SM_RESP_BODY.encode(body)

    async def _cancel(self, account: Account, request: CancelSm) -> Told:
        if request.message_id:
            rows = await self._found(account, request.message_id, request.source)
            if not rows:
                return refused(account, reasons.MESSAGE_UNKNOWN)
        else:
            rows = await self._alike(account, request.source, request.destination, request.service_type)
        done = await self.take_back(account, [row for row in rows if row.scheduled_at is not None])
        return (ESME_ROK, b"") if done else refused(account, reasons.MESSAGE_FINAL)

    async def take_back(self, account: Account, rows: Sequence[MessageRow]) -> bool:
        """-> whether any was still to be had. Together, so that they share their commits."""
        done = False
        for start in range(0, len(rows), AT_ONCE):
            some = rows[start : start + AT_ONCE]
            done |= any(await asyncio.gather(*[self._dispatch.cancel(account, row) for row in some]))
        return done

    async def _replace(self, account: Account, request: ReplaceSm) -> Told:
        """Scheduled messages (several, if it was a submit_multi) get another text; all of them, or none."""
        rows = await self._found(account, request.message_id, request.source)
        if not rows:
            return refused(account, reasons.MESSAGE_UNKNOWN)
        news = [renewed(account, row, request, self._wall_ms()) for row in rows]
        for new in news:
            if isinstance(new, Refusal):
                return refused(account, new.reason, REPLACE_FAILED.get(new.reason))
        done = []
        for row, new in zip(rows, news, strict=True):
            assert not isinstance(new, Refusal)
            body, later = new
            done.append(await self._store.replace(row.id, bytearray(body), later))
            if done[-1] and later is not None:
                self._dispatch.schedule(later)
        return (ESME_ROK, b"") if all(done) else refused(account, reasons.MESSAGE_FINAL, ESME_RREPLACEFAIL)

    async def replace_present(self, account: Account, messages: Sequence[Message]) -> None:
        """replace_if_present_flag (§5.2.18): older scheduled messages alike make room for those just accepted, which
        go their way even if the store cannot do that now."""
        if not any([submit.replace_if_present_flag for _id, _wire, submit in messages]):  # noqa: C419 - twice as fast
            return
        fresh = {id_ for id_, _wire, _submit in messages}
        try:
            for _id, _wire, submit in messages:
                if submit.replace_if_present_flag:
                    alike = await self._alike(account, submit.source, submit.destination, submit.service_type)
                    await self.take_back(account, [row for row in alike if row.id not in fresh])
        except StoreError as fault:
            log.warning("older messages not replaced", account=account.name, reason=str(fault))

    # -- finding ---------------------------------------------------------------------------------------------------
    async def _found(self, account: Account, message_id: bytes, source: bytes) -> list[MessageRow]:
        if not message_id.isdigit() or len(message_id) > 19:
            return []
        rows = await self._store.find(account.id, int(message_id))
        return [row for row in rows if self._same_sender(account, submit_of(row.body).source, source)]

    @staticmethod
    def _same_sender(account: Account, stored: bytes, asked: bytes) -> bool:
        """TON and NPI are not compared: clients leave them out. No sender is right where the default one stepped in."""
        return digits_of(stored) == digits_of(asked) or (len(asked) == 3 and stored == account.policy.default_source)

    async def _alike(
        self, account: Account, source: bytes, destination: bytes, service_type: bytes
    ) -> list[MessageRow]:
        """Scheduled messages with this source and destination, and service_type if one is given."""
        found, digits = [], digits_of(destination)
        for row in await self._store.scheduled(account.id):
            if digits not in row.body:  # many may be waiting: most need not be read
                continue
            submit = submit_of(row.body)
            if (
                self._same_sender(account, submit.source, source)
                and digits_of(submit.destination) == digits
                and service_type in (b"", submit.service_type)
            ):
                found.append(row)
        return found


def refused(account: Account, reason: str, usual: int | None = None) -> Told:
    """`usual`: the status of this command where it is not the reason's own."""
    overrides = account.settings.status_overrides
    return status_of(reason, overrides if usual is None else {reason: usual, **overrides}), b""


def renewed(account: Account, row: MessageRow, request: ReplaceSm, wall_ms: int) -> tuple[bytes, int | None] | Refusal:
    """Another body, and another time if one is asked for; or why not. What was paid for it never changes."""
    if row.scheduled_at is None:
        return Refusal(reasons.MESSAGE_FINAL)
    old = submit_of(row.body)
    schedule = request.schedule_delivery_time or times.format_absolute(row.scheduled_at / 1000)
    when = timing(
        schedule, request.validity_period or lasting(old, row.at), wall_ms, account.settings.max_validity * 1000
    )
    if isinstance(when, Refusal):
        return when
    starts, ends = when or Timing(None, None)
    new = replaced(old, request, b"" if ends is None else until(ends / 1000))
    parts = account.parts(new)
    if parts < 1:
        return Refusal(reasons.ALPHABET_INVALID)
    if parts > account.parts(old):
        return Refusal(reasons.REPLACE_COSTS_MORE)
    return new.raw, (starts or wall_ms) if request.schedule_delivery_time else None


def lasting(submit: SubmitSm, accepted_ms: int) -> bytes:
    """Its validity as an absolute time: a relative one counts from when it was accepted."""
    ends = times.parse(submit.validity_period, accepted_ms / 1000)
    return b"" if ends is None else until(ends)


def until(seconds: float) -> bytes:
    """What no two digits of a year can say is as good as no end."""
    try:
        return times.format_absolute(seconds)
    except ValueError:
        return b""


def replaced(old: SubmitSm, request: ReplaceSm, validity_period: bytes) -> SubmitSm:
    """The message with the new text (§4.10.2). A message_payload makes way; the other optional parameters stay."""
    kept = [(tag, value) for tag, value in tlv.parse(old.tlvs) if tag != TLV_MESSAGE_PAYLOAD]
    return SUBMIT_SM_BODY.build(
        service_type=old.service_type,
        source=old.source,
        destination=old.destination,
        esm_class=old.esm_class,
        protocol_id=old.protocol_id,
        priority_flag=old.priority_flag,
        schedule_delivery_time=request.schedule_delivery_time or old.schedule_delivery_time,
        validity_period=validity_period,
        registered_delivery=request.registered_delivery,
        data_coding=old.data_coding,
        sm_default_msg_id=request.sm_default_msg_id,
        short_message=request.short_message,
        tlvs=tlv.encode(kept),
    )
