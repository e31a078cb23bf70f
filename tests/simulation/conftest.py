"""The empty store that every world begins with, and nothing left of any when a test is over."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from .disk import blank


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blank(tmp_path_factory.mktemp("blank"))


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """What the dead have left unfinished goes before another test could be blamed for it."""
    yield
    gc.collect()
