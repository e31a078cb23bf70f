"""Mail over HTTP: what is asked for is a letter, nothing secret is answered, and only operators see the outbox."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.mail.post import Post
from tests.gateway.desk import Desk, open_desk

from .test_api import problem
from .visitors import login, person, public

PASSWORD = "/api/v1/accounts/smpp-acme/smpp/password"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        await opened.operator.accounts.create({"name": "acme", "contact_email": "ola@example.com"})
        yield opened


def with_mail(desk: Desk) -> None:
    post = Post(desk.store, lambda: int(desk.time.now * 1000), lambda: None)
    desk.house.office = desk.house.office._replace(mail=post)


async def test_a_new_password_is_asked_for_and_nothing_is_answered(desk: Desk) -> None:
    with_mail(desk)
    owner = await person(desk, accounts=["acme"])
    await desk.operator.accounts.change("acme", {"addresses": ["192.0.2.1"]})
    async with public(desk, await login(desk, owner)) as api:
        answer = await api.post(PASSWORD)
        assert (answer.status_code, answer.content) == (202, b"")
        seen = (await api.get(PASSWORD)).json()
        assert (seen["email"], seen["obstacle"], seen["last"]["state"]) == ("ola@example.com", None, "waiting")
        problem(await api.post(PASSWORD, json={"password": "mine"}), 422)
        problem(await api.post("/api/v1/accounts/smpp-rival/smpp/password"), 404)


async def test_an_owner_waits_for_the_status_an_operator_does_not(desk: Desk) -> None:
    with_mail(desk)
    owner = await person(desk, accounts=["acme"])
    async with public(desk, await login(desk, owner)) as api:
        assert "status" in problem(await api.post(PASSWORD), 409)["detail"]
    duty = await person(desk, "duty@example.com", operator=True)
    async with public(desk, await login(desk, duty)) as api:
        assert (await api.post(PASSWORD)).status_code == 202


async def test_without_a_mail_server_the_answer_says_so(desk: Desk) -> None:
    duty = await person(desk, "duty@example.com", operator=True)
    async with public(desk, await login(desk, duty)) as api:
        assert "no mail server" in problem(await api.post(PASSWORD), 409)["detail"]


async def test_the_outbox_is_read_retried_and_discarded_by_operators_only(desk: Desk) -> None:
    with_mail(desk)
    duty = await person(desk, "duty@example.com", operator=True)
    owner = await person(desk, accounts=["acme"])
    async with public(desk, await login(desk, duty)) as api:
        await api.post(PASSWORD)
        page = (await api.get("/api/v1/mail", params={"limit": 1})).json()
        [letter] = page["items"]
        assert (letter["kind"], letter["account"], letter["state"]) == ("password", "smpp-acme", "waiting")
        assert (page["next"], page["counts"]) == (None, {"waiting": 1})
        discarded = (await api.post(f"/api/v1/mail/{letter['id']}/discard")).json()
        assert discarded["state"] == "discarded"
        assert (await api.post(f"/api/v1/mail/{letter['id']}/retry")).json()["state"] == "waiting"
        problem(await api.post("/api/v1/mail/999/retry"), 404)
        problem(await api.post("/api/v1/mail", json={"to": "nobody\r\nBcc: x@y.example"}), 422)
    async with public(desk, await login(desk, owner)) as api:
        problem(await api.get("/api/v1/mail"), 403)
