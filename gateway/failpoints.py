"""Places on a message's road where a test or a drill makes the process die, fail or dawdle: SMPPGATE_FAILPOINTS.

Invariant: whoever does not set the variable pays nothing for it. No function looks for a failpoint; the functions named
in POINTS are replaced when the variable is set, before anything else happens, and this module is not imported without
it. What cannot be understood stops the program: a drill that tests nothing must not look like one that was passed.
"""

from __future__ import annotations

import asyncio
import errno
import inspect
import os
import re
import time
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import wraps
from importlib import import_module
from itertools import count
from typing import Any, NamedTuple, NoReturn

from store.failures import CommitFailed
from store.sql import R, Statements

VARIABLE = "SMPPGATE_FAILPOINTS"
EXIT_CODE = 86
"""What a process that was made to die exits with: nothing of ours or of Python's does."""
SPEC = re.compile(r"(?P<name>[a-z-]+)=(?P<what>exit|raise|delay:(?P<ms>\d{1,6}))(?:@(?P<hit>[1-9]\d{0,8}))?")
Function = Callable[..., Any]
Hit = Callable[[], None]


class Planted(OSError):  # noqa: N818 (says what happened)
    """The error of a failpoint: an I/O error, as a disk makes them."""

    def __init__(self, name: str) -> None:
        super().__init__(errno.EIO, f"failpoint {name}")


class Point(NamedTuple):
    """One place: around which function it lies, and where exactly."""

    function: str  # module:qualified name
    place: Callable[[Function, Hit], Function]
    meaning: str


class Wanted(NamedTuple):
    """One failpoint, switched on. `hit`: only when it is come by for the so-manieth time; 0: every time."""

    name: str
    what: str
    milliseconds: int
    hit: int


# -- where exactly: each makes, of a function, one that comes by the point -------------------------------------
def before(function: Function, hit: Hit) -> Function:
    @wraps(function)
    def replaced(*args: Any, **named: Any) -> Any:
        hit()
        return function(*args, **named)

    return replaced


def after(function: Function, hit: Hit) -> Function:
    @wraps(function)
    def replaced(*args: Any, **named: Any) -> Any:
        returned = function(*args, **named)
        hit()
        return returned

    return replaced


def when_awaited(function: Function, hit: Hit) -> Function:
    @wraps(function)
    async def replaced(*args: Any, **named: Any) -> Any:
        returned = await function(*args, **named)
        hit()
        return returned

    return replaced


def in_the_next_turn(function: Function, hit: Hit) -> Function:
    """Of the loop: what the function has left for the end of this turn is done by then."""

    @wraps(function)
    def replaced(*args: Any, **named: Any) -> None:
        function(*args, **named)
        asyncio.get_running_loop().call_soon(hit)

    return replaced


def before_line(kind: str) -> Callable[[Function, Hit], Function]:
    return _at_line(kind, written=False)


def after_line(kind: str) -> Callable[[Function, Hit], Function]:
    """A ledger line of this kind is written, its transaction not yet at its end."""
    return _at_line(kind, written=True)


def _at_line(kind: str, written: bool) -> Callable[[Function, Hit], Function]:
    def place(function: Function, hit: Hit) -> Function:
        @wraps(function)
        def replaced(ledger: Any, account: int, of_kind: str, *args: Any, **named: Any) -> Statements[Any]:
            if of_kind == kind and not written:
                hit()
            line = yield from function(ledger, account, of_kind, *args, **named)
            if of_kind == kind and written:
                hit()
            return line

        return replaced

    return place


def before_statement(beginning: str) -> Callable[[Function, Hit], Function]:
    return _in_transaction(beginning, at_the_end=False)


def before_commit_of(beginning: str) -> Callable[[Function, Hit], Function]:
    """All of a transaction is written in which there was such a statement."""
    return _in_transaction(beginning, at_the_end=True)


def _in_transaction(beginning: str, at_the_end: bool) -> Callable[[Function, Hit], Function]:
    def watched(statements: Statements[R], hit: Hit) -> Statements[R]:
        seen = False
        try:
            sql, parameters = next(statements)
            while True:
                if sql.startswith(beginning):
                    seen = True
                    if not at_the_end:
                        hit()
                rows = yield sql, parameters
                sql, parameters = statements.send(rows)
        except StopIteration as end:
            if seen and at_the_end:
                hit()
            result: R = end.value
            return result

    def place(function: Function, hit: Hit) -> Function:
        @wraps(function)
        def replaced(connection: Any, statements: Statements[Any]) -> Any:
            return function(connection, watched(statements, hit))

        return replaced

    return place


def after_commit_of_messages(function: Function, hit: Hit) -> Function:
    """An error here is an error of COMMIT itself: it happened, but nobody was told so."""

    @wraps(function)
    def replaced(connection: Any, statements: Statements[Any]) -> Any:
        told = function(connection, statements)
        if getattr(told, "messages", 0):
            try:
                hit()
            except Planted as error:
                raise CommitFailed(told) from error
        return told

    return replaced


TRANSACTION, TRANSACT = "store.connection:told", "store.connection:Connection._transact"
LINE, CHECKPOINT = "store.money:Ledger.post", "store.connection:Connection._checkpoint"
POINTS: dict[str, Point] = {
    # a message comes in
    "before-insert": Point(TRANSACTION, before_statement("INSERT INTO message("), "paid for, not yet written down"),
    "before-commit": Point(TRANSACTION, before_commit_of("INSERT INTO message("), "written down, not yet committed"),
    "after-commit": Point(TRANSACT, after_commit_of_messages, "on disk, and nobody knows"),
    "before-answer": Point("gateway.smpp.submit:Submit._admit", when_awaited, "durable, not yet answered"),
    "after-answer": Point("gateway.smpp.submit:Submit._hand_over", before, "answered, not yet handed over"),
    # it goes to the network, and its end comes back
    "before-send": Point("gateway.network.simulator:Simulator.send", before, "about to be sent"),
    "after-send": Point("gateway.network.simulator:Simulator.send", after, "sent, its end not known"),
    "before-report": Point("gateway.network.dispatch:Dispatch.report", before, "the network has said how it ended"),
    "before-outcome": Point(TRANSACTION, before_statement("INSERT INTO outcome("), "its end is not yet written down"),
    "before-refund": Point(LINE, before_line("refund"), "the charge is about to be given back"),
    "in-refund": Point(LINE, after_line("refund"), "the charge is given back, the end it is for not written"),
    "before-outcome-commit": Point(
        TRANSACTION, before_commit_of("INSERT INTO outcome("), "end, refund and receipt are written, not yet committed"
    ),
    "after-outcome": Point("gateway.network.dispatch:Dispatch._settled", before, "the end is durable, nothing told"),
    # its receipt goes out
    "before-receipt": Point("gateway.smpp.session:Session.deliver", before, "the receipt is about to be sent"),
    "after-receipt": Point("gateway.smpp.link:Link.deliver", in_the_next_turn, "the receipt has been sent"),
    "before-acknowledge": Point("gateway.delivery:Mailbox.answered", before, "the client has it, the store owes it"),
    "in-acknowledge": Point(TRANSACTION, before_statement("DELETE FROM delivery"), "the store is about to forget it"),
    # messages that wait for their time
    "before-release": Point(TRANSACTION, before_statement("UPDATE scheduled SET at = NULL"), "its time has come"),
    "before-resume": Point("gateway.network.dispatch:Dispatch._resume", before, "released, or found at start"),
    "before-cancel": Point("gateway.network.dispatch:Dispatch.cancel", before, "it is about to be taken back"),
    # money by hand
    "in-topup": Point(LINE, after_line("topup"), "a top-up is written, not yet committed"),
    "after-topup": Point("store.sqlite:SqliteStore.post", when_awaited, "a top-up is durable, not yet answered"),
    "in-automatic-topup": Point(LINE, after_line("auto_topup"), "an automatic top-up is written, not yet committed"),
    "in-transfer": Point(LINE, after_line("transfer_out"), "taken from one account, not yet given to the other"),
    "in-price-change": Point(TRANSACTION, before_statement("INSERT INTO price("), "the old prices of a plan are gone"),
    # the files
    "in-create": Point("store.files:sync_folder", before, "a new store has its name, its folder is not on disk"),
    "in-migration": Point("store.migrations:write", after, "a migration has run, not yet committed"),
    "before-checkpoint": Point(CHECKPOINT, before, "the WAL is about to be written back"),
    "after-checkpoint": Point(CHECKPOINT, after, "the WAL has been written back"),
    "before-mark": Point(TRANSACTION, before_statement("UPDATE mark SET"), "the low-water mark is about to rise"),
    "in-backup": Point("store.backup:verified", before, "a copy is made, not yet looked at, without a name"),
    "in-restore": Point("store.backup:duplicate", after, "a backup is copied back, not yet looked at"),
    # start, stop and letters
    "in-recovery": Point(
        "gateway.network.dispatch:Dispatch.recover", when_awaited, "all that was under way is again, nothing listens"
    ),
    "in-stop": Point("gateway.smpp.server:Server.stop", before, "a stop has begun"),
    "after-stop": Point("gateway.smpp.server:Server.stop", when_awaited, "all sessions are gone, the store is open"),
    "after-letter": Point("gateway.mail.postman:Postman._arrived", before, "the mail server has it, nobody noted it"),
}


def parsed(text: str) -> list[Wanted]:
    """`name=exit`, `name=raise`, `name=delay:MS`, each with `@N` for the N-th time only; commas between them.
    ValueError says what is wrong and what would be right."""
    wanted = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = SPEC.fullmatch(part)
        if found is None:
            raise ValueError(f"{part!r} is not NAME=exit, NAME=raise or NAME=delay:MILLISECONDS, perhaps with @N")
        name = found["name"]
        if name not in POINTS:
            near = get_close_matches(name, POINTS, n=1)
            hint = f"is it {near[0]} that is meant?" if near else f"there are {', '.join(POINTS)}"
            raise ValueError(f"there is no failpoint {name}; {hint}")
        wanted.append(Wanted(name, found["what"], int(found["ms"] or 0), int(found["hit"] or 0)))
    if not wanted:
        raise ValueError(f"no failpoint is named; there are {', '.join(POINTS)}")
    return wanted


def install(text: str) -> list[Wanted]:
    """Replace the functions around which the named failpoints lie, for the life of this process."""
    wanted = parsed(text)
    for one in wanted:
        owner, attribute = located(POINTS[one.name].function)
        setattr(owner, attribute, POINTS[one.name].place(getattr(owner, attribute), hitting(one)))
    return wanted


def located(function: str) -> tuple[Any, str]:
    """-> what holds the function, and under which name."""
    module, _, path = function.partition(":")
    *owners, attribute = path.split(".")
    owner: Any = import_module(module)
    for name in owners:
        owner = getattr(owner, name)
    inspect.getattr_static(owner, attribute)  # it must be there: AttributeError
    return owner, attribute


def hitting(wanted: Wanted) -> Hit:
    """What happens there. Counted by whichever thread comes by: `next` of a counter is one step."""
    times: Iterator[int] = count(1)
    act = ACTS[wanted.what.partition(":")[0]]

    def hit() -> None:
        if wanted.hit in (0, next(times)):
            act(wanted)

    return hit


def leave(_wanted: Wanted) -> NoReturn:
    os._exit(EXIT_CODE)  # as kill -9 does: nothing is flushed, closed or said


def fail(wanted: Wanted) -> NoReturn:
    raise Planted(wanted.name)


def dawdle(wanted: Wanted) -> None:
    time.sleep(wanted.milliseconds / 1000)  # the thread that came by, be it the loop's


ACTS: dict[str, Callable[[Wanted], None]] = {"exit": leave, "raise": fail, "delay": dawdle}
