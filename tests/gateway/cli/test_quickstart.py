"""The demo account and the login that send takes from its file, without a server."""

import json
import stat
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from gateway.cli.sending import known_login, source_of
from gateway.cli.serving import DEMO, demo_login, read_login, send_hello, started_by, write_private
from gateway.cli.whereabouts import Failure, Whereabouts

from .conftest import Smppgate


@pytest.fixture
def where(data: Path, smppgate: Smppgate) -> Whereabouts:
    """The folder that `smppgate` works in."""
    return Whereabouts(data_dir=data)


def told(smppgate: Smppgate, *words: str) -> Any:
    return json.loads(smppgate(*words, "--json").stdout)


def test_the_demo_account(where: Whereabouts, data: Path, smppgate: Smppgate) -> None:
    login = demo_login(where, data / "demo.json")
    assert set(login) == {"account", "system_id", "password"}
    demo = told(smppgate, "account", "show", "demo")
    assert (demo["balance"], demo["senders"], demo["addresses"]) == ("1000", ["*"], ["127.0.0.1", "::1"])
    assert all(demo[name] == value for name, value in DEMO.items() if name != "credits")


def test_a_second_run_uses_the_login_again(where: Whereabouts, data: Path) -> None:
    file = data / "demo.json"
    login = demo_login(where, file)
    write_private(file, {**login, "host": "127.0.0.1", "port": 2775})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert demo_login(where, file) == login


@pytest.mark.parametrize("left", [None, "", "[]", "{}", '{"system_id": "other", "password": "x"}'])
def test_a_lost_login_is_replaced(where: Whereabouts, data: Path, left: str | None) -> None:
    file = data / "demo.json"
    login = demo_login(where, file)
    if left is not None:
        file.write_text(left)
    again = demo_login(where, file)
    assert again["system_id"] == login["system_id"]
    assert again["password"] != login["password"]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "demo.json"
    for number in range(2):
        write_private(file, {"number": number})
        assert read_login(file) == {"number": number}
    assert [path.name for path in tmp_path.iterdir()] == ["demo.json"]


def test_the_login_of_send(where: Whereabouts, data: Path) -> None:
    nothing = dict.fromkeys(("system_id", "password", "host", "port"))
    with pytest.raises(click.UsageError, match="quickstart"):
        known_login(where, nothing)
    data.mkdir()
    demo = {"account": "smpp-demo", "system_id": "me", "password": "pw", "host": "::1", "port": 1}
    write_private(data / "demo.json", demo)
    assert known_login(where, nothing) == {"system_id": "me", "password": "pw", "host": "::1", "port": 1}
    assert known_login(where, {**nothing, "port": 2})["port"] == 2
    with pytest.raises(click.UsageError, match="no password"):
        known_login(where, {**nothing, "system_id": "other"})
    other = {**nothing, "system_id": "other", "password": "x"}
    assert known_login(where, other) == {"system_id": "other", "password": "x", "host": "::1", "port": 1}
    (data / "demo.json").write_text("{")
    with pytest.raises(Failure, match="cannot be read"):
        known_login(where, nothing)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (".venv/bin/smppgate", [".venv/bin/smppgate"]),
        ("{here}/.venv/bin/smppgate", [".venv/bin/smppgate"]),
        ("/opt/smppgate/bin/smppgate", ["/opt/smppgate/bin/smppgate"]),
        ("{here}-of-others/bin/smppgate", ["{here}-of-others/bin/smppgate"]),
        ("../smppgate", ["{parent}/smppgate"]),
        ("{here}/gateway/__main__.py", [".venv/bin/python", "-m", "gateway"]),
    ],
)
def test_the_program_is_named_as_it_can_be_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, words: list[str]
) -> None:
    names = {"here": str(tmp_path), "parent": str(tmp_path.parent)}
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)  # as in an environment, which would be left by following it
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [program.format(**names)])
    monkeypatch.setattr(sys, "executable", str(python))
    assert started_by() == [word.format(**names) for word in words]


def test_the_command_that_is_proposed_can_be_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "my programs" / "smppgate")])
    command = send_hello(Whereabouts(data_dir=Path("my data")))
    assert command == "'my programs/smppgate' send smppgate 48600100200 Hello --wait --data-dir 'my data'"
    assert send_hello(Whereabouts()).endswith(" Hello --wait")


@pytest.mark.parametrize(
    ("source", "ton", "npi", "address"),
    [("ACME", 5, 0, "ACME"), ("38069", 3, 1, "38069"), ("+48500600700", 1, 1, "48500600700")],
)
def test_ton_and_npi_of_a_sender(source: str, ton: int, npi: int, address: str) -> None:
    assert source_of(source) == {"source_addr_ton": ton, "source_addr_npi": npi, "source_addr": address}


def test_send_where_nobody_listens(smppgate: Smppgate) -> None:
    login = ("--system-id", "x", "--password", "x", "--host", "127.0.0.1", "--port", "1")
    assert "127.0.0.1:1" in smppgate("send", "ACME", "48600100200", "hi", *login, expect=1).stderr
