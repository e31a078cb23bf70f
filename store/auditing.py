"""The books recomputed, and one account read whole: generators of statements for one snapshot. Changes nothing.

Invariant: an audit believes no balance and no sum; it adds up lines and messages itself. Its findings are sentences.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import reading
from .accounts import read
from .money import GENESIS, chained
from .protocol import Export, MessageRow
from .sql import Statements

# ruff: noqa: S608 (statements are put together from texts of this program, never from values)
PAGE = 5_000
SHOWN = 20
"""Findings of one kind that are told one by one."""
DELIVERED = 2
"""States are numbers to the store, but for this one: it is "delivered", the one state that is never refunded."""

# Each finds rows that must not be there; the sentence is filled with their columns.
FINDINGS = (
    (
        "the balance of account {} is {}, its ledger sums up to {}",
        "SELECT a.id, a.balance, coalesce(sum(l.amount), 0) AS total FROM account AS a"
        " LEFT JOIN ledger AS l ON l.account = a.id GROUP BY a.id HAVING a.balance <> total",
    ),
    (
        "the balance of account {} is {}, below its credit limit of {}",
        "SELECT id, balance, credit_limit FROM account WHERE balance < -credit_limit",
    ),
    (
        "ledger line {} belongs to account {}, which is not there",
        "SELECT line, account FROM ledger WHERE account NOT IN (SELECT id FROM account)",
    ),
    (
        "debit line {} took {}, its messages cost {}",
        "SELECT l.line, -l.amount, coalesce(m.total, 0) AS total FROM ledger AS l LEFT JOIN"
        " (SELECT charge_line, sum(charge) AS total FROM message GROUP BY charge_line) AS m ON m.charge_line = l.line"
        " WHERE l.kind = 'debit' AND -l.amount <> coalesce(m.total, 0)",
    ),
    (
        "message {} of account {} names line {}, which is no debit of that account over that id",
        "SELECT m.id, m.account, m.charge_line FROM message AS m LEFT JOIN ledger AS l ON l.line = m.charge_line"
        " AND l.account = m.account AND l.kind = 'debit' AND m.id BETWEEN l.first_id AND l.last_id"
        " WHERE l.line IS NULL",
    ),
    (
        "refund line {} gave {}, its messages cost {}",
        "SELECT l.line, l.amount, coalesce(r.total, 0) FROM ledger AS l LEFT JOIN"
        " (SELECT o.refund_line, sum(m.charge) AS total FROM outcome AS o JOIN message AS m ON m.id = o.message"
        " WHERE o.refund_line IS NOT NULL GROUP BY o.refund_line) AS r ON r.refund_line = l.line"
        " WHERE l.kind = 'refund' AND l.amount <> coalesce(r.total, 0)",
    ),
    (
        "message {} names refund line {}, which is no refund of its account",
        "SELECT o.message, o.refund_line FROM outcome AS o LEFT JOIN message AS m ON m.id = o.message"
        " LEFT JOIN ledger AS l ON l.line = o.refund_line AND l.kind = 'refund' AND l.account = m.account"
        " WHERE o.refund_line IS NOT NULL AND l.line IS NULL",
    ),
    (
        f"message {{}} was delivered (state {DELIVERED}) and is refunded by line {{}}",
        f"SELECT message, refund_line FROM outcome WHERE state = {DELIVERED} AND refund_line IS NOT NULL",
    ),
    (
        "message {} has ended but was never accepted",
        "SELECT o.message FROM outcome AS o LEFT JOIN message AS m ON m.id = o.message WHERE m.id IS NULL",
    ),
    (
        "account {} is owed delivery {}, which is neither a message of its own that has ended nor one for it",
        "SELECT d.account, d.id FROM delivery AS d"
        " LEFT JOIN message AS m ON m.id = d.id AND m.account = d.account"
        " LEFT JOIN outcome AS o ON o.message = m.id"
        " LEFT JOIN incoming AS i ON i.id = d.id AND i.account = d.account"
        " WHERE o.message IS NULL AND i.id IS NULL",
    ),
    (
        "message {} is scheduled but was never accepted, or has ended",
        "SELECT s.id FROM scheduled AS s LEFT JOIN message AS m ON m.id = s.id AND m.account = s.account"
        " LEFT JOIN outcome AS o ON o.message = s.id WHERE m.id IS NULL OR o.message IS NOT NULL",
    ),
    (
        "message {} has not ended but lies below the low-water mark {}",
        "SELECT m.id, k.settled_below FROM mark AS k CROSS JOIN message AS m ON m.id < k.settled_below"
        " LEFT JOIN outcome AS o ON o.message = m.id LEFT JOIN scheduled AS s ON s.id = m.id"
        " WHERE o.message IS NULL AND s.id IS NULL",
    ),
    (
        "the low-water mark {} lies beyond the last id there is, {}: what is accepted below it would not be recovered",
        f"SELECT k.settled_below, ({reading.LAST_ID}) AS last FROM mark AS k WHERE k.settled_below > last + 1",
    ),
    (
        "top-up {} names ledger line {}, which did not book it",
        "SELECT t.id, t.line FROM topup AS t LEFT JOIN ledger AS l ON l.line = t.line AND l.account = t.account"
        " AND l.amount = t.amount AND l.kind IN ('topup', 'auto_topup') WHERE t.line IS NOT NULL AND l.line IS NULL",
    ),
    (
        "message {} was answered as {} but was never accepted",
        "SELECT u.id, u.wire_id FROM multi AS u LEFT JOIN message AS m ON m.id = u.id WHERE m.id IS NULL",
    ),
)


def audit() -> Statements[list[str]]:
    found = yield from chain()
    for sentence, sql in FINDINGS:
        rows = yield f"{sql} LIMIT {SHOWN + 1}", ()
        found += [sentence.format(*row) for row in rows[:SHOWN]]
        if len(rows) > SHOWN:
            found.append(f"and more like it: {sentence}")
    return found


def chain() -> Statements[list[str]]:
    """Every line continues the one before it, and the balance of its account."""
    line, hash_, balances, found = 0, GENESIS, dict[int, int](), list[str]()
    while True:
        rows = yield f"{reading.LEDGER} WHERE line > ? ORDER BY line LIMIT ?", (line, PAGE)
        for row in rows:
            if row[0] != line + 1:
                found.append(f"ledger line {line + 1} is missing")
            line, account, _at, _kind, amount, after = row[:6]
            if chained(hash_, row[:-1]) != row[-1]:
                found.append(f"ledger line {line} does not continue the chain: it, or one before it, was changed")
            if balances.get(account, 0) + amount != after:
                found.append(f"ledger line {line} says {after} where {balances.get(account, 0) + amount} was left")
            hash_, balances[account] = row[-1], after
            if len(found) > SHOWN:
                return [*found, "the ledger is broken; no more of its lines were read"]
        if len(rows) < PAGE:
            return found


class Balances(NamedTuple):
    moved: list[Any]
    balances: list[Any]


def balances(after: int) -> Statements[Balances]:
    """What lines behind `after` moved, and where the balances stand with them."""
    moved = yield reading.MOVED_SINCE, (after,)
    return Balances(moved, (yield reading.BALANCES, ()))


def check() -> Statements[list[str]]:
    """Every page of the files, read by SQLite itself."""
    rows = yield "PRAGMA integrity_check", ()
    return [] if rows == [("ok",)] else [str(row[0]) for row in rows]


def export(account: int) -> Statements[Export]:
    row = yield from read(account)
    messages = [MessageRow._make(one) for one in (yield reading.ALL_MESSAGES, (account,))]
    messages.sort()  # by id, which they nearly are
    lines = yield f"{reading.LEDGER} WHERE account = ? ORDER BY line", (account,)
    return Export(row, messages, [reading.line(one) for one in lines])
