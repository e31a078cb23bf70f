"""The door and what stands around it: password checks that take no time, or as long as a test wants; a sleep that
ends when the test's clock has passed.
"""

import asyncio
import heapq
from collections.abc import Callable
from concurrent.futures import Executor, Future
from itertools import count
from typing import Any

from acl.brake import Brake
from acl.password import DUMMY_HASH, Known, verify
from gateway.accounts import Account
from gateway.smpp.bind import Door, Verdict
from pdu import constants as c
from pdu.bodies import BODIES, Bind

from ..scene import Scene, settled

DUMMY = "the dummy"


class Pool(Executor):
    """Counts what is hashed. Of an account's row in memory "hash of a" is the hash, so its password is "a"."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.checked: list[tuple[str, bytes]] = []  # hash, password
        self.times: list[float] = []
        self.held = False
        self.faults: list[Exception] = []
        self._clock = clock
        self._waiting: list[Callable[[], None]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> "Future[Any]":
        assert fn is verify
        hashed, password = args
        self.checked.append((DUMMY if hashed == DUMMY_HASH else hashed, password))
        self.times.append(self._clock())
        done: Future[bool] = Future()
        done.set_running_or_notify_cancel()  # a thread that hashes is not stopped
        right = hashed == f"hash of {password.decode('latin-1')}"
        fault = self.faults.pop(0) if self.faults else None

        def finish() -> None:
            if fault is None:
                done.set_result(right)
            else:
                done.set_exception(fault)

        if self.held:
            self._waiting.append(finish)
        else:
            finish()
        return done

    def release(self, number: int | None = None) -> None:
        """The oldest checks come to their end; all of them, and those to come, if no number is given."""
        self.held = self.held and number is not None
        finished, self._waiting = self._waiting[:number], self._waiting[number or len(self._waiting) :]
        for finish in finished:
            finish()


class Hall:
    """`account` makes customers, `knock` is one bind request, `pass_` lets time go by."""

    HERE = "127.0.0.1"

    def __init__(self) -> None:
        self.scene = Scene()
        self.clock = self.scene.clock
        self.pool = Pool(self.clock)
        self.naps: list[float] = []
        self._asleep: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()
        self.door = Door(self.scene.accounts, Brake(), Known(bytes(32)), self.pool, self.clock, self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.naps.append(round(seconds, 6))
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._asleep, (self.clock() + seconds, next(self._order), done))
        await done

    async def pass_(self, seconds: float) -> None:
        """Time goes by; who slept wakes at his moment."""
        end = self.clock() + seconds
        await self.quiet()
        while self._asleep and self._asleep[0][0] <= end + 1e-9:
            at, _order, done = heapq.heappop(self._asleep)
            self.clock.now = max(self.clock.now, at)
            if not done.done():
                done.set_result(None)
            await self.quiet()
        self.clock.now = end

    async def quiet(self) -> None:
        """All that can be done without time going by is done."""
        before: tuple[int, ...] = ()
        while before != (now := (len(asyncio.all_tasks()), len(self.naps), len(self.pool.checked))):
            before = now
            await settled()

    async def account(self, name: str = "a", **settings: Any) -> Account:
        return await self.scene.account(name, **settings)

    async def change(self, account: Account, **fields: Any) -> None:
        self.scene.memory.change(account.id, **fields)
        await self.scene.accounts.refresh()

    async def judge(
        self, name: str = "a", password: str = "a", peer: str = HERE, command: int = c.BIND_TRANSCEIVER, **fields: Any
    ) -> Verdict:
        return await self.door.judge(command, bind_request(command, name, password, **fields), peer)

    def knock(self, *words: Any, **fields: Any) -> "asyncio.Task[Verdict]":
        return asyncio.get_running_loop().create_task(self.judge(*words, **fields))

    async def answer(self, *words: Any, **fields: Any) -> tuple[str, int]:
        """(reason, status) of one knock, however long the door makes it wait; ("", 0) if it may come in."""
        task = self.knock(*words, **fields)
        await self.quiet()
        while not task.done():
            await self.pass_(max(0.0, self._asleep[0][0] - self.clock()))
        return spoken(task.result())

    async def brake(self, name: str = "a", peer: str = HERE) -> None:
        """So many wrong passwords that the next check must wait."""
        for number in range(5):
            await self.answer(name, f"wrong{number}", peer)


def bind_request(command: int, name: str, password: str, **fields: Any) -> Bind:
    request: Bind = BODIES[command].build(1, system_id=name.encode(), password=password.encode(), **fields)
    return request


def spoken(verdict: Verdict) -> tuple[str, int]:
    return ("", 0) if verdict.refusal is None else (verdict.refusal.reason, verdict.status)
