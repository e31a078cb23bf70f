"""An account that uses its credit up: one request, one order, one signed answer, one booking, whatever is repeated."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pdu import constants as c
from tests.payment_service import SECRET, Service, payment_service
from tests.road.client import accepted, answers_to, bound
from tests.road.running import Road
from tests.server import Login, eventually

pytestmark = pytest.mark.road

ASKS = {"auto_topup_amount": "100", "auto_topup_threshold": "5"}


@pytest.fixture
def service() -> Iterator[Service]:
    with payment_service() as running:
        yield running


@pytest.fixture
def road(tmp_path: Path, service: Service) -> Iterator[Road]:
    hook = f'[payment]\nurl = "{service.payment.url}"\nsecret = "{SECRET}"\n'
    with Road(tmp_path, more=hook) as running:
        yield running


async def send(road: Road, login: Login, number: int) -> list[int | None]:
    async with await bound(road.port, login) as client:
        asked = client.submit_many(number)
        await answers_to(asked)
        return [one.status for one in asked]


async def test_sent_until_the_threshold_ordered_paid_and_booked_once(road: Road, service: Service) -> None:
    login = road.desk.account("hungry", credits="10", **ASKS)
    assert await send(road, login, 7) == [c.ESME_ROK] * 7
    eventually("the order arrives", lambda: service.orders)
    road.restart()
    assert await send(road, login, 4) == [c.ESME_ROK] * 3 + [c.ESME_RNOCREDIT]
    assert [(one["state"], one["amount"]) for one in road.desk.topups(login)] == [("open", "100")]
    assert service.call_back(road.web_port, credits="10000")[0] == 409
    for _ in range(3):
        status, said = service.call_back(road.web_port)
        assert (status, said["state"]) == (200, "booked")
    assert road.desk.balance(login) == "100"
    assert await send(road, login, 4) == [c.ESME_ROK] * 4  # the open gateway has heard of it
    kinds = [line["kind"] for line in road.desk.ledger(login)]
    assert kinds.count("auto_topup") == 1
    road.desk.audited()


async def test_a_failed_payment_is_visible_and_the_account_waits_before_it_asks_again(
    road: Road, service: Service
) -> None:
    login = road.desk.account("poor", credits="6", **ASKS)
    assert await send(road, login, 1) == [c.ESME_ROK]
    eventually("the order arrives", lambda: service.orders)
    assert service.call_back(road.web_port, "failed", reason="the debit was refused")[0] == 200
    assert await send(road, login, 1) == [c.ESME_ROK]
    [shown] = road.desk.topups(login)
    assert (shown["state"], shown["reason"], shown["answer"]) == ("failed", "the debit was refused", "202 noted[31m")
    assert road.desk.balance(login) == "4"


async def test_at_once_nobody_notices_that_the_credit_was_used_up(road: Road, service: Service) -> None:
    login = road.desk.account("trusted", credits="10", auto_topup_at_once="yes", window=1, **ASKS)
    async with await bound(road.port, login) as client:
        await accepted(client.submit_many(150))
    assert [one["state"] for one in road.desk.topups(login)] == ["booked", "booked"]
    assert road.desk.balance(login) == "60"
    assert service.orders == []
    road.desk.audited()
    export = road.desk.export(login)
    assert export["balance"] == "60"
