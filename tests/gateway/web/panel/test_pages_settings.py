"""The options of an account: addresses, and every setting of the table in the form or as text."""

import re
from typing import Any

import pytest

from acl.settings import SETTINGS
from gateway.web.panel import words
from gateway.web.panel.pages_settings import GROUPS
from tests.gateway.desk import Desk

from .browser import browsing, customer, seen

HERE = "/accounts/smpp-maple/settings"
ELSEWHERE = {"addresses", "address_comments"}  # have a tile of their own


async def maple(desk: Desk, **settings: Any) -> int:
    await desk.operator.accounts.create({"name": "smpp-maple", **settings})
    return await desk.id_of("smpp-maple")


def fields(html: str) -> dict[str, Any]:
    """What a browser would post of the big form."""
    form = html[html.index('name="version"') - 200 :]
    found: dict[str, Any] = dict(re.findall(r'<input id="\w+" name="(\w+)"[^>]* value="([^"]*)"', form))
    found |= dict(re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>(.*?)</textarea>', form, re.DOTALL))
    for name, inside in re.findall(r'<select[^>]* name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        found[name] = (re.findall(r'value="([^"]*)" selected', inside) or re.findall(r'value="([^"]*)"', inside))[0]
    for name, value in re.findall(r'type="checkbox"[^>]* name="(\w+)" value="([^"]*)" checked', form):
        found.setdefault(name, []).append(value)
    version = re.search(r'name="version" value="([^"]*)"', form)
    assert version is not None
    return {**found, "version": version[1]}


def test_every_setting_is_somewhere() -> None:
    assert {name for group in GROUPS for name in group.names} | ELSEWHERE == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize("language", [code for code in words.LANGUAGES if code != "en"])
def test_every_setting_is_explained_in_every_language(language: str) -> None:
    catalogue = words.catalogue(language)
    assert [one.name for one in SETTINGS if not catalogue.get(one.help, words.SAID)] == []


async def test_saving_what_is_there_changes_nothing(desk: Desk) -> None:
    await maple(desk, senders=["MAPLE"], status_overrides={"no_credit": 69}, stop_keywords=["STOP", "ARRÊT"])
    before = await desk.operator.accounts.show("smpp-maple")
    async with browsing(desk) as browser:
        answer = await browser.post(HERE, data=fields((await browser.get(HERE)).text))
    assert answer.status_code == 303
    assert await desk.operator.accounts.show("smpp-maple") == before


async def test_an_owner_changes_what_is_theirs_and_reads_the_rest(desk: Desk) -> None:
    async with browsing(desk, customer(await maple(desk))) as browser:
        page = await browser.get(HERE)
        assert "Ask your operator for a change." in page.text
        assert 'name="throughput"' not in page.text
        typed = {**fields(page.text), "receipt_zone": "Europe/Warsaw", "throughput": "9999"}
        assert (await browser.post(HERE, data=typed)).status_code == 303
    account = await desk.operator.accounts.show("smpp-maple")
    assert (account["receipt_zone"], account["throughput"]) == ("Europe/Warsaw", 20)


async def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(desk: Desk) -> None:
    async with browsing(desk, customer(await maple(desk))) as browser:
        typed = {**fields((await browser.get(HERE)).text), "receipt_zone": "Mars/Base<1>"}
        answer = await browser.post(HERE, data=typed)
    assert answer.status_code == 422
    assert "is a time zone such as UTC or Europe/Warsaw" in answer.text
    assert "Mars/Base&lt;1&gt;" in answer.text


async def test_who_was_overtaken_hears_of_it(desk: Desk) -> None:
    async with browsing(desk, customer(await maple(desk))) as browser:
        typed = {**fields((await browser.get(HERE)).text), "description": "mine"}
        await desk.operator.accounts.change("smpp-maple", {"description": "theirs"})
        answer = await browser.post(HERE, data=typed)
    assert answer.status_code == 409
    assert "Someone changed this" in seen(answer)
    assert 'value="mine"' in answer.text
    assert (await desk.operator.accounts.show("smpp-maple"))["description"] == "theirs"


async def test_addresses_are_added_with_a_comment_and_deleted_after_a_question(desk: Desk) -> None:
    async with browsing(desk, customer(await maple(desk))) as browser:
        assert "Add an IP (0/10)" in (await browser.get(HERE)).text
        wrong = await browser.post(HERE + "/ips", data={"address": "203.0.113.300", "comment": "Gateway A"})
        assert (wrong.status_code, "203.0.113.300" in wrong.text, "Gateway A" in wrong.text) == (422, True, True)
        added = await browser.post(HERE + "/ips", data={"address": "192.0.2.0/24", "comment": "Gateway A"})
        assert added.status_code == 303
        desk.live.bound(7, "smpp-maple")
        page = seen(await browser.get(HERE))
        assert "Add an IP (1/10)" in page
        assert "Gateway A" in page
        question = seen(await browser.get(HERE + "/ips/delete?address=192.0.2.0/24"))
        assert "Delete and drop 1 bind" in question
        assert (await browser.post(HERE + "/ips/delete", data={"address": "192.0.2.0/24"})).status_code == 303
    assert (await desk.operator.accounts.show("smpp-maple"))["addresses"] == []
