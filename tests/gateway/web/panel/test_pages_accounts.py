"""The list of accounts: found, created, switched off."""

import httpx2

from tests.gateway.desk import Desk

from .browser import browsing, customer, seen

HOSTILE = '"><script>alert(1)</script>'


async def test_an_account_is_created_and_its_password_shown_once(operator: httpx2.AsyncClient) -> None:
    made = await operator.post("/accounts/new", data={"name": "acme", "description": HOSTILE, "credits": "5"})
    assert made.status_code == 200
    assert HOSTILE not in made.text
    listed = await operator.get("/accounts")
    assert HOSTILE not in listed.text
    assert "smpp-acme" in listed.text
    assert "Awaiting the declaration of your IPs" in seen(listed)


async def test_what_was_typed_stays_beside_what_is_wrong_with_it(operator: httpx2.AsyncClient) -> None:
    answer = await operator.post("/accounts/new", data={"name": "no spaces please", "credits": "many"})
    assert answer.status_code == 422
    assert 'value="no spaces please"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 2
    assert "smpp-no" not in (await operator.get("/accounts")).text


async def test_a_search_looks_at_names_descriptions_and_system_ids(operator: httpx2.AsyncClient, desk: Desk) -> None:
    for name, words in (("one", "Maple Clinic"), ("two", "Larkfield Parcels")):
        await desk.operator.accounts.create({"name": name, "description": words, "system_id": f"id{name}"})
    assert "smpp-two" not in (await operator.get("/accounts?q=maple")).text
    assert "smpp-two" in (await operator.get("/accounts?q=IDTWO")).text
    assert "No account matches" in seen(await operator.get("/accounts?q=nobody"))


async def test_quick_filters_count(operator: httpx2.AsyncClient, desk: Desk) -> None:
    await desk.operator.accounts.create({"name": "one", "addresses": ["192.0.2.1"], "credits": "1"})
    await desk.operator.accounts.create({"name": "two"})
    await desk.operator.accounts.enable("two", False)
    page = seen(await operator.get("/accounts?show=disabled"))
    assert "All 2" in page
    assert "Disabled 1" in page
    assert "smpp-one" not in page


async def test_a_customer_sees_only_what_is_theirs(desk: Desk) -> None:
    for name in ("mine", "other"):
        await desk.operator.accounts.create({"name": name})
    async with browsing(desk, customer(await desk.id_of("smpp-mine"))) as browser:
        listed = await browser.get("/accounts")
        assert "smpp-mine" in listed.text
        assert "smpp-other" not in listed.text
        assert (await browser.post("/accounts/mine/disable")).status_code == 403


async def test_disabling_says_how_many_binds_it_drops(operator: httpx2.AsyncClient, desk: Desk) -> None:
    await desk.operator.accounts.create({"name": "acme"})
    desk.live.bound(1, "smpp-acme")
    desk.live.bound(2, "smpp-acme")
    assert "Disable and drop 2 binds" in seen(await operator.get("/accounts/acme/disable"))
