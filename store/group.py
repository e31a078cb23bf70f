"""What waits for the next commit, and what that commit told.

Invariant: an entry is one caller's request with its own future; groups can be cut anywhere between entries. Knows no
SQL but the one question by which a commit can be recognised afterwards.
"""

from __future__ import annotations

from asyncio import Future
from enum import StrEnum
from typing import Any, NamedTuple

from .money import Books
from .sql import Statement


class Verb(StrEnum):
    ACCEPT = "accept"
    INCOMING = "incoming"
    UNSCHEDULE = "unschedule"
    SETTLE = "settle"
    REPLACE = "replace"
    ACKNOWLEDGE = "acknowledge"
    GIVE_UP = "give_up"
    REFUSE = "refuse"
    MARK = "mark"
    ALONG = "along"


class Entry(NamedTuple):
    verb: Verb
    payload: Any
    future: Future[Any]


class Told:
    """What a transaction has to say; made before COMMIT, true after it."""

    __slots__ = ("answers", "books", "erased", "messages", "moved", "value", "witness")

    def __init__(self, value: Any = None, *, erased: bool = False) -> None:
        self.value = value
        self.erased = erased
        """What was there before must not stay in the log either."""
        self.answers: dict[int, Any] = {}
        """Entry -> its answer, where that is not the usual one."""
        self.moved: dict[int, int] = {}
        self.messages = 0
        self.books: Books | None = None
        """What the next transaction need not read; None: it must."""
        self.witness: Statement | None = None
        """Finds a row exactly if this transaction was committed; None if doing it again would change nothing."""


NOBODY: frozenset[int] = frozenset()
USUAL: dict[Verb, Any] = {Verb.ACCEPT: NOBODY, Verb.SETTLE: NOBODY, Verb.UNSCHEDULE: NOBODY, Verb.REPLACE: True}
"""What a future hears if the transaction has nothing special to tell; None for all other verbs."""
