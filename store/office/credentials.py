"""What opens doors: one-time links, sessions of the panel, tokens of the API, one-time codes.

Invariant: only digests of random octets are kept, so reading the store opens nothing; whatever can be used once is used
up in the transaction that looks for it; a new password ends what the old one opened.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..group import Told
from ..sql import Statements
from .changes import Change, log, logged
from .database import Database

MOST_SESSIONS = 20
"""Of one person at a time; a newer one ends the oldest."""
MOST_TOKENS = 50


class Link(NamedTuple):
    person: int
    purpose: str
    expires_at: int


class Session(NamedTuple):
    id: int
    person: int
    origin: str
    agent: str
    created_at: int
    seen_at: int


class Token(NamedTuple):
    id: int
    person: int
    name: str
    scopes: tuple[str, ...]
    created_at: int
    used_at: int | None


SESSION = f"SELECT {', '.join(Session._fields)} FROM session"  # noqa: S608 (names)
TOKEN = f"SELECT {', '.join(Token._fields)} FROM token"  # noqa: S608 (names)


class Credentials:
    def __init__(self, database: Database) -> None:
        self._database = database

    # -- one-time links --------------------------------------------------------------------------------------------
    async def link(self, digest: bytes) -> Link | None:
        rows = await self._database.read("SELECT person, purpose, expires_at FROM link WHERE digest = ?", digest)
        return Link._make(rows[0]) if rows else None

    async def keep_link(self, digest: bytes, link: Link, changes: Sequence[Change] = ()) -> None:
        await self._database.write(keeping_link(digest, link, changes))

    async def redeem(
        self, digest: bytes, now: int, password_hash: str, name: str | None = None, changes: Sequence[Change] = ()
    ) -> bool:
        """The link becomes a password, once. -> False if it was used, replaced or has expired."""
        done: bool = await self._database.write(redeemed(digest, now, password_hash, name, changes))
        return done

    # -- sessions --------------------------------------------------------------------------------------------------
    async def session(self, digest: bytes) -> Session | None:
        rows = await self._database.read(f"{SESSION} WHERE digest = ?", digest)
        return Session._make(rows[0]) if rows else None

    async def sessions(self, person: int) -> list[Session]:
        rows = await self._database.read(f"{SESSION} WHERE person = ? ORDER BY id DESC", person)
        return list(map(Session._make, rows))

    async def open_session(
        self, digest: bytes, person: int, origin: str, agent: str, now: int, born_after: int, seen_after: int
    ) -> None:
        """The newest of its person; what was born or seen too long ago goes, whoever's it was."""
        await self._database.write(opened(digest, person, origin, agent, now, born_after, seen_after))

    async def seen(self, session: int, at: int) -> None:
        await self._database.write(done("UPDATE session SET seen_at = ? WHERE id = ?", at, session))

    async def end_session(self, person: int, session: int) -> bool:
        """-> False if that person has no such session."""
        rows: list[Any] = await self._database.write(
            done("DELETE FROM session WHERE person = ? AND id = ? RETURNING id", person, session)
        )
        return bool(rows)

    # -- tokens ----------------------------------------------------------------------------------------------------
    async def token(self, digest: bytes) -> Token | None:
        rows = await self._database.read(f"{TOKEN} WHERE digest = ?", digest)
        return token_of(rows[0]) if rows else None

    async def tokens(self, person: int) -> list[Token]:
        rows = await self._database.read(f"{TOKEN} WHERE person = ? ORDER BY id", person)
        return list(map(token_of, rows))

    async def add_token(
        self, digest: bytes, person: int, name: str, scopes: Sequence[str], at: int, changes: Sequence[Change] = ()
    ) -> Token:
        token: Token = await self._database.write(added_token(digest, person, name, scopes, at, changes))
        return token

    async def used(self, token: int, at: int) -> None:
        await self._database.write(done("UPDATE token SET used_at = ? WHERE id = ?", at, token))

    async def revoke_token(self, person: int, token: int, changes: Sequence[Change] = ()) -> bool:
        """-> False if that person has no such token."""
        sql = "DELETE FROM token WHERE person = ? AND id = ? RETURNING id"
        rows: list[Any] = await self._database.write(done(sql, person, token, changes=changes))
        return bool(rows)

    # -- passwords and codes ---------------------------------------------------------------------------------------
    async def set_password(
        self, person: int, password_hash: str, keep_session: int = 0, changes: Sequence[Change] = ()
    ) -> None:
        """Every session but that one ends, and every link."""
        await self._database.write(with_password(person, password_hash, keep_session, changes))

    async def set_codes(
        self, person: int, secret: str | None, counter: int, recovery: Sequence[bytes], changes: Sequence[Change] = ()
    ) -> None:
        """From now on one-time codes are asked for; with None they are not."""
        await self._database.write(with_codes(person, secret, counter, recovery, changes))

    async def count_code(self, person: int, counter: int) -> bool:
        """-> False if that code, or a later one, was taken already."""
        sql = "UPDATE person SET otp_counter = ?2 WHERE id = ?1 AND otp_counter < ?2 RETURNING id"
        rows: list[Any] = await self._database.write(done(sql, person, counter))
        return bool(rows)

    async def use_recovery_code(self, person: int, digest: bytes) -> bool:
        sql = "DELETE FROM recovery_code WHERE person = ? AND digest = ? RETURNING person"
        rows: list[Any] = await self._database.write(done(sql, person, digest))
        return bool(rows)

    async def recovery_codes_left(self, person: int) -> int:
        ((number,),) = await self._database.read("SELECT count(*) FROM recovery_code WHERE person = ?", person)
        return int(number)


def token_of(row: tuple[Any, ...]) -> Token:
    token = Token._make(row)
    return token._replace(scopes=tuple(json.loads(row[3])))


# -- the transactions ------------------------------------------------------------------------------------------------
def done(sql: str, *parameters: Any, changes: Sequence[Change] = ()) -> Statements[Told]:
    """One statement; its changes are logged if it found something to change."""
    told = Told((yield sql, parameters))
    if told.value:
        told.witness = yield from log(changes)
    return told


def keeping_link(digest: bytes, link: Link, changes: Sequence[Change] = ()) -> Statements[Told]:
    """It takes the place of an older one of its purpose."""
    yield "DELETE FROM link WHERE person = ? AND purpose = ?", (link.person, link.purpose)
    yield "INSERT INTO link(digest, person, purpose, expires_at) VALUES (?, ?, ?, ?)", (digest, *link)
    told = yield from logged(changes)
    told.witness = "SELECT 1 FROM link WHERE digest = ?", (digest,)
    return told


def redeemed(
    digest: bytes, now: int, password_hash: str, name: str | None, changes: Sequence[Change]
) -> Statements[Told]:
    rows = yield "DELETE FROM link WHERE digest = ? AND expires_at > ? RETURNING person", (digest, now)
    if not rows:
        return Told(False)
    if name is not None:
        yield "UPDATE person SET name = ? WHERE id = ?", (name, rows[0][0])
    told = yield from with_password(rows[0][0], password_hash, 0, changes)
    told.value = True
    return told


def with_password(person: int, password_hash: str, keep_session: int, changes: Sequence[Change]) -> Statements[Told]:
    yield "UPDATE person SET password_hash = ? WHERE id = ?", (password_hash, person)
    yield "DELETE FROM session WHERE person = ? AND id <> ?", (person, keep_session)
    yield "DELETE FROM link WHERE person = ?", (person,)
    told = yield from logged(changes)
    told.witness = "SELECT 1 FROM person WHERE id = ? AND password_hash = ?", (person, password_hash)
    return told


def with_codes(
    person: int, secret: str | None, counter: int, recovery: Sequence[bytes], changes: Sequence[Change]
) -> Statements[Told]:
    yield "UPDATE person SET otp_secret = ?, otp_counter = ? WHERE id = ?", (secret, counter, person)
    yield "DELETE FROM recovery_code WHERE person = ?", (person,)
    for digest in recovery:
        yield "INSERT INTO recovery_code(person, digest) VALUES (?, ?)", (person, digest)
    return (yield from logged(changes))


def opened(
    digest: bytes, person: int, origin: str, agent: str, now: int, born_after: int, seen_after: int
) -> Statements[Told]:
    yield "DELETE FROM session WHERE created_at < ? OR seen_at < ?", (born_after, seen_after)
    yield (
        "INSERT INTO session(digest, person, origin, agent, created_at, seen_at) VALUES (?, ?, ?, ?, ?, ?)",
        (digest, person, origin, agent, now, now),
    )
    yield (
        "DELETE FROM session WHERE person = ?1 AND id <="
        " (SELECT id FROM session WHERE person = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        (person, MOST_SESSIONS),
    )
    told = Told()
    told.witness = "SELECT 1 FROM session WHERE digest = ?", (digest,)
    return told


def added_token(
    digest: bytes, person: int, name: str, scopes: Sequence[str], at: int, changes: Sequence[Change]
) -> Statements[Told]:
    rows = yield (
        "INSERT INTO token(digest, person, name, scopes, created_at) VALUES (?, ?, ?, ?, ?) RETURNING id",
        (digest, person, name, json.dumps(list(scopes)), at),
    )
    told = yield from logged(changes)
    told.value = Token(rows[0][0], person, name, tuple(scopes), at, None)
    told.witness = "SELECT 1 FROM token WHERE digest = ?", (digest,)
    return told
