"""The home of an account: what its owner needs to connect, how it stands, who is connected."""

import pytest

from tests.gateway.desk import Desk

from .browser import browsing, customer, seen


async def maple(desk: Desk) -> int:
    await desk.operator.accounts.create({"name": "smpp-maple", "addresses": ["192.0.2.0/24"]})
    return await desk.id_of("smpp-maple")


async def test_the_owner_sees_how_to_connect_and_how_the_account_stands(desk: Desk) -> None:
    async with browsing(desk, customer(await maple(desk))) as browser:
        words = seen(await browser.get("/accounts/smpp-maple"))
    for said in ("General information", "sms.gate.example:3550", "sms.gate.example:2775", "Service status"):
        assert said in words
    assert "For operators" not in words


async def test_it_speaks_polish(desk: Desk) -> None:
    async with browsing(desk, customer(await maple(desk), language="pl")) as browser:
        words = seen(await browser.get("/accounts/smpp-maple"))
    assert "Informacje ogólne" in words
    assert "Stan usług" in words


async def test_a_live_bind_is_shown_and_disconnected_after_a_question(desk: Desk) -> None:
    async with browsing(desk, customer(await maple(desk))) as browser:
        desk.live.bound(7, "smpp-maple")
        assert "192.0.2.44:51884" in seen(await browser.get("/accounts/smpp-maple"))
        assert "192.0.2.44" in seen(await browser.get("/accounts/smpp-maple/binds/7/disconnect"))
        answer = await browser.post("/accounts/smpp-maple/binds/7/disconnect")
        assert (answer.status_code, desk.live.open) == (303, [])
        assert (await browser.get("/accounts/smpp-maple/binds/7/disconnect")).status_code == 404


@pytest.mark.parametrize("span", ["hour", "day", "month"])
async def test_figures_come_with_a_table_and_as_csv(desk: Desk, span: str) -> None:
    async with browsing(desk, customer(await maple(desk))) as browser:
        assert (await browser.get(f"/accounts/smpp-maple?span={span}")).status_code == 200
        sheet = await browser.get(f"/accounts/smpp-maple/traffic.csv?span={span}")
    assert sheet.text.startswith("at,submitted,delivered,failed,refused")
