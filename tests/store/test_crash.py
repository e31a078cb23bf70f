"""Killed at random instants, the store keeps what it promised, and its books are in order."""

import asyncio
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from store import open_store
from store.office.statement import BY_HAND
from store.protocol import MessageRow, Store

from .backends import CREDIT


def promises(lines: Iterable[str]) -> dict[str, set[int]]:
    """What was said, by word; ids of messages that ended under the state."""
    said: dict[str, set[int]] = defaultdict(set)
    for line in lines:
        word, *values = line.split()
        if word == "ended":
            word = values.pop(0)
        said[word].update([int(value) for value in values if value.isdigit()])
    return said


def run_and_kill(folder: Path, seed: int) -> dict[str, set[int]]:
    """Let it write for a while, kill it without warning. -> what it had been promised by then."""
    choose = random.Random(seed)
    command = [sys.executable, "-m", "tests.store.load", str(folder), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(choose.randint(1, 400))]
        process.kill()
        lines += process.stdout.readlines()
    return promises(line for line in lines if line.endswith("\n"))


async def topped_up(store: Store, account: int) -> None:
    """What was asked for was booked once or not at all, and the statement is the ledger."""
    lines = (await store.export(account)).ledger
    asked = await store.topups.of_account(account, limit=1_000_000)
    booked = [one.line for one in asked if one.state == "booked"]
    assert sorted(line or 0 for line in booked) == [line.line for line in lines if line.kind == "auto_topup"]
    sums, by_hand = await store.statement.sums(account), await store.statement.lines(account, BY_HAND, limit=1_000_000)
    assert sums.refunded - sums.spent + sum(line.amount for line in by_hand) == sum(line.amount for line in lines)


async def stored(folder: Path) -> tuple[dict[int, MessageRow], set[int]]:
    """-> messages by id and the ids that are owed, if the books are in order."""
    async with open_store(folder, reserve=0) as store:
        assert await store.audit() == []
        assert await store.check() == []
        assert await store.imbalance() == 0
        for account in await store.accounts():
            await topped_up(store, account.id)
        rows = [row for account in await store.accounts() for row in (await store.export(account.id)).messages]
        owed = {due.id for account in await store.accounts() for due in await store.owed(account.id, limit=1_000_000)}
        pending = {row.id for row in await store.pending(limit=1_000_000)}
    assert pending == {row.id for row in rows if row.state is None}
    return {row.id: row for row in rows}, owed


@pytest.mark.prove
@pytest.mark.promise("R1", "R5", "M1", "M2", "D2")
def test_nothing_that_was_promised_is_lost(tmp_path: Path, effort: Callable[[int, int], int]) -> None:
    said: dict[str, set[int]] = defaultdict(set)
    for seed in range(effort(4, 50)):
        lately = run_and_kill(tmp_path / "data", seed)
        for word, ids in lately.items():
            said[word] |= ids
        messages, owed = asyncio.run(stored(tmp_path / "data"))
        assert said["accepted"] <= messages.keys()
        assert not lately["refused"] & messages.keys()  # an id that was never stored may come again after a restart
        assert all(row.charge == CREDIT for row in messages.values())
        for state in (2, 5):
            assert {messages[id_].state for id_ in said[str(state)]} <= {state}
        assert {id_ for id_ in said["5"] if messages[id_].refund_line is None} == set()
        assert {id_ for id_ in said["2"] if messages[id_].refund_line is not None} == set()
        assert said["owed"] <= owed
    assert len(said["accepted"]) > 100
