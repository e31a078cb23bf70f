"""A running server for each module of the road suites; every test makes accounts of its own."""

from collections.abc import AsyncIterator, Iterator

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
