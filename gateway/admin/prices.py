"""Price plans: what a part costs, by the first digits of its destination. "*" stands for all other destinations.

Invariant: a plan is set as a whole, or not at all; who has decided on another one than is there changes nothing. The
plan that an account has is always there.
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256

from acl.money import as_credits
from acl.settings import BY_NAME
from acl.tariff import EVERYWHERE, plan
from store.protocol import Conflict as InUse

from .actor import Actor
from .faults import Conflict, Invalid, NotFound, Stale, Wrong
from .office import Office
from .shapes import Shape
from .sheet import row

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
DEFAULT = str(BY_NAME["price_plan"].default)
MOST = 20_000
"""Prices of one plan: every account that has it holds them in memory."""
NAMED = 10
"""Wrong lines of a sheet that are told."""
COLUMNS = ("prefix", "credits")
HEADING = re.compile(r"[^\d*]+[;\t=,][^\d]*")


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

    async def version(self, name: str) -> str:
        """Of the prices as they are now; `set` takes it back."""
        return version_of(await self.show(name))

    async def set(self, name: str, prices: Mapping[str, str | int], seen: str | None = None) -> Shape:
        """The whole plan; what is not in `prices` has no price any more. `seen`: the version this was decided on, ""
        where none was there."""
        if not NAME.fullmatch(name):
            raise Invalid(Wrong("name", "has 1 to 64 letters, digits, dots, dashes and underscores"))
        try:
            units = plan(prices)
        except ValueError as why:
            raise Invalid(Wrong("prices", str(why))) from None
        if len(units) > MOST:
            raise Invalid(Wrong("prices", f"are {MOST} at most"))
        async with self._office.changing:
            before = (await self._store.price_plans()).get(name)
            unchanged(name, before, seen)
            old, new = differing(before, units)
            change = self._actor.change(self._office.wall_ms(), "price plan", name, old, new)
            await self._store.set_price_plan(name, units, changes=[change] if old != new else [])
        await self._office.refreshed()
        return await self.show(name)

    async def delete(self, name: str, seen: str | None = None) -> None:
        """Conflict while an account has it. `seen`: the version this was decided on."""
        async with self._office.changing:
            found = await self.show(name)
            before = (await self._store.price_plans())[name]
            unchanged(name, before, seen)
            if name == DEFAULT:
                raise Conflict(f"the price plan {DEFAULT} stays: accounts that are given no other one have it")
            change = self._actor.change(self._office.wall_ms(), "price plan", name, found["prices"], None)
            try:
                await self._store.delete_price_plan(name, [change])
            except InUse as why:
                raise Conflict(f"{why}; give them another one first") from None

    async def sheet(self, name: str) -> str:
        """As `read` takes it."""
        found = await self.show(name)
        return "".join(map(row, [COLUMNS, *found["prices"].items()]))


def shape(name: str, prices: Mapping[str, int]) -> Shape:
    return {"name": name, "prices": {prefix or "*": as_credits(units) for prefix, units in sorted(prices.items())}}


def unchanged(name: str, there: Mapping[str, int] | None, seen: str | None) -> None:
    """Stale if what was seen is not what is there; None has seen whatever it is."""
    if seen is not None and seen != ("" if there is None else version_of(shape(name, there))):
        raise Stale(f"the price plan {name} was changed by somebody since you looked; look again")


def version_of(found: Shape) -> str:
    return sha256(json.dumps(found["prices"]).encode()).hexdigest()[:32]


def differing(before: Mapping[str, int] | None, after: Mapping[str, int]) -> tuple[Shape | None, Shape | None]:
    """What the log of changes says: the prices that are not as they were; None for a plan that was not there."""
    if before is None:
        return None, shape("", after)["prices"]
    old = {prefix: units for prefix, units in before.items() if after.get(prefix) != units}
    new = {prefix: units for prefix, units in after.items() if before.get(prefix) != units}
    return shape("", old)["prices"], shape("", new)["prices"]


def read(text: str) -> dict[str, str]:
    """The prices of a sheet: a line has a prefix and its price, with a semicolon, a tab, = or else a comma in between.
    A first line that names the columns is passed over. Invalid tells the lines that are wrong."""
    prices, wrong, places = dict[str, str](), list[str](), dict[str, int]()
    lines = [(at, line) for at, line in enumerate(text.lstrip("\ufeff").splitlines(), 1) if line.strip()]
    if lines and HEADING.fullmatch(lines[0][1]):
        del lines[0]
    for at, line in lines:
        prefix, price = cells(line)
        try:
            [digits] = plan({prefix: price})
            if digits in places:
                raise ValueError(f"{prefix}: stands in line {places[digits]} already")
        except ValueError as why:
            wrong.append(f"line {at}: {why}")
            continue
        places[digits] = at
        prices["*" if digits == EVERYWHERE else digits] = price
    if wrong:
        more = [f"and {len(wrong) - NAMED} more"] if len(wrong) > NAMED else []
        raise Invalid(*(Wrong("prices", each) for each in [*wrong[:NAMED], *more]))
    return prices


def cells(line: str) -> tuple[str, str]:
    """Where no comma is needed between the two, one may stand in the price for the point."""
    found = re.search(r"[;\t=]", line) or re.search(",", line)
    if found is None:
        return line.strip(), ""
    prefix, price = line[: found.start()], line[found.end() :]
    return prefix.strip(" \"'"), price.strip(" \"'").replace(",", ".")
