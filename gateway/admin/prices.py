"""Price plans: what a part costs, by the first digits of its destination. "*" stands for all other destinations."""

import re
from collections.abc import Mapping

from acl.money import as_credits
from acl.tariff import plan

from .actor import Actor
from .faults import Invalid, NotFound, Wrong
from .office import Office
from .shapes import Shape

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Prices:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor, self._store = office, actor, office.store

    async def all(self) -> list[Shape]:
        return [shape(name, prices) for name, prices in sorted((await self._store.price_plans()).items())]

    async def show(self, name: str) -> Shape:
        plans = await self._store.price_plans()
        if name not in plans:
            raise NotFound(f"there is no price plan {name}; there is {', '.join(sorted(plans)) or 'none'}")
        return shape(name, plans[name])

    async def set(self, name: str, prices: Mapping[str, str | int]) -> Shape:
        """The whole plan; what is not in `prices` has no price any more."""
        if not NAME.fullmatch(name):
            raise Invalid(Wrong("name", "has 1 to 64 letters, digits, dots, dashes and underscores"))
        try:
            units = plan(prices)
        except ValueError as why:
            raise Invalid(Wrong("prices", str(why))) from None
        async with self._office.changing:
            before = (await self._store.price_plans()).get(name)
            old = None if before is None else shape(name, before)["prices"]
            new = shape(name, units)["prices"]
            change = self._actor.change(self._office.wall_ms(), "price plan", name, old, new)
            await self._store.set_price_plan(name, units, changes=[change] if old != new else [])
        await self._office.refreshed()
        return await self.show(name)


def shape(name: str, prices: Mapping[str, int]) -> Shape:
    return {"name": name, "prices": {prefix or "*": as_credits(units) for prefix, units in sorted(prices.items())}}
