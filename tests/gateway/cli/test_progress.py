"""The line on the terminal."""

import os
import pty
import subprocess
import sys
from contextlib import closing
from io import StringIO

import pytest
from rich.console import Console
from rich.progress import Progress

from gateway.cli import progress
from gateway.load.crowd import Crowd
from gateway.load.plan import Plan
from tests.gateway.load.peer import delivered, server
from tests.server import HOUSE, PATIENCE


def test_nothing_is_shown_where_nobody_looks() -> None:
    with progress.progress(Plan(2775), shown=False) as tick:
        assert tick is None


@pytest.mark.parametrize(("receipts", "owed"), [(True, True), (False, False)])
def test_the_line_says_how_far_it_is_and_how_fast(receipts: bool, owed: bool) -> None:
    plan = Plan(2775, receipts=receipts, seconds=100.0, total=1000)
    out = StringIO()
    bar = Progress(console=Console(file=out, width=100), auto_refresh=False)
    with closing(Crowd(plan)) as crowd:
        line = progress.Line(plan, bar)
        crowd.phase, crowd.sending = "sending", True
        crowd.tally.accepted, crowd.tally.receipts = 250, 200
        crowd.tally.refused[0x58] = 50
        line(crowd)
    [task] = bar.tasks
    assert task.completed == pytest.approx(0.3)
    assert task.description.startswith("sending  ")
    assert "accepted 250  refused 50" in task.description
    assert ("receipts outstanding 50" in task.description) is owed


def test_on_a_terminal_it_is_drawn_and_gone_in_the_end() -> None:
    with server(delivered) as port:
        words = ["load", "-p", str(port), "-u", "me", "--password", "pw", "-t", "0.6", "--rate", "500", "--receipts"]
        ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
        try:
            ran = subprocess.run(
                [sys.executable, "-m", "gateway", *words],
                cwd=HOUSE,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=theirs,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            drawn = os.read(ours, 1 << 16).decode()
        finally:
            os.close(ours)
            os.close(theirs)
    assert ran.returncode == 0
    assert "sending" in drawn
    assert "receipts outstanding" in drawn
    assert "sending" not in ran.stdout
    assert "accepted" in ran.stdout
