"""Credits: put on an account, taken off it by hand, and every line that ever moved its balance."""

from acl.money import as_credits
from acl.money import credits as units_of
from store.protocol import Conflict as Taken
from store.protocol import Insufficient

from .actor import Actor
from .faults import Conflict, Invalid, Wrong
from .office import Office
from .shapes import Shape, ledger_line

LONGEST_NOTE = 200
PAGE = 1_000


class Credits:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor = office, actor

    async def add(self, name: str, amount: str | int, request_id: str | None = None, note: str = "") -> Shape:
        """A topup, or with a negative amount an adjustment. Once per request id, however often it is sent."""
        row = await self._office.named(self._actor, name)
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
        at = self._office.wall_ms()
        change = self._actor.change(at, "credits", kind, new=as_credits(units), account=row.id)
        try:
            line = await self._office.store.post(row.id, kind, units, at, request_id, note, changes=[change])
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
        row = await self._office.named(self._actor, name)
        lines = await self._office.store.ledger(row.id, after, min(limit, PAGE))
        more = len(lines) == min(limit, PAGE)
        return [ledger_line(line) for line in lines], lines[-1].line if more and lines else None
