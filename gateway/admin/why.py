"""Why was this refused? Refusals as people look for them, each explained by the checks it passed and did not reach.

Invariant: what an actor does not see is not found, and who may only look sees no whole number. The tables of checks
stand in the order in which acl takes its decisions; nothing is judged here.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from acl import reasons
from acl.reasons import LOGIN_REASONS, REASONS
from store.office.refused import LAST, Counted, Remembered, Wanted
from store.protocol import AccountRow

from . import period
from .actor import Actor
from .faults import Invalid, NotFound, Wrong
from .masking import for_eyes_of
from .messages import number
from .office import Office, alphabet_of
from .shapes import Shape, message, refusal

MOST = 1_000
OTHERS = 20
KINDS = ("bind", "message")
Checks = Sequence[tuple[str, frozenset[str]]]
OF_A_BIND: Checks = (
    ("address on a list", frozenset({reasons.ADDRESS_UNLISTED})),
    ("not throttled", frozenset({reasons.BIND_THROTTLED})),
    ("system_id", frozenset({reasons.UNKNOWN_SYSTEM_ID})),
    ("address declared", frozenset({reasons.NO_ADDRESS_DECLARED})),
    ("address of the account", frozenset({reasons.ADDRESS_NOT_AUTHORISED})),
    ("password", frozenset({reasons.WRONG_PASSWORD})),
    ("account enabled", frozenset({reasons.ACCOUNT_DISABLED})),
    ("system_type", frozenset({reasons.SYSTEM_TYPE})),
    ("type of bind", frozenset({reasons.BIND_TYPE_NOT_ALLOWED})),
    ("number of binds", frozenset({reasons.TOO_MANY_BINDS})),
)
OF_A_MESSAGE: Checks = (
    ("times", frozenset({reasons.SCHEDULE_INVALID, reasons.VALIDITY_INVALID})),
    ("sender", frozenset({reasons.SENDER_NOT_ALLOWED})),
    ("number", frozenset({reasons.DESTINATION_INVALID})),
    ("destination allowed", frozenset({reasons.DESTINATION_FORBIDDEN})),
    ("price", frozenset({reasons.NO_ROUTE})),
    ("blacklist", frozenset({reasons.DESTINATION_BLACKLISTED})),
    ("alphabet", frozenset({reasons.DATA_CODING_UNSUPPORTED, reasons.ALPHABET_INVALID})),
    ("parts", frozenset({reasons.TEXT_TOO_LONG})),
    ("credit", frozenset({reasons.NO_CREDIT})),
    ("throughput", frozenset({reasons.THROTTLED})),
    ("written down", frozenset({reasons.STORE_FULL, reasons.STORE_DOWN})),
)
CHECKS: Mapping[str, Checks] = {"bind": OF_A_BIND, "message": OF_A_MESSAGE}


class Asked(NamedTuple):
    """As it is asked for; texts may be empty. `since` is a day of the asker's, or a moment."""

    account: str = ""
    kind: str = ""
    reason: str = ""
    named: str = ""
    since: str = ""


class Known(NamedTuple):
    """The accounts that the actor sees, as refusals name them."""

    names: Mapping[int, str]
    by_system_id: Mapping[str, AccountRow]

    def shape(self, found: Remembered) -> Shape:
        row = found.row
        of_bind = self.by_system_id.get(row.system_id)
        name = (of_bind.name if of_bind else None) if row.account is None else self.names.get(row.account)
        return {"id": found.id, **refusal(row, name)}


class Why:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor, self._refused = office, actor, office.store.refused

    async def refused(
        self, asked: Asked, before: int | None = None, limit: int = 50
    ) -> tuple[list[Shape], int | None]:
        """-> newest first, and where the next page begins: also where nothing fitted among those looked through."""
        known = await self._known()
        found, following = await self._refused.newest(await self._wanted(asked), before, min(limit, MOST))
        return [self._shown(known.shape(each)) for each in found], following

    async def by_reason(self, asked: Asked) -> list[Shape]:
        """How often for each reason, most frequent first, and the last time; of those that are remembered."""
        known = await self._known()
        return [
            {
                "kind": each.last.row.kind,
                "reason": each.last.row.reason,
                "why": REASONS.get(each.last.row.reason, each.last.row.reason),
                "count": each.number,
                "last": self._shown(known.shape(each.last)),
            }
            for each in await self._counted(asked)
        ]

    async def _counted(self, asked: Asked) -> list[Counted]:
        return await self._refused.by_reason(await self._wanted(asked))

    async def show(self, id_: int) -> Shape:
        """One refusal, the checks in their order, and what may have been meant."""
        known, found = await self._known(), await self._refused.find(id_)
        if found is None or not self._sees(found, known):
            raise NotFound(f"there is no refusal {id_}; the last 10,000 of each account and of binds are remembered")
        shown = known.shape(found)
        return {
            **self._shown(shown),
            "checks": checks(found.row.kind, found.row.reason),
            "same_for_all": found.row.reason in LOGIN_REASONS,
            "addresses": listed(known.by_system_id.get(found.row.system_id)),
            "resembles": resembling(found.row.system_id, known.by_system_id) if found.row.kind == "bind" else None,
        }

    async def explain(self, text: str) -> Shape:
        """Whatever is remembered of a message id, a system_id, an address, a sender, a recipient, an account."""
        text = text.strip()
        names = {row.name for row in await self._office.seen(self._actor)}
        asked = Asked(account=text) if text in names else Asked(named=text)
        items, following = await self.refused(asked, limit=OTHERS) if text else ([], None)
        return {"messages": await self._messages(text), "refusals": items, "next": following}

    async def _messages(self, text: str) -> list[Shape]:
        """The message that has this id: it was accepted, whatever became of it."""
        if not text.isascii() or not text.isdecimal() or len(text) > len(str(LAST)) or int(text) > LAST:
            return []
        rows = {row.id: row for row in await self._office.seen(self._actor)}
        found = await self._office.store.find(None, number("message_id", text))
        return [
            for_eyes_of(
                self._actor,
                {
                    **message(each, alphabet_of(rows[each.account])),
                    "key": str(each.id),
                    "account": rows[each.account].name,
                },
            )
            for each in found
            if each.account in rows
        ]

    async def _known(self) -> Known:
        rows = await self._office.seen(self._actor)
        return Known({row.id: row.name for row in rows}, {row.system_id: row for row in rows})

    def _sees(self, found: Remembered, known: Known) -> bool:
        if self._actor.accounts is None:
            return True
        row = found.row
        return row.system_id in known.by_system_id if row.account is None else row.account in known.names

    def _shown(self, shape: Shape) -> Shape:
        return for_eyes_of(self._actor, shape)

    async def _wanted(self, asked: Asked) -> Wanted:
        wrong: list[Wrong] = []
        if asked.kind not in ("", *KINDS):
            wrong.append(Wrong("kind", f"is one of {', '.join(KINDS)}"))
        if asked.reason and asked.reason not in REASONS:
            wrong.append(Wrong("reason", "is one of those that docs/ANSWERS.md lists, such as no_credit"))
        since = period.begin("since", asked.since, self._actor.time_zone, wrong) if asked.since else 0
        if wrong:
            raise Invalid(*wrong)
        wanted = Wanted(kind=asked.kind, reason=asked.reason, named=asked.named, since=since)
        if asked.account:
            return of_accounts(wanted, [await self._office.named(self._actor, asked.account)])
        if self._actor.accounts is not None:
            return of_accounts(wanted, await self._office.seen(self._actor))
        return wanted


def of_accounts(wanted: Wanted, rows: Iterable[AccountRow]) -> Wanted:
    rows = list(rows)
    return wanted._replace(accounts=[row.id for row in rows], system_ids=[row.system_id for row in rows])


def checks(kind: str, reason: str) -> list[Shape]:
    """Those before the reason were passed, those after it not reached. Nothing where the reason is of no order."""
    order = CHECKS.get(kind, ())
    at = next((place for place, (_check, whys) in enumerate(order) if reason in whys), None)
    if at is None:
        return []
    return [
        {"check": check, "result": "passed" if place < at else "refused" if place == at else "not reached"}
        for place, (check, _whys) in enumerate(order)
    ]


def listed(row: AccountRow | None) -> list[str]:
    return [] if row is None else list(row.settings.get("addresses", ()))


def resembling(system_id: str, known: Mapping[str, AccountRow]) -> str | None:
    """The account whose system_id differs in nothing but capitals and blanks."""
    if system_id in known:
        return None
    folded = system_id.strip().casefold()
    return next((row.name for each, row in known.items() if folded and each.casefold() == folded), None)
