"""One arena for all attacks, so that what one of them leaves behind is there for the next.

`--quick` is the form CI runs; it is known where this folder is named on the command line, as `make hostile` does.
"""

import os
import random
from collections.abc import Iterator

import pytest

from tests.hostile.arena import Arena, stand_back
from tests.hostile.certificates import Issued, issued


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="each attack for as short as it still shows something")


@pytest.fixture(scope="session")
def quick(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--quick", default=False))


@pytest.fixture
def seed() -> int:
    """Of everything that is left to chance; SMPPGATE_SEED tries one again."""
    seed = int(os.environ.get("SMPPGATE_SEED") or random.randrange(10**9))
    print(f"SMPPGATE_SEED={seed}")
    return seed


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    return issued(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def arena(tmp_path_factory: pytest.TempPathFactory, quick: bool, certificate: Issued) -> Iterator[Arena]:
    with Arena(tmp_path_factory.mktemp("arena"), quick=quick, tls=certificate) as arena:
        arena.warm_up()
        stand_back()
        yield arena
