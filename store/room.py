"""How much of the disk is left: new messages stop before it is full, so that what they led to can still be written."""

from __future__ import annotations

import os
from pathlib import Path

EVERY = 0.05
MOST = 64 << 20


class Room:
    def __init__(self, folder: Path, reserve: int | None) -> None:
        disk = os.statvfs(folder)
        self._folder = folder
        self._reserve = min(MOST, disk.f_blocks * disk.f_frsize // 20) if reserve is None else reserve
        self._enough, self._until = True, 0.0

    def enough(self, now: float) -> bool:
        """Whether more than the reserve is free; looked at now and then."""
        if now >= self._until:
            self._until = now + EVERY
            try:
                disk = os.statvfs(self._folder)
            except OSError:  # the folder cannot even be looked at: the writer will say why
                return True
            self._enough = disk.f_bavail * disk.f_frsize >= self._reserve
        return self._enough
