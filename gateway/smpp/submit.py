"""The road of accepted messages: submit_sm, data_sm and submit_multi are judged, written down, answered, handed on.

Invariant: an id leaves only after message and debit are durable in one transaction; a refused message costs nothing.
The three commands differ in how they are read and answered; what lies between is the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from acl import reasons
from acl.judge import judge
from acl.reasons import Refusal
from pdu.bodies import (
    DATA_SM_RESP_BODY,
    SUBMIT_MULTI_RESP_BODY,
    SUBMIT_SM_BODY,
    DataSm,
    SubmitMulti,
    SubmitSm,
    user_data,
)
from pdu.constants import (
    DATA_SM,
    ESME_RINVDLNAME,
    ESME_RINVDSTADR,
    ESME_RINVSRCADR,
    ESME_ROK,
    ESME_RSUBMITFAIL,
    RESPONSE,
    SUBMIT_MULTI,
    SUBMIT_SM,
    TLV_QOS_TIME_TO_LIVE,
)
from pdu.faults import Malformed
from pdu.frames import response, submit_sm_resp
from pdu.tables import DistributionList, Unsuccess
from pdu.times import format_relative
from pdu.tlv import find
from store.protocol import Batch, OutcomeUnknown, Store, StoreDown, StoreFull

from ..accounts import Account
from ..ids import Minter
from ..metrics import Meter
from ..network.connector import Message
from ..network.dispatch import Dispatch
from ..refusals import Refusals
from ..taken import Taken
from .answers import status_of
from .handling import Answer, Asker
from .pending import Pending
from .timing import Timing, timings

Verdict = int | Refusal
LONGEST_LIFE = 99 * 86_400  # seconds that a validity_period can say; qos_time_to_live can say more


class Admission(NamedTuple):
    """What became of a run: a verdict a message, the wire ids of the accepted in their order, and the hand-over."""

    verdicts: Sequence[Verdict]
    ids: Sequence[bytes]
    then: Callable[[], None] | None


class Unbound:
    """Asks for an account without a session: no answer of its own can be overtaken by a receipt."""

    def __init__(self, account: Account, peer: str) -> None:
        self.account, self.peer = account, peer

    def waits(self) -> bool:
        return False

    def holds_answers(self) -> bool:
        return False

    def when_written(self, then: Callable[[], None]) -> None:
        then()


class Submit:
    """Handlers of the three commands."""

    def __init__(
        self,
        store: Store,
        minter: Minter,
        dispatch: Dispatch,
        pending: Pending,
        meter: Meter,
        refusals: Refusals,
        clock: Callable[[], float],
        wall_ms: Callable[[], int],
    ) -> None:
        self._store, self._mint, self._dispatch, self._pending = store, minter.mint, dispatch, pending
        self._meter, self._refusals, self._clock, self._wall_ms = meter, refusals, clock, wall_ms

    # -- one handler per command -----------------------------------------------------------------------------------
    async def submit_sm(self, link: Asker, run: list[SubmitSm], now: float) -> Answer:
        verdicts, ids, then = await self._admit(link, run, now)
        self._meter.submit_seconds.observe(self._clock() - now, len(run))
        sent, overrides, give = self._meter.traffic.sent, link.account.settings.status_overrides, iter(ids)
        sent(SUBMIT_SM | RESPONSE, ESME_ROK, len(ids))
        if len(ids) == len(run):
            return Answer(b"".join([submit_sm_resp(s.sequence, id_) for s, id_ in zip(run, ids, strict=True)]), then)
        out = []
        for submit, verdict in zip(run, verdicts, strict=True):
            if isinstance(verdict, Refusal):
                out.append(self._error(SUBMIT_SM, status_of(verdict.reason, overrides), submit.sequence))
            else:
                out.append(submit_sm_resp(submit.sequence, next(give)))
        return Answer(b"".join(out), then)

    async def data_sm(self, link: Asker, run: list[DataSm], now: float) -> Answer:
        out: dict[int, bytes] = {}
        submits, places, overrides = [], [], link.account.settings.status_overrides
        for place, data in enumerate(run):
            try:
                submits.append(as_submit(data))
                places.append(place)
            except Malformed as fault:
                out[place] = self._error(DATA_SM, fault.status, data.sequence)
        verdicts, ids, then = await self._admit(link, submits, now)
        self._meter.submit_seconds.observe(self._clock() - now, len(run))
        give = iter(ids)
        for place, submit, verdict in zip(places, submits, verdicts, strict=True):
            if isinstance(verdict, Refusal):
                out[place] = self._error(DATA_SM, status_of(verdict.reason, overrides), submit.sequence)
            else:
                body = DATA_SM_RESP_BODY.encode(DATA_SM_RESP_BODY.build(message_id=next(give)))
                out[place] = response(DATA_SM, ESME_ROK, submit.sequence, body)
        self._meter.traffic.sent(DATA_SM | RESPONSE, ESME_ROK, len(ids))
        return Answer(b"".join([out[place] for place in range(len(run))]), then)

    async def submit_multi(self, link: Asker, run: list[SubmitMulti], now: float) -> Answer:
        """One after the other: each is many messages already."""
        out: list[bytes] = []
        thens: list[Callable[[], None]] = []
        for multi in run:
            try:
                octets, then = await self._multi(link, multi, now)
            except Exception:  # nobody will hear of those before it, but they are durable and paid: they go their way
                call_all(thens)
                raise
            out.append(octets)
            if then is not None:
                thens.append(then)
            else:  # all refused, so nothing was waited for: the other sessions have their turn
                await asyncio.sleep(0)
        self._meter.submit_seconds.observe(self._clock() - now, len(run))
        return Answer(b"".join(out), partial(call_all, thens) if thens else None)

    async def _multi(self, link: Asker, multi: SubmitMulti, now: float) -> Answer:
        """Each destination is priced and judged by itself; all that are accepted share one id (§4.5.2)."""
        addresses = [entry for entry in multi.destinations if not isinstance(entry, DistributionList)]
        failed = [
            Unsuccess(b"\0\0" + entry.name[:20] + b"\0", ESME_RINVDLNAME)
            for entry in multi.destinations
            if isinstance(entry, DistributionList)
        ]
        admission = await self._admit(link, for_destinations(multi, addresses), now, shared=True)
        overrides = link.account.settings.status_overrides
        for address, verdict in zip(addresses, admission.verdicts, strict=True):
            if isinstance(verdict, Refusal):
                failed.append(Unsuccess(address, status_of(verdict.reason, overrides)))
        if not admission.ids:
            statuses = {entry.status for entry in failed}
            return Answer(
                self._error(SUBMIT_MULTI, statuses.pop() if len(statuses) == 1 else ESME_RSUBMITFAIL, multi.sequence)
            )
        body = SUBMIT_MULTI_RESP_BODY.encode(
            SUBMIT_MULTI_RESP_BODY.build(message_id=admission.ids[0], unsuccess=tuple(failed))
        )
        self._meter.traffic.sent(SUBMIT_MULTI | RESPONSE, ESME_ROK, 1)
        return Answer(response(SUBMIT_MULTI, ESME_ROK, multi.sequence, body), admission.then)

    async def submit(self, account: Account, peer: str, run: list[SubmitSm], now: float) -> list[Taken | Refusal]:
        """Ready messages that came by no link. Those that were taken are durable and handed on."""
        verdicts, ids, then = await self._admit(Unbound(account, peer), run, now)
        if then is not None:
            then()
        give = iter(ids)
        return [each if isinstance(each, Refusal) else Taken(int(next(give)), each) for each in verdicts]

    def _error(self, command: int, status: int, sequence: int) -> bytes:
        self._meter.traffic.sent(command | RESPONSE, status, 1)
        return response(command, status, sequence)

    # -- what they share -------------------------------------------------------------------------------------------
    async def _admit(self, link: Asker, run: list[SubmitSm], now: float, shared: bool = False) -> Admission:
        """Judge, write down with the price, prepare the hand-over. `shared`: the accepted have one id on the wire."""
        account, wall = link.account, self._wall_ms()
        if account.policy.default_source is not None:
            source = account.policy.default_source
            run = [submit if len(submit.source) > 3 else with_source(submit, source) for submit in run]
        times = timings(run, wall, account.settings.max_validity * 1000)
        verdicts = judged(account, run, times, now)
        charges = [verdict for verdict in verdicts if type(verdict) is int]
        kept = run  # nearly always all of them
        if len(charges) < len(run):
            kept = [submit for submit, verdict in zip(run, verdicts, strict=True) if type(verdict) is int]
        keys = self._mint(len(kept), wall)
        timed: list[Timing | None] | None = None
        if times is not None:
            timed = [sound(time) for time, verdict in zip(times, verdicts, strict=True) if type(verdict) is int]
        lost = await self._keep(link, batch_of(account, kept, charges, keys, timed, shared)) if kept else {}
        if lost:
            verdicts = with_losses(verdicts, keys, lost)
            unsent = [submit for key, submit in zip(keys, kept, strict=True) if key in lost]
            account.purse.rate.give_back(sum(account.parts(submit) for submit in unsent))
        if len(kept) < len(run) or lost:
            refused = [(submit, why) for submit, why in zip(run, verdicts, strict=True) if isinstance(why, Refusal)]
            self._refusals.note_submits(account, link.peer, refused)
        wires = [b"%d" % keys.start] * len(keys) if shared else [b"%d" % key for key in keys]
        messages: list[Message] = list(zip(keys, wires, kept, strict=True))
        if lost:
            messages = [message for message in messages if message[0] not in lost]
        if not messages:
            return Admission(verdicts, (), None)
        self._meter.messages[account.label, "accepted"] += len(messages)
        account.tally.submitted += len(messages)
        await self._pending.replace_present(account, messages)
        timing = dict(zip(keys, timed, strict=True)) if timed else None
        then = partial(self._hand_over, link, messages, keys.start, wall, timing)
        return Admission(verdicts, [message[1] for message in messages], then)

    async def _keep(self, link: Asker, batch: Batch) -> Mapping[int, Refusal]:
        """Durable and paid when this returns, but for the ids it names. OutcomeUnknown passes: no answer is true."""
        first = batch.rows[0][0]
        self._dispatch.announce(first)
        try:
            unpaid = await self._store.accept(batch._replace(sends_on=not link.waits()), link)
            lost = dict.fromkeys(unpaid, NO_CREDIT)
        except (StoreFull, StoreDown) as fault:
            refusal = Refusal(reasons.STORE_FULL if isinstance(fault, StoreFull) else reasons.STORE_DOWN, str(fault))
            lost = {row[0]: refusal for row in batch.rows}
        except OutcomeUnknown:
            self._dispatch.doubt(link.account, {key: charge for key, charge, _body in batch.rows})
            raise
        if lost:
            link.account.purse.credit += sum([charge for key, charge, _body in batch.rows if key in lost])
        if len(lost) == len(batch.rows):
            self._dispatch.withdraw(first)
        return lost

    def _hand_over(
        self, link: Asker, messages: Sequence[Message], first: int, wall: int, times: Mapping[int, Timing | None] | None
    ) -> None:
        """Answered: on to the network, but for those that wait for their time."""
        account = link.account.id
        if link.holds_answers():
            self._dispatch.hold(messages, link)
        if times is not None:
            now_: list[Message] = []
            for message in messages:
                schedule, expires = times[message[0]] or (None, None)
                if schedule is not None:
                    self._dispatch.schedule(schedule)
                    continue
                now_.append(message)
                if expires is not None:
                    self._dispatch.watch(account, message, wall, expires)
            messages = now_
        self._dispatch.withdraw(first)  # what is handed over stands for itself
        if messages:
            self._dispatch.take(account, messages, wall)


NO_CREDIT = Refusal(reasons.NO_CREDIT)


def judged(account: Account, run: list[SubmitSm], times: Sequence[object] | None, now: float) -> list[Verdict]:
    """acl's verdicts; a message whose times are wrong is refused for that before anything is taken for it."""
    if times is None:
        return judge(account.policy, account.purse, run, now, account.parts)
    rest = [submit for submit, time in zip(run, times, strict=True) if not isinstance(time, Refusal)]
    verdicts = iter(judge(account.policy, account.purse, rest, now, account.parts))
    return [time if isinstance(time, Refusal) else next(verdicts) for time in times]


def batch_of(
    account: Account,
    kept: Sequence[SubmitSm],
    charges: Sequence[int],
    keys: range,
    times: Sequence[Timing | None] | None,
    shared: bool,
) -> Batch:
    """What the store is given."""
    # sqlite3 looks for an adapter for every bytes it binds, for a bytearray it does not: 0.3 us a message
    rows = [(key, charge, bytearray(submit.raw)) for key, charge, submit in zip(keys, charges, kept, strict=True)]
    scheduled = [
        (key, time.schedule_ms)
        for key, time in zip(keys, times or (), strict=False)
        if time is not None and time.schedule_ms is not None
    ]
    return Batch(account.id, rows, sum(charges), scheduled, [(key, keys.start) for key in keys[1:]] if shared else ())


def with_losses(verdicts: Sequence[Verdict], keys: range, lost: Mapping[int, Refusal]) -> list[Verdict]:
    """The verdicts after the store has had its say."""
    ids = iter(keys)
    return [lost.get(next(ids), verdict) if isinstance(verdict, int) else verdict for verdict in verdicts]


def sound(time: Timing | Refusal | None) -> Timing | None:
    """Of a message that was accepted: its times were right."""
    assert not isinstance(time, Refusal)
    return time


def with_source(submit: SubmitSm, source: bytes) -> SubmitSm:
    """The account's default sender, where the client named none: also in what is stored."""
    raw = submit.service_type + b"\0" + source + submit.raw[len(submit.service_type) + 1 + len(submit.source) :]
    return submit._replace(source=source, raw=raw)


def as_submit(data: DataSm) -> SubmitSm:
    """A data_sm as the submit_sm that says the same (§4.7.1). Malformed if it has no text or an address is too long."""
    user_data(data)
    seconds = find(data.tlvs, TLV_QOS_TIME_TO_LIVE)
    try:
        return SUBMIT_SM_BODY.build(
            data.sequence,
            service_type=data.service_type,
            source=data.source,
            destination=data.destination,
            esm_class=data.esm_class,
            registered_delivery=data.registered_delivery,
            data_coding=data.data_coding,
            validity_period=format_relative(min(int.from_bytes(seconds, "big"), LONGEST_LIFE)) if seconds else b"",
            tlvs=data.tlvs,
        )
    except ValueError as fault:
        where = "destination" if len(data.destination) > 23 else "source"
        status = ESME_RINVDSTADR if where == "destination" else ESME_RINVSRCADR
        raise Malformed(where, 16 + len(data.service_type) + 1, status, str(fault)) from fault


def for_destinations(multi: SubmitMulti, destinations: Sequence[bytes]) -> list[SubmitSm]:
    """What a submit_multi is for each of its destinations: a submit_sm whose other octets are the same."""
    table = sum(1 + len(entry) for entry in multi.destinations if isinstance(entry, bytes)) + sum(
        2 + len(entry.name) for entry in multi.destinations if isinstance(entry, DistributionList)
    )
    head = multi.service_type + b"\0" + multi.source
    tail = multi.raw[len(head) + 1 + table :]
    bodies = [head + destination + tail for destination in destinations]
    return [SUBMIT_SM_BODY.decode(body, multi.sequence, 0, len(body)) for body in bodies]


def call_all(thens: Sequence[Callable[[], None]]) -> None:
    for then in thens:
        then()
