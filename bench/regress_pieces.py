"""What `bench.regress` counts: two yardsticks and the pieces of the hot road, one after the other in one process.

Each work is warmed up, then done a number of rounds, then twice as many. Behind each of the three stands a mark, a call
of getppid(2), which nothing else here makes: callgrind begins a new count there.

Invariant: the same steps in every run. No collector, no thread and no clock has a say in what is counted.
"""

import gc
import json
import os
import re
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import chain, count
from pathlib import Path
from struct import Struct
from typing import NamedTuple

from acl.settings import Settings
from bench import codec, regress_road
from bench.regress import MARGIN, SMALL, WHOLE
from gateway.metrics import Traffic
from gateway.smpp.session import Session
from pdu.constants import BIND_TRANSCEIVER

WINDOW = codec.WINDOW
PLAIN, SQL = "yardstick: plain Python", "yardstick: SQLite by itself"


class Work(NamedTuple):
    """One call is a round. `warm_up`: CPython makes a function faster after its first eight calls."""

    name: str
    call: Callable[[], object]
    messages: int  # of a round
    yardsticks: tuple[str, ...] = ()
    margin: float = MARGIN
    rounds: int = 3
    warm_up: int = 12

    def listed(self) -> dict[str, object]:
        messages = self.messages * self.rounds
        return {"name": self.name, "messages": messages, "yardsticks": self.yardsticks, "margin": self.margin}


# -- the yardsticks: nothing of the product in them ----------------------------------------------------------

HEADER = Struct(">IIII")
FIELDS = re.compile(rb"([^\0]*)\0(..)([^\0]*)\0(..)([^\0]*)\0", re.DOTALL)
DIGITS = b"0123456789"


class Book:
    """Numbers by name."""

    def __init__(self) -> None:
        self.seen: dict[bytes, int] = {}

    def add(self, name: bytes, number: int) -> int:
        self.seen[name] = self.seen.get(name, 0) + (number & 7)
        return len(self.seen)


def plain(octets: bytes) -> Callable[[], object]:
    """Read a buffer record by record, sort, count, answer: the kinds of steps that the product takes."""
    book, unpack, pack, match = Book(), HEADER.unpack_from, HEADER.pack, FIELDS.match

    def work() -> bytes:
        at, end = 0, len(octets)
        answers: list[bytes] = []
        while at < end:
            length, command, status, number = unpack(octets, at)
            body = octets[at + 16 : at + length]
            found = match(body)
            if found is None or status:
                break
            _service, kind, name, _other, digits = found.groups()
            if book.add(name, number) and digits.isdigit() and not digits.translate(None, DIGITS):
                answer = b"%b%b:%d" % (kind, name, 7_000_000_000_000_000_000 + number)
                answers.append(pack(17 + len(answer), command | 0x80000000, status, number) + answer + b"\0")
            at += length
        return b"".join(answers)

    return work


@contextmanager
def sql(body: bytes) -> Iterator[Callable[[], object]]:
    """Rows written, noted in a second table, and struck out there: a window at a time, each in a transaction."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="smppgate-regress-"))
        connection = stack.enter_context(closing(sqlite3.connect(Path(folder) / "plain.db", isolation_level=None)))
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        for name in ("kept", "owed"):
            connection.execute(f"CREATE TABLE {name}(id INTEGER PRIMARY KEY, owner INTEGER, body BLOB) STRICT")
        rows = ",".join(["(?,?,?)"] * WINDOW)
        keep, owe = (f"INSERT INTO {name}(id, owner, body) VALUES {rows}" for name in ("kept", "owed"))
        strike, numbers = f"DELETE FROM owed WHERE id IN ({','.join('?' * WINDOW)})", count(1)

        def written(statement: str, values: list[object]) -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(statement, values).fetchall()
            connection.execute("COMMIT")

        def work() -> None:
            ids = [next(numbers) for _ in range(WINDOW)]
            written(keep, list(chain.from_iterable([(id_, 1, bytearray(body)) for id_ in ids])))
            written(owe, list(chain.from_iterable([(id_, 1, None) for id_ in ids])))
            written(strike, list(ids))

        yield work


# -- the pieces ----------------------------------------------------------------------------------------------


def session(octets: bytes) -> Callable[[], object]:
    """A bound session is given a window of submit_sm and gives it out decoded."""
    mine = Session(0.0, Traffic())
    mine.bind(BIND_TRANSCEIVER, Settings.of({"window": WINDOW}), 0x34, 0.0)

    def work() -> None:
        mine.receive(octets, 1.0)
        given = 0
        while (run := mine.next_run()) is not None:
            given += len(run[1])
        if given != WINDOW:
            raise SystemExit(f"the session gave out {given} of {WINDOW} requests")

    return work


def works(stack: ExitStack) -> Iterator[Work]:
    octets, messages = codec.submits()
    body, many = messages[0].raw, regress_road.MESSAGES
    yield Work(PLAIN, plain(octets), WINDOW)
    yield Work(SQL, stack.enter_context(sql(body)), WINDOW)
    for piece in codec.pieces():
        yield Work(piece.name, piece.call, WINDOW, (PLAIN,), MARGIN if piece.name == "judge" else SMALL)
    yield Work("session: runs of submit_sm", session(octets), WINDOW, (PLAIN,))
    lives, road = stack.enter_context(regress_road.lives(body)), stack.enter_context(regress_road.road())
    yield Work("store: accept, settle, acknowledge", lives, many, (SQL,), rounds=2, warm_up=4)
    yield Work("the whole road, receipts on", road, many, (PLAIN, SQL), WHOLE, rounds=2, warm_up=4)


def done(work: Work) -> dict[str, object]:
    """Three sections, a mark behind each. -> what there is to know of them."""
    for rounds in (work.warm_up, work.rounds, 2 * work.rounds):
        for _ in range(rounds):
            work.call()
        os.getppid()
    return work.listed()


def main() -> None:
    gc.disable()
    with ExitStack() as stack:
        listing = [done(work) for work in works(stack)]
    Path(sys.argv[1]).write_text(json.dumps(listing))


if __name__ == "__main__":
    main()
