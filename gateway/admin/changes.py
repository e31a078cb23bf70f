"""The log of changes as people read it, and how a setting is given back what it was.

Invariant: undoing is a change like any other: it needs the same rights, is judged by the same rules, and has its own
line. What was changed again since is not undone.
"""

from collections.abc import Mapping

from acl.settings import BY_NAME
from store.office.changes import ChangeRow

from .accounts import Accounts
from .actor import Actor, Right
from .faults import Conflict, NotFound, Stale
from .masking import masked
from .office import Office
from .shapes import Shape, moment, version_of

PAGE = 1_000


class Changes:
    def __init__(self, office: Office, actor: Actor, accounts: Accounts) -> None:
        self._office, self._actor, self._accounts = office, actor, accounts

    async def newest(
        self, account: str | None = None, before: int | None = None, limit: int = 50
    ) -> tuple[list[Shape], int | None]:
        """-> newest first, and where the next page begins. Of one account, or of all that the actor sees."""
        names = {row.id: row.name for row in await self._office.seen(self._actor)}
        chosen: list[int] | None = None if self._actor.accounts is None else list(names)
        if account is not None:
            chosen = [(await self._office.named(self._actor, account)).id]
        limit = min(limit, PAGE)
        rows = await self._office.store.changes.newest(chosen, before, limit)
        return [self._shape(row, names) for row in rows], rows[-1].id if len(rows) == limit and rows else None

    async def undo(self, id_: int) -> Shape:
        """Give the setting of that line back what it was before. -> the account."""
        found = await self._office.store.changes.find(id_)
        rows = {row.id: row for row in await self._office.seen(self._actor)}
        if found is None or (self._actor.accounts is not None and found.change.account not in rows):
            raise NotFound(f"there is no change {id_}")
        change = found.change
        row = None if change.account is None else rows.get(change.account)
        if row is None or change.subject != "setting":
            raise Conflict("only settings can be undone; what was done to the rest has other consequences already")
        if row.settings.get(change.name) != change.new:
            raise Conflict(f"{change.name} of {row.name} was changed again since; nothing was undone")
        try:
            return await self._accounts.change(row.name, {change.name: change.old}, seen=version_of(row))
        except Stale:
            raise Conflict(f"{row.name} is being changed by somebody else; look again") from None

    def _shape(self, row: ChangeRow, names: Mapping[int, str]) -> Shape:
        change = row.change
        return {
            "id": row.id,
            "at": moment(change.at),
            "who": change.who,
            "via": change.via,
            "origin": change.origin,
            "account": None if change.account is None else names.get(change.account),
            "subject": change.subject,
            "name": masked(change.name) if self._actor.read_only else change.name,  # of a number on the blacklist
            "old": change.old,
            "new": change.new,
            "undoable": self._undoable(row),
        }

    def _undoable(self, row: ChangeRow) -> bool:
        setting = BY_NAME.get(row.change.name) if row.change.subject == "setting" else None
        if setting is None or Right.SETTINGS not in self._actor.rights:
            return False
        return setting.who == "owner" or self._actor.operator
