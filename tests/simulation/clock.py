"""Time that nobody waits for, and processes that die at any step: an event loop without a clock, sockets or threads.

Invariant: what happens, and in which order, follows from what was scheduled alone. When nothing is ready the time jumps
to the next timer. A callback belongs to the life it was scheduled in; with that life it ends, without another word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from typing import Any

BEGINNING = 1000.0
WALL = 1_790_000_000.0  # 2026-09-21T14:13:20Z, when the time was BEGINNING
LIFE: ContextVar[Life | None] = ContextVar("LIFE", default=None)


class Stuck(Exception):
    """Nothing is ready and nothing ever will be."""


class Loop(asyncio.BaseEventLoop):
    """`hash_seconds`: how long what is given to a pool of threads takes."""

    _ready: Any
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self) -> None:
        super().__init__()
        self.now, self.turns = BEGINNING, 0
        self.hash_seconds: Callable[[], float] = lambda: 0.03
        self._selector = self

    def time(self) -> float:
        return self.now

    def wall(self) -> float:
        return WALL + self.now - BEGINNING

    # -- what BaseEventLoop wants of a selector ----------------------------------------------------------------
    def select(self, timeout: float | None) -> list[Any]:
        self.turns += 1
        if timeout is None:
            raise Stuck
        if timeout > 0:
            self.now = max(self.now, self._scheduled[0].when())
        return []

    def _process_events(self, events: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    # -- lives -------------------------------------------------------------------------------------------------
    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        context = context or copy_context()
        handle = super().call_soon(callback, *args, context=context)
        count(context, handle)
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        context = context or copy_context()
        handle = super().call_at(when, callback, *args, context=context)
        count(context, handle)
        return handle

    def create_task(self, coro: Any, *, name: object = None, context: Context | None = None) -> asyncio.Task[Any]:
        task = super().create_task(coro, name=name, context=context)
        if (life := (context or copy_context()).get(LIFE)) is not None:
            life.tasks.append(task)
        return task

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """On no thread: done when its time is up."""
        future: asyncio.Future[Any] = self.create_future()

        def work() -> None:
            if not future.done():
                future.set_result(func(*args))

        self.call_later(self.hash_seconds(), work)
        return future

    def bury(self, life: Life) -> None:
        for handle in [*self._ready, *self._scheduled]:
            if handle._context.get(LIFE) is life:
                handle.cancel()


def count(context: Context, handle: asyncio.Handle) -> None:
    life = context.get(LIFE)
    if life is not None:
        life.step()
        if life.dead:
            handle.cancel()


class Life:
    """One process, from its start to its end. Whatever is called in its `context` is done by it."""

    def __init__(self, loop: Loop, number: int) -> None:
        self.number, self.dead = number, False
        self.countdown = 0  # steps until it dies; 0: it does not
        self.tasks: list[asyncio.Task[Any]] = []
        self.over: asyncio.Future[None] = loop.create_future()
        self.context, self._outside = copy_context(), copy_context()
        self.context.run(LIFE.set, self)
        self._loop = loop
        self._waiting: list[asyncio.Future[Any]] = []

    def step(self) -> None:
        """Between any two of these it can die."""
        if self.countdown:
            self.countdown -= 1
            if not self.countdown:
                self.die()

    def die(self) -> None:
        """As by kill -9: of all it had begun nothing goes on."""
        if self.dead:
            return
        self.dead = True
        self._loop.bury(self)
        self._loop.call_soon(self._mourn, context=self._outside)

    def _mourn(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_exception(Died())
        if not self.over.done():
            self.over.set_result(None)

    def do(self, work: Coroutine[Any, Any, Any]) -> asyncio.Future[Any]:
        """Let it do this; -> what came of it, or Died."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        if self.dead:
            work.close()
            answer.set_exception(Died())
            return answer
        self._waiting = [future for future in self._waiting if not future.done()]
        self._waiting.append(answer)
        task = self._loop.create_task(work, context=self.context)
        task.add_done_callback(lambda done: hand_over(done, answer), context=self._outside)
        return answer

    def forget(self) -> None:
        """When nothing runs any more: what it left behind is not worth a warning."""
        for task in self.tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                with suppress(RuntimeError):  # it wanted to wait for something once more
                    task.get_coro().close()
        self.tasks.clear()


class Died(Exception):
    """The process that was asked is no more."""


def hand_over(done: asyncio.Future[Any], answer: asyncio.Future[Any]) -> None:
    if answer.done():
        return
    if done.cancelled():
        answer.set_exception(Died())
    elif (error := done.exception()) is not None:
        answer.set_exception(error)
    else:
        answer.set_result(done.result())
