"""The gateway's parts around a store in memory and a clock that stands still until it is moved."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

from gateway import receipts
from gateway.accounts import Account, Accounts
from gateway.delivery import Due, Mailbox
from gateway.ids import Minter
from gateway.metrics import Meter
from gateway.network.connector import Parcel
from gateway.network.dispatch import Dispatch
from gateway.refusals import Refusals
from pdu.bodies import SUBMIT_SM_BODY, SubmitSm, address
from store.protocol import Commit, Store

from .memory_store import MemoryStore

START_MS = 1_790_000_000_000  # 2026-09-21T14:13:20Z
MOBILE = address(1, 1, b"48600100200")
SENDER = address(5, 0, b"smppgate")


class Clock:
    """Seconds of the monotonic clock, and the wall milliseconds that go with them."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = self._from = now

    def __call__(self) -> float:
        return self.now

    def wall_ms(self) -> int:
        return START_MS + round((self.now - self._from) * 1000)

    def pass_(self, seconds: float) -> float:
        self.now += seconds
        return self.now


def submit(sequence: int = 1, **values: Any) -> SubmitSm:
    return SUBMIT_SM_BODY.build(
        sequence, **{"source": SENDER, "destination": MOBILE, "short_message": b"hello", **values}
    )


class Wire:
    """A connector that keeps what it is given until a test says how it ended."""

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []

    def send(self, parcel: Parcel) -> None:
        self.parcels.append(parcel)

    def close(self) -> None:
        self.parcels.clear()

    @property
    def ids(self) -> list[int]:
        return [message[0] for parcel in self.parcels for message in parcel.messages]


class Reader:
    """A receiver bind as a mailbox sees it: takes what fits and answers when told to."""

    def __init__(self, window: int = 10) -> None:
        self.window = window
        self.unanswered: list[Due] = []
        self.delivered: list[Due] = []

    def room(self) -> int:
        return self.window - len(self.unanswered)

    def deliver(self, dues: Sequence[Due]) -> None:
        assert 0 < len(dues) <= self.room()
        self.unanswered += dues
        self.delivered += dues

    def awaited(self) -> list[Due]:
        return self.unanswered

    def answer(self, mailbox: Mailbox, now: float, status: int = 0, count: int | None = None) -> None:
        """Its oldest `count` deliveries get this status."""
        count = len(self.unanswered) if count is None else count
        answered, self.unanswered = self.unanswered[:count], self.unanswered[count:]
        mailbox.answered([(due, status) for due in answered], now)


class Peer:
    """A link as handlers see it: bound to an account, with answers that are or are not written yet."""

    def __init__(self, account: Account) -> None:
        self.account, self.peer = account, "127.0.0.1"
        self.holding = False
        self.waiting: list[Callable[[], None]] = []

    def waits(self) -> bool:
        return True

    def holds_answers(self) -> bool:
        return self.holding

    def when_written(self, then: Callable[[], None]) -> None:
        self.waiting.append(then)

    def written(self) -> None:
        self.holding = False
        waiting, self.waiting = self.waiting, []
        for then in waiting:
            then()


class Scene:
    """`async with`-free: make it inside a running loop, add accounts, then `await scene.open()`."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.memory = MemoryStore(self.clock.wall_ms)
        self.store = cast(Store, self.memory)  # of the protocol it has what the road needs
        self.meter = Meter(lambda: ())
        self.accounts = Accounts(self.store, self._mailbox)
        self.refusals = Refusals(self.meter, self.clock.wall_ms)
        self.dispatch = Dispatch(self.store, self.accounts, self.meter, self.clock.wall_ms)
        self.wire = Wire()
        self.dispatch.connect(self.wire)
        self.minter = Minter()

        def committed(commit: Commit) -> None:
            self.accounts.moved(commit.moved)

        self.memory.observer = committed

    def _mailbox(self, account: int) -> Mailbox:
        async def load(after: int, limit: int) -> list[Due]:
            rows = await self.store.owed(account, after, limit)
            return receipts.restored(self.accounts.by_id[account].settings, rows)

        return Mailbox(account, self.store, load, self.clock.wall_ms, self.meter.receipt_seconds)

    async def account(self, name: str = "a", balance: int = 1_000_000, **settings: Any) -> Account:
        """A new account with so many credits, as the gateway sees it."""
        row = self.memory.add(name, balance * 10_000, **settings)
        await self.accounts.refresh()
        return self.accounts.by_id[row.id]

    def tick(self, seconds: float = 1.0) -> None:
        self.clock.pass_(seconds)
        self.dispatch.tick()
        for account in self.accounts.by_id.values():
            account.mailbox.tick(self.clock())


async def settled() -> None:
    """Everything that waits for the loop only has run."""
    for _ in range(10):
        await asyncio.sleep(0)
