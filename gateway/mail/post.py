"""Where letters are handed in: put into the outbox, and the postman woken.

Invariant: a letter is durable when its method returns.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from acl.money import as_credits
from store.office.changes import Change
from store.office.outbox import Letter
from store.office.people import Person
from store.office.topups import Topup
from store.protocol import Store

from .letters import INVITATION, PASSWORD, RESET, TEST, TOPUP


class Post:
    """What the desks know of mail: see `gateway.admin.office.Mail`."""

    def __init__(self, store: Store, wall_ms: Callable[[], int], wake: Callable[[], None]) -> None:
        self._outbox, self._wall_ms, self._wake = store.outbox, wall_ms, wake

    def wake(self) -> None:
        self._wake()

    async def invite(self, person: Person) -> None:
        await self._put(INVITATION, person=person.id)

    async def reset(self, person: Person) -> None:
        await self._put(RESET, person=person.id)

    async def password(self, account: int, drop_binds: bool, changes: Sequence[Change]) -> Letter | None:
        """*Send a new password*; None if there were too many in the last hour."""
        return await self._put(PASSWORD, account=account, facts={"drop_binds": drop_binds}, changes=changes)

    async def notify(self, kind: str, account: int, facts: Mapping[str, Any]) -> None:
        """Tell an account's contact: `kind` and `facts` as `letters` has them."""
        await self._put(kind, account=account, facts=facts)

    async def try_out(self, to: str) -> Letter | None:
        return await self._put(TEST, facts={"to": to})

    async def announce(self, decided: Sequence[Topup]) -> None:
        """What became of top-ups."""
        for topup in decided:
            facts = {
                "amount": as_credits(topup.amount),
                "state": topup.state,
                "automatic": topup.automatic,
                "reason": topup.reason,
            }
            await self._put(TOPUP, account=topup.account, facts=facts)

    async def _put(self, kind: str, **more: Any) -> Letter | None:
        letter = await self._outbox.put(kind, self._wall_ms(), **more)
        self._wake()
        return letter
