"""The promises, the tests that check them and the figures of the last runs: what docs/PROMISES.md is made of.

Invariant: a promise is written once, in docs/promises.toml; which tests check it is said by the tests alone, with
`@pytest.mark.promise("R1")`; a figure is said by the run that measured it. Nothing here imports a test.
"""

import ast
import fcntl
import json
import os
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

HOUSE = Path(__file__).resolve().parent.parent
WORDS, FIGURES = HOUSE / "docs" / "promises.toml", HOUSE / "docs" / "figures.json"
FEW = 4  # figures that have room beside their promise
HEAD = """\
# Promises

What an operator can rely on, each with the tests that would catch us lying and what they found when they last ran at
length. "Durable" means: there after a power cut, on a disk that honours a sync. The tests are in this repository and
run in CI in a short form; `make crash` and `make prove` run them at length, and how to make things fail yourself is in
[TESTING.md](TESTING.md).

A promise holds on one machine, with one process on one data folder, on SQLite's own rules for disks. What SMPP 3.4
makes impossible is not promised: a client that sends an unanswered message again has sent two.

"""


class Check(NamedTuple):
    """A test that checks promises."""

    path: Path
    name: str
    promises: tuple[str, ...]
    marks: frozenset[str]

    @property
    def sentence(self) -> str:
        return self.name.removeprefix("test_").replace("_", " ")

    @property
    def link(self) -> str:
        return f"[{self.sentence}](../{self.path.relative_to(HOUSE)})"


def chapters() -> dict[str, dict[str, str]]:
    """Title -> promise -> its words."""
    return tomllib.loads(WORDS.read_text("utf-8"))


def promises() -> dict[str, str]:
    return {name: words for chapter in chapters().values() for name, words in chapter.items()}


# -- what the tests say ------------------------------------------------------------------------------------------------
def checks() -> list[Check]:
    return [check for path in sorted((HOUSE / "tests").rglob("test_*.py")) for check in checks_of(path)]


def checks_of(path: Path) -> Iterator[Check]:
    """The marked tests of a file, in their order."""
    tree = ast.parse(path.read_text("utf-8"), filename=str(path))
    marks_of_all = {
        name for node in tree.body if isinstance(node, ast.Assign) and named(node.targets[0]) == "pytestmark"
        for name in marks(node.value)
    }  # fmt: skip
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            promised = tuple(name for decorator in node.decorator_list for name in promised_by(decorator))
            if promised:
                own = {name for decorator in node.decorator_list for name in marks(decorator)}
                yield Check(path, node.name, promised, frozenset(marks_of_all | own))


def named(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def marks(node: ast.expr) -> Iterator[str]:
    """Every `pytest.mark.NAME` in an expression."""
    for found in ast.walk(node):
        if isinstance(found, ast.Attribute) and named(found.value) == "mark":
            yield found.attr


def promised_by(decorator: ast.expr) -> Iterator[str]:
    if isinstance(decorator, ast.Call) and named(decorator.func) == "promise":
        for argument in decorator.args:
            assert isinstance(argument, ast.Constant), ast.dump(argument)
            yield str(argument.value)


# -- what the runs say -------------------------------------------------------------------------------------------------
def figures(path: Path = FIGURES) -> dict[str, dict[str, dict[str, str]]]:
    """Promise -> by what it was measured -> what was found and on which day."""
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def note(promise: str, measured_by: str, found: str) -> None:
    """Into the file that SMPPGATE_FIGURES names, if it names one: `make crash RECORD=1`."""
    if not (target := os.environ.get("SMPPGATE_FIGURES")):
        return
    path = Path(target)
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # several processes may run the suite
        known = figures(path) if path.stat().st_size else {}
        known.setdefault(promise, {})[measured_by] = {"found": found, "on": datetime.now(UTC).date().isoformat()}
        file.truncate(0)
        json.dump(known, file, indent=1, sort_keys=True)
        file.write("\n")


def figures_of(measured: dict[str, dict[str, dict[str, str]]]) -> str:
    """A line for everything that was measured, a column for each promise that it says something of."""
    if not measured:
        return ""
    names = [*measured]
    text = f"| measured | {' | '.join(names)} | on |\n| --- | {'--- | ' * len(names)}--- |\n"
    for what in dict.fromkeys(what for found in measured.values() for what in found):
        cells = [measured[name].get(what, {}) for name in names]
        days = max(cell.get("on", "") for cell in cells)
        text += f"| {what} | {' | '.join(cell.get('found', '') for cell in cells)} | {days} |\n"
    return text + "\n"


# -- the page ----------------------------------------------------------------------------------------------------------
def page() -> str:
    """Where a promise was measured in many ways, what was found has a table of its own below the chapter."""
    found, measured = checks(), figures()
    text = HEAD
    for title, chapter in chapters().items():
        text += f"## {title}\n\n| | we promise | checked by | last found |\n| --- | --- | --- | --- |\n"
        for name, words in chapter.items():
            by = "; ".join(check.link for check in found if name in check.promises)
            said = [f"{what}: {figure['found']} ({figure['on']})" for what, figure in measured.get(name, {}).items()]
            last = "; ".join(said) if len(said) <= FEW else f"{len(said)} figures below"
            text += f"| {name} | {words} | {by} | {last} |\n"
        text += "\n" + figures_of({name: measured[name] for name in chapter if len(measured.get(name, {})) > FEW})
    return text.rstrip("\n") + "\n"
