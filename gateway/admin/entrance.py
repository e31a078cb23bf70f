"""How people come in: by password and code, by a one-time link, with a session or with a token.

Invariant: whether a person exists cannot be learnt here. A login that is refused costs one hash and reads the same
whatever was wrong; asking for a reset reads the same for everybody. A session has a new secret at every login.
"""

import asyncio
import hmac
import ipaddress
import secrets
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import NamedTuple

import structlog

from acl.brake import Brake
from acl.password import DUMMY_HASH
from gateway.hashing import hashed, matches
from store.office.credentials import Link, Session
from store.office.people import Person

from .actor import Actor, actor_of
from .faults import Invalid, NotFound, Unauthenticated, Wrong
from .gate import Gate
from .office import Office
from .persons import known_of
from .proofs import counter_of, digest_of, recovery_digest, secret, weakness

log = structlog.get_logger()
IDLE_MS, LIFE_MS = 2 * 3_600_000, 24 * 3_600_000
"""A session ends so long after it was last seen, and so long after it began."""
TICKET_MS = 5 * 60_000
"""How long the code may take after the password."""
SEEN_EVERY_MS = 60_000
LIFETIMES_MS = {"invitation": 7 * 86_400_000, "reset": 3_600_000}
REFUSED = "The e-mail address or the password is wrong."
CODE_REFUSED = "This code is not right. A code is good for half a minute and can be used once."
NO_LINK = "this link was used already, was replaced by a newer one, or has expired"
MOST = 254  # characters of what is typed to log in


class Entry(NamedTuple):
    """`secret` opens the session; without it, `ticket` stands for the password while the code is asked for."""

    person: Person
    secret: str | None = None
    ticket: str | None = None


class Visitor(NamedTuple):
    """Who came with a session."""

    person: Person
    session: Session


class Entrance:
    def __init__(
        self,
        office: Office,
        clock: Callable[[], float],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`clock` is monotonic."""
        self._office, self._store = office, office.store
        self._passwords = Gate(Brake(), clock, pause)
        # a million codes, three of them right: one guess in ten seconds finds one in years
        self._codes = Gate(Brake(failures=5, interval=10.0, queue=1, fade=600.0), clock, pause)
        self._resets = Brake(failures=3, interval=60.0, queue=0, fade=1200.0)
        self._clock = clock
        self._key = secrets.token_bytes(32)

    # -- with a password -------------------------------------------------------------------------------------------
    async def log_in(self, email: str, password: str, peer: str, agent: str = "") -> Entry:
        email = typed(email).casefold()
        person = await self._passwords.check(
            (("login", email, neighbourhood(peer)), ("peer", neighbourhood(peer))),
            lambda: self._with_password(email, password),
        )
        if person is None:
            log.warning("login refused", peer=peer)
            raise Unauthenticated(REFUSED)
        if person.otp_secret is not None:
            return Entry(person, ticket=self._ticket(person))
        return Entry(person, await self._open(person, peer, agent))

    async def _with_password(self, email: str, password: str) -> Person | None:
        """One hash, whoever asks."""
        person = await self._store.people.with_email(email)
        stored = None if person is None or not person.enabled else person.password_hash
        right = await matches(stored or DUMMY_HASH, password)
        return person if right and stored else None

    async def proven(self, person: Person, password: str, peer: str) -> None:
        """Somebody who is logged in says the password again. Unauthenticated if it is another."""
        email = person.email.casefold()
        found = await self._passwords.check(
            (("login", email, neighbourhood(peer)), ("peer", neighbourhood(peer))),
            lambda: self._with_password(email, password),
        )
        if found is None:
            raise Invalid(Wrong("current_password", "is not your password"))

    # -- with a code -----------------------------------------------------------------------------------------------
    async def enter_code(self, ticket: str, code: str, peer: str, agent: str = "") -> Entry:
        """The second half of a login: a code of the telephone, or a recovery code."""
        person = await self._of_ticket(ticket)
        if not await self._codes.check([("code", person.id)], lambda: self._counts(person, code)):
            log.warning("code refused", peer=peer, person=person.id)
            raise Invalid(Wrong("code", CODE_REFUSED))
        return Entry(person, await self._open(person, peer, agent))

    async def _counts(self, person: Person, code: str) -> bool | None:
        counter = counter_of(person.otp_secret or "", code, self._office.wall_ms() / 1000)
        if counter is not None:
            return await self._store.credentials.count_code(person.id, counter) or None
        return await self._store.credentials.use_recovery_code(person.id, recovery_digest(code)) or None

    def _ticket(self, person: Person) -> str:
        """The password was right: signed, so that nothing has to be kept. It dies with the password."""
        said = f"{person.id}.{self._office.wall_ms() + TICKET_MS}"
        return f"{said}.{self._signature(said, person)}"

    def _signature(self, said: str, person: Person) -> str:
        return blake2b(f"{said}.{person.password_hash}".encode(), key=self._key, digest_size=32).hexdigest()

    async def _of_ticket(self, ticket: str) -> Person:
        said, _, signature = ticket.rpartition(".")
        id_, _, until = said.partition(".")
        late = Unauthenticated("that took too long; log in again")
        if not (id_.isascii() and id_.isdecimal() and until.isascii() and until.isdecimal()) or len(ticket) > MOST:
            raise late
        person = await self._store.people.find(int(id_))
        if person is None or not person.enabled or person.otp_secret is None:
            raise late
        right = hmac.compare_digest(self._signature(said, person).encode(), signature.encode("utf-8", "replace"))
        if not right or int(until) < self._office.wall_ms():
            raise late
        return person

    # -- sessions --------------------------------------------------------------------------------------------------
    async def _open(self, person: Person, peer: str, agent: str) -> str:
        made, now = secret(), self._office.wall_ms()
        await self._store.credentials.open_session(
            made.digest, person.id, peer, agent[:MOST], now, now - LIFE_MS, now - IDLE_MS
        )
        log.info("logged in", person=person.id, peer=peer)
        return made.text

    async def visitor(self, text: str) -> Visitor | None:
        """Whose session this is, if it has not ended."""
        session, now = await self._store.credentials.session(digest_of(text)), self._office.wall_ms()
        if session is None or now - session.created_at > LIFE_MS or now - session.seen_at > IDLE_MS:
            return None
        person = await self._store.people.find(session.person)
        if person is None or not person.enabled:
            return None
        if now - session.seen_at > SEEN_EVERY_MS:
            await self._store.credentials.seen(session.id, now)
        return Visitor(person, session)

    async def leave(self, text: str) -> None:
        session = await self._store.credentials.session(digest_of(text))
        if session is not None:
            await self._store.credentials.end_session(session.person, session.id)

    # -- with a token ----------------------------------------------------------------------------------------------
    async def bearer(self, text: str, peer: str) -> Actor | None:
        token, now = await self._store.credentials.token(digest_of(text)), self._office.wall_ms()
        person = None if token is None else await self._store.people.find(token.person)
        if token is None or person is None or not person.enabled:
            return None
        if token.used_at is None or now - token.used_at > SEEN_EVERY_MS:
            await self._store.credentials.used(token.id, now)
        return actor_of(person, peer, "api").with_scopes(token.scopes)

    # -- with a link -----------------------------------------------------------------------------------------------
    async def invited(self, text: str, purpose: str) -> Person:
        """Whose link this is. NotFound if it opens nothing any more."""
        link = await self._store.credentials.link(digest_of(text))
        person = None if link is None else await self._store.people.find(link.person)
        if link is None or link.purpose != purpose or link.expires_at <= self._office.wall_ms():
            raise NotFound(NO_LINK)
        if person is None or not person.enabled:
            raise NotFound(NO_LINK)
        return person

    async def take_up(self, text: str, purpose: str, password: str, peer: str, name: str | None = None) -> Person:
        """The link is used up, the password set, and every session of before is over."""
        person = await self.invited(text, purpose)
        if wrong := weakness(password, known_of(person)):
            raise Invalid(*wrong)
        digest, now = await hashed(password), self._office.wall_ms()
        change = actor_of(person, peer, "panel").change(now, "person", "password", new=None)
        if not await self._store.credentials.redeem(digest_of(text), now, digest, name, [change]):
            raise NotFound(NO_LINK)
        return person

    async def forgot(self, email: str, peer: str) -> None:
        """A letter with a link, if that is somebody's address. Whether it is, nobody learns from here."""
        person = await self._store.people.with_email(typed(email))
        if person is None or not person.enabled or person.password_hash is None or self._office.mail is None:
            log.info("reset not sent", peer=peer)
            return
        if self._resets.braked(person.id, self._clock()):  # nobody's mailbox is filled from here
            log.warning("reset not sent: asked for too often", peer=peer, person=person.id)
            return
        self._resets.failed(person.id, self._clock())
        await self._office.mail.reset(person)


def typed(email: str) -> str:
    """What can be looked up, whatever was sent."""
    return email.strip()[:MOST].encode("utf-8", "replace").decode()


def neighbourhood(peer: str) -> str:
    """Whoever has one address of an IPv6 network has them all."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return peer
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else peer


def new_link(person: Person, purpose: str, now: int) -> tuple[str, bytes, Link]:
    """-> the secret of a one-time link, its digest, and what is kept with that."""
    made = secret()
    return made.text, made.digest, Link(person.id, purpose, now + LIFETIMES_MS[purpose])
