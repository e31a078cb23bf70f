"""The pages of history: filters that live in the address, what was refused and why, sheets."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from gateway.exports import Exporter
from pdu.constants import DELIVERED, REJECTED
from store.protocol import RefusalRow
from tests.gateway.desk import Desk, submit

from .browser import browsing, customer, seen

HERE = "/accounts/smpp-a"


@pytest.fixture
async def owner(desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    await desk.operator.accounts.create({"name": "smpp-a", "credits": "100", "senders": ["36180", "ACME"]})
    async with browsing(desk, customer(await desk.id_of("smpp-a"))) as client:
        yield client


async def test_a_message_is_found_by_its_id(desk: Desk, owner: httpx2.AsyncClient) -> None:
    first, second = await desk.accept("smpp-a", submit(b"one"), submit(b"two"))
    found = seen(await owner.get(f"{HERE}/history?message_id={first}"))
    assert ("one" in found, "two" in found) == (True, False)
    assert "No message fits" in seen(await owner.get(f"{HERE}/history?message_id={second + 9}"))
    assert "No message fits" in seen(await owner.get(f"{HERE}/history?message_id={first}&sender=OTHER"))
    wrong = await owner.get(f"{HERE}/history?message_id=x1")
    assert wrong.status_code == 422
    assert 'value="x1"' in wrong.text


async def test_a_message_has_a_page_with_its_whole_life(desk: Desk, owner: httpx2.AsyncClient) -> None:
    ended, waiting = await desk.accept("smpp-a", submit(b"one"), submit(b"two"))
    await desk.settle("smpp-a", [ended], REJECTED, 803, refund=True)
    life = seen(await owner.get(f"{HERE}/history/{ended}"))
    for step in ("Submitted", "Charged", "rejected err:803", "Refunded", "none asked for"):
        assert step in life
    assert "The network has not said yet." in seen(await owner.get(f"{HERE}/history/{waiting}"))


async def test_what_was_refused_is_there_with_its_reason(desk: Desk, owner: httpx2.AsyncClient) -> None:
    account = await desk.id_of("smpp-a")
    rows = [("no_credit", "ACME", "48600100200"), ("throttled", "ACME", "48600100201")]
    await desk.store.refuse(
        [RefusalRow(1, account, "message", why, 0x58, source=source, destination=to) for why, source, to in rows]
    )
    whole = seen(await owner.get(f"{HERE}/refused"))
    assert "The account has not enough credit for this message." in whole
    assert "48600100201" in whole
    chosen = seen(await owner.get(f"{HERE}/refused?reason=throttled"))
    assert ("48600100200" in chosen, "48600100201" in chosen) == (False, True)
    assert (await owner.get(f"{HERE}/refused?reason=lost")).status_code == 422
    async with browsing(desk, customer(account, read_only=True)) as looking:
        assert "48600100200" not in (await looking.get(f"{HERE}/refused")).text


async def test_received_messages_are_filtered_and_make_a_sheet(desk: Desk, owner: httpx2.AsyncClient) -> None:
    await desk.operator.incoming.inject("48600100200", "36180", "=one")
    await desk.operator.incoming.inject("48600100201", "36180", "two")
    found = seen(await owner.get(f"{HERE}/received?sender=%2B48600100200"))
    assert ("=one" in found, "two" in found) == (True, False)
    assert "No message fits" in seen(await owner.get(f"{HERE}/received?recipient=OTHER"))
    sheet = (await owner.get(f"{HERE}/received.csv?sender=48600100200")).text.splitlines()
    assert (len(sheet), sheet[0]) == (2, "id,date,sender,receiver,message,state")
    assert ",'=one,waiting" in sheet[1]
    async with browsing(desk, customer(await desk.id_of("smpp-a"), read_only=True)) as looking:
        found_masked = await looking.get(f"{HERE}/received?sender=48600100200")
        assert ("=one" in found_masked.text, "48600100200</span>" in found_masked.text) == (True, False)


async def test_erasing_what_cannot_be_erased_says_why_on_the_page(desk: Desk, owner: httpx2.AsyncClient) -> None:
    told = await desk.operator.incoming.inject("48600100200", "36180", "one")
    refused = await owner.post(f"{HERE}/received/erase", data={"message": told["message_ids"][0]})
    assert refused.status_code == 409
    [id_] = await desk.accept("smpp-a", submit())
    assert (await owner.post(f"{HERE}/history/erase", data={"message": str(id_)})).status_code == 409
    await desk.settle("smpp-a", [id_], DELIVERED)
    assert (await owner.post(f"{HERE}/history/erase", data={"message": str(id_)})).status_code == 303


async def test_an_export_is_ordered_watched_and_fetched(
    desk: Desk, owner: httpx2.AsyncClient, tmp_path: Path
) -> None:
    assert "No exports" in seen(await owner.get(f"{HERE}/exports"))
    await desk.accept("smpp-a", submit(b"one"), submit(b"two"))
    wrong = await owner.post(f"{HERE}/exports", data={"since": "yesterday", "sender": "KEPT"})
    assert (wrong.status_code, 'value="KEPT"' in wrong.text) == (422, True)
    assert (await owner.post(f"{HERE}/exports", data={"direction": "outgoing", "state": ""})).status_code == 303
    waiting = await owner.get(f"{HERE}/exports")
    assert ("every 2s" in waiting.text, "Waits its turn" in waiting.text) == (True, True)
    await Exporter(desk.house, tmp_path / "exports", desk.time.wall).look()
    ready = await owner.get(f"{HERE}/exports")
    assert ("every 2s" in ready.text, "Done" in seen(await owner.get(f"{HERE}/exports/rows"))) == (False, True)
    [export] = await desk.operator.exports.all("smpp-a")
    file = await owner.get(f"{HERE}/exports/{export['id']}.csv")
    assert (file.headers["content-type"].split(";")[0], len(file.text.splitlines())) == ("text/csv", 3)
    async with browsing(desk, customer(await desk.id_of("smpp-a"), read_only=True)) as looking:
        assert f"{export['id']}.csv" not in (await looking.get(f"{HERE}/exports")).text
        assert (await looking.get(f"{HERE}/exports/{export['id']}.csv")).status_code == 403
    assert f'id="delete-{export["id"]}"' in ready.text
    assert (await owner.post(f"{HERE}/exports/{export['id']}/delete")).status_code == 303
    await owner.post(f"{HERE}/exports", data={"since": "2026-01-02", "state": "under way"})
    words = seen(await owner.get(f"{HERE}/exports"))
    assert ("From day: 2026-01-02" in words, "Status: under way" in words) == (True, False)
    [export] = await desk.operator.exports.all("smpp-a")
    await owner.post(f"{HERE}/exports/{export['id']}/cancel")
    await owner.post(f"{HERE}/exports/{export['id']}/delete")
    assert list((tmp_path / "exports").iterdir()) == []
