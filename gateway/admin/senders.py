"""Senders as their owners register them and operators decide about them.

Invariant: a sender may be used exactly if the account's settings name it; whoever switches one on or off changes those
settings, in the commit that notes the decision. A document is what its octets are, whatever its name says.
"""

from collections.abc import Sequence
from typing import Any

from acl.senders import ANY, kind, sender
from acl.settings import InvalidSettings, Settings
from store.office.senders import Document, File, Sender
from store.protocol import AccountRow
from store.protocol import Conflict as Taken
from store.protocol import NotFound as Missing

from .accounts import accepted
from .actor import Actor
from .faults import Conflict, Forbidden, Invalid, NotFound, Wrong
from .office import Office
from .shapes import Shape, moment

LONGEST_DESCRIPTION, LONGEST_REASON, LONGEST_NAME = 40, 250, 100
LARGEST_DOCUMENT = 10_000_000
TYPES = ((b"%PDF-", "application/pdf"), (b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))
LETTER = "sender"  # the kind of letter that tells of a decision


class Senders:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor, self._senders = office, actor, office.store.senders

    # -- looking ---------------------------------------------------------------------------------------------------
    async def all(self, name: str) -> list[Shape]:
        """Registered ones, and those that an operator has allowed without; by name."""
        row = await self._office.named(self._actor, name)
        registered = {one.name: one for one in await self._senders.of_account(row.id)}
        return [shape(each, registered.get(each), row) for each in sorted(registered.keys() | set(allowed(row)))]

    async def show(self, name: str, sender_: str) -> Shape:
        row, spelling = await self._office.named(self._actor, name), spelt(sender_)
        found = await self._found(row, spelling)
        documents = await self._senders.documents(found.id) if found else []
        return {**shape(spelling, found, row), "documents": [document_shape(each) for each in documents]}

    async def waiting(self) -> list[Shape]:
        """What waits for a decision, of all accounts that the actor sees."""
        rows = {row.id: row for row in await self._office.seen(self._actor)}
        found = [one for one in await self._senders.waiting() if one.account in rows]
        return [{**shape(one.name, one, rows[one.account]), "account": rows[one.account].name} for one in found]

    # -- the owner -------------------------------------------------------------------------------------------------
    async def register(
        self, name: str, sender_: str, reason: str, description: str = "", files: Sequence[tuple[str, bytes]] = ()
    ) -> Shape:
        """It waits for an operator; nothing can be sent with it until then."""
        row = await self._office.named(self._actor, name)
        wrong = text_wrong("description", description, LONGEST_DESCRIPTION)
        wrong += text_wrong("reason", reason, LONGEST_REASON)
        if not reason.strip():
            wrong.append(Wrong("reason", "says what the sender is for and why it is yours"))
        try:
            spelling = sender(sender_)
            if spelling == ANY:
                raise ValueError("is one sender; that any may be used is for an operator to allow")
        except ValueError as why:
            wrong.append(Wrong("sender", str(why)))
        documents, faults = read_files(files)
        if wrong or faults:
            raise Invalid(*wrong, *faults)
        if spelling in allowed(row):
            raise Conflict(f"{spelling} is enabled already")
        at = self._office.wall_ms()
        change = self._actor.change(at, "sender", spelling, new={"state": "waiting", "reason": reason}, account=row.id)
        try:
            found = await self._senders.register(row.id, spelling, description, reason, at, documents, [change])
        except Taken as taken:
            raise Conflict(str(taken)) from None
        return shape(spelling, found, row)

    async def describe(self, name: str, sender_: str, description: str) -> Shape:
        row, spelling = await self._office.named(self._actor, name), spelt(sender_)
        found = await self._registered(row, spelling)
        if wrong := text_wrong("description", description, LONGEST_DESCRIPTION):
            raise Invalid(*wrong)
        change = self._actor.change(
            self._office.wall_ms(), "sender", spelling, found.description, description, account=row.id
        )
        await self._senders.describe(found.id, description, [change] if found.description != description else [])
        return await self.show(name, spelling)

    async def enable(self, name: str, sender_: str) -> Shape:
        """One that its owner has switched off. What an operator has taken away, an operator gives back."""
        return await self._decide(name, spelt(sender_), "approved", on=True, only="disabled")

    async def disable(self, name: str, sender_: str) -> Shape:
        row, spelling = await self._office.named(self._actor, name), spelt(sender_)
        if spelling not in allowed(row):
            raise Conflict(f"{spelling} is not enabled")
        if ANY in allowed(row):
            raise Conflict(f"{row.name} may send as anybody; an operator changes that first")
        return await self._decide(name, spelling, "disabled", on=False)

    async def remove(self, name: str, senders: Sequence[str]) -> int:
        """With their documents; what they were used for stays in the history. -> how many were there."""
        async with self._office.changing:
            row = await self._office.named(self._actor, name)
            registered = {one.name for one in await self._senders.of_account(row.id)}
            names = [one for one in dict.fromkeys(map(spelt, senders)) if one in registered or one in allowed(row)]
            settings = self._without(row, names)
            at = self._office.wall_ms()
            changes = [self._actor.change(at, "sender", one, {"state": "registered"}, None, row.id) for one in names]
            await self._senders.remove(row.id, names, settings, changes)
        await self._office.refreshed()
        return len(names)

    # -- an operator -----------------------------------------------------------------------------------------------
    async def approve(self, name: str, sender_: str, comment: str = "") -> Shape:
        """It may be used from now on."""
        return await self._judge(name, sender_, "approved", comment, on=True)

    async def refuse(self, name: str, sender_: str, comment: str) -> Shape:
        if not comment.strip():
            raise Invalid(Wrong("comment", "tells the owner why"))
        return await self._judge(name, sender_, "refused", comment, on=False)

    async def _judge(self, name: str, sender_: str, state: str, comment: str, *, on: bool) -> Shape:
        if wrong := text_wrong("comment", comment, LONGEST_REASON):
            raise Invalid(*wrong)
        spelling = spelt(sender_)
        row = await self._office.named(self._actor, name)
        await self._registered(row, spelling)
        decided = await self._decide(name, spelling, state, comment, on=on)
        if self._office.mail is not None:
            said = "enabled" if on else "refused"
            await self._office.mail.notify(LETTER, row.id, {"sender": spelling, "state": said, "comment": comment})
        return decided

    # -- documents -------------------------------------------------------------------------------------------------
    async def add_document(self, name: str, sender_: str, filename: str, octets: bytes) -> Shape:
        """PDF, JPEG or PNG."""
        return (await self.add_documents(name, sender_, [(filename, octets)]))[0]

    async def add_documents(self, name: str, sender_: str, files: Sequence[tuple[str, bytes]]) -> list[Shape]:
        """All of them, or none."""
        row, spelling = await self._office.named(self._actor, name), spelt(sender_)
        found = await self._registered(row, spelling)
        taken, wrong = read_files(files)
        if wrong:
            raise Invalid(*wrong)
        changes = [
            self._actor.change(self._office.wall_ms(), "sender", spelling, new={"document": one.name}, account=row.id)
            for one in taken
        ]
        try:
            documents = await self._senders.add_documents(found.id, taken, changes)
        except Taken as conflict:
            raise Conflict(str(conflict)) from None
        return [document_shape(each) for each in documents]

    async def document(self, name: str, sender_: str, id_: int) -> tuple[Shape, bytes]:
        row = await self._office.named(self._actor, name)
        found = await self._registered(row, spelt(sender_))
        try:
            document, octets = await self._senders.document(found.id, id_)
        except Missing as missing:
            raise NotFound(str(missing)) from None
        return document_shape(document), octets

    # -- what they share -------------------------------------------------------------------------------------------
    async def _found(self, row: AccountRow, spelling: str) -> Sender | None:
        found = await self._senders.find(row.id, spelling)
        if found is None and spelling not in allowed(row):
            raise NotFound(f"{row.name} has no sender {spelling}")
        return found

    async def _registered(self, row: AccountRow, spelling: str) -> Sender:
        found = await self._senders.find(row.id, spelling)
        if found is None:
            raise NotFound(f"{row.name} has not registered {spelling}")
        return found

    async def _decide(
        self, name: str, spelling: str, state: str, comment: str | None = None, *, on: bool, only: str = ""
    ) -> Shape:
        """Note it, and switch the sender on or off, in one commit. `only` if it is in that state; no comment leaves the
        one that is there."""
        async with self._office.changing:
            row = await self._office.named(self._actor, name)
            found = await self._found(row, spelling)
            if only and (found is None or found.state != only):
                raise Conflict(f"{spelling} is not {only}; an operator decides about it")
            if comment is None:
                comment = found.comment if found else ""
            settings = self._with(row, spelling) if on else self._without(row, [spelling])
            at = self._office.wall_ms()
            old, new = state_of(spelling, found, row), "enabled" if on else state
            change = self._actor.change(at, "sender", spelling, {"state": old}, {"state": new}, row.id)
            await self._senders.decide(row.id, spelling, state, comment, at, settings, [change])
        await self._office.refreshed()
        return await self.show(name, spelling)

    def _with(self, row: AccountRow, spelling: str) -> dict[str, Any] | None:
        senders = allowed(row)
        return None if spelling in senders else self._settings(row, [*senders, spelling])

    def _without(self, row: AccountRow, spellings: Sequence[str]) -> dict[str, Any] | None:
        senders = allowed(row)
        kept = [one for one in senders if one not in spellings]
        if len(kept) == len(senders):
            return None
        if ANY in spellings and not self._actor.operator:
            raise Forbidden("that any sender may be used is for an operator to change")
        return self._settings(row, kept)

    def _settings(self, row: AccountRow, senders: list[str]) -> dict[str, Any]:
        settings, faults = accepted(row.settings, {"senders": senders})
        if faults:  # the default sender must be one of them
            raise Conflict("; ".join(f"{each.field} {each.reason}" for each in faults))
        return settings


def allowed(row: AccountRow) -> list[str]:
    """What the settings let the account use."""
    try:
        return list(Settings.of(row.settings).senders)
    except InvalidSettings:
        return []


def spelt(text: str) -> str:
    """NotFound for what cannot be a sender: so it is none of this account's."""
    try:
        return sender(text)
    except ValueError:
        raise NotFound(f"there is no sender {text!r:.40}") from None


def text_wrong(field: str, text: str, longest: int) -> list[Wrong]:
    if len(text) > longest or not text.isprintable():
        return [Wrong(field, f"has at most {longest} characters, and no line ends among them")]
    return []


def read_files(files: Sequence[tuple[str, bytes]]) -> tuple[list[File], list[Wrong]]:
    """-> what can be kept, and what is wrong with the others."""
    taken, wrong = list[File](), list[Wrong]()
    for name, octets in files:
        type_ = type_of(octets)
        wrong += text_wrong("name", name, LONGEST_NAME)
        if type_ is None:
            wrong.append(Wrong("document", "is a PDF, JPEG or PNG file"))
        elif len(octets) > LARGEST_DOCUMENT:
            wrong.append(Wrong("document", f"has at most {LARGEST_DOCUMENT} octets"))
        else:
            taken.append(File(name, type_, octets))
    return taken, wrong


def type_of(octets: bytes) -> str | None:
    return next((type_ for magic, type_ in TYPES if octets.startswith(magic)), None)


def state_of(name: str, found: Sender | None, row: AccountRow) -> str:
    """waiting, enabled, disabled (by its owner) or refused, which is also what was approved and then taken away."""
    if name in allowed(row):
        return "enabled"
    return found.state if found is not None and found.state in ("waiting", "disabled") else "refused"


def shape(name: str, found: Sender | None, row: AccountRow) -> Shape:
    return {
        "sender": name,
        "type": "any" if name == ANY else kind(name),
        "state": state_of(name, found, row),
        "description": found.description if found else "",
        "reason": found.reason if found else "",
        "comment": found.comment if found else "",
        "at": moment(found.at) if found else None,
        "decided_at": moment(found.decided_at) if found else None,
        "registered": found is not None,
    }


def document_shape(document: Document) -> Shape:
    return {"id": document.id, "name": document.name, "type": document.type, "size": document.size}


