"""Carries letters to the mail server, one after the other, and again later when that did not work.

Invariant: what a letter carries is made for one attempt and takes effect only when the mail server has said 250, in the
transaction that notes it; a crash in between leaves the old password valid, and another letter with another one goes
out. A password or a link is never logged.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from random import SystemRandom
from typing import NamedTuple

import aiosmtplib
import structlog

from acl.money import as_credits
from acl.password import generate
from gateway.admin.contact import Contact, contact_of
from gateway.admin.entrance import new_link
from gateway.admin.live import Live
from gateway.hashing import hashed
from gateway.metrics import Meter
from store.office.changes import Change
from store.office.outbox import Effect, Letter, NewHash, NewLink
from store.protocol import AccountRow, Store, StoreError

from .handover import Carry, Undeliverable, told
from .letters import INVITATION, PASSWORD, RESET, message

log = structlog.get_logger()
EVERY = 5.0  # seconds between two looks, if nobody wakes the postman
PAUSES_MS = (15_000, 60_000, 300_000, 900_000)  # until the second, third … attempt; from then on hourly
HOURLY_MS = 3_600_000
MOST_TRIES = 30  # more than a day
LEAVING = 5.0  # seconds an attempt under way may still take when the gateway stops

class Attempt(NamedTuple):
    """What one attempt carries, and whom it is about."""

    contact: Contact
    facts: Mapping[str, object]
    secret: str = ""
    effect: Effect = None
    account: AccountRow | None = None


class Postman:
    """`url` is where the panel is found, for links."""

    def __init__(
        self,
        store: Store,
        live: Live,
        carry: Carry,
        sender: str,
        url: str,
        wall: Callable[[], float],
        meter: Meter | None = None,
    ) -> None:
        self._store, self._live, self._carry, self._sender = store, live, carry, sender
        self._url, self._wall, self._meter = url, wall, meter or Meter(list)
        self._awake, self._leaving = asyncio.Event(), False

    def wake(self) -> None:
        """There is something to carry."""
        self._awake.set()

    def leave(self) -> None:
        """Finish the attempt under way, and begin no other."""
        self._leaving = True
        self._awake.set()

    async def turn(self) -> None:
        """Everything that is due, once."""
        await self._warn()
        for letter in await self._store.outbox.due(self._now()):
            if self._leaving:
                break
            await self.carry(letter)
        self._meter.letters_waiting = await self._store.outbox.waiting()

    async def forever(self) -> None:
        while not self._leaving:
            self._awake.clear()
            try:
                await self.turn()
            except StoreError as fault:
                log.warning("letters not looked after", reason=str(fault))
            except Exception as fault:  # one letter must not keep the others
                log.exception("letters not looked after", reason=repr(fault))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), EVERY)

    async def carry(self, letter: Letter) -> None:
        """One attempt."""
        try:
            attempt = await self._prepared(letter)
            at = datetime.fromtimestamp(self._wall(), UTC)
            contact = attempt.contact
            await self._carry(
                message(letter.kind, contact.language, attempt.facts, attempt.secret, self._sender, contact.email, at)
            )
        except (OSError, aiosmtplib.SMTPException) as fault:  # first: a certificate that is wrong is a ValueError, too
            await self._later(letter, told(fault))
        except (Undeliverable, ValueError) as fault:
            await self._given_up(letter, told(fault))
        else:
            await self._arrived(letter, attempt)

    async def _prepared(self, letter: Letter) -> Attempt:
        """What this letter is to say now. Undeliverable if there is nobody any more."""
        if letter.person is not None:
            return await self._for_person(letter)
        if letter.account is None:
            return Attempt(Contact(str(letter.facts.get("to", "")), "en"), letter.facts)
        row = next((row for row in await self._store.accounts() if row.id == letter.account), None)
        contact = None if row is None else await contact_of(self._store, row)
        if row is None or contact is None:
            raise Undeliverable("the account has no contact: neither an e-mail address nor an owner")
        facts = {"account": row.name, "system_id": row.system_id, **letter.facts}
        if letter.kind != PASSWORD:
            return Attempt(contact, facts)
        password = generate(SystemRandom())
        digest = await hashed(password)
        return Attempt(contact, facts, password, NewHash(row.id, digest), row)

    async def _for_person(self, letter: Letter) -> Attempt:
        person = await self._store.people.find(letter.person or 0)
        if person is None or not person.enabled:
            raise Undeliverable("this person is not there any more, or is switched off")
        contact = Contact(person.email, person.language)
        if letter.kind not in (INVITATION, RESET):
            return Attempt(contact, {"email": person.email, **letter.facts})
        text, digest, link = new_link(person, letter.kind, self._now())
        address = f"{self._url}/{letter.kind}/{text}"
        return Attempt(contact, {"email": person.email}, address, NewLink(digest, link))

    async def _later(self, letter: Letter, error: str) -> None:
        if letter.tries + 1 >= MOST_TRIES:
            await self._given_up(letter, error)
            return
        self._meter.letters["not_taken"] += 1
        log.warning("letter not taken", letter=letter.id, kind=letter.kind, tries=letter.tries + 1, reason=error)
        await self._store.outbox.postponed(letter.id, self._now() + pause(letter.tries), error)

    async def _given_up(self, letter: Letter, error: str) -> None:
        self._meter.letters["failed"] += 1
        log.warning("letter failed", letter=letter.id, kind=letter.kind, tries=letter.tries + 1, reason=error)
        await self._store.outbox.failed(letter.id, self._now(), error)

    async def _arrived(self, letter: Letter, attempt: Attempt) -> None:
        """250: what it carried is true from now on."""
        changes, row = [], attempt.account
        if row is not None:
            changes = [Change(self._now(), None, "gateway", "", "gateway", row.id, "account", "password")]
        try:
            taken = await self._store.outbox.sent(letter.id, self._now(), attempt.effect, changes)
        except StoreError as fault:  # what has left opens nothing; the next attempt makes another
            log.warning("letter taken, but not noted", letter=letter.id, kind=letter.kind, reason=str(fault))
            return
        self._meter.letters["sent"] += 1
        log.info("letter sent", letter=letter.id, kind=letter.kind, tries=letter.tries + 1)
        if taken and row is not None:
            await self._live.accounts.refresh()
            if letter.facts.get("drop_binds"):
                for bind in self._live.binds():
                    if bind["account"] == row.name:
                        self._live.kick(bind["id"])

    # -- credit that runs low --------------------------------------------------------------------------------------
    async def _warn(self) -> None:
        """Whoever came below the threshold since the last look, and whoever is above it again."""
        crossed = await self._store.outbox.crossed()
        if crossed:
            low = {
                each.account: {"balance": as_credits(each.balance), "threshold": as_credits(each.threshold)}
                for each in crossed
                if each.low
            }
            await self._store.outbox.warn(low, [each.account for each in crossed if not each.low], self._now())

    def _now(self) -> int:
        return int(self._wall() * 1000)


def pause(tries: int) -> int:
    return PAUSES_MS[tries] if tries < len(PAUSES_MS) else HOURLY_MS


@asynccontextmanager
async def open_postman(postman: Postman) -> AsyncIterator[None]:
    """Carries letters until it is left. An attempt under way may end; if it takes too long it is given up, and made
    again at the next start."""
    task = asyncio.create_task(postman.forever(), name="postman")
    try:
        yield
    finally:
        postman.leave()
        with suppress(TimeoutError):
            await asyncio.wait_for(task, LEAVING)
