"""What the operator's desk needs of a running gateway."""

from collections.abc import Sequence
from typing import Any, Protocol


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
        its loop is (`loop_lag`), and what keeps it from taking traffic (`unready`)."""

    def kick(self, bind_id: int) -> bool:
        """Unbind it. -> False if there is none."""

    def wake(self, account_id: int, number: int) -> None:
        """So many new deliveries are owed to this account."""
