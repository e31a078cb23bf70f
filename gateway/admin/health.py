"""Is everything as it must be: the books recomputed, the files read, and what the process has to say about itself."""

import os
import sqlite3
from typing import Any

from acl.money import as_credits
from store.connection import WRITER

from .actor import Actor
from .office import Office


class Health:
    def __init__(self, office: Office, _actor: Actor) -> None:
        self._store, self._live = office.store, office.live

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
            "accounts": len(await self._store.accounts()),
            "binds": len(self._live.binds()) if self._live else 0,
        }
