"""A server whose disk fails while a test wants it to.

Invariant: a fault lasts from the beginning of its `with` to its end and no longer; the server is never told. Knows how
files fail, and nothing of what is in them.
"""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.road.running import Road

SOURCE = Path(__file__).with_name("failing.c")
PRELOADED = ("sync", "slow", "readonly", "gone")
FULL = "full"


class Failing(Road):
    def __init__(self, folder: Path, **options: str) -> None:
        super().__init__(folder, **options)
        self._how, self._shim = folder / "faults", folder / "failing.so"
        self._how.mkdir()
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", self._shim, SOURCE, "-ldl"], check=True)

    def environment(self) -> dict[str, str]:
        shim = {"FAILING_FOLDER": self.data, "FAILING_HOW": self._how, "LD_PRELOAD": self._shim}
        return super().environment() | {name: str(path) for name, path in shim.items()}

    @contextmanager
    def fault(self, what: str) -> Iterator[None]:
        with self._full() if what == FULL else self._preloaded(what):
            yield

    @contextmanager
    def _preloaded(self, what: str) -> Iterator[None]:
        assert what in PRELOADED
        switch = self._how / what
        switch.touch()
        try:
            yield
        finally:
            switch.unlink()

    @contextmanager
    def _full(self) -> Iterator[None]:
        """No file may grow beyond what the log of the database is now."""
        _soft, hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        size = (self.data / "smppgate.db-wal").stat().st_size
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (hard, hard))
