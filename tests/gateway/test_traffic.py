"""Figures: counted per batch, gathered by the minute, kept in the store, shown by the desk."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.admin import Invalid
from gateway.traffic import Figures, Tally
from gateway.web import live_routes
from store.office.traffic import DAY, KEPT, MINUTE, Count
from store.protocol import StoreDown

from .desk import NOW, Desk, open_desk

MINUTE_NOW = int(NOW) - int(NOW) % MINUTE


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        await opened.operator.accounts.create({"name": "acme"})
        yield opened


async def test_what_was_counted_since_the_last_time_is_kept_once(desk: Desk) -> None:
    figures, tally = Figures(desk.store.traffic), Tally()
    account = await desk.id_of("smpp-acme")
    tally.submitted, tally.refused = 3, 1
    for _ in range(2):
        figures.gather([(account, tally)], int(NOW))
        await figures.keep()
    tally.delivered = 2
    figures.gather([(account, tally)], int(NOW))
    await figures.keep()
    [count] = await desk.store.traffic.steps(account, MINUTE, 0, 1 << 60)
    assert count == Count(account, MINUTE_NOW, 3, 2, 0, 1)
    [day] = await desk.store.traffic.steps(account, DAY, 0, 1 << 60)
    assert day[2:] == (3, 2, 0, 1)


async def test_what_the_store_could_not_take_is_kept_the_next_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    figures, tally = Figures(desk.store.traffic), Tally(submitted=5)
    account = await desk.id_of("smpp-acme")

    async def down(_counts: object) -> None:
        raise StoreDown("no disk")

    figures.gather([(account, tally)], int(NOW))
    with monkeypatch.context() as patched:
        patched.setattr(desk.store.traffic, "add", down)
        with pytest.raises(StoreDown):
            await figures.keep()
    tally.submitted += 1
    figures.gather([(account, tally)], int(NOW))
    await figures.keep()
    [count] = await desk.store.traffic.steps(account, MINUTE, 0, 1 << 60)
    assert count.submitted == 6


async def test_an_account_keeps_so_many_minutes_and_no_more(desk: Desk) -> None:
    account = await desk.id_of("smpp-acme")
    for ago in (KEPT[MINUTE] + 5, 1, 0):
        await desk.store.traffic.add([Count(account, MINUTE_NOW - ago * MINUTE, 1, 0, 0, 0)])
    counts = await desk.store.traffic.steps(account, MINUTE, 0, 1 << 60)
    assert [count.at for count in counts] == [MINUTE_NOW - MINUTE, MINUTE_NOW]


@pytest.mark.parametrize(("span", "number"), [("hour", 60), ("day", 24), ("month", 30)])
async def test_a_series_has_every_step_also_the_empty_ones(desk: Desk, span: str, number: int) -> None:
    await desk.store.traffic.add([Count(await desk.id_of("smpp-acme"), MINUTE_NOW, 4, 3, 1, 2)])
    series = await desk.operator.traffic.series("acme", span)
    assert len(series["items"]) == number
    assert series["items"][-1]["submitted"] == 4
    assert series["totals"] == {"submitted": 4, "delivered": 3, "failed": 1, "refused": 2}


async def test_a_span_that_is_none_is_refused(desk: Desk) -> None:
    with pytest.raises(Invalid, match="span"):
        await desk.operator.traffic.series("acme", "year")


async def test_today_and_now(desk: Desk) -> None:
    await desk.store.traffic.add([Count(await desk.id_of("smpp-acme"), MINUTE_NOW, 4, 3, 1, 2)])
    desk.live.bound(7, "smpp-acme")
    assert (await desk.operator.traffic.today())["smpp-acme"]["refused"] == 2
    now = await desk.operator.traffic.now("acme")
    assert (now["binds"], now["status"], now["today"]["submitted"]) == (1, "WAITING_IP", 4)


async def test_events_are_told_until_whoever_listens_must_be_asked_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_routes, "EVERY", 0.0)
    told = [each async for each in live_routes.events({"binds": 0}, lambda: desk.operator.traffic.now("acme"))]
    assert len(told) == live_routes.EVENTS
    assert told[0].startswith("retry:")
    assert all("event: figures\ndata: {" in each for each in told)
    assert not live_routes.open_streams
