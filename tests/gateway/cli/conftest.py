"""A command line in a folder of its own, with no server running."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from gateway.cli import main

Smppgate = Callable[..., Result]


@pytest.fixture
def quiet_logging() -> Iterator[None]:
    """Commands set up the log of their process, which here is that of the tests."""
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising
    structlog.reset_defaults()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def smppgate(data: Path, monkeypatch: pytest.MonkeyPatch, quiet_logging: None) -> Smppgate:
    """`smppgate("account", "list")` -> what it printed, having exited with `expect`."""
    monkeypatch.delenv("SMPPGATE_CONFIG", raising=False)
    monkeypatch.setenv("SMPPGATE_DATA_DIR", str(data))

    def run(*words: str, expect: int = 0) -> Result:
        ran = CliRunner().invoke(main, list(words), prog_name="smppgate")
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        assert ran.exit_code == expect, f"{' '.join(words)}: exit {ran.exit_code}\n{ran.output}"
        return ran

    return run
