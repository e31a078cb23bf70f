"""One world from one seed: a gateway that is killed and comes back, its customers, its operator, its network, its disk.

Invariant: the seed decides everything, so the same seed tells the same story to the last octet. When the story is over
the weather clears, everybody who is owed something comes for it, and then the books must agree.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import structlog
from argon2 import PasswordHasher, Type

from gateway.app import Gateway
from gateway.config import Address, Config
from gateway.delivery import Mailbox
from gateway.smpp import bind, link
from gateway.smpp.pace import Pace
from gateway.smpp.waiting import OVERHEAD
from pdu.frames import SMALLEST
from store.protocol import StoreError
from tests.road.client import CONNECTED

from .books import AWAY, CREDIT, HOME, Books, Customer
from .clock import Life, Loop
from .customers import PASSWORD, Habits, Waiter
from .disk import FINE, MOODS, Disk, Mood, copied
from .network import Network
from .operator import Operator
from .settlement import left, settled
from .witness import Witness

HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, type=Type.ID).hash(PASSWORD)
RULES = (
    {"to": "*9", "state": "undeliverable", "error": 9},
    {"to": "*8", "state": "rejected", "error": 803},
    {"to": "*7", "state": "delivered", "delay": 8.0},
)
LONG_ENOUGH = 3600.0  # seconds after which all that was under way must have come to its end
Note = Callable[[str], None]


@dataclass
class Story:
    """What became of a seed. `trace` is a digest of everything that happened."""

    seed: int
    findings: list[str]
    trace: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def command(self) -> str:
        return f"python -m tests.simulation {self.seed}"


class SmallGateway(Gateway):
    """With mailboxes so small that a few deliveries fill them."""

    box: tuple[int, int, int, int]

    def _mailbox(self, account: int) -> Mailbox:
        mailbox = super()._mailbox(account)
        mailbox.HELD, mailbox.PAGE, mailbox.STOCK, mailbox.BITE = self.box
        return mailbox


class World:
    def __init__(self, seed: int, folder: Path, template: Path, loop: Loop, tell: Note | None) -> None:
        self.seed, self.loop = seed, loop
        self.books = Books()
        self._digest, self._tell = hashlib.sha256(), tell
        plan = self.chance("plan")
        self._plan = plan
        self._small = SmallGateway.box = plan.choice(((20_000, 200, 4, 100), (40, 5, 2, 7), (12, 3, 1, 2)))
        self._length = plan.choice((15.0, 30.0, 45.0))
        self.disk = Disk(copied(template, folder), loop, Mood(self.chance("disk")))
        self.network = Network(
            loop, self.chance("network"), plan.choice((0.002, 0.05, 1.5)),
            plan.choice(((link.CHUNK,), (link.CHUNK, 40, 7), (16, 200))), plan.choice((300, 2_000, 65_536)),
        )  # fmt: skip
        self.network.saw = lambda end, octets: self.note(f"arrived {octets.hex()}")
        self.witness = Witness(loop, self.books, self.disk)
        self.witness.note = self.note
        self.network.watch = self.witness.watch
        self.operator = Operator(self.books, loop, self.chance("operator"))
        self.lives = self.deaths = 0
        self._quiet = False
        self.config = Config.model_validate({
            "smpp": {"listen": [Address("127.0.0.1", 2775)]},
            "simulator": {"delay": plan.choice((0.0, 0.2, 2.0)), "rules": RULES},
        })  # fmt: skip
        hashing = self.chance("hashing")
        loop.hash_seconds = lambda: hashing.uniform(0.01, 0.1)
        loop.create_server = self.network.listen  # type: ignore[assignment, method-assign]

    def chance(self, name: str) -> Random:
        """Each part has its own, so that one more question here moves nothing there."""
        return Random(f"{self.seed} {name}")

    def note(self, what: str) -> None:
        line = f"{self.loop.time():.6f} {what}"
        self._digest.update(line.encode())
        if self._tell is not None:
            self._tell(line)

    @property
    def trace(self) -> str:
        return self._digest.hexdigest()

    # -- the gateway -------------------------------------------------------------------------------------------
    async def serve(self) -> None:
        """One life after the other, for ever."""
        chance = self.chance("lives")
        while True:
            self.lives += 1
            life = Life(self.loop, self.lives)
            self.note(f"life {life.number} begins")
            with ExitStack() as stack:
                stack.callback(life.forget)
                stack.callback(self.network.lose, life)
                await self._live(life, stack, chance)
            self.operator.running = None
            self.note(f"life {life.number} is over")
            await asyncio.sleep(chance.random() * 3)

    async def _live(self, life: Life, stack: ExitStack, chance: Random) -> None:
        self.witness.begin()
        store = life.context.run(self.disk.open, stack)
        store.accepting = lambda *batch: self._outside(life, self.witness.accepting, *batch)
        ready = self.loop.create_future()
        stopping = asyncio.Event()
        serving = life.do(self._process(life, store, ready, stopping))
        serving.add_done_callback(lambda done: done.cancelled() or done.exception())
        if not self._quiet and chance.random() < 0.3:
            life.countdown = chance.randint(1, 150)  # it does not even come up
        await asyncio.wait([ready, serving], return_when=asyncio.FIRST_COMPLETED)
        if ready.done() and not life.dead:
            self.operator.running = life, ready.result()
            await self._end_sometime(life, serving, stopping, chance)
        if life.dead:
            self.deaths += 1
        elif (error := serving.exception()) is not None and not isinstance(error, StoreError):
            self.witness.says(f"the gateway ended with {error!r}")
        life.die()

    def _outside(self, life: Life, call: Callable[..., Any], *args: Any) -> None:
        if not life.dead:
            call(*args)

    async def _end_sometime(
        self, life: Life, serving: asyncio.Future[Any], stopping: asyncio.Event, chance: Random
    ) -> None:
        """Killed at some step, or stopped as by a signal."""
        await asyncio.wait([serving], timeout=None if self._quiet else chance.uniform(1, 25))
        if self._quiet:
            await asyncio.wait([serving])
        elif chance.random() < 0.75:
            life.countdown = chance.randint(1, 500)
            await asyncio.wait([serving])
        else:
            self.note("told to stop")
            stopping.set()
            await asyncio.wait([serving], timeout=60)
            if not serving.done():
                self.witness.says("the gateway does not stop")

    async def _process(self, life: Life, store: Any, ready: asyncio.Future[Gateway], stopping: asyncio.Event) -> None:
        """What a process does from its start to its stop."""
        gateway = SmallGateway(self.config, store, wall=self.loop.wall, clock=self.loop.time)
        busy, began = self.chance(f"cpu {life.number}").choice((0.0, 0.3, 1.0)), self.loop.time()
        gateway.server.pace = Pace(
            self.loop, self.loop.time, lambda: busy * (self.loop.time() - began), self.loop.call_later
        )
        try:
            await gateway.start()
            ready.set_result(gateway)
            await stopping.wait()
            await gateway.stop()
        finally:
            if not life.dead:
                await store.close()

    # -- everybody else ----------------------------------------------------------------------------------------
    async def weather(self, until: float) -> None:
        """Of the disk."""
        chance = self.chance("weather")
        if chance.random() < 0.3:
            return  # a good disk
        while self.loop.time() < until:
            await asyncio.sleep(chance.uniform(0.5, 8))
            self.disk.mood.change(chance.choice(MOODS), chance.choice((0.2, 1.0)))
            self.note(f"the disk is {self.disk.mood.now}")
            await asyncio.sleep(chance.choice((0.2, 2, 6)))
            self.disk.mood.change(FINE, 0.0)

    def found_customers(self) -> None:
        """Their accounts are there before the first life."""
        plan = self._plan
        for n in range(plan.choice((1, 2, 3))):
            settings: dict[str, Any] = {
                "addresses": [HOME, AWAY] if plan.random() < 0.7 else [HOME],
                "senders": ["*"] if plan.random() < 0.2 else ["smppgate", "ACME"],
                "deny_destinations": ["4870"],
                "window": plan.choice((1, 3, 10, 30)),
                "throughput": plan.choice((0, 2, 10, 50)),
                "max_binds": plan.choice((1, 2, 3, 0)),
                "delivery_window": plan.choice((0, 1, 5)),
                "refund": plan.choice(("unsent", "undelivered", "never")),
                "response_timeout": plan.choice((1, 5, 30)),
                "enquire_link": plan.choice((0, 2, 10)),
                "inactivity": plan.choice((0, 0, 7)),
                "receipt_tlvs": plan.choice(("standard", "vendor", "none")),
            }
            self.books.customers.append(Customer(n + 1, f"customer{n}", settings))

    async def open_accounts(self) -> None:
        life = Life(self.loop, 0)
        with ExitStack() as stack:
            store = life.context.run(self.disk.open, stack)

            async def work() -> None:
                for customer in self.books.customers:
                    row = await store.add_account(
                        f"smpp-{customer.system_id}", customer.system_id, HASH, customer.settings, 0,
                        credits=self._plan.choice((3, 40, 1000)) * CREDIT,
                        credit_limit=self._plan.choice((0, 0, 5)) * CREDIT,
                    )  # fmt: skip
                    assert row.id == customer.number
                    customer.confirmed(0, customer.asked_for(self.loop.time(), customer.settings, True))
                await store.close()

            await life.do(work())

    async def look_around(self, until: float) -> None:
        """Memory is bounded, and what has ended stays so."""
        while self.loop.time() < until:
            await asyncio.sleep(2.5)
            self.witness.finals_stay()
            if self.operator.running is not None:
                self._measure(self.operator.running[1])

    def _measure(self, gateway: Gateway) -> None:
        most = self._small[0] + sum(len(one.session.unanswered) for one in gateway.server.links.values())
        for account in gateway.accounts.by_id.values():
            held = account.mailbox._held_now()
            if held > most + 1000:
                self.witness.says(f"{held} deliveries in memory")
        for one in gateway.server.links.values():
            if one.session.backlog > link.BACKLOG + link.CHUNK * (SMALLEST + OVERHEAD) // SMALLEST:
                self.witness.says(f"{one.session.backlog} octets of requests wait")
            if one._transport is not None and one._transport.get_write_buffer_size() > 4 * link.UNWRITTEN + 20_000:
                self.witness.says(f"{one._transport.get_write_buffer_size()} octets of answers wait")

    # -- the story ---------------------------------------------------------------------------------------------
    async def tell(self) -> None:
        self.found_customers()
        await self.open_accounts()
        until, tasks = self.loop.time() + self._length, list[asyncio.Task[None]]()
        serving = asyncio.create_task(self.serve())
        for customer in self.books.customers:
            for n in range(self._plan.choice((1, 2, 3))):
                chance = self.chance(f"{customer.system_id} {n}")
                habits = Habits(customer, self.books, self.network, self.loop, chance)
                tasks.append(asyncio.create_task(habits.live(until)))
        tasks.append(asyncio.create_task(self.operator.live(until, self._plan.choice((1.0, 5.0, 20.0)))))
        tasks.append(asyncio.create_task(self.weather(until)))
        tasks.append(asyncio.create_task(self.look_around(until)))
        await asyncio.gather(*tasks)
        await self._settle()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    async def _settle(self) -> None:
        """The sky is clear, and whoever is owed something comes."""
        self.note("the weather clears")
        self._quiet = True
        self.disk.mood.change(FINE, 0.0)
        for customer in self.books.customers:
            customer.settings["addresses"] = [HOME, AWAY]
            await self.operator.restore(customer)
        waiting = [
            asyncio.create_task(Waiter.wait_for(each, self.network, self.loop, self.chance(f"waiter {each.number}")))
            for each in self.books.customers
        ]
        deadline = self.loop.time() + LONG_ENOUGH
        while (what := left(self.disk)) and self.loop.time() < deadline:
            await asyncio.sleep(2)
        if what:
            self.witness.says(f"after {LONG_ENOUGH:.0f} s there are still {what}")
        self.witness.finals_stay()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def story(seed: int, template: Path, tell: Note | None = None) -> Story:
    """Let a seed become a world, to its end."""
    loop = Loop()
    with TemporaryDirectory() as folder, silence() as complaints, patched():
        world = World(seed, Path(folder) / "data", template, loop, tell)
        asyncio.set_event_loop(loop)
        loop.set_exception_handler(partial(complained, world, complaints))
        try:
            loop.run_until_complete(world.tell())
            world.witness.findings += settled(world.disk, world.books)
        except Exception as error:
            world.witness.findings.append(f"the story broke off: {error!r}")
            if tell is not None:
                raise
        finally:
            world.witness.end()
            end(loop)
        findings = world.witness.findings + [f"complaint: {one}" for one in complaints]
        return Story(seed, findings, world.trace, {
            "lives": world.lives, "deaths": world.deaths, "sent": sum(len(c.sent) for c in world.books.customers),
            **world.witness.counts,
        })  # fmt: skip


def complained(world: World, complaints: list[str], _loop: object, context: dict[str, Any]) -> None:
    """An exception that nobody took note of is a fault, unless whoever would have has died."""
    if not ("never retrieved" in context["message"] and world.deaths):
        complaints.append(f"{context['message']}: {context.get('exception')!r}")


def end(loop: Loop) -> None:
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]
    asyncio.set_event_loop(None)
    loop.close()
    CONNECTED.clear()  # whoever was went with the world


@contextmanager
def patched() -> Iterator[None]:
    with (
        patch.object(bind, "DUMMY_HASH", "nobody's"),
        patch.object(link, "BACKLOG", 3_000),
        patch.object(link, "UNWRITTEN", 3_000),
    ):
        yield


@contextmanager
def silence() -> Iterator[list[str]]:
    """The log goes nowhere; -> what it says with a traceback, which nothing here may cause."""
    complaints: list[str] = []

    def keep(_logger: Any, _method: str, event: Any) -> Any:
        if event.get("exc_info"):
            complaints.append(f"{event.get('event')}: {event.get('reason', '')}")
        raise structlog.DropEvent

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info:
                complaints.append(f"{record.getMessage()}: {record.exc_info[1]!r}")

    before, store, keeper = structlog.get_config(), logging.getLogger("store"), Keeper()
    structlog.configure(
        processors=[keep], logger_factory=structlog.ReturnLoggerFactory(), cache_logger_on_first_use=False
    )
    propagate, store.propagate = store.propagate, False
    store.addHandler(keeper)
    try:
        yield complaints
    finally:
        store.removeHandler(keeper)
        store.propagate = propagate
        structlog.configure(**before)
