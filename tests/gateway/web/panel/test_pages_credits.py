"""The credits of an account in the browser: consequences are shown before anything moves, and nothing moves twice."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from gateway.web.origin import HEADER
from gateway.web.panel import words
from tests.gateway.desk import Desk, submit
from tests.gateway.web.visitors import ROLES, login, person, public

from .browser import browsing, customer, seen

HOSTILE = '"><script>alert(1)</script>'
PAGES = ("", "/topup", "/automatic", "/transfer", "/prices")


@pytest.fixture
async def owner(desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    for name, credits_ in (("acme", "1500.5"), ("branch", "5"), ("rival", "50")):
        await desk.operator.accounts.create(
            {"name": name, "credits": credits_, "senders": ["ACME"], "description": HOSTILE}
        )
    mine = [await desk.id_of("smpp-acme"), await desk.id_of("smpp-branch")]
    async with browsing(desk, customer(*mine)) as browser:
        yield browser


async def balance(desk: Desk, name: str = "acme") -> str:
    return str((await desk.operator.accounts.show(name))["balance"])


def hidden(answer: httpx2.Response) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))


@pytest.mark.parametrize("page", PAGES)
async def test_every_page_stands_alone_and_shows_nobody_elses_account(
    desk: Desk, owner: httpx2.AsyncClient, page: str
) -> None:
    for name in ("smpp-acme", "smpp-branch"):
        answer = await owner.get(f"/accounts/{name}/credits{page}")
        assert answer.status_code == 200
        assert HOSTILE not in answer.text
        assert "smpp-rival" not in answer.text
    assert (await owner.get(f"/accounts/smpp-rival/credits{page}")).status_code == 404


@pytest.mark.parametrize("page", PAGES)
async def test_every_page_speaks_polish(desk: Desk, owner: httpx2.AsyncClient, page: str) -> None:
    mine = await desk.id_of("smpp-acme")
    async with browsing(desk, customer(mine, language="pl")) as browser:
        answer = await browser.get(f"/accounts/smpp-acme/credits{page}")
        assert answer.status_code == 200
        assert "Kredyty" in seen(answer)


async def test_the_statement_adds_up_and_is_filtered(desk: Desk, owner: httpx2.AsyncClient) -> None:
    await desk.accept("smpp-acme", submit(), submit())
    page = seen(await owner.get("/accounts/smpp-acme/credits"))
    assert "2 messages" in page
    assert "-2.00 1,498.50" in page.replace("−", "-")
    assert "Top-up opening balance +1,500.50 1,500.50" in page
    only = await owner.get("/accounts/smpp-acme/credits?kind=transfers&by=day")
    assert "No line fits this filter" in seen(only)
    assert 'href="/api/v1/accounts/smpp-acme/statement.csv?kind=transfers' in only.text
    wrong = await owner.get(f"/accounts/smpp-acme/credits?from={HOSTILE}")
    assert wrong.status_code == 422
    assert "is a day such as" in seen(wrong)
    assert HOSTILE not in wrong.text


async def test_the_owner_asks_for_a_top_up_and_an_operator_decides(
    desk: Desk, owner: httpx2.AsyncClient, operator: httpx2.AsyncClient
) -> None:
    form = {**hidden(await owner.get("/accounts/smpp-acme/credits/topup")), "amount": "1,000", "note": HOSTILE}
    for _ in range(2):
        assert (await owner.post("/accounts/smpp-acme/credits/topup", data=form)).status_code == 303
    assert "An operator decides." in seen(await owner.get("/accounts/smpp-acme/credits/topup"))
    queue = await operator.get("/topups")
    assert HOSTILE not in queue.text
    [id_] = re.findall(r'action="/topups/(\d+)/approve"', queue.text)
    assert (await owner.get("/topups")).status_code == 403
    assert (await owner.post(f"/topups/{id_}/approve")).status_code == 403
    assert (await operator.post(f"/topups/{id_}/approve")).status_code == 303
    assert await balance(desk) == "2500.5"
    assert "Nothing waits" in seen(await operator.get("/topups"))
    assert (await operator.post(f"/topups/{id_}/refuse", data={"reason": "late"})).status_code == 409


async def test_an_operator_refuses_with_a_reason_that_the_owner_reads(
    desk: Desk, owner: httpx2.AsyncClient, operator: httpx2.AsyncClient
) -> None:
    asked = await desk.operator.topups.ask("acme", "10")
    dialog = await operator.get(f"/topups/{asked['id']}/refuse")
    assert "10.00 credits were asked for" in seen(dialog)
    too_long = await operator.post(f"/topups/{asked['id']}/refuse", data={"reason": "x" * 201})
    assert too_long.status_code == 422
    answer = await operator.post(f"/topups/{asked['id']}/refuse", data={"reason": "Two invoices are unpaid"})
    assert answer.status_code == 303
    assert "Two invoices are unpaid" in seen(await owner.get("/accounts/smpp-acme/credits/topup"))


async def test_an_operator_books_at_once_and_once(desk: Desk, operator: httpx2.AsyncClient) -> None:
    await desk.operator.accounts.create({"name": "acme"})
    form = {**hidden(await operator.get("/accounts/smpp-acme/credits/topup")), "amount": "12.5", "note": "order 7"}
    for _ in range(2):
        assert (await operator.post("/accounts/smpp-acme/credits/topup", data=form)).status_code == 303
    assert await balance(desk) == "12.5"


async def test_what_was_typed_stays_where_it_is_wrong(owner: httpx2.AsyncClient) -> None:
    form = {"amount": "0,5", "note": "kept", "request_id": "r"}
    answer = await owner.post("/accounts/smpp-acme/credits/topup", data=form)
    assert answer.status_code == 422
    assert 'value="0,5"' in answer.text
    assert 'value="kept"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 1


async def test_a_transfer_shows_both_balances_first_and_happens_once(desk: Desk, owner: httpx2.AsyncClient) -> None:
    url = "/accounts/smpp-acme/credits/transfer"
    form = {**hidden(await owner.get(url)), "target": "smpp-branch", "credits": "1,000.25"}
    confirm = await owner.post(url, data=form)
    assert (confirm.status_code, await balance(desk)) == (200, "1500.5")
    assert "1,500.50 credits now, 500.25 afterwards" in seen(confirm)
    assert "5.00 credits now, 1,005.25 afterwards" in seen(confirm)
    _csrf, *_ = hidden(confirm)
    for _ in range(2):
        assert (await owner.post(f"{url}/confirmed", data={**form, **hidden(confirm)})).status_code == 303
    assert (await balance(desk), await balance(desk, "branch")) == ("500.25", "1005.25")
    assert "to smpp-branch" in seen(await owner.get(url))


async def test_among_very_many_accounts_the_name_is_typed(
    desk: Desk, owner: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.web.panel.pages_credits.MOST_CHOICES", 0)
    url = "/accounts/smpp-acme/credits/transfer"
    assert '<input id="target"' in (await owner.get(url)).text
    wrong = await owner.post(url, data={"target": "nobody", "credits": "5", "request_id": "r"})
    assert (wrong.status_code, 'value="nobody"' in wrong.text) == (422, True)


async def test_more_than_there_is_cannot_be_transferred(desk: Desk, owner: httpx2.AsyncClient) -> None:
    url = "/accounts/smpp-acme/credits/transfer"
    for step, target in ((url, "smpp-branch"), (f"{url}/confirmed", "smpp-branch"), (url, "smpp-rival")):
        answer = await owner.post(step, data={"target": target, "credits": "150000", "request_id": "r"})
        assert answer.status_code == 422
        assert 'value="150000"' in answer.text
    assert await balance(desk) == "1500.5"


async def test_automatic_top_up_is_explained_in_hours_of_traffic(desk: Desk, owner: httpx2.AsyncClient) -> None:
    url = "/accounts/smpp-acme/credits/automatic"
    await desk.accept("smpp-acme", *[submit()] * 48)
    form = {"auto_topup_amount": "100", "auto_topup_threshold": "24", "auto_topup_per_day": "2"}
    assert (await owner.post(url, data=form)).status_code == 303
    page = seen(await owner.get(url))
    assert "You spend about 48.00 credits a day." in page
    assert "roughly 12 hours to react" in page
    assert "A top-up lasts about 50 hours." in page
    assert "When is the credit given?" not in page
    wrong = await owner.post(url, data={**form, "auto_topup_threshold": "soon", "auto_topup_per_day": "0"})
    assert wrong.status_code == 422
    assert wrong.text.count('aria-invalid="true"') == 2
    refused = await owner.post(url, data={**form, "auto_topup_at_once": "yes"})
    assert refused.status_code in (403, 422)
    assert (await desk.operator.accounts.show("acme"))["auto_topup_at_once"] == "no"


async def test_what_became_of_automatic_top_ups_is_shown(desk: Desk, owner: httpx2.AsyncClient) -> None:
    await desk.operator.accounts.change("branch", {"auto_topup_amount": "100", "auto_topup_threshold": "5"})
    await desk.store.topups.watch(1_800_000_000_000)
    [asked], _end = await desk.operator.topups.of_account("branch")
    await desk.operator.topups.failed(asked["id"], "the debit was refused")
    page = seen(await owner.get("/accounts/smpp-branch/credits/automatic"))
    assert "the debit was refused It is asked for again 15 minutes later." in page
    assert "The last automatic top-up gave no credit" in seen(await owner.get("/accounts/smpp-branch/credits"))


async def test_the_calculator_says_what_a_text_costs_and_why_it_would_be_refused(owner: httpx2.AsyncClient) -> None:
    url = "/accounts/smpp-acme/credits/prices"
    found = await owner.post(url, data={"text": "ż" * 71, "to": "48600100200"})
    assert "Costs 2.00 credits" in seen(found)
    assert "UCS-2" in seen(found)
    refused = await owner.post(url, data={"text": HOSTILE, "to": "48600100200", "from": "NOBODY"})
    assert "It would be refused" in seen(refused)
    assert HOSTILE not in refused.text
    assert (await owner.post(url, data={"text": "x", "to": "everybody"})).status_code == 422


async def test_whoever_may_only_look_is_offered_nothing(desk: Desk, owner: httpx2.AsyncClient) -> None:
    mine = await desk.id_of("smpp-acme"), await desk.id_of("smpp-branch")
    async with browsing(desk, customer(*mine, read_only=True)) as browser:
        for page in ("/topup", "/transfer", "/automatic"):
            answer = await browser.get(f"/accounts/smpp-acme/credits{page}")
            assert "btn primary" not in answer.text
            assert (await browser.post(f"/accounts/smpp-acme/credits{page}", data={})).status_code == 403


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_may_do_what_is_its_own_and_nothing_moves_from_elsewhere(desk: Desk, role: str) -> None:
    for name in ("acme", "rival"):
        await desk.operator.accounts.create({"name": name, "credits": "50"})
    asked = await desk.operator.topups.ask("rival", "5")
    fields: dict[str, Any] = {"accounts": ["smpp-acme"], **ROLES[role]}
    who = await login(desk, await person(desk, **fields))
    may, oversees = "read-only" not in role, "operator" in role
    rival, queue = "/accounts/smpp-rival/credits/transfer", f"/topups/{asked['id']}/approve"
    transfer = {"target": "smpp-acme", "credits": "5", "request_id": "r"}
    async with public(desk, who) as browser:
        assert (await browser.get("/accounts/smpp-acme/credits")).status_code == 200
        assert (await browser.get("/topups")).status_code == (200 if oversees else 403)
        sheet = await browser.get("/api/v1/accounts/smpp-acme/statement.csv")
        assert sheet.text.startswith("kind,from,to")
        answers = [await browser.post(f"{rival}/confirmed", data=transfer), await browser.post(queue)]
    allowed = 303 if may and oversees else 403
    assert [one.status_code for one in answers] == [404 if role == "customer" else allowed, allowed]
    async with public(desk, who) as browser:  # the same cookie, sent by somebody else's page
        browser.headers.update({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"})
        browser.headers.pop(HEADER, None)
        own = "/accounts/smpp-acme/credits/topup"
        assert (await browser.post(own, data={"amount": "5", "request_id": "x"})).status_code == 403


@pytest.mark.parametrize(
    ("language", "typed", "meant"),
    [("en", "1,500.5", "1500.5"), ("en", "0,5", "0,5"), ("en", "1,5000", "1,5000"), ("en", "-12", "-12"),
     ("pl", "1 500,5", "1500.5"), ("pl", "1500.5", "1500.5"), ("pl", "1\xa0500", "1500"), ("pl", "1,2,3", "1.2.3")],
)  # fmt: skip
def test_an_amount_is_read_as_its_reader_writes_it(
    language: str, typed: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "speech", lambda: words.Speech(language))
    assert words.amount_of(typed) == meant
