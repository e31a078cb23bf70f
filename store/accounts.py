"""What an operator does: accounts, top-ups, transfers, prices. Each is one transaction, told as statements.

Invariant: a request id counts once, however often it is sent. Knows no settings, only that they are a mapping.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from . import reading
from .group import Told
from .money import Ledger
from .office.changes import Change, log, logged
from .protocol import AccountRow, Automatic, Conflict, Insufficient, LedgerLine, NotFound
from .sql import Statement, Statements

POSTED = frozenset({"topup", "auto_topup", "adjustment"})
NAMED = 3
"""Accounts that are told where there may be very many."""


def add(
    name: str,
    system_id: str,
    password_hash: str,
    settings: Mapping[str, Any],
    at: int,
    opening: int,
    credit_limit: int,
    automatic: Automatic | None = None,
    changes: Sequence[Change] = (),
) -> Statements[Told]:
    for column, value in (("name", name), ("system_id", system_id)):
        rows = yield f"SELECT 1 FROM account WHERE {column} = ?", (value,)  # noqa: S608 (one of two names)
        if rows:
            raise Conflict(f"the {column} {value} is taken")
    rows = yield (
        "INSERT INTO account(name, system_id, password_hash, settings, created_at, credit_limit)"
        " VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
        (name, system_id, password_hash, json.dumps(settings), at, credit_limit),
    )
    account: int = rows[0][0]
    if automatic is not None:
        yield from ask_when(account, automatic)
    ledger = Ledger(at)
    if opening:
        yield from ledger.post(account, "topup", opening, note="opening balance")
    yield from log(changes, account)
    return told((yield from read(account)), ledger, ("SELECT 1 FROM account WHERE id = ?", (account,)))


def change(
    account: int,
    settings: Mapping[str, Any] | None,
    password_hash: str | None,
    enabled: bool | None,
    credit_limit: int | None,
    automatic: Automatic | None = None,
    changes: Sequence[Change] = (),
) -> Statements[Told]:
    row = yield from read(account)
    if credit_limit is not None and row.balance < -credit_limit:
        raise Insufficient(f"the balance of {row.name} is already below that limit")
    columns = {
        "settings": None if settings is None else json.dumps(settings),
        "password_hash": password_hash,
        "enabled": enabled,
        "credit_limit": credit_limit,
    }
    for column, value in columns.items():
        if value is not None:
            yield f"UPDATE account SET {column} = ? WHERE id = ?", (value, account)  # noqa: S608 (a name from above)
    if automatic is not None:
        yield from ask_when(account, automatic)
    told = Told((yield from read(account)))
    told.witness = yield from log(changes)
    return told


def ask_when(account: int, automatic: Automatic) -> Statements[None]:
    below = automatic.below if automatic.amount else None
    yield (
        "UPDATE account SET topup_below = ?, topup_amount = ?, topup_per_day = ?, topup_at_once = ? WHERE id = ?",
        (below, automatic.amount, automatic.per_day, automatic.at_once, account),
    )


def read(account: int) -> Statements[AccountRow]:
    rows = yield f"{reading.ACCOUNT} WHERE id = ?", (account,)
    if not rows:
        raise NotFound(f"there is no account {account}")
    return reading.account(rows[0])


def post(
    account: int,
    kind: str,
    amount: int,
    at: int,
    request_id: str | None,
    note: str,
    changes: Sequence[Change] = (),
) -> Statements[Told]:
    if kind not in POSTED:
        raise ValueError(f"{kind} is not posted by hand")
    yield from read(account)
    before = yield from requested(account, request_id)
    if before is not None:
        if (before.kind, before.amount) != (kind, amount):
            raise Conflict(f"request {request_id} was a {before.kind} of {before.amount}")
        return Told(before)
    ledger = Ledger(at)
    yield from afford(ledger, account, amount)
    line = yield from ledger.post(account, kind, amount, request_id=request_id, note=note)
    yield from log(changes)
    return told(line, ledger)


def transfer(
    source: int,
    target: int,
    amount: int,
    at: int,
    request_id: str | None,
    note: str,
    changes: Sequence[Change] = (),
) -> Statements[Told]:
    if source == target or amount <= 0:
        raise ValueError("a transfer moves a positive amount from one account to another")
    giver = yield from read(source)
    yield from read(target)
    out, into = (yield from requested(source, request_id)), (yield from requested(target, request_id))
    if out is not None or into is not None:
        if out is None or into is None or (out.amount, into.amount, into.line) != (-amount, amount, out.line + 1):
            raise Conflict(f"request {request_id} was something else")
        return Told((out, into))
    if giver.balance < amount:  # what is lent to an account is not its own to give away
        raise Insufficient(f"the balance of {giver.name} does not allow {amount}")
    ledger = Ledger(at)
    out = yield from ledger.post(source, "transfer_out", -amount, request_id=request_id, note=note)
    into = yield from ledger.post(target, "transfer_in", amount, request_id=request_id, note=note)
    yield from log(changes)
    return told((out, into), ledger)


def requested(account: int, request_id: str | None) -> Statements[LedgerLine | None]:
    """The line that this request wrote before, if it did."""
    if request_id is None:
        return None
    rows = yield f"{reading.LEDGER} WHERE account = ? AND request_id = ?", (account, request_id)
    return reading.line(rows[0]) if rows else None


def afford(ledger: Ledger, account: int, amount: int) -> Statements[None]:
    room = yield from ledger.room(account)
    if amount < 0 and room + amount < 0:
        raise Insufficient(f"the balance of account {account} does not allow {amount}")


def set_prices(name: str, prices: Mapping[str, int], changes: Sequence[Change] = ()) -> Statements[Told]:
    """The plan is these prices and no others."""
    yield "INSERT INTO price_plan(name) VALUES (?) ON CONFLICT DO NOTHING", (name,)
    yield "DELETE FROM price WHERE plan = ?", (name,)
    for prefix, price in prices.items():
        yield "INSERT INTO price(plan, prefix, price) VALUES (?, ?, ?)", (name, prefix, price)
    return (yield from logged(changes))


def delete_prices(name: str, changes: Sequence[Change] = ()) -> Statements[Told]:
    rows = yield (
        "SELECT name FROM account WHERE coalesce(json_extract(settings, '$.price_plan'), 'default') = ? ORDER BY name",
        (name,),
    )
    if rows:
        raise Conflict(f"the price plan {name} is that of {several([each for (each,) in rows])}")
    yield "DELETE FROM price WHERE plan = ?", (name,)
    yield "DELETE FROM price_plan WHERE name = ?", (name,)
    return (yield from logged(changes))


def several(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def told(value: Any, ledger: Ledger, witness: Statement | None = None) -> Told:
    said = Told(value)
    said.moved = ledger.moved
    if witness is None and ledger.last is not None:
        witness = "SELECT 1 FROM ledger WHERE line = ? AND hash = ?", (ledger.last.line, ledger.last.hash)
    said.witness = witness
    return said
