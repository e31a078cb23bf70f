"""Exports: written in pieces, gone on with after a restart, cut to what counts, given up, cleared away."""

import csv
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway import exports
from gateway.admin import Conflict, Forbidden, Invalid, NotFound
from gateway.admin import history as admin_history
from gateway.admin.actor import actor_of
from gateway.admin.exports import MOST
from gateway.admin.history import Filter
from gateway.exports import Exporter
from store.protocol import StoreError
from tests.gateway.desk import Desk, open_desk, submit
from tests.gateway.web.visitors import person

NUMBER = "48600100200"
DAY = 86_400
MESSAGES = 1_203


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(exports, "SYNC", 0.0)
    monkeypatch.setattr(admin_history, "BREATH", 0.0)
    monkeypatch.setattr(admin_history, "GIVE_WAY", 0.0)
    async with open_desk(tmp_path) as opened:
        await opened.operator.accounts.create({"name": "smpp-a", "credits": "10000", "senders": ["36180"]})
        yield opened


@pytest.fixture
def exporter(scene: Desk, tmp_path: Path) -> Exporter:
    return Exporter(scene.house, tmp_path / "exports", scene.time.wall)


async def ordered(scene: Desk, direction: str = "outgoing", **asked: str) -> int:
    made = await scene.operator.exports.order("smpp-a", direction, Filter(**asked))
    assert (made["state"], made["rows"]) == ("waiting", 0)
    number: int = made["id"]
    return number


async def rows(scene: Desk, id_: int) -> list[dict[str, str]]:
    file = await scene.operator.exports.file("smpp-a", id_)
    return list(csv.DictReader(file.read_text("utf-8").splitlines()))


async def test_all_that_fits_is_in_it_once(scene: Desk, exporter: Exporter) -> None:
    await scene.accept("smpp-a", *[submit(b"=%d" % n, "ACME" if n % 3 else "MAPLE") for n in range(MESSAGES)])
    whole, some = await ordered(scene), await ordered(scene, sender="MAPLE")
    with pytest.raises(Conflict, match="not done"):
        await scene.operator.exports.file("smpp-a", whole)
    while await exporter.look():
        pass
    assert [row["message"] for row in await rows(scene, whole)] == [f"'={n}" for n in reversed(range(MESSAGES))]
    assert len(await rows(scene, some)) == MESSAGES / 3
    shown = await scene.operator.exports.show("smpp-a", whole)
    assert (shown["state"], shown["rows"], shown["open"]) == ("done", MESSAGES, False)
    assert (await scene.operator.exports.file("smpp-a", whole)).stat().st_mode & 0o777 == 0o600


async def test_received_messages_too(scene: Desk, exporter: Exporter) -> None:
    await scene.operator.incoming.inject(NUMBER, "36180", "hello")
    id_ = await ordered(scene, "incoming", sender=NUMBER)
    await exporter.look()
    assert [(row["sender"], row["message"]) for row in await rows(scene, id_)] == [(NUMBER, "hello")]


async def test_after_a_fault_in_the_middle_it_goes_on_where_it_was_sure(
    scene: Desk, exporter: Exporter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.accept("smpp-a", *[submit(b"%d" % n) for n in range(MESSAGES)])
    id_ = await ordered(scene)
    keep, times = exporter.keep, 0

    async def failing(*args: object) -> bool:
        nonlocal times
        times += 1
        if times == 5:
            raise StoreError("the store is away")
        return await keep(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(exporter, "keep", failing)
    with pytest.raises(StoreError):
        await exporter.look()
    before = await scene.operator.exports.show("smpp-a", id_)
    assert (before["state"], 0 < before["rows"] < MESSAGES) == ("running", True)
    assert (tmp_path / "exports" / f"{id_}.csv").stat().st_size > before["octets"]  # what was not sure yet
    assert await Exporter(scene.house, tmp_path / "exports", scene.time.wall).look()  # a new process
    assert [row["message"] for row in await rows(scene, id_)] == [str(n) for n in reversed(range(MESSAGES))]


async def test_an_export_whose_file_is_gone_fails_and_says_so(
    scene: Desk, exporter: Exporter, tmp_path: Path
) -> None:
    await scene.accept("smpp-a", submit())
    id_ = await ordered(scene)
    await scene.store.exports.progress(id_, 10, 1_000, 5, 20)
    await exporter.look()
    shown = await scene.operator.exports.show("smpp-a", id_)
    assert (shown["state"], shown["reason"]) == ("failed", "its file was removed or cut")
    assert list((tmp_path / "exports").iterdir()) == []


async def test_a_full_disk_ends_it(scene: Desk, exporter: Exporter, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.accept("smpp-a", submit())
    id_ = await ordered(scene)
    monkeypatch.setattr(exporter, "room", lambda: False)
    await exporter.look()
    shown = await scene.operator.exports.show("smpp-a", id_)
    assert (shown["state"], shown["reason"]) == ("failed", "the disk is nearly full")


async def test_it_can_be_cancelled_while_it_is_written(
    scene: Desk, exporter: Exporter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.accept("smpp-a", *[submit(b"%d" % n) for n in range(MESSAGES)])
    id_ = await ordered(scene)
    keep = exporter.keep

    async def cancelling(*args: object) -> bool:
        await scene.operator.exports.cancel("smpp-a", id_)
        return await keep(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(exporter, "keep", cancelling)
    await exporter.look()
    assert (await scene.operator.exports.show("smpp-a", id_))["state"] == "cancelled"
    assert list((tmp_path / "exports").iterdir()) == []
    with pytest.raises(Conflict):
        await scene.operator.exports.cancel("smpp-a", id_)
    await scene.operator.exports.remove("smpp-a", id_)
    with pytest.raises(NotFound):
        await scene.operator.exports.show("smpp-a", id_)


async def test_who_may_only_look_gets_masked_numbers_and_no_others(scene: Desk, exporter: Exporter) -> None:
    await scene.accept("smpp-a", submit(destination=NUMBER))
    looking = scene.house.acting(actor_of(await person(scene, accounts=["smpp-a"], read_only=True), "", "panel"))
    whole, masked = await ordered(scene), (await looking.exports.order("smpp-a", "outgoing", Filter()))["id"]
    while await exporter.look():
        pass
    with pytest.raises(Forbidden):
        await looking.exports.file("smpp-a", whole)
    assert NUMBER not in (await looking.exports.file("smpp-a", masked)).read_text("utf-8")
    assert NUMBER in (await scene.operator.exports.file("smpp-a", whole)).read_text("utf-8")
    with pytest.raises(Forbidden):
        await looking.exports.remove("smpp-a", whole)
    await looking.exports.remove("smpp-a", masked)


async def test_so_many_and_no_more_and_only_what_can_be_asked(scene: Desk) -> None:
    with pytest.raises(Invalid):
        await scene.operator.exports.order("smpp-a", "outgoing", Filter(state="lost"))
    for _ in range(MOST):
        await ordered(scene)
    with pytest.raises(Conflict, match="at most"):
        await ordered(scene)
    await scene.operator.accounts.create({"name": "smpp-b"})
    stranger = scene.house.acting(actor_of(await person(scene, accounts=["smpp-b"]), "", "panel"))
    with pytest.raises(NotFound, match="there is no account"):
        await stranger.exports.show("smpp-a", 1)
    with pytest.raises(NotFound, match="has no export"):
        await stranger.exports.show("smpp-b", 1)


async def test_files_and_rows_go_with_their_time_and_with_each_other(
    scene: Desk, exporter: Exporter, tmp_path: Path
) -> None:
    first, second = await ordered(scene), await ordered(scene)
    while await exporter.look():
        pass
    folder = tmp_path / "exports"
    (folder / "99.csv").write_text("left over")
    (folder / f"{second}.csv").unlink()
    await exporter.tidy()
    assert [file.name for file in folder.iterdir()] == [f"{first}.csv"]
    assert [each["id"] for each in await scene.operator.exports.all("smpp-a")] == [first]
    scene.time.now += 8 * DAY
    await exporter.tidy()
    assert (list(folder.iterdir()), await scene.operator.exports.all("smpp-a")) == ([], [])
