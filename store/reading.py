"""The questions asked of the store, each one statement, and the records their rows become. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from .protocol import AccountRow, LedgerLine

# ruff: noqa: S608 (statements are put together from the texts below, never from values)
LAST = 2**63 - 1

MESSAGE = """
    SELECT m.id, coalesce(u.wire_id, m.id), m.account, m.at, m.charge, m.charge_line, o.refund_line, m.body,
           o.state, o.error, o.at, s.at
    FROM {source}
    LEFT JOIN outcome AS o ON o.message = m.id
    LEFT JOIN multi AS u ON u.id = m.id
    LEFT JOIN scheduled AS s ON s.id = m.id
"""

ACCOUNT = (
    "SELECT id, name, system_id, password_hash, enabled, settings, balance, credit_limit, created_at FROM account"
)
LEDGER = "SELECT line, account, at, kind, amount, balance_after, first_id, last_id, request_id, note, hash FROM ledger"

# What an account sent is found through its debit lines: each names the range of ids it paid for. So the messages
# themselves need no index. CROSS JOIN keeps the order of the loops, and with it the order of the rows.
OF_LINES = "ledger AS l CROSS JOIN message AS m ON m.id BETWEEN l.first_id AND l.last_id AND m.charge_line = l.line"

MESSAGES = (
    MESSAGE.format(source=OF_LINES)
    + """
    WHERE l.account = ?1 AND l.kind = 'debit' AND l.line <= ?2 AND (l.line < ?2 OR m.id < ?3)
    ORDER BY l.line DESC, m.id DESC LIMIT ?4
"""
)
LINE_BEFORE = (
    "SELECT coalesce((SELECT charge_line FROM message WHERE id = ?1 AND account = ?2),"
    " (SELECT max(line) FROM ledger WHERE account = ?2 AND kind = 'debit' AND first_id < ?1), 0)"
)
ALL_MESSAGES = MESSAGE.format(source=OF_LINES) + "WHERE l.account = ? AND l.kind = 'debit' ORDER BY l.line, m.id"

FIND = (
    MESSAGE.format(source="message AS m")
    + """
    WHERE (?1 IS NULL OR m.account = ?1) AND m.id IN (
        SELECT id FROM multi WHERE wire_id = ?2
        UNION SELECT ?2 WHERE NOT EXISTS (SELECT 1 FROM multi WHERE id = ?2)
    ) ORDER BY m.id
"""
)
PENDING = (
    MESSAGE.format(source="message AS m")
    + """
    WHERE o.message IS NULL AND m.id > max(?1, (SELECT settled_below - 1 FROM mark))
    ORDER BY m.id LIMIT ?2
"""
)
PENDING_BELOW_MARK = (
    MESSAGE.format(source="scheduled AS w CROSS JOIN message AS m ON m.id = w.id")
    + """
    WHERE o.message IS NULL AND w.id > ?1 AND w.id < (SELECT settled_below FROM mark)
    ORDER BY w.id LIMIT ?2
"""
)
SCHEDULED = (
    MESSAGE.format(source="scheduled AS w CROSS JOIN message AS m ON m.id = w.id")
    + """
    WHERE w.account = ? AND w.at IS NOT NULL ORDER BY w.id
"""
)
DUE = (
    MESSAGE.format(source="scheduled AS w CROSS JOIN message AS m ON m.id = w.id")
    + """
    WHERE w.at <= ? ORDER BY w.at, w.id LIMIT ?
"""
)
NEXT_DUE = "SELECT min(at) FROM scheduled WHERE at IS NOT NULL"
SCHEDULED_IDS = "SELECT id FROM scheduled"

OWED = """
    SELECT d.id, coalesce(u.wire_id, d.id), coalesce(m.at, i.at), coalesce(m.body, i.body),
           coalesce(o.state, 0), coalesce(o.error, 0), coalesce(o.at, 0), i.id IS NOT NULL
    FROM delivery AS d
    LEFT JOIN message AS m ON m.id = d.id
    LEFT JOIN outcome AS o ON o.message = d.id
    LEFT JOIN multi AS u ON u.id = d.id
    LEFT JOIN incoming AS i ON i.id = d.id AND m.id IS NULL
    WHERE d.account = ? AND d.id > ? ORDER BY d.id LIMIT ?
"""
OVERDUE = """
    SELECT d.id FROM delivery AS d
    LEFT JOIN outcome AS o ON o.message = d.id
    LEFT JOIN incoming AS i ON i.id = d.id
    WHERE d.account = ? AND d.id < ? AND coalesce(o.at, i.at) < ? ORDER BY d.id LIMIT ?
"""
OWED_COUNTS = """
    SELECT d.account, d.number, coalesce(o.at, i.at, 0)
    FROM (SELECT account, count(*) AS number, min(id) AS first FROM delivery GROUP BY account) AS d
    LEFT JOIN outcome AS o ON o.message = d.first
    LEFT JOIN incoming AS i ON i.id = d.first
"""
REFUSED = "at, account, kind, reason, status, peer, system_id, source, destination, detail, count"
REFUSALS = f"SELECT {REFUSED} FROM refusal WHERE account IS ? ORDER BY id DESC LIMIT ?"
PRICES = "SELECT p.name, x.prefix, x.price FROM price_plan AS p LEFT JOIN price AS x ON x.plan = p.name ORDER BY 1, 2"
LAST_ID = """
    SELECT max((SELECT coalesce(max(id), 0) FROM message), (SELECT coalesce(max(id), 0) FROM incoming),
               (SELECT coalesce(max(wire_id), 0) FROM multi))
"""
MARK = "SELECT settled_below FROM mark"
MOVED_SINCE = "SELECT account, sum(amount), max(line) FROM ledger WHERE line > ? GROUP BY account"
BALANCES = "SELECT id, balance FROM account"


def account(row: tuple[Any, ...]) -> AccountRow:
    id_, name, system_id, password_hash, enabled, settings, *rest = row
    return AccountRow(id_, name, system_id, password_hash, bool(enabled), json.loads(settings), *rest)


def line(row: tuple[Any, ...]) -> LedgerLine:
    return LedgerLine._make(row)


def plans(rows: Iterable[tuple[Any, ...]]) -> dict[str, dict[str, int]]:
    """Plan -> prefix -> price; also those that have no price."""
    found: dict[str, dict[str, int]] = {}
    for plan, prefix, price in rows:
        prices = found.setdefault(plan, {})
        if prefix is not None:
            prices[prefix] = price
    return found
