"""The gateway put together: what is made of what, what happens once a second, how it starts and how it stops.

Invariant: nothing listens before everything accepted earlier is on its way again; a stop answers what was accepted.
Every part gets its clock from here.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from secrets import token_bytes
from typing import Any, NamedTuple

import structlog

from acl import reasons
from acl.addresses import Networks
from acl.brake import Brake
from acl.money import CREDIT
from acl.password import Known
from acl.reasons import Refusal
from pdu import constants as smpp
from pdu.bodies import SubmitSm
from store.protocol import Commit, MessageRow, Store, StoreError

from . import doctor, receipts
from .accounts import LABELS, Accounts
from .config import Address, Config
from .delivery import LIFETIME_MS, Due, Mailbox
from .doctor.finding import Finding
from .health import Health
from .ids import Minter, id_at
from .metrics import AccountView, Meter
from .network.dispatch import Dispatch
from .network.simulator import Rule, Simulator
from .refusals import Refusals
from .smpp.bind import Door
from .smpp.handling import Handler
from .smpp.pending import Pending
from .smpp.server import Caps, Certificate, Server
from .smpp.session import Timers
from .smpp.submit import Submit
from .taken import Taken
from .traffic import Figures

log = structlog.get_logger()
PATIENCE = 10.0  # seconds a stop waits for clients to answer its unbind
AT_ONCE = 50  # stored deliveries made ready for the wire in one turn of the loop
HASHERS = 2  # threads that hash passwords
EVERY_MINUTE = 60  # ticks
FIGURES_EVERY = 2  # ticks


class Endpoints(NamedTuple):
    """Where the gateway really listens (a configured port 0 lets the system choose)."""

    plain: list[Address]
    tls: list[Address]
    metrics: Address | None
    web: Address | None


class Gateway:
    """Everything that runs, over an open store."""

    def __init__(
        self,
        config: Config,
        store: Store,
        *,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,  # a loop's own may tick in milliseconds
        max_connections: int = 0,  # 0: as configured
    ) -> None:
        loop = asyncio.get_running_loop()
        self.config, self.store = config, store
        self.clock, self.wall = clock, wall
        self.meter = Meter(self._views)
        self.accounts = Accounts(store, self._mailbox)
        self.refusals = Refusals(self.meter, self.wall_ms)
        self.figures = Figures(store.traffic)
        self.dispatch = Dispatch(store, self.accounts, self.meter, self.wall_ms)
        rules = [Rule(rule.to, rule.state, rule.error, rule.delay) for rule in config.simulator.rules]
        self.network = Simulator(rules, config.simulator.delay, loop, self.dispatch.report)
        self.dispatch.connect(self.network)
        self.minter = Minter(config.node)
        self._pool = ThreadPoolExecutor(HASHERS, "password")
        self._certificates: list[Certificate] = []
        self._ticks = 0
        self._ports: dict[str, list[int]] = {}
        self.health = Health()
        self._store_refusals: Counter[str] = Counter()
        self._errands: set[asyncio.Task[None]] = set()
        self.server = Server(
            Door(self.accounts, Brake(), Known(token_bytes(32)), self._pool, self.clock),
            self._handlers(),
            self.refusals,
            self.meter.traffic,
            Timers(session_init=config.smpp.session_init, pdu=config.smpp.session_init),
            Caps(max_connections or config.smpp.max_connections, config.smpp.max_connections_per_address),
            clock,
            Networks(config.smpp.proxy_from),
        )
        store.observer = self._committed

    def wall_ms(self) -> int:
        return int(self.wall() * 1000)

    def _handlers(self) -> dict[int, Handler]:
        self.pending = Pending(self.store, self.dispatch, self.meter.traffic, self.wall_ms)
        submit = self._submit = Submit(
            self.store, self.minter, self.dispatch, self.pending, self.meter, self.refusals, self.clock, self.wall_ms
        )
        return {
            smpp.SUBMIT_SM: submit.submit_sm,
            smpp.DATA_SM: submit.data_sm,
            smpp.SUBMIT_MULTI: submit.submit_multi,
            smpp.QUERY_SM: self.pending.query_sm,
            smpp.CANCEL_SM: self.pending.cancel_sm,
            smpp.REPLACE_SM: self.pending.replace_sm,
        }

    def _mailbox(self, account: int) -> Mailbox:
        async def load(after: int, limit: int) -> list[Due]:
            rows, dues = await self.store.owed(account, after, limit), list[Due]()
            for at in range(0, len(rows), AT_ONCE):
                dues += receipts.restored(self.accounts.by_id[account].settings, rows[at : at + AT_ONCE])
                await asyncio.sleep(0)  # the other accounts have their turn
            return dues

        return Mailbox(account, self.store, load, self.wall_ms, self.meter.receipt_seconds)

    # -- start and stop --------------------------------------------------------------------------------------------
    async def start(self) -> Endpoints:
        """Recover what was under way, then listen."""
        await self.accounts.refresh()
        await self.accounts.follow_blacklist()
        self.minter.begin_after(await self.store.last_id())
        for id_, (number, oldest_ms) in (await self.store.owed_counts()).items():
            if id_ in self.accounts.by_id:
                self.accounts.by_id[id_].mailbox.restore(number, oldest_ms)
        resumed = await self.dispatch.recover()
        self._errand(self._tick_forever())
        plain = [await self._listen(address, None) for address in self.config.smpp.listen]
        tls = self.config.smpp.tls
        secured = []
        if tls.enabled:
            assert tls.cert is not None  # tls.enabled says so
            assert tls.key is not None
            minimum = ssl.TLSVersion.TLSv1_2 if tls.minimum_version == "1.2" else ssl.TLSVersion.TLSv1_3
            self._certificates.append(Certificate(tls.cert, tls.key, minimum))
            secured = [await self._listen(address, self._certificates[0]) for address in tls.listen]
        self._ports = {"unsecured": [at.port for at in plain], "secured": [at.port for at in secured]}
        log.info("listening", smpp=[str(a) for a in plain], tls=[str(a) for a in secured], resumed=resumed)
        return Endpoints(plain, secured, None, None)

    async def _listen(self, address: Address, certificate: Certificate | None) -> Address:
        return Address(address.host, await self.server.listen(address.host, address.port, certificate))

    async def stop(self) -> None:
        try:
            await self.server.stop(PATIENCE)
        finally:  # after an error, too: with sessions open the loop would never end
            self.server.abort()
            self.network.close()
            for errand in list(self._errands):
                errand.cancel()
            await asyncio.gather(*self._errands, return_exceptions=True)
            await self._keep_refusals()
            await self._keep_figures()
            self.store.mark(self.dispatch.low_water(self.minter.next))
            self._pool.shutdown(wait=False, cancel_futures=True)

    # -- time ------------------------------------------------------------------------------------------------------
    def _errand(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _tick_forever(self) -> None:
        due = self.clock() + 1.0
        while True:
            await asyncio.sleep(due - self.clock())
            now = self.clock()
            self.meter.loop_lag = max(0.0, now - due)
            due = max(due + 1.0, now)
            try:
                self._tick(now)
            except Exception as fault:  # one fault must not stop every timer of the gateway
                log.exception("tick failed", reason=repr(fault))

    def _tick(self, now: float) -> None:
        self.server.tick(now)
        self.dispatch.tick()
        self._watch_store()
        for account in self.accounts.by_id.values():
            account.mailbox.tick(now)
        self.store.mark(self.dispatch.low_water(self.minter.next))
        for certificate in self._certificates:
            certificate.follow()
        self._errand(self._keep_refusals())
        if self._ticks % FIGURES_EVERY == 0:
            self._errand(self._keep_figures())
        if self._ticks % EVERY_MINUTE == 0:
            self._errand(self._measure())
            self._errand(self._expire_deliveries())
        self._ticks += 1

    def _watch_store(self) -> None:
        """Submits that the store could not take since the last tick."""
        for reason in (reasons.STORE_FULL, reasons.STORE_DOWN):
            if self.meter.refusals[reason] > self._store_refusals[reason]:
                self._store_refusals[reason] = self.meter.refusals[reason]
                self.health.store_failed(reasons.REASONS[reason])

    async def _keep_refusals(self) -> None:
        rows = self.refusals.flush()
        if rows:
            try:
                await self.store.refuse(rows)
            except StoreError as fault:
                log.warning("refusals not remembered", count=len(rows), reason=str(fault))

    async def _keep_figures(self) -> None:
        self.figures.gather(((each.id, each.tally) for each in self.accounts.by_id.values()), self.wall_ms() // 1000)
        try:
            await self.figures.keep()
        except StoreError as fault:
            log.warning("figures not kept", reason=str(fault))

    async def _measure(self) -> None:
        try:
            self.meter.imbalance = await self.store.imbalance()
        except StoreError as fault:
            log.warning("ledger not measured", reason=str(fault))

    async def _expire_deliveries(self) -> None:
        """What nobody came for in 7 days. Where somebody is bound, the mailbox itself gives up."""
        before = self.wall_ms() - LIFETIME_MS
        for account in [each for each in self.accounts.by_id.values() if each.mailbox.pending and not each.links]:
            try:
                ids = await self.store.overdue(account.id, id_at(before), before)
                if ids:
                    await self.store.give_up(account.id, ids, "nobody came for it within 7 days")
            except StoreError as fault:
                log.warning("old deliveries not given up", account=account.name, reason=str(fault))
                return
            if ids:
                account.mailbox.expired(len(ids))
                log.info("deliveries given up", account=account.name, count=len(ids), reason="7 days")

    # -- what others see -------------------------------------------------------------------------------------------
    def _committed(self, commit: Commit) -> None:
        self.meter.commit_seconds.observe(commit.seconds)
        if commit.messages:
            self.meter.commit_group_size.observe(commit.messages)
            self.health.store_worked()
        if commit.moved:
            self.accounts.moved(commit.moved)

    def _views(self) -> Iterator[AccountView]:
        """The accounts as the gauges show them; beyond LABELS they are added up as one."""
        now, rest = self.wall_ms(), Counter[str]()
        pending, oldest, units = 0, 0.0, 0
        for account in self.accounts.by_id.values():
            kinds, box = Counter(link.kind for link in account.links), account.mailbox
            age = (now - box.oldest_ms) / 1000 if box.pending else 0.0
            if account.label == account.name:
                yield AccountView(account.name, kinds, box.pending, age, account.purse.credit / CREDIT)
            else:
                rest += kinds
                pending, oldest, units = pending + box.pending, max(oldest, age), units + account.purse.credit
        if len(self.accounts.by_id) > LABELS:
            yield AccountView("other", rest, pending, oldest, units / CREDIT)

    def binds(self) -> list[dict[str, Any]]:
        """Every open bind, oldest first."""
        now, wall = self.clock(), self.wall()
        return [
            {
                "id": link.number,
                "account": account.name,
                "type": link.kind,
                "peer": link.peer,
                "port": link.port,
                "tls": link.secured,
                "since": wall - (now - link.session.bound_at),
                "window": link.session.window,
                "in_window": min(link.session.window, link.working + link.session.number_waiting),
                "rate": round(link.rate, 1),
                "unanswered_deliveries": len(link.session.unanswered),
            }
            for link in self.server.links.values()
            if (account := link.bound_to) is not None
        ]

    def service(self) -> dict[str, Any]:
        """What customers are told to connect to, and what answers in the network's stead."""
        simulator = self.config.simulator
        return {
            "public_host": self.config.smpp.public_host,
            "ports": self._ports,
            "simulator": {
                "delay": simulator.delay,
                "rules": [rule.model_dump() for rule in simulator.rules],
            },
            "loop_lag": self.meter.loop_lag,
            "commits": self.meter.commit_seconds.summary(),
            "refusals": dict(self.meter.refusals),
            "unready": self.unready(),
        }

    def look_around(self, thorough: bool) -> list[Finding]:
        return [*doctor.around(self.config), *([doctor.mail(self.config)] if thorough else ())]

    def kick(self, bind_id: int) -> bool:
        link = self.server.links.get(bind_id)
        if link is None or link.bound_to is None:
            return False
        link.unbind("kicked by an operator")
        return True

    def wake(self, account: int, number: int = 1) -> None:
        """So many new deliveries are owed to this account."""
        if account in self.accounts.by_id:
            self.accounts.by_id[account].mailbox.announce(number)

    async def submit(self, account_id: int, peer: str, run: list[SubmitSm]) -> list[Taken | Refusal]:
        """Messages that came by no bind."""
        account = self.accounts.by_id[account_id]
        return await self._submit.submit(account, peer, run, self.clock())

    async def cancel(self, account_id: int, row: MessageRow) -> bool:
        """As a cancel_sm does it."""
        return await self.pending.take_back(self.accounts.by_id[account_id], [row])

    def unready(self) -> list[str]:
        self.health.draining = self.server.draining
        return self.health.unready()

    def follow_certificates(self) -> None:
        for certificate in self._certificates:
            certificate.follow()
