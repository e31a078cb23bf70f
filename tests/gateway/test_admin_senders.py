"""Senders and the blacklist at the desk: registered, decided about, switched; and what the settings say in the end."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.admin import Conflict, Desk, Forbidden, Invalid, NotFound, incoming
from gateway.admin.actor import actor_of
from gateway.admin.senders import LARGEST_DOCUMENT
from store.office.senders import MOST_DOCUMENTS
from tests.gateway.desk import Desk as Scene
from tests.gateway.desk import open_desk
from tests.gateway.web.visitors import Letters, person

PDF, PNG, JPEG = b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n...", b"\xff\xd8\xff\xe0..."
HOSTILE = "<script>alert(1)</script>'; DROP TABLE sender; --"


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_desk(tmp_path) as opened:
        await opened.operator.accounts.create({"name": "smpp-a", "addresses": ["127.0.0.1"]})
        await opened.operator.accounts.create({"name": "smpp-b"})
        yield opened


@pytest.fixture
async def owner(scene: Scene) -> Desk:
    return scene.house.acting(actor_of(await person(scene, accounts=["smpp-a"]), "192.0.2.7", "panel"))


async def allowed(scene: Scene) -> list[str]:
    senders: list[str] = (await scene.operator.accounts.show("smpp-a"))["senders"]
    return senders


# -- the life of a sender --------------------------------------------------------------------------------------------
async def test_a_registered_sender_waits_until_an_operator_decides(scene: Scene, owner: Desk) -> None:
    made = await owner.senders.register("smpp-a", "MAPLE", "our shop", "Shop")
    assert (made["state"], made["type"], await allowed(scene)) == ("waiting", "alphanumeric", [])
    [waiting] = await scene.operator.senders.waiting()
    assert (waiting["account"], waiting["sender"]) == ("smpp-a", "MAPLE")

    decided = await scene.operator.senders.approve("smpp-a", "MAPLE", "fine")
    assert (decided["state"], decided["comment"], await allowed(scene)) == ("enabled", "fine", ["MAPLE"])
    assert await scene.operator.senders.waiting() == []


async def test_a_refused_one_says_why_and_can_be_registered_again(scene: Scene, owner: Desk) -> None:
    await owner.senders.register("smpp-a", "BANK", "we like it")
    with pytest.raises(Invalid, match="comment"):
        await scene.operator.senders.refuse("smpp-a", "BANK", " ")
    await scene.operator.senders.refuse("smpp-a", "BANK", "it is not yours")
    [shown] = await owner.senders.all("smpp-a")
    assert (shown["state"], shown["comment"], await allowed(scene)) == ("refused", "it is not yours", [])
    with pytest.raises(Conflict):
        await owner.senders.enable("smpp-a", "BANK")
    assert (await owner.senders.register("smpp-a", "BANK", "it is, look"))["state"] == "waiting"


async def test_the_owner_switches_it_off_and_on(scene: Scene, owner: Desk) -> None:
    await owner.senders.register("smpp-a", "MAPLE", "our shop")
    await scene.operator.senders.approve("smpp-a", "MAPLE")
    assert (await owner.senders.disable("smpp-a", "MAPLE"))["state"] == "disabled"
    assert await allowed(scene) == []
    assert (await owner.senders.enable("smpp-a", "MAPLE"))["state"] == "enabled"
    assert await allowed(scene) == ["MAPLE"]


async def test_what_an_operator_allowed_at_once_can_be_switched_off_and_on_again(scene: Scene, owner: Desk) -> None:
    await scene.operator.accounts.change("smpp-a", {"senders": ["36180"]})
    [shown] = await owner.senders.all("smpp-a")
    assert (shown["state"], shown["registered"]) == ("enabled", False)
    await owner.senders.disable("smpp-a", "36180")
    await owner.senders.enable("smpp-a", "36180")
    assert await allowed(scene) == ["36180"]


async def test_removing_takes_several_with_their_documents(scene: Scene, owner: Desk) -> None:
    for name in ("ONE", "TWO"):
        await owner.senders.register("smpp-a", name, "ours")
        await scene.operator.senders.approve("smpp-a", name)
    await owner.senders.add_document("smpp-a", "ONE", "x.pdf", PDF)
    assert await owner.senders.remove("smpp-a", ["ONE", "TWO", "NEVER"]) == 2
    assert (await owner.senders.all("smpp-a"), await allowed(scene)) == ([], [])


async def test_the_default_sender_stays_usable(scene: Scene, owner: Desk) -> None:
    await scene.operator.accounts.change("smpp-a", {"senders": ["MAPLE"], "default_sender": "MAPLE"})
    with pytest.raises(Conflict, match="default_sender"):
        await owner.senders.disable("smpp-a", "MAPLE")
    assert await allowed(scene) == ["MAPLE"]


async def test_only_an_operator_changes_that_any_sender_may_be_used(scene: Scene, owner: Desk) -> None:
    await scene.operator.accounts.change("smpp-a", {"senders": ["*"]})
    with pytest.raises(Forbidden):
        await owner.senders.remove("smpp-a", ["*"])
    with pytest.raises(Invalid):
        await owner.senders.register("smpp-a", "*", "everything")


@pytest.mark.parametrize("name", ["", "TWELVELETTERS", "+12", "12", "żółw", " A", HOSTILE, "A\nB"])
async def test_what_cannot_be_a_sender_says_why_and_leaves_nothing(owner: Desk, name: str) -> None:
    with pytest.raises(Invalid) as fault:
        await owner.senders.register("smpp-a", name, "ours")
    assert {wrong.field for wrong in fault.value.errors} == {"sender"}
    assert await owner.senders.all("smpp-a") == []


async def test_another_customers_senders_are_not_there(scene: Scene, owner: Desk) -> None:
    with pytest.raises(NotFound, match="there is no account smpp-b"):
        await owner.senders.register("smpp-b", "MAPLE", "ours")
    with pytest.raises(NotFound, match="there is no account smpp-b"):
        await owner.senders.all("smpp-b")


async def test_every_step_is_in_the_log_of_changes(scene: Scene, owner: Desk) -> None:
    await owner.senders.register("smpp-a", "MAPLE", HOSTILE)
    await scene.operator.senders.approve("smpp-a", "MAPLE")
    lines, _ = await scene.operator.changes.newest("smpp-a", None, 10)
    told = [(line["who"], line["new"]) for line in lines if line["subject"] == "sender"]
    asked = ("Ola <ola@example.com>", {"state": "waiting", "reason": HOSTILE})
    assert told == [("command line", {"state": "enabled"}), asked]


# -- documents -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("octets", "type_"), [(PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")])
async def test_a_document_is_what_its_octets_are(owner: Desk, octets: bytes, type_: str) -> None:
    await owner.senders.register("smpp-a", "MAPLE", "ours")
    made = await owner.senders.add_document("smpp-a", "MAPLE", "innocent.exe", octets)
    found, read = await owner.senders.document("smpp-a", "MAPLE", made["id"])
    assert (found["type"], read) == (type_, octets)


@pytest.mark.parametrize("octets", [b"", b"MZ...", b"PK\x03\x04", b"<svg onload=alert(1)>", b" %PDF-1.7", b"GIF89a"])
async def test_other_files_are_refused_whatever_their_name(owner: Desk, octets: bytes) -> None:
    await owner.senders.register("smpp-a", "MAPLE", "ours")
    with pytest.raises(Invalid, match="PDF, JPEG or PNG"):
        await owner.senders.add_document("smpp-a", "MAPLE", "x.pdf", octets)


async def test_ten_documents_of_ten_megabytes_are_the_end(owner: Desk) -> None:
    await owner.senders.register("smpp-a", "MAPLE", "ours")
    with pytest.raises(Invalid, match=str(LARGEST_DOCUMENT)):
        await owner.senders.add_document("smpp-a", "MAPLE", "x.pdf", PDF.ljust(LARGEST_DOCUMENT + 1))
    for _ in range(MOST_DOCUMENTS):
        await owner.senders.add_document("smpp-a", "MAPLE", "x.pdf", PDF)
    with pytest.raises(Conflict):
        await owner.senders.add_document("smpp-a", "MAPLE", "x.pdf", PDF)


# -- the blacklist ---------------------------------------------------------------------------------------------------
async def test_numbers_are_entered_in_any_spelling_and_stand_there_once(owner: Desk) -> None:
    await owner.blacklist.add("smpp-a", ["+48 600 100 200", "48600100200", "33 6 00 00 00 01"], "asked by letter")
    page, following = await owner.blacklist.page("smpp-a")
    assert [each["number"] for each in page] == ["33600000001", "48600100200"]
    assert {each["origin"] for each in page} == {"manual"}
    assert following is None
    assert await owner.blacklist.remove("smpp-a", ["+48600100200"]) == 1
    with pytest.raises(NotFound):
        await owner.blacklist.remove("smpp-a", ["48600100200"])


@pytest.mark.parametrize("number", ["", "12", "0" * 16, "48x", "٤٨٦٠٠", HOSTILE])
async def test_what_is_no_number_is_refused_whole(owner: Desk, number: str) -> None:
    with pytest.raises(Invalid):
        await owner.blacklist.add("smpp-a", ["48600100200", number])
    assert await owner.blacklist.count("smpp-a") == 0


@pytest.mark.parametrize(("text", "stops"), [("STOP", True), (" stop. ", True), ("Stop it", False), ("", False)])
async def test_whoever_answers_stop_is_on_the_list_once_it_is_stored(scene: Scene, text: str, stops: bool) -> None:
    await scene.operator.accounts.change("smpp-a", {"senders": ["36180"]})
    await scene.operator.incoming.inject("+48600100200", "36180", text)
    page, _ = await scene.operator.blacklist.page("smpp-a")
    assert [(each["number"], each["origin"]) for each in page] == ([("48600100200", "stop")] if stops else [])


async def test_a_list_that_is_full_takes_no_further_stop_and_the_message_is_stored(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "MOST_STOPPED", 2)
    await scene.operator.accounts.change("smpp-a", {"senders": ["36180"]})
    for number in range(3):
        made = await scene.operator.incoming.inject(f"4860010020{number}", "36180", "STOP")
        assert made["parts"] == 1
    assert [each["number"] for each in (await scene.operator.blacklist.page("smpp-a"))[0]] == [
        "48600100200", "48600100201",
    ]  # fmt: skip


async def test_pages_go_through_all_numbers_and_through_those_that_begin_so(owner: Desk) -> None:
    numbers = [f"4860010{n:04}" for n in range(25)] + ["33600000001"]
    await owner.blacklist.add("smpp-a", numbers)
    seen, after = list[str](), ""
    while True:
        page, following = await owner.blacklist.page("smpp-a", after, 7)
        seen += [each["number"] for each in page]
        if following is None:
            break
        after = following
    assert seen == sorted(numbers)
    assert [each["number"] for each in (await owner.blacklist.page("smpp-a", beginning="33"))[0]] == ["33600000001"]


async def test_the_owner_is_written_to_about_a_decision(tmp_path: Path) -> None:
    letters = Letters()
    async with open_desk(tmp_path, mail=letters) as scene:
        await scene.operator.accounts.create({"name": "smpp-a"})
        await scene.operator.senders.register("smpp-a", "MAPLE", "ours")
        await scene.operator.senders.approve("smpp-a", "MAPLE")
        await scene.operator.senders.refuse("smpp-a", "MAPLE", "not any more")
        account = str(await scene.id_of("smpp-a"))
        assert letters.sent == [("sender", account), ("sender", account)]
