"""A store that forgets: it keeps the promises of `store.protocol` in dictionaries, and fails or stalls when told to.

For tests of what stands above the store; that the real one keeps the same promises is shown elsewhere.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store.protocol import AccountRow, Batch, Commit, MessageRow, Outcome, Owed, RefusalRow, StoreError

CREDIT = 10_000


@dataclass
class Kept:
    """One message."""

    account: int
    at: int
    charge: int
    body: bytes
    wire_id: int
    scheduled_at: int | None


@dataclass
class Ended:
    state: int
    error: int
    at: int
    refunded: bool


class MemoryStore:
    def __init__(self, wall_ms: Callable[[], int]) -> None:
        self.wall_ms = wall_ms
        self.observer: Callable[[Commit], None] = lambda commit: None
        self.rows: dict[int, AccountRow] = {}
        self.plans: dict[str, dict[str, int]] = {"default": {"": CREDIT}}
        self.kept: dict[int, Kept] = {}
        self.ended: dict[int, Ended] = {}
        self.owing: dict[int, set[int]] = {}
        self.arrived: dict[int, tuple[int, bytes]] = {}
        self.given_up: dict[int, str] = {}
        self.marked = 0
        self.refused: list[RefusalRow] = []
        self.batches: list[Batch] = []
        self.outcomes: list[Outcome] = []
        self.faults: dict[str, list[Exception]] = {}  # verb -> what its next calls fail with
        self.stalled = False  # commits wait for `resume`
        self.awaited = False
        self._waiting: list[Callable[[], None]] = []

    # -- what a test tells it --------------------------------------------------------------------------------------
    def add(self, name: str = "a", balance: int = 1_000_000 * CREDIT, **settings: Any) -> AccountRow:
        """An account; the settings that matter for sending are open unless named."""
        settings = {"addresses": ["127.0.0.1"], "senders": ["*"], "throughput": 0, **settings}
        number = len(self.rows) + 1
        row = AccountRow(number, f"smpp-{name}", name, f"hash of {name}", True, settings, balance, 0, 0)
        self.rows[number] = row
        return row

    def change(self, account: int, *, settings: Mapping[str, Any] | None = None, **fields: Any) -> None:
        row = self.rows[account]
        if settings is not None:
            fields["settings"] = {**row.settings, **settings}
        self.rows[account] = row._replace(**fields)

    def fail(self, verb: str, fault: Exception, times: int = 1) -> None:
        self.faults.setdefault(verb, []).extend([fault] * times)

    def resume(self) -> None:
        """All that has waited is committed now, in its order."""
        self.stalled = False
        waiting, self._waiting = self._waiting, []
        for commit in waiting:
            commit()

    def balance(self, account: int) -> int:
        """In credits."""
        return self.rows[account].balance // CREDIT

    # -- plain verbs -----------------------------------------------------------------------------------------------
    def _commit(self, verb: str, work: Callable[[], Any]) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def commit() -> None:
            faults = self.faults.get(verb)
            if faults:
                future.set_exception(faults.pop(0))
            else:
                future.set_result(work())

        if self.stalled:
            self._waiting.append(commit)
        else:
            commit()
        return future

    def _fault(self, verb: str) -> None:
        if self.faults.get(verb):
            raise self.faults[verb].pop(0)

    def accept(self, batch: Batch, session: object) -> asyncio.Future[frozenset[int]]:
        def work() -> frozenset[int]:
            self.batches.append(batch)
            assert batch.total == sum(charge for _id, charge, _body in batch.rows)
            schedules, wires = dict(batch.scheduled), dict(batch.multi)
            unpaid = set()
            for id_, charge, body in batch.rows:
                row = self.rows[batch.account]
                assert id_ not in self.kept
                assert id_ > max(self.kept, default=0)
                if row.balance - charge < -row.credit_limit:
                    unpaid.add(id_)
                    continue
                self.rows[batch.account] = row._replace(balance=row.balance - charge)
                self.kept[id_] = Kept(
                    batch.account, self.wall_ms(), charge, bytes(body), wires.get(id_, id_), schedules.get(id_)
                )
            return frozenset(unpaid)

        return self._commit("accept", work)

    def settle(self, outcomes: Sequence[Outcome]) -> asyncio.Future[frozenset[int]]:
        return self._commit("settle", lambda: self._settle(outcomes))

    def _settle(self, outcomes: Sequence[Outcome]) -> frozenset[int]:
        refused, moved = set(), 0
        for outcome in outcomes:
            self.outcomes.append(outcome)
            for id_ in outcome.ids:
                kept = self.kept[id_]
                assert kept.account == outcome.account
                if id_ in self.ended or (outcome.if_scheduled and kept.scheduled_at is None):
                    refused.add(id_)
                    continue
                self.ended[id_] = Ended(outcome.state, outcome.error, self.wall_ms(), outcome.refund)
                kept.scheduled_at = None
                if id_ in outcome.owed:
                    self.owing.setdefault(outcome.account, set()).add(id_)
                if outcome.refund:
                    moved += kept.charge
                    row = self.rows[outcome.account]
                    self.rows[outcome.account] = row._replace(balance=row.balance + kept.charge)
        if moved:
            self.observer(Commit(0, 0.0, {outcomes[0].account: moved}))
        return frozenset(refused)

    def unschedule(self, ids: Sequence[int]) -> asyncio.Future[frozenset[int]]:
        def work() -> frozenset[int]:
            waiting = [id_ for id_ in ids if id_ in self.kept and self.kept[id_].scheduled_at is not None]
            for id_ in waiting:
                self.kept[id_].scheduled_at = None
            return frozenset(waiting)

        return self._commit("unschedule", work)

    def replace(self, message: int, body: bytearray, scheduled_at: int | None = None) -> asyncio.Future[bool]:
        def work() -> bool:
            kept = self.kept[message]
            if kept.scheduled_at is None:
                return False
            kept.body, kept.scheduled_at = bytes(body), scheduled_at or kept.scheduled_at
            return True

        return self._commit("replace", work)

    def acknowledge(self, account: int, ids: Sequence[int]) -> asyncio.Future[None]:
        return self._commit("acknowledge", lambda: self.owing.get(account, set()).difference_update(ids))

    def give_up(self, account: int, ids: Sequence[int], reason: str) -> asyncio.Future[None]:
        def work() -> None:
            self.owing.get(account, set()).difference_update(ids)
            self.given_up.update(dict.fromkeys(ids, reason))

        return self._commit("give_up", work)

    def note_incoming(self, account: int, rows: Sequence[tuple[int, bytearray]]) -> asyncio.Future[None]:
        def work() -> None:
            for id_, body in rows:
                self.arrived[id_] = self.wall_ms(), bytes(body)
                self.owing.setdefault(account, set()).add(id_)

        return self._commit("note_incoming", work)

    def mark(self, settled_below: int) -> None:
        self.marked = max(self.marked, settled_below)

    # -- reading ---------------------------------------------------------------------------------------------------
    async def accounts(self) -> list[AccountRow]:
        self._fault("accounts")
        return list(self.rows.values())

    async def price_plans(self) -> dict[str, dict[str, int]]:
        return {name: dict(prices) for name, prices in self.plans.items()}

    def _row(self, id_: int) -> MessageRow:
        kept, ended = self.kept[id_], self.ended.get(id_)
        row = MessageRow(
            id_,
            kept.wire_id,
            kept.account,
            kept.at,
            kept.charge,
            1,
            None,
            kept.body,
            None,
            None,
            None,
            kept.scheduled_at,
        )
        return row._replace(state=ended.state, error=ended.error, done_at=ended.at) if ended else row

    def _rows(self, ids: Iterable[int]) -> list[MessageRow]:
        return [self._row(id_) for id_ in sorted(ids)]

    async def find(self, account: int | None, wire_id: int) -> list[MessageRow]:
        self._fault("find")
        return self._rows(
            i for i, kept in self.kept.items() if kept.wire_id == wire_id and account in (None, kept.account)
        )

    async def pending(self, after: int = 0, limit: int = 1000) -> list[MessageRow]:
        return self._rows(i for i in self.kept if i > after and i not in self.ended)[:limit]

    async def scheduled(self, account: int) -> list[MessageRow]:
        self._fault("scheduled")
        return self._rows(
            i for i, kept in self.kept.items() if kept.account == account and kept.scheduled_at is not None
        )

    async def due(self, now: int, limit: int = 1000) -> list[MessageRow]:
        self._fault("due")
        waiting = [(kept.scheduled_at, i) for i, kept in self.kept.items() if kept.scheduled_at is not None]
        return [self._row(i) for at, i in sorted(waiting) if at <= now][:limit]

    async def next_due(self) -> int | None:
        self._fault("next_due")
        return min([kept.scheduled_at for kept in self.kept.values() if kept.scheduled_at is not None], default=None)

    async def owed(self, account: int, after: int = 0, limit: int = 1000) -> list[Owed]:
        ids = sorted(i for i in self.owing.get(account, ()) if i > after)[:limit]
        return [self._owed(id_) for id_ in ids]

    def _owed(self, id_: int) -> Owed:
        if id_ in self.arrived:
            return Owed(id_, id_, *self.arrived[id_], 0, 0, 0, True)
        kept, ended = self.kept[id_], self.ended[id_]
        return Owed(id_, kept.wire_id, kept.at, kept.body, ended.state, ended.error, ended.at, False)

    async def owed_counts(self) -> dict[int, tuple[int, int]]:
        return {account: (len(ids), self._owed(min(ids)).done_at) for account, ids in self.owing.items() if ids}

    async def refuse(self, rows: Sequence[RefusalRow]) -> None:
        self.refused += rows


__all__ = ["CREDIT", "MemoryStore", "StoreError"]
