"""What the clock does about history: enters what was sent into the index, and erases what is old enough.

Invariant: nothing here is on a message's road. It goes in bites with pauses between them, small ones while clients ask
for the store, and begins again where it stopped. What is erased has ended and owes no receipt.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from acl.settings import InvalidSettings, Settings
from pdu.bodies import DELIVER_SM_BODY, SUBMIT_SM_BODY, DeliverSm, SubmitSm, digits_of
from pdu.faults import Malformed
from store.office.history import History
from store.office.inbox import Inbox
from store.protocol import AccountRow, Store, StoreError

from .forgetting import Strip, without_numbers, without_text
from .ids import id_at

log = structlog.get_logger()
IDLE, BREATH, GIVE_WAY = 1.0, 0.02, 0.05
"""Seconds to the next look; between two bites; and between two bites while clients ask for the store."""
LATELY = 0.1
"""Seconds since they last did until they do no more."""
BITE, SIP = 100, 20
"""Messages entered at a time, and while clients ask: a sip costs their commit a third of a millisecond."""
INBOX_EVERY = 10
"""Bites of what was sent for one of what was received, while there is of both."""
DAY_MS = 86_400_000
ERASE_EVERY = 60.0  # seconds


def addresses(body: bytes) -> tuple[str, str]:
    """Sender and recipient of a stored message; empty for what cannot be read or was erased."""
    try:
        submit: SubmitSm = SUBMIT_SM_BODY.decode(body, 0, 0, len(body))
    except Malformed:
        return "", ""
    return digits_of(submit.source).decode("latin-1"), digits_of(submit.destination).decode("latin-1")


def received_addresses(body: bytes) -> tuple[str, str]:
    """The same of a message from a phone."""
    try:
        deliver: DeliverSm = DELIVER_SM_BODY.decode(body, 0, 0, len(body))
    except Malformed:
        return "", ""
    return digits_of(deliver.source).decode("latin-1"), digits_of(deliver.destination).decode("latin-1")


class Archive:
    def __init__(self, store: Store, wall: Callable[[], float]) -> None:
        self._store, self._wall = store, wall

    async def catch_up(self) -> None:
        """All that is there now, in bites."""
        more, bites = True, 0
        while more:
            more = await self._store.history.enter(addresses, SIP if self._asked() else BITE)
            if not more or bites % INBOX_EVERY == 0:
                more |= await self._store.inbox.enter(received_addresses)
            bites += 1
            await self._breathe()

    async def erase(self) -> int:
        """What is older than its account keeps texts or numbers, sent and received. -> how many messages."""
        erased, now = 0, int(self._wall() * 1000)
        for row in await self._store.accounts():
            texts, numbers = retention(row)
            for what, days, strip in (("text", texts, without_text), ("numbers", numbers, without_numbers)):
                if days:
                    below = id_at(now - days * DAY_MS)
                    erased += await self._strip(self._store.history, row.id, what, below, strip)
                    erased += await self._strip(self._store.inbox, row.id, f"received {what}", below, strip)
            if numbers:
                await self._store.history.forget_refused(row.id, now - numbers * DAY_MS)
        return erased

    async def _strip(self, part: History | Inbox, account: int, what: str, below: int, strip: Strip) -> int:
        """Begins where everything before is done; what may not be erased yet holds up the mark, not its neighbours."""
        received = isinstance(part, Inbox)
        look = part.taken if isinstance(part, Inbox) else part.ended
        before = mark = after = await self._store.history.erased_below(account, what)
        done, held = 0, False
        while found := await look(account, after, below):
            stripped = [(each, strip(each.body, received)) for each in found if each.free]
            bodies = [(each.id, body) for each, body in stripped if body != each.body]
            first_held = next((each.id for each in found if not each.free), None)
            if not held:
                mark = found[-1].id + 1 if first_held is None else first_held
            held = held or first_held is not None
            if bodies or mark > before:
                await part.strip(account, bodies, what.endswith("numbers"), (what, mark))
            done, before, after = done + len(bodies), mark, found[-1].id + 1
            await self._breathe()
        return done

    async def _breathe(self) -> None:
        await asyncio.sleep(GIVE_WAY if self._asked() else BREATH)

    def _asked(self) -> bool:
        return self._store.idle < LATELY

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


def retention(row: AccountRow) -> tuple[int, int]:
    """Days that texts are kept, and numbers; 0 for ever."""
    try:
        settings = Settings.of(row.settings)
    except InvalidSettings:
        return 0, 0
    return settings.text_retention, settings.number_retention


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
