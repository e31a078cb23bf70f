"""A running server for each module of the road suites; every test makes accounts of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.road.client import hang_up_all
from tests.road.running import Road


@pytest.fixture(autouse=True)
async def no_connection_is_left() -> AsyncIterator[None]:
    yield
    await hang_up_all()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    with Road(tmp_path_factory.mktemp("road")) as running:
        yield running


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Road]:
    """A server that its test starts and ends as it likes; none is left behind."""
    server = Road(tmp_path, delay="0.2s", LOG__LEVEL="warning")
    yield server
    server.kill()
