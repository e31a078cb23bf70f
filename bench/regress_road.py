"""The store and the whole road in one process and, while they are counted, in one thread, in the same steps every run.

Three things of a running gateway depend on the moment, and each is taken out here. Time passes only when nothing is
left to do, so which messages share a commit does not depend on how slow the machine is. The transaction runs on a
connection of the loop's own thread in place of aiosqlite's (the seam `around` of the store). The client is a few
operations on whole buffers between two turns of the loop, over real sockets. What this leaves out of the count: the
kernel, uvloop, and the hop to the thread, of which there is one for hundreds of messages.

Invariant: a turn in which not every message went the whole road ends the run; there is no figure for half of the work.
"""

import asyncio
import selectors
import socket
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, closing, contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from argon2 import PasswordHasher

from acl.tariff import plan
from bench import account, wire
from gateway.app import Gateway
from gateway.config import Config
from store.connection import CACHED, WRITER, told
from store.files import DATABASE
from store.protocol import Batch, Outcome
from store.sqlite import SqliteStore, open_store

T = TypeVar("T")
CLIENTS = 4
WINDOW = 100
MESSAGES = CLIENTS * WINDOW  # of a turn
TURN = 0.02  # seconds of the loop's own time: longer than anything waits for company
WALL = 1_790_000_000.0  # when all of this happens
RESPONSE = b"\x80\0\0\4\0\0\0\0"  # command and status of a submit_sm_resp
RECEIPT = b"stat:DELIVRD"
LARGEST = 1 << 20  # octets of all that comes in a turn
MOST_TURNS = 1000  # until a bind is answered


class Waiting(selectors.DefaultSelector):
    """Time passes in here and nowhere else. Once `leaps` is set nobody is waited for: the clock is put forward."""

    now, leaps = 0.0, False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if not self.leaps or timeout is None:
            before = monotonic()
            ready = super().select(timeout)
            self.now += monotonic() - before
            return ready
        ready = super().select(0)
        if not ready and timeout > 0:
            self.now += timeout
        return ready


class Loop(asyncio.SelectorEventLoop):
    """Waits in earnest until it is told to leap: opening a store and checking a password are work for threads."""

    def __init__(self) -> None:
        self._waiting = Waiting()
        super().__init__(self._waiting)

    def time(self) -> float:
        return self._waiting.now

    def wall(self) -> float:
        return WALL + self._waiting.now

    def turn(self) -> None:
        self.run_until_complete(asyncio.sleep(TURN))

    @contextmanager
    def leaping(self) -> Iterator[None]:
        self._waiting.leaps = True
        try:
            yield
        finally:
            self._waiting.leaps = False

    @contextmanager
    def within(self, context: AbstractAsyncContextManager[T]) -> Iterator[T]:
        entered = self.run_until_complete(context.__aenter__())
        try:
            yield entered
        finally:
            self.run_until_complete(context.__aexit__(None, None, None))


class Writer:
    """Transactions on this thread, as the store's own connection runs them on its."""

    def __init__(self, database: Path) -> None:
        self._connection = sqlite3.connect(database, isolation_level=None, cached_statements=CACHED)
        for pragma in WRITER:
            self._connection.execute(f"PRAGMA {pragma}").fetchall()
        self.close = self._connection.close

    async def hop(self, statements: Any) -> Any:
        self._connection.execute("BEGIN IMMEDIATE")
        result = told(self._connection, statements)
        self._connection.execute("COMMIT")
        return result


@contextmanager
def stored(loop: Loop) -> Iterator[SqliteStore]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smppgate-regress-")))

        def around(_hop: object) -> Any:
            return stack.enter_context(closing(Writer(folder / DATABASE))).hop

        yield stack.enter_context(loop.within(open_store(folder, now=loop.wall, around=around)))


# -- the store ---------------------------------------------------------------------------------------------


@contextmanager
def lives(body: bytes) -> Iterator[Callable[[], object]]:
    """-> a function that brings MESSAGES through their life in the store: accepted, ended, acknowledged."""
    with closing(Loop()) as loop, stored(loop) as store:
        mine = loop.run_until_complete(store.add_account("smpp-bench", "bench", "-", {}, 0, 10**15)).id
        ids, sessions = count(1), [object() for _ in range(CLIENTS)]

        async def life() -> None:
            runs = [[next(ids) for _ in range(WINDOW)] for _ in sessions]
            batches = [Batch(mine, [(number, 400, bytearray(body)) for number in run], 400 * WINDOW) for run in runs]
            await asyncio.gather(*map(store.accept, batches, sessions))
            await asyncio.gather(*[store.settle([Outcome(mine, 2, 0, False, run, run)]) for run in runs])
            await asyncio.gather(*[store.acknowledge(mine, run) for run in runs])

        with loop.leaping():
            yield lambda: loop.run_until_complete(life())


# -- the road ----------------------------------------------------------------------------------------------


async def opened_for_business(store: SqliteStore) -> None:
    """The account of the benchmarks, with a hash that is quick to check."""
    settings = {
        "addresses": list(account.ADDRESSES),
        "senders": list(account.SENDERS),
        "deny_destinations": list(account.DENIED),
        "window": account.WINDOW,
        "throughput": account.THROUGHPUT,
        "max_binds": account.SIDES,
        "price_plan": account.PLAN,
    }
    await store.set_price_plan(account.PLAN, plan(account.PRICES))
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(account.PASSWORD)
    await store.add_account(*account.MAIN, quick, settings, 0, account.CREDITS * 10_000)


@contextmanager
def road() -> Iterator[Callable[[], object]]:
    """-> a function that sends MESSAGES over the whole road: submitted, answered, delivered, receipts acknowledged."""
    with ExitStack() as stack:
        loop = stack.enter_context(closing(Loop()))
        store, done = stack.enter_context(stored(loop)), loop.run_until_complete
        done(opened_for_business(store))
        config = {"smpp": {"listen": ["127.0.0.1:0"]}, "simulator": {"rules": [], "delay": 0}}
        gateway = done(made(Config.model_validate(config), store, loop))
        port = done(gateway.start()).plain[0].port
        stack.callback(lambda: done(gateway.stop()))
        numbers = count()
        clients = [stack.enter_context(closing(Client(port, numbers))) for _ in range(CLIENTS)]
        for client in clients:
            client.bind(loop.turn)
        with loop.leaping():
            yield partial(drive, loop, clients)
        if owed := done(store.owed_counts()):
            raise SystemExit(f"receipts were not acknowledged: {owed}")


async def made(config: Config, store: SqliteStore, loop: Loop) -> Gateway:
    return Gateway(config, store, wall=loop.wall, clock=loop.time)


def drive(loop: Loop, clients: list["Client"]) -> None:
    for client in clients:
        client.submit()
    loop.turn()
    if (receipts := sum([client.acknowledge() for client in clients])) != MESSAGES:
        raise SystemExit(f"{receipts} receipts for {MESSAGES} messages")
    loop.turn()


class Client:
    """The cheapest there can be: whole windows out, whole buffers in, nothing looked at but how much there is."""

    def __init__(self, port: int, numbers: Iterator[int]) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is sent is there at once
        self._pages = wire.Pages(numbers, account.SENDERS)
        self._delivered = 0
        self.close = self._socket.close

    def bind(self, turn: Callable[[], None]) -> None:
        self._socket.sendall(wire.bind(account.SYSTEM_ID, account.PASSWORD, 1))
        self._socket.setblocking(False)
        answer, granted = b"", wire.pdu(wire.BIND_TRANSCEIVER | wire.RESPONSE, 0, 1)
        for _ in range(MOST_TURNS):
            turn()
            with suppress(BlockingIOError):
                answer = self._socket.recv(LARGEST)
                break
        if answer[4:16] != granted[4:]:
            raise SystemExit(f"the bind was not granted: {answer.hex()}")

    def submit(self) -> None:
        for _numbers, octets in self._pages.take(WINDOW):
            self._socket.sendall(octets)

    def acknowledge(self) -> int:
        """-> receipts that came."""
        octets = b""
        with suppress(BlockingIOError):
            octets = self._socket.recv(LARGEST)
        if (answered := octets.count(RESPONSE)) != WINDOW:
            raise SystemExit(f"{answered} of {WINDOW} messages were accepted")
        number = octets.count(RECEIPT)
        self._socket.sendall(wire.acknowledgements(range(self._delivered + 1, self._delivered + number + 1)))
        self._delivered += number
        return number
