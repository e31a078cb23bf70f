"""Price plans in the browser: made, imported, edited by who has seen them, given to accounts, deleted."""

import httpx2

from gateway.admin.actor import rights_of
from tests.gateway.desk import Desk

from .browser import OPERATOR, browsing, customer, seen

HOSTILE = '"><script>alert(1)</script>'


async def test_a_plan_is_made_by_hand_and_by_a_file(desk: Desk, operator: httpx2.AsyncClient) -> None:
    answer = await operator.post("/price-plans", data={"name": "gold", "prices": "prefix,credits\n48,0.5\n\n*;1,25"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/price-plans/gold")
    assert (await desk.operator.prices.show("gold"))["prices"] == {"*": "1.25", "48": "0.5"}
    file = ("p.csv", "\ufeffprefix\tprice\n+49\t2\n".encode(), "text/csv")
    answer = await operator.post("/price-plans", data={"name": "silver", "prices": "48,9"}, files={"file": file})
    assert answer.status_code == 303
    assert (await desk.operator.prices.show("silver"))["prices"] == {"49": "2"}
    words = seen(await operator.get("/price-plans"))
    assert "gold" in words
    assert "silver" in words


async def test_what_is_wrong_is_told_by_its_line_and_kept(desk: Desk, operator: httpx2.AsyncClient) -> None:
    typed = f"48,0.5\nx,1\n48;2\n49,{HOSTILE}"
    answer = await operator.post("/price-plans", data={"name": "gold", "prices": typed})
    assert (answer.status_code, HOSTILE in answer.text) == (422, False)
    for said in ("line 2: x", "line 3: 48: stands in line 1 already", "line 4: 49", "48,0.5 x,1"):
        assert said in seen(answer)
    for name in ("no spaces", "", "default"):
        assert (await operator.post("/price-plans", data={"name": name, "prices": "*,1"})).status_code in (412, 422)
    binary = {"file": ("p.csv", b"\xff\xfe48", "text/csv")}
    assert (await operator.post("/price-plans", data={"name": "gold"}, files=binary)).status_code == 422
    assert [plan["name"] for plan in await desk.operator.prices.all()] == ["default"]


async def test_every_wrong_line_is_told_in_the_readers_language(desk: Desk) -> None:
    async with browsing(desk, OPERATOR._replace(language="pl")) as browser:
        words = seen(await browser.post("/price-plans", data={"name": "gold", "prices": "48,1\nx,1\n48,2\n49,-1\n5,x"}))
    for said in ("wiersz 2: x: prefiks", "wiersz 3: 48: jest już w wierszu 1", "wiersz 4: 49: cena", "wiersz 5: 5: to"):
        assert said in words


async def test_a_plan_is_edited_by_who_has_seen_it(desk: Desk, operator: httpx2.AsyncClient) -> None:
    page = await operator.get("/price-plans/default/edit")
    assert "*,1" in page.text
    version = await desk.operator.prices.version("default")
    answer = await operator.post("/price-plans/default/edit", data={"seen": version, "prices": "*,2\n48,1"})
    assert answer.status_code == 303
    stale = await operator.post("/price-plans/default/edit", data={"seen": version, "prices": "*,3"})
    assert (stale.status_code, "*,3" in stale.text) == (412, True)
    assert (await desk.operator.prices.show("default"))["prices"] == {"*": "2", "48": "1"}
    [line] = [each for each in (await desk.operator.changes.newest())[0] if each["subject"] == "price plan"]
    assert (line["old"], line["new"]) == ({"*": "1"}, {"*": "2", "48": "1"})
    sheet = await operator.get("/price-plans/default/prices.csv")
    assert sheet.text.split() == ["prefix,credits", "*,2", "48,1"]
    assert (await operator.post("/price-plans/none/edit", data={"prices": "*,3"})).status_code == 404


async def test_the_price_of_a_number_is_found(desk: Desk, operator: httpx2.AsyncClient) -> None:
    await desk.operator.prices.set("default", {"48": "0.5", "486": "0.7", "49": "3", "*": "1"})
    words = seen(await operator.get("/price-plans/default?q=%2B48600100200"))
    assert "+486… counts for this number 0.70" in words
    assert "+49…" not in words


async def test_accounts_are_given_a_plan_all_or_none(desk: Desk, operator: httpx2.AsyncClient) -> None:
    await desk.operator.prices.set("gold", {"*": "2"})
    for name in ("acme", "other"):
        await desk.operator.accounts.create({"name": name})
    refused = await operator.post("/price-plans/gold/accounts", data={"account": ["smpp-acme", "smpp-none"]})
    assert refused.status_code == 404
    assert (await operator.post("/price-plans/gold/accounts")).status_code == 422
    assert (await desk.operator.accounts.show("acme"))["price_plan"] == "default"
    answer = await operator.post("/price-plans/gold/accounts", data={"account": ["smpp-acme"], "names": "other"})
    assert answer.status_code == 303
    assert [each["price_plan"] for each in await desk.operator.accounts.all()] == ["gold", "gold"]


async def test_a_plan_that_no_account_has_is_deleted_after_a_question(
    desk: Desk, operator: httpx2.AsyncClient
) -> None:
    await desk.operator.prices.set("gold", {"*": "2"})
    await desk.operator.accounts.create({"name": "acme", "price_plan": "gold"})
    assert 'href="/price-plans/gold/delete"' in (await operator.get("/price-plans/gold")).text
    asked = await operator.get("/price-plans/gold/delete")
    assert "1 account has this plan." in seen(asked)
    assert 'form="d-form" disabled' in asked.text
    version = await desk.operator.prices.version("gold")
    refused = await operator.post("/price-plans/gold/delete", data={"seen": version})
    assert (refused.status_code, "is that of smpp-acme" in seen(refused)) == (409, True)
    await desk.operator.accounts.change("acme", {"price_plan": None})
    stale = await operator.post("/price-plans/gold/delete", data={"seen": "another"})
    assert (stale.status_code, version in stale.text) == (412, True)
    answer = await operator.post("/price-plans/gold/delete", data={"seen": version})
    assert (answer.status_code, answer.headers["location"]) == (303, "/price-plans")
    assert (await operator.post("/price-plans/gold/delete", data={"seen": version})).status_code == 404
    assert "This plan stays." in seen(await operator.get("/price-plans/default/delete"))
    kept = await operator.post(
        "/price-plans/default/delete", data={"seen": await desk.operator.prices.version("default")}
    )
    assert (kept.status_code, "default stays" in seen(kept)) == (409, True)


async def test_who_only_looks_sees_plans_and_the_simulator_a_customer_neither(desk: Desk) -> None:
    looking = OPERATOR._replace(rights=rights_of(True, True), read_only=True, language="pl")
    async with browsing(desk, looking) as browser:
        for path in ("/price-plans", "/price-plans/default", "/simulator"):
            page = await browser.get(path)
            assert (page.status_code, "Cenni" in page.text or "Symulator" in page.text) == (200, True)
            assert 'method="post" action="/price-plans' not in page.text
        for path in ("edit", "delete"):
            assert path not in (await browser.get("/price-plans/default")).text
            assert (await browser.get(f"/price-plans/default/{path}")).status_code == 403
        assert (await browser.post("/price-plans/default/delete")).status_code == 403
        assert (await browser.post("/price-plans", data={"name": "x", "prices": "*,1"})).status_code == 403
    async with browsing(desk, customer()) as browser:
        for path in ("/price-plans", "/price-plans/default", "/simulator"):
            assert (await browser.get(path)).status_code == 403


# -- the simulator -----------------------------------------------------------------------------------------------------
async def test_the_simulator_shows_its_rules_and_what_would_happen(desk: Desk, operator: httpx2.AsyncClient) -> None:
    page = await operator.get("/simulator")
    assert "*9" in page.text
    assert "rules = [" in page.text
    tried = seen(await operator.get("/simulator?number=48600100209"))
    assert "Undeliverable" in tried
    assert "*9 fits" in tried
    assert "every other fits" in seen(await operator.get("/simulator?number=48600100200"))
    wrong = await operator.get("/simulator", params={"number": HOSTILE})
    assert (wrong.status_code, HOSTILE in wrong.text) == (422, False)
    assert desk.operator.service.simulated("48600100209") == {
        "number": "48600100209", "rule": 1, "state": "undeliverable", "error": 9, "delay": 0.5,
    }  # fmt: skip
