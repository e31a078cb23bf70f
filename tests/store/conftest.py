"""The contract tests run once for every back end."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import pytest

from store.protocol import Store

from .backends import BACK_ENDS


class Reopen(Protocol):
    def __call__(self) -> AbstractAsyncContextManager[Store]: ...


@pytest.fixture(params=BACK_ENDS)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Reopen:
    """Opens the same store again and again."""
    return lambda: BACK_ENDS[request.param](tmp_path)


@pytest.fixture
async def store(reopen: Reopen) -> AsyncIterator[Store]:
    async with reopen() as opened:
        yield opened
        assert await opened.audit() == []
        assert await opened.imbalance() == 0
