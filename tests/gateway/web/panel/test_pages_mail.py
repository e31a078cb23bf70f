"""A new password by letter and the outbox in the browser: the address is named, the password is not."""

import httpx2
import pytest

from gateway.mail.post import Post
from tests.gateway.desk import Desk

from .browser import browsing, customer, seen

DIALOG = "/accounts/smpp-acme/password"
HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture
async def mailing(desk: Desk) -> Desk:
    """A desk with a mail server, and an account."""
    post = Post(desk.store, lambda: int(desk.time.now * 1000), lambda: None)
    desk.house.office = desk.house.office._replace(mail=post)
    await account(desk)
    return desk


async def account(desk: Desk) -> None:
    await desk.operator.accounts.create(
        {"name": "acme", "contact_email": "ola@example.com", "addresses": ["192.0.2.1"]}
    )


async def test_the_dialog_names_the_address_and_sends(mailing: Desk, operator: httpx2.AsyncClient) -> None:
    assert "ola@example.com" in seen(await operator.get(DIALOG))
    answer = await operator.post(DIALOG, data={"drop_binds": "on"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/accounts/smpp-acme")
    [letter] = await mailing.store.outbox.newest()
    assert (letter.kind, letter.facts) == ("password", {"drop_binds": True})


async def test_an_owner_reads_why_it_cannot_be_sent_now(mailing: Desk) -> None:
    await mailing.operator.accounts.change("acme", {"addresses": []})
    async with browsing(mailing, customer(await mailing.id_of("smpp-acme"))) as owner:
        assert "what is missing stands beside the status" in seen(await owner.get(DIALOG))
        assert (await owner.post(DIALOG)).status_code == 409
    assert await mailing.store.outbox.newest() == []


async def test_with_a_mail_server_no_page_shows_a_password(mailing: Desk, operator: httpx2.AsyncClient) -> None:
    before = [row.password_hash for row in await mailing.store.accounts()]
    answer = await operator.post(f"{DIALOG}/reveal")
    assert (answer.status_code, "it is not shown" in seen(answer)) == (409, True)
    assert [row.password_hash for row in await mailing.store.accounts()] == before


async def test_without_one_the_operator_alone_is_shown_it_once(desk: Desk, operator: httpx2.AsyncClient) -> None:
    await account(desk)
    assert "No mail server is configured" in seen(await operator.get(DIALOG))
    assert (await operator.post(f"{DIALOG}/reveal")).status_code == 200
    async with browsing(desk, customer(await desk.id_of("smpp-acme"))) as owner:
        assert "no mail server is configured" in seen(await owner.get(DIALOG))
        assert (await owner.post(f"{DIALOG}/reveal")).status_code == 403


async def test_the_outbox_shows_what_the_mail_server_said_as_text(mailing: Desk, operator: httpx2.AsyncClient) -> None:
    await operator.post(DIALOG)
    [letter] = await mailing.store.outbox.newest()
    await mailing.store.outbox.failed(letter.id, letter.at, HOSTILE)
    page = await operator.get("/mail")
    assert (page.status_code, HOSTILE in page.text) == (200, False)
    assert "Failed" in seen(page)
    assert (await operator.post(f"/mail/{letter.id}/retry")).status_code == 303
    assert (await operator.post(f"/mail/{letter.id}/discard")).status_code == 303
    assert [each.state for each in await mailing.store.outbox.newest()] == ["discarded"]
    async with browsing(mailing, customer()) as owner:
        assert (await owner.get("/mail")).status_code == 403


async def test_a_trial_letter_wants_an_address(mailing: Desk, operator: httpx2.AsyncClient) -> None:
    answer = await operator.post("/mail/test", data={"to": "nobody"})
    assert (answer.status_code, 'value="nobody"' in answer.text) == (422, True)
    assert (await operator.post("/mail/test", data={"to": "ola@example.com"})).status_code == 303
