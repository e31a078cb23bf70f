"""Requests begin one after another, each in a pass of the loop of its own."""

import asyncio
from typing import Any

from gateway.web.turnstile import Turnstile


class Desk:
    """An application that remembers who asked in which pass of the loop, and answers nobody until it may."""

    def __init__(self) -> None:
        self.passes = 0
        self.begun: list[tuple[int, int]] = []  # who, in which pass
        self.may = asyncio.Event()
        self.turnstile = Turnstile(self)

    async def __call__(self, scope: Any, _receive: Any, _send: Any) -> None:
        self.begun.append((scope["who"], self.passes))
        await self.may.wait()

    def ask(self, who: int) -> asyncio.Task[None]:
        async def receive() -> Any: ...

        async def send(_message: Any) -> None: ...

        return asyncio.create_task(self.turnstile({"type": "http", "who": who}, receive, send))

    async def go_on(self, passes: int) -> None:
        for _ in range(passes):
            self.passes += 1
            await asyncio.sleep(0)


async def test_of_many_that_come_at_once_each_begins_in_a_pass_of_its_own() -> None:
    """In the order in which they came, none waits for another to end, and no pass is left out."""
    desk = Desk()
    visitors = [desk.ask(who) for who in range(60)]
    await desk.go_on(62)
    assert [who for who, _ in desk.begun] == list(range(60))
    first = desk.begun[0][1]
    assert [number for _, number in desk.begun] == list(range(first, first + 60))
    desk.may.set()
    await asyncio.gather(*visitors)


async def test_who_gives_up_waiting_does_not_keep_the_others() -> None:
    desk = Desk()
    visitors = [desk.ask(who) for who in range(4)]
    await asyncio.sleep(0)
    for gone in (0, 2, 3):
        visitors[gone].cancel()
    await desk.go_on(8)
    assert [who for who, _ in desk.begun] == [1]
    late = desk.ask(4)
    await desk.go_on(3)
    assert [who for who, _ in desk.begun] == [1, 4]
    desk.may.set()
    await asyncio.gather(visitors[1], late)
