"""The ledger: lines chained by hash, each of which moves one balance.

Invariant: a line is written in the transaction that its cause is written in, and the schema moves the balance with it
(a trigger; nothing else can). Knows no prices and no messages, only ids that a debit paid for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from .protocol import Contradiction, LedgerLine
from .sql import Statements

GENESIS = bytes(32)
"""What the first line of a store is chained to."""


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def chained(previous: bytes, fields: Sequence[Any]) -> bytes:
    """The hash of a line: of all its columns in their order, over the hash of the line before."""
    return sha256(previous + _encode(fields).encode()).digest()


class Ledger:
    """The lines that one transaction writes."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.moved: dict[int, int] = {}
        """Account -> what moved except debits."""
        self.last: LedgerLine | None = None
        self._line, self._hash = -1, GENESIS
        self._purses: dict[int, tuple[int, int]] = {}

    def room(self, account: int) -> Statements[int]:
        """What the account can still spend."""
        balance, credit_limit = yield from self._purse(account)
        return balance + credit_limit

    def _purse(self, account: int) -> Statements[tuple[int, int]]:
        """Balance and credit limit; read once a transaction, and nobody else writes meanwhile."""
        purse = self._purses.get(account)
        if purse is None:
            rows = yield "SELECT balance, credit_limit FROM account WHERE id = ?", (account,)
            if not rows:
                raise Contradiction(f"there is no account {account}")
            purse = self._purses[account] = rows[0]
        return purse

    def post(
        self,
        account: int,
        kind: str,
        amount: int,
        *,
        ids: tuple[int, int] | None = None,
        request_id: str | None = None,
        note: str = "",
    ) -> Statements[LedgerLine]:
        """Write a line. The caller has looked whether there is room; if not, the schema refuses."""
        balance, credit_limit = yield from self._purse(account)
        if self._line < 0:
            rows = yield "SELECT line, hash FROM ledger ORDER BY line DESC LIMIT 1", ()
            self._line, self._hash = rows[0] if rows else (0, GENESIS)
        first, last = ids or (None, None)
        fields = (self._line + 1, account, self.at, kind, amount, balance + amount, first, last, request_id, note)
        digest = chained(self._hash, fields)
        yield (
            "INSERT INTO ledger"
            "(line, account, at, kind, amount, balance_after, first_id, last_id, request_id, note, hash)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*fields, bytearray(digest)),
        )
        self._line, self._hash = fields[0], digest
        self._purses[account] = balance + amount, credit_limit
        if kind != "debit":
            self.moved[account] = self.moved.get(account, 0) + amount
        self.last = LedgerLine(*fields, digest)
        return self.last
