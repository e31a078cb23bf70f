"""Files that somebody or something has changed: said, never answered with a false OK, never replaced."""

from __future__ import annotations

import asyncio
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from pdu import constants as c
from tests.road.client import SENDER, Esme, accepted, answers_to, bound
from tests.road.running import Road
from tests.road.test_disk import REFUSED
from tests.server import HOUSE, Login

PAGE = 4096
LEAF, INNER = 13, 5

pytestmark = pytest.mark.road


class Used(NamedTuple):
    """A server that was used and stopped."""

    server: Road
    login: Login
    ids: list[str]

    @property
    def database(self) -> Path:
        return self.server.data / "smppgate.db"

    def refuses_to_start(self) -> str:
        """-> what it says; its files are what they were."""
        before = self.database.read_bytes()
        process = self.server.launch()
        assert process.wait(20) == 1, self.server.said()
        assert self.database.read_bytes() == before
        return self.server.said()


@pytest.fixture
async def used(tmp_path: Path) -> Used:
    server = Road(tmp_path, LOG__LEVEL="error")
    async with server:
        login = server.desk.account("used", window=500)
        client = await bound(server.port, login)
        ids = await accepted(client.submit_many(400))
        await client.unbind()
    return Used(server, login, ids)


def leaves(database: Path, table: str) -> list[int]:
    """The pages of a table that hold its rows, in their order; its tree has at most two levels."""
    with closing(sqlite3.connect(database)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    page = database.read_bytes()[(root - 1) * PAGE :][:PAGE]
    if page[0] == LEAF:
        return [root]
    assert page[0] == INNER
    (cells,) = struct.unpack_from(">H", page, 3)
    starts = struct.unpack_from(f">{cells}H", page, 12)
    return [struct.unpack_from(">I", page, start)[0] for start in starts] + [*struct.unpack_from(">I", page, 8)]


def spoil(database: Path, page: int) -> None:
    """All of its rows."""
    octets = database.read_bytes()[(page - 1) * PAGE :][:PAGE]
    assert octets[0] == LEAF
    with database.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(b"\xff" * PAGE)


def complaint(server: Road, command: str) -> str:
    """What a command says on its way out with exit status 1."""
    ran = subprocess.run(
        [sys.executable, "-m", "gateway", command],
        cwd=HOUSE, env=server.environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 1, ran.stdout + ran.stderr
    return ran.stderr


async def asked_for(client: Esme, id_: str) -> int:
    return (await client.ask(c.QUERY_SM, message_id=id_.encode(), source=SENDER)).status


@pytest.mark.promise("R1", "R8")
async def test_a_damaged_page_is_found_by_check_and_never_read_as_right(used: Used) -> None:
    pages = leaves(used.database, "message")
    spoil(used.database, pages[len(pages) // 2])
    async with used.server as server:
        client = await bound(server.port, used.login)
        said = [await asked_for(client, id_) for id_ in used.ids]
        assert set(said) == {c.ESME_ROK, c.ESME_RSYSERR}
        assert said[0] == said[-1] == c.ESME_ROK
        assert "the store is damaged" in await asyncio.to_thread(complaint, server, "check")
        more = await accepted(client.submit_many(10))
        assert [await asked_for(client, id_) for id_ in more] == [c.ESME_ROK] * 10


@pytest.mark.promise("R1", "R8")
async def test_damage_where_the_next_charge_would_go_refuses(used: Used) -> None:
    spoil(used.database, leaves(used.database, "ledger")[-1])
    async with used.server as server:
        client = await bound(server.port, used.login)
        asked = client.submit_many(10)
        await answers_to(asked)
        assert {one.status for one in asked} <= REFUSED


@pytest.mark.parametrize("table", ["message", "account"])
@pytest.mark.promise("R8")
async def test_damage_in_what_a_start_must_read_is_said_with_advice(used: Used, table: str) -> None:
    spoil(used.database, leaves(used.database, table)[-1])
    said = await asyncio.to_thread(used.refuses_to_start)
    assert "malformed" in said
    assert "smppgate restore" in said
    said = await asyncio.to_thread(complaint, used.server, "check")
    assert "smppgate restore" in said
    assert "Traceback" not in said


def zeros(file: bytearray) -> None:
    file[:100] = bytes(100)


def schema(file: bytearray) -> None:
    file[100:300] = bytes(200)


def cut(file: bytearray) -> None:
    del file[len(file) // 2 :]


@pytest.mark.parametrize("damage", [zeros, schema, cut])
@pytest.mark.promise("R8")
async def test_a_damaged_store_is_refused_at_start_with_advice(used: Used, damage: Callable[[bytearray], None]) -> None:
    octets = bytearray(used.database.read_bytes())
    damage(octets)
    used.database.write_bytes(octets)
    said = await asyncio.to_thread(used.refuses_to_start)
    assert "smppgate restore" in said
    assert "Traceback" not in said


@pytest.mark.promise("M7")
async def test_an_amount_that_was_changed_in_the_file_is_found_by_audit(used: Used) -> None:
    with closing(sqlite3.connect(used.database, isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _sql in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE ledger SET amount = amount + 1 WHERE line = 2")
        for _name, sql in triggers:
            connection.execute(sql)
    async with used.server as server:
        assert "does not continue the chain" in await asyncio.to_thread(complaint, server, "audit")
