"""Open binds: who is connected, and how to send somebody away."""

from .actor import Actor
from .faults import NotFound
from .office import Office
from .shapes import Shape, moment


class Binds:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor = office, actor

    async def all(self, account: str | None = None) -> list[Shape]:
        """Of one account, or of all that the actor sees."""
        if account is not None:
            names = {(await self._office.named(self._actor, account)).name}
        else:
            names = {row.name for row in await self._office.seen(self._actor)}
        return [shape(bind) for bind in self._open() if bind["account"] in names]

    async def kick(self, bind_id: int) -> None:
        if not await self._kick([bind for bind in await self.all() if bind["id"] == bind_id]):
            raise NotFound(f"there is no bind {bind_id}")

    async def kick_account(self, account: str) -> int:
        """-> how many were unbound."""
        return await self._kick(await self.all(account))

    async def _kick(self, binds: list[Shape]) -> int:
        live = self._office.live
        kicked = [bind for bind in binds if live is not None and live.kick(bind["id"])]
        if kicked:
            at, ids = self._office.wall_ms(), {row.name: row.id for row in await self._office.seen(self._actor)}
            await self._office.store.changes.note(
                [
                    self._actor.change(at, "bind", bind["type"], bind.get("peer"), account=ids[bind["account"]])
                    for bind in kicked
                ]
            )
        return len(kicked)

    def _open(self) -> list[Shape]:
        return list(self._office.live.binds()) if self._office.live else []


def shape(bind: Shape) -> Shape:
    return {**bind, "since": moment(int(bind["since"] * 1000))}
