"""smpp/settings and smpp/allowedIPs: what a reader of the original's documentation expects of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from acl.addresses import MAX_ADDRESSES
from tests.gateway.desk import Desk, open_desk

from .test_api import problem
from .visitors import login, person, public

HERE = "/api/v1/accounts/smpp-acme/smpp"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        await opened.operator.accounts.create({"name": "acme", "system_id": "acme01", "window": 7, "throughput": 30})
        await opened.operator.accounts.create({"name": "rival", "addresses": ["198.51.100.1"]})
        yield opened


@pytest.fixture
async def api(desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    """Asked by the owner."""
    async with public(desk, await login(desk, await person(desk, accounts=["acme"]))) as client:
        yield client


async def change(api: httpx2.AsyncClient, action: str, *ips: str) -> httpx2.Response:
    return await api.put(f"{HERE}/allowedIPs", json={"action": action, "ips": list(ips)})


async def ips(api: httpx2.AsyncClient) -> list[str]:
    return list((await api.get(f"{HERE}/allowedIPs")).json()["ips"])


async def test_the_settings_say_how_to_connect(api: httpx2.AsyncClient) -> None:
    assert (await api.get(f"{HERE}/settings")).json() == {
        "systemID": "acme01",
        "endpoints": [{"secured": "sms.gate.example:3550", "unsecured": "sms.gate.example:2775"}],
        "status": "WAITING_IP",
        "throughput": 30,
        "windowing": 7,
    }


async def test_addresses_come_and_go_in_their_only_spelling(api: httpx2.AsyncClient) -> None:
    added = await change(api, "add", "2001:DB8::0/32", "192.0.2.1")
    assert (added.status_code, added.json()) == (200, {"ips": ["2001:db8::/32", "192.0.2.1"]})
    assert (await change(api, "remove", "2001:db8::/32")).json() == {"ips": ["192.0.2.1"]}
    assert await ips(api) == ["192.0.2.1"]


async def test_what_stands_there_already_is_added_once(api: httpx2.AsyncClient) -> None:
    await change(api, "add", "192.0.2.1")
    assert (await change(api, "add", "192.0.2.1", "::ffff:192.0.2.1")).json() == {"ips": ["192.0.2.1"]}


async def test_one_wrong_address_keeps_out_the_others(api: httpx2.AsyncClient) -> None:
    said = problem(await change(api, "add", "192.0.2.1", "192.0.2.300", "0.0.0.0/0"), 422)
    assert [wrong["field"] for wrong in said["errors"]] == ["ips", "ips"]
    assert "192.0.2.300" in said["errors"][0]["reason"]
    assert await ips(api) == []


async def test_one_unknown_address_keeps_the_others(api: httpx2.AsyncClient) -> None:
    await change(api, "add", "192.0.2.1")
    assert "192.0.2.9" in problem(await change(api, "remove", "192.0.2.1", "192.0.2.9"), 404)["detail"]
    assert await ips(api) == ["192.0.2.1"]


async def test_more_than_fit_are_not_added(api: httpx2.AsyncClient) -> None:
    await change(api, "add", "198.51.100.7")
    many = [f"192.0.2.{number}" for number in range(1, MAX_ADDRESSES + 1)]
    assert "1 of 10" in problem(await change(api, "add", *many), 409)["detail"]
    problem(await change(api, "add", *many, "192.0.2.99"), 422)
    assert await ips(api) == ["198.51.100.7"]


async def test_what_was_noted_about_an_address_goes_with_it(desk: Desk, api: httpx2.AsyncClient) -> None:
    await desk.operator.accounts.add_address("acme", "192.0.2.1", "office")
    await desk.operator.accounts.add_address("acme", "192.0.2.2", "spare")
    await change(api, "remove", "192.0.2.1")
    assert (await desk.operator.accounts.show("acme"))["address_comments"] == ["192.0.2.2 spare"]


@pytest.mark.parametrize("body", [{}, {"action": "replace", "ips": ["::1"]}, {"action": "add", "ips": []}])
async def test_a_body_that_says_something_else_is_told_what_is_wrong(api: httpx2.AsyncClient, body: object) -> None:
    assert problem(await api.put(f"{HERE}/allowedIPs", json=body), 422)["errors"]


async def test_a_change_is_logged_once_with_who_made_it(desk: Desk, api: httpx2.AsyncClient) -> None:
    await change(api, "add", "192.0.2.1", "192.0.2.2")
    rows = await desk.store.changes.newest([await desk.id_of("smpp-acme")])
    [line] = [row.change for row in rows if row.change.name == "addresses"]
    assert (line.who, line.new) == ("Ola <ola@example.com>", ["192.0.2.1", "192.0.2.2"])


async def test_another_customers_account_is_not_there(api: httpx2.AsyncClient) -> None:
    rival = "/api/v1/accounts/smpp-rival/smpp"
    problem(await api.get(f"{rival}/settings"), 404)
    problem(await api.get(f"{rival}/allowedIPs"), 404)
    problem(await api.put(f"{rival}/allowedIPs", json={"action": "add", "ips": ["::1"]}), 404)


async def test_who_may_only_look_changes_nothing(desk: Desk) -> None:
    reader = await person(desk, "reader@example.com", accounts=["acme"], read_only=True)
    async with public(desk, await login(desk, reader)) as api:
        assert await ips(api) == []
        problem(await change(api, "add", "192.0.2.1"), 403)
