"""The blacklist of an account: who answered STOP, and whom somebody entered.

Invariant: what is sent once a method has returned meets the list as it is then.
"""

from collections.abc import Sequence

from store.office.blacklist import Blocked
from store.protocol import Conflict as Taken

from .actor import Actor
from .faults import Conflict, Invalid, NotFound, Wrong
from .masking import masked
from .office import Office
from .shapes import Shape, moment

SHORTEST, LONGEST = 3, 15  # digits
LONGEST_NOTE = 100
MOST = 1_000  # numbers entered or shown at once


class Blacklist:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor, self._list = office, actor, office.store.blacklist

    async def page(
        self, name: str, after: str = "", limit: int = 100, beginning: str = ""
    ) -> tuple[list[Shape], str | None]:
        """-> in the order of the numbers, and the `after` of the next page. `beginning`: how they begin. Who may only
        look sees the first of them, masked: a page that is asked for by number would tell it."""
        row = await self._office.named(self._actor, name)
        limit = min(limit, MOST)
        if self._actor.read_only:
            first = await self._list.page(row.id, limit=limit)
            return [shape(each._replace(number=masked(each.number))) for each in first], None
        found = await self._list.page(row.id, after, limit + 1, "".join(filter(str.isdigit, beginning)))
        return [shape(each) for each in found[:limit]], found[limit - 1].number if len(found) > limit else None

    async def show(self, name: str, number: str) -> Shape:
        row = await self._office.named(self._actor, name)
        found = await self._list.find(row.id, "".join(filter(str.isdigit, number)))
        if found is None or self._actor.read_only:
            raise NotFound("this number does not stand on the blacklist")
        return shape(found)

    async def count(self, name: str) -> int:
        return await self._list.count((await self._office.named(self._actor, name)).id)

    async def add(self, name: str, numbers: Sequence[str], note: str = "") -> int:
        """-> how many were named. Those that stand there already stay as they are."""
        row = await self._office.named(self._actor, name)
        digits, wrong = [], list[Wrong]()
        for number in numbers[:MOST]:
            try:
                digits.append(number_of(number))
            except ValueError as why:
                wrong.append(Wrong("numbers", f"{number:.30} {why}"))
        if not 0 < len(numbers) <= MOST:
            wrong.append(Wrong("numbers", f"are 1 to {MOST} at a time"))
        if len(note) > LONGEST_NOTE or not note.isprintable():
            wrong.append(Wrong("note", f"has at most {LONGEST_NOTE} characters, and no line ends among them"))
        if wrong:
            raise Invalid(*wrong)
        at = self._office.wall_ms()
        changes = [self._actor.change(at, "blacklist", number, new=note, account=row.id) for number in digits]
        try:
            await self._list.add(row.id, digits, at, note, changes)
        except Taken as taken:
            raise Conflict(str(taken)) from None
        await self._follow(row.id)
        return len(digits)

    async def remove(self, name: str, numbers: Sequence[str]) -> int:
        """They are written to again. -> how many were there."""
        row = await self._office.named(self._actor, name)
        digits = ["".join(filter(str.isdigit, number)) for number in numbers[:MOST]]
        at = self._office.wall_ms()
        changes = [self._actor.change(at, "blacklist", number, old=True, account=row.id) for number in digits]
        gone = await self._list.remove(row.id, digits, changes)
        if not gone:
            raise NotFound("none of these numbers stands on the blacklist")
        await self._follow(row.id)
        return gone

    async def _follow(self, account: int) -> None:
        if self._office.live is not None:
            await self._office.live.accounts.follow_blacklist(account)


def number_of(text: str) -> str:
    """The digits of an international number; ValueError says what is wrong with it."""
    digits = "".join(character for character in text.strip() if character not in " -()").removeprefix("+")
    if not (digits.isascii() and digits.isdecimal() and SHORTEST <= len(digits) <= LONGEST):
        raise ValueError(f"is not a number in international form: {SHORTEST} to {LONGEST} digits")
    return digits


def shape(found: Blocked) -> Shape:
    return {"number": found.number, "at": moment(found.at), "origin": found.origin, "note": found.note}
