"""The shell of the panel: headers, files, language and appearance, notes and errors."""

import hashlib

import httpx2

from gateway.web.panel import assets
from gateway.web.panel.assets import static
from tests.gateway.desk import Desk

from .browser import browsing, customer, seen

VENDORED = {  # from the npm registry: htmx.org 4.0.1 (0BSD), uplot 1.6.32 (MIT)
    "vendor/htmx.LICENSE": "d3d2456f76414f2456104660ebd65aff1c04cd7966b942bdabd63f3cdb316a38",
    "vendor/htmx.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
    "vendor/uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "vendor/uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "vendor/uplot.LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}


def test_what_is_vendored_is_what_was_published() -> None:
    found = {
        name: hashlib.sha256(asset.content).hexdigest()
        for name, asset in assets.ASSETS.items()
        if name.startswith("vendor/")
    }
    assert found == VENDORED


async def test_a_page_runs_nothing_but_our_files(operator: httpx2.AsyncClient) -> None:
    answer = await operator.get("/accounts")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert " style=" not in answer.text
    assert "<script>" not in answer.text


async def test_a_file_is_kept_for_ever_under_its_content(operator: httpx2.AsyncClient) -> None:
    answer = await operator.get(static("panel.css"))
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/css")
    for path in ("/static/000000000000/panel.css", "/static/0/..%2Frendering.py", "/static/0/nothing.js"):
        assert (await operator.get(path)).status_code == 404


async def test_language_and_appearance_are_chosen_without_a_script(operator: httpx2.AsyncClient) -> None:
    answer = await operator.post("/preferences", data={"language": "pl", "next": "/accounts?q=x"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/accounts?q=x")
    await operator.post("/preferences", data={"theme": "dark", "next": "//elsewhere.example"})
    page = (await operator.get("/accounts")).text
    assert '<html lang="pl" data-theme="dark">' in page
    assert "Konta" in page
    assert (await operator.post("/preferences", data={"next": "//evil.example"})).headers["location"] == "/"


async def test_the_language_of_the_person_is_spoken_until_they_choose(desk: Desk) -> None:
    async with browsing(desk, customer(language="pl")) as browser:
        assert "Nie ma jeszcze konta" in (await browser.get("/accounts")).text


async def test_a_note_is_shown_once_and_only_if_it_is_ours(operator: httpx2.AsyncClient, desk: Desk) -> None:
    await desk.operator.accounts.create({"name": "acme"})
    assert (await operator.post("/accounts/acme/disable")).status_code == 303
    assert "smpp-acme is disabled." in seen(await operator.get("/accounts"))
    assert "smpp-acme is disabled." not in seen(await operator.get("/accounts"))
    forged = await operator.get("/accounts", headers={"cookie": "notice=WyJFdmlsIiwgIm9rIiwgbnVsbF0=.0123"})
    assert "Evil" not in forged.text


async def test_what_goes_wrong_on_a_page_is_a_page(operator: httpx2.AsyncClient) -> None:
    answer = await operator.get("/accounts/nobody/disable")
    assert answer.status_code == 404
    assert "there is no account smpp-nobody" in seen(answer)
    assert (await operator.get("/api/v1/accounts/nobody")).headers["content-type"] == "application/problem+json"


async def test_the_menu_offers_only_what_one_may_see(desk: Desk, operator: httpx2.AsyncClient) -> None:
    assert "Create an account" in seen(await operator.get("/accounts"))
    async with browsing(desk, customer()) as browser:
        page = await browser.get("/accounts")
        assert "Create an account" not in seen(page)
        assert (await browser.get("/accounts/new")).status_code == 403
