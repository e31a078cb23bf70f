"""Requests for credit: a person's, or those of an account that has used its credit up to its threshold.

Invariant: a request is booked at most once, by the ledger line it names; what was decided stays decided; by itself an
account has one open request at a time. The schema says so. Knows no payment service, only when one is to be asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..accounts import read, told
from ..group import Told
from ..money import Ledger
from ..protocol import Conflict, NotFound
from ..sql import Statements
from .changes import Change, log, logged
from .database import Database

DAY = 86_400_000
PATIENCE = {"failed": 15 * 60_000, "refused": DAY}
"""How long an account does not ask by itself again after such an end, in milliseconds."""
MOST_OPEN = 10
"""Requests of one account that may wait at a time."""
GATEWAY = "gateway"


class Topup(NamedTuple):
    """`state`: open, booked, refused (by an operator), failed (the payment), capped (the day's limit was reached).
    `line` booked it; `next_try` is when the payment service is to hear of it, `answer` what it said the last time."""

    id: int
    account: int
    automatic: bool
    amount: int
    balance: int
    at: int
    who: str
    note: str
    request_id: str | None
    state: str
    line: int | None
    done_at: int | None
    done_by: str | None
    reason: str
    retry_at: int | None
    tries: int
    next_try: int | None
    answer: str


COLUMNS = ", ".join(Topup._fields)
TOPUP = f"SELECT {COLUMNS} FROM topup"  # noqa: S608 (names)

WANTS = """
    SELECT topup_amount, topup_per_day, topup_at_once,
        EXISTS (SELECT 1 FROM topup WHERE account = ?1 AND automatic = 1 AND (state = 'open' OR retry_at > ?2))
    FROM account WHERE id = ?1 AND topup_below IS NOT NULL AND balance <= topup_below
"""
OLDEST = """
    SELECT at FROM topup WHERE account = ? AND automatic = 1 AND state IN ('open', 'booked') AND at > ?
    ORDER BY at DESC LIMIT 1 OFFSET ?
"""
LOW = """
    SELECT id FROM account WHERE topup_below IS NOT NULL AND balance <= topup_below AND NOT EXISTS
        (SELECT 1 FROM topup WHERE account = account.id AND automatic = 1 AND (state = 'open' OR retry_at > ?))
"""


class Topups:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def _found(self, where: str, *parameters: Any) -> list[Topup]:
        return [topup(row) for row in await self._database.read(f"{TOPUP} {where}", *parameters)]

    async def find(self, id_: int) -> Topup:
        """NotFound."""
        for found in await self._found("WHERE id = ?", id_):
            return found
        raise NotFound(f"there is no top-up {id_}")

    async def open(self, after: int = 0, limit: int = 100) -> list[Topup]:
        """Those that wait for a decision, of all accounts, oldest first."""
        return await self._found("WHERE state = 'open' AND id > ? ORDER BY id LIMIT ?", after, limit)

    async def waiting(self) -> int:
        """How many wait for a decision."""
        ((number,),) = await self._database.read("SELECT count(*) FROM topup WHERE state = 'open'")
        return int(number)

    async def of_account(self, account: int, before: int | None = None, limit: int = 50) -> list[Topup]:
        """Newest first; `before` is the id of the last one seen."""
        last = 2**63 - 1 if before is None else before
        return await self._found("WHERE account = ? AND id < ? ORDER BY id DESC LIMIT ?", account, last, limit)

    async def by_lines(self, lines: Sequence[int]) -> dict[int, Topup]:
        """Ledger line -> the request it booked."""
        marks = ", ".join("?" * len(lines))
        return {one.line or 0: one for one in await self._found(f"WHERE line IN ({marks})", *lines)}

    async def ask(
        self,
        account: int,
        amount: int,
        at: int,
        who: str,
        note: str = "",
        request_id: str | None = None,
        changes: Sequence[Change] = (),
    ) -> Topup:
        """A person's request. The same request id again returns what it asked for the first time. Conflict if too many
        wait already."""
        found: Topup = await self._database.write(ask(account, amount, at, who, note, request_id, changes))
        return found

    async def book(self, id_: int, at: int, who: str, changes: Sequence[Change] = ()) -> Topup:
        """Give the credit; doing so again changes nothing. NotFound; Conflict if something else was decided."""
        found: Topup = await self._database.write(book(id_, at, who, changes))
        return found

    async def close(
        self, id_: int, state: str, at: int, who: str, reason: str, changes: Sequence[Change] = ()
    ) -> Topup:
        """Give none: `state` is refused or failed; doing so again changes nothing. NotFound, Conflict."""
        found: Topup = await self._database.write(close(id_, state, at, who, reason, changes))
        return found

    # -- by the clock ----------------------------------------------------------------------------------------------
    async def watch(self, at: int) -> None:
        """Let every account ask that is low and has not asked: after a transfer, another threshold, a failure."""
        low = [account for (account,) in await self._database.read(LOW, at)]
        if low:
            await self._database.write(watch(low, at))

    async def to_send(self, now: int, limit: int = 20) -> list[Topup]:
        """What the payment service is to hear of now."""
        return await self._found("WHERE next_try <= ? ORDER BY next_try LIMIT ?", now, limit)

    async def sent(self, id_: int, next_try: int | None, answer: str) -> None:
        """It was tried; `next_try` is None if the service has taken it."""
        await self._database.write(sent(id_, next_try, answer))

    async def to_announce(self, limit: int = 20) -> list[Topup]:
        """Decided, and nobody has been told."""
        return await self._found("WHERE announced = 0 AND state <> 'open' ORDER BY id LIMIT ?", limit)

    async def announced(self, ids: Sequence[int]) -> None:
        await self._database.write(announced(ids))


def topup(row: Sequence[Any]) -> Topup:
    found = Topup._make(row)
    return found._replace(automatic=bool(found.automatic))


def one(id_: int) -> Statements[Topup]:
    rows = yield f"{TOPUP} WHERE id = ?", (id_,)
    if not rows:
        raise NotFound(f"there is no top-up {id_}")
    return topup(rows[0])


def noted(account: int, at: int, name: str, amount: int) -> Statements[None]:
    """In the log of changes, as people's requests are. Credits are written as people write them."""
    whole, rest = divmod(amount, 10_000)
    credits = f"{whole}.{rest:04}".rstrip("0").rstrip(".")  # noqa: A001 (nobody quits from here)
    yield from log([Change(at, None, GATEWAY, "", GATEWAY, account, "credits", name, None, credits)])


def add(account: int, automatic: bool, amount: int, balance: int, at: int, who: str, **more: Any) -> Statements[int]:
    fields = {"account": account, "automatic": automatic, "amount": amount, "balance": balance, "at": at, "who": who}
    fields |= {"note": "", "state": "open", **more}
    if fields["state"] == "open":
        fields["next_try"] = at
    marks = ", ".join("?" * len(fields))
    rows = yield (
        f"INSERT INTO topup({', '.join(fields)}) VALUES ({marks}) RETURNING id",  # noqa: S608 (names)
        tuple(fields.values()),
    )
    id_: int = rows[0][0]
    return id_


# -- people ------------------------------------------------------------------------------------------------------------
def ask(
    account: int, amount: int, at: int, who: str, note: str, request_id: str | None, changes: Sequence[Change]
) -> Statements[Told]:
    row = yield from read(account)
    if request_id is not None:
        rows = yield f"{TOPUP} WHERE account = ? AND request_id = ?", (account, request_id)
        if rows and topup(rows[0]).amount != amount:
            raise Conflict(f"request {request_id} asked for another amount")
        if rows:
            return Told(topup(rows[0]))
    ((waiting,),) = yield "SELECT count(*) FROM topup WHERE account = ? AND state = 'open'", (account,)
    if waiting >= MOST_OPEN:
        raise Conflict(f"{waiting} top-ups of {row.name} wait already; have one of them decided first")
    id_ = yield from add(account, False, amount, row.balance, at, who, note=note, request_id=request_id)
    yield from log(changes)
    done = Told((yield from one(id_)))
    done.witness = "SELECT 1 FROM topup WHERE id = ? AND at = ?", (id_, at)
    return done


def book(id_: int, at: int, who: str, changes: Sequence[Change]) -> Statements[Told]:
    found = yield from one(id_)
    if found.state == "booked":
        return Told(found)
    if found.state != "open":
        raise Conflict(f"top-up {id_} is {found.state} already")
    ledger = Ledger(at)
    yield from booked(ledger, found, who)
    yield from log(changes)
    return told((yield from one(id_)), ledger)


def booked(ledger: Ledger, asked: Topup, who: str) -> Statements[None]:
    kind = "auto_topup" if asked.automatic else "topup"
    line = yield from ledger.post(asked.account, kind, asked.amount, note=asked.note)
    yield (
        "UPDATE topup SET state = 'booked', line = ?, done_at = ?, done_by = ?, next_try = NULL WHERE id = ?",
        (line.line, ledger.at, who, asked.id),
    )


def close(id_: int, state: str, at: int, who: str, reason: str, changes: Sequence[Change]) -> Statements[Told]:
    found = yield from one(id_)
    if found.state == state:
        return Told(found)
    if found.state != "open":
        raise Conflict(f"top-up {id_} is {found.state} already")
    yield (
        "UPDATE topup SET state = ?, done_at = ?, done_by = ?, reason = ?, retry_at = ?, next_try = NULL WHERE id = ?",
        (state, at, who, reason, at + PATIENCE[state], id_),
    )
    yield from log(changes)
    done = Told((yield from one(id_)))
    done.witness = "SELECT 1 FROM topup WHERE id = ? AND done_at IS NOT NULL", (id_,)
    return done


# -- the account itself ------------------------------------------------------------------------------------------------
def run_low(ledger: Ledger, account: int) -> Statements[None]:
    """The balance has come down to the threshold: ask, in the transaction that brought it there. Where credit is given
    at once, the next transaction asks again if it was not enough; else nobody looks until something has changed."""
    rows = yield WANTS, (account, ledger.at)
    if not rows or rows[0][3]:  # enough again, or asked already
        ledger.rest(account)
        return
    amount, per_day, at_once, _asked = rows[0]
    balance = ledger.books.purses[account][0]
    oldest = yield OLDEST, (account, ledger.at - DAY, per_day - 1)
    if oldest:  # as often as is allowed in a day
        ended = {"state": "capped", "done_at": ledger.at, "done_by": GATEWAY, "retry_at": oldest[0][0] + DAY}
        yield from add(account, True, amount, balance, ledger.at, GATEWAY, **ended)
        yield from noted(account, ledger.at, "automatic top-up, held back by the limit of a day", amount)
        ledger.rest(account)
        return
    id_ = yield from add(account, True, amount, balance, ledger.at, GATEWAY)
    yield from noted(account, ledger.at, f"automatic top-up, {'given at once' if at_once else 'asked for'}", amount)
    if at_once:
        yield from booked(ledger, (yield from one(id_)), GATEWAY)
    else:
        ledger.rest(account)


def watch(low: Sequence[int], at: int) -> Statements[Told]:
    ledger = Ledger(at)
    for account in low:
        yield from ledger.room(account)
        yield from run_low(ledger, account)
    return told(None, ledger)


# -- what is done about them -------------------------------------------------------------------------------------------
def sent(id_: int, next_try: int | None, answer: str) -> Statements[Told]:
    yield (
        "UPDATE topup SET tries = tries + 1, next_try = ?, answer = ? WHERE id = ? AND state = 'open'",
        (next_try, answer, id_),
    )
    return Told()


def announced(ids: Sequence[int]) -> Statements[Told]:
    for id_ in ids:
        yield "UPDATE topup SET announced = 1 WHERE id = ?", (id_,)
    return (yield from logged(()))
