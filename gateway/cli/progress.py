"""A line on the terminal while a load runs: how far it is, how fast, and what is still owed.

Invariant: it draws when it is told to and has no thread, so it takes its time from the generator only four times a
second. rich is imported only when something is drawn.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic_ns
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

    from gateway.load.crowd import Crowd
    from gateway.load.plan import Plan

SECOND = 1_000_000_000


@contextmanager
def progress(plan: "Plan", *, shown: bool) -> "Iterator[Callable[[Crowd], None] | None]":
    """-> what to call with the crowd now and then; None if nothing is to be shown. The line is gone in the end."""
    if not shown:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = BarColumn(20), TextColumn("{task.description}", markup=False)
    screen = Console(stderr=True, highlight=False, emoji=False)
    with Progress(*columns, console=screen, auto_refresh=False, transient=True) as bar:
        yield Line(plan, bar)


class Line:
    def __init__(self, plan: "Plan", bar: "Progress") -> None:
        self._plan, self._bar, self._task = plan, bar, bar.add_task("", total=1.0)
        self._before = monotonic_ns(), 0

    def __call__(self, crowd: "Crowd") -> None:
        now, answered = monotonic_ns(), crowd.tally.answered
        then, before = self._before
        self._before = now, answered
        rate = max(0, answered - before) * SECOND // max(1, now - then)
        share = self.share(crowd, now) if crowd.sending else None
        self._bar.update(self._task, completed=share, description=self.words(crowd, rate), refresh=True)

    def share(self, crowd: "Crowd", now: int) -> float:
        passed = (now - crowd.tally.started) / SECOND / self._plan.seconds
        return max(passed, crowd.tally.answered / self._plan.total) if self._plan.total else passed

    def words(self, crowd: "Crowd", rate: int) -> str:
        tally, refused = crowd.tally, crowd.tally.refused.total()
        said = [crowd.phase, f"{rate:,}/s", f"accepted {tally.accepted:,}", f"refused {refused:,}"]
        if self._plan.receipts:
            said.append(f"receipts outstanding {max(0, tally.accepted - tally.receipts):,}")
        if lost := crowd.lost():
            said.append(f"connections lost {lost:,}")
        return "  ".join(said)
