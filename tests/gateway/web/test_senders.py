"""Senders, their documents and the blacklist over HTTP, as owners, others and attackers ask for them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest

from gateway.admin.senders import LARGEST_DOCUMENT
from tests.gateway.desk import Desk as Scene
from tests.gateway.desk import open_desk

from .test_api import problem
from .visitors import login, person, public, token

API = "/api/v1/accounts"
PDF, PNG = b"%PDF-1.7\n%%EOF\n", b"\x89PNG\r\n\x1a\n..."
POLYGLOT = PDF + b"<script>alert(1)</script>"
REGISTRATION = {"sender": "MAPLE", "reason": "our shop"}
HOSTILE = (
    "'; DROP TABLE sender; --", '"><script>alert(1)</script>', "=HYPERLINK(1)", "a\r\nSet-Cookie: x=1",
    "\x1b[2J", "\u202e",
)  # fmt: skip


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_desk(tmp_path) as opened:
        for name in ("acme", "other"):
            await opened.operator.accounts.create({"name": name})
        yield opened


@pytest.fixture
async def owner(scene: Scene) -> AsyncIterator[httpx2.AsyncClient]:
    who = await person(scene, accounts=["acme"])
    async with public(scene, await token(scene, who, "read", "settings")) as client:
        yield client


# -- senders ---------------------------------------------------------------------------------------------------------
async def test_the_life_of_a_sender(scene: Scene, owner: httpx2.AsyncClient) -> None:
    here = f"{API}/acme/senders"
    made = await owner.post(here, json={**REGISTRATION, "description": "Shop"})
    assert (made.status_code, made.json()["state"]) == (201, "waiting")
    problem(await owner.post(here, json=REGISTRATION), 409)
    problem(await owner.post(f"{here}/MAPLE/enable", json={}), 409)
    for step in ("approve", "refuse"):  # nobody decides about their own
        problem(await owner.post(f"{here}/MAPLE/{step}", json={"comment": "mine"}), 403)
    await scene.operator.senders.approve("acme", "MAPLE", "welcome")
    shown = (await owner.get(f"{here}/MAPLE")).json()
    assert (shown["state"], shown["comment"], shown["documents"]) == ("enabled", "welcome", [])
    assert (await owner.post(f"{here}/MAPLE/disable", json={})).json()["state"] == "disabled"
    assert (await owner.post(f"{here}/MAPLE/enable", json={})).json()["state"] == "enabled"
    changed = await owner.patch(f"{here}/MAPLE", json={"description": "The shop"})
    assert changed.json()["description"] == "The shop"
    assert (await owner.delete(f"{here}/MAPLE")).json() == {"removed": 1}
    problem(await owner.get(f"{here}/MAPLE"), 404)


@pytest.mark.parametrize("sender", ["A/B", "A?B", "A#B", "A%2FB", "..", "A B", "/"])
async def test_a_sender_of_any_characters_has_an_address(
    scene: Scene, owner: httpx2.AsyncClient, sender: str
) -> None:
    here = f"{API}/acme/senders/{quote(sender, safe='').replace('.', '%2E')}"
    assert (await owner.post(f"{API}/acme/senders", json={**REGISTRATION, "sender": sender})).status_code == 201
    assert (await owner.get(here)).json()["sender"] == sender
    await scene.operator.senders.approve("acme", sender)
    assert (await owner.post(f"{here}/disable", json={})).json()["state"] == "disabled"
    added = await owner.post(f"{here}/documents", params={"filename": "x.pdf"}, content=PDF)
    assert (await owner.get(f"{here}/documents/{added.json()['id']}")).content == PDF
    assert (await owner.delete(here)).json() == {"removed": 1}


async def test_what_an_operator_took_away_its_owner_cannot_take_back(scene: Scene, owner: httpx2.AsyncClient) -> None:
    await owner.post(f"{API}/acme/senders", json=REGISTRATION)
    await scene.operator.senders.approve("acme", "MAPLE")
    await scene.operator.accounts.change("acme", {"senders": []})
    problem(await owner.post(f"{API}/acme/senders/MAPLE/enable", json={}), 409)
    assert (await scene.operator.accounts.show("acme"))["senders"] == []
    await scene.operator.senders.approve("acme", "MAPLE")
    assert (await scene.operator.accounts.show("acme"))["senders"] == ["MAPLE"]


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_words_are_refused_by_name_or_kept_as_they_are(owner: httpx2.AsyncClient, text: str) -> None:
    body = {"sender": "MAPLE", "reason": text, "description": text}
    made = await owner.post(f"{API}/acme/senders", json=body)
    if text.isprintable():
        assert (made.json()["reason"], made.json()["description"]) == (text, text)
    else:
        assert {wrong["field"] for wrong in problem(made, 422)["errors"]} == {"reason", "description"}
        assert (await owner.get(f"{API}/acme/senders")).json()["items"] == []


async def test_another_customers_are_as_those_that_were_never_there(scene: Scene, owner: httpx2.AsyncClient) -> None:
    await scene.operator.senders.register("other", "MAPLE", "theirs")
    made = await scene.operator.senders.add_document("other", "MAPLE", "x.pdf", PDF)
    await scene.operator.blacklist.add("other", ["48600100200"])
    await owner.post(f"{API}/acme/senders", json=REGISTRATION)
    problem(await owner.get(f"{API}/acme/senders/MAPLE/documents/{made['id']}"), 404)
    for method, path, body in (
        ("GET", "senders", None), ("POST", "senders", REGISTRATION), ("GET", "senders/MAPLE", None),
        ("PATCH", "senders/MAPLE", {"description": "x"}), ("DELETE", "senders/MAPLE", None),
        ("POST", "senders/MAPLE/enable", {}), ("POST", "senders/MAPLE/disable", {}),
        ("POST", "senders/delete", {"senders": ["MAPLE"]}), ("GET", f"senders/MAPLE/documents/{made['id']}", None),
        ("POST", "senders/MAPLE/documents?filename=x.pdf", None), ("GET", "blacklists", None),
        ("POST", "blacklists", {"numbers": ["48600100200"]}), ("DELETE", "blacklists/48600100200", None),
    ):  # fmt: skip
        there, not_there = [
            await owner.request(method, f"{API}/{name}/{path}", json=body) for name in ("other", "never")
        ]
        assert (there.status_code, there.text.replace("other", "never")) == (404, not_there.text), path
    problem(await owner.get("/api/v1/senders"), 403)


async def test_who_may_only_look_changes_nothing(scene: Scene) -> None:
    who = await person(scene, accounts=["acme"], read_only=True)
    async with public(scene, await login(scene, who)) as client:
        assert (await client.get(f"{API}/acme/senders")).status_code == 200
        problem(await client.post(f"{API}/acme/senders", json=REGISTRATION), 403)
        problem(await client.post(f"{API}/acme/blacklists", json={"numbers": ["48600100200"]}), 403)
        await scene.operator.blacklist.add("acme", ["48600100200", "48600100201"])
        listed = (await client.get(f"{API}/acme/blacklists", params={"limit": 1, "beginning": "486"})).json()
        assert ([one["number"] for one in listed["items"]], listed["next"]) == (["4860•••••00"], None)
        assert "48600100200" not in (await client.get("/api/v1/changes")).text
        problem(await client.get(f"{API}/acme/blacklists/48600100200"), 404)


# -- documents -------------------------------------------------------------------------------------------------------
async def test_a_document_comes_back_to_be_saved_and_never_to_be_run(owner: httpx2.AsyncClient) -> None:
    here = f"{API}/acme/senders/MAPLE/documents"
    await owner.post(f"{API}/acme/senders", json=REGISTRATION)
    for name in ('x".html', "../../etc/passwd", "żółw.pdf", "<svg onload=alert(1)>.pdf"):
        added = await owner.post(here, params={"filename": name}, content=POLYGLOT)
        assert (added.status_code, added.json()["type"]) == (201, "application/pdf")
        got = await owner.get(f"{here}/{added.json()['id']}")
        assert (got.content, got.headers["content-type"]) == (POLYGLOT, "application/pdf")
        disposition = got.headers["content-disposition"]
        assert disposition.startswith("attachment;")
        assert disposition.isascii()
        assert not set(disposition) & set('"<>/\r\n')
        assert (got.headers["x-content-type-options"], got.headers["content-security-policy"]) == ("nosniff", "sandbox")


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "document"), (b"MZ" + b"\0" * 100, "document"), (b"PK\x03\x04" + b"\0" * 100, "document"),
        (b"<html>" + PDF, "document"), (b"GIF89a/*" + PNG, "document"), (b"\x1f\x8b\x08" + b"\0" * 100, "document"),
        (PDF.ljust(LARGEST_DOCUMENT + 1), "document"),
    ],
    ids=["nothing", "program", "zip", "page", "gif", "gzip", "a byte too many"],
)  # fmt: skip
async def test_what_is_no_document_is_refused_whatever_it_is_called(
    owner: httpx2.AsyncClient, content: bytes, field: str
) -> None:
    await owner.post(f"{API}/acme/senders", json=REGISTRATION)
    here = f"{API}/acme/senders/MAPLE"
    answer = await owner.post(f"{here}/documents", params={"filename": "letter.pdf"}, content=content)
    assert field in {wrong["field"] for wrong in problem(answer, 422)["errors"]}
    assert (await owner.get(here)).json()["documents"] == []


async def test_ten_documents_fit_and_ten_megabytes_each(owner: httpx2.AsyncClient) -> None:
    here = f"{API}/acme/senders/MAPLE/documents"
    await owner.post(f"{API}/acme/senders", json=REGISTRATION)
    largest = await owner.post(here, params={"filename": "x"}, content=PDF.ljust(LARGEST_DOCUMENT))
    assert largest.status_code == 201
    for _ in range(9):
        assert (await owner.post(here, params={"filename": "x"}, content=PNG)).status_code == 201
    problem(await owner.post(here, params={"filename": "x"}, content=PNG), 409)


# -- the blacklist ---------------------------------------------------------------------------------------------------
async def test_numbers_are_added_listed_and_deleted(owner: httpx2.AsyncClient) -> None:
    here = f"{API}/acme/blacklists"
    body = {"numbers": ["+48 600 100 200", "48600100201"], "note": "by letter"}
    assert (await owner.post(here, json=body)).status_code == 201
    first = (await owner.get(here, params={"limit": 1})).json()
    assert (first["count"], first["next"]) == (2, "48600100200")
    [last] = (await owner.get(here, params={"after": first["next"]})).json()["items"]
    assert (last["number"], last["origin"], last["note"]) == ("48600100201", "manual", "by letter")
    assert (await owner.get(f"{here}/48600100201")).json() == last
    assert (await owner.delete(f"{here}/+48600100200")).json() == {"removed": 1}
    problem(await owner.get(f"{here}/48600100200"), 404)
    await owner.post(here, json={"numbers": ["48600100202"]})
    both = {"numbers": ["48600100201", "48600100202"]}
    assert (await owner.post(f"{here}/delete", json=both)).json() == {"removed": 2}
    problem(await owner.delete(f"{here}/48600100200"), 404)


@pytest.mark.parametrize("number", ["", "12", "0" * 16, "4860010020x", "٤٨٦٠٠١٠٠٢٠٠", *HOSTILE])
async def test_what_is_no_number_is_refused_with_what_would_be_right(owner: httpx2.AsyncClient, number: str) -> None:
    answer = await owner.post(f"{API}/acme/blacklists", json={"numbers": ["48600100200", number]})
    assert "digits" in problem(answer, 422)["errors"][0]["reason"]
    assert (await owner.get(f"{API}/acme/blacklists")).json()["count"] == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("senders", {"sender": "\ud800", "reason": "\udfff", "description": "\0"}),
        ("senders/delete", {"senders": ["\ud800"]}),
        ("senders/delete", {"senders": ["\0", "x" * 100_000]}),
        ("senders/MAPLE/refuse", {"comment": "\ud800"}),
        ("senders/MAPLE/documents?filename=%ff%00", {}),
        ("senders/%00/enable", {}),
        ("senders/%ff%fe/disable", {}),
        ("blacklists", {"numbers": ["\ud800"], "note": "\ud800"}),
        ("blacklists/delete", {"numbers": ["\ud800", ""]}),
    ],
)
async def test_what_no_text_can_hold_is_refused_and_surprises_nobody(
    scene: Scene, path: str, body: dict[str, object]
) -> None:
    who = await person(scene, operator=True)
    async with public(scene, await token(scene, who, "read", "settings", "operate")) as client:
        await client.post(f"{API}/acme/senders", json=REGISTRATION)
        content = json.dumps(body).encode()
        answer = await client.post(f"{API}/acme/{path}", content=content, headers={"Content-Type": "application/json"})
        assert 400 <= answer.status_code < 500, answer.text


@pytest.mark.parametrize(
    "path",
    [
        "senders/%00", "senders/%ff", "senders/MAPLE/documents/99999999999999999999", "senders/MAPLE/documents/-1",
        "senders/" + "A" * 5_000, "blacklists/%00", "blacklists/" + "9" * 5_000,
    ],
)  # fmt: skip
async def test_an_address_of_nothing_is_an_ordinary_answer(owner: httpx2.AsyncClient, path: str) -> None:
    await owner.post(f"{API}/acme/senders", json=REGISTRATION)
    for method in ("GET", "DELETE"):
        assert (await owner.request(method, f"{API}/acme/{path}")).status_code in (404, 405, 422)
