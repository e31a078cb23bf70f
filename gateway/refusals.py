"""What was refused, and why: remembered, logged and counted; a flood of refusals costs little more than a trickle.

Invariant: at most ROWS refusals a second and account are written down (and one log line a second, account and reason);
every one of them is counted. Knows no rules: it is told reasons.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import structlog

from acl import reasons
from acl.reasons import Refusal
from pdu.bodies import SubmitSm, digits_of
from store.protocol import RefusalRow

from .accounts import Account
from .metrics import Meter
from .smpp.answers import status_of

log = structlog.get_logger()
ROWS = 100
ROWS_IN_ALL = 1_000


class Refusals:
    """`note_*` on the road; `flush` once a second."""

    def __init__(self, meter: Meter, wall_ms: Callable[[], int]) -> None:
        self._meter, self._wall_ms = meter, wall_ms
        self._rows: list[RefusalRow] = []
        self._noted: Counter[int | None] = Counter()
        self._counted: defaultdict[tuple[str, str, str], int] = defaultdict(int)  # (kind, account, reason)

    def note_submits(self, account: Account, peer: str, refused: Sequence[tuple[SubmitSm, Refusal]]) -> None:
        """Messages of one run that were refused."""
        account.tally.refused += len(refused)
        for submit, refusal in refused:
            self._count("message", account.name, refusal.reason)
            if self._room(account.id):
                self._rows.append(
                    RefusalRow(
                        at=self._wall_ms(),
                        account=account.id,
                        kind="message",
                        reason=refusal.reason,
                        status=status_of(refusal.reason, account.settings.status_overrides),
                        peer=peer,
                        system_id=account.system_id,
                        source=printable(digits_of(submit.source)),
                        destination=printable(digits_of(submit.destination)),
                        detail=refusal.detail,
                    )
                )

    def note_command(self, account: Account, count: int) -> None:
        """Requests of a command that the account has switched off."""
        self._count("command", account.name, reasons.COMMAND_SWITCHED_OFF, count)

    def note_malformed(self, account: Account | None, count: int) -> None:
        """Requests whose body could not be read; the account is that of the bind, if there is one."""
        self._count("request", account.name if account else "", reasons.MALFORMED, count)

    def note_bind(self, account: Account | None, peer: str, system_id: bytes, refusal: Refusal, status: int) -> None:
        """A bind that was refused; the account is known only when the login was right."""
        name = account.name if account else ""
        self._count("bind", name, refusal.reason)
        if self._room(None):
            self._rows.append(
                RefusalRow(
                    at=self._wall_ms(),
                    account=None,
                    kind="bind",
                    reason=refusal.reason,
                    status=status,
                    peer=peer,
                    system_id=printable(system_id),
                    source="",
                    destination="",
                    detail=refusal.detail,
                )
            )

    def _count(self, kind: str, account: str, reason: str, count: int = 1) -> None:
        self._meter.refusals[reason] += count
        self._counted[kind, account, reason] += count

    def _room(self, account: int | None) -> bool:
        self._noted[account] += 1
        return self._noted[account] <= ROWS and len(self._rows) < ROWS_IN_ALL

    def flush(self) -> list[RefusalRow]:
        """-> the rows to keep; writes the log lines of the last second."""
        for (kind, account, reason), count in self._counted.items():
            log.info("refused", kind=kind, account=account, reason=reason, count=count)
        rows, self._rows = self._rows, []
        self._counted.clear()
        self._noted.clear()
        return rows


def printable(octets: bytes) -> str:
    """Octets of a peer as text that can harm no log and no screen."""
    return octets[:64].decode("latin-1").encode("unicode_escape").decode("ascii")
