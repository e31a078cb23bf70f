"""Is everything as it must be: the books recomputed, the files read, and what the process has to say about itself."""

import asyncio
import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from acl.money import as_credits
from gateway import doctor
from gateway.doctor.finding import BAD, GOOD, WARNING, Finding
from gateway.ids import made_at
from store.connection import WRITER
from store.protocol import BackupFailed, StoreDamaged, StoreError

from .actor import Actor
from .faults import Conflict, Forbidden
from .office import Office
from .service import Service
from .shapes import contents, moment

STORE, BACKUP = "store", "backup"
"""Subject and name of the line of the change log that tells of a backup."""


class Health:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._store, self._live, self._actor = office, office.store, office.live, actor

    async def audit(self) -> dict[str, Any]:
        """Recomputes everything; nothing found is well."""
        found = await self._store.audit()
        return {"ok": not found, "problems": found, "imbalance": as_credits(await self._store.imbalance())}

    async def facts(self) -> dict[str, Any]:
        """What only the process that holds the store can tell the doctor."""
        return await self._facts(await self._store.check())

    async def _facts(self, damage: list[str] | None) -> dict[str, Any]:
        """`damage` None: the files were not read. Damaged ones are asked nothing else."""
        return {
            "running": self._live is not None,
            "pid": os.getpid(),
            "sqlite": sqlite3.sqlite_version,
            "durability": [pragma for pragma in WRITER if pragma.startswith(("journal_mode=", "synchronous="))],
            "damage": damage,
            "newest_ms": None if damage else made_at(await self._store.last_id()),
            "accounts": 0 if damage else len(await self._store.accounts()),
            "binds": len(self._live.binds()) if self._live else 0,
        }

    async def report(self, thorough: bool = False) -> dict[str, Any]:
        """All that an operator looks at, and what to do. `thorough`: every page of the store is read, the books are
        recomputed, and the mail server is asked."""
        live, seen = self._live, list[Finding]()
        if live is not None:
            seen += await asyncio.to_thread(live.look_around, thorough)
        seen += doctor.store(await self._facts(await self._store.check() if thorough else None))
        if thorough:
            seen.append(of_books(await self._store.audit()))
        counts = await self._store.outbox.counts()
        return {
            **Service(self._office, self._actor).condition(),
            "findings": [found._asdict() for found in seen],
            "worst": next((state for state in (BAD, WARNING) if state in [found.state for found in seen]), GOOD),
            "thorough": thorough,
            "imbalance": as_credits(await self._store.imbalance()),
            "last_backup": await self._last_backup(),
            "mail": {"configured": self._office.mail is not None, **counts},
        }

    async def _last_backup(self) -> dict[str, Any] | None:
        """What the log of changes knows; None if it knows of none."""
        found = await self._store.changes.last(STORE, BACKUP)
        if found is None:
            return None
        return {"at": moment(found.change.at), "who": found.change.who, **(found.change.new or {})}

    async def backup(self, file: Path) -> dict[str, Any]:
        """Only from this machine: nobody elsewhere says what the server writes where."""
        if self._actor.via != "cli":
            raise Forbidden("a backup is asked for on the command line of the gateway's own machine")
        try:
            made = {"file": str(file), **contents(await self._store.backup(file))}
        except (BackupFailed, StoreDamaged) as error:
            raise Conflict(str(error)) from error
        change = self._actor.change(self._office.wall_ms(), STORE, BACKUP, new=made)
        with suppress(StoreError):  # the copy is there, whether the store can say so or not
            await self._store.changes.note([change])
        return made


def of_books(wrong: list[str]) -> Finding:
    if not wrong:
        return Finding("books", GOOD, "right: every balance is the sum of its ledger, every charge is paid for once")
    return Finding("books", BAD, "; ".join(wrong[:5]), "keep the store, and ask `smppgate audit` for all of it")
