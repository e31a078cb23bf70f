"""Is everything as it must be: the books recomputed, the files read, and what the process has to say about itself."""

import os
import sqlite3
from pathlib import Path
from typing import Any

from acl.money import as_credits
from gateway.ids import made_at
from store.connection import WRITER
from store.protocol import BackupFailed, StoreDamaged

from .actor import Actor
from .faults import Conflict, Forbidden
from .office import Office
from .shapes import contents


class Health:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._store, self._live, self._actor = office.store, office.live, actor

    async def audit(self) -> dict[str, Any]:
        """Recomputes everything; nothing found is well."""
        found = await self._store.audit()
        return {"ok": not found, "problems": found, "imbalance": as_credits(await self._store.imbalance())}

    async def facts(self) -> dict[str, Any]:
        """What only the process that holds the store can tell the doctor."""
        found = await self._store.check()
        return {
            "running": self._live is not None,
            "pid": os.getpid(),
            "sqlite": sqlite3.sqlite_version,
            "durability": [pragma for pragma in WRITER if pragma.startswith(("journal_mode=", "synchronous="))],
            "damage": found,
            "newest_ms": made_at(await self._store.last_id()),
            "accounts": len(await self._store.accounts()),
            "binds": len(self._live.binds()) if self._live else 0,
        }

    async def backup(self, file: Path) -> dict[str, Any]:
        """Only from this machine: nobody elsewhere says what the server writes where."""
        if self._actor.via != "cli":
            raise Forbidden("a backup is asked for on the command line of the gateway's own machine")
        try:
            return {"file": str(file), **contents(await self._store.backup(file))}
        except (BackupFailed, StoreDamaged) as error:
            raise Conflict(str(error)) from error
