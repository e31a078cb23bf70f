"""The accounts as the running gateway sees them: settings compiled for the road, purse, links, mailbox.

Invariant: what stands here is what the store last said; a change reaches every open session before refresh returns.
An account whose stored settings cannot be read is treated as disabled. Knows no SQL and no octets.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from acl import reasons
from acl.addresses import Listed
from acl.bind import in_the_way, may_stay, surplus
from acl.judge import Policy, Purse
from acl.rate import Rate
from acl.settings import OPTIONAL_COMMANDS, Settings
from pdu.constants import COMMAND_NAMES
from store.protocol import AccountRow, Store

from .delivery import Due, Mailbox, Receiver
from .smpp.parts import PartCounter, counter
from .smpp.session import Session
from .traffic import Tally
from .zones import zone_of

log = structlog.get_logger()

OPTIONAL = {name: command for command, name in COMMAND_NAMES.items() if name in OPTIONAL_COMMANDS}
SILENCE = 5.0  # seconds
LABELS = 200  # accounts with a label of their own in the metrics; the others share one


class BoundLink(Receiver, Protocol):
    """What an account needs of a link that is bound to it."""

    session: Session
    kind: str
    peer: str

    def probe(self, within: float) -> None: ...
    def unbind(self, why: str) -> None: ...


class Account:
    """One account. `links` are its binds, oldest first; `purse` what it can still spend and how fast."""

    def __init__(self, row: AccountRow, prices: dict[str, int], mailbox: Mailbox, label: str) -> None:
        self.id, self.mailbox, self.label = row.id, mailbox, label
        self.links: list[BoundLink] = []
        self.tally = Tally()
        self.settings, self.blocked = Settings(), frozenset[bytes]()
        self.purse = Purse(row.balance + row.credit_limit, Rate(1, 1))
        self._credit_limit = row.credit_limit
        self._seen: tuple[object, ...] = ()
        self.apply(row, prices)

    def apply(self, row: AccountRow, prices: dict[str, int]) -> bool:
        """Take over what the store says. -> whether anything that a session could feel has changed."""
        seen = (row.name, row.system_id, row.password_hash, row.enabled, row.settings, row.credit_limit, prices)
        if seen == self._seen:
            return False
        self._seen = seen
        self.name, self.system_id, self.password_hash = row.name, row.system_id, row.password_hash
        self.enabled, self.error = row.enabled, ""
        try:
            self.settings = Settings.of(row.settings)
            zone_of(self.settings.receipt_zone)  # now: a receipt must need no descriptor
            self.policy = Policy(self.settings, prices, self.blocked)
        except ValueError as fault:  # law 6: what cannot be read allows nothing
            self.enabled, self.error = False, str(fault)
            self.policy = Policy(self.settings, {})
            log.error("account settings or prices unreadable", account=row.name, reason=str(fault))
        self.parts: PartCounter = counter(self.settings.default_alphabet)
        self.switched_off = {OPTIONAL[name] for name in OPTIONAL_COMMANDS if name not in self.settings.commands}
        self.purse.rate.retune(self.settings.throughput, self.settings.effective_burst)
        self.purse.credit += row.credit_limit - self._credit_limit
        self._credit_limit = row.credit_limit
        return True

    def block(self, numbers: frozenset[bytes]) -> None:
        """These are on its blacklist now."""
        self.blocked = numbers
        self.policy.block(numbers)

    # -- its links -------------------------------------------------------------------------------------------------
    def join(self, link: BoundLink) -> None:
        self.links.append(link)
        if link.session.is_receiving():
            self.mailbox.join(link)

    def leave(self, link: BoundLink, unanswered: Sequence[Due]) -> None:
        if link in self.links:
            self.links.remove(link)
        self.mailbox.leave(link, unanswered)

    def kinds(self) -> list[str]:
        """The types of its binds, oldest first."""
        return [link.kind for link in self.links]

    def probe_oldest(self, kind: str) -> None:
        """Somebody wants a place that is taken: ask the oldest who holds it; 5 seconds of silence end it."""
        for position in in_the_way(self.settings.max_binds, kind, self.kinds())[:1]:
            self.links[position].probe(SILENCE)

    def recheck(self) -> None:
        """Settings have changed: links that would not be let in today leave, the others adapt."""
        staying = []
        for link in list(self.links):
            refusal = may_stay(self.settings, self.policy.networks, self.enabled, link.kind, link.peer)
            if refusal is not None:
                link.unbind(refusal.reason)
            else:
                link.session.retune(self.settings)
                staying.append(link)
        for position in surplus(self.settings.max_binds, [link.kind for link in staying]):
            staying[position].unbind(reasons.TOO_MANY_BINDS)


class Accounts:
    """All accounts, and the index of addresses from which anybody may log in."""

    def __init__(self, store: Store, mailbox: Callable[[int], Mailbox]) -> None:
        self.by_id: dict[int, Account] = {}
        self.by_system_id: dict[bytes, Account] = {}
        self.listed = Listed()
        self._store, self._mailbox = store, mailbox
        self._one_at_a_time = asyncio.Lock()
        self._early: Counter[int] = Counter()  # what moved for accounts that are just being read

    async def refresh(self) -> None:
        """Read accounts and price plans again and apply them to open sessions."""
        async with self._one_at_a_time:  # else what was read first could be applied last
            self._early.clear()
            rows, plans = await self._store.accounts(), await self._store.price_plans()
            changed = [account for row in rows if (account := self._take(row, plans)) is not None]
        gone = self.by_id.keys() - {row.id for row in rows}
        for id_ in gone:
            for link in list(self.by_id.pop(id_).links):
                link.unbind("account removed")
        if changed or gone:
            self._index()
        for account in changed:
            account.recheck()

    async def follow_blacklist(self, account: int | None = None) -> None:
        """Read the blacklist again: of one account, or of all."""
        async with self._one_at_a_time:
            numbers = await self._store.blacklist.numbers(account)
        for id_ in self.by_id if account is None else self.by_id.keys() & {account}:
            self.by_id[id_].block(frozenset(map(str.encode, numbers.get(id_, ()))))

    def _take(self, row: AccountRow, plans: dict[str, dict[str, int]]) -> Account | None:
        """-> the account if it is new or has changed."""
        plan = str(row.settings.get("price_plan", "default"))
        prices = plans.get(plan, {})  # an unknown plan has no prices: no route
        account = self.by_id.get(row.id)
        if account is None:
            label = row.name if len(self.by_id) < LABELS else "other"
            account = self.by_id[row.id] = Account(row, prices, self._mailbox(row.id), label)
            account.purse.credit += self._early[row.id]  # too much at worst, and then the store refuses
            return account
        return account if account.apply(row, prices) else None

    def _index(self) -> None:
        self.by_system_id = {account.system_id.encode(): account for account in self.by_id.values()}
        self.listed = Listed([account.policy.networks for account in self.by_id.values()])

    def moved(self, amounts: dict[int, int]) -> None:
        """Balances that a commit has changed, other than by charging accepted messages."""
        for id_, amount in amounts.items():
            account = self.by_id.get(id_)
            if account is not None:
                account.purse.credit += amount
            else:
                self._early[id_] += amount
