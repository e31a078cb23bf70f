"""Letters as people deal with them: a new password asked for by mail, and what an operator sees of the outbox.

Invariant: nobody learns a password here; what is asked for is a letter, and what it says is made when it leaves.
"""

import asyncio

from store.office.outbox import Letter
from store.protocol import NotFound as Missing

from .actor import Actor
from .contact import contact_of
from .faults import Conflict, Invalid, NotFound, Unavailable, Wrong
from .office import Mail, Office
from .persons import email as email_of
from .shapes import Shape, account, moment

MOST = 200
NO_MAIL = "no mail server is configured"
MAILED = "there is a mail server, so the new password is mailed; it is not shown"
TOO_MANY = "there were too many such letters in the last hour; the next one can be asked for later"


class Letters:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor, self._outbox = office, actor, office.store.outbox

    # -- a new password --------------------------------------------------------------------------------------------
    async def prospects(self, name: str) -> Shape:
        """Who would be written to, and what stands in the way of a new password by mail, if something does."""
        row = await self._office.named(self._actor, name)
        contact, shown = await contact_of(self._office.store, row), account(row, None)
        latest = await self._outbox.latest("password", row.id)
        obstacle = None
        if self._office.mail is None:
            obstacle = NO_MAIL
        elif contact is None:
            obstacle = "the account has no contact e-mail address; enter one in its options first"
        elif shown["status"] != "SUCCESS" and not self._actor.operator:
            obstacle = "the account's status is not OK; what is missing stands beside the status"
        return {
            "account": row.name,
            "email": contact.email if contact else None,
            "obstacle": obstacle,
            "mail": self._office.mail is not None,
            "last": None if latest is None else shape(latest, {row.id: row.name}),
        }

    async def renew_password(self, name: str, drop_binds: bool = False) -> Shape:
        """The old password works until the mail server has taken the letter with the new one."""
        row = await self._office.named(self._actor, name)
        found = await self.prospects(name)
        if found["obstacle"] is not None:
            raise Conflict(found["obstacle"])
        change = self._actor.change(
            self._office.wall_ms(), "account", "password by mail", new={"drop_binds": drop_binds}, account=row.id
        )
        letter = await self._mail().password(row.id, drop_binds, [change])
        if letter is None:
            raise Conflict(TOO_MANY)
        return {"account": row.name, "email": found["email"], "letter": letter.id}

    def may_be_shown(self) -> None:
        """Conflict where there is a mail server: there a panel shows no password."""
        if self._office.mail is not None:
            raise Conflict(MAILED)

    # -- the outbox ------------------------------------------------------------------------------------------------
    async def newest(self, before: int | None = None, limit: int = 50) -> tuple[list[Shape], int | None]:
        """-> newest first, and the `before` of the next page."""
        limit = min(limit, MOST)
        found = await self._outbox.newest(before, limit + 1)
        names = {row.id: row.name for row in await self._office.store.accounts()}
        people = {person.id: person.email for person in await self._office.store.people.all()}
        shown = [shape(letter, names, people) for letter in found[:limit]]
        return shown, found[limit - 1].id if len(found) > limit else None

    async def counts(self) -> dict[str, int]:
        return await self._outbox.counts()

    async def retry(self, id_: int) -> Shape:
        """Now, also what was given up."""
        letter = await self._found(id_)
        if letter.state == "sent":
            raise Conflict(f"letter {id_} was sent already")
        at = self._office.wall_ms()
        await self._outbox.retry(id_, at, [self._actor.change(at, "letter", str(id_), letter.state, "waiting")])
        self._mail().wake()
        return await self._shown(id_)

    async def discard(self, id_: int) -> Shape:
        letter = await self._found(id_)
        if letter.state == "sent":
            raise Conflict(f"letter {id_} was sent already")
        at = self._office.wall_ms()
        await self._outbox.discard(id_, at, [self._actor.change(at, "letter", str(id_), letter.state, "discarded")])
        return await self._shown(id_)

    async def try_out(self, to: str) -> Shape:
        """A letter that only shows that mail works."""
        try:
            address = email_of(to)
        except ValueError as why:
            raise Invalid(Wrong("to", str(why))) from None
        letter = await self._mail().try_out(address)
        if letter is None:
            raise Conflict(TOO_MANY)
        return shape(letter, {})

    async def settled(self, id_: int, seconds: float, every: float = 0.1) -> Shape:
        """The letter once it was tried, or as it is after so many seconds."""
        for _ in range(int(seconds / every)):
            letter = await self._found(id_)
            if letter.tries or letter.state != "waiting":
                break
            await asyncio.sleep(every)
        return await self._shown(id_)

    # -- what they share -------------------------------------------------------------------------------------------
    def _mail(self) -> Mail:
        if self._office.mail is None:
            raise Unavailable(NO_MAIL)
        return self._office.mail

    async def _found(self, id_: int) -> Letter:
        try:
            return await self._outbox.find(id_)
        except Missing as missing:
            raise NotFound(str(missing)) from None

    async def _shown(self, id_: int) -> Shape:
        names = {row.id: row.name for row in await self._office.store.accounts()}
        people = {person.id: person.email for person in await self._office.store.people.all()}
        return shape(await self._found(id_), names, people)


def shape(letter: Letter, accounts: dict[int, str], people: dict[int, str] | None = None) -> Shape:
    return {
        "id": letter.id,
        "kind": letter.kind,
        "account": accounts.get(letter.account) if letter.account is not None else None,
        "person": (people or {}).get(letter.person) if letter.person is not None else None,
        "to": letter.facts.get("to"),
        "at": moment(letter.at),
        "state": letter.state,
        "tries": letter.tries,
        "next_try": moment(letter.next_try),
        "error": letter.error,
        "done_at": moment(letter.done_at),
    }
