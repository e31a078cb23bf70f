"""What Prometheus and the operator are shown agrees with what the customer saw."""

from __future__ import annotations

import re

import pytest

from pdu import constants as c
from tests.road.client import accepted, answers_to, bound, connect, until
from tests.road.running import Road
from tests.server import Login

pytestmark = pytest.mark.road


@pytest.fixture
def figures(server: Road) -> Figures:
    return Figures(server)


class Figures:
    """Counters, as they have moved since the test began."""

    def __init__(self, server: Road) -> None:
        self._server = server
        self._before = self.now()

    def now(self) -> dict[str, float]:
        lines = [line.rpartition(" ") for line in self._server.metrics().splitlines() if not line.startswith("#")]
        return {sample: float(value) for sample, _space, value in lines}

    def moved(self, sample: str) -> float:
        return self.now().get(sample, 0.0) - self._before.get(sample, 0.0)


def pdus(direction: str, command: str, status: str = "ESME_ROK") -> str:
    return f'smppgate_pdus_total{{command="{command}",direction="{direction}",status="{status}"}}'


def messages(login: Login, state: str) -> str:
    return f'smppgate_messages_total{{account="{login.name}",state="{state}"}}'


async def test_every_counter_tells_what_happened(server: Road, figures: Figures) -> None:
    login = server.desk.account("counted", credits="12", max_binds=2)
    sender = await bound(server.port, login, c.BIND_TRANSMITTER)
    receiver = await bound(server.port, login, c.BIND_RECEIVER)
    ids = await accepted(
        [sender.submit(f"4860010020{last}", registered_delivery=1) for last in "0001112899"]
    )
    refused = [sender.submit(to="12"), sender.submit(text=b"\x80"), *sender.submit_many(5)]
    await answers_to(refused)
    async with await connect(server.port) as stranger:
        await stranger.bind(login._replace(password="wrong"))
    await until("the receipts came", lambda: len(receiver.receipts) == len(ids))
    await sender.ask(c.ENQUIRE_LINK)

    figure, now = figures.moved, figures.now
    assert figure(messages(login, "accepted")) == 12
    await until("the last ones ended", lambda: figure(messages(login, "delivered")) == 9)
    assert figure(messages(login, "rejected")) == 1
    assert figure(messages(login, "undeliverable")) == 2
    assert figure(pdus("in", "submit_sm")) == 17
    assert figure(pdus("out", "submit_sm_resp")) == 12
    assert figure(pdus("out", "submit_sm_resp", "ESME_RNOCREDIT")) == 3
    assert figure(pdus("out", "deliver_sm")) == 10
    assert figure(pdus("in", "deliver_sm_resp")) == 10
    assert figure('smppgate_refusals_total{reason="no_credit"}') == 3
    assert figure('smppgate_refusals_total{reason="destination_invalid"}') == 1
    assert figure('smppgate_refusals_total{reason="alphabet_invalid"}') == 1
    assert figure('smppgate_refusals_total{reason="wrong_password"}') == 1
    assert figure("smppgate_submit_seconds_count") == 17
    assert figure("smppgate_receipt_seconds_count") == 10
    assert now()[f'smppgate_binds{{account="{login.name}",type="transmitter"}}'] == 1
    assert now()[f'smppgate_binds{{account="{login.name}",type="receiver"}}'] == 1
    assert now()[f'smppgate_credits{{account="{login.name}"}}'] == 1  # what the network refused came back
    assert now()[f'smppgate_deliveries_pending{{account="{login.name}"}}'] == 0
    assert now()["smppgate_ledger_imbalance"] == 0


async def test_no_label_is_chosen_by_a_stranger(server: Road) -> None:
    server.desk.account("listed")
    for number in range(30):
        async with await connect(server.port) as stranger:
            await stranger.bind(Login("", f"evil{number}", "x"))
            stranger.write(b"\0\0\0\x10" + (0x4000 + number).to_bytes(4, "big") + bytes(8))
    text = server.metrics()
    assert "evil" not in text
    assert not re.search(r"0x40|1638\d", text)
    names = {line.partition("{")[0] for line in text.splitlines() if not line.startswith("#")}
    assert len(text.splitlines()) < 1000
    assert all(name.startswith(("smppgate_", "python_", "process_")) for name in {n.split()[0] for n in names})


async def test_the_operator_sees_why_something_was_refused(server: Road) -> None:
    login = server.desk.account("asking", credits="0")
    client = await bound(server.port, login)
    await client.submit().answered()
    [refusal] = await until("it is listed", lambda: server.desk.refusals(login))
    assert refusal["reason"] == "no_credit"
    assert refusal["status"] == "0x403"
    assert refusal["destination_addr"] == "48600100200"
    assert refusal["why"].endswith(".")
