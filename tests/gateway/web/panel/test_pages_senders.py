"""Senders and the blacklist in the browser: registered with files, decided about in the queue, switched, deleted."""

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx2
import pytest

from gateway.admin.senders import LARGEST_DOCUMENT
from tests.gateway.desk import Desk
from tests.gateway.web.visitors import Login, login, person, public

from .browser import browsing, customer, seen

HERE = "/accounts/smpp-acme/senders"
LIST = "/accounts/smpp-acme/blacklist"
HOSTILE = '"><script>alert(1)</script>'
PDF = b"%PDF-1.7\n%%EOF\n"
REGISTRATION = {"sender": "MAPLE", "reason": "our shop", "description": "Shop"}


@pytest.fixture
async def owner(desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    for name in ("acme", "rival"):
        await desk.operator.accounts.create({"name": name})
    async with browsing(desk, customer(await desk.id_of("smpp-acme"))) as browser:
        yield browser


def handed_in(*contents: bytes, name: str = "letter.pdf") -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("documents", (name, content, "application/pdf")) for content in contents]


async def states(desk: Desk) -> dict[str, str]:
    return {one["sender"]: one["state"] for one in await desk.operator.senders.all("acme")}


@pytest.mark.parametrize("sender", [".", "..", "a/..", "./.", "?#%", "a b", "..."])
async def test_every_sender_has_a_page_whatever_a_browser_makes_of_dots(
    desk: Desk, owner: httpx2.AsyncClient, sender: str
) -> None:
    await desk.operator.senders.register("acme", sender, "ours")
    [address] = re.findall(rf'href="({HERE}/[^"?]+)"', (await owner.get(HERE)).text)
    assert {".", "..", "%2E", "%2E%2E"}.isdisjoint(address.split("/"))
    page = await owner.get(address)
    assert (page.status_code, "ours" in seen(page)) == (200, True)
    assert (await owner.get(f"/api/v1{address}")).json()["sender"] == sender


async def test_from_the_form_through_the_queue_to_the_wire(
    desk: Desk, owner: httpx2.AsyncClient, operator: httpx2.AsyncClient
) -> None:
    assert "No sender yet" in seen(await owner.get(HERE))
    answer = await owner.post(HERE, data=REGISTRATION, files=handed_in(PDF, PDF))
    assert (answer.status_code, answer.headers["location"]) == (303, HERE)
    assert "MAPLE" in seen(await owner.get(HERE))
    assert len((await desk.operator.senders.show("acme", "MAPLE"))["documents"]) == 2
    assert "our shop" in seen(await operator.get("/senders"))
    assert (await operator.post(f"{HERE}/MAPLE/approve", data={"comment": "welcome"})).status_code == 303
    assert "welcome" in seen(await owner.get(f"{HERE}/MAPLE"))
    assert "our shop" not in seen(await operator.get("/senders"))
    for step, state in (("disable", "disabled"), ("enable", "enabled")):
        assert (await owner.post(f"{HERE}/MAPLE/{step}")).status_code == 303
        assert await states(desk) == {"MAPLE": state}
    assert (await operator.post(f"{HERE}/MAPLE/refuse", data={"comment": ""})).status_code == 422
    await operator.post(f"{HERE}/MAPLE/refuse", data={"comment": HOSTILE})
    page = await owner.get(HERE)
    assert HOSTILE not in page.text
    assert "&lt;script&gt;" in page.text
    asked = await owner.get(HERE, params={"chosen": ["MAPLE", "NEVER"]})
    assert "Delete 1 sender" in seen(asked)
    assert (await owner.post(f"{HERE}/delete", data={"sender": ["MAPLE", "NEVER"]})).status_code == 303
    assert await states(desk) == {}


async def test_a_form_that_is_wrong_keeps_what_was_typed_and_changes_nothing(
    desk: Desk, owner: httpx2.AsyncClient
) -> None:
    answer = await owner.post(HERE, data={"sender": HOSTILE, "reason": "", "description": HOSTILE})
    page = seen(answer)
    assert answer.status_code == 422
    assert "letters, digits" in page
    assert "says what the sender is for" in page
    assert HOSTILE not in answer.text
    assert 'value="&#34;&gt;&lt;script&gt;' in answer.text
    for content in (b"MZ", b"PK\x03\x04", b"<html>", PDF.ljust(LARGEST_DOCUMENT + 1)):
        answer = await owner.post(HERE, data=REGISTRATION, files=handed_in(PDF, content))
        assert answer.status_code == 422
        assert "is a PDF, JPEG or PNG file" in seen(answer) or "octets" in seen(answer)
        assert await states(desk) == {}


async def test_eleven_files_are_too_many_and_nothing_is_registered(desk: Desk, owner: httpx2.AsyncClient) -> None:
    answer = await owner.post(HERE, data=REGISTRATION, files=handed_in(*[PDF] * 11))
    assert answer.status_code == 409
    assert "at most 10 documents" in seen(answer)
    assert "our shop" in answer.text  # what was typed is kept
    assert await states(desk) == {}
    assert (await owner.post(HERE, data=REGISTRATION, files=handed_in(*[PDF] * 10))).status_code == 303
    answer = await owner.post(f"{HERE}/MAPLE/documents", data={"description": "x"}, files=handed_in(PDF))
    assert answer.status_code == 409
    assert "at most 10 documents" in seen(answer)


async def test_large_files_pass_the_public_listener_also_later(desk: Desk) -> None:
    await desk.operator.accounts.create({"name": "acme"})
    session: Login = await login(desk, await person(desk, accounts=["acme"]))
    large = handed_in(PDF.ljust(LARGEST_DOCUMENT))
    async with public(desk, session) as browser:
        assert (await browser.post(HERE, data=REGISTRATION, files=large)).status_code == 303
        answer = await browser.post(f"{HERE}/MAPLE/documents", data={"description": "x"}, files=large)
        assert answer.status_code == 303
    assert len((await desk.operator.senders.show("acme", "MAPLE"))["documents"]) == 2


async def test_a_slash_in_a_sender_leads_where_it_should(desk: Desk, owner: httpx2.AsyncClient) -> None:
    await owner.post(HERE, data={**REGISTRATION, "sender": "A/B"}, files=handed_in(PDF))
    await desk.operator.senders.approve("acme", "A/B")
    there = f"{HERE}/{quote('A/B', safe='')}"
    page = await owner.get(there)
    assert "A/B" in seen(page)
    [document] = (await desk.operator.senders.show("acme", "A/B"))["documents"]
    assert f'href="{there}/documents/{document["id"]}"' in page.text
    saved = await owner.get(f"{there}/documents/{document['id']}")
    assert (saved.content, saved.headers["content-disposition"][:10]) == (PDF, "attachment")
    assert (await owner.post(f"{there}/disable")).status_code == 303
    assert await states(desk) == {"A/B": "disabled"}


async def test_nobody_elses_pages_are_there_and_readers_get_no_buttons(desk: Desk, owner: httpx2.AsyncClient) -> None:
    await desk.operator.senders.register("rival", "MAPLE", "theirs")
    for page in ("senders", "senders/MAPLE", "blacklist"):
        assert (await owner.get(f"/accounts/smpp-rival/{page}")).status_code == 404
    assert (await owner.get("/senders")).status_code == 403
    await desk.operator.senders.register("acme", "MAPLE", "ours")
    await desk.operator.blacklist.add("acme", ["48600100200"])
    async with browsing(desk, customer(await desk.id_of("smpp-acme"), read_only=True)) as reader:
        for page in (HERE, f"{HERE}/MAPLE", LIST):
            answer = await reader.get(page)
            assert answer.status_code == 200
            assert f'action="{page}' not in answer.text
        assert (await reader.post(LIST, data={"numbers": "48600100201"})).status_code == 403


async def test_the_pages_speak_polish(desk: Desk, owner: httpx2.AsyncClient) -> None:
    async with browsing(desk, customer(await desk.id_of("smpp-acme"), language="pl")) as browser:
        assert "Nadawcy" in seen(await browser.get(HERE))
        assert (await browser.get(LIST)).status_code == 200


async def test_numbers_are_added_found_and_deleted(desk: Desk, owner: httpx2.AsyncClient) -> None:
    answer = await owner.post(LIST, data={"numbers": "+48 600 100 200\n48600100201", "note": HOSTILE})
    assert answer.status_code == 303
    page = await owner.get(LIST)
    assert "48600100200" in seen(page)
    assert HOSTILE not in page.text
    answer = await owner.post(LIST, data={"numbers": f"48600100203\n{HOSTILE}"})
    assert answer.status_code == 422
    assert "48600100203" in answer.text  # what was typed is kept
    assert HOSTILE not in answer.text
    assert await desk.operator.blacklist.count("acme") == 2
    asked = await owner.get(LIST, params={"chosen": ["48600100200", HOSTILE]})
    assert "Delete 2 numbers" in seen(asked)
    assert HOSTILE not in asked.text
    assert (await owner.post(f"{LIST}/delete", data={"number": ["48600100200"]})).status_code == 303
    assert await desk.operator.blacklist.count("acme") == 1


async def test_how_the_blacklist_works_is_chosen_beside_it(desk: Desk, owner: httpx2.AsyncClient) -> None:
    wanted = {"blacklisted": "receipt", "stop_keywords": "stop, dość , "}
    assert (await owner.post(f"{LIST}/settings", data=wanted)).status_code == 303
    account = await desk.operator.accounts.show("acme")
    assert (account["blacklisted"], account["stop_keywords"]) == ("receipt", ["stop", "dość"])
    answer = await owner.post(f"{LIST}/settings", data={**wanted, "blacklisted": "ignore"})
    assert answer.status_code == 422
    assert "is one of: refuse, receipt" in seen(answer)
