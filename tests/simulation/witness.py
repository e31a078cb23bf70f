"""Watches every commit and every octet at the gateway's door, and says at once what must not have happened.

Invariant: it only looks. What it holds the gateway against comes from the wire, from committed rows and from what the
operator has allowed; not from what the gateway believes.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

from acl.bind import SIDES
from gateway.receipts import submit_of
from gateway.smpp.bind import KINDS
from pdu import codec, frames, receipt
from pdu import constants as c
from pdu.bodies import digits_of
from pdu.faults import Malformed
from store.protocol import Batch

from .books import CREDIT, Books, Customer, Terms
from .clock import Loop
from .disk import Disk

ANSWERS = {c.SUBMIT_SM_RESP, c.DATA_SM_RESP, c.SUBMIT_MULTI_RESP}
MOST_OF_ONE_MULTI = 254
ENDED = (
    "SELECT m.account, m.body FROM message m JOIN outcome o ON o.message = m.id"
    " WHERE m.id = ? OR m.id IN (SELECT id FROM multi WHERE wire_id = ?)"
)


class Stream:
    """Whole PDUs of what comes in pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def pdus(self, octets: bytes) -> list[tuple[int, int, int, bytes]]:
        """-> (command, status, sequence, the whole PDU)."""
        octets = self._rest + octets
        found, used, _fault = frames.split(octets)
        self._rest = octets[used:]
        return [(frame[0], frame[1], frame[2], octets[frame[3] - frames.SMALLEST : frame[4]]) for frame in found]


class Door:
    """One connection, as seen from in front of the gateway."""

    def __init__(self, witness: Witness, address: str, port: int) -> None:
        self.address, self.port = address, port
        self.customer: Customer | None = None
        self.kind = ""
        self.open = True
        self._witness = witness
        self._written, self._sent, self._received = Stream(), Stream(), Stream()
        self._binds: dict[int, tuple[int, str]] = {}  # sequence -> command, system_id
        self._out: dict[int, float] = {}  # sequence -> when it was delivered

    def received(self, octets: bytes) -> None:
        for command, _status, sequence, pdu in self._received.pdus(octets):
            if command in (c.DELIVER_SM_RESP, c.GENERIC_NACK):
                self._out.pop(sequence, None)
            elif command in c.BINDS:
                with suppress(Malformed):
                    self._binds[sequence] = command, codec.decode(pdu).body.system_id.decode()

    def written(self, octets: bytes) -> None:
        witness = self._witness
        for command, status, sequence, _pdu in self._written.pdus(octets):
            if command == c.DELIVER_SM:
                self._deliver(sequence, witness.loop.time())
            elif command & ~c.RESPONSE in c.BINDS and status == c.ESME_ROK:
                asked, system_id = self._binds[sequence]
                self.customer, self.kind = witness.books.named(system_id), KINDS[asked]
                witness.bound(self)

    def _deliver(self, sequence: int, now: float) -> None:
        assert self.customer is not None
        terms = self.customer.in_force(now)
        self._out = {number: at for number, at in self._out.items() if now - at < self._patience(at)}
        self._out[sequence] = now
        window = max(each.settings.effective_delivery_window for each in terms)
        if len(self._out) > window:
            self._witness.says(f"{len(self._out)} deliveries unanswered on a window of {window}")

    def _patience(self, at: float) -> float:
        """How long it waits at least for the answer to what it delivered then."""
        assert self.customer is not None
        return min(each.settings.response_timeout for each in self.customer.in_force_since(at))

    def sent(self, octets: bytes) -> None:
        for command, status, _sequence, pdu in self._sent.pdus(octets):
            if command in ANSWERS and status == c.ESME_ROK:
                self._witness.answered(self, codec.decode(pdu).body.message_id)
            elif command == c.DELIVER_SM:
                body = codec.decode(pdu).body
                if body.esm_class & c.ESM_RECEIPT:
                    id_ = receipt.parse(body.short_message).message_id
                    self._witness.told(self, id_, digits_of(body.source))

    def closed(self) -> None:
        self.open = False


def at_the_end(answer: asyncio.Future[Any], call: Callable[[asyncio.Future[Any]], object]) -> None:
    """Before whoever asked goes on."""
    if answer.done():
        call(answer)
    else:
        answer.add_done_callback(call)


class Bucket:
    """What an account has sent lately, as its throughput allows; anew in each life of the gateway."""

    def __init__(self) -> None:
        self.level, self._at = 0.0, 0.0

    def take(self, parts: int, now: float, terms: list[Terms], changed: float) -> str:
        """`changed`: when the last change was in force. -> what is wrong with that."""
        rates = [each.settings.throughput for each in terms]
        burst = max(each.settings.effective_burst for each in terms)
        if 0 in rates:
            self.level = 0.0
            return ""
        self.level = max(0.0, self.level - (now - self._at) * max(rates))
        if len(terms) > 1 or changed > self._at:  # a change forgives; how much depends on when it came
            self.level = 0.0
        alone = self.level <= 1e-6  # a message of more parts than the burst may pass then
        self.level, self._at = self.level + parts, now
        if self.level > burst + 1e-6 and not (alone and parts <= 2):
            return f"{self.level:.2f} parts at {max(rates)} a second on a burst of {burst}"
        return ""

    def give_back(self, parts: int) -> None:
        self.level = max(0.0, self.level - parts)


class Witness:
    """`findings` is empty as long as all is well."""

    def __init__(self, loop: Loop, books: Books, disk: Disk) -> None:
        self.loop, self.books = loop, books
        self.findings: list[str] = []
        self.note: Callable[[str], None] = lambda what: None
        self.counts = {"commits": 0, "answers": 0, "receipts": 0, "binds": 0}
        self._disk = disk
        self._look: sqlite3.Connection | None = None
        self._doors: dict[int, Door] = {}
        self._origin: dict[bytes, Door] = {}  # id on the wire -> where it was asked for
        self._answered: set[bytes] = set()
        self._inside: dict[int, int] = {}  # port -> messages in the store
        self._buckets: dict[int, Bucket] = {}
        self._line, self._sums = 0, dict[int, int]()
        self._ends: dict[int, tuple[Any, ...]] = {}
        disk.committed = self.committed

    def says(self, what: str) -> None:
        self.note(f"WRONG: {what}")
        self.findings.append(f"{self.loop.time():.6f}: {what}")

    def begin(self) -> None:
        """A new life."""
        self._buckets.clear()
        self._inside.clear()
        if self._look is None:
            self._look = self._disk.look()

    def end(self) -> None:
        if self._look is not None:
            self._look.close()

    def _found(self, sql: str, *values: Any) -> list[Any]:
        assert self._look is not None
        with closing(self._look.execute(sql, values)) as rows:
            return rows.fetchall()

    # -- commits -----------------------------------------------------------------------------------------------
    def committed(self, connection: sqlite3.Connection) -> None:
        """The balance is the sum of the ledger, and never below its limit."""
        self.counts["commits"] += 1
        sql = "SELECT line, account, amount, balance_after FROM ledger WHERE line > ? ORDER BY line"
        for line, account, amount, after in connection.execute(sql, (self._line,)).fetchall():
            self._line, self._sums[account] = line, self._sums.get(account, 0) + amount
            if after != self._sums[account]:
                self.says(f"ledger line {line} says {after}, all lines of the account make {self._sums[account]}")
        for account, balance, limit in connection.execute("SELECT id, balance, credit_limit FROM account").fetchall():
            if balance != self._sums.get(account, 0):
                self.says(f"account {account} has {balance}, its ledger makes {self._sums.get(account, 0)}")
            if balance < -limit:
                self.says(f"account {account} has {balance}, its limit is {limit}")
        self.note(f"commit to line {self._line}")

    def accepting(self, batch: Batch, session: Any, answer: asyncio.Future[frozenset[int]]) -> None:
        """A batch is on its way to the disk."""
        now, customer = self.loop.time(), self.books.of(batch.account)
        terms = customer.in_force(now)
        self._look_at_window(batch, session, answer, terms)
        door = self._doors.get(getattr(session, "port", -1))
        wires = dict(batch.multi)
        bucket = self._buckets.setdefault(batch.account, Bucket())
        for id_, charge, _body in batch.rows:
            if door is not None:
                self._origin[b"%d" % wires.get(id_, id_)] = door
            if wrong := bucket.take(charge // CREDIT, now, terms, customer.changed):
                self.says(f"account {batch.account}: {wrong}")
        at_the_end(answer, lambda done: self._refused(bucket, batch, done))

    def _refused(self, bucket: Bucket, batch: Batch, done: asyncio.Future[frozenset[int]]) -> None:
        """Refused messages take no token."""
        if not done.cancelled() and done.exception() is None:
            bucket.give_back(sum(charge // CREDIT for id_, charge, _ in batch.rows if id_ in done.result()))
        else:
            bucket.give_back(sum(charge // CREDIT for _id, charge, _ in batch.rows))

    def _look_at_window(
        self, batch: Batch, session: Any, answer: asyncio.Future[frozenset[int]], terms: list[Terms]
    ) -> None:
        port = getattr(session, "port", -1)
        number, window = len(batch.rows), max(each.settings.window for each in terms)
        self._inside[port] = self._inside.get(port, 0) + number
        if self._inside[port] > (MOST_OF_ONE_MULTI if batch.multi else window):
            self.says(f"{self._inside[port]} messages of a session in the store on a window of {window}")

        def leave(_done: object) -> None:
            self._inside[port] = max(0, self._inside.get(port, 0) - number)

        at_the_end(answer, leave)

    # -- the wire ----------------------------------------------------------------------------------------------
    def watch(self, address: str, port: int) -> Door:
        self._doors[port] = Door(self, address, port)
        return self._doors[port]

    def bound(self, door: Door) -> None:
        self.counts["binds"] += 1
        customer = door.customer
        if customer is None:
            self.says("somebody nobody knows was bound")
            return
        terms = customer.in_force(self.loop.time())
        if not any(each.enabled for each in terms):
            self.says(f"{customer.system_id} was bound though it is disabled")
        if not any(door.address in each.settings.addresses for each in terms):
            self.says(f"{customer.system_id} was bound from {door.address}")
        if not any(door.kind in each.settings.bind_types for each in terms):
            self.says(f"{customer.system_id} was bound as {door.kind}")
        kinds = [each.kind for each in self._doors.values() if each.open and each.customer is customer]
        most = max(each.settings.max_binds or 1000 for each in terms)
        if max(sum(SIDES[kind][side] for kind in kinds) for side in (0, 1)) > most:
            self.says(f"{customer.system_id} has binds {kinds} where {most} are allowed")

    def answered(self, door: Door, id_: bytes) -> None:
        """OK has left: by now it is committed, and paid."""
        self.counts["answers"] += 1
        if id_ in self._answered:
            self.says(f"id {id_.decode()} was given out twice")
        self._answered.add(id_)
        rows = self._found("SELECT account, charge_line FROM message WHERE id = ?", int(id_))
        if not rows:
            self.says(f"OK for {id_.decode()} has left, nothing is committed")
        elif door.customer is None or rows[0][0] != door.customer.number:
            self.says(f"{id_.decode()} was answered to another account")

    def told(self, door: Door, id_: bytes, to: bytes) -> None:
        """A receipt has left: the answer that names its id had to be first, unless nobody can get that any more."""
        self.counts["receipts"] += 1
        origin = self._origin.get(id_)
        if id_ not in self._answered and origin is not None and origin.open:
            self.says(f"the receipt of {id_.decode()} has left before the answer")
        rows = [row for row in self._found(ENDED, int(id_), int(id_)) if digits_of(submit_of(row[1]).destination) == to]
        if not rows:
            self.says(f"a receipt of {id_.decode()} has left, no end is committed")
        elif door.customer is None or rows[0][0] != door.customer.number:
            self.says(f"the receipt of {id_.decode()} went to another account")

    # -- now and then ------------------------------------------------------------------------------------------
    def finals_stay(self) -> None:
        """No end changes or goes away."""
        ends = {row[0]: row for row in self._found("SELECT message, state, error, refund_line FROM outcome")}
        for id_, end in self._ends.items():
            if ends.get(id_) != end:
                self.says(f"message {id_} had ended as {end}, now it is {ends.get(id_)}")
        self._ends = ends
