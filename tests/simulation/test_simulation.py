"""Many worlds, in none of which a promise is broken; the same seed, the same world; and liars, who are found out."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from acl.rate import Rate
from gateway.delivery import Due, Mailbox
from gateway.smpp.link import Link
from gateway.smpp.session import Session
from store.money import Ledger
from store.sql import Statements
from store.sqlite import SqliteStore
from tests.promises import HOUSE, note

from .world import Story, story

pytestmark = [
    pytest.mark.prove,
    pytest.mark.timeout(7200),
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),  # of processes that died
]
FIRST = int(os.environ.get("SMPPGATE_SEED", 0))
"""Of the seeds; by chance in the long form, so that each run looks at other worlds."""


def said(bad: Sequence[Story]) -> str:
    """What went wrong, each with the line that makes it go wrong again."""
    return "\n".join(f"{one.command}\n    " + "\n    ".join(one.findings[:5]) for one in bad[:10])


@pytest.mark.promise("R1", "R2", "R3", "R4", "R5", "M1", "M2", "M3", "M4", "M6", "D1", "D2", "D5", "A4")
def test_no_seed_makes_a_world_in_which_a_promise_is_broken(
    template: Path, effort: Callable[[int, int], int], capsys: pytest.CaptureFixture[str]
) -> None:
    number = effort(300, 5000)
    first = FIRST or effort(1, 1 + secrets.randbelow(10**9))
    bad, sums = list[Story](), Counter[str]()
    for seed in range(first, first + number):
        told = story(seed, template)
        sums.update(told.counts)
        if told.findings:
            bad.append(told)
    with capsys.disabled():
        print(f"\nsimulation: seeds {first} to {first + number - 1}: {len(bad)} bad; {dict(sums)}", end="")
    assert not bad, said(bad)
    assert sums["deaths"] > number
    assert sums["answers"] > 20 * number
    note("R4", "simulation", f"{number:,} worlds, {sums['deaths']:,} deaths, no broken promise")
    note("M1", "simulation", f"looked at after each of {sums['commits']:,} commits in {number:,} worlds")
    note("D5", "simulation", f"{sums['receipts']:,} receipts, none before its answer")


def test_the_same_seed_makes_the_same_world(template: Path) -> None:
    for seed in range(11, 16):
        once, again = story(seed, template), story(seed, template)
        assert once == again
    assert story(16, template).trace != story(17, template).trace


def test_a_seed_is_the_same_world_in_another_process(template: Path) -> None:
    environ = {**os.environ, "PYTHONHASHSEED": "17"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "18", "--quiet"],
        cwd=HOUSE, env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert story(18, template).trace[:16] in done.stdout, done.stderr


# -- liars -------------------------------------------------------------------------------------------------------------
def answer_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """OK before the commit."""
    accept = SqliteStore.accept

    def hasty(store: SqliteStore, batch: Any, session: object) -> Any:
        written = accept(store, batch, session)
        written.add_done_callback(lambda done: done.cancelled() or done.exception())
        return store._done(frozenset())

    monkeypatch.setattr(SqliteStore, "accept", hasty)


def drop_receipts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some receipts are taken for acknowledged before they were offered."""
    put = Mailbox.put

    def careless(mailbox: Mailbox, dues: Sequence[Due]) -> None:
        put(mailbox, dues[1:])
        mailbox._store.acknowledge(mailbox._account, [dues[0].id])

    monkeypatch.setattr(Mailbox, "put", careless)


def refund_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    post = Ledger.post

    def generous(ledger: Ledger, account: int, kind: str, amount: int, *args: Any, **named: Any) -> Statements[Any]:
        if kind == "refund":
            yield from post(ledger, account, kind, amount, *args, **named)
        return (yield from post(ledger, account, kind, amount, *args, **named))

    monkeypatch.setattr(Ledger, "post", generous)


def forget_what_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is recovered at a start."""
    from gateway.network.dispatch import Dispatch

    async def nothing(_dispatch: Dispatch) -> int:
        return 0

    monkeypatch.setattr(Dispatch, "recover", nothing)


def overtake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Receipts do not wait for the answers that name their ids."""
    monkeypatch.setattr(Link, "holds_answers", lambda _link: False)


def ignore_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rate, "available", lambda _rate, _now: float("inf"))


def ignore_the_delivery_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "room", lambda session: 30 if session.is_receiving() else 0)


def take_a_doubt_for_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit of which nobody knows is answered as one that failed."""
    from store.connection import Connection

    async def never(_connection: Connection, _witness: object, _wipe: bool) -> bool:
        return False

    monkeypatch.setattr(Connection, "recognise", never)


LIARS = (
    answer_first,
    drop_receipts,
    refund_twice,
    forget_what_is_on_its_way,
    overtake,
    ignore_the_rate,
    ignore_the_delivery_window,
    take_a_doubt_for_a_no,
)


@pytest.mark.parametrize("liar", LIARS, ids=lambda liar: liar.__name__)
def test_a_liar_is_found_out(
    liar: Callable[[pytest.MonkeyPatch], None], template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    liar(monkeypatch)
    for seed in range(1, 61):
        if found := story(seed, template).findings:
            print(f"seed {seed}: {found[0]}")
            return
    pytest.fail("60 worlds have not shown it")
