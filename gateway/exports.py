"""The files of history that are written in the background, one at a time, and what happens to them later.

Invariant: a row never says more than what is synced to its file, so a restart goes on where that ends. Small pieces,
with pauses while clients wait for the store; a disk that fills up ends the export long before it ends the gateway.
Knows no format: the desk of history makes the lines.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import structlog

from store.office.exports import Export
from store.protocol import AccountRow, StoreError

from .admin import Admin
from .admin.actor import GATEWAY
from .admin.exports import file_of
from .admin.history import HEADS, Filter, Piece
from .admin.sheet import row as sheet_row

log = structlog.get_logger()
LOOK, AFTER_A_FAULT = 1.0, 10.0  # seconds
SYNC = 1.0  # seconds between two times that what is in the file is made sure
TIDY = 60.0  # seconds
SPARE = 256 << 20  # octets of the disk that are left free, or a tenth of it if that is less


class Exporter:
    def __init__(self, admin: Admin, folder: Path, wall: Callable[[], float]) -> None:
        self._admin, self._exports, self._folder, self._wall = admin, admin.office.store.exports, folder, wall
        self._tidied = 0.0

    async def look(self) -> bool:
        """One export, if there is one to be written. -> whether there was."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if self._wall() - self._tidied >= TIDY:
            self._tidied = self._wall()
            await self.tidy()
        export = await self._exports.next()
        if export is not None:
            await self._written(export)
        return export is not None

    async def tidy(self) -> None:
        """What is too old goes, files without a row go, rows without their file go."""
        for export in await self._exports.expired(self._now()):
            await self._exports.remove(export.id)
        kept = {file_of(self._folder, each.id): each for each in await self._exports.kept()}
        for file in self._folder.glob("*.csv"):
            if file not in kept:
                file.unlink(missing_ok=True)
        for file, export in kept.items():
            if export.state == "done" and not file.exists():
                await self._exports.remove(export.id)

    async def _written(self, export: Export) -> None:
        account = next((row for row in await self._admin.office.store.accounts() if row.id == export.account), None)
        file = file_of(self._folder, export.id)
        try:
            if account is None:
                raise OSError("there is no such account any more")
            if not await self._lines(export, account, file):
                file.unlink(missing_ok=True)
                return
        except OSError as fault:
            file.unlink(missing_ok=True)
            await self._exports.end(export.id, "failed", self._now(), fault.strerror or str(fault))
            log.warning("export failed", export=export.id, reason=str(fault))
        else:
            await self._exports.end(export.id, "done", self._now())
            log.info("export done", export=export.id, account=account.name)

    async def _lines(self, export: Export, account: AccountRow, file: Path) -> bool:
        """-> False if nobody wants it any more."""
        actor = GATEWAY._replace(read_only=export.masked, time_zone=export.time_zone)
        history, asked = self._admin.acting(actor).history, Filter(**export.filter)
        progress = Progress(self, export)
        with opened(file, export.octets) as out:
            if export.estimate is None:
                progress.estimate = await history.estimate(account, asked, export.direction)
            if not export.octets:
                out.write(sheet_row(HEADS[export.direction]).encode())
            before = None if export.before is None else str(export.before)
            async for piece in history.pieces(account, asked, export.direction, before):
                out.write(piece.text.encode("utf-8", "surrogatepass"))
                if not await progress.past(piece, out):
                    return False
            return await progress.kept(out)

    def room(self) -> bool:
        usage = shutil.disk_usage(self._folder)
        return usage.free > min(SPARE, usage.total // 10)

    async def keep(self, export: Export, progress: Progress, octets: int) -> bool:
        return await self._exports.progress(
            export.id, progress.rows, octets, progress.before, progress.estimate
        )

    def _now(self) -> int:
        return int(self._wall() * 1000)


class Progress:
    """How far one export has come."""

    def __init__(self, exporter: Exporter, export: Export) -> None:
        self._exporter, self._export = exporter, export
        self.rows, self.before, self.estimate = export.rows, export.before, export.estimate
        self._due = 0.0

    async def past(self, piece: Piece, out: BinaryIO) -> bool:
        self.rows, self.before = self.rows + piece.rows, piece.last
        now = asyncio.get_running_loop().time()
        if now < self._due:
            return True
        self._due = now + SYNC
        if not self._exporter.room():
            raise OSError("the disk is nearly full")
        return await self.kept(out)

    async def kept(self, out: BinaryIO) -> bool:
        """First the file, then the row that counts on it."""
        out.flush()
        await asyncio.to_thread(os.fsync, out.fileno())
        return await self._exporter.keep(self._export, self, out.tell())


def opened(file: Path, octets: int) -> BinaryIO:
    """For going on behind so many octets; what stands behind them was never counted."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    out = os.fdopen(handle, "r+b")
    if os.fstat(handle).st_size < octets:
        out.close()
        raise OSError("its file was removed or cut")
    out.truncate(octets)
    out.seek(octets)
    return out


async def forever(exporter: Exporter) -> None:
    while True:
        wait = LOOK
        try:
            if await exporter.look():
                wait = 0.0
        except StoreError as fault:
            wait = AFTER_A_FAULT
            log.warning("exports wait", reason=str(fault))
        except Exception as fault:  # one fault must not stop what comes later
            wait = AFTER_A_FAULT
            log.exception("exports wait", reason=repr(fault))
        await asyncio.sleep(wait)


@asynccontextmanager
async def open_exports(exporter: Exporter) -> AsyncIterator[None]:
    """Writes what is asked for until it is left."""
    task = asyncio.create_task(forever(exporter), name="exports")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
