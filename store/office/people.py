"""People: who they are, which accounts are theirs, and what proves them.

Invariant: an e-mail address belongs to one person, whatever its capitals. The accounts of a person are always set as a
whole. Knows no rights, only who is an operator and who may only look.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..group import Told
from ..protocol import Conflict, NotFound
from ..sql import Statements
from .changes import Change, log, logged
from .database import Database


class Person(NamedTuple):
    """password_hash is None until the invitation was taken up; otp_secret is None where no codes are asked for."""

    id: int
    email: str
    name: str
    operator: bool
    read_only: bool
    language: str
    time_zone: str
    password_hash: str | None
    otp_secret: str | None
    otp_counter: int
    enabled: bool
    created_at: int
    accounts: frozenset[int]


COLUMNS = ", ".join(Person._fields[:-1])
PERSON = (
    f"SELECT {COLUMNS},"  # noqa: S608 (names)
    " (SELECT json_group_array(account) FROM owner WHERE person = person.id) FROM person"
)
CHANGEABLE = frozenset(Person._fields) - {"id", "created_at", "accounts"}


class People:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Person]:
        return [person_of(row) for row in await self._database.read(f"{PERSON} ORDER BY id")]

    async def find(self, id_: int) -> Person | None:
        rows = await self._database.read(f"{PERSON} WHERE id = ?", id_)
        return person_of(rows[0]) if rows else None

    async def with_email(self, email: str) -> Person | None:
        rows = await self._database.read(f"{PERSON} WHERE email = ?", email)
        return person_of(rows[0]) if rows else None

    async def owners(self, account: int) -> list[Person]:
        """Of one account, those who were there first before the others."""
        where = "WHERE id IN (SELECT person FROM owner WHERE account = ?) ORDER BY id"
        return [person_of(row) for row in await self._database.read(f"{PERSON} {where}", account)]

    async def add(
        self, fields: Mapping[str, Any], accounts: Sequence[int], at: int, changes: Sequence[Change] = ()
    ) -> Person:
        """Conflict if the e-mail address is somebody's already."""
        person: Person = await self._database.write(add(fields, accounts, at, changes))
        return person

    async def change(
        self,
        id_: int,
        fields: Mapping[str, Any],
        accounts: Sequence[int] | None = None,
        changes: Sequence[Change] = (),
    ) -> Person:
        person: Person = await self._database.write(change(id_, fields, accounts, changes))
        return person

    async def remove(self, id_: int, changes: Sequence[Change] = ()) -> None:
        """With everything that proved them; what they changed stays in the log."""
        await self._database.write(removed(id_, changes))


def person_of(row: tuple[Any, ...]) -> Person:
    person = Person._make(row)
    return person._replace(
        operator=bool(person.operator),
        read_only=bool(person.read_only),
        enabled=bool(person.enabled),
        accounts=frozenset(json.loads(row[-1])),
    )


def read(id_: int) -> Statements[Person]:
    rows = yield f"{PERSON} WHERE id = ?", (id_,)
    if not rows:
        raise NotFound(f"there is no person {id_}")
    return person_of(rows[0])


def free(email: str, but: int = 0) -> Statements[None]:
    rows = yield "SELECT 1 FROM person WHERE email = ? AND id <> ?", (email, but)
    if rows:
        raise Conflict(f"{email} belongs to somebody already")


def add(fields: Mapping[str, Any], accounts: Sequence[int], at: int, changes: Sequence[Change]) -> Statements[Told]:
    yield from free(fields["email"])
    columns = {**fields, "created_at": at}
    marks = ", ".join("?" * len(columns))
    rows = yield (
        f"INSERT INTO person({', '.join(columns)}) VALUES ({marks}) RETURNING id",  # noqa: S608 (names)
        tuple(columns.values()),
    )
    yield from own(rows[0][0], accounts)
    told = Told((yield from read(rows[0][0])))
    yield from log(changes)
    told.witness = "SELECT 1 FROM person WHERE id = ? AND email = ?", (told.value.id, told.value.email)
    return told


def change(
    id_: int, fields: Mapping[str, Any], accounts: Sequence[int] | None, changes: Sequence[Change]
) -> Statements[Told]:
    yield from read(id_)
    if "email" in fields:
        yield from free(fields["email"], id_)
    for column in CHANGEABLE.intersection(fields):
        yield f"UPDATE person SET {column} = ? WHERE id = ?", (fields[column], id_)  # noqa: S608 (a name from above)
    if accounts is not None:
        yield from own(id_, accounts)
    if fields.get("enabled") is False:
        yield "DELETE FROM session WHERE person = ?", (id_,)
        yield "DELETE FROM link WHERE person = ?", (id_,)
    told = Told((yield from read(id_)))
    told.witness = yield from log(changes)
    return told


def own(person: int, accounts: Sequence[int]) -> Statements[None]:
    """These accounts and no others."""
    yield "DELETE FROM owner WHERE person = ?", (person,)
    for account in accounts:
        yield "INSERT INTO owner(person, account) VALUES (?, ?)", (person, account)


def removed(id_: int, changes: Sequence[Change]) -> Statements[Told]:
    yield from read(id_)
    for table in ("owner", "recovery_code", "link", "session", "token"):
        yield f"DELETE FROM {table} WHERE person = ?", (id_,)  # noqa: S608 (a name from above)
    yield "DELETE FROM person WHERE id = ?", (id_,)
    return (yield from logged(changes))
