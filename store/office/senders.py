"""Senders as owners register them: asked for, decided about, with the documents that speak for them.

Invariant: what may be used on the wire stands in the account's settings and nowhere else; a decision and the settings
it makes commit together. Knows no rule of spelling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .. import accounts
from ..group import Told
from ..protocol import Conflict, NotFound
from ..sql import Statements
from .changes import Change, log, logged
from .database import Database

MOST = 200
"""Senders that an account may have registered."""
MOST_DOCUMENTS = 10
MOST_OCTETS = 500_000_000
"""Of the documents of one account."""


class Sender(NamedTuple):
    """`state`: waiting, approved, disabled (by its owner), refused. An approved one may be used if the account's
    settings name it; if they do not, an operator has taken it away."""

    id: int
    account: int
    name: str
    description: str
    reason: str
    state: str
    comment: str
    at: int
    decided_at: int | None


class Document(NamedTuple):
    id: int
    sender: int
    name: str
    type: str
    size: int


class File(NamedTuple):
    """A document that is handed in."""

    name: str
    type: str
    octets: bytes


COLUMNS = ", ".join(Sender._fields)
SENDER = f"SELECT {COLUMNS} FROM sender"  # noqa: S608 (names)
DOCUMENT = f"SELECT {', '.join(Document._fields)} FROM sender_document"  # noqa: S608 (names)


class Senders:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_account(self, account: int) -> list[Sender]:
        return await self._found("WHERE account = ? ORDER BY name", account)

    async def find(self, account: int, name: str) -> Sender | None:
        found = await self._found("WHERE account = ? AND name = ?", account, name)
        return found[0] if found else None

    async def waiting(self, limit: int = 200) -> list[Sender]:
        """Of all accounts, who waits longest first."""
        return await self._found("WHERE state = 'waiting' ORDER BY id LIMIT ?", limit)

    async def register(
        self,
        account: int,
        name: str,
        description: str,
        reason: str,
        at: int,
        files: Sequence[File] = (),
        changes: Sequence[Change] = (),
    ) -> Sender:
        """Also once more after a refusal. Conflict if it waits or its owner has it already, or there are too many."""
        sender: Sender = await self._database.write(registering(account, name, description, reason, at, files, changes))
        return sender

    async def describe(self, id_: int, description: str, changes: Sequence[Change] = ()) -> None:
        await self._database.write(describing(id_, description, changes))

    async def decide(
        self,
        account: int,
        name: str,
        state: str,
        comment: str,
        at: int,
        settings: Mapping[str, Any] | None,
        changes: Sequence[Change] = (),
    ) -> Sender:
        """With the account's settings as they are from now on, if they change. One that was never registered is noted
        as approved, so that it can be switched on again."""
        sender: Sender = await self._database.write(deciding(account, name, state, comment, at, settings, changes))
        return sender

    async def remove(
        self,
        account: int,
        names: Sequence[str],
        settings: Mapping[str, Any] | None,
        changes: Sequence[Change] = (),
    ) -> None:
        """With their documents."""
        await self._database.write(removing(account, names, settings, changes))

    # -- documents -------------------------------------------------------------------------------------------------
    async def documents(self, sender: int) -> list[Document]:
        return list(map(Document._make, await self._database.read(f"{DOCUMENT} WHERE sender = ? ORDER BY id", sender)))

    async def document(self, sender: int, id_: int) -> tuple[Document, bytes]:
        """NotFound."""
        rows = await self._database.read(
            f"SELECT {', '.join(Document._fields)}, octets FROM sender_document WHERE sender = ? AND id = ?",  # noqa: S608 (names)
            sender,
            id_,
        )
        if not rows:
            raise NotFound(f"there is no document {id_}")
        return Document._make(rows[0][:-1]), rows[0][-1]

    async def add_documents(
        self, sender: int, files: Sequence[File], changes: Sequence[Change] = ()
    ) -> list[Document]:
        """All of them or, if there is no room for so many, none: Conflict."""
        documents: list[Document] = await self._database.write(documenting(sender, files, changes))
        return documents

    async def _found(self, where: str, *parameters: Any) -> list[Sender]:
        return list(map(Sender._make, await self._database.read(f"{SENDER} {where}", *parameters)))


# -- the transactions --------------------------------------------------------------------------------------------------
def one(account: int, name: str) -> Statements[Sender]:
    rows = yield f"{SENDER} WHERE account = ? AND name = ?", (account, name)
    return Sender._make(rows[0])


def registering(
    account: int,
    name: str,
    description: str,
    reason: str,
    at: int,
    files: Sequence[File],
    changes: Sequence[Change],
) -> Statements[Told]:
    ((number, same),) = yield (
        "SELECT count(*), coalesce(sum(name = ? AND state IN ('waiting', 'disabled')), 0)"
        " FROM sender WHERE account = ?",
        (name, account),
    )
    if same:
        raise Conflict(f"{name} is registered already")
    if number >= MOST:
        raise Conflict(f"{number} senders are registered; remove one first")
    yield (
        "INSERT INTO sender(account, name, description, reason, state, at) VALUES (?, ?, ?, ?, 'waiting', ?)"
        " ON CONFLICT (account, name) DO UPDATE SET description = excluded.description, reason = excluded.reason,"
        " state = 'waiting', comment = '', at = excluded.at, decided_at = NULL",
        (account, name, description, reason, at),
    )
    sender = yield from one(account, name)
    yield from keep(sender.id, files)
    yield from log(changes)
    told = Told(sender)
    told.witness = "SELECT 1 FROM sender WHERE account = ? AND name = ? AND at = ?", (account, name, at)
    return told


def describing(id_: int, description: str, changes: Sequence[Change]) -> Statements[Told]:
    yield "UPDATE sender SET description = ? WHERE id = ?", (description, id_)
    return (yield from logged(changes))


def deciding(
    account: int,
    name: str,
    state: str,
    comment: str,
    at: int,
    settings: Mapping[str, Any] | None,
    changes: Sequence[Change],
) -> Statements[Told]:
    yield (
        "INSERT INTO sender(account, name, description, reason, state, comment, at, decided_at)"
        " VALUES (?1, ?2, '', '', ?3, ?4, ?5, ?5) ON CONFLICT (account, name) DO UPDATE"
        " SET state = excluded.state, comment = excluded.comment, decided_at = excluded.decided_at",
        (account, name, state, comment, at),
    )
    told = yield from set_up(account, settings, changes)
    told.value = yield from one(account, name)
    return told


def removing(
    account: int, names: Sequence[str], settings: Mapping[str, Any] | None, changes: Sequence[Change]
) -> Statements[Told]:
    for name in names:
        yield (
            "DELETE FROM sender_document WHERE sender IN (SELECT id FROM sender WHERE account = ? AND name = ?)",
            (account, name),
        )
        yield "DELETE FROM sender WHERE account = ? AND name = ?", (account, name)
    return (yield from set_up(account, settings, changes))


def set_up(account: int, settings: Mapping[str, Any] | None, changes: Sequence[Change]) -> Statements[Told]:
    """The settings, in the transaction that they follow from."""
    if settings is None:
        return (yield from logged(changes))
    return (yield from accounts.change(account, settings, None, None, None, None, changes))


def documenting(sender: int, files: Sequence[File], changes: Sequence[Change]) -> Statements[Told]:
    documents = yield from keep(sender, files)
    told = yield from logged(changes)
    told.value = documents
    if documents:
        told.witness = "SELECT 1 FROM sender_document WHERE id = ? AND sender = ?", (documents[-1].id, sender)
    return told


def keep(sender: int, files: Sequence[File]) -> Statements[list[Document]]:
    ((number,),) = yield "SELECT count(*) FROM sender_document WHERE sender = ?", (sender,)
    if number + len(files) > MOST_DOCUMENTS:
        raise Conflict(f"a sender has at most {MOST_DOCUMENTS} documents; {number} are there")
    ((octets,),) = yield (
        "SELECT coalesce(sum(size), 0) FROM sender_document WHERE sender IN (SELECT id FROM sender WHERE account ="
        " (SELECT account FROM sender WHERE id = ?))",
        (sender,),
    )
    if octets + sum([len(file.octets) for file in files]) > MOST_OCTETS:
        raise Conflict("the account's documents take too much room; remove senders that are not needed any more")
    documents = []
    for file in files:
        rows = yield (
            "INSERT INTO sender_document(sender, name, type, size, octets) VALUES (?, ?, ?, ?, ?) RETURNING id",
            (sender, file.name, file.type, len(file.octets), bytearray(file.octets)),
        )
        documents.append(Document(rows[0][0], sender, file.name, file.type, len(file.octets)))
    return documents
