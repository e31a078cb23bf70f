"""Top-ups, transfers, debits, refunds and callbacks in any order, with crashes between: no credit from nowhere, none
lost, none twice, and whoever is low has asked."""

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from store import open_store
from store.office import statement
from store.office.topups import DAY, MOST_OPEN, Topup
from store.protocol import Automatic, Batch, Conflict, Insufficient, Outcome, Store, StoreDown
from store.sql import Statements
from tests.store.backends import NOW

ACCOUNTS = st.sampled_from([0, 1])
CHARGES = st.lists(st.integers(0, 9), min_size=1, max_size=5)
PICK = st.integers(0, 10_000)
AUTOMATIC = st.builds(Automatic, st.integers(0, 30), st.integers(0, 20), st.integers(1, 3), st.booleans())
DECISIONS = st.sampled_from(["booked", "booked", "refused", "failed"])


class Asking(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.stack = AsyncExitStack()
        self.store: Store
        self.ids: list[int] = []
        self.now, self.broken = NOW, False
        self.sent: dict[int, int] = {}
        self.ended: set[int] = set()
        self.given = [0, 0]  # by hand, so beside every request
        self.automatic = [Automatic(), Automatic()]

    def run(self, work: Any) -> Any:
        async def waited() -> Any:
            return await work

        return self.runner.run(waited())

    def around(self, hop: Any) -> Any:
        async def maybe(statements: Statements[Any]) -> Any:
            if self.broken:
                raise OSError("the disk is away")
            return await hop(statements)

        return maybe

    async def open(self) -> None:
        self.store = await self.stack.enter_async_context(
            open_store(self.folder, now=lambda: self.now / 1000, around=self.around, patience=0.0, reserve=0)
        )

    @initialize()
    def begin(self) -> None:
        async def add() -> None:
            await self.open()
            self.ids = [(await self.store.add_account(f"smpp-{n}", str(n), "", {}, NOW)).id for n in range(2)]

        self.run(add())

    def topups(self, who: int) -> list[Topup]:
        found: list[Topup] = self.run(self.store.topups.of_account(self.ids[who], limit=10_000))
        return found

    def balances(self) -> list[int]:
        return [row.balance for row in self.run(self.store.accounts())]

    # -- what can happen -----------------------------------------------------------------------------------------------
    @rule(who=ACCOUNTS, charges=CHARGES)
    def accept(self, who: int, charges: list[int]) -> None:
        first = max(self.sent, default=0) + 1
        rows = [(first + n, charge, bytearray(b"body")) for n, charge in enumerate(charges)]
        refused = self.run(self.store.accept(Batch(self.ids[who], rows, sum(charges)), self))
        taken = [row for row in rows if row[0] not in refused]
        self.sent |= {row[0]: who for row in taken}
        if taken:
            self.whoever_is_low_has_asked(who)

    def whoever_is_low_has_asked(self, who: int) -> None:
        wanted = self.automatic[who]
        if wanted.amount and self.balances()[who] <= wanted.below:
            asked = [one for one in self.topups(who) if one.automatic]
            assert any(
                one.state == "open" or (one.retry_at or 0) > self.now or (wanted.at_once and one.at == self.now)
                for one in asked
            )

    @rule(pick=PICK, refund=st.booleans())
    def settle(self, pick: int, refund: bool) -> None:
        if self.sent:
            id_ = sorted(self.sent)[pick % len(self.sent)]
            already = self.run(self.store.settle([Outcome(self.ids[self.sent[id_]], 5, 0, refund, [id_], [])]))
            assert bool(already) is (id_ in self.ended)
            self.ended.add(id_)

    @rule(who=ACCOUNTS, amount=st.integers(1, 30))
    def give(self, who: int, amount: int) -> None:
        self.run(self.store.post(self.ids[who], "topup", amount, self.now))
        self.given[who] += amount

    @rule(source=ACCOUNTS, amount=st.integers(1, 30))
    def transfer(self, source: int, amount: int) -> None:
        enough = self.balances()[source] >= amount
        try:
            self.run(self.store.transfer(self.ids[source], self.ids[1 - source], amount, self.now))
        except Insufficient:
            assert not enough
        else:
            assert enough

    @rule(who=ACCOUNTS, wanted=AUTOMATIC)
    def set_automatic(self, who: int, wanted: Automatic) -> None:
        self.automatic[who] = wanted
        self.run(self.store.change_account(self.ids[who], automatic=self.automatic[who]))

    @rule(who=ACCOUNTS, amount=st.integers(1, 30), request=st.sampled_from(["a", "b", None]))
    def ask(self, who: int, amount: int, request: str | None) -> None:
        waiting = sum(one.state == "open" for one in self.topups(who))
        known = [one for one in self.topups(who) if request is not None and one.request_id == request]
        try:
            asked = self.run(self.store.topups.ask(self.ids[who], amount, self.now, "jan", "", request))
        except Conflict:
            assert waiting >= MOST_OPEN or (known and known[0].amount != amount)
        else:
            assert (not known) or asked.id == known[0].id

    @rule(who=ACCOUNTS, pick=PICK, state=DECISIONS, times=st.integers(1, 3))
    def decide(self, who: int, pick: int, state: str, times: int) -> None:
        """A callback, or an operator, once or repeated."""
        found = self.topups(who)
        if not found:
            return
        one, before = found[pick % len(found)], self.balances()[who]
        for _ in range(times):
            try:
                if state == "booked":
                    self.run(self.store.topups.book(one.id, self.now, "payment service"))
                else:
                    self.run(self.store.topups.close(one.id, state, self.now, "anna", ""))
            except Conflict:
                assert one.state not in ("open", state)
        moved = one.amount if (one.state, state) == ("open", "booked") else 0
        assert self.balances()[who] == before + moved

    @rule(later=st.sampled_from([1, 60_000, 16 * 60_000, DAY]))
    def time_passes(self, later: int) -> None:
        self.now += later
        self.run(self.store.topups.watch(self.now))
        self.run(self.store.statement.add_up())

    @rule(who=ACCOUNTS)
    def fail(self, who: int) -> None:
        """A disk that is away changes nothing."""
        before = self.balances(), [self.topups(n) for n in (0, 1)]
        self.broken = True
        for attempt in (
            self.store.topups.ask(self.ids[who], 5, self.now, "jan"),
            self.store.accept(Batch(self.ids[who], [(10**9, 0, bytearray())], 0), self),
        ):
            try:
                self.run(attempt)
            except StoreDown:
                continue
            raise AssertionError("a disk that is away took it")
        self.broken = False
        assert (self.balances(), [self.topups(n) for n in (0, 1)]) == before

    @rule()
    def crash(self) -> None:
        """The process is gone, and another one finds what was on the disk."""
        before = self.balances(), [self.topups(n) for n in (0, 1)]
        elsewhere = Path(tempfile.mkdtemp())
        shutil.copytree(self.folder, elsewhere, dirs_exist_ok=True)
        (elsewhere / "lock").unlink()
        (elsewhere / "lock").touch()
        self.run(self.stack.aclose())
        shutil.rmtree(self.folder)
        self.folder = elsewhere
        self.run(self.open())
        assert (self.balances(), [self.topups(n) for n in (0, 1)]) == before

    # -- what must hold ------------------------------------------------------------------------------------------------
    @invariant()
    def credit_comes_from_what_was_asked_for_or_given(self) -> None:
        for who, account in enumerate(self.ids):
            lines = self.run(self.store.ledger(account, limit=10_000))
            found = self.topups(who)
            booked = [one for one in found if one.state == "booked"]
            topped = sum(line.amount for line in lines if line.kind in ("topup", "auto_topup"))
            assert topped == self.given[who] + sum(one.amount for one in booked)
            assert len({one.line for one in booked}) == len(booked)
            assert sum(one.automatic and one.state == "open" for one in found) <= 1
            spans = self.run(self.store.statement.spans(account, limit=10_000))
            by_hand = self.run(self.store.statement.lines(account, statement.BY_HAND, limit=10_000))
            whole = sum(line.amount for line in by_hand) + sum(span.refunded - span.spent for span in spans)
            assert whole == sum(line.amount for line in lines)

    def teardown(self) -> None:
        try:
            if self.ids:
                assert self.run(self.store.audit()) == []
                self.run(self.stack.aclose())
        finally:
            self.runner.close()
            shutil.rmtree(self.folder)


TestAsking = Asking.TestCase
assert settings.default is not None
TestAsking.settings = settings(max_examples=max(15, settings.default.max_examples // 10), stateful_step_count=20)
