"""Browsers for the tests of pages."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.gateway.desk import Desk, open_desk

from .browser import browsing


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


@pytest.fixture
async def operator(desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    async with browsing(desk) as client:
        yield client
