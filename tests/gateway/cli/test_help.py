"""Every command explains itself and stands in docs/CLI.md with its flags; flags are made of the table of settings."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from acl.settings import SETTINGS
from gateway.cli import main
from gateway.cli.flags import SettingType, given, option

DOCS = (Path(__file__).parents[3] / "docs" / "CLI.md").read_text()
EVERYWHERE = {"--config", "--data-dir", "--help", "--version"}


def commands(group: click.Group, *before: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        path = (*before, name)
        yield path, command
        if isinstance(command, click.Group):
            yield from commands(command, *path)


COMMANDS = dict(commands(main))
LEAVES = {path: command for path, command in COMMANDS.items() if not isinstance(command, click.Group)}


def flags(command: click.Command) -> set[str]:
    return {flag for param in command.params if isinstance(param, click.Option) for flag in param.opts}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help(path: tuple[str, ...]) -> None:
    said = CliRunner().invoke(main, [*path, "--help"], prog_name="smppgate")
    assert said.exit_code == 0
    assert f"Usage: smppgate {' '.join(path)} " in said.output
    assert COMMANDS[path].help
    for param in COMMANDS[path].params:
        assert isinstance(param, click.Argument) or getattr(param, "help", None), param.name


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_stands_in_the_documentation(path: tuple[str, ...]) -> None:
    usage = f"smppgate {' '.join(path)}"
    section = DOCS.partition(f"\n### `{usage}")[2].partition("\n### ")[0]
    assert section, f"docs/CLI.md has no section {usage}"
    of_settings = {setting.flag for setting in SETTINGS}
    missing = {flag for flag in flags(LEAVES[path]) - EVERYWHERE - of_settings if f"`{flag}" not in section}
    assert missing == set()


def test_the_documentation_names_no_command_that_is_not_there() -> None:
    for line in DOCS.splitlines():
        if line.startswith("### `smppgate "):
            words = line.removeprefix("### `smppgate ").rstrip("`").split()
            assert any(tuple(words[: len(path)]) == path for path in LEAVES), line


def test_every_listing_has_json() -> None:
    for path, command in LEAVES.items():
        if path[-1] in ("list", "ledger", "show", "audit", "doctor") or path == ("account", "export"):
            assert "--json" in flags(command), path


@pytest.mark.parametrize("path", [("account", "add"), ("account", "set")], ids=" ".join)
def test_there_is_a_flag_for_every_setting(path: tuple[str, ...]) -> None:
    assert {setting.flag for setting in SETTINGS} <= flags(COMMANDS[path])


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: str(setting.name))
def test_a_flag_reads_what_the_setting_says(setting: Any) -> None:
    made = option(setting)
    assert isinstance(made.type, SettingType)
    value = made.type.convert(setting.text(setting.default), made, None)
    given_ = given({setting.name: (value,) if made.multiple else value})
    if made.multiple or given_:
        assert given_[setting.name] == setting.plain(setting.default)


def test_flags_that_were_not_given_change_nothing() -> None:
    assert given({setting.name: () if option(setting).multiple else None for setting in SETTINGS}) == {}


def test_help_does_not_load_what_it_does_not_need() -> None:
    """So that it is there at once."""
    slow = ("pydantic", "fastapi", "starlette", "uvicorn", "aiosqlite", "argon2", "rich", "structlog", "smpplib", "pdu")
    program = f"""
import sys
from gateway.cli import main
main(["account", "add", "--help"], standalone_mode=False)
print(*[name for name in {slow!r} if name in sys.modules], file=sys.stderr)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stderr.split() == []


def test_the_version() -> None:
    said = CliRunner().invoke(main, ["--version"])
    assert (said.exit_code, said.output) == (0, f"smppgate, version {version('smppgate')}\n")
