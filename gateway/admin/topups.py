"""Top-ups that are asked for: by the owner, by the account itself; and what an operator or the payment decides.

Invariant: credit is given by an operator, by the payment service, or where an operator has allowed it before; never
because somebody asks. Each is decided once, and the change log tells by whom.
"""

from acl.money import as_credits
from acl.money import credits as units_of
from store.office.topups import Topup
from store.protocol import Conflict as Taken
from store.protocol import NotFound as Missing

from . import remarks
from .actor import Actor
from .faults import Conflict, Invalid, NotFound, Wrong
from .office import Office
from .shapes import Shape, moment

MOST = 500
LONGEST_REASON = 200
LARGEST = units_of("10000000")
"""What may be asked for at a time: enough for anybody, and far from the end of the numbers."""


class Topups:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor, self._store = office, actor, office.store.topups

    async def ask(self, name: str, amount: str | int, request_id: str | None = None, note: str = "") -> Shape:
        """A request for credit, which the payment service or an operator decides about."""
        row = await self._office.named(self._actor, name)
        units, wrong = wanted(amount, request_id, note)
        if wrong:
            raise Invalid(*wrong)
        at = self._office.wall_ms()
        change = self._actor.change(at, "credits", "top-up asked for", new=as_credits(units), account=row.id)
        try:
            found = await self._store.ask(row.id, units, at, self._actor.name, note, request_id, [change])
        except Taken as taken:
            raise Conflict(str(taken)) from None
        return shape(found, row.name)

    async def of_account(self, name: str, before: int | None = None, limit: int = 50) -> tuple[list[Shape], int | None]:
        """-> newest first, and the `before` of the next page."""
        row = await self._office.named(self._actor, name)
        found = await self._store.of_account(row.id, before, min(limit, MOST) + 1)
        return page(found, min(limit, MOST), {row.id: row.name})

    async def waiting(self, after: int = 0, limit: int = 50) -> tuple[list[Shape], int | None]:
        """What waits for a decision, oldest first, of all accounts that the actor sees."""
        names = {row.id: row.name for row in await self._office.seen(self._actor)}
        found = await self._store.open(after, min(limit, MOST) + 1)
        shapes, following = page(found, min(limit, MOST), names)
        return [one for one in shapes if one["account"]], following

    async def show(self, id_: int) -> Shape:
        found, name = await self._found(id_)
        return shape(found, name)

    async def approve(self, id_: int) -> Shape:
        """Book it."""
        return await self._decide(id_, "booked", "")

    async def refuse(self, id_: int, reason: str) -> Shape:
        if len(reason) > LONGEST_REASON or not reason.isprintable():
            raise Invalid(Wrong("reason", f"has at most {LONGEST_REASON} characters, and no line ends among them"))
        return await self._decide(id_, "refused", reason)

    async def paid(self, id_: int, amount: str | int) -> Shape:
        """The payment service says so; the amount must be the one that was asked for."""
        found, _name = await self._found(id_)
        try:
            units = units_of(amount)
        except ValueError as why:
            raise Invalid(Wrong("credits", str(why))) from None
        if units != found.amount:
            raise Conflict(f"top-up {id_} asks for {as_credits(found.amount)} credits, not {as_credits(units)}")
        return await self._decide(id_, "booked", "")

    async def failed(self, id_: int, reason: str) -> Shape:
        """The payment service says so."""
        return await self._decide(id_, "failed", "".join(filter(str.isprintable, reason))[:LONGEST_REASON])

    # -- what they share -----------------------------------------------------------------------------------------------
    async def _found(self, id_: int) -> tuple[Topup, str]:
        try:
            found = await self._store.find(id_)
        except Missing:
            found = None
        names = {row.id: row.name for row in await self._office.seen(self._actor)}
        if found is None or found.account not in names:
            raise NotFound(f"there is no top-up {id_}")
        return found, names[found.account]

    async def _decide(self, id_: int, state: str, reason: str) -> Shape:
        found, name = await self._found(id_)
        at, who = self._office.wall_ms(), self._actor.name
        new = f"{state}: {reason}" if reason else state
        change = self._actor.change(at, "credits", f"top-up {id_}", as_credits(found.amount), new, found.account)
        try:
            if state == "booked":
                found = await self._store.book(id_, at, who, [change])
            else:
                found = await self._store.close(id_, state, at, who, reason, [change])
        except Taken as taken:
            raise Conflict(str(taken)) from None
        return shape(found, name)


def wanted(amount: str | int, request_id: str | None, note: str) -> tuple[int, list[Wrong]]:
    """-> units, and what is wrong."""
    units, wrong = 0, list[Wrong]()
    try:
        units = units_of(amount)
        if not 0 < units <= LARGEST:
            wrong.append(Wrong("amount", f"is more than 0 and at most {as_credits(LARGEST)} credits"))
    except ValueError as why:
        wrong.append(Wrong("amount", str(why)))
    return units, wrong + remarks.faults(request_id, note)


def page(found: list[Topup], limit: int, names: dict[int, str]) -> tuple[list[Shape], int | None]:
    shown = found[:limit]
    return [shape(one, names.get(one.account)) for one in shown], shown[-1].id if len(found) > limit else None


def shape(found: Topup, name: str | None) -> Shape:
    return {
        "id": found.id,
        "account": name,
        "automatic": found.automatic,
        "amount": as_credits(found.amount),
        "balance_before": as_credits(found.balance),
        "at": moment(found.at),
        "who": found.who,
        "note": found.note,
        "request_id": found.request_id,
        "state": found.state,
        "line": found.line,
        "done_at": moment(found.done_at),
        "done_by": found.done_by,
        "reason": found.reason,
        "tries": found.tries,
        "next_try": moment(found.next_try),
        "answer": found.answer,
    }
