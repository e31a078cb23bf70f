"""The table of promises and the suite keep step: each promise has tests, each of them exists and runs."""

import re
from pathlib import Path

import pytest
from _pytest.mark.expression import Expression

from tests import promises
from tests.promises import HOUSE, Check, chapters, checks, note

LEFT_OUT = {"skip", "skipif", "xfail"}


def test_every_promise_is_checked_by_a_test() -> None:
    checked = {name for check in checks() for name in check.promises}
    assert promises.promises().keys() - checked == set()


def test_no_test_checks_a_promise_that_nobody_made() -> None:
    known = promises.promises()
    assert [(check.name, name) for check in checks() for name in check.promises if name not in known] == []


def test_a_promise_is_made_once_and_in_words() -> None:
    names = [name for chapter in chapters().values() for name in chapter]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[A-Z]+\d+", name) for name in names)
    assert [words for words in promises.promises().values() if not words.endswith(".") or "|" in words] == []


def selections_of_ci() -> list[Expression]:
    """What the targets that CI runs let pytest choose."""
    makefile = (HOUSE / "Makefile").read_text("utf-8")
    steps = re.findall(r"^step .* make ([a-z-]+)", (HOUSE / ".ci" / "run").read_text("utf-8"), re.MULTILINE)
    recipes = [re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE) for target in steps]
    runs_of_pytest = "".join(recipe[1] for recipe in recipes if recipe and "PYTEST" in recipe[1])
    chosen: list[str] = re.findall(r"-m (\"[^\"]+\"|\w+)", runs_of_pytest)
    return [Expression.compile(found.strip('"')) for found in chosen]


def runs(check: Check, selection: Expression) -> bool:
    def marked(name: str, /, **_: str | int | bool | None) -> bool:
        return name in check.marks

    return not check.marks & LEFT_OUT and selection.evaluate(marked)


def test_each_of_these_tests_is_run_by_ci() -> None:
    selections = selections_of_ci()
    assert len(selections) > 2
    assert [check.name for check in checks() if not any(runs(check, selection) for selection in selections)] == []


def test_a_figure_of_a_promise_is_in_the_table() -> None:
    assert promises.figures().keys() - promises.promises().keys() == set()


def test_figures_are_noted_where_the_environment_says_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "figures.json"
    monkeypatch.delenv("SMPPGATE_FIGURES", raising=False)
    note("R1", "kill -9", "0 of 10 lost")
    monkeypatch.setenv("SMPPGATE_FIGURES", str(file))
    note("R1", "kill -9", "1 of 10 lost")
    note("R1", "power cuts", "0 lost")
    note("R1", "kill -9", "0 of 20 lost")
    assert {what: found["found"] for what, found in promises.figures(file)["R1"].items()} == {
        "kill -9": "0 of 20 lost",
        "power cuts": "0 lost",
    }
