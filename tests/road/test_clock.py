"""The time of day, held in the hand: days that pass, and clocks that are put back."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pdu import constants as c
from pdu.times import format_relative
from tests.road.client import accepted, bound, hang_up_all, until
from tests.road.inside import Inside, inside
from tests.server import Login

pytestmark = pytest.mark.road

HOUR, DAY = 3600.0, 86_400.0
NEVER = [{"to": "*7", "state": "delivered", "delay": "7d"}]


class Wall:
    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


async def state(house: Inside, login: Login, message_id: str) -> str:
    found: str = (await house.admin.messages.show(login.name, message_id))[0]["state"]
    return found


@pytest.mark.parametrize(("away", "told"), [(7 * DAY - HOUR, True), (7 * DAY + HOUR, False)])
@pytest.mark.promise("D2")
async def test_a_receipt_waits_seven_days_and_no_longer(tmp_path: Path, away: float, told: bool) -> None:
    wall = Wall()
    async with inside(tmp_path, wall=wall) as house:
        login = await house.account("traveller")
        async with await bound(house.port, login, c.BIND_TRANSMITTER) as client:
            [id_] = await accepted([client.submit(registered_delivery=1)])
        mailbox = house.gateway.accounts.by_id[1].mailbox
        await until("a receipt is owed", lambda: mailbox.pending == 1)
    wall.ahead = away
    async with inside(tmp_path, wall=wall) as house:
        mailbox = house.gateway.accounts.by_id[1].mailbox
        if not told:
            await until("it was given up", lambda: mailbox.pending == 0)
        async with await bound(house.port, login) as client:
            [fresh] = await accepted([client.submit(registered_delivery=1)])
            await client.receipt(fresh)
            assert bool(client.receipts_of(id_)) is told
        assert await state(house, login, id_) == "delivered"
        assert await house.store.audit() == []


@pytest.mark.promise("R2")
async def test_ids_grow_though_the_clock_is_put_back(tmp_path: Path) -> None:
    wall = Wall()
    ids, login = list[int](), None
    for ahead in (0.0, -HOUR, 10 * DAY, -10 * DAY):
        async with inside(tmp_path, wall=wall) as house:
            login = login or await house.account("timeless")
            async with await bound(house.port, login) as client:
                some = await accepted(client.submit_many(20, registered_delivery=1))
                wall.ahead = ahead
                some += await accepted(client.submit_many(20, registered_delivery=1))
                await until("each has its receipt", lambda: len(client.receipts) == 40)
            assert await house.store.audit() == []
        ids += [int(id_) for id_ in some]
    assert ids == sorted(set(ids))


async def test_a_message_scheduled_far_ahead_has_all_its_time_when_it_is_released(tmp_path: Path) -> None:
    """How long it may be tried counts from then on, not from its acceptance."""
    wall = Wall()
    async with inside(tmp_path, rules=NEVER, wall=wall) as house:
        login = await house.account("planner")
        async with await bound(house.port, login) as client:
            [id_] = await accepted([client.submit("48600100207", schedule_delivery_time=format_relative(20 * DAY))])
            wall.ahead = 20 * DAY + 60

            async def released() -> bool:
                return await state(house, login, id_) == "accepted"

            deadline = time.monotonic() + 10
            while not await released():
                assert time.monotonic() < deadline
            for _ in range(20):
                house.gateway.dispatch.tick()
            await client.ask(c.ENQUIRE_LINK)
            assert await released()
            wall.ahead += 7 * DAY
            for _ in range(20):
                house.gateway.dispatch.tick()
            await until("it was tried long enough", lambda: house.gateway.meter.messages[login.name, "expired"])
            await hang_up_all()


async def test_a_validity_that_ended_while_the_server_was_stopped_is_told(tmp_path: Path) -> None:
    wall = Wall()
    async with inside(tmp_path, rules=NEVER, wall=wall) as house:
        login = await house.account("late")
        async with await bound(house.port, login) as client:
            hour = format_relative(HOUR)
            [id_] = await accepted([client.submit("48600100207", validity_period=hour, registered_delivery=1)])
    wall.ahead = 2 * HOUR
    async with inside(tmp_path, rules=NEVER, wall=wall) as house:
        async with await bound(house.port, login) as client:
            assert (await client.receipt(id_)).state == c.EXPIRED
        assert await house.store.audit() == []
