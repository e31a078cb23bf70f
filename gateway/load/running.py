"""One run from its binds to its figures.

Invariant: the clock starts after all binds and the warm-up. The rate is taken until sending stops; then the last
response and the last receipt are waited for. An interrupt ends the phase that is under way, and never the figures.
"""

import gc
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import FrameType
from typing import Any

from .crowd import Crowd
from .figures import figures
from .plan import Plan

START, SENT, END = "start", "sent", "end"


def unobserved(_moment: str) -> None:
    pass


def run(
    plan: Plan, moment: Callable[[str], None] = unobserved, tick: Callable[[Crowd], None] | None = None
) -> dict[str, Any]:
    """The figures (see `figures`). `moment` is told when the clock starts, when sending ends and when all has come.

    BindError if it cannot begin, WireError if the peer does not speak SMPP.
    """
    with undisturbed(), closing(Crowd(plan, tick)) as crowd:
        crowd.phase = "binding"
        crowd.connect()
        crowd.wait_bound()
        if plan.warm_up:
            crowd.phase = "warming up"
            crowd.start()
            crowd.send(plan.warm_up)
            crowd.drain()
        with interruptible(crowd):
            crowd.phase = "sending"
            tally, own = crowd.start(), cpu_seconds()
            moment(START)
            seconds = crowd.send(plan.seconds, plan.total)
            own, answered = cpu_seconds() - own, tally.answered
            moment(SENT)
            crowd.phase = "waiting"
            crowd.drain()
            moment(END)
        found = figures(plan, tally, seconds, answered) | {
            "unanswered": sum(len(c.waiting) for c in crowd.connections),
            "lost_connections": crowd.lost(),
            "interrupted": crowd.stops > 0,
            "generator_share": round(own / seconds, 3),
        }
        crowd.leave()
    return found


def cpu_seconds() -> float:
    """Of this process, user and kernel."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


@contextmanager
def undisturbed() -> Iterator[None]:
    """The loop makes no cycles, and a collection would count as the server's latency."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def interruptible(crowd: Crowd) -> Iterator[None]:
    """Ctrl-C ends the phase: the loop sees it between two turns, so nothing is counted by halves."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: FrameType | None) -> None:
        crowd.stop()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
