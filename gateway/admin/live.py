"""What the operator's desk needs of a running gateway."""

from collections.abc import Sequence
from typing import Any, Protocol

from acl.reasons import Refusal
from gateway.doctor.finding import Finding
from gateway.taken import Taken
from pdu.bodies import SubmitSm
from store.protocol import MessageRow


class LiveAccounts(Protocol):
    async def refresh(self) -> None:
        """Read accounts and price plans again and apply them to open sessions."""


    async def follow_blacklist(self, account: int) -> None:
        """Read the blacklist of an account again; what is sent from now on meets it."""


class Live(Protocol):
    @property
    def accounts(self) -> LiveAccounts: ...

    def binds(self) -> Sequence[dict[str, Any]]:
        """Every open bind; at least its `id`, `account` (a name), `type` and `since` (wall time in seconds)."""

    def service(self) -> dict[str, Any]:
        """How it is reached (`public_host`, `ports`), its `simulator`, `refusals` by reason since its start, how late
        its loop is (`loop_lag`), how long commits take (`commits`), and what keeps it from taking traffic
        (`unready`)."""

    def look_around(self, thorough: bool) -> Sequence[Finding]:
        """What the doctor sees of the machine and the configuration; `thorough`: the mail server is asked, too. It
        blocks."""

    def kick(self, bind_id: int) -> bool:
        """Unbind it. -> False if there is none."""

    def wake(self, account_id: int, number: int) -> None:
        """So many new deliveries are owed to this account."""

    async def submit(self, account_id: int, peer: str, run: list[SubmitSm]) -> list[Taken | Refusal]:
        """Messages that came by no bind, judged and taken like all others. -> what became of each."""

    async def cancel(self, account_id: int, row: MessageRow) -> bool:
        """Take a scheduled message back, with its refund. -> False if it is no longer to be had."""
