"""The reckoning: what everybody outside knows against everything that is stored, when the story is over.

Invariant: it reads the database itself, not through the store; only the audit is the product's.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

from gateway.receipts import submit_of
from pdu import constants as c
from pdu.bodies import digits_of, user_data
from store.auditing import audit
from store.connection import told

from .books import CREDIT, Books, Customer, Sent, key_of
from .disk import Disk

STORED = (
    "SELECT m.id, coalesce(u.wire_id, m.id), m.body, m.charge, o.state, o.at, o.refund_line, g.reason FROM message m"
    " LEFT JOIN multi u ON u.id = m.id LEFT JOIN outcome o ON o.message = m.id LEFT JOIN given_up g ON g.id = m.id"
    " WHERE m.account = ? ORDER BY m.id"
)
FAILING = {"9": c.UNDELIVERABLE, "8": c.REJECTED}


class Stored(NamedTuple):
    id: int
    wire: int
    body: bytes
    charge: int
    state: int | None
    ended_at: int | None
    refund_line: int | None
    given_up: str | None

    @property
    def to(self) -> str:
        return digits_of(submit_of(self.body).destination).decode()

    @property
    def name(self) -> tuple[bytes, str]:
        return key_of(user_data(submit_of(self.body))), self.to


def left(disk: Disk) -> str:
    """What has not come to its end."""
    with closing(disk.look()) as connection:
        ((open_,),) = connection.execute(
            "SELECT count(*) FROM message LEFT JOIN outcome ON message = id WHERE message IS NULL"
        ).fetchall()
        ((owed,),) = connection.execute("SELECT count(*) FROM delivery").fetchall()
    return f"{open_} messages without an end and {owed} deliveries owed" if open_ or owed else ""


def settled(disk: Disk, books: Books) -> list[str]:
    """-> what does not agree."""
    with closing(disk.look()) as connection:
        findings = [f"audit: {one}" for one in told(connection, audit())]
        for customer in books.customers:
            stored = [Stored._make(row) for row in connection.execute(STORED, (customer.number,)).fetchall()]
            findings += [f"{customer.system_id}: {one}" for one in of_customer(customer, stored)]
            findings += [f"{customer.system_id}: {one}" for one in of_incoming(customer, connection)]
        return findings + list(of_orders(books, connection))


def of_customer(customer: Customer, stored: list[Stored]) -> Iterator[str]:
    sent = {one.name: one for one in customer.sent}
    by_name = {row.name: row for row in stored}
    yield from (f"{name} is stored {n} times" for name, n in Counter(row.name for row in stored).items() if n > 1)
    yield from (f"{name} is stored, and nobody sent it" for name in by_name if name not in sent)
    for one in customer.sent:
        row, status = by_name.get(one.name), status_of(one)
        if status == c.ESME_ROK and row is None:
            yield f"{one.name} was answered OK and is not stored"
        elif status and row is not None:
            yield f"{one.name} was refused with {status:#x} and is stored as {row.id}"
        elif status == c.ESME_ROK and row is not None and one.asked.message_id != str(row.wire):
            yield f"{one.name} was answered with {one.asked.message_id}, it is stored as {row.wire}"
    receipts = customer.receipts()
    for row in stored:
        if row.name in sent:
            yield from of_message(customer, row, sent[row.name])
            yield from of_receipt(customer, row, sent[row.name], receipts.pop((str(row.wire), row.to), set()))
    yield from (f"a receipt of {told_of} came, of nothing that is stored" for told_of in receipts)


def status_of(sent: Sent) -> int | None:
    """What was answered for this number; None if nothing was."""
    answer = sent.asked.answer
    if answer is None or answer.status or answer.command != c.SUBMIT_MULTI_RESP:
        return sent.asked.status
    refused: dict[str, int] = {digits_of(to).decode(): status for to, status in answer.body.unsuccess}
    return refused.get(sent.to, c.ESME_ROK)


def of_message(customer: Customer, row: Stored, sent: Sent) -> Iterator[str]:
    """What it cost, how it ended, and what came back."""
    if row.charge != sent.parts * CREDIT:
        yield f"{row.id} of {sent.parts} parts cost {row.charge}"
    if row.state is None or row.ended_at is None:
        yield f"{row.id} has no end"
        return
    right, cancels = {FAILING.get(row.to[-1], c.DELIVERED)}, customer.cancels.get(str(row.wire), [])
    if sent.expires_ms is not None or customer.may_expire:
        right.add(c.EXPIRED)
    if sent.schedule_ms is not None and (cancels or customer.may_be_deleted):
        right.add(c.DELETED)
    if row.state not in right:
        yield f"{row.id} to {row.to} ended in state {row.state}"
    if any(asked.accepted for asked in cancels) and row.state != c.DELETED:
        yield f"{row.id} was cancelled and ended in state {row.state}"
    if sent.schedule_ms is not None and row.state != c.DELETED and row.ended_at < sent.schedule_ms:
        yield f"{row.id} ended before its time"
    refund, back = customer.settings["refund"], row.refund_line is not None
    if refund == "unsent" and row.state == c.EXPIRED:
        return  # whether the network ever had it nobody can tell from here
    due = row.state != c.DELIVERED if refund == "undelivered" else row.state in (c.REJECTED, c.DELETED)
    if back is not (due and refund != "never"):
        yield f"{row.id} ended in state {row.state} under {refund!r}: refunded {back}"


def of_receipt(customer: Customer, row: Stored, sent: Sent, states: set[int]) -> Iterator[str]:
    """It came if it was asked for, and says what is stored."""
    wanted = sent.registered & 1 if row.state == c.DELIVERED else 0 < sent.registered & 3 < 3
    if not wanted and states:
        yield f"a receipt of {row.id} came that nobody wanted"
    if states - {row.state}:
        yield f"receipts of {row.id} told the states {states}, stored is {row.state}"
    if wanted and not states:
        yield f"the receipt of {row.id} never came ({row.given_up or 'and was not given up'})"
    if row.given_up and not customer.refused[str(row.wire)]:
        yield f"the receipt of {row.id} was given up ({row.given_up}), and no client had refused it"


def of_incoming(customer: Customer, connection: sqlite3.Connection) -> Iterator[str]:
    stored = {row[0] for row in connection.execute("SELECT id FROM incoming WHERE account = ?", (customer.number,))}
    received = customer.received()
    for id_, text in customer.incoming.items():
        if id_ not in stored:
            yield f"the incoming message {id_} is not stored"
        if key_of(text) not in received:
            yield f"the incoming message {id_} never came"
    known = {key_of(text) for id_, text in customer.perhaps_incoming.items() if id_ in stored}
    yield from (f"{text!r} came in, and is not stored" for text in received - known)


def of_orders(books: Books, connection: sqlite3.Connection) -> Iterator[str]:
    lines: dict[str, list[tuple[int, int]]] = {}
    for request, account, amount in connection.execute(
        "SELECT request_id, account, amount FROM ledger WHERE request_id IS NOT NULL ORDER BY line"
    ):
        lines.setdefault(request, []).append((account, amount))
    for order in books.orders:
        booked = sorted(lines.pop(order.request, []))
        right = [(order.target, order.amount)]
        if order.source is not None:
            right = sorted([(order.source, -order.amount), *right])
        if booked != right and (booked or order.done):
            yield f"{order} is booked as {booked}"
    yield from (f"{request} is booked, and nobody ordered it" for request in lines)
