"""An operator's desk over a real store, and a gateway that only remembers what it was told."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from acl.reasons import Refusal
from gateway import admin
from gateway.admin import COMMAND_LINE, Admin, Mail
from gateway.doctor.finding import Finding
from gateway.ids import Minter
from gateway.taken import Taken
from pdu.bodies import SUBMIT_SM_BODY, SubmitSm, address
from store.protocol import Batch, MessageRow, Outcome, Store
from store.sqlite import open_store

NOW = 1_800_000_000.0
URL = "https://panel.example"
CREDIT = 10_000


class Told:
    """A live gateway as the desk sees it."""

    def __init__(self) -> None:
        self.accounts = self
        self.refreshed = 0
        self.open: list[dict[str, Any]] = []
        self.woken: list[tuple[int, int]] = []
        self.sent: list[SubmitSm] = []
        self.cancelled: list[int] = []
        self.refusal: Refusal | None = None

    async def refresh(self) -> None:
        self.refreshed += 1

    async def follow_blacklist(self, account: int) -> None:
        self.refreshed += 1

    def bound(self, bind_id: int, account: str) -> None:
        more = {"peer": "192.0.2.44", "port": 51884, "tls": False, "window": 10, "in_window": 2, "rate": 0.4}
        self.open.append({"id": bind_id, "account": account, "type": "transceiver", "since": NOW, **more})

    def binds(self) -> Sequence[dict[str, Any]]:
        return self.open

    def service(self) -> dict[str, Any]:
        return {
            "public_host": "sms.gate.example",
            "ports": {"unsecured": [2775], "secured": [3550]},
            "simulator": {"delay": 0.5, "rules": [{"to": "*9", "state": "undeliverable", "error": 9, "delay": None}]},
            "loop_lag": 0.001,
            "commits": {"number": 3, "mean": 0.002, "half_within": 0.002, "99_within": 0.005},
            "refusals": {"no_credit": 3, "throttled": 1},
            "unready": [],
        }

    def look_around(self, thorough: bool) -> list[Finding]:
        warned = Finding("disk", "warning", "900 MB free", "a million messages take some 400 MB")
        return [warned, *([Finding("mail", "ok", "mx:25 answers")] if thorough else ())]

    def kick(self, bind_id: int) -> bool:
        before = len(self.open)
        self.open = [bind for bind in self.open if bind["id"] != bind_id]
        return len(self.open) < before

    async def submit(self, account_id: int, peer: str, run: list[SubmitSm]) -> list[Taken | Refusal]:
        self.sent += run
        return [self.refusal or Taken(number, CREDIT) for number, _ in enumerate(run, 1)]

    async def cancel(self, account_id: int, row: MessageRow) -> bool:
        self.cancelled.append(row.id)
        return row.scheduled_at is not None

    def wake(self, account_id: int, number: int) -> None:
        self.woken.append((account_id, number))


class Clock:
    """Time that passes when a test says so, or when somebody waits."""

    def __init__(self) -> None:
        self.now, self.waited = NOW, list[float]()

    def wall(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds


class Desk(NamedTuple):
    house: Admin
    store: Store
    live: Told
    minter: Minter
    operator: admin.Desk
    time: Clock

    async def id_of(self, name: str) -> int:
        return next(row.id for row in await self.store.accounts() if row.name == name)

    async def accept(self, name: str, *bodies: bytes, charge: int = CREDIT, **more: Any) -> list[int]:
        """Messages as the road leaves them in the store. -> their ids."""
        account = await self.id_of(name)
        ids = list(self.minter.mint(len(bodies), int(NOW * 1000)))
        rows = [(id_, charge, bytearray(body)) for id_, body in zip(ids, bodies, strict=True)]
        more = {field: make(ids) for field, make in more.items()}
        assert await self.store.accept(Batch(account, rows, charge * len(rows), **more), self) == frozenset()
        return ids

    async def settle(self, name: str, ids: list[int], state: int, error: int = 0, refund: bool = False) -> None:
        await self.store.settle([Outcome(await self.id_of(name), state, error, refund, ids, [])])


@asynccontextmanager
async def open_desk(folder: Path, *, live: bool = True, mail: Mail | None = None) -> AsyncIterator[Desk]:
    time = Clock()
    async with open_store(folder, now=time.wall) as store:
        told, minter = Told(), Minter(0, await store.last_id())
        house = Admin(
            store, minter, time.wall, told if live else None, mail, URL, None, folder / "exports", time.wall, time.pause
        )
        yield Desk(house, store, told, minter, house.acting(COMMAND_LINE), time)


def submit(text: bytes = b"Hello", source: str = "ACME", destination: str = "48600100200", **fields: Any) -> bytes:
    """The body of a submit_sm."""
    return SUBMIT_SM_BODY.encode(
        SUBMIT_SM_BODY.build(
            source=address(5, 0, source.encode()),
            destination=address(1, 1, destination.encode()),
            short_message=text,
            **fields,
        )
    )
