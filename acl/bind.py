"""May this peer bind? Pure decisions, in the order in which they are taken.

Invariant: how a refused login looks depends on the peer's address alone: `at_the_door` is decided first, from an
address on no list nothing is hashed or looked up, and from any other exactly one password check is made whatever else
is wrong. What throws denies.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from acl import reasons
from acl.addresses import Listed, Networks
from acl.reasons import Refusal
from acl.settings import RECEIVER, TRANSCEIVER, TRANSMITTER, Settings


class Sides(NamedTuple):
    sending: int = 0
    receiving: int = 0


SIDES = {TRANSMITTER: Sides(sending=1), RECEIVER: Sides(receiving=1), TRANSCEIVER: Sides(sending=1, receiving=1)}


def at_the_door(listed: Listed, address: str) -> Refusal | None:
    """Before anything else: does the address stand on anybody's list?"""
    try:
        return None if listed.contains(address) else Refusal(reasons.ADDRESS_UNLISTED)
    except Exception as fault:
        return _failed(fault)


def may_log_in(networks: Networks | None, address: str, password_is_right: bool) -> Refusal | None:
    """Once the password was checked (against a dummy if need be): is it this account's customer?

    `networks` are the account's, None if no account has this system_id.
    """
    try:
        if networks is None:
            return Refusal(reasons.UNKNOWN_SYSTEM_ID)
        if not networks:
            return Refusal(reasons.NO_ADDRESS_DECLARED)
        if not networks.contains(address):
            return Refusal(reasons.ADDRESS_NOT_AUTHORISED)
        return None if password_is_right is True else Refusal(reasons.WRONG_PASSWORD)
    except Exception as fault:
        return _failed(fault)


def may_bind(settings: Settings, enabled: bool, kind: str, system_type: str, in_use: Sides) -> Refusal | None:
    """The login was right: may the account have this bind, beside those it has?

    `in_use` counts the sides of the account's other binds (see `taken`).
    """
    try:
        if enabled is not True:
            return Refusal(reasons.ACCOUNT_DISABLED)
        if settings.system_type and system_type != settings.system_type:
            return Refusal(reasons.SYSTEM_TYPE)
        if kind not in settings.bind_types:
            return Refusal(reasons.BIND_TYPE_NOT_ALLOWED, kind)
        if _too_many(settings.max_binds, SIDES[kind], in_use):
            return Refusal(reasons.TOO_MANY_BINDS)
        return None
    except Exception as fault:
        return _failed(fault)


def may_stay(settings: Settings, networks: Networks, enabled: bool, kind: str, address: str) -> Refusal | None:
    """Settings have changed under a live bind: is it still allowed? (Its number is the business of `surplus`.)"""
    try:
        if enabled is not True:
            return Refusal(reasons.ACCOUNT_DISABLED)
        if not networks:
            return Refusal(reasons.NO_ADDRESS_DECLARED)
        if not networks.contains(address):
            return Refusal(reasons.ADDRESS_NOT_AUTHORISED)
        return None if kind in settings.bind_types else Refusal(reasons.BIND_TYPE_NOT_ALLOWED, kind)
    except Exception as fault:
        return _failed(fault)


def taken(kinds: Iterable[str]) -> Sides:
    """The sides that binds of these kinds take."""
    sides = [SIDES[kind] for kind in kinds]
    return Sides(sum(side.sending for side in sides), sum(side.receiving for side in sides))


def surplus(max_binds: int, kinds: Sequence[str]) -> list[int]:
    """Which of an account's live binds, oldest first, are too many for a limit that was lowered: their positions."""
    kept, over = Sides(), []
    for position, kind in enumerate(kinds):
        side = SIDES[kind]
        if _too_many(max_binds, side, kept):
            over.append(position)
        else:
            kept = Sides(kept.sending + side.sending, kept.receiving + side.receiving)
    return over


def in_the_way(max_binds: int, kind: str, kinds: Sequence[str]) -> list[int]:
    """Which live binds, oldest first, hold a side that a new bind of this kind needs and cannot have: their positions.

    Empty when there is room. The oldest of them is the one to be asked whether it is still there.
    """
    wanted, used = SIDES[kind], taken(kinds)
    sending = _full(max_binds, wanted.sending, used.sending)
    receiving = _full(max_binds, wanted.receiving, used.receiving)
    sides = [SIDES[held] for held in kinds]
    return [at for at, side in enumerate(sides) if (sending and side.sending) or (receiving and side.receiving)]


def standing(settings: Settings, enabled: bool) -> str:
    """The status an account shows its owner: DISABLED, WAITING_IP until an address is declared, else SUCCESS."""
    if not enabled:
        return "DISABLED"
    return "SUCCESS" if settings.addresses else "WAITING_IP"


def _too_many(max_binds: int, wanted: Sides, in_use: Sides) -> bool:
    sending = _full(max_binds, wanted.sending, in_use.sending)
    return sending or _full(max_binds, wanted.receiving, in_use.receiving)


def _full(max_binds: int, wanted: int, in_use: int) -> bool:
    return 0 < max_binds < in_use + wanted and wanted > 0


def _failed(fault: Exception) -> Refusal:
    return Refusal(reasons.CHECK_FAILED, type(fault).__name__)
