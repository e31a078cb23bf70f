"""Sending in the browser: what it would cost first, sent once however often it is posted, taken back while it waits."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from acl.reasons import Refusal
from pdu.times import parse
from tests.gateway.desk import Desk, submit

from .browser import browsing, customer, seen

HERE = "/accounts/smpp-a/send"
FORM = {"sender": "ACME", "recipients": "48600100200\n48600100201", "message": "Hello", "request_id": "r1"}


@pytest.fixture
async def owner(desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    await desk.operator.accounts.create({"name": "smpp-a", "credits": "100", "senders": ["ACME", "36180"]})
    async with browsing(desk, customer(await desk.id_of("smpp-a"))) as client:
        yield client


async def test_what_it_would_cost_is_shown_and_nothing_is_sent(desk: Desk, owner: httpx2.AsyncClient) -> None:
    assert "36180" in seen(await owner.get(HERE))
    shown = seen(await owner.post(f"{HERE}/preview", data={**FORM, "message": "ąę" * 40}))
    assert all(words in shown for words in ("4.00 credits", "for 2 recipients", "UCS-2"))
    part = await owner.post(f"{HERE}/cost", data=FORM)
    assert ("2.00 credits" in seen(part), "<html" in part.text) == (True, False)
    assert "Enter a text" in seen(await owner.post(f"{HERE}/cost", data={**FORM, "recipients": ""}))
    refused = seen(await owner.post(f"{HERE}/preview", data={**FORM, "recipients": "48600100200,1"}))
    assert "1 recipient would be refused" in refused
    assert desk.live.sent == []


async def test_credit_that_is_not_enough_for_all_of_them_is_told_first(desk: Desk, owner: httpx2.AsyncClient) -> None:
    assert "Not enough credit" not in seen(await owner.post(f"{HERE}/cost", data=FORM))
    await desk.operator.prices.set("default", {"*": "60"})
    assert "Not enough credit for all of them" in seen(await owner.post(f"{HERE}/cost", data=FORM))
    await desk.operator.accounts.change("smpp-a", {"credit_limit": "20"})
    assert "Not enough credit" not in seen(await owner.post(f"{HERE}/cost", data=FORM))


async def test_it_goes_once_though_it_is_posted_twice(desk: Desk, owner: httpx2.AsyncClient) -> None:
    for _ in range(2):
        sent = await owner.post(HERE, data={**FORM, "registered": "on"})
        assert (sent.status_code, sent.headers["location"]) == (303, "/accounts/smpp-a/history")
    assert [(each.short_message, each.registered_delivery) for each in desk.live.sent] == [(b"Hello", 1)] * 2


async def test_a_time_is_the_readers(desk: Desk, owner: httpx2.AsyncClient) -> None:
    await owner.post(HERE, data={**FORM, "schedule": "2027-01-16T09:00"})
    assert parse(desk.live.sent[0].schedule_delivery_time, 0) == 1_800_086_400.0  # 8 o'clock in London


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("recipients", "", "1 to 100"),
        ("message", "", "1 to 4000"),
        ("schedule", "soon", "a day and a time"),
        ("sender", "no sender has this", ""),
    ],
)
async def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(
    desk: Desk, owner: httpx2.AsyncClient, field: str, value: str, words: str
) -> None:
    answer = await owner.post(HERE, data={**FORM, field: value})
    assert answer.status_code == 422
    assert words in seen(answer)
    assert f'id="{field}-e"' in answer.text
    assert ("Hello" in answer.text or field == "message", desk.live.sent) == (True, [])


async def test_who_was_refused_is_left_in_the_form(desk: Desk, owner: httpx2.AsyncClient) -> None:
    desk.live.refusal = Refusal("no_credit")
    answer = await owner.post(HERE, data=FORM)
    assert answer.status_code == 422
    assert "The account has not enough credit for this message." in seen(answer)
    assert "48600100200\n48600100201</textarea>" in answer.text
    assert 'value="r1"' not in answer.text


async def test_a_scheduled_message_is_taken_back(desk: Desk, owner: httpx2.AsyncClient) -> None:
    at = int(desk.time.now * 1000) + 60_000
    [id_] = await desk.accept("smpp-a", submit(), scheduled=lambda ids: [(ids[0], at)])
    page = f"/accounts/smpp-a/history/{id_}"
    assert f"{page}/cancel" in (await owner.get(page)).text
    assert (await owner.post(f"{page}/cancel")).status_code == 303
    assert desk.live.cancelled == [id_]
    [now] = await desk.accept("smpp-a", submit())
    assert (await owner.post(f"/accounts/smpp-a/history/{now}/cancel")).status_code == 409
    assert (await owner.post("/accounts/smpp-a/history/9/cancel")).status_code == 404


async def test_who_may_only_look_sends_nothing(desk: Desk, owner: httpx2.AsyncClient) -> None:
    async with browsing(desk, customer(await desk.id_of("smpp-a"), read_only=True)) as looking:
        assert (await looking.get(HERE)).status_code == 403
        assert (await looking.post(HERE, data=FORM)).status_code == 403
        assert f'href="{HERE}"' not in (await looking.get("/accounts/smpp-a")).text
