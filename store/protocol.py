"""What a store promises, said without a database: the records that cross its door, the verbs, and how they fail.

The invariant: at every instant, crash or not, an account's balance is the sum of its ledger, and every line that took
or gave back the price of messages equals what those messages cost. The store knows neither the wire nor the rules:
message bodies are octets, states are numbers, settings are a mapping.

Amounts are integers (ten-thousandths of a credit), times are milliseconds since the Unix epoch.
"""
# ruff: noqa: N818 (a full disk and a taken name are facts to act on; "Error" would say less)

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from .office.answers import Answers
    from .office.blacklist import Blacklist
    from .office.changes import Change, Changes
    from .office.credentials import Credentials
    from .office.exports import Exports
    from .office.history import History
    from .office.inbox import Inbox
    from .office.outbox import Outbox
    from .office.people import People
    from .office.refused import Refused
    from .office.senders import Senders
    from .office.statement import AccountStatement
    from .office.topups import Topups
    from .office.traffic import Traffic


# -- how it fails ------------------------------------------------------------------------------------------
class StoreError(Exception):
    """Whatever the store raises on purpose."""


class StoreFull(StoreError):
    """No room on the disk. Surely nothing of it was committed."""


class StoreDown(StoreError):
    """The store cannot write now. Surely nothing of it was committed."""


class Contradiction(StoreDown):
    """These rows contradict what is stored (an id used twice, an account that is not there). Nothing was committed."""


class OutcomeUnknown(StoreError):
    """The commit failed so that neither yes nor no can be learnt: no answer is the only true one."""


class StoreLocked(StoreError):
    """Another process has this store open."""


class StoreDamaged(StoreError):
    """The files are not what this program wrote. Nothing was changed."""


class BackupFailed(StoreError):
    """There is no backup, or nothing was restored; what was there before is untouched."""


class StoreNewer(StoreError):
    """A newer version of the program wrote this store. Nothing was changed."""


class Conflict(StoreError):
    """The name, the system_id or the request id is already in use for something else."""


class Insufficient(StoreError):
    """The balance and the credit limit do not allow this."""


class NotFound(StoreError):
    """There is no such account."""


# -- what is handed in -------------------------------------------------------------------------------------
class Batch(NamedTuple):
    """Accepted messages of one account, in id order: (id, charge, body) rows and the sum of their charges.

    `scheduled` are (id, when) of those that wait for their time, `multi` (id, wire_id) of those that were answered with
    another id than their own (one submit_multi, many messages). `sends_on`: their session does not wait for the answer
    before it sends more, so no group waits for it.
    """
    account: int
    rows: list[tuple[int, int, bytearray]]
    total: int
    scheduled: Sequence[tuple[int, int]] = ()
    multi: Sequence[tuple[int, int]] = ()
    sends_on: bool = False


class Outcome(NamedTuple):
    """Messages of one account that ended alike. `refund`: give back what each of them cost; never with state 2, which
    is "delivered". `owed`: the ids among them whose sender wants a receipt. `if_scheduled`: end only those whose time
    has not come (so cancelling is one step)."""
    account: int
    state: int
    error: int
    refund: bool
    ids: list[int]
    owed: list[int]
    if_scheduled: bool = False


class Automatic(NamedTuple):
    """When an account asks for credit by itself: at a balance of `below` or less, for `amount` (0: never), so many
    times in 24 hours. `at_once`: the credit is given in the transaction that asks for it."""
    below: int = 0
    amount: int = 0
    per_day: int = 1
    at_once: bool = False


class RefusalRow(NamedTuple):
    """Why something was refused: `kind` bind or message; account None for every bind. `count`: this row stands for as
    many that were alike."""
    at: int
    account: int | None
    kind: str
    reason: str
    status: int = 0
    peer: str = ""
    system_id: str = ""
    source: str = ""
    destination: str = ""
    detail: str = ""
    count: int = 1  # type: ignore[assignment]  # hides tuple.count, which nobody wants of a row


# -- what is handed out ------------------------------------------------------------------------------------
class Commit(NamedTuple):
    """One commit, for whoever observes. `moved`: every change of a balance except the debits of accepted messages."""
    messages: int
    seconds: float
    moved: dict[int, int]


class AccountRow(NamedTuple):
    id: int
    name: str
    system_id: str
    password_hash: str
    enabled: bool
    settings: dict[str, Any]
    balance: int
    credit_limit: int
    created_at: int


class LedgerLine(NamedTuple):
    """`first_id` and `last_id` of a debit: the messages it paid for lie between them. The `note` of a debit or refund
    is the number of its messages (there is none in lines from before it was kept)."""
    line: int
    account: int
    at: int
    kind: str
    amount: int
    balance_after: int
    first_id: int | None
    last_id: int | None
    request_id: str | None
    note: str
    hash: bytes


class MessageRow(NamedTuple):
    """state, error, done_at are None until the message has ended; scheduled_at is None once it is released."""
    id: int
    wire_id: int
    account: int
    at: int
    charge: int
    charge_line: int
    refund_line: int | None
    body: bytes
    state: int | None
    error: int | None
    done_at: int | None
    scheduled_at: int | None


class Owed(NamedTuple):
    """A delivery that is due: the receipt of a message, or an incoming message (then state, error, done_at are 0)."""
    id: int
    wire_id: int
    at: int
    body: bytes
    state: int
    error: int
    done_at: int
    incoming: bool


class Export(NamedTuple):
    """One account as it was at one instant; messages in id order, the ledger in commit order."""
    account: AccountRow
    messages: list[MessageRow]
    ledger: list[LedgerLine]


class Contents(NamedTuple):
    """What a backup holds."""

    accounts: int
    messages: int
    until: int
    """When the last thing in it happened, milliseconds since 1970; 0 if nothing ever did."""
    octets: int


class Store(Protocol):
    """The hot verbs are plain calls: they join the open group and return a future, done when that group is durable.

    A failed future holds StoreFull, StoreDown (surely nothing was committed) or OutcomeUnknown. Each caller has a
    future of its own: cancelling one takes nothing back and changes nothing for the others.
    """

    observer: Callable[[Commit], None]
    """Called on the loop after each commit, before its futures are done."""

    people: People
    traffic: Traffic
    changes: Changes
    credentials: Credentials
    answers: Answers
    outbox: Outbox
    history: History
    inbox: Inbox
    exports: Exports
    refused: Refused
    senders: Senders
    blacklist: Blacklist
    topups: Topups
    statement: AccountStatement

    @property
    def engine(self) -> str:
        """The database and its version, for people."""

    # -- the road of a message ---------------------------------------------------------------------------
    @property
    def awaited(self) -> bool:
        """Whether clients wait for what is being accepted right now: others' work can give way to it."""

    @property
    def idle(self) -> float:
        """Seconds since a client last asked for something to be accepted."""

    def accept(self, batch: Batch, session: object) -> Future[frozenset[int]]:
        """Store and charge. -> the ids the balance did not allow: those are neither stored nor charged."""

    def settle(self, outcomes: Sequence[Outcome]) -> Future[frozenset[int]]:
        """End messages, once. -> the ids that had ended (or were released) already: for those nothing was done."""

    def unschedule(self, ids: Sequence[int]) -> Future[frozenset[int]]:
        """Their time has come: from now on they are pending like any other. -> those that were scheduled until now."""

    def replace(self, message: int, body: bytearray, scheduled_at: int | None = None) -> Future[bool]:
        """Another body (and time) for a scheduled message. -> False if it is not scheduled any more."""

    def acknowledge(self, account: int, ids: Sequence[int]) -> Future[None]:
        """These deliveries need not be sent again."""

    def give_up(self, account: int, ids: Sequence[int], reason: str) -> Future[None]:
        """These deliveries will not be sent again, though nobody acknowledged them."""

    def note_incoming(
        self, account: int, rows: Sequence[tuple[int, bytearray]], stopped: Sequence[str] = ()
    ) -> Future[None]:
        """Messages for the customer: (id, body), stored and due. `stopped`: numbers that asked to be left alone."""

    def mark(self, settled_below: int) -> None:
        """All messages with a lower id have ended or were scheduled: pending() need not look there. Written lazily, and
        never beyond the id after the last one stored."""

    # -- accounts and money: `changes` are logged in the same transaction --------------------------------
    async def accounts(self) -> list[AccountRow]: ...

    async def add_account(self, name: str, system_id: str, password_hash: str, settings: Mapping[str, Any], at: int,
                          credits: int = 0,  # noqa: A002 (nobody quits from here)
                          credit_limit: int = 0, automatic: Automatic | None = None,
                          changes: Sequence[Change] = ()) -> AccountRow:
        """Conflict if the name or the system_id is taken. `credits` become its first topup."""

    async def change_account(self, account: int, *, settings: Mapping[str, Any] | None = None,
                             password_hash: str | None = None, enabled: bool | None = None,
                             credit_limit: int | None = None, automatic: Automatic | None = None,
                             changes: Sequence[Change] = ()) -> AccountRow:
        """All of it or nothing. NotFound; Insufficient if the balance is already below the new credit limit."""

    async def post(self, account: int, kind: str, amount: int, at: int, request_id: str | None = None,
                   note: str = "", changes: Sequence[Change] = ()) -> LedgerLine:
        """topup, auto_topup or adjustment. The same request id again returns the line it wrote the first time."""

    async def transfer(self, source: int, target: int, amount: int, at: int, request_id: str | None = None,
                       note: str = "", changes: Sequence[Change] = ()) -> tuple[LedgerLine, LedgerLine]:
        """Both lines, or neither. -> (transfer_out, transfer_in). Insufficient if the balance does not allow it,
        whatever the credit limit."""

    async def ledger(self, account: int, after: int = 0, limit: int = 100) -> list[LedgerLine]: ...

    async def price_plans(self) -> dict[str, dict[str, int]]:
        """Plan -> prefix -> price of a part."""

    async def set_price_plan(self, name: str, prices: Mapping[str, int], changes: Sequence[Change] = ()) -> None: ...

    async def delete_price_plan(self, name: str, changes: Sequence[Change] = ()) -> None:
        """Conflict while an account has it."""

    # -- what happened -----------------------------------------------------------------------------------
    async def messages(self, account: int, before: int | None = None, limit: int = 50) -> list[MessageRow]:
        """Newest first; `before` is the id of the last row of the page before."""

    async def find(self, account: int | None, wire_id: int) -> list[MessageRow]:
        """The message, or the messages of one submit_multi, that the customer knows by this id. None: whoever's."""

    async def pending(self, after: int = 0, limit: int = 1000) -> list[MessageRow]:
        """Messages without an end, scheduled ones too, in id order."""

    async def scheduled(self, account: int) -> list[MessageRow]:
        """What waits for its time, in id order."""

    async def due(self, now: int, limit: int = 1000) -> list[MessageRow]:
        """Scheduled messages whose time has come, the earliest first."""

    async def next_due(self) -> int | None:
        """When the earliest scheduled message is due; None if none is scheduled."""

    async def owed(self, account: int, after: int = 0, limit: int = 1000) -> list[Owed]:
        """Deliveries that are due, in id order."""

    async def overdue(self, account: int, below: int, before: int, limit: int = 1000) -> list[int]:
        """Ids of deliveries that have been due since before then; only ids below `below` are looked at."""

    async def owed_counts(self) -> dict[int, tuple[int, int]]:
        """Account -> how many deliveries are due, and since when the first of them is."""

    async def refuse(self, rows: Sequence[RefusalRow]) -> None:
        """Remember refusals; only the last 10,000 of each account, and of binds, are kept."""

    async def refusals(self, account: int | None, limit: int = 100) -> list[RefusalRow]:
        """Newest first; None for refused binds."""

    async def export(self, account: int) -> Export:
        """NotFound."""

    # -- health ------------------------------------------------------------------------------------------
    async def audit(self) -> list[str]:
        """Recompute everything from the ledger and the messages, in one snapshot. -> what is wrong; empty is well."""

    async def imbalance(self) -> int:
        """By how much all balances differ from their ledgers: 0."""

    async def last_id(self) -> int:
        """The highest id ever stored, 0 in a new store."""

    async def check(self) -> list[str]:
        """Read every page of the files. -> what is wrong; empty is well."""

    async def backup(self, file: Path) -> Contents:
        """A copy of everything committed now, verified, mode 0600, under this name only when whole. BackupFailed."""

    async def close(self) -> None:
        """Finish the open group; nothing is taken after that. The context manager of `open_store` does it."""
