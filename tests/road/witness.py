"""smppgate with a note on standard error of every failpoint that acts, for tests that must know it: `python -m
tests.road.witness serve …`. With the word `tomorrow` before that it is a later version, which has a migration more.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from gateway import failpoints
from gateway.failpoints import Wanted
from store import migrations
from store.migrations import Migration


def note_of(wanted: Wanted) -> str:
    return f"acted: {wanted.name}={wanted.what}"


def noted(act: Callable[[Wanted], None]) -> Callable[[Wanted], None]:
    def acting(wanted: Wanted) -> None:
        os.write(2, f"{note_of(wanted)}\n".encode())
        act(wanted)

    return acting


def grow_older() -> None:
    step = Migration(migrations.latest() + 1, "tomorrow", "CREATE TABLE tomorrow(x INTEGER) STRICT;")
    steps = (*migrations.known(), step)
    migrations.known = lambda folder=None: steps  # type: ignore[assignment]


if __name__ == "__main__":
    from gateway.cli import main

    failpoints.ACTS = {what: noted(act) for what, act in failpoints.ACTS.items()}
    if sys.argv[1] == "tomorrow":
        del sys.argv[1]
        grow_older()
    main()
