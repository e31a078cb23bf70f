"""The HTTP API: its shapes, its problems, and that its description is the truth."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from acl.settings import SETTINGS
from gateway.web.access import LocalAccess
from gateway.web.api import create_api
from store.protocol import OutcomeUnknown, StoreDown, StoreFull
from tests.gateway.desk import Desk, open_desk, submit


@asynccontextmanager
async def served(desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=create_api(desk.house, LocalAccess()), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway/api/v1") as client:
        yield client


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


@pytest.fixture
async def api(desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    async with served(desk) as client:
        yield client


def problem(answer: httpx2.Response, status: int) -> Any:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == status
    assert said["type"] == "about:blank"
    assert said["title"]
    assert said["detail"]
    return said


async def test_an_account_from_its_beginning(api: httpx2.AsyncClient) -> None:
    made = await api.post("/accounts", json={"name": "acme", "credits": "3", "senders": ["ACME"]})
    assert made.status_code == 201
    assert made.json()["password"]
    name = made.json()["name"]
    added = (await api.post(f"/accounts/{name}/addresses", json={"address": "2001:db8::/32"})).json()
    assert added["addresses"] == ["2001:db8::/32"]
    assert (await api.patch(f"/accounts/{name}", json={"window": 3})).json()["window"] == 3
    assert (await api.delete(f"/accounts/{name}/addresses/2001:db8::%2F32")).json()["addresses"] == []
    assert (await api.post(f"/accounts/{name}/disable")).json()["status"] == "DISABLED"
    assert (await api.post(f"/accounts/{name}/enable")).json()["status"] == "WAITING_IP"
    assert (await api.post(f"/accounts/{name}/password", json={})).json()["password"]
    assert [each["name"] for each in (await api.get("/accounts")).json()["items"]] == [name]


async def test_an_idempotency_key_is_a_request_id(api: httpx2.AsyncClient) -> None:
    await api.post("/accounts", json={"name": "acme"})
    for _ in range(2):
        line = await api.post("/accounts/acme/credits", json={"amount": 5}, headers={"Idempotency-Key": "k1"})
        assert line.json()["request_id"] == "k1"
    assert (await api.get("/accounts/acme")).json()["balance"] == "5"
    problem(await api.post("/accounts/acme/credits", json={"amount": "6", "request_id": "k1"}), 409)
    lines = (await api.get("/accounts/acme/ledger", params={"limit": 1})).json()
    assert (len(lines["items"]), lines["next"]) == (1, 1)


async def test_messages_and_export(api: httpx2.AsyncClient, desk: Desk) -> None:
    await api.post("/accounts", json={"name": "acme", "credits": 9})
    [id_] = await desk.accept("smpp-acme", submit())
    listed = (await api.get("/accounts/acme/messages")).json()
    assert [each["message_id"] for each in listed["items"]] == [str(id_)]
    assert (await api.get(f"/accounts/acme/messages/{id_}")).json()["items"] == listed["items"]
    export = await api.get("/accounts/acme/export")
    assert export.headers["content-type"] == "application/json"
    assert export.json()["messages"][0]["text"] == "Hello"
    assert (await api.get("/refusals")).json() == {"items": [], "next": None}
    assert (await api.get("/audit")).json()["ok"] is True
    assert (await api.get("/doctor")).json()["damage"] == []


async def test_incoming_binds_and_prices(api: httpx2.AsyncClient, desk: Desk) -> None:
    await api.post("/accounts", json={"name": "acme", "senders": ["ACME"]})
    made = await api.post("/mo", json={"from": "48600100200", "to": "ACME", "text": "hi"})
    assert (made.status_code, made.json()["account"]) == (201, "smpp-acme")
    desk.live.bound(7, "smpp-acme")
    desk.live.bound(8, "smpp-acme")
    assert len((await api.get("/binds", params={"account": "acme"})).json()["items"]) == 2
    assert (await api.delete("/binds/7")).json() == {"kicked": 1}
    assert (await api.delete("/accounts/acme/binds")).json() == {"kicked": 1}
    problem(await api.delete("/binds/7"), 404)
    made = await api.put("/price-plans/gold", json={"prices": {"*": "0.25"}}, headers={"If-Match": "*"})
    assert made.json()["prices"] == {"*": "0.25"}
    assert (await api.get("/price-plans/gold")).status_code == 200
    assert len((await api.get("/price-plans")).json()["items"]) == 2


async def test_problems(api: httpx2.AsyncClient) -> None:
    await api.post("/accounts", json={"name": "acme"})
    assert "smpp-none" in problem(await api.get("/accounts/none"), 404)["detail"]
    problem(await api.post("/accounts", json={"name": "acme"}), 409)
    said = problem(await api.patch("/accounts/acme", json={"window": 0, "colour": "red"}), 422)
    assert {error["field"] for error in said["errors"]} == {"window", "colour"}
    assert all(error["reason"] for error in said["errors"])


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("GET", "/nothing/here", None, 404, None),
        ("PUT", "/accounts", {}, 405, None),
        ("POST", "/accounts", [], 422, "body"),
        ("POST", "/accounts/acme/credits", {}, 422, "amount"),
        ("POST", "/mo", {"from": "1", "to": "2", "text": "x", "more": 1}, 422, "more"),
        ("GET", "/refusals?limit=0", None, 422, "limit"),
        ("GET", "/accounts/acme/ledger?after=x", None, 422, "after"),
        ("DELETE", "/binds/x", None, 422, "bind_id"),
    ],
)
async def test_requests_that_make_no_sense(
    api: httpx2.AsyncClient, method: str, path: str, body: object, status: int, field: str | None
) -> None:
    said = problem(await api.request(method, path, json=body), status)
    assert field is None or field in [error["field"] for error in said["errors"]]


async def test_a_body_that_is_no_json(api: httpx2.AsyncClient) -> None:
    problem(await api.post("/accounts", content=b"{", headers={"content-type": "application/json"}), 422)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (StoreFull("x"), 503, "nothing was changed"),
        (StoreDown("x"), 503, "nothing was changed"),
        (OutcomeUnknown("x"), 500, "look before"),
        (RuntimeError("a secret of the inside"), 500, "log"),
    ],
)
async def test_when_the_store_or_we_fail(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, words: str
) -> None:
    async def fails() -> None:
        raise error

    monkeypatch.setattr(desk.store, "accounts", fails)
    async with served(desk) as api:
        answer = await api.get("/accounts")
    assert words in problem(answer, status)["detail"]
    assert "secret" not in answer.text


async def test_its_description(api: httpx2.AsyncClient) -> None:
    schema = (await api.get("/openapi.json")).json()
    assert schema["openapi"].startswith("3.1")
    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    for operation in operations:
        assert "422" not in operation["responses"]
        assert "application/problem+json" in operation["responses"]["default"]["content"]
    body = schema["paths"]["/api/v1/accounts/{name}"]["patch"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == {setting.name for setting in SETTINGS}
    for setting in SETTINGS:
        assert setting.help in body["properties"][setting.name]["anyOf"][0]["description"]


async def test_its_description_is_made_once_and_on_a_thread(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask at once: it takes a tenth of a second."""
    made, openapi = [], FastAPI.openapi

    def count(app: FastAPI) -> dict[str, Any]:
        made.append(threading.get_ident())
        return openapi(app)

    monkeypatch.setattr(FastAPI, "openapi", count)
    async with served(desk) as api:
        answers = await asyncio.gather(*[api.get("/openapi.json") for _ in range(5)])
    assert len(made) == 1
    assert made[0] != threading.get_ident()
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].headers["content-type"] == "application/json"


async def test_there_are_no_pages_that_load_scripts_from_elsewhere(api: httpx2.AsyncClient) -> None:
    for page in ("http://gateway/docs", "http://gateway/redoc"):
        problem(await api.get(page), 404)


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]"], ids=["no JSON", "no text", "not what is asked for"])
async def test_a_body_that_is_refused_is_let_go_at_once(api: httpx2.AsyncClient, body: bytes) -> None:
    """And not when the collector comes, which it does once in thousands of requests."""
    gc.collect()
    gc.disable()
    try:
        answer = await api.post("/accounts", content=body, headers={"Content-Type": "application/json"})
        left = [one for one in gc.get_objects() if isinstance(one, HTTPException | RequestValidationError)]
    finally:
        gc.enable()
    assert answer.status_code in (400, 422)
    assert left == []
