"""Senders and the blacklist as a bound customer feels them: what is decided at the desk holds on the wire at once."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pdu import constants as c
from pdu.bodies import address
from pdu.times import format_relative
from tests.road.client import MOBILE, Esme, bound
from tests.road.desk import Refused
from tests.road.running import Road
from tests.server import Login, eventually

pytestmark = pytest.mark.road

SOON = 2.0  # seconds that a change may take to be felt
MAPLE, SHORT = address(5, 0, b"MAPLE"), address(3, 1, b"36180")


async def status(client: Esme, **values: Any) -> int:
    return (await client.submit(**{"source": MAPLE, **values}).answered()).status


async def becomes(client: Esme, wanted: int, since: float, **values: Any) -> None:
    while (found := await status(client, **values)) != wanted:
        assert time.monotonic() - since < SOON, f"still {found:#x}"
    assert time.monotonic() - since < SOON


def stop(server: Road, login: Login, number: str = MOBILE, text: str = "STOP") -> None:
    server.desk.ask("POST", "mo", body={"from": number, "to": "36180", "text": text, "account": login.name})


def reasons(server: Road, login: Login) -> set[str]:
    return {one["reason"] for one in server.desk.refusals(login)}


async def test_a_sender_is_of_use_from_its_approval_until_it_is_switched_off(server: Road) -> None:
    login = server.desk.account("named", senders=[])
    client = await bound(server.port, login)
    steps = ("accounts", login.name, "senders")
    assert await status(client) == c.ESME_RINVSRCADR
    server.desk.ask("POST", *steps, body={"sender": "MAPLE", "reason": "our shop's name"})
    assert await status(client) == c.ESME_RINVSRCADR  # it waits
    for step, answer in (
        ("approve", c.ESME_ROK), ("disable", c.ESME_RINVSRCADR), ("enable", c.ESME_ROK),
        ("refuse", c.ESME_RINVSRCADR), ("approve", c.ESME_ROK),
    ):  # fmt: skip
        begun = time.monotonic()
        body = {"comment": "not yours"} if step == "refuse" else {"comment": ""} if step == "approve" else {}
        server.desk.ask("POST", *steps, "MAPLE", step, body=body)
        await becomes(client, answer, begun)
    begun = time.monotonic()
    server.desk.ask("DELETE", *steps, "MAPLE")
    await becomes(client, c.ESME_RINVSRCADR, begun)
    eventually("the refusals are kept", lambda: reasons(server, login) == {"sender_not_allowed"})
    assert server.desk.balance(login) == "997"  # what was refused cost nothing


async def test_whoever_answers_stop_is_refused_on_the_open_bind_until_taken_off(server: Road) -> None:
    login = server.desk.account("polite", senders=["MAPLE", "36180"])
    client = await bound(server.port, login)
    assert await status(client) == c.ESME_ROK
    begun = time.monotonic()
    stop(server, login, text=" stop ")
    await becomes(client, c.ESME_RINVDSTADR, begun)
    assert await status(client, destination=address(1, 1, b"48600100201")) == c.ESME_ROK  # nobody else
    assert await status(client, destination=address(1, 1, b"+" + MOBILE.encode())) == c.ESME_RINVDSTADR
    eventually("the reason is kept", lambda: reasons(server, login) == {"destination_blacklisted"})
    server.restart()
    client = await bound(server.port, login)
    assert await status(client) == c.ESME_RINVDSTADR
    begun = time.monotonic()
    server.desk.ask("DELETE", "accounts", login.name, "blacklists", MOBILE)
    await becomes(client, c.ESME_ROK, begun)
    with pytest.raises(Refused, match="404"):
        server.desk.ask("DELETE", "accounts", login.name, "blacklists", MOBILE)


async def test_or_it_is_accepted_and_fails_with_a_receipt_of_error_53_and_the_money_back(server: Road) -> None:
    login = server.desk.account("silent", senders=["MAPLE", "36180"], blacklisted="receipt", credits="10")
    client = await bound(server.port, login)
    server.desk.ask("POST", "accounts", login.name, "blacklists", body={"numbers": [MOBILE], "note": "by letter"})
    asked = client.submit_many(
        3, to=lambda n: MOBILE if n == 1 else f"4860010030{n}", source=MAPLE, registered_delivery=1
    )
    for one in asked:
        assert (await one.answered()).status == c.ESME_ROK
    told = [await client.receipt(one.message_id) for one in asked]
    assert [(one.state, int(one.error)) for one in told] == [
        (c.DELIVERED, 0), (c.UNDELIVERABLE, 53), (c.DELIVERED, 0),
    ]  # fmt: skip
    assert server.desk.balance(login) == "8"
    server.desk.audited()


async def test_a_message_that_waits_for_its_time_does_not_reach_whoever_has_stopped_meanwhile(server: Road) -> None:
    login = server.desk.account("patient", senders=["MAPLE", "36180"], credits="10")
    client = await bound(server.port, login)
    asked = client.submit(source=MAPLE, registered_delivery=1, schedule_delivery_time=format_relative(2))
    assert (await asked.answered()).status == c.ESME_ROK
    stop(server, login)
    told = await client.receipt(asked.message_id)
    assert (told.state, int(told.error)) == (c.UNDELIVERABLE, 53)
    assert server.desk.balance(login) == "10"
    server.desk.audited()
