"""Accounts: created, shown, changed, switched off and on, given addresses and new passwords.

Invariant: a password is shown once, when it is made; what is kept is its argon2id hash.
"""

from collections.abc import Iterable, Mapping, Sequence
from random import SystemRandom
from typing import Any

from acl.addresses import MAX_ADDRESSES, network
from acl.money import as_credits
from acl.money import credits as units_of
from acl.password import generate
from acl.settings import BY_NAME, OFF, InvalidSettings, Settings
from gateway.hashing import hashed
from store.office.changes import Change
from store.protocol import AccountRow, Automatic, Insufficient
from store.protocol import Conflict as Taken

from . import identity
from .actor import Actor
from .faults import Conflict, Forbidden, Invalid, NotFound, Stale, Wrong
from .office import Office
from .shapes import Shape, account, version_of

FIELD_OF = {"addresses": "address", "address_comments": "comment"}  # of who adds a single one


class Accounts:
    def __init__(self, office: Office, actor: Actor) -> None:
        self._office, self._actor = office, actor
        self._store, self._live = office.store, office.live

    async def all(self) -> list[Shape]:
        return [self._shape(row) for row in await self._office.seen(self._actor)]

    async def show(self, name: str) -> Shape:
        return self._shape(await self._office.named(self._actor, name))

    async def create(self, fields: Mapping[str, Any]) -> Shape:
        """-> the account, its password (this once) and warnings. `fields` are those of an identity, and settings."""
        who, wrong = identity.read(fields)
        settings, faults = accepted({}, {key: fields[key] for key in fields if key not in identity.FIELDS})
        wrong += faults + await self._plan_faults(fields)
        if wrong:
            raise Invalid(*wrong)
        digest = await hashed(who.password)
        at, limit, automatic = self._office.wall_ms(), limit_of(settings), automatic_of(settings)
        changes = [self._actor.change(at, "account", "created", new=who.name), *self._changed(None, {}, settings)]
        if who.topup:
            changes.append(self._actor.change(at, "credits", "topup", new=as_credits(who.topup)))
        async with self._office.changing:
            if gone := await self._plan_faults(settings):
                raise Invalid(*gone)
            try:
                row = await self._store.add_account(
                    who.name, who.system_id, digest, settings, at, who.topup, limit, automatic, changes
                )
            except Taken as taken:
                raise Conflict(str(taken)) from None
        await self._office.refreshed()
        return {**self._shape(row), "password": who.password, "warnings": who.warnings}

    async def version(self, name: str) -> str:
        """Of the settings as they are now; `change` takes it back."""
        return version_of(await self._office.named(self._actor, name))

    async def change(self, name: str, fields: Mapping[str, Any], seen: str | None = None) -> Shape:
        """Set settings; None gives one its default back. `seen`: the version that this was decided on."""
        async with self._office.changing:
            row = await self._decided_on(name, seen)
            self._may_change(fields)
            settings, faults = accepted(row.settings, fields)
            faults += await self._plan_faults(fields)
            if faults:
                raise Invalid(*faults)
            return await self._save(row, settings)

    async def enable(self, name: str, enabled: bool) -> Shape:
        row = await self._office.named(self._actor, name)
        if row.enabled != enabled:
            change = self._actor.change(self._office.wall_ms(), "account", "enabled", row.enabled, enabled, row.id)
            row = await self._store.change_account(row.id, enabled=enabled, changes=[change])
        await self._office.refreshed()
        return self._shape(row)

    async def add_address(self, name: str, address: str, comment: str = "", seen: str | None = None) -> Shape:
        async with self._office.changing:
            row = await self._decided_on(name, seen)
            canonical, listed = spelt(address), listed_addresses(row)
            if canonical in listed:
                raise Conflict(f"{canonical} is already authorised for {row.name}")
            if len(listed) >= MAX_ADDRESSES:
                raise Conflict(f"{row.name} has {len(listed)} of {MAX_ADDRESSES} addresses; remove one first")
            more: dict[str, Any] = {"addresses": [*listed, canonical]}
            if comment.strip():
                more["address_comments"] = [*other_comments(row, canonical), f"{canonical} {comment.strip()}"]
            settings, faults = accepted(row.settings, more)
            if faults:
                raise Invalid(*(Wrong(FIELD_OF.get(wrong.field, wrong.field), wrong.reason) for wrong in faults))
            return await self._save(row, settings)

    async def remove_address(self, name: str, address: str, seen: str | None = None) -> Shape:
        return await self._remove(name, [address], "address", seen)

    async def add_addresses(self, name: str, addresses: Sequence[str], seen: str | None = None) -> Shape:
        """All of them or none. One that stands there already is no fault: what is wanted is so."""
        async with self._office.changing:
            row = await self._decided_on(name, seen)
            listed = listed_addresses(row)
            wanted = list(dict.fromkeys([*listed, *all_spelt(addresses, "ips")]))
            if len(wanted) > MAX_ADDRESSES:
                more = len(wanted) - len(listed)
                count = f"{len(listed)} of {MAX_ADDRESSES} addresses"
                raise Conflict(f"{row.name} has {count}; {more} more do not fit, remove some first")
            return await self._authorise(row, wanted)

    async def remove_addresses(self, name: str, addresses: Sequence[str], seen: str | None = None) -> Shape:
        """All of them or none."""
        return await self._remove(name, addresses, "ips", seen)

    async def _remove(self, name: str, addresses: Sequence[str], field: str, seen: str | None) -> Shape:
        async with self._office.changing:
            row = await self._decided_on(name, seen)
            gone, listed = all_spelt(addresses, field), listed_addresses(row)
            unknown = [one for one in gone if one not in listed]
            if unknown:
                there = ", ".join(listed) or "no address"
                raise NotFound(f"{', '.join(unknown)} is not authorised for {row.name}; {there} is")
            return await self._authorise(row, [one for one in listed if one not in gone])

    async def _authorise(self, row: AccountRow, addresses: list[str]) -> Shape:
        """These and no others; what was noted about those that go, goes with them."""
        fields: dict[str, Any] = {"addresses": addresses}
        if row.settings.get("address_comments"):
            noted = row.settings["address_comments"]
            fields["address_comments"] = [each for each in noted if each.partition(" ")[0] in addresses]
        settings, faults = accepted(row.settings, fields)
        if faults:
            raise Invalid(*faults)
        return await self._save(row, settings)

    async def rotate_password(self, name: str, drop_binds: bool) -> Shape:
        """The old password is refused for new binds at once; open binds stay unless they are to be dropped."""
        row = await self._office.named(self._actor, name)
        password = generate(SystemRandom())
        digest = await hashed(password)
        change = self._actor.change(self._office.wall_ms(), "account", "password", account=row.id)
        await self._store.change_account(row.id, password_hash=digest, changes=[change])
        await self._office.refreshed()
        dropped = sum(self._live.kick(bind["id"]) for bind in self._binds(row.name)) if drop_binds and self._live else 0
        return {"name": row.name, "system_id": row.system_id, "password": password, "dropped_binds": dropped}

    async def _plan_faults(self, fields: Mapping[str, Any]) -> list[Wrong]:
        """A plan that is not there has no prices, so nothing could be sent: surely a slip of the hand."""
        wanted, plans = fields.get("price_plan"), await self._store.price_plans()
        if not isinstance(wanted, str) or wanted in plans:  # what is no text at all is reported by the settings
            return []
        return [Wrong("price_plan", f"there is no price plan {wanted!r:.60}; there is {', '.join(sorted(plans))}")]

    def _may_change(self, fields: Iterable[str]) -> None:
        """What an operator decides is shown to the owner, who can ask for another value."""
        wrong = [
            Wrong(name, "is for an operator to change; ask for it")
            for name in fields
            if name in BY_NAME and BY_NAME[name].who == "operator" and not self._actor.operator
        ]
        if wrong:
            raise Forbidden("; ".join(f"{each.field} {each.reason}" for each in wrong), wrong)

    # -- what they share ---------------------------------------------------------------------------------------------
    async def _decided_on(self, name: str, seen: str | None) -> AccountRow:
        """The account, if its settings are still those that were seen; None has seen whatever is there."""
        row = await self._office.named(self._actor, name)
        if seen is not None and seen != version_of(row):
            raise Stale(f"the settings of {row.name} were changed by somebody since you looked; look again")
        return row

    async def _save(self, row: AccountRow, settings: dict[str, Any]) -> Shape:
        """The store guards the balance by the credit limit, so it learns settings and limit in one step."""
        changes = self._changed(row.id, row.settings, settings)
        try:
            row = await self._store.change_account(
                row.id,
                settings=settings,
                credit_limit=limit_of(settings),
                automatic=automatic_of(settings),
                changes=changes,
            )
        except Insufficient:
            raise Conflict(f"{row.name} owes more than that already; top it up first") from None
        await self._office.refreshed()
        return self._shape(row)

    def _changed(self, account: int | None, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
        """A line for every setting that is not as it was; no value means its default."""
        at = self._office.wall_ms()
        return [
            self._actor.change(at, "setting", name, old.get(name), new.get(name), account)
            for name in sorted(old.keys() | new.keys())
            if old.get(name) != new.get(name)
        ]

    def _shape(self, row: AccountRow) -> Shape:
        return account(row, None if self._live is None else len(self._binds(row.name)))

    def _binds(self, name: str) -> Sequence[dict[str, Any]]:
        return [bind for bind in self._live.binds() if bind["account"] == name] if self._live else ()


def accepted(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> tuple[dict[str, Any], list[Wrong]]:
    """-> the settings to keep, in their only spelling, and what is wrong. Only what was set is kept, so that a better
    default of a later version reaches everybody who did not decide otherwise."""
    wanted = {key: value for key, value in {**stored, **changes}.items() if value is not None}
    try:
        spelling = Settings.of(wanted).as_mapping()
    except InvalidSettings as invalid:
        return {}, [Wrong(*error) for error in invalid.errors]
    return {key: spelling[key] for key in wanted}, []


def automatic_of(settings: Mapping[str, Any]) -> Automatic:
    """When the account asks for credit by itself, as the store watches over it."""
    chosen = Settings.of(settings)
    amount = 0 if chosen.auto_topup_amount == OFF else units_of(chosen.auto_topup_amount)
    at_once = chosen.auto_topup_at_once == "yes"
    return Automatic(units_of(chosen.auto_topup_threshold), amount, chosen.auto_topup_per_day, at_once)


def limit_of(settings: Mapping[str, Any]) -> int:
    return units_of(settings.get("credit_limit", 0))


def listed_addresses(row: AccountRow) -> list[str]:
    return list(row.settings.get("addresses", ()))


def other_comments(row: AccountRow, address: str) -> list[str]:
    """Those of the other addresses."""
    return [each for each in row.settings.get("address_comments", ()) if each.partition(" ")[0] != address]


def spelt(address: str) -> str:
    return all_spelt([address], "address")[0]


def all_spelt(addresses: Iterable[str], field: str) -> list[str]:
    """In their only spelling; Invalid names every one that is wrong."""
    found, wrong = list[str](), list[Wrong]()
    for address in addresses:
        try:
            found.append(network(address))
        except ValueError as why:
            wrong.append(Wrong(field, f"{address}: {why}"))
    if wrong:
        raise Invalid(*wrong)
    return found
