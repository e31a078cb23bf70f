"""Group commit: whatever arrives while one transaction is being written gathers in the open group; the next takes it.

Submits are urgent: a group with one leaves as soon as the usual company has joined it, at the latest after `longest`
seconds. All else waits up to `patience` seconds for a submit to ride along with. Invariant: one transaction after the
other, each future answered once, and never OK before its transaction is durable. Knows what an entry is, not what it
means.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from math import inf
from typing import Any, Protocol, TypeAlias

from .company import Company
from .failures import CommitFailed, meaning, of_the_rows
from .group import USUAL, Entry, Told, Verb
from .protocol import Commit, OutcomeUnknown, StoreDown, StoreError
from .sql import Statement, Statements

log = logging.getLogger(__name__)

Hop: TypeAlias = Callable[[Statements[Told]], Awaitable[Told]]
"""Runs a transaction to its commit: this is where a disk can be slow or break."""
Composer: TypeAlias = Callable[[Sequence[Entry], bool], Statements[Told]]
"""Entries, and whether with care for repetitions -> the transaction that writes them."""

FRAMES = 8192
"""Pages in the WAL, 32 MiB, after which it is written back. That takes milliseconds in which nothing is committed: so
seldom that fewer than one message in a hundred meets it."""
EMPTY_AFTER = 1.0
"""Seconds from erasing something until the WAL, which remembers it, is emptied: others may be erased until then."""
EACH, ALIKE = 8, 12
"""Pages that every transaction writes for itself, and messages that share another one: an estimate."""
RECOVERY_PAUSE = 1.0
"""Seconds between attempts to empty a WAL that may hold a ghost."""
COMPLAINT_PAUSE = 10.0
"""Seconds between two lines in the log about a disk that fails."""


class Disk(Protocol):
    """What the committer needs of the writer besides the hop."""

    async def recognise(self, witness: Statement | None, wipe: bool) -> bool: ...
    async def wipe(self) -> None: ...
    async def checkpoint(self) -> None: ...
    async def empty(self) -> bool: ...
    def overgrown(self) -> bool: ...


class Committer:
    def __init__(self, hop: Hop, disk: Disk, compose: Composer, patience: float, longest: float) -> None:
        self._hop, self._disk, self._compose, self._patience = hop, disk, compose, patience
        self._company = Company(longest)
        self._loop = asyncio.get_running_loop()
        self._open: list[Entry] = []
        self._urgent = self._awaited = False  # a client waits for the open group; for the one that is being written
        self._asked_at = -inf
        self._timer: asyncio.Handle | None = None
        self._leaves_at = 0.0
        self._busy: asyncio.Future[Any] | None = None
        self.closed = False
        self._haunted, self._try_again_at = False, 0.0
        self._frames = 0
        self._stale, self._emptying = False, False  # the WAL holds what was erased; it will be emptied
        self._complain_at = 0.0
        self.observer: Callable[[Commit], None] = lambda commit: None

    # -- joining ---------------------------------------------------------------------------------------------------
    def join(self, verb: Verb, payload: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self._loop.create_future()
        if self.closed:
            future.set_exception(StoreDown("the store is closed"))
        else:
            self._open.append(Entry(verb, payload, future))
            self._schedule()
        return future

    def join_urgently(self, verb: Verb, payload: Any, session: object | None) -> asyncio.Future[Any]:
        self._urgent, self._asked_at = True, self._loop.time()
        if session is not None:
            self._company.join(session, self._asked_at)
        else:
            self._company.look(self._asked_at)
        return self.join(verb, payload)

    @property
    def awaited(self) -> bool:
        """Whether clients wait for a commit right now."""
        return self._urgent or (self._awaited and self._busy is not None)

    @property
    def idle(self) -> float:
        """Seconds since a client last joined."""
        return self._loop.time() - self._asked_at

    # -- leaving ---------------------------------------------------------------------------------------------------
    def _schedule(self) -> None:
        """Decide when the open group goes to disk; not while another one does."""
        if self._busy is not None or not self._open:
            return
        if not self._urgent:
            self._arm(self._patience)
        elif self._company.complete():
            self._arm(0.0)
        else:
            self._arm(self._company.longest)

    def _arm(self, wait: float) -> None:
        """Leave at the latest `wait` from now. Even 0 lets the rest of this turn of the loop come along."""
        leaves_at = self._loop.time() + wait if wait else 0.0
        if self._timer is not None:
            if self._leaves_at <= leaves_at:
                return
            self._timer.cancel()
        self._leaves_at = leaves_at
        self._timer = self._loop.call_later(wait, self._leave) if wait else self._loop.call_soon(self._leave)

    def _leave(self) -> None:
        """The open group goes to disk. While all goes well that takes a future and a callback, and no task: each of
        those would cost the waiting clients another turn of the loop."""
        self._timer = None
        entries, self._open, self._awaited, self._urgent = self._open, [], self._urgent, False
        self._company.leave()
        if self._haunted:
            self._work(entries, self._write(entries))
        else:
            written = asyncio.ensure_future(self._hop(self._compose(entries, False)))
            self._busy = written
            written.add_done_callback(partial(self._written, entries, self._loop.time()))

    def _written(self, entries: Sequence[Entry], began: float, written: asyncio.Future[Told]) -> None:
        if written.cancelled() or written.exception() is not None:
            self._work(entries, self._write(entries, attempt=self._ended(written, began)))
            return
        told = written.result()
        self._count(told, began)
        release(entries, told)
        self._go_on(wrote=True)

    def _work(self, entries: Sequence[Entry], work: Coroutine[Any, Any, None]) -> None:
        """Whatever takes more than one hop."""
        self._busy = task = self._loop.create_task(work)
        task.add_done_callback(partial(self._returned, entries))

    def _returned(self, entries: Sequence[Entry], task: asyncio.Task[None]) -> None:
        """The usual end tells nobody: all have their answers. A task cancelled before it began could tell nobody."""
        if task.cancelled() or (error := task.exception()) is not None:
            release(entries, error=OutcomeUnknown("the commit was interrupted"))
            if not task.cancelled():
                log.error("a group was given up", exc_info=error)
        self._go_on(wrote=bool(entries))

    def _go_on(self, wrote: bool) -> None:
        """The disk is free: after a group for a small checkpoint if one is due, so that the WAL starts over and is
        never grown again; else for the next group."""
        self._busy = None
        if wrote and (self._frames >= FRAMES or self._disk.overgrown() or (self._stale and not self._open)):
            self._frames = 0
            self._work((), self._write_back())
        else:
            self._schedule()

    # -- writing ---------------------------------------------------------------------------------------------------
    async def _write(
        self, entries: Sequence[Entry], careful: bool = False, attempt: Awaitable[Told] | None = None
    ) -> None:
        """One transaction; when rows are to blame that it fails, with care, and then in halves."""
        try:
            told = await (attempt or self.run(self._compose(entries, careful)))
        except Exception as error:
            if not of_the_rows(error):
                release(entries, error=meaning(error))
            elif not careful and any(entry.verb is Verb.SETTLE for entry in entries):
                await self._write(entries, careful=True)
            elif len(entries) > 1:
                half = len(entries) // 2
                await self._write(entries[:half])
                await self._write(entries[half:])
            else:
                release(entries, error=meaning(error))
        else:
            release(entries, told)

    async def run(self, statements: Statements[Told]) -> Told:
        """One transaction. Raises a StoreError, or what went wrong before COMMIT."""
        if self._haunted:
            await self._exorcise()
        return await self._ended(self._hop(statements), self._loop.time())

    async def _ended(self, hop: Awaitable[Told], began: float) -> Told:
        try:
            told = await hop
        except CommitFailed as failed:
            told = await self._look_up(failed)
        self._count(told, began)
        return told

    def _count(self, told: Told, began: float) -> None:
        self._frames += EACH + told.messages // ALIKE
        if told.erased and not self._emptying:
            self._emptying = True
            self._loop.call_later(EMPTY_AFTER, self._empty)
        self._tell(Commit(told.messages, self._loop.time() - began, told.moved))

    def _tell(self, commit: Commit) -> None:
        """An observer that fails must not make a commit look failed."""
        try:
            self.observer(commit)
        except Exception:
            log.exception("the observer of commits failed")

    async def _look_up(self, failed: CommitFailed) -> Told:
        """COMMIT raised: find out whether it happened. -> what it had to say, if it did."""
        told: Told = failed.told
        wipe = failed.may_haunt()
        self._complain(f"a commit failed ({failed.__cause__}); looking for it")
        self._frames = FRAMES  # if the disk is full, writing the WAL back makes room in it
        try:
            if await self._disk.recognise(told.witness, wipe):
                return told
        except Exception as error:
            self._haunted = wipe
            self._try_again_at = self._loop.time() + RECOVERY_PAUSE
            raise OutcomeUnknown(f"the commit failed and cannot be looked up: {error}") from error
        raise meaning(failed.__cause__)

    async def _exorcise(self) -> None:
        """Write nothing while the WAL may hold a commit that was never answered."""
        if self._loop.time() < self._try_again_at:
            raise StoreDown("a commit is in doubt; the store is being recovered")
        try:
            await self._disk.wipe()
        except Exception as error:
            self._try_again_at = self._loop.time() + RECOVERY_PAUSE
            raise StoreDown(f"a commit is in doubt and the store cannot be recovered yet: {error}") from error
        self._haunted = False

    def _empty(self) -> None:
        """Now, if nobody writes; else as soon as the WAL is written back, or nobody waits."""
        self._stale, self._emptying = True, False
        if self._busy is None and not self._open and not self.closed:
            self._work((), self._write_back())

    async def _write_back(self) -> None:
        try:
            if not self._stale:
                await self._disk.checkpoint()
            elif await self._disk.empty():
                self._stale = False
        except (sqlite3.Error, OSError) as error:
            self._complain(f"the WAL could not be written back: {error}")

    def _complain(self, what: str) -> None:
        """Once in a while: a disk that is full stays full for many commits."""
        if (now := self._loop.time()) >= self._complain_at:
            self._complain_at = now + COMPLAINT_PAUSE
            log.error("%s", what)

    # -- the end ---------------------------------------------------------------------------------------------------
    async def close(self) -> None:
        """Finish the open group; whoever comes later hears StoreDown."""
        self.closed = True
        while self._open or self._busy is not None:
            if self._busy is None:
                if self._timer is not None:
                    self._timer.cancel()
                self._leave()
            if self._busy is not None:
                await asyncio.wait([self._busy])
                await asyncio.sleep(0)  # its callback clears the way for the next


def release(entries: Sequence[Entry], told: Told | None = None, error: StoreError | None = None) -> None:
    """Answer everybody who still waits."""
    answers = told.answers if told is not None else {}
    for submits in (True, False):  # clients wait for the answers to theirs, nobody for the rest
        for number, (verb, _payload, future) in enumerate(entries):
            if (verb is Verb.ACCEPT) is not submits or future.done():
                continue
            if error is not None:
                future.set_exception(meaning(error))
            else:
                future.set_result(answers[number] if number in answers else USUAL.get(verb))
