"""What an app makes when it is first asked is made once, on a thread, before anybody reaches it."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from gateway.web.prepared import Prepared


class Desk:
    def __init__(self, prepare: Callable[[], None]) -> None:
        self.asked = 0
        self.prepared = Prepared(self, prepare)

    async def __call__(self, _scope: Any, _receive: Any, _send: Any) -> None:
        self.asked += 1

    async def ask(self) -> None:
        async def receive() -> Any: ...

        async def send(_message: Any) -> None: ...

        await self.prepared({"type": "http"}, receive, send)


async def test_it_is_made_once_while_the_loop_goes_on() -> None:
    threads, may = [], threading.Event()

    def prepare() -> None:
        threads.append(threading.get_ident())
        assert may.wait(5)

    desk = Desk(prepare)
    visitors = [asyncio.create_task(desk.ask()) for _ in range(5)]
    async with asyncio.timeout(5):
        while not threads:
            await asyncio.sleep(0)
    assert desk.asked == 0
    may.set()
    await asyncio.gather(*visitors)
    await desk.ask()
    assert desk.asked == 6
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


async def test_if_it_cannot_be_made_nobody_is_let_in_and_the_next_one_tries_again() -> None:
    tried: list[int] = []

    def prepare() -> None:
        tried.append(1)
        if len(tried) == 1:
            raise ValueError("not yet")

    desk = Desk(prepare)
    with pytest.raises(ValueError, match="not yet"):
        await desk.ask()
    assert desk.asked == 0
    await desk.ask()
    assert desk.asked == 1
    assert len(tried) == 2
