"""Can the gateway do its work just now? What readiness, the log and the operator are told.

Invariant: a store that fails is said once when it begins and once when it is over. Knows no store and no sockets.
"""

from __future__ import annotations

import structlog

log = structlog.get_logger()


class Health:
    """Told of each commit that fails and of each that succeeds."""

    def __init__(self) -> None:
        self.draining = False
        self._trouble = ""

    def store_failed(self, why: str) -> None:
        if not self._trouble:
            log.error("the store cannot write; submits are refused", reason=why)
        self._trouble = why

    def store_worked(self) -> None:
        if self._trouble:
            log.warning("the store writes again")
            self._trouble = ""

    def unready(self) -> list[str]:
        """What keeps the gateway from taking traffic; nothing if all is well."""
        reasons = ["stopping"] if self.draining else []
        return [*reasons, f"the store cannot write: {self._trouble}"] if self._trouble else reasons
