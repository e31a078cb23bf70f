"""Refusals and why, in the browser: found, explained, masked, and nobody else's."""

import httpx2
import pytest

from acl import reasons
from gateway.admin.actor import rights_of
from store.protocol import RefusalRow
from tests.gateway.desk import Desk, submit

from .browser import OPERATOR, browsing, customer, seen

HOSTILE = '"><script>alert(1)</script>'
TO = "48600100200"


@pytest.fixture
async def refused(desk: Desk) -> Desk:
    made = await desk.operator.accounts.create({"name": "acme", "credits": "10", "addresses": ["192.0.2.7"]})
    await desk.store.refuse(
        [
            RefusalRow(1_000, await desk.id_of("smpp-acme"), "message", reasons.SENDER_NOT_ALLOWED, 0x0A, "192.0.2.7",
                       made["system_id"], HOSTILE, TO, HOSTILE),
            RefusalRow(2_000, None, "bind", reasons.ADDRESS_NOT_AUTHORISED, 0x0E, "10.0.0.9", made["system_id"]),
        ]
    )  # fmt: skip
    return desk


async def test_refusals_are_counted_by_reason_and_listed(refused: Desk, operator: httpx2.AsyncClient) -> None:
    page = await operator.get("/refusals")
    assert (page.status_code, HOSTILE in page.text) == (200, False)
    for said in ("Since the gateway started", reasons.ADDRESS_NOT_AUTHORISED, "smpp-acme", "10.0.0.9"):
        assert said in seen(page)
    narrowed = seen(await operator.get("/refusals?reason=sender_not_allowed"))
    assert "192.0.2.7" in narrowed
    assert "10.0.0.9" not in narrowed
    wrong = await operator.get("/refusals?since=yesterday")
    assert (wrong.status_code, 'value="yesterday"' in wrong.text) == (422, True)


async def test_why_says_the_checks_the_answer_and_the_way_out(refused: Desk, operator: httpx2.AsyncClient) -> None:
    page = await operator.get("/why?q=10.0.0.9")
    for said in ("is not on this account", "The password is right", "not reached", "ESME_RINVPASWD", "192.0.2.7"):
        assert said in seen(page)
    assert 'href="/accounts/smpp-acme/settings"' in page.text
    page = await operator.get("/why", params={"q": HOSTILE})
    assert (page.status_code, HOSTILE in page.text) == (200, False)
    assert 'href="/accounts/smpp-acme/senders"' in page.text
    assert "Nothing is remembered" in seen(await operator.get("/why?q=nobody"))
    assert "Ask for one" in seen(await operator.get("/why"))
    for asked, everything in (("smpp-acme", "account=smpp-acme"), ("10.0.0.9", "named=10.0.0.9")):
        assert f'href="/refusals?{everything}"' in (await operator.get(f"/why?q={asked}")).text
    assert (await operator.get("/why?refusal=99")).status_code == 404


async def test_a_message_that_was_accepted_is_shown_as_such(refused: Desk, operator: httpx2.AsyncClient) -> None:
    [id_] = await refused.accept("smpp-acme", submit())
    page = await operator.get(f"/why?q={id_}")
    assert "it was accepted" in seen(page)
    assert f"/accounts/smpp-acme/history/{id_}" in page.text


async def test_who_only_looks_sees_masked_numbers_and_a_customer_nothing(refused: Desk) -> None:
    looking = OPERATOR._replace(rights=rights_of(True, True), read_only=True)
    async with browsing(refused, looking) as browser:
        for path in ("/refusals", f"/why?q={TO}"):
            page = await browser.get(path)
            assert page.status_code == 200
            assert "4860•••••00" in page.text
        assert TO not in (await browser.get("/refusals")).text
    async with browsing(refused, customer(await refused.id_of("smpp-acme"))) as browser:
        for path in ("/refusals", "/why", "/binds"):
            assert (await browser.get(path)).status_code == 403


async def test_it_speaks_polish(refused: Desk) -> None:
    async with browsing(refused, OPERATOR._replace(language="pl")) as browser:
        assert "Dlaczego odmówiono?" in seen(await browser.get("/why?q=10.0.0.9"))
        assert "Odmowy" in seen(await browser.get("/refusals"))
