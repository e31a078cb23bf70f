"""What the clock does about credit: orders until they are taken, accounts that are low, announcements, sums."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.metrics import Meter
from gateway.payment import Payment
from gateway.till import FIRST_PAUSE, LONGEST_PAUSE, Till, open_till, pause
from store.office.topups import Topup
from store.protocol import StoreDown
from tests.payment_service import Service, payment_service

from .desk import NOW, Desk, open_desk, submit


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        await opened.operator.accounts.create({"name": "acme", "credits": "100", "senders": ["ACME"]})
        yield opened


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock) -> Iterator[Service]:
    with payment_service() as running:
        running.clock = clock
        yield running


async def turn(till: Till) -> None:
    """All that is due, once."""
    await till.look()
    await till.order()


async def the_only(desk: Desk) -> dict[str, Any]:
    [shown], _end = await desk.operator.topups.of_account("acme")
    return shown


async def test_an_order_is_sent_until_it_is_taken(desk: Desk, service: Service, clock: Clock) -> None:
    asked = await desk.operator.topups.ask("acme", "250", note="for May")
    service.answers = [503, 500]
    meter = Meter(list)
    till, heard = Till(desk.store, service.payment, clock, meter=meter), []
    for later in (0, 14, 1, 29, 1, 86_400):
        clock.now += later
        await turn(till)
        heard.append(len(service.orders))
    assert heard == [1, 1, 2, 2, 3, 3]
    assert (meter.orders, meter.topups_waiting) == ({True: 1, False: 2}, 1)
    assert service.orders[0] == service.orders[2] == {
        "id": asked["id"], "account": "smpp-acme", "credits": "250", "automatic": False,
        "at": "2027-01-15T08:00:00.000Z", "by": "command line", "note": "for May",
    }  # fmt: skip
    shown = await the_only(desk)
    assert (shown["state"], shown["tries"], shown["next_try"], shown["answer"]) == ("open", 3, None, "202 noted[31m")


async def test_a_service_that_is_away_is_asked_again(desk: Desk, clock: Clock) -> None:
    with payment_service() as service:
        payment = service.payment
    await desk.operator.topups.ask("acme", "250")
    await turn(Till(desk.store, payment, clock))
    shown = await the_only(desk)
    assert (shown["tries"], shown["next_try"]) == (1, "2027-01-15T08:00:15.000Z")
    assert "refused" in shown["answer"]


async def test_what_was_decided_meanwhile_is_not_ordered(desk: Desk, service: Service, clock: Clock) -> None:
    asked = await desk.operator.topups.ask("acme", "250")
    await desk.operator.topups.refuse(asked["id"], "")
    await turn(Till(desk.store, service.payment, clock))
    assert service.orders == []


async def test_without_a_service_it_waits_for_an_operator(desk: Desk, clock: Clock) -> None:
    await desk.operator.topups.ask("acme", "250")
    await turn(Till(desk.store, None, clock))
    assert (await the_only(desk))["tries"] == 0


async def test_an_account_that_is_low_asks(desk: Desk, clock: Clock) -> None:
    await desk.operator.accounts.change("acme", {"auto_topup_amount": "200", "auto_topup_threshold": "100"})
    await turn(Till(desk.store, None, clock))
    assert (await the_only(desk))["automatic"] is True


async def test_what_was_decided_is_announced_once(desk: Desk, clock: Clock) -> None:
    told: list[tuple[int, str]] = []

    async def announce(decided: Sequence[Topup]) -> None:
        told.extend((one.id, one.state) for one in decided)

    asked = await desk.operator.topups.ask("acme", "250")
    till = Till(desk.store, None, clock, announce)
    await turn(till)
    await desk.operator.topups.approve(asked["id"])
    await turn(till)
    await turn(till)
    assert told == [(asked["id"], "booked")]


async def test_what_could_not_be_announced_is_announced_again(desk: Desk, clock: Clock) -> None:
    told: list[int] = []

    async def announce(decided: Sequence[Topup]) -> None:
        told.extend(one.id for one in decided)
        if len(told) == 1:
            raise StoreDown("the disk is gone")

    asked = await desk.operator.topups.ask("acme", "250")
    await desk.operator.topups.approve(asked["id"])
    till = Till(desk.store, None, clock, announce)
    with pytest.raises(StoreDown):
        await turn(till)
    await turn(till)
    assert told == [asked["id"], asked["id"]]


async def test_without_mail_nobody_is_told_later(desk: Desk, clock: Clock) -> None:
    asked = await desk.operator.topups.ask("acme", "250")
    await desk.operator.topups.approve(asked["id"])
    await turn(Till(desk.store, None, clock))
    assert await desk.store.topups.to_announce() == []


async def test_the_ledger_is_added_up(desk: Desk, clock: Clock) -> None:
    await desk.accept("smpp-acme", submit())
    await turn(Till(desk.store, None, clock))
    assert not await desk.store.statement.add_up()


def test_pauses_grow_up_to_an_hour() -> None:
    assert [pause(tries) for tries in (0, 1, 2, 30)] == [FIRST_PAUSE, 30_000, 60_000, LONGEST_PAUSE]


@pytest.mark.parametrize("fault", [StoreDown("the disk is gone"), RuntimeError("surprise")])
async def test_a_fault_does_not_end_it(
    desk: Desk, clock: Clock, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pause_ in ("EVERY", "AFTER_A_FAULT"):
        monkeypatch.setattr(f"gateway.till.{pause_}", 0.0)
    looks, done = 0, asyncio.Event()

    async def look(_till: Till) -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise fault
        done.set()

    monkeypatch.setattr(Till, "look", look)
    async with open_till(Till(desk.store, None, clock)):
        await asyncio.wait_for(done.wait(), 5)


async def test_a_payment_service_that_does_not_answer_holds_up_nothing_else(
    desk: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.till.EVERY", 0.0)
    asked, answer = threading.Event(), threading.Event()

    def silent(_payment: Payment, _content: object, _now: float) -> tuple[bool, str]:
        asked.set()
        answer.wait(20)
        return True, "at last"

    monkeypatch.setattr(Payment, "order", silent)
    await desk.operator.topups.ask("acme", "250")
    meter = Meter(list)
    async with open_till(Till(desk.store, Payment("http://127.0.0.1:1/", "s"), clock, meter=meter)):
        await asyncio.to_thread(asked.wait, 5)
        await desk.operator.topups.ask("acme", "7")
        async with asyncio.timeout(5):
            while meter.topups_waiting != 2:
                await asyncio.sleep(0)
        answer.set()
