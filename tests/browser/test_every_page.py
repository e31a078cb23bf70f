"""Every page of the panel, as its people reach it: by the links of the pages before, light and dark, at a desk and on a
telephone. axe-core finds nothing, nothing is too wide, no policy is broken, nobody else is asked for anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from gateway.web.rights import ROLES, guarded
from tests.browser import busy
from tests.browser.conftest import Opening
from tests.browser.screen import DESKTOP, PHONE, Scheme, Screen
from tests.browser.stage import PASSWORD, Stage, come_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

API = "/api/"
NOT_PAGES = {
    "/": "leads to the accounts",
    "/login": "walked by whoever comes in",
    "/invitation/{secret}": "walked by whoever comes in",
    "/reset/{secret}": "looks like an invitation",
    "/forgot": "stands before the door",
    "/static/{digest}/{name:path}": "files",
    "/accounts/{name}/live": "events",
}
FILES = re.compile(r"\.csv$|/documents/|/file$|/download$")
PARTS = re.compile(r"/parts?(/|$)|/rows$")  # of pages that are there
BEFORE_THE_DOOR = ("/login", "/forgot", "/login?next=%2Faccounts", "/invitation/that-never-was", "/nowhere")


class Route(NamedTuple):
    path: str
    pattern: re.Pattern[str]


def routes(role: str) -> list[Route]:
    """The panel's pages that the role may open; those with fewer places first, as the app decides."""
    found = [
        each.path
        for each in guarded()
        if each.method == "GET" and not each.path.startswith(API) and each.open_to(role) and each.path not in NOT_PAGES
    ]
    return [Route(path, pattern(path)) for path in found if not FILES.search(path) and not PARTS.search(path)]


def pattern(path: str) -> re.Pattern[str]:
    places = re.sub(r"\{(\w+)(?::path)?\}", "PLACE", path)
    return re.compile(re.escape(places).replace("PLACE", r"[^/]+") + r"/?$")


class Walk:
    """Two windows of one person. Each route is looked at once, on the first address that is found of it."""

    def __init__(self, role: str, account: str, desk: Screen, phone: Screen) -> None:
        self.desk, self.phone = desk, phone
        self.missing = {route.path: route.pattern for route in routes(role)}
        self.known, self.waiting = set[str](), [f"/accounts/{account}", "/accounts"]

    def go(self) -> None:
        while self.waiting:
            path = self.waiting.pop(0)
            route = next((route for route, fits in self.missing.items() if fits.match(path.partition("?")[0])), None)
            if route is not None:
                del self.missing[route]
                self.look(path, re.sub(r"\W+", "-", route).strip("-"))

    def look(self, path: str, name: str) -> None:
        for screen, where in ((self.desk, "desk"), (self.phone, "phone")):
            screen.open(path)
            schemes: tuple[Scheme, ...] = ("light", "dark")
            for scheme in schemes:
                screen.looks(scheme)
                screen.judge()
                screen.shoot(f"{name}-{where}-{scheme}")
        links = self.desk.page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
        for link in links:
            there = urlsplit(link)
            address = there.path + (f"?{there.query}" if there.query else "")
            if link.startswith(self.desk.url + "/") and there.path not in self.known and not FILES.search(there.path):
                self.known.add(there.path)
                self.waiting.append(address)


@contextmanager
def walking(
    stage: Stage,
    opening: Opening,
    folder: str,
    role: str,
    email: str,
    account: str = "smpp-maple",
    language: str = "en",
    **person: Any,
) -> Iterator[Walk]:
    link = stage.invite(email, language=language, **person)
    with opening(folder, language=language, **DESKTOP) as desk:
        come_in(desk, link, email, email.partition("@")[0].capitalize())
        state = desk.context.storage_state()
        with opening(folder, language=language, storage_state=state, **PHONE) as phone:
            yield Walk(role, account, desk, phone)


@pytest.fixture(scope="module", autouse=True)
def _busy(stage: Stage) -> Iterator[None]:
    with busy.busy(stage):
        yield


PEOPLE: dict[str, dict[str, Any]] = {
    "operator": {"email": "duty@gate.example", "operator": True},
    "customer": {"email": busy.OWNER, "accounts": ["smpp-maple", "smpp-birch"], "language": "pl"},
    "customer, read only": {"email": busy.READER, "accounts": ["smpp-maple"], "read_only": True},
}


@pytest.mark.parametrize("role", PEOPLE)
def test_every_page_can_be_read_and_used_by_everybody(stage: Stage, opening: Opening, role: str) -> None:
    assert role in ROLES
    folder = re.sub(r"\W+", "-", f"pages-{role}")
    with walking(stage, opening, folder, role, **PEOPLE[role]) as walk:
        walk.go()
    assert walk.missing.keys() == set(), "no link leads there"


def test_an_account_that_has_nothing_yet(stage: Stage, opening: Opening) -> None:
    owner: dict[str, Any] = {"email": busy.NEWCOMER, "account": "smpp-oak", "accounts": ["smpp-oak"]}
    with walking(stage, opening, "pages-nothing-yet", "customer", **owner) as walk:
        walk.go()


def test_the_pages_before_the_door(chromium: Browser, stage: Stage, opening: Opening) -> None:
    for looks in (DESKTOP, PHONE):
        with opening("pages-outside", **looks) as screen:
            for path in BEFORE_THE_DOOR:
                screen.open(path)
                for scheme in ("light", "dark"):
                    screen.looks(scheme)
                    screen.judge()
            screen.open("/login")
            screen.field("E-mail").fill("nobody@gate.example")
            screen.field("Password").fill(PASSWORD)
            screen.button("Sign in").click()
            screen.judge()
