"""What people do about themselves: their name and language, password, one-time codes, tokens and sessions.

Invariant: whatever opens a door (password, codes, e-mail address) is changed only by who says the present password
again. A secret is shown once, when it is made. An actor that is no person has nothing of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.hashing import hashed
from store.office.changes import Change
from store.office.people import Person
from store.protocol import Conflict as Taken

from . import persons, proofs, tokens
from .actor import Actor
from .entrance import Entrance
from .faults import Conflict, Invalid, NotFound, Wrong
from .office import Office
from .shapes import Shape, moment

PROFILE = frozenset({"name", "language", "time_zone"})


class Own:
    def __init__(self, office: Office, actor: Actor, entrance: Entrance) -> None:
        self._office, self._actor, self._entrance = office, actor, entrance
        self._people, self._credentials = office.store.people, office.store.credentials

    async def show(self) -> Shape:
        person = await self._person()
        names = {row.id: row.name for row in await self._office.seen(self._actor)}
        return {
            **persons.shape(person, names),
            "rights": sorted(self._actor.rights),
            "recovery_codes_left": await self._credentials.recovery_codes_left(person.id),
        }

    async def change(self, fields: Mapping[str, Any]) -> Shape:
        person = await self._person()
        taken, wrong = persons.read(fields, PROFILE)
        if wrong:
            raise Invalid(*wrong)
        old = {field: getattr(person, field) for field in taken}
        await self._people.change(person.id, taken, None, [self._change(old, taken)] if old != taken else [])
        return await self.show()

    async def change_email(self, email: str, current_password: str) -> Shape:
        person = await self._person()
        taken, wrong = persons.read({"email": email}, frozenset({"email"}))
        if wrong:
            raise Invalid(*wrong)
        await self._entrance.proven(person, current_password, self._actor.origin)
        try:
            await self._people.change(person.id, taken, None, [self._change({"email": person.email}, taken)])
        except Taken:
            raise Conflict("another person has this e-mail address") from None
        return await self.show()

    # -- password --------------------------------------------------------------------------------------------------
    async def change_password(self, current_password: str, password: str, keep_session: int = 0) -> None:
        """Every other session ends, and every link is worthless."""
        person = await self._person()
        if wrong := proofs.weakness(password, persons.known_of(person)):
            raise Invalid(*wrong)
        await self._entrance.proven(person, current_password, self._actor.origin)
        digest = await hashed(password)
        await self._credentials.set_password(person.id, digest, keep_session, [self._change(None, {"password": "new"})])

    # -- one-time codes --------------------------------------------------------------------------------------------
    async def begin_codes(self, begun: str = "") -> Shape:
        """A secret for the telephone: a new one, or the one that was `begun` with. Nothing is asked for until a code
        proves that it arrived there."""
        person, made = await self._person(), begun if proofs.is_otp_secret(begun) else proofs.otp_secret()
        uri = proofs.otp_uri(made, person.email)
        return {"secret": made, "uri": uri, "picture": proofs.otp_picture(uri)}

    async def confirm_codes(self, secret: str, code: str, current_password: str) -> Shape:
        """-> recovery codes, this once."""
        person = await self._person()
        if not proofs.is_otp_secret(secret):
            raise Invalid(Wrong("secret", "is not one that was made here; begin again"))
        counter = proofs.counter_of(secret, code, self._office.wall_ms() / 1000)
        if counter is None:
            raise Invalid(Wrong("code", "is not the code of this secret; look whether the telephone's clock is right"))
        await self._entrance.proven(person, current_password, self._actor.origin)
        codes = proofs.recovery_codes()
        change = self._change({"one_time_codes": person.otp_secret is not None}, {"one_time_codes": True})
        await self._credentials.set_codes(person.id, secret, counter, [each.digest for each in codes], [change])
        return {"recovery_codes": [each.text for each in codes]}

    async def end_codes(self, current_password: str) -> None:
        person = await self._person()
        await self._entrance.proven(person, current_password, self._actor.origin)
        change = self._change({"one_time_codes": True}, {"one_time_codes": False})
        await self._credentials.set_codes(person.id, None, 0, (), [change] if person.otp_secret else [])

    # -- sessions --------------------------------------------------------------------------------------------------
    async def sessions(self, present: int = 0) -> list[Shape]:
        person = await self._person()
        return [
            {
                "id": each.id,
                "origin": each.origin,
                "agent": each.agent,
                "created_at": moment(each.created_at),
                "seen_at": moment(each.seen_at),
                "this": each.id == present,
            }
            for each in await self._credentials.sessions(person.id)
        ]

    async def end_session(self, id_: int) -> None:
        if not await self._credentials.end_session((await self._person()).id, id_):
            raise NotFound(f"there is no session {id_}")

    # -- tokens ----------------------------------------------------------------------------------------------------
    async def tokens(self) -> list[Shape]:
        return await tokens.all_of(self._office, await self._person())

    async def add_token(self, name: str, scopes: Sequence[str]) -> Shape:
        return await tokens.add(self._office, self._actor, await self._person(), name, scopes)

    async def revoke_token(self, id_: int) -> None:
        await tokens.revoke(self._office, self._actor, await self._person(), id_)

    # -- what they share -------------------------------------------------------------------------------------------
    async def _person(self) -> Person:
        person = None if self._actor.person is None else await self._people.find(self._actor.person)
        if person is None:
            raise NotFound(f"{self._actor.name} is nobody's login")
        return person

    def _change(self, old: Any, new: Any) -> Change:
        return self._actor.change(self._office.wall_ms(), "person", self._actor.name, old, new)
