"""Requests begin one after another, and not before what they need is made."""

import asyncio
import threading
from typing import Any

import pytest

from gateway.web.turnstile import Turnstile


class Desk:
    """An application that keeps in which pass of the loop a request was begun."""

    def __init__(self) -> None:
        self.passes = 0
        self.begun: list[int] = []
        self.leave = asyncio.Event()

    async def __call__(self, _scope: Any, _receive: Any, _send: Any) -> None:
        self.begun.append(self.passes)
        await self.leave.wait()

    async def count(self) -> None:
        while True:
            self.passes += 1
            await asyncio.sleep(0)


async def none() -> Any: ...


async def nothing(_message: Any) -> None: ...


async def visits(turnstile: Turnstile, desk: Desk, number: int) -> None:
    counting = asyncio.create_task(desk.count())
    visitors = [asyncio.create_task(turnstile({"type": "http"}, none, nothing)) for _ in range(number)]
    async with asyncio.timeout(5):
        while len(desk.begun) < number and not all(visitor.done() for visitor in visitors):
            await asyncio.sleep(0)
    desk.leave.set()
    await asyncio.gather(*visitors)
    counting.cancel()


async def test_of_many_that_come_at_once_each_begins_in_a_pass_of_its_own() -> None:
    """And none waits for another to end."""
    desk = Desk()
    await visits(Turnstile(desk), desk, 60)
    assert len(set(desk.begun)) == 60
    assert desk.begun[-1] - desk.begun[0] < 3 * 60


async def test_what_they_need_is_made_once_on_a_thread_before_the_first() -> None:
    desk, made = Desk(), threading.Event()
    threads: list[int] = []

    def first() -> None:
        threads.append(threading.get_ident())
        made.wait(5)
        assert not desk.begun

    turnstile = Turnstile(desk, first)
    all_of_them = asyncio.create_task(visits(turnstile, desk, 3))
    while not threads or desk.passes < 50:  # the loop goes on
        await asyncio.sleep(0)
    assert desk.begun == []
    made.set()
    await all_of_them
    assert len(desk.begun) == 3
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


async def test_if_it_cannot_be_made_nobody_is_let_in_and_the_next_one_tries_again() -> None:
    desk = Desk()
    tried: list[int] = []

    def first() -> None:
        tried.append(1)
        if len(tried) == 1:
            raise ValueError("not yet")

    turnstile = Turnstile(desk, first)
    with pytest.raises(ValueError, match="not yet"):
        await turnstile({"type": "http"}, none, nothing)
    assert desk.begun == []
    await visits(turnstile, desk, 1)
    assert len(desk.begun) == 1
    assert len(tried) == 2
