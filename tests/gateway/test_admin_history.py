"""History at the desk: filters, the life of a message, masked numbers, CSV, erasing."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.admin import Conflict, Invalid, NotFound
from gateway.admin.actor import actor_of
from gateway.admin.history import COLUMNS, Filter
from gateway.admin.masking import masked
from pdu.constants import DELIVERED, UNDELIVERABLE
from tests.gateway.desk import Desk, open_desk, submit
from tests.gateway.web.visitors import person

HOSTILE = b"=HYPERLINK(A0)"


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        await opened.operator.accounts.create({"name": "smpp-a", "credits": "100"})
        yield opened


async def found(scene: Desk, **asked: str) -> list[str]:
    items, _ = await scene.operator.history.outgoing("smpp-a", Filter(**asked))
    return [each["text"] for each in items]


async def test_a_message_is_there_at_once_and_is_found_by_what_it_is(scene: Desk) -> None:
    first, second = await scene.accept(
        "smpp-a", submit(b"one", "ACME", "48600100200"), submit(b"two", "36180", "447700900100")
    )
    assert await found(scene) == ["two", "one"]
    await scene.settle("smpp-a", [first], UNDELIVERABLE, 9, True)
    assert await found(scene, state="undeliverable") == ["one"]
    assert await found(scene, state="under way") == ["two"]
    assert await found(scene, recipient="+44 7700 900100") == ["two"]
    assert await found(scene, sender="ACME") == ["one"]
    assert await found(scene, since="2027-01-15", until="2027-01-15") == ["two", "one"]
    assert await found(scene, since="2027-01-16") == await found(scene, until="2027-01-14") == []
    assert second > first


@pytest.mark.parametrize(("field", "value"), [("since", "yesterday"), ("until", "2026-02-30"), ("state", "lost")])
async def test_what_cannot_be_asked_for_says_why(scene: Desk, field: str, value: str) -> None:
    with pytest.raises(Invalid) as fault:
        await found(scene, **{field: value})
    assert [wrong.field for wrong in fault.value.errors] == [field]


async def test_pages_bring_each_message_once(scene: Desk) -> None:
    await scene.accept("smpp-a", *[submit(b"%d" % n) for n in range(7)])
    seen, before = list[str](), None
    while True:
        items, before = await scene.operator.history.outgoing("smpp-a", before=before, limit=3)
        seen += [each["text"] for each in items]
        if before is None:
            break
    assert seen == [str(n) for n in reversed(range(7))]


async def test_a_message_tells_its_life(scene: Desk) -> None:
    [id_] = await scene.accept("smpp-a", submit())
    shown = await scene.operator.history.show("smpp-a", str(id_))
    assert [(step["what"], step["at"] is not None) for step in shown["timeline"]] == [
        ("submitted", True), ("charged", True), ("ended", False),
    ]  # fmt: skip
    await scene.settle("smpp-a", [id_], UNDELIVERABLE, 9, True)
    shown = await scene.operator.history.show("smpp-a", str(id_))
    assert [step["what"] for step in shown["timeline"]] == [
        "submitted", "charged", "ended", "refunded", "no receipt owed",
    ]  # fmt: skip
    assert shown["timeline"][2]["error"] == 9


async def test_erasing_waits_for_the_end_and_takes_the_words(scene: Desk) -> None:
    [id_] = await scene.accept("smpp-a", submit())
    with pytest.raises(Conflict):
        await scene.operator.history.erase("smpp-a", [str(id_)])
    await scene.settle("smpp-a", [id_], DELIVERED)
    assert await scene.operator.history.erase("smpp-a", [str(id_)]) == 1
    shown = await scene.operator.history.show("smpp-a", str(id_))
    assert (shown["erased"], shown["text"], shown["destination_addr"], shown["charge"]) == (True, None, "", "1")


async def test_a_sheet_is_safe_to_open(scene: Desk) -> None:
    await scene.accept("smpp-a", submit(HOSTILE), submit(b'say "hi",\nthen go'))
    whole = "".join([piece async for piece in await scene.operator.history.sheet("smpp-a", Filter())])
    rows = list(csv.DictReader(io.StringIO(whole)))
    assert [row["message"] for row in rows] == ['say "hi",\nthen go', "'" + HOSTILE.decode()]


async def test_a_sheet_has_the_documented_columns_first(scene: Desk) -> None:
    [id_] = await scene.accept("smpp-a", submit(b"hi", "ACME", "48600100200"))
    await scene.settle("smpp-a", [id_], UNDELIVERABLE, 9, True)
    whole = "".join([piece async for piece in await scene.operator.history.sheet("smpp-a", Filter())])
    documented = ("id", "date", "sender", "receiver", "ptt", "operatorCode", "descriptionDlr", "tag", "message")
    assert COLUMNS[: len(documented)] == documented
    [row] = csv.DictReader(io.StringIO(whole))
    assert [row[each] for each in documented if each != "date"] == [
        str(id_), "ACME", "48600100200", "5", "", "undeliverable", "", "hi",
    ]  # fmt: skip
    assert (row["error"], row["credits"]) == ("9", "1")


async def test_who_may_only_look_sees_no_whole_number(scene: Desk) -> None:
    [id_] = await scene.accept("smpp-a", submit(destination="48600100200"))
    await scene.operator.accounts.change("smpp-a", {"senders": ["36180"]})
    await scene.operator.incoming.inject("48600100200", "36180", "hello")
    looking = scene.house.acting(actor_of(await person(scene, accounts=["smpp-a"], read_only=True), "", "panel"))
    whole = "".join([piece async for piece in await looking.history.sheet("smpp-a", Filter())])
    shown = [await looking.history.show("smpp-a", str(id_)), *(await looking.history.incoming("smpp-a"))[0]]
    shown += [*(await looking.messages.newest("smpp-a"))[0], *await looking.messages.show("smpp-a", str(id_))]
    whole += "".join([piece async for piece in await looking.messages.export("smpp-a")])
    assert "48600100200" not in whole + str(shown)
    assert masked("48600100200") in whole


async def test_another_customers_messages_are_not_there(scene: Desk) -> None:
    [id_] = await scene.accept("smpp-a", submit())
    await scene.operator.accounts.create({"name": "smpp-b"})
    stranger = scene.house.acting(actor_of(await person(scene, accounts=["smpp-b"]), "", "panel"))
    with pytest.raises(NotFound, match="there is no account smpp-a"):
        await stranger.history.show("smpp-a", str(id_))
    with pytest.raises(NotFound, match="has no message"):
        await stranger.history.show("smpp-b", str(id_))
