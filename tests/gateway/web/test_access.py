"""The public listener: who is known by what, what a cookie may do, and that nothing is forged or told."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.admin import Forbidden
from gateway.web.bounds import FORM
from gateway.web.origin import HEADER, PLAIN_NAME, SECURE_NAME, set_session
from tests.gateway.desk import URL, open_desk
from tests.gateway.desk import Desk as Scene
from tests.gateway.web.visitors import PASSWORD, PEER, login, person, public, token

API = "/api/v1"
ELSEWHERE = "https://evil.example"


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_desk(tmp_path) as opened:
        for name in ("acme", "other"):
            await opened.operator.accounts.create({"name": name, "credits": "5", "senders": ["ACME"]})
        yield opened


# -- nobody ----------------------------------------------------------------------------------------------------------
async def test_without_a_proof_nothing_is_told(scene: Scene) -> None:
    async with public(scene) as client:
        for path in ("/accounts", "/accounts/acme", "/accounts/none", "/people", "/me", "/changes", "/binds", "/audit"):
            answer = await client.get(API + path)
            assert answer.status_code == 401, path
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "acme" not in answer.json()["detail"]
        assert (await client.post(f"{API}/accounts", json={"name": "x"})).status_code == 401
        assert (await client.get("/healthz")).text == "ok\n"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer x", "Basic b2xhOm9sYQ==", "Bearer \xff", "x" * 5000]
)
async def test_a_token_that_opens_nothing(scene: Scene, header: str) -> None:
    async with public(scene) as client:
        answer = await client.get(f"{API}/accounts", headers=[(b"Authorization", header.encode("latin-1"))])
        assert answer.status_code == 401


# -- tokens ----------------------------------------------------------------------------------------------------------
async def test_a_token_sees_its_persons_accounts_and_others_are_not_there(scene: Scene) -> None:
    who = await person(scene, accounts=["acme"])
    async with public(scene, await token(scene, who, "read", "settings")) as client:
        assert [each["name"] for each in (await client.get(f"{API}/accounts")).json()["items"]] == ["smpp-acme"]
        for method, path, body in (
            ("GET", "/accounts/{}", None), ("GET", "/accounts/{}/messages", None), ("GET", "/accounts/{}/ledger", None),
            ("GET", "/accounts/{}/export", None), ("GET", "/binds?account={}", None),
            ("GET", "/refusals?account={}", None),
            ("GET", "/changes?account={}", None), ("PATCH", "/accounts/{}", {"description": "x"}),
            ("POST", "/accounts/{}/addresses", {"address": "::1"}), ("DELETE", "/accounts/{}/addresses/::1", None),
            ("DELETE", "/accounts/{}/binds", None), ("GET", "/accounts/{}/messages/1", None),
        ):  # fmt: skip
            there, not_there = [
                await client.request(method, API + path.format(name), json=body, headers={"If-Match": "*"})
                for name in ("smpp-other", "smpp-never")
            ]
            assert (there.status_code, there.text.replace("other", "never")) == (404, not_there.text), path


async def test_a_token_needs_the_scope(scene: Scene) -> None:
    who = await person(scene, operator=True)
    async with public(scene, await token(scene, who, "read")) as client:
        assert (await client.get(f"{API}/people")).status_code == 200
        for method, path in (("POST", "/people"), ("POST", "/accounts"), ("DELETE", "/accounts/acme/binds")):
            answer = await client.request(method, API + path, json={})
            assert answer.status_code == 403, path
            assert "right to" in answer.json()["detail"]


async def test_no_token_changes_what_opens_doors(scene: Scene) -> None:
    who = await person(scene, operator=True)
    every = await token(scene, who, "read", "settings", "credits", "send", "operate")
    async with public(scene, every) as client:
        assert (await client.get(f"{API}/me")).json()["email"] == who.email
        proof = {"current_password": PASSWORD}
        for method, path, body in (
            ("PATCH", "/me", {}), ("PUT", "/me/password", {**proof, "password": "x"}), ("POST", "/me/codes", {}),
            ("PUT", "/me/email", {**proof, "email": "x@x"}), ("POST", "/me/codes/end", proof),
            ("GET", "/me/tokens", None),
            ("POST", "/me/tokens", {"name": "x", "scopes": ["read"]}), ("GET", "/me/sessions", None),
            ("DELETE", "/me/tokens/1", None), ("DELETE", "/me/sessions/1", None),
        ):  # fmt: skip
            assert (await client.request(method, API + path, json=body)).status_code == 403, path


async def test_the_log_says_who_changed_what_from_where(scene: Scene) -> None:
    who = await person(scene, accounts=["acme"])
    async with public(scene, await token(scene, who, "settings")) as client:
        answer = await client.patch(f"{API}/accounts/acme", json={"description": "x"}, headers={"If-Match": "*"})
        assert answer.status_code == 200
    [line] = (await scene.operator.changes.newest(limit=1))[0]
    assert (line["who"], line["via"], line["origin"]) == ("Ola <ola@example.com>", "api", PEER[0])


# -- cookies ---------------------------------------------------------------------------------------------------------
async def test_a_session_reads_with_its_cookie_alone_and_writes_with_its_token(scene: Scene) -> None:
    session = await login(scene, await person(scene, accounts=["acme"]))
    async with public(scene, session) as client:
        assert (await client.get(f"{API}/me")).status_code == 200
        assert (await client.patch(f"{API}/me", json={"name": "Ola N."})).json()["name"] == "Ola N."


@pytest.mark.parametrize(
    "forged",
    [
        {HEADER: None},
        {HEADER: "0" * 32},
        {HEADER: "\xff"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": None, "Origin": None},
        {"Origin": ELSEWHERE},
        {"Origin": ELSEWHERE, "Sec-Fetch-Site": None},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8081", "Sec-Fetch-Site": None},
    ],
)
async def test_forged_requests_change_nothing(scene: Scene, forged: dict[str, str | None]) -> None:
    session = await login(scene, await person(scene))
    headers = {name: value for name, value in {**session.headers, **forged}.items() if value is not None}
    async with public(scene) as client:
        client.cookies.update(session.cookies)
        answer = await client.patch(
            f"{API}/me",
            json={"name": "forged"},
            headers=[(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        )
        assert (answer.status_code, answer.json()["detail"][:20]) == (403, "this request did not")
        assert (await client.get(f"{API}/me", headers=session.headers)).json()["name"] == "Ola"


async def test_an_old_browser_that_names_its_origin_is_enough(scene: Scene) -> None:
    session = await login(scene, await person(scene))
    async with public(scene, session) as client:
        del client.headers["Sec-Fetch-Site"]
        assert (await client.patch(f"{API}/me", json={"name": "x"})).status_code == 200


async def test_a_session_of_somebody_else_does_not_lend_its_token(scene: Scene) -> None:
    mine, other = await login(scene, await person(scene)), await login(scene, await person(scene, "jan@example.com"))
    async with public(scene, mine) as client:
        client.headers.update(other.headers)
        assert (await client.patch(f"{API}/me", json={"name": "x"})).status_code == 403


async def test_over_tls_only_the_cookie_that_is_bound_to_the_host_counts(scene: Scene) -> None:
    session = await login(scene, await person(scene))
    async with public(scene, base="https://panel.example", peer=("192.0.2.1", 1)) as client:
        client.cookies.update({PLAIN_NAME: session.secret})
        assert (await client.get(f"{API}/me")).status_code == 401
        client.cookies.update({SECURE_NAME: session.secret})
        assert (await client.get(f"{API}/me")).status_code == 200


async def test_without_tls_sessions_are_for_this_machine_only(scene: Scene) -> None:
    session = await login(scene, await person(scene))
    async with public(scene, session, base="http://192.0.2.9", peer=("192.0.2.1", 1)) as client:
        assert (await client.get(f"{API}/me")).status_code == 401


# -- proxies ---------------------------------------------------------------------------------------------------------
FORWARDED = {"X-Forwarded-For": "203.0.113.5", "X-Forwarded-Proto": "https"}


async def test_a_proxy_is_believed_only_where_it_is_configured(scene: Scene) -> None:
    who = await person(scene, accounts=["acme"])
    key = await token(scene, who, "settings")

    async def origin(**more: Any) -> str:
        async with public(scene, key, peer=("10.0.0.7", 1), **more) as client:
            answer = await client.patch(
                f"{API}/accounts/acme", json={"description": str(more)}, headers={**FORWARDED, "If-Match": "*"}
            )
            assert answer.status_code == 200
        return str((await scene.operator.changes.newest(limit=1))[0][0]["origin"])

    assert await origin() == "10.0.0.7"
    assert await origin(trusted_proxies=("10.0.1.0/24", "10.0.0.8")) == "10.0.0.7"
    assert await origin(trusted_proxies=("10.0.0.0/24",)) == "203.0.113.5"


async def test_behind_a_proxy_the_cookie_is_that_of_https(scene: Scene) -> None:
    session = await login(scene, await person(scene))
    async with public(scene, peer=("10.0.0.7", 1), trusted_proxies=("10.0.0.7",)) as client:
        client.cookies.update({SECURE_NAME: session.secret})
        headers = {**session.headers, **FORWARDED, "Origin": URL}
        assert (await client.patch(f"{API}/me", json={"name": "x"}, headers=headers)).status_code == 200


# -- sizes -----------------------------------------------------------------------------------------------------------
async def test_what_is_too_large_is_refused_whatever_it_said_about_its_length(scene: Scene) -> None:
    key = await token(scene, await person(scene, operator=True), "operate")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(FORM // 65_536 + 2):
            yield b" " * 65_536

    async with public(scene, key) as client:
        for content in (b" " * (FORM + 1), pieces()):
            answer = await client.post(f"{API}/people", content=content, headers={"content-type": "application/json"})
            assert answer.status_code == 413
            assert answer.headers["content-type"] == "application/problem+json"


# -- the routes of people --------------------------------------------------------------------------------------------
async def test_people_over_http(scene: Scene) -> None:
    boss = await login(scene, await person(scene, "boss@example.com", operator=True))
    async with public(scene, boss) as client:
        made = await client.post(f"{API}/people", json={"email": "ola@example.com", "accounts": ["acme"]})
        assert made.status_code == 201
        id_ = made.json()["id"]
        assert made.json()["link"].endswith(made.json()["link"].rpartition("/")[2])
        assert (await client.get(f"{API}/people/{id_}")).json()["accounts"] == ["smpp-acme"]
        changed = await client.patch(f"{API}/people/{id_}", json={"read_only": True})
        assert changed.json()["read_only"] is True
        assert (await client.post(f"{API}/people/{id_}/invitation", json={})).json()["link"]
        assert (await client.delete(f"{API}/people/{id_}/codes")).status_code == 200
        key = await client.post(f"{API}/people/{id_}/tokens", json={"name": "x", "scopes": ["read"]})
        assert key.json()["token"].startswith("smppgate_")
        [listed] = (await client.get(f"{API}/people/{id_}/tokens")).json()["items"]
        assert (await client.delete(f"{API}/people/{id_}/tokens/{listed['id']}")).status_code == 204
        assert (await client.delete(f"{API}/people/{id_}")).status_code == 204
        assert (await client.get(f"{API}/people/{id_}")).status_code == 404
        assert (await client.get(f"{API}/people/{1 << 63}")).status_code == 422


async def test_oneself_over_http(scene: Scene) -> None:
    who = await person(scene)
    this, other = await login(scene, who), await login(scene, who)
    async with public(scene, this) as client:
        begun = (await client.post(f"{API}/me/codes")).json()
        assert set(begun) == {"secret", "uri", "picture"}
        proof = {"current_password": PASSWORD}
        wrong = await client.put(f"{API}/me/codes", json={**proof, "secret": begun["secret"], "code": "x"})
        assert wrong.json()["errors"][0]["field"] == "code"
        assert (await client.post(f"{API}/me/codes/end", json=proof)).status_code == 204
        assert (await client.put(f"{API}/me/email", json={**proof, "email": "o@example.com"})).status_code == 200
        assert len((await client.get(f"{API}/me/sessions")).json()["items"]) == 2
        new = {**proof, "password": "another word that nobody has"}
        assert (await client.put(f"{API}/me/password", json=new)).status_code == 204
        [session] = (await client.get(f"{API}/me/sessions")).json()["items"]
        assert session["this"] is True
        made = (await client.post(f"{API}/me/tokens", json={"name": "x", "scopes": ["read"]})).json()
        assert len((await client.get(f"{API}/me/tokens")).json()["items"]) == 1
        assert (await client.delete(f"{API}/me/tokens/{made['id']}")).status_code == 204
        assert (await client.delete(f"{API}/me/sessions/{session['id']}")).status_code == 204
        assert (await client.get(f"{API}/me")).status_code == 401
    assert await scene.house.entrance.visitor(other.secret) is None


async def test_a_session_is_never_opened_where_anybody_listens_in() -> None:
    from starlette.requests import Request
    from starlette.responses import Response

    scope = {
        "type": "http",
        "scheme": "http",
        "client": ("192.0.2.1", 1),
        "server": ("x", 80),
        "path": "/",
        "headers": [],
    }
    with pytest.raises(Forbidden, match="https"):
        set_session(Request({**scope, "query_string": b""}), Response(), "secret")
    answer = Response()
    set_session(Request({**scope, "scheme": "https", "query_string": b""}), answer, "secret")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{SECURE_NAME}=secret; ")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
