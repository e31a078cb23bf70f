"""What the clock does about history: enters what was sent into the index, and erases what is old enough.

Invariant: nothing here is on a message's road. It goes in small bites with pauses between them, longer ones while
clients wait for the store, and begins again where it stopped. What is erased has ended and owes no receipt.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from acl.settings import InvalidSettings, Settings
from pdu.bodies import SUBMIT_SM_BODY, SubmitSm, digits_of
from pdu.faults import Malformed
from store.office.history import BITE
from store.protocol import AccountRow, Store, StoreError

from .ids import id_at

log = structlog.get_logger()
IDLE, BREATH, GIVE_WAY = 1.0, 0.02, 0.1
"""Seconds to the next look; between two bites; and between two bites while clients wait for the store."""
DAY_MS = 86_400_000
ERASE_EVERY = 60.0  # seconds


def addresses(body: bytes) -> tuple[str, str]:
    """Sender and recipient of a stored message; empty for what cannot be read or was erased."""
    try:
        submit: SubmitSm = SUBMIT_SM_BODY.decode(body, 0, 0, len(body))
    except Malformed:
        return "", ""
    return digits_of(submit.source).decode("latin-1"), digits_of(submit.destination).decode("latin-1")


class Archive:
    def __init__(self, store: Store, wall: Callable[[], float]) -> None:
        self._store, self._wall = store, wall

    async def catch_up(self) -> None:
        """All that is there now, in bites."""
        more = True
        while more:
            more = await self._store.history.enter(addresses)
            await self._breathe()

    async def erase(self) -> int:
        """What is older than its account keeps texts, sent and received. -> how many messages."""
        erased = 0
        for row in await self._store.accounts():
            if days := retention(row):
                below = id_at(int(self._wall() * 1000) - days * DAY_MS)
                erased += await self._erase_sent(row.id, below) + await self._erase_received(row.id, below)
        return erased

    async def _erase_sent(self, account: int, below: int) -> int:
        erased = 0
        while old := await self._store.history.old(account, below):
            done = await self._store.history.erase(account, [message.id for message in old])
            erased += done
            if not done:  # the others owe a receipt still
                break
            await self._breathe()
        return erased

    async def _erase_received(self, account: int, below: int) -> int:
        erased = 0
        while old := await self._store.history.received(account, last=below - 1, limit=BITE):
            done = await self._store.history.erase_received(account, [each.id for each in old if not each.owed])
            erased += done
            if not done:  # no client has taken the others
                break
            await self._breathe()
        return erased

    async def _breathe(self) -> None:
        await asyncio.sleep(GIVE_WAY if self._store.awaited else BREATH)

    async def forever(self) -> None:
        due = 0.0
        while True:
            try:
                await self.catch_up()
                if self._wall() >= due:
                    due = self._wall() + ERASE_EVERY
                    if number := await self.erase():
                        log.info("old texts erased", messages=number)
            except StoreError as fault:
                log.warning("history not looked after", reason=str(fault))
            except Exception as fault:  # one fault must not stop what comes later
                log.exception("history not looked after", reason=repr(fault))
            await asyncio.sleep(IDLE)


def retention(row: AccountRow) -> int:
    try:
        return Settings.of(row.settings).text_retention
    except InvalidSettings:
        return 0


@asynccontextmanager
async def open_archive(archive: Archive) -> AsyncIterator[None]:
    """Looks after history until it is left."""
    task = asyncio.create_task(archive.forever(), name="archive")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
