"""The owner of two accounts at her screen: each method is a thing she wants to have done, and sees that it was.

Knows nothing of the operator's side. What her client programme does over SMPP is hers, too.
"""

from __future__ import annotations

import csv
import re
from typing import NamedTuple

from playwright.sync_api import Locator, expect

from pdu import constants as c
from pdu.bodies import address
from tests.browser.screen import Screen
from tests.browser.stage import Stage, come_in
from tests.esme import Esme
from tests.mailserver import fact
from tests.road.client import answer_to
from tests.server import HOST, Login, eventually

MOBILE = "48600100200"
SENDER = "MAPLE"
LOGIN_DATA = ("SystemID", "Unsecured Endpoint SMPP", "Windowing", "Permitted throughput")
DOCUMENT = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


class Accounts(NamedTuple):
    """The one that sends, and the one that credits go to."""

    first: str
    second: str


class Customer:
    def __init__(self, screen: Screen, stage: Stage, email: str, accounts: Accounts) -> None:
        self.screen, self.stage, self.email, self.accounts = screen, stage, email, accounts
        self.say, self.page = screen.say, screen.page

    def comes_in(self, link: str) -> None:
        come_in(self.screen, link, self.email, "Anna Klon")
        self.screen.sees(self.accounts.first, self.accounts.second)
        self.screen.show("accounts")
        self.page.get_by_role("link", name=self.accounts.first, exact=True).click()
        self.screen.sees(self.say("Awaiting the declaration of your IPs"))
        self.screen.show("home-waiting")

    # -- connecting ------------------------------------------------------------------------------------------------
    def copies_her_login_data(self) -> dict[str, str]:
        """With the buttons; without scripts there are none, and a click marks the whole value."""
        copied = {name: self._copied(name) for name in LOGIN_DATA}
        assert copied["Unsecured Endpoint SMPP"] == f"{HOST}:{self.stage.port}"
        assert "10" in copied["Windowing"]
        assert "20" in copied["Permitted throughput"]
        return copied

    def _copied(self, name: str) -> str:
        button = self.screen.button("Copy: %(name)s", name=self.say(name))
        if self.screen.scripts:
            button.click()
            expect(self.page.locator("#said")).to_have_text(self.say("Copied"))
            return str(self.page.evaluate("() => navigator.clipboard.readText()"))
        expect(button).to_be_hidden()
        row = self.page.locator(".kv > div").filter(has=self.page.get_by_text(self.say(name), exact=True))
        value = row.locator("dd > span").first
        return value.inner_text()

    def adds_her_address(self) -> None:
        self.screen.menu("Options")
        self.screen.sees(self.say("No address is authorised yet."))
        self.screen.field("IP address").fill("127.0.0.300")
        self.screen.field("Comment").fill("Gateway A, Warsaw")
        self.screen.button("Add an IP (%(n)s/%(most)s)", n=0, most=10).click()
        expect(self.screen.field("IP address")).to_have_attribute("aria-invalid", "true")
        expect(self.screen.field("Comment")).to_have_value("Gateway A, Warsaw")
        self.screen.show("address-wrong")
        self.screen.button("Add it").click()
        self.screen.told("%(ip)s may connect.", ip=HOST)
        expect(self.screen.button("Add an IP (%(n)s/%(most)s)", n=1, most=10)).to_be_visible()
        self.screen.show("options")

    def receives_a_new_password(self) -> str:
        self.screen.menu("Home")
        self.screen.link("Generate a new password").click()
        dialog = self.page.get_by_role("dialog")
        expect(dialog).to_contain_text(self.email)
        self.screen.show("new-password")
        before = len(self.stage.letters_for(self.email))
        self.screen.button("Send").click()
        self.screen.told("A new password is on its way to %(email)s.", email=self.email)
        letters = eventually("it arrives", lambda: self.stage.letters_for(self.email)[before:])
        self.stage.settle()
        assert letters[0]["Subject"] == self.say("New SMPP password for %(account)s", account=self.accounts.first)
        return fact(letters[0], self.say("Password"))

    def binds(self, system_id: str, password: str) -> Esme:
        esme = Esme(self.stage)
        answer = esme.bind(Login(self.accounts.first, system_id, password))
        assert answer.status == c.ESME_ROK, f"{answer.status:#x}"
        self.screen.until(lambda: self.page.get_by_role("cell", name=re.compile(rf"^{HOST}:\d+")))
        self.screen.show("home-connected")
        return esme

    # -- sending ---------------------------------------------------------------------------------------------------
    def sends(self, esme: Esme, text: str, status: int = c.ESME_ROK) -> str:
        """Waits for the receipt of what was taken. -> its id"""
        source, destination = address(5, 0, SENDER.encode()), address(1, 1, MOBILE.encode())
        answer = esme.submit(text.encode(), source=source, destination=destination, registered_delivery=1)
        assert answer.status == status, f"{answer.status:#x}"
        if status != c.ESME_ROK:
            return ""
        message_id: bytes = answer.body.message_id
        receipt = esme.heard(c.DELIVER_SM)
        assert b"id:" + message_id in receipt.body.short_message
        esme.write(answer_to(receipt, 0))
        return message_id.decode()

    def registers_a_sender(self) -> None:
        self.screen.menu("Senders")
        self.screen.field("Sender").fill(SENDER)
        self.screen.field("Description").fill("Maple Clinic")
        self.screen.field("Reason").fill("Appointment reminders of our clinic, whose name this is.")
        self.screen.field("Documents").set_input_files(
            {"name": "authorisation.pdf", "mimeType": "application/pdf", "buffer": DOCUMENT}
        )
        self.screen.button("Send for approval").click()
        expect(self._row(SENDER)).to_contain_text(self.say("Awaiting validation"))
        self.screen.show("sender-waiting")

    def sees_it_enabled(self) -> None:
        self.page.reload()
        expect(self._row(SENDER)).to_contain_text(self.say("Enabled"))
        self.screen.show("sender-enabled")

    def _row(self, words: str) -> Locator:
        return self.page.get_by_role("row").filter(has_text=words)

    # -- credits ---------------------------------------------------------------------------------------------------
    def asks_for_a_top_up(self, amount: str) -> None:
        self.screen.menu("Credits")
        self._tab("Top up")
        self.screen.field("Number of credits").fill(amount)
        self.screen.field("Note").fill("order 2025/117")
        self.screen.button("Ask for it").click()
        expect(self._row("2025/117")).to_contain_text(self.say("An operator decides."))
        self.screen.show("top-up-asked")

    def sees_it_booked(self, amount: str) -> None:
        self.page.reload()
        expect(self._row("2025/117")).to_contain_text(self.say("Booked"))
        self._tab("Statement")
        expect(self._row(self.say("Top-up"))).to_contain_text(f"+{self._amount(amount)}")
        self.screen.show("statement")

    def transfers(self, amount: str, left: str) -> None:
        self._tab("Transfer")
        self.screen.field("Account to credit").select_option(self.accounts.second)
        self.screen.field("Number of credits").fill(amount)
        self.screen.button("Continue").click()
        expect(self.page.get_by_role("dialog")).to_contain_text(self._amount(left))
        self.screen.show("transfer-confirm")
        self.screen.button("Send").click()
        self.screen.told("%(n)s credits are on %(name)s now.", n=self._amount(amount), name=self.accounts.second)
        self.screen.show("transferred")

    def sets_automatic_top_up(self, amount: str, threshold: str) -> None:
        self._tab("Automatic top-up")
        self.page.get_by_role("radio", name=amount, exact=True).check()
        self.screen.field("Minimum threshold, in credits").fill(threshold)
        self.screen.button("Confirm").click()
        self.screen.told("The automatic top-up is changed; it counts at once.")
        self.screen.show("automatic")

    def sees_that_it_was_asked_for(self) -> None:
        self.page.reload()
        expect(self.page.get_by_role("table")).to_contain_text(self.say("An operator decides."))
        self.screen.show("automatic-asked")

    def sees_the_balance(self, amount: str) -> None:
        self.screen.menu("Home")
        expect(self.page.locator("[data-figure=balance]")).to_have_text(self._amount(amount))
        if self.screen.scripts:
            width = self.page.locator(".plot-here canvas").first.evaluate("canvas => canvas.clientWidth")
            assert width > 300, "the chart is drawn"
        self.screen.show("home-busy")

    def _amount(self, amount: str) -> str:
        return f"{amount},00" if self.say.language == "pl" else f"{amount}.00"

    def _tab(self, name: str) -> None:
        tabs = self.page.get_by_role("navigation", name=self.say("Credits"), exact=True)
        tabs.get_by_role("link", name=self.say(name), exact=True).click()

    # -- what was sent ---------------------------------------------------------------------------------------------
    def finds_in_the_history(self, texts: dict[str, str]) -> None:
        """`texts` by message id; each has its line, and a page of its own."""
        self.screen.menu("History")
        for text in texts.values():
            expect(self._row(text)).to_contain_text(self.say("Delivered"))
        self.screen.show("history")
        for message_id, text in texts.items():
            self._row(text).get_by_role("link").first.click()
            self.screen.sees(message_id, text, self.say("Submitted"), self.say("Charged"), self.say("Delivered"))
            if text == next(iter(texts.values())):
                self.screen.show("message")
            self.page.go_back()

    def exports_them(self) -> list[list[str]]:
        """-> the lines of the CSV."""
        with self.page.expect_download() as download:
            self.screen.link("Download as CSV").click()
        with download.value.path().open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))
