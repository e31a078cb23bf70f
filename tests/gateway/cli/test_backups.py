"""The command line's backup, restore and check over the store of a stopped server."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from store.files import DATABASE

from .conftest import Smppgate


def test_there_and_back(smppgate: Smppgate, data: Path, tmp_path: Path) -> None:
    smppgate("account", "add", "acme", "--credits", "5")
    folder = tmp_path / "backups"
    folder.mkdir()
    made = json.loads(smppgate("backup", str(folder), "--json").stdout)
    assert (made["accounts"], made["messages"]) == (1, 0)
    assert made["until"] is not None
    [copy] = folder.iterdir()
    assert str(copy) == made["file"]
    assert "overwritten" in smppgate("backup", str(copy), expect=3).stderr
    assert "nothing was restored" in smppgate("restore", str(copy), expect=1).stderr
    for old in data.glob(f"{DATABASE}*"):
        old.unlink()
    smppgate("account", "list", expect=1)
    assert "until" in smppgate("restore", str(copy)).stdout
    assert json.loads(smppgate("account", "show", "acme", "--json").stdout)["balance"] == "5"
    assert "whole" in smppgate("check").stdout


def test_check_names_what_is_wrong_and_what_to_do(smppgate: Smppgate, data: Path) -> None:
    smppgate("account", "add", "acme", "--credits", "5")
    with closing(sqlite3.connect(data / DATABASE)) as connection:
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'ledger_of_account'").fetchall()
        [(size,)] = connection.execute("PRAGMA page_size").fetchall()
    with (data / DATABASE).open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    said = smppgate("check", expect=1).stderr
    assert "smppgate restore" in said
    assert json.loads(smppgate("check", "--json", expect=1).stdout)["ok"] is False


def test_a_damaged_header_is_refused_with_advice(smppgate: Smppgate, data: Path) -> None:
    smppgate("account", "add", "acme")
    with (data / DATABASE).open("r+b") as file:
        file.write(b"\0" * 100)
    said = smppgate("account", "list", expect=1).stderr
    assert "does not begin like a database" in said
    assert "smppgate restore" in said
    assert (data / DATABASE).read_bytes()[:100] == b"\0" * 100
