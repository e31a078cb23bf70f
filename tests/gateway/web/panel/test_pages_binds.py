"""All live binds in the browser: found, and disconnected by who may."""

import httpx2

from gateway.admin.actor import rights_of
from tests.gateway.desk import Desk

from .browser import OPERATOR, browsing, seen


async def bound(desk: Desk) -> None:
    for number, name in enumerate(("smpp-maple", "smpp-oak"), 1):
        await desk.operator.accounts.create({"name": name, "addresses": ["192.0.2.44"]})
        desk.live.bound(number, name)
    await desk.operator.accounts.change("smpp-oak", {"address_comments": ["192.0.2.44 the shop"]})


async def test_all_binds_are_there_and_can_be_chosen(desk: Desk, operator: httpx2.AsyncClient) -> None:
    assert "Nobody is connected" in seen(await operator.get("/binds"))
    await bound(desk)
    everything = seen(await operator.get("/binds"))
    assert "smpp-maple" in everything
    assert "the shop" in everything
    for query in ("q=OAK", "q=the+shop", "q=oak&type=transceiver"):
        chosen = await operator.get(f"/binds?{query}")
        assert "smpp-oak" in seen(chosen)
        assert "smpp-maple" not in seen(chosen)
        assert f"/binds/part?{query}" in chosen.text.replace("&amp;", "&")
    assert "No bind fits" in seen(await operator.get("/binds?type=receiver"))


async def test_the_part_alone_is_what_is_asked_for_again(desk: Desk, operator: httpx2.AsyncClient) -> None:
    await bound(desk)
    part = await operator.get("/binds/part?q=oak")
    assert "smpp-oak" in part.text
    assert "<html" not in part.text


async def test_a_bind_is_disconnected_after_a_question_and_the_log_says_so(
    desk: Desk, operator: httpx2.AsyncClient
) -> None:
    await bound(desk)
    assert "192.0.2.44" in seen(await operator.get("/binds/2/disconnect"))
    answer = await operator.post("/binds/2/disconnect")
    assert (answer.status_code, answer.headers["location"]) == (303, "/binds")
    assert [bind["id"] for bind in desk.live.open] == [1]
    assert (await desk.operator.changes.newest("smpp-oak"))[0][0]["subject"] == "bind"
    assert (await operator.post("/binds/2/disconnect")).status_code == 404


async def test_who_only_looks_has_no_button_and_no_right(desk: Desk) -> None:
    await bound(desk)
    async with browsing(desk, OPERATOR._replace(rights=rights_of(True, True), read_only=True)) as browser:
        page = await browser.get("/binds")
        assert (page.status_code, "/disconnect" in page.text) == (200, False)
        assert (await browser.post("/binds/1/disconnect")).status_code == 403
    assert len(desk.live.open) == 2
