"""People, tokens and the log of changes from the command line, without a server."""

import json
from pathlib import Path
from typing import Any

from gateway.cli.serving import OPERATOR, operator_link
from gateway.cli.whereabouts import Whereabouts

from .conftest import Smppgate


def told(smppgate: Smppgate, *words: str) -> Any:
    return json.loads(smppgate(*words, "--json").stdout)


def test_an_operator_gets_a_link_and_another_when_it_is_lost(smppgate: Smppgate) -> None:
    first = told(smppgate, "operator", "add", "ola@example.com", "--name", "Ola")
    again = told(smppgate, "operator", "add", "OLA@example.com")
    assert first["link"] != again["link"]
    assert again["link"].startswith("http://127.0.0.1:8080/invitation/")
    [listed] = told(smppgate, "person", "list")
    assert (listed["operator"], listed["invited"]) == (True, True)
    assert "works once" in smppgate("person", "invite", "ola@example.com").stdout
    smppgate("person", "add", "jan@example.com")
    smppgate("operator", "add", "jan@example.com", expect=3)
    smppgate("operator", "add", "nobody", expect=2)


def test_a_customer_from_beginning_to_end(smppgate: Smppgate) -> None:
    smppgate("account", "add", "acme")
    made = told(smppgate, "person", "add", "jan@example.com", "--account", "acme", "--language", "pl")
    assert (made["accounts"], made["language"]) == (["smpp-acme"], "pl")
    changes = ("--read-only", "--account", "", "--email", "j@example.com")
    changed = told(smppgate, "person", "set", "jan@example.com", *changes)
    assert (changed["accounts"], changed["read_only"], changed["email"]) == ([], True, "j@example.com")
    smppgate("person", "set", "j@example.com", expect=2)
    smppgate("person", "set", "jan@example.com", "--disabled", expect=3)
    token = told(smppgate, "token", "add", "j@example.com", "--name", "x", "--scope", "read")
    assert token["token"] not in smppgate("token", "list", "j@example.com").stdout
    smppgate("token", "add", "j@example.com", "--name", "x", "--scope", "operate", expect=2)
    smppgate("token", "revoke", "j@example.com", str(token["id"]))
    assert told(smppgate, "token", "list", "j@example.com") == []
    smppgate("person", "remove", "j@example.com")
    assert told(smppgate, "person", "list") == []


def test_a_setting_is_undone(smppgate: Smppgate) -> None:
    smppgate("account", "add", "acme", "--window", "5")
    smppgate("account", "set", "acme", "--window", "7")
    [line] = told(smppgate, "change", "list", "--account", "acme", "--limit", "1")
    assert (line["name"], line["old"], line["new"], line["who"]) == ("window", 5, 7, "command line")
    assert told(smppgate, "change", "undo", str(line["id"]))["window"] == 5
    smppgate("change", "undo", str(line["id"]), expect=3)
    assert "window" in smppgate("change", "list").stdout


def test_quickstart_lets_the_first_operator_in_and_nobody_after(smppgate: Smppgate, data: Path) -> None:
    where = Whereabouts(data_dir=data)
    first, second = operator_link(where), operator_link(where)
    assert first is not None
    assert second is not None
    assert first != second
    assert [each["email"] for each in told(smppgate, "person", "list")] == [OPERATOR]
