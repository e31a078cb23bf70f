"""Health in the browser: what is found, what to do, and what is looked at only when it is asked for."""

from pathlib import Path

import httpx2

from gateway.admin.actor import rights_of
from tests.gateway.desk import Desk

from .browser import OPERATOR, browsing, customer, seen


async def test_the_page_says_what_is_found_and_what_to_do(desk: Desk, operator: httpx2.AsyncClient) -> None:
    words = seen(await operator.get("/health"))
    for said in ("something is risky", "900 MB free", "journal_mode=WAL", "SQLite", "none is known", "5 ms"):
        assert said in words
    assert "mx:25 answers" not in words


async def test_a_thorough_look_reads_the_store_and_asks_the_mail_server(
    desk: Desk, operator: httpx2.AsyncClient
) -> None:
    words = seen(await operator.get("/health?thorough=true"))
    for said in ("whole; accounts: 0", "every balance is the sum of its ledger", "mx:25 answers"):
        assert said in words


async def test_the_last_backup_is_known(desk: Desk, operator: httpx2.AsyncClient, tmp_path: Path) -> None:
    await desk.operator.health.backup(tmp_path / "copy.db")
    assert "copy.db" in seen(await operator.get("/health"))
    assert "copy.db" in seen(await operator.get("/changes"))


async def test_who_only_looks_sees_it_a_customer_does_not_and_it_speaks_polish(desk: Desk) -> None:
    looking = OPERATOR._replace(rights=rights_of(True, True), read_only=True, language="pl")
    async with browsing(desk, looking) as browser:
        words = seen(await browser.get("/health"))
        assert "wolne 900 MB" in words
        assert "milion wiadomości" in words
    async with browsing(desk, customer()) as browser:
        assert (await browser.get("/health")).status_code == 403
