"""The specification for developers: it says what the tables say, with this account's own limits, and no password."""

from typing import Any

import pytest

from acl.reasons import REASONS
from acl.settings import Settings
from gateway.web.panel import snippets, specification, words
from pdu import constants as smpp
from pdu import receipt, tlv
from pdu.commands import LEGAL, OFFERED, STATES
from tests.gateway.desk import Desk

from .browser import browsing, customer, seen

HERE = "/accounts/smpp-maple/specification"
PLAIN = snippets.Place("sms.gate.example", 2775, False)


async def maple(desk: Desk, **settings: Any) -> int:
    await desk.operator.accounts.create({"name": "maple", "system_id": "maple01", **settings})
    return await desk.id_of("smpp-maple")


async def shown(desk: Desk, language: str = "en", **settings: Any) -> str:
    async with browsing(desk, customer(await maple(desk, **settings), language=language)) as browser:
        answer = await browser.get(HERE)
    assert answer.status_code == 200
    return seen(answer)


async def test_every_name_of_the_tables_is_on_the_page(desk: Desk) -> None:
    page = await shown(desk)
    names = [*REASONS, *smpp.STATUS_NAMES.values(), *(word.decode() for word in receipt.STAT.values())]
    names += [row.name for body in specification.bodies() for row in body.rows]
    names += [smpp.COMMAND_NAMES[number] for number in specification.traded()]
    assert [name for name in names if name not in page] == []


async def test_what_is_on_the_contents_is_on_the_page(desk: Desk) -> None:
    async with browsing(desk, customer(await maple(desk))) as browser:
        text = (await browser.get(HERE)).text
    links = text.split('href="#')[1:]
    targets = [link.partition('"')[0] for link in links]
    assert {"smpplib", "kannel"} < set(targets)  # the home of the account leads there
    assert [target for target in targets if text.count(f'id="{target}"') != 1] == []


async def test_it_tells_the_limits_and_answers_of_this_account(desk: Desk) -> None:
    page = await shown(desk, window=7, throughput=33, commands=["data_sm"], status_overrides={"no_credit": 69})
    assert "33 parts/s" in page
    assert "query_sm switched off for this account" in page
    assert "data_sm switched off" not in page
    assert "0x45 ESME_RSUBMITFAIL chosen for this account" in page


async def test_the_receipt_is_the_one_this_account_gets(desk: Desk) -> None:
    page = await shown(desk, receipt_tlvs="vendor", receipt_zone="Europe/Warsaw")
    assert "outgoing_id = 123456789012345678" in page
    assert "Europe/Warsaw" in page
    made = receipt.parse(specification.example(Settings.of({"receipt_zone": "Europe/Warsaw"})).text.encode())
    assert (made.message_id, made.submit_date, made.state) == (b"123456789012345678", b"2609211613", smpp.DELIVERED)
    assert specification.example(Settings.of({"receipt_tlvs": "none"})).tlvs == ()


async def test_no_password_is_shown_and_the_login_is(desk: Desk) -> None:
    made = await desk.operator.accounts.create({"name": "maple", "system_id": "maple01"})
    async with browsing(desk, customer(await desk.id_of("smpp-maple"))) as browser:
        text = (await browser.get(HERE)).text
    assert made["password"] not in text
    assert "maple01" in text
    assert "sms.gate.example" in text


async def test_it_speaks_polish(desk: Desk) -> None:
    page = await shown(desk, "pl")
    assert "Jak się połączyć" in page
    assert REASONS["no_credit"] not in page


async def test_an_account_that_one_does_not_see_has_no_page(desk: Desk) -> None:
    await maple(desk)
    async with browsing(desk, customer()) as browser:
        assert (await browser.get(HERE)).status_code == 404


def test_every_refusal_is_said_in_every_language() -> None:
    for language in words.LANGUAGES:
        catalogue = words.catalogue(language) if language != "en" else None
        assert catalogue is None or [why for why in REASONS.values() if not catalogue.get(why, words.SAID)] == []


def test_what_the_client_may_send_is_told_and_what_it_is_sent() -> None:
    told = specification.pdus(Settings())
    may = frozenset().union(*(LEGAL[state] for state in STATES))
    assert {pdu.id for pdu in told if pdu.by_you} == may
    assert frozenset().union(*OFFERED.values()) >= specification.SENT
    assert all(pdu.by_you or pdu.by_gateway for pdu in told)


def test_a_parameter_stands_with_the_pdus_that_may_have_it() -> None:
    found = {each.name: each for each in specification.parameters()}
    assert found["message_payload"].commands == ("submit_sm", "submit_multi", "data_sm", "deliver_sm")
    assert found["sar_total_segments"].values == "1–255"
    assert found.keys() <= {row.name for row in tlv.TABLE.values()}
    assert "ms_availability_status" not in found  # of alert_notification, which is never sent


def test_text_is_counted_by_the_accounts_alphabet() -> None:
    [gsm] = [each for each in specification.texts(Settings()) if each.kind == "gsm"]
    assert (gsm.alone, gsm.each) == (160, 153)
    limited = specification.texts(Settings.of({"default_alphabet": "latin1", "data_codings": [0, 8]}))
    assert {each.kind: each.allowed for each in limited if each.allowed} == {"latin1": "0x00", "ucs2": "0x08"}


def test_codes_of_the_network_stand_beside_our_own() -> None:
    rules = [{"error": 9, "state": "undeliverable"}, {"error": 0, "state": "delivered"}]
    assert [each.code for each in specification.errors(rules)] == [0, 9, 53, 801, 802]


@pytest.mark.parametrize("secured", [True, False])
@pytest.mark.parametrize("sender", ["", "MAPLE", "48600100200"])
def test_the_snippet_for_smpplib_is_python_and_checks_the_certificate(secured: bool, sender: str) -> None:
    settings = Settings.of({"senders": ["*"], "default_sender": sender})
    text = snippets.smpplib(snippets.Place("sms.gate.example", 3550, secured), "ma'ple\"", settings)
    compile(text, "snippet", "exec")
    assert repr("ma'ple\"") in text
    assert ("server_hostname=HOST" in text) is secured


def test_the_snippet_for_kannel_keeps_within_the_limits() -> None:
    text = snippets.kannel(PLAIN, "smpp-maple", 'ma"ple', Settings.of({"window": 7, "throughput": 0}))
    assert 'smsc-username = "ma\\"ple"' in text
    assert "max-pending-submits = 7\n" in text
    assert "\nthroughput" not in text
    assert "use-ssl" not in text


def test_without_a_transceiver_kannel_sends_by_one_bind_and_receives_by_the_other() -> None:
    settings = Settings.of({"bind_types": ["transmitter", "receiver"]})
    text = snippets.kannel(PLAIN, "smpp-maple", "maple01", settings)
    assert text.count("group = smsc") == 2
    assert "\nport = 2775\n" in text
    assert "receive-port = 2775\n" in text
    assert "bind_transmitter" in snippets.smpplib(PLAIN, "maple01", settings)


def test_an_endpoint_is_read_with_brackets_and_without() -> None:
    assert snippets.place({"secured": "[2001:db8::1]:3550", "unsecured": None}) == ("2001:db8::1", 3550, True)
    assert snippets.place({"secured": None, "unsecured": "gate.example:2775"}) == ("gate.example", 2775, False)
    assert snippets.place({"secured": None, "unsecured": None}) is None
