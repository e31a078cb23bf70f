"""How much an account does: by the minute, by the hour, by the day, and right now."""

from datetime import datetime
from typing import NamedTuple

from acl.money import as_credits
from gateway.zones import zone_of
from store.office.traffic import DAY, FIGURES, MINUTE, Count

from .actor import Actor
from .faults import Invalid, Wrong
from .office import Office
from .shapes import Shape, account, moment

HOUR = 3_600


class Span(NamedTuple):
    """`stored` is the step that is read, `step` the one that is shown."""

    stored: int
    step: int
    number: int


SPANS = {"hour": Span(MINUTE, MINUTE, 60), "day": Span(MINUTE, HOUR, 24), "month": Span(DAY, DAY, 30)}
NOTHING = (0, 0, 0, 0)


class Traffic:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor, self._traffic = office, actor, office.store.traffic

    async def series(self, name: str, span: str = "hour") -> Shape:
        """Every step of the span, oldest first, also those in which nothing happened; the last is under way."""
        row = await self._office.named(self._actor, name)
        if span not in SPANS:
            raise Invalid(Wrong("span", f"is one of {', '.join(SPANS)}"))
        stored, step, number = SPANS[span]
        now = self._office.wall_ms() // 1000
        first = now - now % step - step * (number - 1)
        counts = await self._traffic.steps(row.id, stored, first, first + step * number)
        found: dict[int, tuple[int, ...]] = {first + step * at: NOTHING for at in range(number)}
        for count in counts:
            at = count.at - count.at % step
            found[at] = tuple(a + b for a, b in zip(found[at], count[2:], strict=True))
        items: list[Shape] = [{"at": moment(at * 1000), **by_name(counted)} for at, counted in found.items()]
        totals = {figure: sum(item[figure] for item in items) for figure in FIGURES}
        return {"span": span, "step": step, "items": items, "totals": totals}

    async def today(self) -> dict[str, Shape]:
        """By the account's name, since midnight where the actor lives."""
        rows = await self._office.seen(self._actor)
        counts = await self._traffic.since([row.id for row in rows], self._midnight())
        return {row.name: figures(counts.get(row.id)) for row in rows}

    async def now(self, name: str) -> Shape:
        """What changes while one looks at an account."""
        row = await self._office.named(self._actor, name)
        live = self._office.live
        binds = [bind for bind in live.binds() if bind["account"] == row.name] if live else []
        counts = await self._traffic.since([row.id], self._midnight())
        return {
            "at": moment(self._office.wall_ms()),
            "status": account(row, len(binds))["status"],
            "balance": as_credits(row.balance),
            "binds": len(binds),
            "rate": round(sum(bind.get("rate", 0.0) for bind in binds), 1),
            "today": figures(counts.get(row.id)),
        }

    def _midnight(self) -> int:
        now = datetime.fromtimestamp(self._office.wall_ms() / 1000, zone_of(self._actor.time_zone))
        return int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())


def figures(count: Count | None) -> Shape:
    return by_name(NOTHING if count is None else count[2:])


def by_name(counted: tuple[int, ...]) -> Shape:
    return dict(zip(FIGURES, counted, strict=True))
