"""A password that stands in no list of processes and in no history of a shell."""

import json
import sys
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main, passwords, sending

from .conftest import Smppgate

pytestmark = pytest.mark.usefixtures("smppgate")  # its folder and its environment

SEND = ("send", "ACME", "48600100200", "hi", "--system-id", "me", "--host", "127.0.0.1", "--port", "1")


def typed(line: str, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--password", "-"], input=line, prog_name="smppgate")


@pytest.mark.parametrize("line", ["s3cret\n", "s3cret", "s3cret\r\n", "s3cret\nand more\n"])
def test_an_account_takes_one_line_of_standard_input(line: str) -> None:
    ran = typed(line, "account", "add", "acme", "--json")
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["password"] == "s3cret"


def test_send_takes_one_line_of_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[dict[str, Any]] = []
    monkeypatch.setattr(sending.Sending, "run", lambda _self, login, *_: used.append(login))
    ran = typed("s3cret\n", *SEND)
    assert ran.exit_code == 0, ran.output
    assert used == [{"system_id": "me", "password": "s3cret", "host": "127.0.0.1", "port": 1}]


@pytest.mark.parametrize("line", ["", "\n"])
@pytest.mark.parametrize("words", [("account", "add", "acme"), SEND], ids=["account add", "send"])
def test_no_line_is_no_password(line: str, words: tuple[str, ...], smppgate: Smppgate) -> None:
    ran = typed(line, *words)
    assert (ran.exit_code, "standard input" in ran.stderr) == (2, True)
    assert "there is no store" in smppgate("account", "list", expect=1).stderr, "none was made up instead"


def test_what_is_typed_at_a_terminal_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "getpass", lambda _prompt: "hidden")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    command = main.commands["send"]
    [option] = [each for each in command.params if each.name == "password"]
    with command.make_context("send", ["--help"], resilient_parsing=True) as context:
        assert passwords.from_stdin(context, option, "-") == "hidden"
        assert passwords.from_stdin(context, option, "word") == "word"
        assert passwords.from_stdin(context, option, None) is None
