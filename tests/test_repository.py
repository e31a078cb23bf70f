"""What people expect of the repository: its words are true, its locks are whole, and it names nobody's machine."""

import ast
import json
import re
import shlex
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from tests.server import HOUSE, PATIENCE, Server

PROJECT = tomllib.loads((HOUSE / "pyproject.toml").read_text("utf-8"))["project"]
ROOMS = ("pdu", "acl", "store", "gateway")
IMPORTED_AS = {"argon2-cffi": "argon2", "prometheus-client": "prometheus_client"}


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := HOUSE / name).is_file()]


def distribution(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return found[0].lower()


def script_of_the_readme() -> str:
    [script] = re.findall(r"```python\n(.*?)```", (HOUSE / "README.md").read_text("utf-8"), re.DOTALL)
    assert isinstance(script, str)
    return script


# what the README promises


@pytest.mark.road
def test_the_readme_script_works_as_pasted(server: Server, tmp_path: Path) -> None:
    """Fed to an interactive interpreter line by line, in a folder that holds data/demo.json."""
    demo = server.account("pasted")
    (tmp_path / "data").mkdir()
    server.login_file(demo).rename(tmp_path / "data" / "demo.json")
    ran = subprocess.run(
        [sys.executable, "-i", "-q"],
        cwd=tmp_path,
        input=script_of_the_readme(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    printed = re.search(
        r"accepted: (\d+)\n.*receipt:  id:(\d+) sub:001 dlvrd:001 .* stat:DELIVRD", ran.stdout, re.DOTALL
    )
    assert printed, ran.stdout + ran.stderr
    assert printed[1] == printed[2]
    assert "Error" not in ran.stderr, ran.stderr


@pytest.mark.road
def test_the_tour_of_the_command_line_can_be_walked(server: Server) -> None:
    tour = [
        shlex.split(line, comments=True)[1:]
        for block in re.findall(r"```sh\n(.*?)```", (HOUSE / "README.md").read_text("utf-8"), re.DOTALL)
        for line in block.splitlines()
        if line.startswith("smppgate ")
    ]
    assert len(tour) > 9
    for words in tour:
        server.cli(*words)


def test_every_link_in_the_documents_leads_somewhere() -> None:
    lost = [
        f"{page.relative_to(HOUSE)}: {target}"
        for page in tracked("*.md")
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8"))
        if not re.match(r"https?:|mailto:", target) and not (page.parent / target).exists()
    ]
    assert lost == []


def test_the_makefile_has_the_targets_that_are_promised() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (HOUSE / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert targets >= {"run", "test", "lint", "interop", "browser", "bench", "prove", "clean", "lock"}


# versions, licence, dependencies


def test_the_changelog_tells_of_this_version() -> None:
    released = re.findall(
        r"^## \[(\d[^]]*)\] - \d{4}-\d{2}-\d{2}$", (HOUSE / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert released[0] == PROJECT["version"] == metadata.version("smppgate")


def test_the_licence_is_the_one_that_is_named() -> None:
    licence = (HOUSE / "LICENSE").read_text("utf-8")
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in licence
    assert "Version 2.0, January 2004" in licence
    assert licence.rstrip().endswith("limitations under the License.")


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    declared = {IMPORTED_AS.get(name, name) for name in map(distribution, PROJECT["dependencies"])}
    imported = {
        name.partition(".")[0]
        for path in tracked(*(f"{room}/*.py" for room in ROOMS))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    }
    comes_along = {"pydantic_core", "markupsafe"}  # half of pydantic and of jinja2, and pinned by them
    for_others = {"python-multipart"}  # starlette reads forms with it
    assert imported - sys.stdlib_module_names - {*ROOMS} - comes_along == declared - for_others


@pytest.mark.parametrize("extra", ["", "dev"])
def test_the_lock_holds_a_hashed_version_of_every_requirement(extra: str) -> None:
    lock = (HOUSE / f"requirements{'-' if extra else ''}{extra}.lock").read_text("utf-8")
    pinned = dict(re.findall(r"^([a-z0-9._-]+)==(\S+).*\\\n    --hash=sha256:", lock, re.MULTILINE))
    assert len(pinned) == len(re.findall(r"^[a-z]", lock, re.MULTILINE)), "a pin without a hash"
    wanted = [*PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] if extra else [])]
    assert {distribution(name) for name in wanted} - pinned.keys() == set()


def test_the_two_locks_agree() -> None:
    def pins(name: str) -> dict[str, str]:
        return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (HOUSE / name).read_text("utf-8"), re.MULTILINE))

    runtime, dev = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: dev.get(name) for name in runtime} == runtime


def test_the_node_lock_pins_what_the_package_asks_for() -> None:
    for package in tracked("**/package.json"):
        wanted = json.loads(package.read_text("utf-8"))["dependencies"]
        locked = json.loads((package.parent / "package-lock.json").read_text("utf-8"))["packages"]
        assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
        assert all("integrity" in entry and "resolved" not in entry for name, entry in locked.items() if name)


# what does not belong here

MACHINE = re.compile(r"""(?:^|[\s"'=(])/(?:work|root|home|Users)/""")
REGISTRY = re.compile(r"https?://[^\s/]*(?:pypi|pythonhosted|npmjs|registry)|https?://\S+/simple/", re.IGNORECASE)
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
EXCEPTION = re.compile(r"# (?:type: ignore|noqa)(?P<codes>\[[a-z, -]+\]|: [A-Z]+\d+(?:, [A-Z]+\d+)*)?(?P<reason>.*)")


@pytest.mark.parametrize(
    ("why", "pattern"),
    [("a path of somebody's machine", MACHINE), ("a registry's address", REGISTRY), ("unfinished", UNFINISHED)],
    ids=["machine", "registry", "unfinished"],
)
def test_nothing_in_the_repository_is(why: str, pattern: re.Pattern[str]) -> None:
    found = [
        f"{path.relative_to(HOUSE)}:{number}: {line.strip()[:100]}"
        for path in tracked()
        if path != Path(__file__) and b"\0" not in path.read_bytes()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == [], why


def test_every_exception_to_a_rule_names_it_and_says_why() -> None:
    """On its own line, or in a comment above it."""
    found = []
    for path in tracked(*(f"{room}/*.py" for room in ROOMS)):
        lines = path.read_text("utf-8").splitlines()
        for number, line in enumerate(lines):
            made = EXCEPTION.search(line)
            if not made:
                continue
            explained = re.search(r"\w", made["reason"]) or (number and lines[number - 1].lstrip().startswith("#"))
            if not (made["codes"] and explained):
                found.append(f"{path.relative_to(HOUSE)}:{number + 1}: {line.strip()[:100]}")
    assert found == []
