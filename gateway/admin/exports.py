"""Files of history that somebody asks for: ordered, looked after, fetched, given up.

Invariant: who may only look orders and fetches files with masked numbers and no others. A file is deleted by who
ordered it or by who may change the account.
"""

from pathlib import Path

from store.office.exports import OPEN, Export, Order
from store.protocol import AccountRow
from store.protocol import Conflict as TooMany

from .actor import Actor, Right
from .faults import Conflict, Forbidden, Invalid, NotFound, Unavailable, Wrong
from .history import HEADS, Filter, History
from .office import Office
from .shapes import Shape, moment

FOLDER = "exports"
MOST = 10
"""Of an account, those that are done as well."""
KEPT_MS = 7 * 86_400_000


class Exports:
    def __init__(self, office: Office, actor: Actor, history: History) -> None:
        self._office, self._actor, self._history, self._exports = office, actor, history, office.store.exports

    async def order(self, name: str, direction: str, asked: Filter) -> Shape:
        """It is written in the background, one export after the other."""
        row = await self._office.named(self._actor, name)
        if self._office.live is None:
            raise Unavailable("the server is stopped: nothing is written in the background")
        if direction not in HEADS:
            raise Invalid(Wrong("direction", f"is one of: {', '.join(HEADS)}"))
        self._history.check(asked)
        now = self._office.wall_ms()
        chosen = {field: value for field, value in asked._asdict().items() if value}
        actor = self._actor
        order = Order(
            row.id, direction, chosen, actor.read_only, actor.name, actor.time_zone, now, now + KEPT_MS
        )
        try:
            return shape(await self._exports.add(order, MOST))
        except TooMany:
            raise Conflict(f"an account has at most {MOST} exports at a time; delete one of them first") from None

    async def all(self, name: str) -> list[Shape]:
        """Newest first."""
        row = await self._office.named(self._actor, name)
        return [shape(each) for each in await self._exports.of_account(row.id)]

    async def show(self, name: str, id_: int) -> Shape:
        return shape((await self._one(name, id_))[1])

    async def file(self, name: str, id_: int) -> Path:
        """Of one that is done."""
        row, export = await self._one(name, id_)
        if not export.masked and self._actor.read_only:
            raise Forbidden("this file has whole numbers; order one for yourself, with masked ones")
        if export.state != "done":
            raise Conflict("this export is not done")
        found = file_of(self._folder(), export.id)
        if not found.exists():
            raise NotFound(f"{row.name} has no file of export {id_} any more")
        return found

    async def cancel(self, name: str, id_: int) -> Shape:
        _row, export = await self._mine(name, id_)
        if not await self._exports.end(export.id, "cancelled", self._office.wall_ms()):
            raise Conflict("this export has ended already")
        file_of(self._folder(), export.id).unlink(missing_ok=True)
        return await self.show(name, id_)

    async def remove(self, name: str, id_: int) -> None:
        """The file too; one that is being written is given up."""
        _row, export = await self._mine(name, id_)
        await self._exports.remove(export.id)
        file_of(self._folder(), export.id).unlink(missing_ok=True)

    async def _mine(self, name: str, id_: int) -> tuple[AccountRow, Export]:
        row, export = await self._one(name, id_)
        if Right.SETTINGS not in self._actor.rights and export.who != self._actor.name:
            raise Forbidden("somebody else ordered this export")
        return row, export

    async def _one(self, name: str, id_: int) -> tuple[AccountRow, Export]:
        row = await self._office.named(self._actor, name)
        export = await self._exports.find(row.id, id_)
        if export is None:
            raise NotFound(f"{row.name} has no export {id_}")
        return row, export

    def _folder(self) -> Path:
        if self._office.exports is None:
            raise Unavailable("there is no folder for exports here")
        return self._office.exports


def file_of(folder: Path, id_: int) -> Path:
    return folder / f"{id_}.csv"


def shape(export: Export) -> Shape:
    return {
        "id": export.id,
        "direction": export.direction,
        "filter": export.filter,
        "state": export.state,
        "open": export.state in OPEN,
        "rows": export.rows,
        "estimate": export.estimate,
        "octets": export.octets,
        "masked": export.masked,
        "by": export.who,
        "at": moment(export.at),
        "done_at": moment(export.done_at),
        "expires_at": moment(export.expires_at),
        "reason": export.reason,
    }
