"""One group, one transaction, told as a generator of statements.

Each hot row is written once: `message` (what was accepted, and which ledger line paid), `outcome` (how it ended: its
primary key makes a second end impossible), `delivery` (what is owed: there until acknowledged).

A group is first written as if nothing in it were a repetition. If an outcome is one, its key refuses the transaction
and the group is written again with `careful`: what has ended is looked up and left out. There is one writer, so what
was looked up stays true until the commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from itertools import chain
from typing import Any

from . import reading
from .group import Entry, Told, Verb
from .money import Books, Ledger
from .office.blacklist import stopped
from .office.topups import run_low
from .protocol import Batch, Contradiction, Outcome, RefusalRow
from .sql import Statements, insert, insert_ids, with_ids

KEPT_REFUSALS = 10_000
SPAN = 5
"""Deliveries from which on a range costs less than a list: SQLite sorts a list into a table of its own first."""
Numbered = Sequence[tuple[int, Any]]
"""Payloads of one verb, each with the number of its entry."""


class Writing:
    """What the steps of one transaction share."""

    def __init__(self, at: int, careful: bool, scheduled: Set[int], books: Books | None) -> None:
        self.at, self.careful, self.scheduled = at, careful, scheduled
        self.ledger, self.told = Ledger(at, books), Told()


def transaction(
    entries: Sequence[Entry],
    at: int,
    careful: bool,
    scheduled: Set[int],
    books: Callable[[], Books | None] = lambda: None,
) -> Statements[Told]:
    """`scheduled`: ids that stand in that table, or may. `books`: asked when the transaction begins."""
    writing = Writing(at, careful, scheduled, books())
    work: dict[Verb, list[tuple[int, Any]]] = {}
    for number, (verb, payload, _future) in enumerate(entries):
        work.setdefault(verb, []).append((number, payload))
    for verb, step in STEPS:
        if verb in work:
            yield from step(writing, work[verb])
    writing.told.moved, writing.told.books = writing.ledger.moved, writing.ledger.books
    return writing.told


# -- accepted messages -----------------------------------------------------------------------------------------
def accept(writing: Writing, batches: Numbered) -> Statements[None]:
    by_account: dict[int, list[tuple[int, Batch]]] = {}
    for numbered in batches:
        by_account.setdefault(numbered[1].account, []).append(numbered)
    for account, of_account in by_account.items():
        yield from charge(writing, account, of_account)


def charge(writing: Writing, account: int, batches: Sequence[tuple[int, Batch]]) -> Statements[None]:
    """One debit line for all of an account's messages of this commit."""
    rows = batches[0][1].rows if len(batches) == 1 else list(chain.from_iterable([batch.rows for _, batch in batches]))
    total = sum([batch.total for _, batch in batches])
    room = yield from writing.ledger.room(account)
    refused: frozenset[int] = frozenset()
    if total > room:  # together they are too dear: message by message, in order
        rows, total, refused = affordable(rows, room)
        for number, batch in batches:
            writing.told.answers[number] = refused.intersection([row[0] for row in batch.rows])
    if not rows:
        return
    ids = min([batch.rows[0][0] for _, batch in batches]), max([batch.rows[-1][0] for _, batch in batches])
    line = yield from writing.ledger.post(account, "debit", -total, ids=ids, note=str(len(rows)))
    yield from insert(
        "message", ("account", "charge_line", "at"), (account, line.line, writing.at), ("id", "charge", "body"), rows
    )
    for _, batch in batches:
        if batch.scheduled:
            timed = [timed for timed in batch.scheduled if timed[0] not in refused]
            yield from insert("scheduled", ("account",), (account,), ("id", "at"), timed)
        if batch.multi:
            yield from insert("multi", (), (), ("id", "wire_id"), [one for one in batch.multi if one[0] not in refused])
    writing.told.messages += len(rows)
    writing.told.witness = "SELECT 1 FROM message WHERE id = ?", (rows[0][0],)
    if writing.ledger.low(account):
        yield from run_low(writing.ledger, account)


def affordable(rows: Sequence[Any], room: int) -> tuple[list[Any], int, frozenset[int]]:
    """-> the rows that the balance allows, what they cost, and the ids of the others."""
    kept, refused, total = [], [], 0
    for row in rows:
        if total + row[1] <= room:
            total += row[1]
            kept.append(row)
        else:
            refused.append(row[0])
    return kept, total, frozenset(refused)


# -- how they end ----------------------------------------------------------------------------------------------
def settle(writing: Writing, settled: Numbered) -> Statements[None]:
    """Ends, refunds and the receipts now owed. Outcomes that are alike become one: many small reports cost little."""
    if writing.careful:
        settled = yield from without_ended(writing, settled)
    alike: dict[tuple[int, int, int, bool], list[Outcome]] = {}
    for number, outcomes in settled:
        for outcome in outcomes:
            kept = (yield from without_released(writing, number, outcome)) if outcome.if_scheduled else outcome
            if kept.ids:
                alike.setdefault(kept[:4], []).append(kept)
    merged = [merge(outcomes) for outcomes in alike.values()]
    lines = yield from refund(writing, [outcome for outcome in merged if outcome.refund])
    for outcome in merged:
        yield from end(writing, outcome, lines.get(outcome.account) if outcome.refund else None)


def merge(outcomes: Sequence[Outcome]) -> Outcome:
    first = outcomes[0]
    if len(outcomes) == 1:
        return first
    return first._replace(
        ids=list(chain.from_iterable([outcome.ids for outcome in outcomes])),
        owed=list(chain.from_iterable([outcome.owed for outcome in outcomes])),
    )


def refund(writing: Writing, outcomes: Sequence[Outcome]) -> Statements[dict[int, int]]:
    """Give back what the messages cost, one line an account. -> account -> its line, if anything came back."""
    ids_of: dict[int, list[int]] = {}
    for outcome in outcomes:
        ids_of.setdefault(outcome.account, []).extend(outcome.ids)
    lines = {}
    for account, ids in ids_of.items():
        sums = yield from with_ids(
            "SELECT count(*), coalesce(sum(charge), 0) FROM message WHERE account = ? AND id IN ?", (account,), ids
        )
        if sum([count for count, _ in sums]) != len(ids):
            raise Contradiction(f"account {account} has not sent all the messages that are to be refunded")
        amount = sum([charges for _, charges in sums])
        if amount:
            line = yield from writing.ledger.post(account, "refund", amount, note=str(len(ids)))
            lines[account] = line.line
    return lines


def end(writing: Writing, outcome: Outcome, line: int | None) -> Statements[None]:
    shared = ("state", "error", "at", "refund_line")
    yield from insert_ids("outcome", shared, (outcome.state, outcome.error, writing.at, line), "message", outcome.ids)
    if outcome.owed:
        yield from insert_ids("delivery", ("account",), (outcome.account,), "id", outcome.owed)
    if writing.scheduled and not writing.scheduled.isdisjoint(outcome.ids):
        yield from with_ids("DELETE FROM scheduled WHERE id IN ?", (), outcome.ids)
    writing.told.witness = writing.told.witness or ("SELECT 1 FROM outcome WHERE message = ?", (outcome.ids[0],))


def without_ended(writing: Writing, settled: Numbered) -> Statements[list[tuple[int, list[Outcome]]]]:
    """The same without what has ended already, in the store or earlier in this group; each entry is told of its own."""
    ids = [id_ for _, outcomes in settled for outcome in outcomes for id_ in outcome.ids]
    rows = yield from with_ids("SELECT message FROM outcome WHERE message IN ?", (), ids)
    seen = {row[0] for row in rows}
    left = []
    for number, outcomes in settled:
        fresh = []
        for outcome in outcomes:
            kept = outcome._replace(ids=[id_ for id_ in dict.fromkeys(outcome.ids) if id_ not in seen])
            fresh.append(without(writing, number, outcome, kept.ids))
            seen.update(kept.ids)
        left.append((number, fresh))
    return left


def without_released(writing: Writing, number: int, outcome: Outcome) -> Statements[Outcome]:
    rows = yield from with_ids("SELECT id FROM scheduled WHERE at IS NOT NULL AND id IN ?", (), outcome.ids)
    waiting = {row[0] for row in rows}
    return without(writing, number, outcome, [id_ for id_ in outcome.ids if id_ in waiting])


def without(writing: Writing, number: int, outcome: Outcome, kept: list[int]) -> Outcome:
    """The outcome for `kept` only; the others are the answer to that entry."""
    if len(kept) == len(outcome.ids):
        return outcome
    lost = set(outcome.ids).difference(kept)
    writing.told.answers[number] = writing.told.answers.get(number, frozenset()) | lost
    return outcome._replace(ids=kept, owed=[id_ for id_ in outcome.owed if id_ not in lost])


# -- what else rides along -------------------------------------------------------------------------------------
def incoming(writing: Writing, noted: Numbered) -> Statements[None]:
    for _, (account, rows, quiet) in noted:
        yield from insert("incoming", ("account", "at"), (account, writing.at), ("id", "body"), rows)
        yield from insert_ids("delivery", ("account",), (account,), "id", [row[0] for row in rows])
        yield from stopped(account, quiet, writing.at)
        writing.told.witness = "SELECT 1 FROM incoming WHERE id = ?", (rows[0][0],)


def unschedule(writing: Writing, released: Numbered) -> Statements[None]:
    for number, ids in released:
        rows = yield from with_ids(
            "UPDATE scheduled SET at = NULL WHERE at IS NOT NULL AND id IN ? RETURNING id", (), ids
        )
        writing.told.answers[number] = frozenset([row[0] for row in rows])
        if rows:
            writing.told.witness = "SELECT 1 FROM scheduled WHERE at IS NULL AND id = ?", rows[0]


def replace(writing: Writing, replaced: Numbered) -> Statements[None]:
    for number, (message, body, at) in replaced:
        rows = yield (
            "UPDATE scheduled SET at = coalesce(?, at) WHERE at IS NOT NULL AND id = ? RETURNING id",
            (at, message),
        )
        if rows:
            yield "UPDATE message SET body = ? WHERE id = ?", (body, message)
        else:
            writing.told.answers[number] = False


def acknowledge(writing: Writing, acknowledged: Numbered) -> Statements[None]:
    by_account: dict[int, list[int]] = {}
    for _, (account, ids) in acknowledged:
        by_account.setdefault(account, []).extend(ids)
    for account, ids in by_account.items():
        single: list[int] = []
        for first, last in spans(ids):
            if last - first < SPAN:
                single += range(first, last + 1)
            else:
                yield "DELETE FROM delivery WHERE account = ? AND id BETWEEN ? AND ?", (account, first, last)
        yield from with_ids("DELETE FROM delivery WHERE account = ? AND id IN ?", (account,), single)


def spans(ids: Sequence[int]) -> list[tuple[int, int]]:
    """The same ids as (first, last) of what follows each other without a gap, as the receipts of one run do."""
    found: list[tuple[int, int]] = []
    first = last = ids[0] if ids else 0
    for id_ in ids[1:]:
        if id_ != last + 1:
            found.append((first, last))
            first = id_
        last = id_
    return [*found, (first, last)] if ids else []


def give_up(writing: Writing, given_up: Numbered) -> Statements[None]:
    for _, (account, ids, reason) in given_up:
        gone = yield from with_ids("DELETE FROM delivery WHERE account = ? AND id IN ? RETURNING id", (account,), ids)
        given = [row[0] for row in gone]
        yield from insert_ids("given_up", ("account", "at", "reason"), (account, writing.at, reason), "id", given)
        if given:
            writing.told.witness = "SELECT 1 FROM given_up WHERE id = ?", (given[0],)


def refuse(writing: Writing, noted: Numbered) -> Statements[None]:
    """Remember these and forget the oldest beyond the bound."""
    rows: list[RefusalRow] = list(chain.from_iterable([rows for _, rows in noted]))
    yield from insert("refusal", (), (), RefusalRow._fields, rows)
    for account in {row.account for row in rows}:
        yield (
            "DELETE FROM refusal WHERE account IS ?1 AND id <="
            " (SELECT id FROM refusal WHERE account IS ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            (account, KEPT_REFUSALS),
        )


def mark(writing: Writing, marks: Numbered) -> Statements[None]:
    """Not beyond the last id stored: what the next start accepts has higher ones, whatever its clock says, and so can
    never lie below the mark unseen."""
    yield (
        f"UPDATE mark SET settled_below = max(settled_below, min(?, 1 + ({reading.LAST_ID})))",  # noqa: S608 (no value)
        (max([below for _, below in marks]),),
    )


def along(writing: Writing, others: Numbered) -> Statements[None]:
    """What does not hurt to be done twice."""
    for _, statements in others:
        for statement in statements:  # noqa: UP028 (a list cannot be sent the rows)
            yield statement


Step = Callable[[Writing, Numbered], Statements[None]]
STEPS: Iterable[tuple[Verb, Step]] = (
    (Verb.ACCEPT, accept),
    (Verb.INCOMING, incoming),
    (Verb.UNSCHEDULE, unschedule),
    (Verb.SETTLE, settle),
    (Verb.REPLACE, replace),
    (Verb.ACKNOWLEDGE, acknowledge),
    (Verb.GIVE_UP, give_up),
    (Verb.REFUSE, refuse),
    (Verb.MARK, mark),
    (Verb.ALONG, along),
)
"""In this order: what is released or ended in this very group can no longer be replaced."""
