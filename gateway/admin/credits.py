"""Credits: put on an account, taken off it by hand, and every line that ever moved its balance."""

from collections.abc import Callable

from acl.money import as_credits
from acl.money import credits as units_of
from store.protocol import Conflict as Taken
from store.protocol import Insufficient, Store

from .faults import Conflict, Invalid, Wrong
from .lookup import named
from .shapes import Shape, ledger_line

LONGEST_NOTE = 200
PAGE = 1_000


class Credits:
    def __init__(self, store: Store, wall_ms: Callable[[], int]) -> None:
        self._store, self._wall_ms = store, wall_ms

    async def add(self, name: str, amount: str | int, request_id: str | None = None, note: str = "") -> Shape:
        """A topup, or with a negative amount an adjustment. Once per request id, however often it is sent."""
        row = await named(self._store, name)
        units, wrong = 0, list[Wrong]()
        try:
            units = units_of(amount)
            if not units:
                wrong.append(Wrong("amount", "is 0; nothing would change"))
        except ValueError as why:
            wrong.append(Wrong("amount", str(why)))
        if request_id is not None and not 0 < len(request_id) <= LONGEST_NOTE:
            wrong.append(Wrong("request_id", f"has 1 to {LONGEST_NOTE} characters"))
        if len(note) > LONGEST_NOTE:
            wrong.append(Wrong("note", f"has at most {LONGEST_NOTE} characters"))
        if wrong:
            raise Invalid(*wrong)
        kind = "topup" if units > 0 else "adjustment"
        try:
            line = await self._store.post(row.id, kind, units, self._wall_ms(), request_id, note)
        except Insufficient:
            raise Conflict(f"{row.name} has only {as_credits(row.balance)} credits") from None
        except Taken as taken:
            raise Conflict(str(taken)) from None
        if (line.kind, line.amount) != (kind, units):
            raise Conflict(
                f"request {request_id} was already used for another amount: {as_credits(line.amount)} credits"
            )
        return {"account": row.name, **ledger_line(line)}

    async def ledger(self, name: str, after: int = 0, limit: int = PAGE) -> tuple[list[Shape], int | None]:
        """-> lines in commit order, and where the next page begins."""
        row = await named(self._store, name)
        lines = await self._store.ledger(row.id, after, min(limit, PAGE))
        more = len(lines) == min(limit, PAGE)
        return [ledger_line(line) for line in lines], lines[-1].line if more and lines else None
