"""Checks of secrets: one at a time for each key, a few at a time for everybody, and slower after failures.

Invariant: nobody is locked out. A check is put off while one of its keys is braked, and refused (TooMany) only while
too many wait already. A success clears the first key alone: whoever has a login of their own cannot clear the way for
guessing others'. Knows no passwords, only that a check succeeds or does not.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import TypeVar

from acl.brake import Brake

from .faults import TooMany

T = TypeVar("T")
AT_ONCE = 2  # checks under way
MOST_WAITING = 64
MOST_WAITING_OF_A_KEY = 8


class Turn:
    __slots__ = ("lock", "waiting")

    def __init__(self) -> None:
        self.lock, self.waiting = asyncio.Lock(), 0


class Gate:
    def __init__(
        self,
        brake: Brake,
        clock: Callable[[], float],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._brake, self._clock, self._pause = brake, clock, pause
        self._places = asyncio.Semaphore(AT_ONCE)
        self._turns: dict[Hashable, Turn] = {}
        self._waiting = 0

    async def check(self, keys: Sequence[Hashable], check: Callable[[], Awaitable[T | None]]) -> T | None:
        """What the check says, None being a failure of all its keys."""
        with self._joined(keys) as turns:
            async with AsyncExitStack() as stack:
                for turn in turns:
                    await stack.enter_async_context(turn.lock)
                return await self._in_turn(keys, check)

    @contextmanager
    def _joined(self, keys: Sequence[Hashable]) -> Iterator[list[Turn]]:
        """Checks that begin before the first of them has failed take turns, or they would slip past the brake."""
        turns = {key: self._turns.get(key) or Turn() for key in keys}
        full = any(turn.waiting >= MOST_WAITING_OF_A_KEY for turn in turns.values())
        if full or self._waiting >= MOST_WAITING:
            raise TooMany("too many attempts at a time; try again in a minute")
        self._turns.update(turns)
        self._waiting += 1
        for turn in turns.values():
            turn.waiting += 1
        try:
            yield list(turns.values())  # callers name their keys in one order, so nobody waits for each other
        finally:
            self._waiting -= 1
            for key, turn in turns.items():
                turn.waiting -= 1
                if not turn.waiting:
                    del self._turns[key]

    async def _in_turn(self, keys: Sequence[Hashable], check: Callable[[], Awaitable[T | None]]) -> T | None:
        now = self._clock()
        longest = 0.0
        for key in keys:
            wait = self._brake.wait(key, now)
            if wait is None:
                raise TooMany("too many failed attempts; try again in a minute")
            longest = max(longest, wait)
        if longest:
            await self._pause(longest)
        async with self._places:
            found = await check()
        if found is not None:
            self._brake.passed(keys[0])
        else:
            for key in keys:
                self._brake.failed(key, self._clock())
        return found
