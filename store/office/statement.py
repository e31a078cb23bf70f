"""The ledger of an account as people read it: newest first, what messages cost added up by the hour.

Invariant: sums and single lines together are the whole ledger, each line once, however far the adding up has come: what
lies beyond its mark is added up when it is asked for. Lines never change, so a sum is made once.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Any, NamedTuple

from .. import reading
from ..group import Told
from ..protocol import LedgerLine, StoreError
from ..sql import Statements
from .database import Database

LAST = 2**63 - 1
CHUNK = 20_000
"""Lines added up at a time: some milliseconds of the reader's time."""


class Span(NamedTuple):
    """Debits and refunds of one hour (since the epoch), with no line of another kind between them."""

    account: int
    after: int
    hour: int
    first_line: int
    last_line: int
    first_at: int
    last_at: int
    messages: int
    spent: int
    refunds: int
    refunded: int
    balance_after: int


class Sums(NamedTuple):
    messages: int
    spent: int
    refunds: int
    refunded: int


# ruff: noqa: S608 (statements are put together from the texts below, never from values)
COLUMNS = ", ".join(Span._fields)
FRESH = """
    SELECT account, after, hour, first_line, last_line, first_at, last_at, messages, spent, refunds, refunded,
           (SELECT balance_after FROM ledger WHERE line = last_line) AS balance_after
    FROM (
        SELECT account, after, at / 3600000 AS hour, min(line) AS first_line, max(line) AS last_line,
               min(at) AS first_at, max(at) AS last_at,
               sum(CASE kind WHEN 'debit' THEN CAST(note AS INTEGER) ELSE 0 END) AS messages,
               -sum(CASE kind WHEN 'debit' THEN amount ELSE 0 END) AS spent,
               sum(CASE kind WHEN 'refund' THEN CAST(note AS INTEGER) ELSE 0 END) AS refunds,
               sum(CASE kind WHEN 'refund' THEN amount ELSE 0 END) AS refunded
        FROM (
            SELECT l.*, coalesce((SELECT max(h.line) FROM ledger AS h WHERE h.account = l.account AND h.line < l.line
                                  AND h.kind NOT IN ('debit', 'refund')), 0) AS after
            FROM ledger AS l WHERE {which} AND l.kind IN ('debit', 'refund')
        ) GROUP BY account, after, hour
    )
"""
NEXT = FRESH.format(which="l.line > ? AND l.line <= ?")
BEYOND = FRESH.format(which="l.account = ?1 AND l.line > (SELECT line FROM span_mark)")
ADD = f"""
    INSERT INTO span({COLUMNS}) VALUES ({", ".join("?" * len(Span._fields))})
    ON CONFLICT (account, after, hour) DO UPDATE SET last_line = excluded.last_line,
        first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at),
        messages = messages + excluded.messages, spent = spent + excluded.spent,
        refunds = refunds + excluded.refunds, refunded = refunded + excluded.refunded,
        balance_after = excluded.balance_after
"""
# One statement, so that what is added up meanwhile is neither seen twice nor missed.
SPANS = f"""
    SELECT {COLUMNS} FROM (SELECT * FROM span WHERE account = ?1 AND first_line < ?2 AND first_at >= ?3
                           AND first_at < ?4 ORDER BY first_line DESC LIMIT ?5)
    UNION ALL SELECT {COLUMNS} FROM ({BEYOND}) WHERE first_line < ?2 AND first_at >= ?3 AND first_at < ?4
"""
SUMS = f"""
    SELECT coalesce(sum(messages), 0), coalesce(sum(spent), 0), coalesce(sum(refunds), 0), coalesce(sum(refunded), 0)
    FROM (SELECT {COLUMNS} FROM span WHERE account = ?1 UNION ALL {BEYOND}) WHERE first_at >= ?2 AND first_at < ?3
"""
# The sums tell where a time lies among the lines. Of several bounds of one side only one would be used to search.
LINES = f"""
    {reading.LEDGER} WHERE account = ?1 AND at >= ?3 AND at < ?4 {{kinds}}
    AND line > coalesce((SELECT max(last_line) FROM span WHERE account = ?1 AND last_at < ?3), 0)
    AND line < min(?2, coalesce((SELECT min(first_line) FROM span WHERE account = ?1 AND first_at >= ?4), {LAST}))
    ORDER BY line DESC LIMIT ?5
"""
MESSAGES, REFUNDS, BY_HAND = "AND kind = 'debit'", "AND kind = 'refund'", "AND kind NOT IN ('debit', 'refund')"


class AccountStatement:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_up(self) -> bool:
        """The next lines behind the mark. -> whether there may be more."""
        ((mark, last),) = await self._database.read("SELECT line, (SELECT max(line) FROM ledger) FROM span_mark")
        upto = min(mark + CHUNK, last or 0)
        if upto > mark:
            await self._database.write(added(await self._database.read(NEXT, mark, upto), mark, upto))
        return bool(upto < (last or 0))

    async def _catch_up(self) -> None:
        """So that little is left to be added up while somebody waits. A store that cannot write now is only slower."""
        with suppress(StoreError):
            while True:
                ((behind,),) = await self._database.read("SELECT (SELECT max(line) FROM ledger) - line FROM span_mark")
                if (behind or 0) <= CHUNK or not await self.add_up():
                    return

    async def spans(
        self, account: int, before: int = LAST, since: int = 0, until: int = LAST, limit: int = 100
    ) -> list[Span]:
        """Newest first: those that begin before that line, in [since, until)."""
        await self._catch_up()
        found: dict[tuple[int, int], Span] = {}
        rows = await self._database.read(SPANS, account, before, since, until, limit)
        for span in sorted(map(Span._make, rows), key=attrgetter("first_line")):
            known = found.get((span.after, span.hour))
            found[span.after, span.hour] = span if known is None else joined(known, span)
        return sorted(found.values(), key=attrgetter("first_line"), reverse=True)[:limit]

    async def sums(self, account: int, since: int = 0, until: int = LAST) -> Sums:
        """Of the hours that begin in [since, until)."""
        await self._catch_up()
        ((messages, spent, refunds, refunded),) = await self._database.read(SUMS, account, since, until)
        return Sums(messages, spent, refunds, refunded)

    async def lines(
        self,
        account: int,
        kinds: str = "",
        before: int = LAST,
        since: int = 0,
        until: int = LAST,
        limit: int = 100,
    ) -> list[LedgerLine]:
        """Newest first; `kinds` is nothing for all, or MESSAGES, REFUNDS, BY_HAND."""
        await self._catch_up()
        sql = LINES.format(kinds=kinds)
        return [reading.line(row) for row in await self._database.read(sql, account, before, since, until, limit)]

    async def accounts_of(self, lines: Sequence[int]) -> dict[int, int]:
        """Line -> the account whose balance it moved. The two lines of a transfer follow each other."""
        marks = ", ".join("?" * len(lines))
        return dict(await self._database.read(f"SELECT line, account FROM ledger WHERE line IN ({marks})", *lines))


def joined(earlier: Span, later: Span) -> Span:
    return earlier._replace(
        last_line=later.last_line,
        last_at=later.last_at,
        messages=earlier.messages + later.messages,
        spent=earlier.spent + later.spent,
        refunds=earlier.refunds + later.refunds,
        refunded=earlier.refunded + later.refunded,
        balance_after=later.balance_after,
    )


def added(rows: Sequence[Any], mark: int, upto: int) -> Statements[Told]:
    """Nothing, if somebody else has added them up meanwhile."""
    if (yield "UPDATE span_mark SET line = ? WHERE line = ? RETURNING line", (upto, mark)):
        for row in rows:
            yield ADD, row
    return Told()
