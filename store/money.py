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
NEVER = -(2**63)
"""A threshold that no balance comes down to."""


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def chained(previous: bytes, fields: Sequence[Any]) -> bytes:
    """The hash of a line: of all its columns in their order, as JSON, over the hash of the line before."""
    line, account, at, kind, amount, balance, first, last, request_id, note = fields
    plain = not note or (note.isascii() and note.isdecimal())
    if kind == "debit" and request_id is None and plain:  # nearly every line: a tenth of what the encoder takes
        text = f'[{line},{account},{at},"debit",{amount},{balance},{first},{last},null,"{note}"]'
    else:
        text = _encode(fields)
    return sha256(previous + text.encode()).digest()


class Books:
    """The end of the ledger, and what accounts have: as the last transaction left them, if that was a group's."""

    __slots__ = ("hash", "line", "purses")

    def __init__(self) -> None:
        self.line, self.hash = -1, GENESIS
        self.purses: dict[int, tuple[int, int, int]] = {}
        """Account -> balance, credit limit, and the balance at which it asks for credit."""


class Ledger:
    """The lines that one transaction writes. `books` spare it the reading, and are kept up to date; should they be
    wrong, the schema refuses the line."""

    def __init__(self, at: int, books: Books | None = None) -> None:
        self.at = at
        self.books = books or Books()
        self.moved: dict[int, int] = {}
        """Account -> what moved except debits."""
        self.last: LedgerLine | None = None

    def room(self, account: int) -> Statements[int]:
        """What the account can still spend."""
        balance, credit_limit, _threshold = yield from self._purse(account)
        return balance + credit_limit

    def low(self, account: int) -> bool:
        """Whether a balance that was just moved has come down to where the account asks for credit."""
        balance, _credit_limit, threshold = self.books.purses[account]
        return balance <= threshold

    def rest(self, account: int) -> None:
        """It has asked, and need not be looked at again until somebody else has written."""
        balance, credit_limit, _threshold = self.books.purses[account]
        self.books.purses[account] = balance, credit_limit, NEVER

    def _purse(self, account: int) -> Statements[tuple[int, int, int]]:
        """Balance, credit limit, threshold; read once, and nobody else writes meanwhile."""
        purse = self.books.purses.get(account)
        if purse is None:
            rows = yield (
                "SELECT balance, credit_limit, coalesce(topup_below, ?) FROM account WHERE id = ?",
                (NEVER, account),
            )
            if not rows:
                raise Contradiction(f"there is no account {account}")
            purse = self.books.purses[account] = rows[0]
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
        balance, credit_limit, threshold = yield from self._purse(account)
        books = self.books
        if books.line < 0:
            rows = yield "SELECT line, hash FROM ledger ORDER BY line DESC LIMIT 1", ()
            books.line, books.hash = rows[0] if rows else (0, GENESIS)
        first, last = ids or (None, None)
        fields = (books.line + 1, account, self.at, kind, amount, balance + amount, first, last, request_id, note)
        digest = chained(books.hash, fields)
        yield (
            "INSERT INTO ledger"
            "(line, account, at, kind, amount, balance_after, first_id, last_id, request_id, note, hash)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*fields, bytearray(digest)),
        )
        books.line, books.hash = fields[0], digest
        books.purses[account] = balance + amount, credit_limit, threshold
        if kind != "debit":
            self.moved[account] = self.moved.get(account, 0) + amount
        self.last = LedgerLine(*fields, digest)
        return self.last
