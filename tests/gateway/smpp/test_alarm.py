"""A call comes once, when it was asked for, whatever the system has to offer."""

import asyncio
import os
import select
from collections.abc import AsyncIterator

import pytest

from gateway.smpp.alarm import Alarm

SOON, NEVER = 0.001, 3600.0


class Bell:
    """An alarm, and how often what it calls was called."""

    def __init__(self) -> None:
        self.alarm = Alarm(asyncio.get_running_loop())
        self.rung: list[str] = []
        self._event = asyncio.Event()

    def set(self, seconds: float, name: str = "it") -> None:
        self.expected = self.alarm.call_later(seconds, lambda: self.ring(name))

    def ring(self, name: str) -> None:
        self.rung.append(name)
        self._event.set()

    async def heard(self) -> list[str]:
        async with asyncio.timeout(10):
            await self._event.wait()
        self._event.clear()
        return self.rung


@pytest.fixture
async def bell() -> AsyncIterator[Bell]:
    bell = Bell()
    yield bell
    bell.alarm.close()


def due(bell: Bell) -> None:
    """Until its time has come, without a turn of the loop."""
    assert select.select([bell.alarm._descriptor], [], [], 10)[0]


async def turns() -> None:
    """More of them than a call needs that is due."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_call_comes_once_for_each_time_it_was_asked_for(bell: Bell) -> None:
    bell.set(SOON)
    assert await bell.heard() == ["it"]
    bell.set(1e-12, "at once")
    assert await bell.heard() == ["it", "at once"]
    await turns()
    assert len(bell.rung) == 2


async def test_it_does_not_come_early(bell: Bell) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    bell.set(0.0042)
    await bell.heard()
    assert loop.time() - began >= 0.0042


async def test_what_is_cancelled_does_not_come_even_if_it_was_due(bell: Bell) -> None:
    bell.set(SOON)
    due(bell)
    bell.expected.cancel()
    bell.expected.cancel()
    await turns()
    assert bell.rung == []
    bell.set(SOON, "another")
    assert await bell.heard() == ["another"]


async def test_what_is_asked_for_last_is_what_comes_though_the_former_was_due(bell: Bell) -> None:
    bell.set(SOON, "former")
    due(bell)
    bell.set(NEVER, "much later")
    await turns()
    assert bell.rung == []
    bell.set(SOON, "last")
    assert await bell.heard() == ["last"]


async def test_what_is_called_may_ask_for_the_next(bell: Bell) -> None:
    bell.alarm.call_later(SOON, lambda: bell.set(SOON, "next"))
    assert await bell.heard() == ["next"]


async def test_after_the_end_nothing_comes_and_no_descriptor_is_left(bell: Bell) -> None:
    bell.set(SOON)
    descriptor = bell.alarm._descriptor
    due(bell)
    bell.alarm.close()
    bell.alarm.close()
    await turns()
    assert bell.rung == []
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


async def test_who_asks_after_the_end_is_called_by_the_loop(bell: Bell) -> None:
    bell.alarm.close()
    bell.set(SOON)
    assert await bell.heard() == ["it"]


@pytest.mark.parametrize("libc", ["without such timers", "without descriptors"])
async def test_without_such_a_timer_the_loop_calls(bell: Bell, libc: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Libc:
        if libc == "without descriptors":

            def timerfd_create(self, clock: int, flags: int) -> int:
                return -1

    monkeypatch.setattr(bell.alarm, "_libc", Libc())
    bell.set(SOON)
    bell.expected.cancel()
    bell.set(SOON, "another")
    assert await bell.heard() == ["another"]
    assert bell.alarm._descriptor == -1
