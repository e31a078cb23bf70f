"""Credits: put on an account, taken off it by hand, moved to another, and how long they will last.

Invariant: money moves only between accounts that the actor sees, and what is lent to an account is not moved on.
"""

from datetime import datetime, timedelta

from acl.money import CREDIT, as_credits
from acl.money import credits as units_of
from gateway.zones import zone_of
from store.protocol import AccountRow, Insufficient
from store.protocol import Conflict as Taken

from . import remarks
from .actor import Actor
from .faults import Conflict, Invalid, NotFound, Wrong
from .office import Office
from .shapes import Shape, ledger_line
from .statement import Asked, Entry, Statement

PAGE = 1_000
LEAST_TRANSFER = CREDIT
WEEK = 7
DAY_MS = 86_400_000


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
        wrong += remarks.faults(request_id, note)
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

    # -- how long they last --------------------------------------------------------------------------------------------
    async def summary(self, name: str) -> Shape:
        """Days and months are those of the actor's time zone; `per_day` is the mean of the last week."""
        row = await self._office.named(self._actor, name)
        now_ms, store = self._office.wall_ms(), self._office.store.statement
        now = datetime.fromtimestamp(now_ms / 1000, zone_of(self._actor.time_zone))
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        month = today.replace(day=1)
        before = (month - timedelta(days=1)).replace(day=1)
        day, of_month = await store.sums(row.id, millis(today)), await store.sums(row.id, millis(month))
        last = await store.sums(row.id, millis(before), millis(month))
        week = await store.sums(row.id, now_ms - WEEK * DAY_MS)
        days = min(WEEK, max(1.0, (now_ms - row.created_at) / DAY_MS))
        per_day = int((week.spent - week.refunded) / days)
        return {
            "account": row.name,
            "balance": as_credits(row.balance),
            "credit_limit": as_credits(row.credit_limit),
            "available": as_credits(row.balance + row.credit_limit),
            "spent_today": as_credits(day.spent),
            "messages_today": day.messages,
            "spent_this_month": as_credits(of_month.spent),
            "refunded_this_month": as_credits(of_month.refunded),
            "spent_last_month": as_credits(last.spent),
            "per_day": as_credits(per_day),
            "hours_left": hours(row.balance + row.credit_limit, per_day),
        }

    # -- moved to another account --------------------------------------------------------------------------------------
    async def transfer(
        self, name: str, target: str, amount: str | int, request_id: str | None = None, note: str = ""
    ) -> Shape:
        """At once, and both lines or neither; once per request id, however often it is sent."""
        giver, taker, units, wrong = await self._transfer(name, target, amount)
        wrong += remarks.faults(request_id, note)
        if wrong:
            raise Invalid(*wrong)
        at, moved = self._office.wall_ms(), as_credits(units)
        changes = [
            self._actor.change(at, "credits", f"transfer to {taker.name}", new=f"-{moved}", account=giver.id),
            self._actor.change(at, "credits", f"transfer from {giver.name}", new=moved, account=taker.id),
        ]
        try:
            out, into = await self._office.store.transfer(
                giver.id, taker.id, units, at, request_id, note, changes=changes
            )
        except Insufficient:
            raise Invalid(too_much(await self._office.named(self._actor, name))) from None
        except Taken as taken:
            raise Conflict(str(taken)) from None
        return {
            "from": {"account": giver.name, **ledger_line(out)},
            "to": {"account": taker.name, **ledger_line(into)},
        }

    async def preview(self, name: str, target: str, amount: str | int) -> Shape:
        """Both balances as the transfer would leave them; Invalid if it would not be done."""
        giver, taker, units, wrong = await self._transfer(name, target, amount)
        if not wrong and units > giver.balance:
            wrong.append(too_much(giver))
        if wrong:
            raise Invalid(*wrong)
        return {
            "credits": as_credits(units),
            "from": end_of(giver, giver.balance - units),
            "to": end_of(taker, taker.balance + units),
        }

    async def transfers(self, name: str, before: int | None = None, limit: int = 50) -> tuple[list[Entry], int | None]:
        """The latest of them, in both directions."""
        return await Statement(self._office, self._actor).page(name, Asked("transfers"), before, limit)

    async def targets(self, name: str) -> list[Shape]:
        """Where credits of this account can go."""
        row = await self._office.named(self._actor, name)
        return [end_of(one, one.balance) for one in await self._office.seen(self._actor) if one.id != row.id]

    async def _transfer(
        self, name: str, target: str, amount: str | int
    ) -> tuple[AccountRow, AccountRow, int, list[Wrong]]:
        giver, wrong = await self._office.named(self._actor, name), list[Wrong]()
        try:
            taker = await self._office.named(self._actor, target)
        except NotFound as missing:
            taker = giver
            wrong.append(Wrong("target", missing.detail))
        units = 0
        try:
            units = units_of(amount)
            if units < LEAST_TRANSFER:
                wrong.append(too_much(giver))
        except ValueError as why:
            wrong.append(Wrong("credits", str(why)))
        if not wrong and taker.id == giver.id:
            wrong.append(Wrong("target", f"is {giver.name} itself; name another account"))
        return giver, taker, units, wrong


def too_much(row: AccountRow) -> Wrong:
    has = as_credits(max(0, row.balance))
    if row.balance < LEAST_TRANSFER:
        return Wrong("credits", f"there are {has} credits on {row.name}; the least that can be moved is 1")
    return Wrong("credits", f"there are {has} credits on {row.name}; enter 1 to {has}")


def end_of(row: AccountRow, balance: int) -> Shape:
    return {
        "account": row.name,
        "description": str(row.settings.get("description", "")),
        "balance": as_credits(row.balance),
        "balance_after": as_credits(balance),
    }


def hours(units: int, per_day: int) -> int | None:
    """How long so much lasts; None if nothing is spent."""
    return max(0, units) * 24 // per_day if per_day > 0 else None


def millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
