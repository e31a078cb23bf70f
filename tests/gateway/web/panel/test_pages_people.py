"""Signing in, one's own profile, people and the log of changes, as a browser meets them on the public listener."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pyotp
import pytest

from gateway.web.origin import FIELD, HEADER, PLAIN_NAME
from tests.gateway.desk import Desk, open_desk
from tests.gateway.web.panel.browser import seen
from tests.gateway.web.visitors import HERE, PASSWORD, Letters, login, person, public

HOSTILE = '"><script>alert(1)</script>'
NEW_PASSWORD = "another word that nobody has"


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        await opened.operator.accounts.create({"name": "acme", "description": HOSTILE})
        yield opened


@pytest.fixture
async def browser(scene: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    async with public(scene) as client:
        client.headers.update({"Origin": HERE, "Sec-Fetch-Site": "same-origin"})
        yield client


async def sign_in(browser: httpx2.AsyncClient, email: str = "ola@example.com", **more: str) -> httpx2.Response:
    return await browser.post("/login", data={"email": email, "password": PASSWORD, **more})


def csrf(answer: httpx2.Response) -> dict[str, str]:
    found = re.search(rf'name="{FIELD}" value="([0-9a-f]+)"', answer.text)
    assert found is not None
    return {FIELD: found[1]}


# -- in and out --------------------------------------------------------------------------------------------------------
async def test_who_is_not_known_is_asked_to_sign_in_and_led_on(scene: Desk, browser: httpx2.AsyncClient) -> None:
    await person(scene, accounts=["acme"])
    sent = await browser.get("/changes")
    assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=/changes")
    assert 'value="/changes"' in (await browser.get("/login?next=/changes")).text
    entered = await sign_in(browser, next="/changes")
    assert (entered.status_code, entered.headers["location"]) == (303, "/changes")
    assert {"HttpOnly", "SameSite=lax"} <= set(entered.headers["set-cookie"].split("; "))
    assert (await browser.get("/changes")).status_code == 200


@pytest.mark.parametrize(
    "path", ["https://evil.example", "//evil.example", "/\\evil.example", "/\r\nx: y", "javascript:1"]
)
async def test_nobody_is_led_to_another_house(scene: Desk, browser: httpx2.AsyncClient, path: str) -> None:
    await person(scene)
    assert (await sign_in(browser, next=path)).headers["location"] == "/accounts"
    assert 'name="next" value="/accounts"' in (await browser.get("/login", params={"next": path})).text


async def test_a_refused_login_keeps_the_address_and_never_the_password(browser: httpx2.AsyncClient) -> None:
    answer = await browser.post("/login", data={"email": HOSTILE, "password": "secret word"})
    assert answer.status_code == 422
    assert "The e-mail address or the password is wrong." in seen(answer)
    assert HOSTILE not in answer.text
    assert "script&gt;" in answer.text
    assert "secret word" not in answer.text


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
async def test_nobody_is_signed_in_by_a_page_from_elsewhere(
    scene: Desk, browser: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    await person(scene)
    browser.headers.update(headers)
    assert (await sign_in(browser)).status_code == 403
    assert browser.cookies.get(PLAIN_NAME) is None


async def test_over_plain_http_from_elsewhere_no_session_is_opened(scene: Desk) -> None:
    await person(scene)
    async with public(scene, base="http://192.0.2.9", peer=("192.0.2.7", 1)) as browser:
        browser.headers.update({"Origin": "http://192.0.2.9", "Sec-Fetch-Site": "same-origin"})
        answer = await sign_in(browser)
    assert (answer.status_code, "https only" in seen(answer)) == (403, True)


async def test_signing_in_again_ends_the_session_of_before_and_signing_out_this_one(
    scene: Desk, browser: httpx2.AsyncClient
) -> None:
    await person(scene)
    await sign_in(browser)
    first = browser.cookies[PLAIN_NAME]
    await sign_in(browser)
    second = browser.cookies[PLAIN_NAME]
    assert await scene.house.entrance.visitor(first) is None
    out = await browser.post("/logout", data=csrf(await browser.get("/accounts")))
    assert out.headers["location"] == "/login"
    assert await scene.house.entrance.visitor(second) is None
    assert (await browser.get("/accounts")).status_code == 303


async def test_a_code_is_asked_for_after_the_password(scene: Desk, browser: httpx2.AsyncClient) -> None:
    await person(scene)
    await sign_in(browser)
    begun = await browser.get("/me/codes")
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', begun.text)
    assert secret is not None
    assert "<svg" in begun.text
    otp = pyotp.TOTP(secret[1])
    typed = {**csrf(begun), "secret": secret[1], "current_password": PASSWORD}
    again = await browser.post("/me/codes", data={**typed, "code": "1"})
    assert (again.status_code, secret[1] in again.text) == (422, True)
    made = await browser.post("/me/codes", data={**typed, "code": otp.at(int(scene.time.now))})
    recovery = re.findall(r"<li>([a-z2-9-]{19})</li>", made.text)
    assert len(recovery) == 10
    browser.cookies.clear()
    half = await sign_in(browser, next="/me")
    assert browser.cookies.get(PLAIN_NAME) is None
    ticket = re.search(r'name="ticket" value="([^"]+)"', half.text)
    assert ticket is not None
    wrong = await browser.post("/login/code", data={"ticket": ticket[1], "code": "000000", "next": "/me"})
    assert (wrong.status_code, ticket[1] in wrong.text) == (422, True)
    entered = await browser.post("/login/code", data={"ticket": ticket[1], "code": recovery[0], "next": "/me"})
    assert entered.headers["location"] == "/me"
    assert "9 recovery codes are left" in seen(await browser.get("/me"))
    assert (await browser.post("/login/code", data={"ticket": "x", "code": "000000"})).status_code == 422


# -- by a link ---------------------------------------------------------------------------------------------------------
async def test_an_invitation_is_looked_at_as_often_as_one_likes_and_taken_up_once(
    scene: Desk, browser: httpx2.AsyncClient
) -> None:
    made = await scene.operator.people.add({"email": "ola@example.com", "name": HOSTILE})
    path = "/invitation/" + made["link"].rpartition("/")[2]
    for _ in range(2):
        shown = await browser.get(path)
        assert "You sign in as ola@example.com." in seen(shown)
        assert HOSTILE not in shown.text
    weak = await browser.post(path, data={"name": "Ola N.", "password": "short"})
    assert (weak.status_code, 'value="Ola N."' in weak.text) == (422, True)
    taken = await browser.post(path, data={"name": "Ola N.", "password": PASSWORD})
    assert taken.headers["location"] == "/login"
    assert (await sign_in(browser)).status_code == 303
    for answer in (await browser.get(path), await browser.post(path, data={"password": PASSWORD})):
        assert answer.status_code == 404
    assert (await browser.get(path.replace("invitation", "reset"))).status_code == 404


async def test_forgetting_ones_password_reads_the_same_for_everybody(tmp_path: Path) -> None:
    letters = Letters()
    async with open_desk(tmp_path, mail=letters) as scene:
        await person(scene)
        async with public(scene) as browser:
            browser.headers.update({"Origin": HERE})
            known = await browser.post("/forgot", data={"email": "ola@example.com"})
            unknown = await browser.post("/forgot", data={"email": "eve@example.com"})
    assert known.text == unknown.text
    assert "a letter is on its way" in seen(known)
    assert letters.sent[1:] == [("reset", "ola@example.com")]


async def test_without_a_mail_server_the_page_says_whom_to_ask(browser: httpx2.AsyncClient) -> None:
    assert "Ask an operator for a new invitation." in seen(await browser.get("/forgot"))


# -- oneself -----------------------------------------------------------------------------------------------------------
async def test_ones_own_profile_password_and_address(scene: Desk, browser: httpx2.AsyncClient) -> None:
    await person(scene)
    await sign_in(browser)
    token = csrf(await browser.get("/me"))
    wrong = await browser.post("/me/profile", data={**token, "name": HOSTILE, "language": "pl", "time_zone": "Mars"})
    assert (wrong.status_code, HOSTILE in wrong.text, 'value="Mars"' in wrong.text) == (422, False, True)
    await browser.post("/me/profile", data={**token, "name": HOSTILE, "language": "pl", "time_zone": "Europe/Warsaw"})
    page = await browser.get("/me")
    assert "Mój profil" in seen(page)
    assert HOSTILE not in page.text
    for path, typed in (
        ("/me/password", {"current_password": "wrong", "password": NEW_PASSWORD}),
        ("/me/email", {"current_password": "wrong", "email": "o@example.com"}),
        ("/me/codes/end", {"current_password": "wrong"}),
    ):
        refused = await browser.post(path, data={**token, **typed})
        assert refused.status_code == 422
        assert NEW_PASSWORD not in refused.text
    proof = {**token, "current_password": PASSWORD}
    assert (await browser.post("/me/email", data={**proof, "email": "o@example.com"})).status_code == 303
    assert (await browser.post("/me/password", data={**proof, "password": NEW_PASSWORD})).status_code == 303
    assert (await browser.get("/me")).status_code == 200


async def test_tokens_and_sessions_on_ones_own_page(scene: Desk, browser: httpx2.AsyncClient) -> None:
    other = await login(scene, await person(scene))
    await sign_in(browser)
    token = csrf(await browser.get("/me"))
    empty = await browser.post("/me/tokens", data={**token, "name": ""})
    assert empty.status_code == 422
    made = await browser.post("/me/tokens", data={**token, "name": HOSTILE, "scopes": ["read", "send"]})
    assert "smppgate_" in made.text
    page = await browser.get("/me")
    assert "smppgate_" not in page.text
    assert HOSTILE not in page.text
    assert (await browser.post("/me/tokens/1/revoke", data=token)).status_code == 303
    assert (await browser.post("/me/sessions/1/end", data=token)).status_code == 303
    assert await scene.house.entrance.visitor(other.secret) is None


@pytest.mark.parametrize("path", ["/me/profile", "/me/password", "/me/tokens", "/logout", "/changes/1/undo"])
async def test_a_form_without_the_token_of_the_session_does_nothing(
    scene: Desk, browser: httpx2.AsyncClient, path: str
) -> None:
    await person(scene)
    await sign_in(browser)
    for typed in ({}, {FIELD: "0" * 32}):
        assert (await browser.post(path, data=typed)).status_code == 403
    assert (await browser.get("/me")).status_code == 200
    assert HEADER not in browser.headers


# -- people ------------------------------------------------------------------------------------------------------------
async def test_an_operator_looks_after_people(scene: Desk, browser: httpx2.AsyncClient) -> None:
    await person(scene, "boss@example.com", operator=True)
    await sign_in(browser, "boss@example.com")
    token = csrf(await browser.get("/people/new"))
    typed = {**token, "email": "nobody", "name": HOSTILE, "role": "customer", "language": "pl", "accounts": "smpp-acme"}
    wrong = await browser.post("/people/new", data=typed)
    assert (wrong.status_code, 'value="nobody"' in wrong.text, HOSTILE in wrong.text) == (422, True, False)
    assert re.search(r'value="smpp-acme" checked', wrong.text)
    made = await browser.post("/people/new", data={**typed, "email": "ola@example.com"})
    assert "/invitation/" in made.text
    listed = await browser.get("/people")
    assert "/invitation/" not in listed.text
    assert "Has not chosen a password yet." in seen(listed)
    assert HOSTILE not in listed.text
    saved = await browser.post("/people/2", data={**typed, "email": "ola@example.com", "role": "reader"})
    assert saved.status_code == 303
    assert "Customer, read only" in seen(await browser.get("/people"))
    assert "/invitation/" in (await browser.post("/people/2/invitation", data=token)).text
    for path, more in (("codes", {}), ("enabled", {"enabled": "no"}), ("enabled", {"enabled": "yes"}), ("remove", {})):
        assert (await browser.post(f"/people/2/{path}", data={**token, **more})).status_code == 303
    assert (await browser.get("/people/2")).status_code == 404
    assert "dialog open" in (await browser.get("/people/1/remove")).text
    assert (await browser.post("/people/1/remove", data=token)).status_code == 409


async def test_who_only_oversees_sees_people_and_changes_nobody(scene: Desk, browser: httpx2.AsyncClient) -> None:
    await person(scene, "eye@example.com", operator=True, read_only=True)
    await sign_in(browser, "eye@example.com")
    page = await browser.get("/people")
    assert "/people/new" not in page.text
    assert (await browser.post("/people/new", data=csrf(page))).status_code == 403


async def test_customers_do_not_see_people(scene: Desk, browser: httpx2.AsyncClient) -> None:
    await person(scene)
    await sign_in(browser)
    assert (await browser.get("/people")).status_code == 403
    assert 'href="/people"' not in (await browser.get("/accounts")).text


# -- changes -----------------------------------------------------------------------------------------------------------
async def test_a_setting_is_undone_from_the_log(scene: Desk, browser: httpx2.AsyncClient) -> None:
    await person(scene, accounts=["acme"])
    await scene.operator.accounts.change("acme", {"description": "tidy", "window": 3})
    await sign_in(browser)
    log = await browser.get("/changes?account=smpp-acme")
    assert HOSTILE not in log.text
    paths = re.findall(r'action="(/changes/\d+/undo)"', log.text)
    assert len(paths) == 2  # the description, when it was made and now; never the window
    assert (await browser.post(paths[0], data=csrf(log))).status_code == 303
    assert (await scene.operator.accounts.show("acme"))["description"] == HOSTILE
    assert (await browser.post(paths[0], data=csrf(log))).status_code == 409
    assert (await browser.get("/changes?account=smpp-none")).status_code == 404


async def test_the_log_has_pages(scene: Desk, browser: httpx2.AsyncClient) -> None:
    for number in range(60):
        await scene.operator.accounts.change("acme", {"window": number + 1})
    await person(scene, accounts=["acme"])
    await sign_in(browser)
    page = await browser.get("/changes")
    older = re.search(r'href="(\?before=\d+)">Older', page.text)
    assert older is not None
    assert "Newer" in seen(await browser.get("/changes" + older[1]))
