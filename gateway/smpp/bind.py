"""Who may bind: address first, then password, then everything a right login may still lack.

Invariant: what a refused login hears depends on the peer's address alone. From an address on nobody's list nothing is
looked up or hashed; from any other exactly one hash is made, a dummy if need be. Knows no sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import NamedTuple

import structlog

from acl import reasons
from acl.bind import at_the_door, may_bind, may_log_in, taken
from acl.brake import Brake
from acl.password import DUMMY_HASH, Known, verify
from acl.reasons import Refusal
from pdu.bodies import Bind
from pdu.constants import BIND_RECEIVER, BIND_TRANSCEIVER, BIND_TRANSMITTER

from ..accounts import Account, Accounts
from .answers import status_of

log = structlog.get_logger()
KINDS = {BIND_TRANSMITTER: "transmitter", BIND_RECEIVER: "receiver", BIND_TRANSCEIVER: "transceiver"}
QUEUE = 5  # checks of one braked key that may wait
KEYS_AT_MOST = 256  # whose passwords wait to be checked: what the pool can do well within session_init
KEYS_OF_A_GUESSER = 8  # of them, of one braked address: it must leave places to the others


class Verdict(NamedTuple):
    """`account` is there when the login was right, `status` when the bind was refused."""

    account: Account | None
    refusal: Refusal | None = None
    status: int = 0


class Door:
    """Judges bind requests."""

    def __init__(
        self,
        accounts: Accounts,
        brake: Brake,
        known: Known,
        pool: Executor,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._accounts, self._brake, self._known, self._pool = accounts, brake, known, pool
        self._clock, self._sleep = clock, sleep
        # an address that tries one name after the other: twenty guesses a second at most
        self._address_brake = Brake(failures=20, interval=0.05, queue=100)
        self._turns: dict[tuple[bytes, str], Turn] = {}

    async def judge(self, command: int, request: Bind, peer: str) -> Verdict:
        """One bind request from `peer` (an address in its canonical spelling)."""
        try:
            refusal = at_the_door(self._accounts.listed, peer)
            if refusal is not None:
                return refused(None, refusal)
            account, refusal = await self._login(request, peer)
            if account is None or refusal is not None:
                return refused(None, refusal or Refusal(reasons.CHECK_FAILED))
            refusal = self._allowed(account, command, request)
            return Verdict(account) if refusal is None else refused(account, refusal)
        except Exception as fault:  # law 6: an error inside a check is a denial
            log.error("bind check failed", peer=peer, reason=repr(fault))
            return refused(None, Refusal(reasons.CHECK_FAILED))

    async def _login(self, request: Bind, peer: str) -> tuple[Account | None, Refusal | None]:
        """System_id, password and this account's addresses. Checks of one key take turns, so that many at once cannot
        slip past a brake that none of them has set yet; and a customer's hundred binds at once cost one hash."""
        key = (request.system_id, peer)
        account = self._remembered(request, peer)
        if account is not None:
            return account, None
        turn = self._turns.get(key) or Turn()
        if self._queue_is_full(key, turn) or (not turn.waiting and self._places_are_taken(peer)):
            return None, Refusal(reasons.BIND_THROTTLED)
        self._turns[key] = turn
        turn.waiting += 1
        try:
            async with turn.lock:
                account = self._remembered(request, peer)  # somebody before us may have proved it
                if account is not None:
                    return account, None
                if self._queue_is_full(key, turn):  # since we joined it
                    return None, Refusal(reasons.BIND_THROTTLED)
                return await self._check(key, request, peer)
        finally:
            turn.waiting -= 1
            if not turn.waiting:
                del self._turns[key]

    def _queue_is_full(self, key: tuple[bytes, str], turn: Turn) -> bool:
        return turn.waiting > QUEUE and self._brake.braked(key, self._clock())

    def _places_are_taken(self, peer: str) -> bool:
        if len(self._turns) >= KEYS_AT_MOST:
            return True
        its_own = sum([address == peer for _name, address in self._turns])
        return its_own >= KEYS_OF_A_GUESSER and self._address_brake.braked(peer, self._clock())

    def _named(self, request: Bind) -> Account | None:
        return self._accounts.by_system_id.get(request.system_id)

    def _remembered(self, request: Bind, peer: str) -> Account | None:
        """The account, if this very password was right before and the address is the account's own."""
        account = self._named(request)
        if account is None or not account.policy.networks.contains(peer):
            return None
        return account if self._known.matches(account.id, account.password_hash, request.password) else None

    async def _check(self, key: tuple[bytes, str], request: Bind, peer: str) -> tuple[Account | None, Refusal | None]:
        """Exactly one hash, whoever asks."""
        now = self._clock()
        wait, wait_of_address = self._brake.wait(key, now), self._address_brake.wait(peer, now)
        if wait is None or wait_of_address is None:
            return None, Refusal(reasons.BIND_THROTTLED)
        if wait or wait_of_address:
            await self._sleep(max(wait, wait_of_address))
        account = self._named(request)
        hashed = DUMMY_HASH if account is None else account.password_hash
        loop = asyncio.get_running_loop()
        right = await loop.run_in_executor(self._pool, verify, hashed, request.password)
        if account is not None and (account is not self._named(request) or account.password_hash != hashed):
            right = False  # rotated, renamed or removed while we were hashing
        refusal = may_log_in(None if account is None else account.policy.networks, peer, right)
        if refusal is not None:
            self._brake.failed(key, self._clock())
            self._address_brake.failed(peer, self._clock())
            return None, refusal
        self._brake.passed(key)
        if account is not None:
            self._known.remember(account.id, hashed, request.password)
        return account, None

    @staticmethod
    def _allowed(account: Account, command: int, request: Bind) -> Refusal | None:
        """What a right login may still lack. At the limit of binds the oldest is asked whether it is alive."""
        kind, system_type = KINDS[command], request.system_type.decode("latin-1")
        refusal = may_bind(account.settings, account.enabled, kind, system_type, taken(account.kinds()))
        if refusal is not None and refusal.reason == reasons.TOO_MANY_BINDS:
            account.probe_oldest(kind)
        return refusal


class Turn:
    """The checks of one (system_id, address), one at a time."""

    __slots__ = ("lock", "waiting")

    def __init__(self) -> None:
        self.lock, self.waiting = asyncio.Lock(), 0


def refused(account: Account | None, refusal: Refusal) -> Verdict:
    return Verdict(account, refusal, status_of(refusal.reason, account.settings.status_overrides if account else {}))
