"""Group commit: who waits for whom, and what is told when the disk fails. Time is the loop's, the disk is a stub."""

import asyncio
import logging
import math
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from store.committer import EACH, FRAMES, Committer
from store.failures import CommitFailed
from store.group import Entry, Told, Verb
from store.protocol import Contradiction, OutcomeUnknown, StoreDown, StoreFull
from store.sql import Statement, Statements

NEVER = 3600.0


def fault(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(f"error {code}")
    error.sqlite_errorcode = code
    return error


class Disk:
    """Writes what it is told to, unless it is told to fail."""

    def __init__(self) -> None:
        self.groups: list[list[Any]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.before: list[Exception | None] = []
        """Errors of the next transactions before COMMIT."""
        self.at_commit: list[Exception | None] = []
        self.stored = False
        """Whether a look-up finds what failed at COMMIT."""
        self.blind: Exception | None = None
        self.large = False
        self.wiped = self.checkpoints = 0

    async def hop(self, statements: Statements[Told]) -> Told:
        await self.gate.wait()
        payloads, told = next(statements)[1][0], Told()
        if (error := self.before.pop(0) if self.before else None) is not None:
            raise error
        if "bad" in payloads:
            raise sqlite3.IntegrityError("bad")
        if (error := self.at_commit.pop(0) if self.at_commit else None) is not None:
            told.witness = "SELECT 1", ()
            raise CommitFailed(told) from error
        self.groups.append(payloads)
        return told

    async def recognise(self, witness: Statement | None, wipe: bool) -> bool:
        if self.blind:
            raise self.blind
        self.wiped += wipe
        return self.stored

    async def wipe(self) -> None:
        if self.blind:
            raise self.blind
        self.wiped += 1

    async def checkpoint(self) -> None:
        self.checkpoints += 1
        if self.blind:
            raise self.blind

    async def empty(self) -> bool:
        self.checkpoints += 1
        return True

    def overgrown(self) -> bool:
        return self.large


def compose(entries: Sequence[Entry], careful: bool) -> Statements[Told]:
    payloads = [entry.payload for entry in entries]
    if careful:
        payloads = [payload for payload in payloads if payload != "again"]
    yield "", [payloads]
    return Told()


@pytest.fixture
async def disk() -> Disk:
    return Disk()


Make = Callable[..., Committer]


@pytest.fixture
async def make(disk: Disk) -> AsyncIterator[Make]:
    made: list[Committer] = []

    def making(patience: float = 0.0, longest: float = 0.0) -> Committer:
        made.append(Committer(disk.hop, disk, compose, patience, longest))
        return made[-1]

    yield making
    disk.gate.set()
    for committer in made:
        await committer.close()


# -- who waits for whom ------------------------------------------------------------------------------------------
async def test_what_arrives_during_a_commit_leaves_together(disk: Disk, make: Make) -> None:
    committer = make()
    disk.gate.clear()
    first = committer.join_urgently(Verb.ACCEPT, 1, "a")
    await asyncio.sleep(0.001)
    others = [committer.join_urgently(Verb.ACCEPT, n, n) for n in (2, 3)] + [committer.join(Verb.SETTLE, 4)]
    disk.gate.set()
    await asyncio.gather(first, *others)
    assert disk.groups == [[1], [2, 3, 4]]


async def test_one_turn_of_the_loop_leaves_together(disk: Disk, make: Make) -> None:
    committer = make(longest=NEVER)
    await asyncio.gather(*[committer.join_urgently(Verb.ACCEPT, n, "only") for n in range(3)])
    assert disk.groups == [[0, 1, 2]]


async def test_a_group_waits_for_its_company(disk: Disk, make: Make) -> None:
    committer = make(longest=NEVER)
    await asyncio.gather(*[committer.join_urgently(Verb.ACCEPT, n, n) for n in ("a", "b")])
    first = committer.join_urgently(Verb.ACCEPT, 1, "a")
    await asyncio.sleep(0.005)
    assert not first.done()
    await asyncio.gather(first, committer.join_urgently(Verb.ACCEPT, 2, "b"))
    assert disk.groups[1:] == [[1, 2]]


async def test_but_no_longer_than_it_may(disk: Disk, make: Make) -> None:
    committer = make(longest=0.01)
    await asyncio.gather(*[committer.join_urgently(Verb.ACCEPT, n, n) for n in ("a", "b")])
    await committer.join_urgently(Verb.ACCEPT, 1, "a")
    assert disk.groups[1:] == [[1]]


async def test_outcomes_wait_for_a_submit_to_ride_along(disk: Disk, make: Make) -> None:
    committer = make(patience=NEVER)
    outcome = committer.join(Verb.SETTLE, "outcome")
    acknowledged = committer.join(Verb.ACKNOWLEDGE, "ack")
    await asyncio.sleep(0.005)
    assert not outcome.done()
    await committer.join_urgently(Verb.ACCEPT, "submit", "a")
    assert outcome.done()
    assert acknowledged.done()
    assert disk.groups == [["outcome", "ack", "submit"]]


async def test_but_only_for_a_while(disk: Disk, make: Make) -> None:
    committer = make(patience=0.01)
    assert await committer.join(Verb.SETTLE, "outcome") == frozenset()
    assert await committer.join(Verb.ACKNOWLEDGE, "ack") is None


async def test_how_long_no_client_has_asked(disk: Disk, make: Make) -> None:
    committer = make()
    assert committer.idle == math.inf
    await committer.join(Verb.SETTLE, "outcome")
    assert committer.idle == math.inf
    before = asyncio.get_running_loop().time()
    await committer.join_urgently(Verb.ACCEPT, "submit", "a")
    assert 0 <= committer.idle <= asyncio.get_running_loop().time() - before


async def test_close_does_not_wait_for_company(disk: Disk, make: Make) -> None:
    committer = make(patience=NEVER, longest=NEVER)
    future = committer.join(Verb.SETTLE, "outcome")
    await committer.close()
    assert future.done()
    with pytest.raises(StoreDown):
        await committer.join(Verb.SETTLE, "late")


# -- rows to blame -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("place", range(5))
async def test_one_bad_entry_fails_alone(disk: Disk, make: Make, place: int) -> None:
    committer = make()
    payloads: list[Any] = [1, 2, 3, 4]
    payloads.insert(place, "bad")
    futures = [committer.join_urgently(Verb.ACCEPT, payload, "a") for payload in payloads]
    answers = await asyncio.gather(*futures, return_exceptions=True)
    assert isinstance(answers.pop(place), Contradiction)
    assert answers == [frozenset()] * 4
    assert [payload for group in disk.groups for payload in group] == [1, 2, 3, 4]


async def test_a_group_with_outcomes_is_first_tried_with_care(disk: Disk, make: Make) -> None:
    committer = make()
    disk.before = [sqlite3.IntegrityError("again")]
    futures = [committer.join(Verb.SETTLE, "again"), committer.join_urgently(Verb.ACCEPT, 1, "a")]
    assert await asyncio.gather(*futures) == [frozenset(), frozenset()]
    assert disk.groups == [[1]]


async def test_a_fault_of_our_own_is_no_fault_of_the_disk(disk: Disk, make: Make) -> None:
    committer = make()
    disk.before = [TypeError("ours"), None, TypeError("ours")]
    futures = [committer.join_urgently(Verb.ACCEPT, n, n) for n in (1, 2)]
    answers = await asyncio.gather(*futures, return_exceptions=True)
    assert answers[0] == frozenset()
    assert isinstance(answers[1], Contradiction)


# -- the disk to blame -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("error", "heard"),
    [
        (fault(sqlite3.SQLITE_FULL), StoreFull),
        (fault(sqlite3.SQLITE_IOERR_WRITE), StoreFull),
        (OSError(28, "No space left on device"), StoreFull),
        (fault(sqlite3.SQLITE_BUSY), StoreDown),
        (fault(sqlite3.SQLITE_IOERR_READ), StoreDown),
        (OSError(5, "Input/output error"), StoreDown),
    ],
)
async def test_before_commit_nothing_is_stored_and_the_next_group_is_tried(
    disk: Disk, make: Make, error: Exception, heard: type[Exception]
) -> None:
    committer = make()
    disk.before = [error]
    futures = [committer.join_urgently(Verb.ACCEPT, n, n) for n in (1, 2)]
    told = await asyncio.gather(*futures, return_exceptions=True)
    assert [type(each) for each in told] == [heard] * 2
    assert told[0] is not told[1]
    assert await committer.join_urgently(Verb.ACCEPT, 3, "a") == frozenset()
    assert disk.groups == [[3]]


@pytest.mark.parametrize(
    ("code", "heard", "wiped"),
    [
        (sqlite3.SQLITE_FULL, StoreFull, 0),
        (sqlite3.SQLITE_IOERR_WRITE, StoreFull, 0),
        (sqlite3.SQLITE_IOERR_SHMSIZE, StoreFull, 1),
        (sqlite3.SQLITE_IOERR_FSYNC, StoreDown, 1),
    ],
)
async def test_after_a_failed_commit_it_is_looked_up(
    disk: Disk, make: Make, caplog: pytest.LogCaptureFixture, code: int, heard: type[Exception], wiped: int
) -> None:
    committer = make()
    disk.at_commit = [fault(code)]
    with pytest.raises(heard), caplog.at_level(logging.CRITICAL):
        await committer.join_urgently(Verb.ACCEPT, 1, "a")
    assert disk.wiped == wiped
    disk.at_commit, disk.stored = [fault(code)], True
    assert await committer.join_urgently(Verb.ACCEPT, 2, "a") == frozenset()


@pytest.mark.promise("R3")
async def test_a_commit_in_doubt_is_answered_by_nobody_and_followed_by_none(
    disk: Disk, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.committer.RECOVERY_PAUSE", 0.01)
    committer = make()
    disk.at_commit, disk.blind = [fault(sqlite3.SQLITE_IOERR_FSYNC)], fault(sqlite3.SQLITE_IOERR)
    with pytest.raises(OutcomeUnknown):
        await committer.join_urgently(Verb.ACCEPT, 1, "a")
    with pytest.raises(StoreDown, match="in doubt"):
        await committer.join_urgently(Verb.ACCEPT, 2, "a")
    await asyncio.sleep(0.02)
    with pytest.raises(StoreDown, match="cannot be recovered yet"):
        await committer.join_urgently(Verb.ACCEPT, 3, "a")
    disk.blind = None
    await asyncio.sleep(0.02)
    assert await committer.join_urgently(Verb.ACCEPT, 4, "a") == frozenset()
    assert (disk.groups, disk.wiped) == ([[4]], 1)


async def test_a_commit_that_cannot_haunt_is_unknown_but_stops_nobody(disk: Disk, make: Make) -> None:
    committer = make()
    disk.at_commit, disk.blind = [fault(sqlite3.SQLITE_FULL)], fault(sqlite3.SQLITE_CANTOPEN)
    with pytest.raises(OutcomeUnknown):
        await committer.join_urgently(Verb.ACCEPT, 1, "a")
    assert await committer.join_urgently(Verb.ACCEPT, 2, "a") == frozenset()


async def test_an_interrupted_commit_is_unknown(disk: Disk, make: Make) -> None:
    committer = make()
    disk.gate.clear()
    future = committer.join_urgently(Verb.ACCEPT, 1, "a")
    await asyncio.sleep(0)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    with pytest.raises(OutcomeUnknown):
        await future


# -- between groups ----------------------------------------------------------------------------------------------
async def test_the_log_is_written_back_now_and_then(
    disk: Disk, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    committer = make()
    for n in range(2 * FRAMES // EACH):
        await committer.join_urgently(Verb.ACCEPT, n, "a")
    await committer.close()
    assert disk.checkpoints == 2


async def test_a_log_that_grows_fast_is_written_back_at_once_and_failing_to_is_no_harm(disk: Disk, make: Make) -> None:
    committer = make()
    disk.large, disk.blind = True, fault(sqlite3.SQLITE_FULL)
    for n in range(3):
        assert await committer.join_urgently(Verb.ACCEPT, n, "a") == frozenset()
    await committer.close()
    assert disk.checkpoints == 3
