"""Credit over HTTP, and the payment service's word: believed only if it is signed, fresh and about what was asked."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gateway.payment import LONGEST, SIGNATURE, TIMESTAMP, TOLERANCE, Payment
from gateway.web.access import LocalAccess
from gateway.web.api import create_api
from tests.gateway.desk import NOW, Desk, open_desk, submit

from .test_api import problem

PAYMENT = Payment("https://pay.example.org/orders", "a secret of sixteen octets")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        for name, credits_ in (("acme", "100"), ("branch", "5")):
            await opened.operator.accounts.create({"name": name, "credits": credits_, "senders": ["ACME"]})
        yield opened


@pytest.fixture
async def api(desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    desk.house.office = desk.house.office._replace(payment=PAYMENT)
    transport = httpx2.ASGITransport(app=create_api(desk.house, LocalAccess()), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway/api/v1") as client:
        yield client


# -- the owner's resources ---------------------------------------------------------------------------------------------
async def test_the_statement_and_its_csv(api: httpx2.AsyncClient, desk: Desk) -> None:
    await desk.accept("smpp-acme", submit(), submit())
    listed = (await api.get("/accounts/acme/statement", params={"limit": 1, "by": "day"})).json()
    assert [(one["kind"], one["messages"], one["balance_after"]) for one in listed["items"]] == [("messages", 2, "98")]
    rest = (await api.get("/accounts/acme/statement", params={"before": listed["next"]})).json()
    assert ([one["kind"] for one in rest["items"]], rest["next"]) == (["topup"], None)
    sheet = await api.get("/accounts/acme/statement.csv", params={"kind": "messages"})
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in sheet.headers["content-disposition"]
    assert len(sheet.text.splitlines()) == 2
    problem(await api.get("/accounts/acme/statement", params={"from": "soon"}), 422)
    problem(await api.get("/accounts/nobody/statement.csv"), 404)
    assert (await api.get("/accounts/acme/credits")).json()["messages_today"] == 2


async def test_a_transfer_as_the_original_has_it(api: httpx2.AsyncClient) -> None:
    body = {"smsAccountTarget": "smpp-branch", "credits": 12.5}
    problem(await api.post("/accounts/acme/transferCredits", json=body), 422)  # floats are no money
    body["credits"] = "12.5"
    for _ in range(2):
        done = await api.post("/accounts/acme/transferCredits", json=body, headers={"Idempotency-Key": "k"})
        assert done.json()["from"]["balance_after"] == "87.5"
    listed = (await api.get("/accounts/acme/transferCredits")).json()
    assert [(one["amount"], one["account"]) for one in listed["items"]] == [("-12.5", "smpp-branch")]
    assert [one["account"] for one in listed["targets"]] == ["smpp-branch"]
    said = problem(await api.post("/accounts/acme/transferCredits", json={"target": "branch", "credits": 900}), 422)
    assert said["errors"] == [{"field": "credits", "reason": "there are 87.5 credits on smpp-acme; enter 1 to 87.5"}]


async def test_a_top_up_is_asked_for_and_decided(api: httpx2.AsyncClient) -> None:
    asked = [await api.post("/accounts/acme/topups", json={"amount": 50, "request_id": "r"}) for _ in range(2)]
    assert [one.status_code for one in asked] == [201, 201]
    assert asked[0].json() == asked[1].json()
    id_ = asked[0].json()["id"]
    assert [one["id"] for one in (await api.get("/topups")).json()["items"]] == [id_]
    assert (await api.post(f"/topups/{id_}/approve")).json()["state"] == "booked"
    problem(await api.post(f"/topups/{id_}/refuse", json={"reason": "too late"}), 409)
    problem(await api.post("/topups/999/approve"), 404)
    assert (await api.get("/topups")).json() == {"items": [], "next": None}
    assert (await api.get("/accounts/acme/topups")).json()["items"][0]["state"] == "booked"


@pytest.mark.parametrize("id_", [0, -1, 2**63, 10**30, "x"])
async def test_a_number_that_is_no_top_ups_is_refused(api: httpx2.AsyncClient, id_: object) -> None:
    problem(await api.post(f"/topups/{id_}/approve"), 422)
    problem(await api.post(f"/topups/{id_}/refuse", json={}), 422)


@pytest.mark.parametrize(("path", "cursor"), [("ledger", "after"), ("statement", "before"), ("topups", "before")])
async def test_a_cursor_that_is_no_number_of_a_line_is_refused(
    api: httpx2.AsyncClient, path: str, cursor: str
) -> None:
    problem(await api.get(f"/accounts/acme/{path}", params={cursor: 2**63}), 422)


@pytest.mark.parametrize("field", ["note", "request_id"])
@pytest.mark.parametrize("text", ["a\nb", "\ud800", "\0", "x" * 201])
async def test_what_cannot_be_kept_is_refused(api: httpx2.AsyncClient, field: str, text: str) -> None:
    for path, body in (
        ("topups", {"amount": 5}), ("credits", {"amount": 5}), ("transferCredits", {"target": "branch", "credits": 5})
    ):  # fmt: skip
        octets = json.dumps({**body, field: text}).encode()
        headers = {"Content-Type": "application/json"}
        said = problem(await api.post(f"/accounts/acme/{path}", content=octets, headers=headers), 422)
        assert [wrong["field"] for wrong in said["errors"]] == [field]
    assert (await api.get("/accounts/acme")).json()["balance"] == "100"


async def test_what_would_it_cost(api: httpx2.AsyncClient) -> None:
    asked = {"account": "acme", "message": "x" * 161, "to": "48600100200"}
    assert (await api.post("/estimate", json=asked)).json()["credits"] == "2"
    problem(await api.post("/estimate", json={"message": "x"}), 422)
    problem(await api.post("/estimate", json=asked | {"account": "nobody"}), 404)


# -- the payment service's word ----------------------------------------------------------------------------------------
async def asked(api: httpx2.AsyncClient, amount: str = "50") -> int:
    return int((await api.post("/accounts/acme/topups", json={"amount": amount})).json()["id"])


async def call(
    api: httpx2.AsyncClient, content: Any, at: float = NOW, payment: Payment = PAYMENT, **instead: Any
) -> httpx2.Response:
    octets = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {TIMESTAMP: str(int(at)), SIGNATURE: payment.signature(str(int(at)), octets)}
    return await api.post(
        "/payments/callback", content=instead.get("octets", octets), headers=headers | instead.get("headers", {})
    )


async def balance(api: httpx2.AsyncClient) -> str:
    return str((await api.get("/accounts/acme")).json()["balance"])


async def test_a_paid_top_up_is_booked_exactly_once(api: httpx2.AsyncClient, desk: Desk) -> None:
    id_ = await asked(api)
    for _ in range(3):
        said = await call(api, {"id": id_, "status": "paid", "credits": "50"})
        assert (said.status_code, said.json()["state"], said.json()["done_by"]) == (200, "booked", "payment service")
    assert await balance(api) == "150"
    problem(await call(api, {"id": id_, "status": "failed", "credits": "50"}), 409)
    [change, *_] = await desk.store.changes.newest(None)
    assert (change.change.who, change.change.via) == ("payment service", "api")


async def test_a_payment_that_failed_says_why(api: httpx2.AsyncClient) -> None:
    id_ = await asked(api)
    for _ in range(2):
        said = await call(api, {"id": id_, "status": "failed", "credits": "50", "reason": "no\x1b[31m money"})
        assert (said.json()["state"], said.json()["reason"]) == ("failed", "no[31m money")
    problem(await call(api, {"id": id_, "status": "paid", "credits": "50"}), 409)
    assert await balance(api) == "100"


@pytest.mark.parametrize(
    "forged",
    [
        {"at": NOW - TOLERANCE - 1},
        {"at": NOW + TOLERANCE + 1},
        {"payment": PAYMENT._replace(secret="another secret, as long")},
        {"headers": {SIGNATURE: ""}},
        {"headers": {SIGNATURE: "v1=" + "0" * 64}},
        {"headers": {SIGNATURE: "v1=żółw".encode()}},
        {"headers": {TIMESTAMP: str(int(NOW) - 1)}},
        {"headers": {TIMESTAMP: "now"}},
        {"octets": b'{"id": 1, "status": "paid", "credits": "5000"}'},
        {"octets": b""},
    ],
)
async def test_what_is_forged_or_stale_moves_nothing(api: httpx2.AsyncClient, forged: dict[str, Any]) -> None:
    id_ = await asked(api)
    problem(await call(api, {"id": id_, "status": "paid", "credits": "50"}, **forged), 401)
    assert await balance(api) == "100"


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({"id": 999, "status": "paid", "credits": "50"}, 404),
        ({"id": 1, "status": "paid", "credits": "5000"}, 409),
        ({"id": 1, "status": "paid"}, 422),
        ({"id": 1, "status": "maybe", "credits": "50"}, 422),
        ({"id": "x", "status": "paid", "credits": "50"}, 422),
        ({"id": 2**63, "status": "paid", "credits": "50"}, 422),
        ({"id": 1, "status": "paid", "credits": "50", "account": "smpp-acme"}, 422),
        (b"\xff\xfe", 422),
        (b"[" * 4000, 422),
        (b" " * (LONGEST + 1), 422),
        (b"[]", 422),
    ],
)
async def test_what_is_signed_but_wrong_moves_nothing(api: httpx2.AsyncClient, content: Any, status: int) -> None:
    await asked(api)
    problem(await call(api, content), status)
    assert await balance(api) == "100"


async def test_an_order_cannot_be_sent_back_as_an_answer(api: httpx2.AsyncClient) -> None:
    id_ = await asked(api)
    order = {"id": id_, "account": "smpp-acme", "credits": "50", "automatic": False, "at": "", "by": "", "note": ""}
    problem(await call(api, order), 422)


async def test_a_payment_for_what_was_refused_is_told_to_the_log(
    api: httpx2.AsyncClient, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    id_ = await asked(api)
    await desk.operator.topups.refuse(id_, "")
    problem(await call(api, {"id": id_, "status": "paid", "credits": "50"}), 409)
    said = capsys.readouterr()
    assert "payment service contradicted" in said.out + said.err


async def test_without_a_payment_service_there_is_nobody_to_believe(api: httpx2.AsyncClient, desk: Desk) -> None:
    desk.house.office = desk.house.office._replace(payment=None)
    problem(await call(api, {"id": 1, "status": "paid", "credits": "50"}), 404)
