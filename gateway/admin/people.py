"""People as an operator looks after them: added, invited, given accounts, switched off, removed.

Invariant: one operator who can log in always remains. A link is shown only where no mail server could carry it, or to
whoever sits at this machine.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from store.office.people import Person
from store.protocol import Conflict as Taken

from . import persons, tokens
from .actor import Actor
from .entrance import new_link
from .faults import Conflict, Forbidden, Invalid, NotFound, Wrong
from .office import Office, full_name
from .shapes import Shape, moment

FIELDS = frozenset(persons.READERS)
LAST = "this is the only operator who can log in; make another one first"


class People:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor = office, actor
        self._people, self._credentials = office.store.people, office.store.credentials

    async def all(self) -> list[Shape]:
        names = await self._names()
        return [persons.shape(person, names) for person in await self._people.all()]

    async def show(self, id_: int) -> Shape:
        return persons.shape(await self._find(id_), await self._names())

    async def add(self, fields: Mapping[str, Any], *, shown: bool = False) -> Shape:
        """-> the person, and how the invitation went: `sent_to` an address, or a `link` to hand over (see `invite`)."""
        self._may_show(shown)
        taken, accounts, wrong = await self._read(fields, FIELDS - {"enabled"})
        if "email" not in fields:
            wrong.append(Wrong("email", "is missing"))
        if wrong:
            raise Invalid(*wrong)
        new, at = {**persons.NEW, **taken}, self._office.wall_ms()
        change = self._actor.change(at, "person", new["email"], new=self._told(new, accounts or {}))
        try:
            person = await self._people.add(new, list(accounts or {}), at, [change])
        except Taken as taken_already:
            raise Conflict(str(taken_already)) from None
        return {**persons.shape(person, await self._names()), **await self.invite(person.id, shown=shown)}

    async def change(self, id_: int, fields: Mapping[str, Any]) -> Shape:
        async with self._office.changing:
            person = await self._find(id_)
            taken, accounts, wrong = await self._read(fields, FIELDS)
            if wrong:
                raise Invalid(*wrong)
            if not taken.get("enabled", True) or not taken.get("operator", True) or taken.get("read_only", False):
                await self._not_the_last(person)
            names = await self._names()
            owned = {account: names.get(account, "") for account in person.accounts}
            old = {field: getattr(person, field) for field in taken}
            old, new = self._told(old, None if accounts is None else owned), self._told(taken, accounts)
            change = self._actor.change(self._office.wall_ms(), "person", person.email, old, new)
            try:
                person = await self._people.change(
                    id_, taken, None if accounts is None else list(accounts), [change] if old != new else []
                )
            except Taken as taken_already:
                raise Conflict(str(taken_already)) from None
            return persons.shape(person, names)

    async def remove(self, id_: int) -> None:
        async with self._office.changing:
            person = await self._find(id_)
            await self._not_the_last(person)
            at, old = self._office.wall_ms(), self._told({"name": person.name, "operator": person.operator}, None)
            await self._people.remove(id_, [self._actor.change(at, "person", person.email, old)])

    async def invite(self, id_: int, *, shown: bool = False) -> Shape:
        """A one-time link to choose a password with. It makes older ones worthless. `shown`: here, not by mail."""
        person = await self._find(id_)
        if not person.enabled:
            raise Conflict(f"{person.email} is switched off; switch it on first")
        self._may_show(shown)
        if self._office.mail is not None and not shown:
            await self._office.mail.invite(person)
            return {"sent_to": person.email}
        text, digest, link = new_link(person, "invitation", self._office.wall_ms())
        change = self._actor.change(self._office.wall_ms(), "person", person.email, new={"invited": True})
        await self._credentials.keep_link(digest, link, [change])
        return {"link": f"{self._office.url}/invitation/{text}", "expires_at": moment(link.expires_at)}

    async def forget_codes(self, id_: int) -> Shape:
        """For who lost the telephone and the recovery codes: from now on the password is enough."""
        person = await self._find(id_)
        change = self._actor.change(
            self._office.wall_ms(), "person", person.email, {"one_time_codes": True}, {"one_time_codes": False}
        )
        await self._credentials.set_codes(id_, None, 0, (), [change] if person.otp_secret else [])
        return await self.show(id_)

    # -- tokens ----------------------------------------------------------------------------------------------------
    async def tokens(self, id_: int) -> list[Shape]:
        return await tokens.all_of(self._office, await self._find(id_))

    async def add_token(self, id_: int, name: str, scopes: Sequence[str]) -> Shape:
        return await tokens.add(self._office, self._actor, await self._find(id_), name, scopes)

    async def revoke_token(self, id_: int, token: int) -> None:
        await tokens.revoke(self._office, self._actor, await self._find(id_), token)

    def _may_show(self, shown: bool) -> None:
        if shown and self._actor.via != "cli":
            raise Forbidden("a link is shown on the gateway's own machine only; elsewhere it is mailed")

    # -- what they share -------------------------------------------------------------------------------------------
    async def _find(self, id_: int) -> Person:
        person = await self._people.find(id_)
        if person is None:
            raise NotFound(f"there is no person {id_}")
        return person

    async def _read(
        self, fields: Mapping[str, Any], allowed: frozenset[str]
    ) -> tuple[dict[str, Any], dict[int, str] | None, list[Wrong]]:
        """-> what can be taken, the accounts by their ids if they were named, and what is wrong."""
        taken, wrong = persons.read({key: fields[key] for key in fields if key != "accounts"}, allowed | {"accounts"})
        if "accounts" not in fields:
            return taken, None, wrong
        wanted, ids = fields["accounts"], {name: id_ for id_, name in (await self._names()).items()}
        if not isinstance(wanted, list) or not all(isinstance(name, str) for name in wanted):
            return taken, None, [*wrong, Wrong("accounts", "is a list of names of accounts")]
        names = [full_name(name) for name in wanted]
        wrong += [Wrong("accounts", f"there is no account {name:.70}") for name in names if name not in ids]
        return taken, {ids[name]: name for name in names if name in ids}, wrong

    async def _names(self) -> dict[int, str]:
        return {row.id: row.name for row in await self._office.store.accounts()}

    async def _not_the_last(self, person: Person) -> None:
        able = [one.id for one in await self._people.all() if can_operate(one)]
        if able == [person.id]:
            raise Conflict(LAST)

    def _told(self, fields: Mapping[str, Any], accounts: Mapping[int, str] | None) -> dict[str, Any]:
        return {**fields, **({} if accounts is None else {"accounts": sorted(accounts.values())})}


def can_operate(person: Person) -> bool:
    return person.operator and not person.read_only and person.enabled and person.password_hash is not None
