"""What the clock does about credit: lets accounts ask that are low, tells the payment service, adds up the ledger.

Invariant: what is to be done stands in the store, so a restart loses none of it. Nothing here is on a message's road.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

from acl.money import as_credits
from store.office.topups import Topup
from store.protocol import Store, StoreError

from .admin.shapes import moment
from .metrics import Meter
from .payment import Payment

log = structlog.get_logger()
EVERY = 1.0  # seconds
AFTER_A_FAULT = 10.0  # the same, so that a disk that is full does not fill the log as well
ADD_UP = 10  # looks
FIRST_PAUSE, LONGEST_PAUSE = 15_000, 3_600_000  # milliseconds until an order that was not taken is sent again

Announce = Callable[[Sequence[Topup]], Awaitable[None]]


class Till:
    """`announce` tells the owners what became of their requests."""

    def __init__(
        self,
        store: Store,
        payment: Payment | None,
        wall: Callable[[], float],
        announce: Announce | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._store, self._payment, self._wall, self._announce = store, payment, wall, announce
        self._meter = meter or Meter(list)
        self._looks = 0

    async def look(self) -> None:
        """What the store alone needs: who is low asks, who has waited is told, what is new is added up."""
        await self._store.topups.watch(self._now())
        self._meter.topups_waiting = await self._store.topups.waiting()
        await self._tell_owners()
        if self._looks % ADD_UP == 0:
            await self._store.statement.add_up()
        self._looks += 1

    async def _tell_owners(self) -> None:
        """Of what was decided. Where there is no mail nobody is told, not even later."""
        if decided := await self._store.topups.to_announce():
            if self._announce is not None:
                await self._announce(decided)
            await self._store.topups.announced([topup.id for topup in decided])

    async def order(self) -> None:
        """Tell the payment service what it is to hear of now, one after the other; it may take its time."""
        if self._payment is None:
            return
        names: dict[int, str] = {}
        for topup in await self._store.topups.to_send(self._now()):
            names = names or {row.id: row.name for row in await self._store.accounts()}
            content, now = order(topup, names[topup.account]), self._wall()
            taken, answer = await asyncio.to_thread(self._payment.order, content, now)
            self._meter.orders[taken] += 1
            log.info("payment service told", topup=topup.id, taken=taken, answer=answer, tries=topup.tries + 1)
            await self._store.topups.sent(topup.id, None if taken else self._now() + pause(topup.tries), answer)

    def _now(self) -> int:
        return int(self._wall() * 1000)


def pause(tries: int) -> int:
    return int(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(tries, 20)))


def order(topup: Topup, account: str) -> dict[str, object]:
    return {
        "id": topup.id,
        "account": account,
        "credits": as_credits(topup.amount),
        "automatic": topup.automatic,
        "at": moment(topup.at),
        "by": topup.who,
        "note": topup.note,
    }


async def forever(work: Callable[[], Awaitable[None]]) -> None:
    while True:
        wait = EVERY
        try:
            await work()
        except StoreError as fault:
            wait = AFTER_A_FAULT
            log.warning("credit not looked after", reason=str(fault))
        except Exception as fault:  # one fault must not stop what comes later
            wait = AFTER_A_FAULT
            log.exception("credit not looked after", reason=repr(fault))
        await asyncio.sleep(wait)


@asynccontextmanager
async def open_till(till: Till) -> AsyncIterator[None]:
    """Looks after credit until it is left. A payment service that does not answer holds up nothing else."""
    tasks = [asyncio.create_task(forever(work), name="till") for work in (till.look, till.order)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
