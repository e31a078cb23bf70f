"""What was answered to requests that came with a key: the same request again gets the same answer, and does nothing.

Invariant: a key means one request of its sender. Rows are forgotten after a while, and knows nothing of HTTP but that
an answer has a status, headers and a body.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..group import Told
from ..sql import Statements
from .database import Database


class Answer(NamedTuple):
    """status is None while the request is being worked on, or if that was interrupted."""

    request: bytes
    status: int | None
    headers: dict[str, str]
    body: bytes


class Answers:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, who: str, key: str, request: bytes, at: int, forget_before: int) -> Answer | None:
        """Take the key. -> what came of it before, if it was taken already."""
        before: Answer | None = await self._database.write(begun(who, key, request, at, forget_before))
        return before

    async def finish(self, who: str, key: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        await self._database.write(finished(who, key, status, headers, body))

    async def drop(self, who: str, key: str) -> None:
        """Nothing was done: the key is free again."""
        await self._database.write(dropped(who, key))


def begun(who: str, key: str, request: bytes, at: int, forget_before: int) -> Statements[Told]:
    yield "DELETE FROM answer WHERE at < ?", (forget_before,)
    rows = yield "SELECT request, status, headers, body FROM answer WHERE who = ? AND key = ?", (who, key)
    if rows:
        return Told(answer_of(rows[0]))
    yield "INSERT INTO answer(who, key, request, at) VALUES (?, ?, ?, ?)", (who, key, request, at)
    return Told()


def finished(who: str, key: str, status: int, headers: Mapping[str, str], body: bytes) -> Statements[Told]:
    yield (
        "UPDATE answer SET status = ?, headers = ?, body = ? WHERE who = ? AND key = ?",
        (status, json.dumps(dict(headers)), body, who, key),
    )
    return Told()


def dropped(who: str, key: str) -> Statements[Told]:
    yield "DELETE FROM answer WHERE who = ? AND key = ?", (who, key)
    return Told()


def answer_of(row: tuple[Any, ...]) -> Answer:
    request, status, headers, body = row
    return Answer(request, status, json.loads(headers) if headers else {}, body or b"")
