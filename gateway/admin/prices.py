"""Price plans: what a part costs, by the first digits of its destination. "*" stands for all other destinations."""

import re
from collections.abc import Mapping

from acl.money import as_credits
from acl.tariff import plan
from store.protocol import Store

from .faults import Invalid, NotFound, Wrong
from .live import Live, refreshed
from .shapes import Shape

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Prices:
    def __init__(self, store: Store, live: Live | None) -> None:
        self._store, self._live = store, live

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
        await self._store.set_price_plan(name, units)
        await refreshed(self._live)
        return await self.show(name)


def shape(name: str, prices: Mapping[str, int]) -> Shape:
    return {"name": name, "prices": {prefix or "*": as_credits(units) for prefix, units in sorted(prices.items())}}
