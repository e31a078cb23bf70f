"""Money against a model: whatever is asked for in whatever order, the store moves what the model moves and no more."""

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from store import open_store
from store.protocol import Batch, Conflict, Insufficient, Outcome, Store

from .backends import NOW

ACCOUNTS = st.sampled_from([0, 1, 2])
CHARGES = st.lists(st.integers(0, 40), min_size=1, max_size=6)
AMOUNTS = st.integers(1, 100)


class Books(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.stack = AsyncExitStack()
        self.store: Store
        self.ids: list[int] = []
        self.balance, self.limit = [0, 0, 0], [0, 0, 0]
        self.messages: dict[int, tuple[int, int]] = {}
        self.ended: dict[int, bool] = {}
        self.requests: dict[tuple[int, str], tuple[str, int]] = {}

    def run(self, work: Any) -> Any:
        async def waited() -> Any:
            return await work

        return self.runner.run(waited())

    async def open(self) -> None:
        self.store = await self.stack.enter_async_context(open_store(self.folder, patience=0.0, reserve=0))

    @initialize()
    def begin(self) -> None:
        async def add() -> None:
            await self.open()
            self.ids = [(await self.store.add_account(f"smpp-{n}", str(n), "", {}, NOW)).id for n in range(3)]

        self.run(add())

    # -- what can happen ---------------------------------------------------------------------------------------
    @rule(batches=st.lists(st.tuples(ACCOUNTS, CHARGES), min_size=1, max_size=4))
    def accept(self, batches: list[tuple[int, list[int]]]) -> None:
        """Several sessions at once, so all in one group."""
        made: list[Batch] = []
        wanted = []
        for who, charges in batches:
            first = max(self.messages, default=0) + 100 * (len(made) + 1)
            rows = [(first + n, charge, bytearray(b"body")) for n, charge in enumerate(charges)]
            made.append(Batch(self.ids[who], rows, sum(charges)))
        room = [balance + limit for balance, limit in zip(self.balance, self.limit, strict=True)]
        for (who, _charges), batch in zip(batches, made, strict=True):
            refused = set()
            for id_, charge, _body in batch.rows:
                if charge > room[who]:
                    refused.add(id_)
                    continue
                room[who] -= charge
                self.messages[id_] = (who, charge)
            wanted.append(refused)
        self.balance = [left - limit for left, limit in zip(room, self.limit, strict=True)]

        async def ask() -> list[frozenset[int]]:
            return await asyncio.gather(*[self.store.accept(batch, number) for number, batch in enumerate(made)])

        assert self.run(ask()) == wanted

    @rule(data=st.data(), refund=st.booleans(), parts=st.integers(1, 3))
    def settle(self, data: st.DataObject, refund: bool, parts: int) -> None:
        """Any messages, also such as have ended or are named twice; several reports in one group."""
        if not self.messages:
            return
        reports = []
        for _ in range(parts):
            ids = data.draw(st.lists(st.sampled_from(sorted(self.messages)), max_size=6))
            reports.append(
                [Outcome(self.ids[who], 5, 0, refund, mine, []) for who in range(3)
                 if (mine := [id_ for id_ in ids if self.messages[id_][0] == who])]
            )  # fmt: skip
        wanted = []
        for report in reports:
            before = set()
            for id_ in dict.fromkeys(id_ for outcome in report for id_ in outcome.ids):
                if id_ in self.ended:
                    before.add(id_)
                    continue
                who, charge = self.messages[id_]
                self.ended[id_] = refund
                self.balance[who] += charge if refund else 0
            wanted.append(before)

        async def ask() -> list[frozenset[int]]:
            return await asyncio.gather(*[self.store.settle(report) for report in reports])

        assert self.run(ask()) == wanted

    @rule(who=ACCOUNTS, amount=AMOUNTS, sign=st.sampled_from([1, -1]), request=st.sampled_from(["a", "b", None]))
    def post(self, who: int, amount: int, sign: int, request: str | None) -> None:
        kind = "topup" if sign > 0 else "adjustment"
        posted = self.store.post(self.ids[who], kind, sign * amount, NOW, request)
        before = self.requests.get((who, request)) if request else None
        if before is not None:
            if before == (kind, sign * amount):
                self.run(posted)
            else:
                with pytest.raises(Conflict):
                    self.run(posted)
        elif sign < 0 and self.balance[who] + self.limit[who] < amount:
            with pytest.raises(Insufficient):
                self.run(posted)
        else:
            self.run(posted)
            self.balance[who] += sign * amount
            if request:
                self.requests[who, request] = (kind, sign * amount)

    @rule(source=ACCOUNTS, sink=ACCOUNTS, amount=AMOUNTS)
    def transfer(self, source: int, sink: int, amount: int) -> None:
        moved = self.store.transfer(self.ids[source], self.ids[sink], amount, NOW)
        if source == sink:
            with pytest.raises(ValueError):
                self.run(moved)
        elif self.balance[source] < amount:  # what is lent to an account is not its own to give away
            with pytest.raises(Insufficient):
                self.run(moved)
        else:
            self.run(moved)
            self.balance[source] -= amount
            self.balance[sink] += amount

    @rule(who=ACCOUNTS, limit=st.integers(0, 60))
    def change_limit(self, who: int, limit: int) -> None:
        changed = self.store.change_account(self.ids[who], credit_limit=limit)
        if self.balance[who] < -limit:
            with pytest.raises(Insufficient):
                self.run(changed)
        else:
            self.run(changed)
            self.limit[who] = limit

    @rule()
    def restart(self) -> None:
        self.run(self.stack.aclose())
        self.run(self.open())

    # -- what must hold ----------------------------------------------------------------------------------------
    @invariant()
    def balances_are_what_the_model_says(self) -> None:
        if self.ids:
            assert [row.balance for row in self.run(self.store.accounts())] == self.balance

    def teardown(self) -> None:
        try:
            if self.ids:
                assert self.run(self.store.audit()) == []
                assert {row.id for row in self.run(self.store.pending(0, 10_000))} == self.messages.keys() - self.ended
                self.run(self.stack.aclose())
        finally:
            self.runner.close()
            shutil.rmtree(self.folder)


TestBooks = Books.TestCase
assert settings.default is not None
TestBooks.settings = settings(max_examples=max(15, settings.default.max_examples // 10), stateful_step_count=20)
