"""Failpoints: each lies where it says, a word that is wrong stops the program, and without them nothing is there."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.failpoints import EXIT_CODE, POINTS, Planted, Wanted, hitting, located, parsed
from gateway.failpoints import after as after_
from store.money import Ledger
from tests.server import HOUSE


def smppgate(*words: str, failpoints: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMPPGATE_")}
    return subprocess.run(
        [sys.executable, "-m", "gateway", *words, "--data-dir", str(folder)],
        cwd=HOUSE,
        env=environment | {"SMPPGATE_FAILPOINTS": failpoints},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# how they are named


def test_a_failpoint_exits_raises_or_delays_every_time_or_once() -> None:
    assert parsed("before-commit=exit, after-send=raise@3,before-receipt=delay:250") == [
        Wanted("before-commit", "exit", 0, 0),
        Wanted("after-send", "raise", 0, 3),
        Wanted("before-receipt", "delay:250", 250, 0),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("before-comit=exit", "is it before-commit that is meant"),
        ("nowhere=exit", "there are before-insert, before-commit"),
        ("before-commit", "NAME=exit"),
        ("before-commit=kill", "NAME=exit"),
        ("before-commit=delay", "NAME=delay:MILLISECONDS"),
        ("before-commit=exit@0", "perhaps with @N"),
        ("before-commit=exit;after-send=exit", "NAME=exit"),
        (" , ", "no failpoint is named"),
    ],
)
def test_what_is_misspelt_is_refused_with_what_would_be_right(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        parsed(text)


def test_a_program_with_a_misspelt_failpoint_does_not_start(tmp_path: Path) -> None:
    ran = smppgate("serve", failpoints="in-creat=exit", folder=tmp_path / "data")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "is it in-create that is meant?" in ran.stderr
    assert not (tmp_path / "data").exists()


def test_a_variable_with_a_misspelt_name_is_refused_like_any_other(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMPPGATE_")}
    ran = subprocess.run(
        [sys.executable, "-m", "gateway", "config", "check"],
        cwd=HOUSE,
        env=environment | {"SMPPGATE_FAILPOINT": "in-create=exit"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1
    assert "failpoint" in ran.stderr


# what they do


def counted(act: Callable[[], Any], times: int) -> list[bool]:
    """Which of so many passes failed."""
    failed = []
    for _ in range(times):
        try:
            act()
            failed.append(False)
        except Planted:
            failed.append(True)
    return failed


def test_it_is_hit_every_time_or_the_named_time_only() -> None:
    assert counted(hitting(Wanted("after-send", "raise", 0, 0)), 3) == [True, True, True]
    assert counted(hitting(Wanted("after-send", "raise", 0, 2)), 4) == [False, True, False, False]


def test_after_a_function_means_that_it_has_done_its_work() -> None:
    done: list[int] = []
    watched = after_(done.append, hitting(Wanted("after-send", "raise", 0, 0)))
    with pytest.raises(Planted, match="failpoint after-send"):
        watched(7)
    assert done == [7]


def test_a_point_at_a_ledger_line_is_hit_by_lines_of_its_kind_only() -> None:
    hits: list[str] = []
    owner, name = located(POINTS["in-topup"].function)
    post = POINTS["in-topup"].place(getattr(owner, name), lambda: hits.append("hit"))

    def run(kind: str) -> None:
        statements = post(Ledger(0), 1, kind, 5)
        next(statements)
        statements.send([(0, 0, 0)])
        statements.send([])
        with pytest.raises(StopIteration):
            statements.send([])

    run("adjustment")
    assert hits == []
    run("topup")
    assert hits == ["hit"]


def test_a_process_that_comes_by_an_exit_is_gone_without_a_word(tmp_path: Path) -> None:
    ran = smppgate("serve", failpoints="in-create=exit", folder=tmp_path / "data")
    assert ran.returncode == EXIT_CODE
    assert ran.stdout == ""
    assert ran.stderr.splitlines() == [
        "SMPPGATE_FAILPOINTS is set, so this process will not behave: in-create=exit"
    ]


# where they lie, and what they cost


@pytest.mark.parametrize("name", POINTS)
def test_the_function_is_where_the_failpoint_says(name: str) -> None:
    owner, attribute = located(POINTS[name].function)
    function = getattr(owner, attribute)
    assert callable(function)
    assert not hasattr(function, "__wrapped__"), "nobody has replaced it: this process has no failpoints"


def test_all_of_them_can_be_installed_together() -> None:
    program = "from gateway.failpoints import *; print(len(install(','.join(f'{name}=delay:0' for name in POINTS))))"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=HOUSE, capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.stderr) == (f"{len(POINTS)}\n", "")


def test_no_function_on_the_road_looks_for_a_failpoint() -> None:
    """They are free when they are off because nothing is there: only these three files know the word."""
    knowing = {
        str(path.relative_to(HOUSE))
        for room in ("pdu", "acl", "store", "gateway")
        for path in (HOUSE / room).rglob("*.py")
        if "failpoint" in path.read_text("utf-8").lower()
    }
    assert knowing == {"gateway/failpoints.py", "gateway/cli/__init__.py", "gateway/config.py"}


def test_without_the_variable_a_server_does_not_even_load_them() -> None:
    program = (
        "import sys, gateway.cli, gateway.process, gateway.app, gateway.mail.postman, store.sqlite, store.backup\n"
        "try: gateway.cli.main(['serve', '--config', '/nowhere'])\n"
        "except SystemExit: pass\n"
        "print('gateway.failpoints' in sys.modules)"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMPPGATE_")}
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=HOUSE, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.stdout == "False\n", ran.stderr


def test_the_page_about_tests_names_each_with_its_meaning() -> None:
    page = (HOUSE / "docs" / "TESTING.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", page, re.MULTILINE))
    assert rows == {name: point.meaning for name, point in POINTS.items()}
