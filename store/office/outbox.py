"""Letters on their way to the mail server: what each is to say, how often it was tried, and what became of it.

Invariant: a letter holds no secret. What it carries (a password, a link) is made for one attempt, and takes effect in
the transaction that notes that the mail server has taken it; so what did not leave opens nothing, and the old password
works until the new one has left. Knows no mail server and no words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..group import Told
from ..protocol import NotFound
from ..sql import Statements
from .changes import Change, log, logged
from .credentials import Link, keeping_link
from .database import Database

HOUR = 3_600_000
MOST_AN_HOUR = 5
"""Letters of one kind to one account or person: nobody's mailbox is filled from here."""
KEPT = 10_000
"""Letters that are remembered after their end."""


class Letter(NamedTuple):
    """`state`: waiting, sent, failed (tried too often, or refused for good), discarded (by an operator)."""

    id: int
    kind: str
    account: int | None
    person: int | None
    facts: dict[str, Any]
    at: int
    state: str
    tries: int
    next_try: int | None
    error: str
    done_at: int | None


class Crossing(NamedTuple):
    """An account that came below the balance of its warning (`low`), or that has enough again."""

    account: int
    balance: int
    threshold: int
    low: bool


class NewHash(NamedTuple):
    """What a letter with an account's new password makes true."""

    account: int
    password_hash: str


class NewLink(NamedTuple):
    """What a letter with a one-time link makes true."""

    digest: bytes
    link: Link


Effect = NewHash | NewLink | None
COLUMNS = ", ".join(Letter._fields)
CROSSINGS = """
    SELECT id, balance, threshold, low FROM (
        SELECT id, balance, threshold, threshold > 0 AND balance < threshold AS low
        FROM (SELECT id, balance, CAST(round(json_extract(settings, '$.low_credit_alert') * 10000) AS INTEGER)
                  AS threshold FROM account))
    WHERE coalesce(low, 0) <> EXISTS (SELECT 1 FROM low_credit WHERE account = id)
"""
LETTER = f"SELECT {COLUMNS} FROM letter"  # noqa: S608 (names)


class Outbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(
        self,
        kind: str,
        at: int,
        *,
        account: int | None = None,
        person: int | None = None,
        facts: Mapping[str, Any] | None = None,
        changes: Sequence[Change] = (),
    ) -> Letter | None:
        """-> the letter, or the one like it that waits already (of the kinds that wait alone); None if there were too
        many in the last hour."""
        letter: Letter | None = await self._database.write(
            putting(kind, account, person, dict(facts or {}), at, changes)
        )
        return letter

    async def due(self, now: int, limit: int = 20) -> list[Letter]:
        return await self._found("WHERE next_try <= ? ORDER BY next_try, id LIMIT ?", now, limit)

    async def next_due(self) -> int | None:
        ((at,),) = await self._database.read("SELECT min(next_try) FROM letter WHERE next_try IS NOT NULL")
        return None if at is None else int(at)

    async def newest(self, before: int | None = None, limit: int = 50) -> list[Letter]:
        """Newest first; `before` is the id of the last one seen."""
        last = 2**63 - 1 if before is None else before
        return await self._found("WHERE id < ? ORDER BY id DESC LIMIT ?", last, limit)

    async def find(self, id_: int) -> Letter:
        """NotFound."""
        for letter in await self._found("WHERE id = ?", id_):
            return letter
        raise NotFound(f"there is no letter {id_}")

    async def latest(self, kind: str, account: int) -> Letter | None:
        """The last of that kind to that account."""
        found = await self._found("WHERE kind = ? AND account = ? ORDER BY at DESC, id DESC LIMIT 1", kind, account)
        return found[0] if found else None

    async def counts(self) -> dict[str, int]:
        """State -> how many letters."""
        return dict(await self._database.read("SELECT state, count(*) FROM letter GROUP BY state"))

    async def waiting(self) -> int:
        ((number,),) = await self._database.read("SELECT count(*) FROM letter WHERE next_try IS NOT NULL")
        return int(number)

    async def sent(self, id_: int, at: int, effect: Effect = None, changes: Sequence[Change] = ()) -> bool:
        """The mail server has taken it: what it carries is true from now on. -> False if it was discarded meanwhile."""
        done: bool = await self._database.write(sending(id_, at, effect, changes))
        return done

    async def postponed(self, id_: int, next_try: int, error: str) -> None:
        await self._database.write(ending(id_, "waiting", next_try, None, error, tried=True))

    async def failed(self, id_: int, at: int, error: str) -> None:
        await self._database.write(ending(id_, "failed", None, at, error, tried=True))

    async def discard(self, id_: int, at: int, changes: Sequence[Change] = ()) -> None:
        await self._database.write(ending(id_, "discarded", None, at, None, changes=changes))

    async def retry(self, id_: int, at: int, changes: Sequence[Change] = ()) -> None:
        """At once; also one that has failed."""
        await self._database.write(ending(id_, "waiting", at, None, None, changes=changes))

    # -- credit that runs low --------------------------------------------------------------------------------------
    async def crossed(self) -> list[Crossing]:
        """Accounts that are low and whose owner was not told, or the other way round."""
        found = await self._database.read(CROSSINGS)
        return [Crossing(account, balance, threshold or 0, bool(low)) for account, balance, threshold, low in found]

    async def warn(self, low: Mapping[int, Mapping[str, Any]], enough: Sequence[int], at: int) -> None:
        """A letter to each of `low` (with what it tells), once until the account stands among `enough`."""
        await self._database.write(warning(low, enough, at))

    async def _found(self, where: str, *parameters: Any) -> list[Letter]:
        return [letter_of(row) for row in await self._database.read(f"{LETTER} {where}", *parameters)]


def letter_of(row: Sequence[Any]) -> Letter:
    letter = Letter._make(row)
    return letter._replace(facts=json.loads(row[4]))


# -- the transactions --------------------------------------------------------------------------------------------------
def put(kind: str, account: int | None, person: int | None, facts: Mapping[str, Any], at: int) -> Statements[int]:
    rows = yield (
        "INSERT INTO letter(kind, account, person, facts, at, next_try) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING RETURNING id",
        (kind, account, person, json.dumps(facts, ensure_ascii=False), at, at),
    )
    if not rows:
        rows = yield (
            "SELECT id FROM letter WHERE state = 'waiting' AND kind = ? AND account IS ? AND person IS ?",
            (kind, account, person),
        )
    id_: int = rows[0][0]
    return id_


def putting(
    kind: str,
    account: int | None,
    person: int | None,
    facts: Mapping[str, Any],
    at: int,
    changes: Sequence[Change],
) -> Statements[Told]:
    ((recent,),) = yield (
        "SELECT count(*) FROM letter WHERE kind = ? AND account IS ? AND person IS ? AND at > ?",
        (kind, account, person, at - HOUR),
    )
    if recent >= MOST_AN_HOUR:
        return Told(None)
    id_ = yield from put(kind, account, person, facts, at)
    yield from log(changes)
    yield "DELETE FROM letter WHERE state <> 'waiting' AND id <= ? - ?", (id_, KEPT)
    rows = yield f"{LETTER} WHERE id = ?", (id_,)
    told = Told(letter_of(rows[0]))
    told.witness = "SELECT 1 FROM letter WHERE id = ?", (id_,)
    return told


def sending(id_: int, at: int, effect: Effect, changes: Sequence[Change]) -> Statements[Told]:
    rows = yield (
        "UPDATE letter SET state = 'sent', tries = tries + 1, next_try = NULL, done_at = ?, error = ''"
        " WHERE id = ? AND state = 'waiting' RETURNING id",
        (at, id_),
    )
    if not rows:
        return Told(False)
    if isinstance(effect, NewHash):
        yield "UPDATE account SET password_hash = ? WHERE id = ?", (effect.password_hash, effect.account)
    elif isinstance(effect, NewLink):
        yield from keeping_link(effect.digest, effect.link)
    yield from log(changes)
    told = Told(True)
    told.witness = "SELECT 1 FROM letter WHERE id = ? AND state = 'sent'", (id_,)
    return told


def ending(
    id_: int,
    state: str,
    next_try: int | None,
    done_at: int | None,
    error: str | None,
    *,
    tried: bool = False,
    changes: Sequence[Change] = (),
) -> Statements[Told]:
    """What was sent stays sent."""
    rows = yield (
        "UPDATE letter SET state = ?, next_try = ?, done_at = ?, error = coalesce(?, error), tries = tries + ?"
        " WHERE id = ? AND state <> 'sent' RETURNING id",
        (state, next_try, done_at, error, tried, id_),
    )
    return (yield from logged(changes if rows else ()))


def warning(low: Mapping[int, Mapping[str, Any]], enough: Sequence[int], at: int) -> Statements[Told]:
    for account in enough:
        yield "DELETE FROM low_credit WHERE account = ?", (account,)
    for account, facts in low.items():
        new = yield "INSERT INTO low_credit(account) VALUES (?) ON CONFLICT DO NOTHING RETURNING account", (account,)
        if new:
            yield from put("low-credit", account, None, facts, at)
    return Told()
