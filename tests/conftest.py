"""What every test shares: how hard to try.

One knob, ``HYPOTHESIS_PROFILE``: ``ci`` (the default) is quick and repeatable, ``prove`` is long and random.
It sizes the hypothesis tests and, through the ``effort`` fixture, every other proof that has a short and a long form.
"""

import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.server import Server

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci")

settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, database=None)
settings.register_profile("prove", max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(PROFILE)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "promise(*names): checks these promises of docs/promises.toml")


@pytest.fixture(scope="session")
def effort() -> Callable[[int, int], int]:
    """``effort(ci, prove)``: the size of a proof under the profile in force."""
    return lambda ci, prove: prove if PROFILE == "prove" else ci


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running smppgate, shared by the tests of one module; each of them makes its own account."""
    with Server(tmp_path_factory.mktemp("server")) as running:
        yield running
