"""From acceptance to final state: feeds the connector, waits for schedules, watches validity, books what ended.

Invariant: a message is handed over only after it is durable and once per run of the server; its end, its refund and the
receipt it owes are one transaction, and the first end wins. Knows no sockets and no rules of acceptance.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain, groupby
from operator import attrgetter

import structlog

from pdu import times
from pdu.bodies import digits_of
from pdu.constants import DELETED, DELIVERED, EXPIRED, REJECTED, STATE_NAMES, UNDELIVERABLE
from store.protocol import Contradiction, MessageRow, Outcome, OutcomeUnknown, Store, StoreError

from .. import receipts
from ..accounts import Account, Accounts
from ..metrics import Meter
from .connector import Connector, End, Message, Origin, Parcel
from .unheard import Unheard

log = structlog.get_logger()
PAGE = 1_000
MINUTE = 60_000  # milliseconds: what receipts tell of a time
MOST_UNHEARD = 1_000  # messages kept in memory for the sake of receipts that wait for responses
Reports = Sequence[tuple[Parcel, End]]
Booked = tuple[Account, Reports, Parcel, End, Outcome]
"""Reports that are one outcome; a parcel and an end that stand for all of them."""
EVERY = 10  # ticks between two looks for what got stuck
EXPIRED_ERROR, DELETED_ERROR, BLACKLISTED_ERROR = 801, 802, 53  # the receipt's err field for ends of our own making


class Dispatch:
    """One for the whole gateway."""

    def __init__(self, store: Store, accounts: Accounts, meter: Meter, wall_ms: Callable[[], int]) -> None:
        self._store, self._accounts, self._meter, self._wall_ms = store, accounts, meter, wall_ms
        self._connector: Connector | None = None
        self._open: dict[int, Parcel | None] = {}  # first id -> what is on its way; None: minted, being stored
        self._watched: dict[int, Parcel] = {}  # messages with a validity that have not ended, each as its own parcel
        self._expiries: list[tuple[int, int]] = []  # heap: (wall ms, id); some of them have ended meanwhile
        self._next_due: int | None = None  # wall ms of the earliest scheduled message; None: none is
        self._unheard = Unheard()
        self._doubts: list[tuple[Account | None, dict[int, int]]] = []  # whose, and what was charged for which id
        self._reading: asyncio.Task[None] | None = None  # what is due or in doubt; never both, or one could go twice
        self._ticks = 0

    def connect(self, connector: Connector) -> None:
        self._connector = connector

    # -- accepted messages -----------------------------------------------------------------------------------------
    def announce(self, first: int) -> None:
        """Ids were minted and may be in the store any moment: the low-water mark must not pass them."""
        self._open[first] = None

    def withdraw(self, first: int) -> None:
        """They were not accepted after all, or wait for their schedule: nothing is on its way but by another call."""
        if self._open.get(first) is None:
            self._open.pop(first, None)

    def hold(self, messages: Sequence[Message], origin: Origin) -> None:
        """The responses that name these are not written yet: receipts of theirs must wait for that (§3.10)."""
        self._unheard.hold([id_ for id_, _wire, submit in messages if submit.registered_delivery & 3], origin)

    def take(self, account: int, messages: Sequence[Message], accepted_ms: int) -> None:
        """Durable and answered: hand them over, but for those whose recipient asked to be left alone."""
        owner = self._accounts.by_id.get(account)
        if owner is not None and owner.blocked:
            messages = self._leave_alone(owner, messages, accepted_ms)
            if not messages:
                return
        first = messages[0][0]
        parcel = self._open[first] = Parcel(account, messages, accepted_ms, first, self._wall_ms())
        assert self._connector is not None  # connected before the first listener opens
        self._connector.send(parcel)

    def _leave_alone(self, owner: Account, messages: Sequence[Message], accepted_ms: int) -> Sequence[Message]:
        """Those to numbers on the blacklist end here. -> the others."""
        blocked = [one for one in messages if digits_of(one[2].destination).lstrip(b"+") in owner.blocked]
        if blocked:
            first = blocked[0][0]
            parcel = self._open[first] = Parcel(owner.id, blocked, accepted_ms, first, self._wall_ms())
            self.report([(parcel, End(UNDELIVERABLE, BLACKLISTED_ERROR, False, blocked))])
            stopped = {one[0] for one in blocked}
            messages = [one for one in messages if one[0] not in stopped]
        return messages

    def watch(self, account: int, message: Message, accepted_ms: int, expires_ms: int) -> None:
        """This message ends as expired at that time, unless it has ended before."""
        self._watched[message[0]] = Parcel(account, [message], accepted_ms, -message[0])
        heapq.heappush(self._expiries, (expires_ms, message[0]))
        if len(self._expiries) > 2 * len(self._watched) + PAGE:  # most of them have ended long before
            self._expiries = [expiry for expiry in self._expiries if expiry[1] in self._watched]
            heapq.heapify(self._expiries)

    def schedule(self, at_ms: int) -> None:
        """A scheduled message was stored."""
        self._next_due = at_ms if self._next_due is None else min(self._next_due, at_ms)

    def doubt(self, account: Account | None, charges: dict[int, int]) -> None:
        """Nobody knows whether these were stored (or released, then without a charge): to be found out."""
        if charges:
            self._doubts.append((account, charges))

    def low_water(self, next_id: int) -> int:
        """Every message below this id has ended or is in the table of scheduled ones."""
        return min(self._open, default=next_id)

    # -- ends ------------------------------------------------------------------------------------------------------
    def report(self, reports: Reports) -> None:
        """How messages ended, as a connector says."""
        booked: list[Booked] = []
        for some in self._alike(reports):
            account = self._accounts.by_id.get(some[0][0].account)
            if account is not None:
                parcel, end = some[0] if len(some) == 1 else together(some)
                outcome = self._outcome(account, end)
                account.mailbox.expect(outcome.owed)
                booked.append((account, some, parcel, end, outcome))
        if booked:
            saved = self._store.settle([each[-1] for each in booked])
            saved.add_done_callback(partial(self._settled, booked))

    def _alike(self, reports: Reports) -> Iterable[Reports]:
        """Those that can be one outcome, with receipts of one frame: many clients send a message or two at a time."""
        if len(reports) == 1:
            return [reports]
        found: dict[object, list[tuple[Parcel, End]]] = {}
        for parcel, end in reports:
            waits = self._unheard.waits_for([message[0] for message in end.messages]) if self._unheard else None
            alone = parcel if waits is not None else None  # its receipts have to wait for a response
            found.setdefault((parcel.account, end[:3], parcel.accepted_ms // MINUTE, alone), []).append((parcel, end))
        return found.values()

    def _outcome(self, account: Account, end: End) -> Outcome:
        refund = refunds(account.settings.refund, end)
        owed = wanted(end)
        ids = owed if len(owed) == len(end.messages) else [message[0] for message in end.messages]
        return Outcome(account.id, end.state, end.error, refund, ids, owed)

    def _settled(self, booked: Sequence[Booked], saved: asyncio.Future[frozenset[int]]) -> None:
        if saved.cancelled() or saved.exception() is not None:
            self._retry(booked, saved)
            return
        ended_before, done_ms = saved.result(), self._wall_ms()
        for account, reports, parcel, end, outcome in booked:
            self._ended(account, parcel, end, outcome, ended_before, done_ms)
            for each, part in reports:
                each.left -= len(part.messages)
                if each.left <= 0:
                    self._open.pop(each.first, None)
        for account in {each[0].id: each[0] for each in booked}.values():
            account.mailbox.pump()

    def _retry(self, booked: Sequence[Booked], saved: asyncio.Future[frozenset[int]]) -> None:
        """The store could not take the ends, or cannot tell whether it did. They are true all the same: say so again a
        second later. Until then their receipts are expected: the store may have them, and no page must bring them."""
        if saved.cancelled():
            self._expect_no_more(booked)
            return
        log.warning("outcomes not stored, trying again", reason=str(saved.exception()))
        reports = [report for each in booked for report in each[1]]
        # what the store refuses for itself must not keep the others from ending
        again = [[report] for report in reports] if isinstance(saved.exception(), Contradiction) else [reports]
        asyncio.get_running_loop().call_later(1.0, self._report_again, again, booked)

    def _report_again(self, again: Sequence[Reports], booked: Sequence[Booked]) -> None:
        for some in again:
            self.report(some)
        self._expect_no_more(booked)

    def _expect_no_more(self, booked: Sequence[Booked]) -> None:
        for account, _reports, _parcel, _end, outcome in booked:
            account.mailbox.forget(outcome.owed)

    def _ended(
        self, account: Account, parcel: Parcel, end: End, outcome: Outcome, before: frozenset[int], done_ms: int
    ) -> None:
        """Durable: count them, and tell of their receipts once the response that names the ids is written (§3.10).
        The caller pumps the mailbox."""
        if self._watched:
            for id_ in outcome.ids:
                self._watched.pop(id_, None)
        late = before.intersection(outcome.ids) if before else before
        ended = len(outcome.ids) - len(late)
        self._meter.messages[account.label, STATE_NAMES[end.state]] += ended
        if end.state == DELIVERED:
            account.tally.delivered += ended
        else:
            account.tally.failed += ended
        if not outcome.owed:
            return
        self._tell_when_heard(account, parcel, end, outcome.owed, late, done_ms)

    def _tell_when_heard(
        self, account: Account, parcel: Parcel, end: End, owed: list[int], late: frozenset[int], done_ms: int
    ) -> None:
        origin = self._unheard.waits_for(owed)
        if origin is None:
            self._tell(account, parcel, end, owed, late, done_ms)
        elif len(self._unheard) <= MOST_UNHEARD:
            origin.when_written(partial(self._tell_late, account, parcel, end, owed, late, done_ms))
        else:  # a client that reads no responses must not fill memory: the store remembers
            number = len(set(owed) - late)
            self._unheard.when_heard(owed, partial(self._announce, account, owed, number))

    def _tell_late(
        self, account: Account, parcel: Parcel, end: End, owed: list[int], late: frozenset[int], done_ms: int
    ) -> None:
        self._tell_when_heard(account, parcel, end, owed, late, done_ms)
        account.mailbox.pump()

    def _announce(self, account: Account, owed: list[int], number: int) -> None:
        account.mailbox.forget(owed)
        account.mailbox.announce(number)

    def _tell(
        self, account: Account, parcel: Parcel, end: End, owed: list[int], late: frozenset[int], done_ms: int
    ) -> None:
        """Receipts are due: made here and now if the mailbox has room, else left to be read from the store."""
        mailbox = account.mailbox
        mailbox.forget(owed)
        number = len(set(owed) - late) if late else len(owed)
        if number < len(owed) or not mailbox.wants(number):
            mailbox.announce(number)  # also where others ended them, perhaps in a commit that was never answered
            return
        messages = end.messages
        if number < len(messages):
            chosen = set(owed)
            messages = [message for message in messages if message[0] in chosen]
        mailbox.put(receipts.make(account.settings, messages, parcel.accepted_ms, done_ms, end.state, end.error))

    # -- time ------------------------------------------------------------------------------------------------------
    def tick(self) -> None:
        """Once a second: what expires, what is due."""
        now = self._wall_ms()
        while self._expiries and self._expiries[0][0] <= now:
            parcel = self._watched.pop(heapq.heappop(self._expiries)[1], None)
            if parcel is not None:
                self.report([(parcel, End(EXPIRED, EXPIRED_ERROR, True, parcel.messages))])
        if self._ticks % EVERY == 0:
            self._expire_stuck(now)
        self._ticks += 1
        due = self._next_due is not None and self._next_due <= now
        if self._reading is None and (due or self._doubts):
            work = self._clear_doubts() if self._doubts else self._release(now)
            self._reading = asyncio.get_running_loop().create_task(work)

    def _expire_stuck(self, now: int) -> None:
        """What a connector has not reported for longer than the account lets a message be tried."""
        for parcel in [parcel for parcel in self._open.values() if parcel is not None]:
            account = self._accounts.by_id.get(parcel.account)
            longest = account.settings.max_validity * 1000 if account else 0
            if longest and parcel.sent_ms + longest <= now:
                self.report([(parcel, End(EXPIRED, EXPIRED_ERROR, True, parcel.messages))])

    async def _release(self, now: int) -> None:
        """Scheduled messages whose time has come."""
        self._next_due = None  # what is scheduled from here on says so itself
        soonest: int | None = now  # unless all goes well the next tick tries again
        rows: Sequence[MessageRow] = ()
        try:
            rows = await self._store.due(now, PAGE)
            released = await self._store.unschedule([row.id for row in rows])
            # the others were cancelled in between
            self._resume([row for row in rows if row.id in released], reached=False)
            soonest = await self._store.next_due()
        except OutcomeUnknown:
            self.doubt(None, {row.id: 0 for row in rows})
        except StoreError as fault:
            log.warning("scheduled messages not read", reason=str(fault))
        finally:
            self._reading = None
            if soonest is not None:
                self.schedule(soonest)

    async def _clear_doubts(self) -> None:
        """Once a later commit has succeeded the store knows for good: what is there goes its way, the price of what is
        not can be spent again."""
        try:
            while self._doubts:
                account, charges = self._doubts[0]
                await self._store.acknowledge(account.id if account else 0, [])
                found = [row for id_ in charges for row in await self._store.pending(id_ - 1, 1) if row.id == id_]
                del self._doubts[0]
                parcels = [parcel for parcel in self._open.values() if parcel is not None]
                sent = {message[0] for parcel in parcels for message in parcel.messages}  # released meanwhile
                if account is not None:
                    account.purse.credit += sum(charges.values()) - sum([row.charge for row in found])
                    self._meter.messages[account.label, "accepted"] += len(found)
                    account.tally.submitted += len(found)
                self.withdraw(min(charges))
                for row in found:
                    if row.scheduled_at is not None:
                        self.schedule(row.scheduled_at)
                self._resume([row for row in found if row.scheduled_at is None and row.id not in sent], reached=False)
        except StoreError as fault:  # the next tick tries again
            log.warning("messages in doubt", reason=str(fault))
        finally:
            self._reading = None

    def _resume(self, rows: Sequence[MessageRow], reached: bool) -> None:
        """Hand stored messages over, or end those whose validity has passed meanwhile."""
        for (account, at), group in groupby(rows, attrgetter("account", "at")):
            messages: list[Message] = []
            for row in group:
                submit = receipts.submit_of(row.body)
                message: Message = (row.id, b"%d" % row.wire_id, submit)
                expires = times.parse(submit.validity_period, at / 1000) if submit.validity_period else None
                if expires is None or expires * 1000 > self._wall_ms():
                    messages.append(message)
                    if expires is not None:
                        self.watch(account, message, at, int(expires * 1000))
                else:
                    parcel = self._open[row.id] = Parcel(account, [message], at, row.id)
                    self.report([(parcel, End(EXPIRED, EXPIRED_ERROR, reached, [message]))])
            if messages:
                self.take(account, messages, at)

    async def recover(self) -> int:
        """At start: everything accepted that has not ended goes out (again). -> how many."""
        after, number = 0, 0
        while page := await self._store.pending(after, PAGE):
            waiting = [row for row in page if row.scheduled_at is None]
            self._resume(waiting, reached=True)
            number += len(waiting)
            after = page[-1].id
        self._next_due = await self._store.next_due()
        return number

    async def cancel(self, account: Account, row: MessageRow) -> bool:
        """Take a scheduled message back, in one transaction with its refund. -> False if it is no longer to be had."""
        message: Message = (row.id, b"%d" % row.wire_id, receipts.submit_of(row.body))
        end = End(DELETED, DELETED_ERROR, False, [message])
        outcome = self._outcome(account, end)._replace(if_scheduled=True)
        account.mailbox.expect(outcome.owed)
        try:
            too_late = await self._store.settle([outcome])
        except BaseException:
            # the store may have it for all that, and a page bring the receipt
            self._unheard.when_heard(outcome.owed, partial(account.mailbox.forget, outcome.owed))
            raise
        parcel = Parcel(account.id, [message], row.at, row.id)
        self._ended(account, parcel, end, outcome, too_late, self._wall_ms())
        account.mailbox.pump()
        return row.id not in too_late


def together(reports: Reports) -> tuple[Parcel, End]:
    """A parcel and an end that stand for all of them. Their answers are written."""
    parcel, end = reports[0]
    messages = list(chain.from_iterable([part.messages for _parcel, part in reports]))
    return Parcel(parcel.account, messages, parcel.accepted_ms, parcel.first), end._replace(messages=messages)


def wanted(end: End) -> list[int]:
    """Ids of those whose sender asked for a receipt of this end: registered_delivery, §5.2.17."""
    if end.state == DELIVERED:
        return [id_ for id_, _wire, submit in end.messages if submit.registered_delivery & 1]
    return [id_ for id_, _wire, submit in end.messages if 0 < submit.registered_delivery & 3 < 3]


def refunds(policy: str, end: End) -> bool:
    """Whether the charge comes back: `unsent` what the network never took or refused, `undelivered` all that failed."""
    if policy == "undelivered":
        return end.state != DELIVERED
    return policy == "unsent" and (not end.reached or end.state == REJECTED)
