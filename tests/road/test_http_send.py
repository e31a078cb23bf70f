"""What is sent over HTTP goes the road of what comes over SMPP: judged, charged, kept, receipted."""

from __future__ import annotations

import http.client
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.web.unix import NAME, connect
from tests.road.client import MOBILE, bound
from tests.road.desk import Refused
from tests.road.running import Road
from tests.server import PATIENCE, Login, eventually

pytestmark = pytest.mark.road


def send(server: Road, login: Login, **more: Any) -> list[dict[str, Any]]:
    body = {"recipients": [MOBILE], "message": "Hello", "sender": "MAPLE", **more}
    items: list[dict[str, Any]] = server.desk.ask("POST", "accounts", login.name, "outgoing", body=body)["items"]
    return items


async def test_it_is_charged_is_in_the_history_and_its_receipt_goes_to_a_receiver(server: Road) -> None:
    login = server.desk.account("web", senders=["MAPLE"], credits="10")
    client = await bound(server.port, login)
    [told] = send(server, login, registered=True)
    assert (told["charge"], told["parts"]) == ("1", 1)
    assert server.desk.balance(login) == "9"
    [kept] = server.desk.ask("GET", "accounts", login.name, "outgoing")["items"]
    assert ([kept["message_id"]], kept["text"]) == (told["ids"], "Hello")
    await client.receipt(told["ids"][0])


async def test_what_is_refused_says_why_costs_nothing_and_is_remembered(server: Road) -> None:
    login = server.desk.account("strict", senders=["MAPLE"], credits="1")
    assert send(server, login, sender="OTHER")[0]["reason"] == "sender_not_allowed"
    server.desk.ask("POST", "accounts", login.name, "blacklists", body={"numbers": [MOBILE], "note": ""})
    assert send(server, login)[0]["reason"] == "destination_blacklisted"
    paid, unpaid = send(server, login, recipients=["48600100201", "48600100202"])
    assert ("ids" in paid, unpaid["reason"]) == (True, "no_credit")
    wanted = {"sender_not_allowed", "destination_blacklisted", "no_credit"}
    eventually("kept", lambda: {one["reason"] for one in server.desk.refusals(login)} == wanted)
    assert server.desk.balance(login) == "0"


async def test_the_same_key_twice_sends_once(server: Road) -> None:
    login = server.desk.account("keyed", senders=["MAPLE"], credits="10")
    body = json.dumps({"recipients": [MOBILE], "message": "Hello", "sender": "MAPLE"})
    answers = []
    for _ in range(2):
        connection = http.client.HTTPConnection("gateway")
        connection.sock = connect(server.data / NAME, PATIENCE)
        headers = {"Content-Type": "application/json", "Idempotency-Key": "first"}
        connection.request("POST", f"/api/v1/accounts/{login.name}/outgoing", body, headers)
        answer = connection.getresponse()
        answers.append((answer.status, answer.read()))
        connection.close()
    assert answers[0] == answers[1]
    assert answers[0][0] == 201
    assert server.desk.balance(login) == "9"


async def test_a_scheduled_message_is_cancelled_and_paid_back_once(server: Road) -> None:
    login = server.desk.account("later", senders=["MAPLE"], credits="10", refund="unsent")
    at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    [told] = send(server, login, schedule=at)
    assert server.desk.balance(login) == "9"
    path = "accounts", login.name, "outgoing", told["ids"][0]
    server.desk.ask("POST", *path, "cancel")
    assert (server.desk.ask("GET", *path)["state"], server.desk.balance(login)) == ("deleted", "10")
    with pytest.raises(Refused) as refused:
        server.desk.ask("POST", *path, "cancel")
    assert refused.value.status == 409
    server.desk.audited()
