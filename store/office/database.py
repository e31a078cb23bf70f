"""What a part of the office needs of the store it lives in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ..group import Told
from ..sql import Statement, Statements


class Database(Protocol):
    async def read(self, sql: str, *parameters: Any) -> list[Any]:
        """One question, asked of what is committed. A StoreError says why it could not be answered."""

    async def write(self, statements: Statements[Told]) -> Any:
        """A transaction of its own. -> the value it told."""

    async def along(self, statements: Sequence[Statement]) -> None:
        """In whatever transaction comes next: a few rows that are the same when they are written twice."""
