"""The account's statement: every line that moved the balance, newest first, the price of messages by the hour or day.

Invariant: what is shown adds up. Where a line of another kind lies between messages their sum is cut, so each balance
is one that the account really had. Only whoever sees both accounts of a transfer is told the other's name.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from acl.money import as_credits
from gateway.zones import zone_of
from store.office.statement import BY_HAND, LAST, MESSAGES, REFUNDS, Span, joined
from store.office.topups import Topup
from store.protocol import AccountRow, LedgerLine

from .actor import Actor
from .faults import Invalid, Wrong
from .office import Office
from .period import begin, end
from .shapes import Shape, moment
from .sheet import row as csv_row

MOST = 500
READ = 500
"""Rows of the store that are read at a time."""
BY = ("hour", "day", "line")
KINDS = ("all", "messages", "refunds", "topups", "transfers", "adjustments")
KIND_OF = {
    "debit": "messages", "refund": "refunds", "topup": "topups", "auto_topup": "topups", "transfer_in": "transfers",
    "transfer_out": "transfers", "adjustment": "adjustments",
}  # fmt: skip
LINES_OF = {"all": "", "messages": MESSAGES, "refunds": REFUNDS}
AT_THE_OTHER_END = {"transfer_out": 1, "transfer_in": -1}
"""Where the other line of a transfer lies."""


class Asked(NamedTuple):
    """What is to be shown; `until` is the first millisecond that is not meant."""

    kind: str = "all"
    by: str = "hour"
    since: int = 0
    until: int = LAST


class Entry(NamedTuple):
    """A line of the ledger, or the sum of many. `account` is the one at the other end of a transfer, `topup` the
    request that was booked, `by` who decided so."""

    kind: str
    first_line: int
    last_line: int
    first_at: int
    last_at: int
    messages: int | None
    amount: int
    balance_after: int
    account: str | None = None
    note: str = ""
    request_id: str | None = None
    topup: int | None = None
    by: str | None = None

    def shape(self) -> Shape:
        return {
            "kind": self.kind,
            "from": moment(self.first_at),
            "to": moment(self.last_at),
            "messages": self.messages,
            "amount": as_credits(self.amount),
            "balance_after": as_credits(self.balance_after),
            "account": self.account,
            "note": self.note,
            "request_id": self.request_id,
            "topup": self.topup,
            "by": self.by,
            "first_line": self.first_line,
            "last_line": self.last_line,
        }


COLUMNS = tuple(Entry("", 0, 0, 0, 0, None, 0, 0).shape())


class Statement:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor, self._store = office, actor, office.store.statement

    def asked(self, kind: str = "all", by: str = "hour", since: str = "", until: str = "") -> Asked:
        """From what somebody typed; days are those of the actor's time zone."""
        wrong: list[Wrong] = []
        for field, value, choices in (("kind", kind, KINDS), ("by", by, BY)):
            if value not in choices:
                wrong.append(Wrong(field, f"is one of: {', '.join(choices)}"))
        here = self._actor.time_zone
        first = begin("from", since, here, wrong) if since else 0
        last = end("to", until, here, wrong) if until else LAST
        if not wrong and last <= first:
            wrong.append(Wrong("to", "is not before the beginning"))
        if wrong:
            raise Invalid(*wrong)
        return Asked(kind, by, first, last)

    async def page(
        self, name: str, asked: Asked, before: int | None = None, limit: int = 50
    ) -> tuple[list[Entry], int | None]:
        """-> newest first, and the `before` of the next page. The sums of one hour are not parted."""
        row = await self._office.named(self._actor, name)
        found: list[Entry] = []
        async for entry in self._entries(row, asked, LAST if before is None else before):
            if len(found) >= min(limit, MOST) and entry.first_line != found[-1].first_line:
                return await self._with_names(found), found[-1].first_line
            found.append(entry)
        return await self._with_names(found), None

    async def csv(self, name: str, asked: Asked) -> AsyncIterator[str]:
        """-> the whole of it in pieces, newest first."""
        row = await self._office.named(self._actor, name)
        return self._pieces(row, asked)

    async def _pieces(self, row: AccountRow, asked: Asked) -> AsyncIterator[str]:
        yield csv_row(COLUMNS)
        pending: list[Entry] = []
        async for entry in self._entries(row, asked, LAST):
            pending.append(entry)
            if len(pending) == READ:
                yield await self._piece(pending)
                pending = []
        yield await self._piece(pending)

    async def _piece(self, entries: Sequence[Entry]) -> str:
        return "".join([csv_row(entry.shape().values()) for entry in await self._with_names(entries)])

    # -- newest first --------------------------------------------------------------------------------------------------
    def _entries(self, row: AccountRow, asked: Asked, before: int) -> AsyncIterator[Entry]:
        if asked.by == "line" or asked.kind not in LINES_OF:
            return self._lines(row, asked, LINES_OF.get(asked.kind, BY_HAND), before)
        sums = self._sums(row, asked, before)
        return merged(sums, self._lines(row, asked, BY_HAND, before)) if asked.kind == "all" else sums

    async def _lines(self, row: AccountRow, asked: Asked, kinds: str, before: int) -> AsyncIterator[Entry]:
        while True:
            lines = await self._store.lines(row.id, kinds, before, asked.since, asked.until, READ)
            for line in lines:
                if asked.kind in ("all", KIND_OF[line.kind]):
                    yield single(line)
            if len(lines) < READ:
                return
            before = lines[-1].line

    async def _sums(self, row: AccountRow, asked: Asked, before: int) -> AsyncIterator[Entry]:
        async for span in self._days(row, asked, before) if asked.by == "day" else self._hours(row, asked, before):
            for entry in parted(span):
                if asked.kind in ("all", entry.kind):
                    yield entry

    async def _hours(self, row: AccountRow, asked: Asked, before: int) -> AsyncIterator[Span]:
        while True:
            spans = await self._store.spans(row.id, before, asked.since, asked.until, READ)
            for span in spans:
                yield span
            if len(spans) < READ:
                return
            before = spans[-1].first_line

    async def _days(self, row: AccountRow, asked: Asked, before: int) -> AsyncIterator[Span]:
        here, day = zone_of(self._actor.time_zone), None
        later: Span | None = None
        async for span in self._hours(row, asked, before):
            its_day = (span.after, datetime.fromtimestamp(span.first_at / 1000, here).date())
            if later is not None and its_day != day:
                yield later
                later = None
            later, day = span if later is None else joined(span, later), its_day
        if later is not None:
            yield later

    async def _with_names(self, entries: Sequence[Entry]) -> list[Entry]:
        """Tell who was at the other end of transfers, and who booked what was asked for."""
        ends = {entry.first_line + AT_THE_OTHER_END[entry.kind] for entry in entries if entry.kind in AT_THE_OTHER_END}
        booked = [entry.first_line for entry in entries if KIND_OF.get(entry.kind) == "topups"]
        accounts = await self._store.accounts_of(sorted(ends)) if ends else {}
        topups = await self._office.store.topups.by_lines(booked) if booked else {}
        names = {row.id: row.name for row in await self._office.seen(self._actor)} if ends else {}
        return [named(entry, accounts, names, topups) for entry in entries]


def named(
    entry: Entry, accounts: Mapping[int, int], names: Mapping[int, str], topups: Mapping[int, Topup]
) -> Entry:
    if entry.kind in AT_THE_OTHER_END:
        return entry._replace(account=names.get(accounts[entry.first_line + AT_THE_OTHER_END[entry.kind]]))
    topup = topups.get(entry.first_line)
    return entry if topup is None else entry._replace(topup=topup.id, by=topup.done_by)


async def merged(sums: AsyncIterator[Entry], lines: AsyncIterator[Entry]) -> AsyncIterator[Entry]:
    of_sums, of_lines = await anext(sums, None), await anext(lines, None)
    while of_sums is not None or of_lines is not None:
        if of_lines is None or (of_sums is not None and of_sums.first_line > of_lines.first_line):
            assert of_sums is not None
            yield of_sums
            of_sums = await anext(sums, None)
        else:
            yield of_lines
            of_lines = await anext(lines, None)


def single(line: LedgerLine) -> Entry:
    counted = int(line.note) if line.kind in ("debit", "refund") and line.note else None
    note = "" if line.kind in ("debit", "refund") else line.note
    kind = KIND_OF[line.kind] if line.kind in ("debit", "refund") else line.kind
    at, number = line.at, line.line
    return Entry(kind, number, number, at, at, counted, line.amount, line.balance_after, None, note, line.request_id)


def parted(span: Span) -> list[Entry]:
    """What came back stands above what was spent, as if all of it had come back at the end."""
    whole = span.first_line, span.last_line, span.first_at, span.last_at
    found = []
    if span.refunded:
        found.append(Entry("refunds", *whole, span.refunds or None, span.refunded, span.balance_after))
    if span.spent or not span.refunded:
        left = span.balance_after - span.refunded
        found.append(Entry("messages", *whole, span.messages or None, -span.spent, left))
    return found
