"""What an account sent, what was refused, and all of an account as one document."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import islice
from operator import attrgetter
from typing import TypeVar

from acl.money import as_credits
from store.protocol import Export, RefusalRow, Store

from .faults import Invalid, NotFound, Wrong
from .lookup import alphabet_of, named
from .shapes import Shape, exported_line, exported_message, message, refusal

PAGE = 1_000
AT_ONCE = 200  # rows rendered before the loop may look after its sessions again

T = TypeVar("T")


class Messages:
    def __init__(self, store: Store, wall_ms: Callable[[], int]) -> None:
        self._store, self._wall_ms = store, wall_ms

    async def newest(self, name: str, before: str | None = None, limit: int = 50) -> tuple[list[Shape], str | None]:
        """-> newest first, and where the next page begins."""
        row = await named(self._store, name)
        limit = min(limit, PAGE)
        rows = await self._store.messages(row.id, None if before is None else number("before", before), limit)
        alphabet = alphabet_of(row)
        return [message(each, alphabet) for each in rows], str(rows[-1].id) if len(rows) == limit and rows else None

    async def show(self, name: str, message_id: str) -> list[Shape]:
        """The message; several if one submit_multi had several destinations."""
        row = await named(self._store, name)
        rows = await self._store.find(row.id, number("message_id", message_id))
        if not rows:
            raise NotFound(f"{row.name} has no message {message_id}")
        alphabet = alphabet_of(row)
        return [message(each, alphabet) for each in rows]

    async def refusals(self, name: str | None = None, limit: int = 100) -> list[Shape]:
        """Newest first: of one account, or of everybody and refused binds, too."""
        accounts = [await named(self._store, name)] if name is not None else await self._store.accounts()
        names = {row.id: row.name for row in accounts}
        by_system_id = {row.system_id: row.name for row in accounts}
        binds = await self._store.refusals(None, PAGE if name is not None else limit)
        rows: list[RefusalRow] = [row for row in binds if name is None or row.system_id in by_system_id]
        for account in accounts:
            rows += await self._store.refusals(account.id, limit)
        rows.sort(key=attrgetter("at"), reverse=True)
        return [
            refusal(row, by_system_id.get(row.system_id) if row.account is None else names[row.account])
            for row in rows[:limit]
        ]

    async def export(self, name: str) -> AsyncIterator[str]:
        """-> one JSON object in pieces. It is read in one snapshot, before the first piece is there."""
        row = await named(self._store, name)
        return pieces(await self._store.export(row.id))


async def pieces(whole: Export) -> AsyncIterator[str]:
    alphabet = alphabet_of(whole.account)
    head = {"account": whole.account.name, "balance": as_credits(whole.account.balance)}
    yield json.dumps(head)[:-1] + ', "messages": ['
    async for piece in joined(exported_message(row, alphabet) for row in whole.messages):
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
