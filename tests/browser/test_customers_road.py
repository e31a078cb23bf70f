"""What a page on managing an SMPP account tells its customers to do, done from top to bottom in a browser: in both
languages, with scripts and without, against a real gateway, a real mail server and a real bind."""

import pytest

from pdu import constants as c
from tests.browser.conftest import Opening
from tests.browser.customer import MOBILE, SENDER, Accounts, Customer
from tests.browser.operator import Operator
from tests.browser.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("language", ["en", "pl"])
def test_the_owner_of_an_account_needs_nobody_but_who_approves(
    stage: Stage, opening: Opening, language: str, scripts: bool
) -> None:
    name = f"{language}-{'scripts' if scripts else 'plain'}"
    email = f"anna.{name}@maple.example"
    accounts = Accounts(*[account(stage, f"{each}-{name}", email, language) for each in ("maple", "birch")])
    with (
        opening(f"road-{name}", language=language, scripts=scripts) as screen,
        opening(f"road-{name}-operator", scripts=scripts) as desk,
    ):
        duty, anna = Operator(desk, stage), Customer(screen, stage, email, accounts)
        duty.comes_in(f"duty.{name}@gate.example")
        anna.comes_in(duty.invites(email, language, *accounts))
        walk(anna, duty)
    stage.desk.audited()


def account(stage: Stage, name: str, email: str, language: str) -> str:
    """As an operator makes it: nobody may connect, no sender is known, nothing is paid."""
    fresh = {"addresses": [], "senders": [], "throughput": 20, "credits": "0"}
    owner = {"contact_email": email, "language": language, "description": "Maple Clinic · appointment reminders"}
    return stage.desk.account(name, **fresh, **owner).name


def walk(anna: Customer, duty: Operator) -> None:
    system_id = anna.copies_her_login_data()["SystemID"]
    anna.adds_her_address()
    with anna.binds(system_id, anna.receives_a_new_password()) as esme:
        anna.sends(esme, "nobody knows the sender", c.ESME_RINVSRCADR)
        anna.registers_a_sender()
        duty.enables(SENDER, anna.accounts.first)
        anna.sees_it_enabled()
        anna.sends(esme, "nobody has paid", c.ESME_RNOCREDIT)
        anna.asks_for_a_top_up("20")
        duty.books(anna.accounts.first)
        anna.sees_it_booked("20")
        anna.transfers("12", left="8")
        anna.sets_automatic_top_up("100", threshold="5")
        sent = {anna.sends(esme, text): text for text in ("first of three", "second of three", "third of three")}
        anna.sees_that_it_was_asked_for()
        duty.books(anna.accounts.first)
        anna.sees_the_balance("105")
    anna.finds_in_the_history(sent)
    lines = anna.exports_them()
    assert len(lines) == 1 + len(sent)
    assert {cell for line in lines for cell in line} >= {*sent, *sent.values(), MOBILE, SENDER}
