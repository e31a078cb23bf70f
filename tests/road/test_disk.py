"""A disk without room, a database in other hands: never a false OK, and back by itself."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pdu import constants as c
from tests.road.client import Asked, Esme, accepted, answers_to, bound, until
from tests.road.running import Road
from tests.server import Login

pytestmark = pytest.mark.road

REFUSED = {c.ESME_RMSGQFUL, c.ESME_RSYSERR}


async def until_refused(client: Esme, asked: list[Asked]) -> None:
    deadline = time.monotonic() + 20
    while not asked or asked[-1].accepted:
        assert time.monotonic() < deadline
        asked += (batch := client.submit_many(50, registered_delivery=1))
        await answers_to(batch)


async def until_accepted(client: Esme, patience: float) -> None:
    deadline = time.monotonic() + patience
    while (await client.submit().answered()).status != c.ESME_ROK:
        assert time.monotonic() < deadline, "it does not recover"
        await asyncio.sleep(0.1)


def told_the_truth(server: Road, login: Login, asked: list[Asked]) -> None:
    """What was accepted is there, and nothing that was refused."""
    assert {one.status for one in asked} <= {c.ESME_ROK, *REFUSED}
    stored = {message["message_id"] for message in server.desk.export(login)["messages"]}
    assert {one.message_id for one in asked if one.accepted} <= stored
    assert len(stored) <= sum(one.accepted for one in asked) + 1  # the one that found it working again
    server.desk.audited()


async def test_a_full_disk_refuses_and_a_disk_with_room_accepts_again(tmp_path: Path) -> None:
    """The files may not grow any more: to the server that is a full disk."""
    async with Road(tmp_path, LOG__LEVEL="error") as server:
        login = server.desk.account("squeezed", credits="1000000", window=50)
        client = await bound(server.port, login)
        asked = client.submit_many(100, registered_delivery=1)
        await answers_to(asked)
        wal = server.data / "smppgate.db-wal"
        _soft, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (wal.stat().st_size + 100_000, hard))
        await until_refused(client, asked)
        assert (await client.ask(c.ENQUIRE_LINK)).status == c.ESME_ROK
        assert len(server.desk.export(login)["messages"]) == sum(one.accepted for one in asked)
        assert server.desk.binds(login)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (hard, hard))
        await until_accepted(client, 10)
        told_the_truth(server, login, asked)
        wanted = sum(one.accepted for one in asked)
        await until("every receipt came in the end", lambda: len(client.receipts) == wanted)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A file system of its own for what a server writes."""
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "smppgate-test", folder],
        check=False, capture_output=True, timeout=20,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("only root mounts a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True, timeout=20)


async def test_a_small_disk_that_is_full_keeps_room_for_receipts(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", 200):
        async with Road(tmp_path, delay="0.5s", LOG__LEVEL="error") as server:
            login = server.desk.account("squeezed", credits="1000000", window=50)
            client = await bound(server.port, login)
            asked = client.submit_many(40, registered_delivery=1)
            await answers_to(asked)
            ballast, disk = server.data / "ballast", os.statvfs(server.data)
            ballast.write_bytes(bytes(disk.f_bavail * disk.f_frsize - (4 << 20)))  # less than the reserve is left
            await until_refused(client, asked)
            assert asked[-1].status == c.ESME_RMSGQFUL
            wanted = sum(one.accepted for one in asked)
            await until("receipts are written and come", lambda: len(client.receipts) == wanted)
            ballast.unlink()
            await until_accepted(client, 10)
            told_the_truth(server, login, asked)


async def test_a_second_server_on_the_same_folder_goes_away_and_disturbs_nobody(tmp_path: Path) -> None:
    async with Road(tmp_path) as server:
        client = await bound(server.port, server.desk.account("first"))
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", "serve", "--config", server.config,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await asyncio.wait_for(second.communicate(), 20)
        assert second.returncode == 1
        assert b"is in use by pid %d" % server.pid in said
        await accepted([client.submit()])
        server.desk.audited()


async def test_a_database_that_others_hold_for_a_moment_only_takes_longer(tmp_path: Path) -> None:
    async with Road(tmp_path) as server:
        login = server.desk.account("held", window=10)
        client = await bound(server.port, login)
        await accepted([client.submit()])
        other = sqlite3.connect(server.data / "smppgate.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        asked = client.submit_many(20)
        begun = time.monotonic()
        while time.monotonic() - begun < 1.0:
            check = client.send(c.ENQUIRE_LINK)
            await check.answered()
            assert check.seconds < 0.25
            await asyncio.sleep(0.02)
        assert all(one.answer is None for one in asked)
        other.execute("ROLLBACK")
        other.close()
        await accepted(asked)
        server.desk.audited()


async def test_a_database_that_others_hold_for_long_refuses_and_recovers(tmp_path: Path) -> None:
    async with Road(tmp_path, LOG__LEVEL="error") as server:
        login = server.desk.account("taken", window=10)
        client = await bound(server.port, login)
        other = sqlite3.connect(server.data / "smppgate.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        asked = client.submit_many(10)
        await answers_to(asked)
        assert {one.status for one in asked} == {c.ESME_RSYSERR}
        other.execute("ROLLBACK")
        other.close()
        await until_accepted(client, 10)
        told_the_truth(server, login, asked)


async def test_a_database_that_was_taken_away_is_never_written_into_the_void(tmp_path: Path) -> None:
    async with Road(tmp_path, LOG__LEVEL="error") as server:
        login = server.desk.account("robbed")
        client = await bound(server.port, login)
        before = client.submit()
        await accepted([before])
        database = server.data / "smppgate.db"
        database.rename(server.data / "elsewhere.db")
        asked = client.submit_many(5)
        await answers_to(asked)
        assert {one.status for one in asked} == {c.ESME_RSYSERR}
        (server.data / "elsewhere.db").rename(database)
        await until_accepted(client, 10)
        told_the_truth(server, login, [before, *asked])
