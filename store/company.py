"""Whom the open group waits for: the sessions heard of in this or the last spell that have not joined it yet.

One busy session never waits (nobody else is expected); a steady trickle over many sessions shares its commits. Knows no
clock and no database.
"""

from __future__ import annotations

SPELL = 10
"""Times the longest wait: who was silent that long is not expected."""


class Company:
    def __init__(self, longest: float) -> None:
        self.longest, self._until = longest, 0.0
        self._heard: set[object] = set()
        self._before: set[object] = set()
        self._joined: set[object] = set()

    def look(self, now: float) -> None:
        """Forget who was silent for long."""
        if now >= self._until:
            self._before, self._heard, self._until = self._heard, set(), now + SPELL * self.longest

    def join(self, session: object, now: float) -> None:
        self.look(now)
        self._heard.add(session)
        self._joined.add(session)

    def complete(self) -> bool:
        return self._heard <= self._joined and self._before <= self._joined

    def leave(self) -> None:
        """The group goes to disk; the next one is empty."""
        self._joined.clear()
