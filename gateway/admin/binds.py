"""Open binds: who is connected, and how to send somebody away."""

from store.protocol import Store

from .faults import NotFound
from .live import Live
from .lookup import named
from .shapes import Shape, moment


class Binds:
    def __init__(self, store: Store, live: Live | None) -> None:
        self._store, self._live = store, live

    async def all(self, account: str | None = None) -> list[Shape]:
        name = (await named(self._store, account)).name if account is not None else None
        return [bind for bind in self._open() if name is None or bind["account"] == name]

    async def kick(self, bind_id: int) -> None:
        if self._live is None or not self._live.kick(bind_id):
            raise NotFound(f"there is no bind {bind_id}")

    async def kick_account(self, account: str) -> int:
        """-> how many were unbound."""
        binds = await self.all(account)
        return sum(self._live.kick(bind["id"]) for bind in binds) if self._live else 0

    def _open(self) -> list[Shape]:
        binds = self._live.binds() if self._live else []
        return [{**bind, "since": moment(int(bind["since"] * 1000))} for bind in binds]
