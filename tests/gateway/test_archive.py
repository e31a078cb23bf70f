"""What the clock does about history: entered in the background, erased when it is old enough."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.admin.history import Filter
from gateway.archive import BITE, LATELY, SIP, Archive
from pdu.constants import DELIVERED
from store.office.history import Wanted
from store.protocol import RefusalRow
from tests.gateway.desk import Desk, open_desk, submit

DAY = 86_400


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        await opened.operator.accounts.create({"name": "smpp-a", "credits": "100"})
        yield opened


async def texts(scene: Desk) -> list[str | None]:
    return [each["text"] for each in (await scene.operator.history.outgoing("smpp-a"))[0]]


async def test_texts_are_erased_after_so_many_days_and_what_they_cost_stays(scene: Desk) -> None:
    ids = await scene.accept("smpp-a", submit(b"one"), submit(b"two"))
    await scene.settle("smpp-a", ids[:1], DELIVERED)
    archive = Archive(scene.store, scene.time.wall)
    await archive.catch_up()
    await scene.operator.accounts.change("smpp-a", {"text_retention": 30})

    scene.time.now += 29 * DAY
    assert await archive.erase() == 0
    scene.time.now += 2 * DAY
    assert await archive.erase() == 1  # the other one has not ended
    assert await texts(scene) == ["two", ""]
    assert await archive.erase() == 0
    await scene.settle("smpp-a", ids[1:], DELIVERED)
    assert await archive.erase() == 1
    items, _ = await scene.operator.history.outgoing("smpp-a", Filter(recipient="48600100200"))
    assert [each["text"] for each in items] == ["", ""]
    assert (await scene.operator.accounts.show("smpp-a"))["balance"] == "98"
    assert await scene.store.audit() == []


async def test_while_clients_ask_it_takes_little_at_a_time(scene: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        await scene.accept("smpp-a", *[submit(b"one")] * 40, charge=0)
    asked = dict[int, bool]()

    class Watched(Archive):
        async def _breathe(self) -> None:
            asked[await scene.store.history.count(await scene.id_of("smpp-a"), Wanted())] = self._asked()
            monkeypatch.setattr(type(scene.store), "idle", LATELY)

    monkeypatch.setattr(type(scene.store), "idle", LATELY / 2)
    await Watched(scene.store, scene.time.wall).catch_up()
    assert list(asked.items()) == [(SIP, True), (SIP + BITE, False)]


async def test_numbers_have_a_time_of_their_own(scene: Desk) -> None:
    ids = await scene.accept("smpp-a", submit(b"one"))
    await scene.settle("smpp-a", ids, DELIVERED)
    account = await scene.id_of("smpp-a")
    await scene.store.refuse([RefusalRow(int(scene.time.now * 1000), account, "message", "x", destination="48600100")])
    archive = Archive(scene.store, scene.time.wall)
    await archive.catch_up()
    await scene.operator.accounts.change("smpp-a", {"number_retention": 10, "text_retention": 20})
    scene.time.now += 11 * DAY
    assert await archive.erase() == 1
    [shown] = (await scene.operator.history.outgoing("smpp-a"))[0]
    assert (shown["text"], shown["source_addr"], shown["destination_addr"]) == ("one", "", "")
    assert (await scene.operator.history.outgoing("smpp-a", Filter(recipient="48600100200")))[0] == []
    assert (await scene.operator.history.refused("smpp-a"))[0] == []
    scene.time.now += 10 * DAY
    assert await archive.erase() == 1
    assert (await scene.operator.history.show("smpp-a", str(ids[0])))["erased"]
    assert await scene.store.audit() == []


async def test_what_is_never_to_be_erased_is_not(scene: Desk) -> None:
    ids = await scene.accept("smpp-a", submit(b"one"))
    await scene.settle("smpp-a", ids, DELIVERED)
    archive = Archive(scene.store, scene.time.wall)
    await archive.catch_up()
    scene.time.now += 4000 * DAY
    assert (await archive.erase(), await texts(scene)) == (0, ["one"])


async def test_received_messages_go_once_a_client_has_taken_them(scene: Desk) -> None:
    await scene.operator.accounts.change("smpp-a", {"senders": ["36180"], "text_retention": 30, "number_retention": 40})
    taken = await scene.operator.incoming.inject("48600100200", "36180", "taken")
    await scene.operator.incoming.inject("48600100200", "36180", "waiting")
    account = (await scene.store.accounts())[0].id
    await scene.store.acknowledge(account, [int(each) for each in taken["message_ids"]])
    archive = Archive(scene.store, scene.time.wall)
    await archive.catch_up()

    async def left() -> list[tuple[str, str]]:
        items, _ = await scene.operator.history.incoming("smpp-a")
        return [(each["source_addr"], each["text"]) for each in items]

    scene.time.now += 29 * DAY
    assert await archive.erase() == 0
    scene.time.now += 2 * DAY
    assert await archive.erase() == 1
    assert await left() == [("48600100200", "waiting"), ("48600100200", "")]
    scene.time.now += 10 * DAY
    assert await archive.erase() == 1
    assert await left() == [("48600100200", "waiting")]
