"""Messages whose clients do not know their ids yet: the responses that name them are not written.

Invariant: an id is in here from its hand-over until its response has left, or until the link that had it is gone and
nobody can be waiting for it any more. Nearly always there is none. Knows no states and no receipts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from .connector import Origin


class Unheard:
    """`hold` when a response has to wait; `waits_for` before a receipt is told; `when_heard` for what comes after."""

    def __init__(self) -> None:
        self._origins: dict[int, Origin] = {}

    def __len__(self) -> int:
        return len(self._origins)

    def hold(self, ids: list[int], origin: Origin) -> None:
        """The responses that name these wait to be written."""
        self._origins.update(dict.fromkeys(ids, origin))
        origin.when_written(partial(self._heard, ids))

    def waits_for(self, ids: Iterable[int]) -> Origin | None:
        """The link that has the response of one of these, if any has."""
        origins = self._origins
        return next((origins[id_] for id_ in ids if id_ in origins), None) if origins else None

    def when_heard(self, ids: Iterable[int], then: Callable[[], None]) -> None:
        """At once, if none of these waits."""
        origin = self.waits_for(ids)
        if origin is None:
            then()
        else:
            origin.when_written(partial(self.when_heard, ids, then))

    def _heard(self, ids: list[int]) -> None:
        for id_ in ids:
            self._origins.pop(id_, None)
