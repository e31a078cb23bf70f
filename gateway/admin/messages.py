"""What an account sent, and all of an account as one document."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from acl.money import as_credits
from store.protocol import Export, MessageRow

from .actor import Actor
from .faults import Invalid, NotFound, Wrong
from .masking import for_eyes_of
from .office import Office, alphabet_of
from .shapes import Shape, exported_line, exported_message, message

PAGE = 1_000
AT_ONCE = 200  # rows rendered before the loop may look after its sessions again

T = TypeVar("T")


class Messages:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor, self._store = office, actor, office.store

    async def newest(self, name: str, before: str | None = None, limit: int = 50) -> tuple[list[Shape], str | None]:
        """-> newest first, and where the next page begins."""
        row = await self._office.named(self._actor, name)
        limit = min(limit, PAGE)
        rows = await self._store.messages(row.id, None if before is None else number("before", before), limit)
        alphabet = alphabet_of(row)
        return self._shown(rows, alphabet), str(rows[-1].id) if len(rows) == limit and rows else None

    async def show(self, name: str, message_id: str) -> list[Shape]:
        """The message; several if one submit_multi had several destinations."""
        row = await self._office.named(self._actor, name)
        rows = await self._store.find(row.id, number("message_id", message_id))
        if not rows:
            raise NotFound(f"{row.name} has no message {message_id}")
        alphabet = alphabet_of(row)
        return self._shown(rows, alphabet)

    def _shown(self, rows: Iterable[MessageRow], alphabet: str) -> list[Shape]:
        return [for_eyes_of(self._actor, message(each, alphabet)) for each in rows]

    async def export(self, name: str) -> AsyncIterator[str]:
        """-> one JSON object in pieces. It is read in one snapshot, before the first piece is there."""
        row = await self._office.named(self._actor, name)
        return pieces(await self._store.export(row.id), self._actor)


async def pieces(whole: Export, actor: Actor) -> AsyncIterator[str]:
    alphabet = alphabet_of(whole.account)
    head = {"account": whole.account.name, "balance": as_credits(whole.account.balance)}
    yield json.dumps(head)[:-1] + ', "messages": ['
    async for piece in joined(for_eyes_of(actor, exported_message(row, alphabet)) for row in whole.messages):
        yield piece
    yield '], "ledger": ['
    async for piece in joined(exported_line(row) for row in whole.ledger):
        yield piece
    yield "]}\n"


async def joined(shapes: Iterator[Shape]) -> AsyncIterator[str]:
    comma = ""
    for chunk in chunks(shapes, AT_ONCE):
        yield comma + ",\n".join([json.dumps(shape, ensure_ascii=False) for shape in chunk])
        comma = ",\n"
        await asyncio.sleep(0)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(items)
    while chunk := list(islice(left, size)):
        yield chunk


def number(field: str, text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 19 or int(text) >= 1 << 63:
        raise Invalid(Wrong(field, f"{text!r} is not a message id; ids are up to 19 digits"))
    return int(text)
