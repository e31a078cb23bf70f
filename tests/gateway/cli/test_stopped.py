"""The command line over the store of a stopped server: what it prints, and how it exits."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import client

from .conftest import Smppgate


def told(smppgate: Smppgate, *words: str) -> Any:
    return json.loads(smppgate(*words, "--json").stdout)


def test_an_account_from_its_beginning(smppgate: Smppgate) -> None:
    made = told(smppgate, "account", "add", "acme", "--ip", "127.0.0.1", "--ip", "10.0.0.0/8,::1", "--sender", "ACME",
                "--credits", "12.5", "--window", "20", "--refund", "undelivered", "--max-binds", "0",
                "--throughput", "0", "--inactivity", "5m", "--status-override", "no_credit=0x45")  # fmt: skip
    assert made["name"] == "smpp-acme"
    assert made["addresses"] == ["127.0.0.1", "10.0.0.0/8", "::1"]
    assert (made["window"], made["throughput"], made["max_binds"], made["inactivity"]) == (20, 0, 0, 300)
    assert made["status_overrides"] == {"no_credit": 0x45}
    assert made["status"] == "SUCCESS"
    [listed] = told(smppgate, "account", "list")
    assert listed == told(smppgate, "account", "show", "acme")
    assert made["password"] not in json.dumps(listed)
    assert told(smppgate, "account", "set", "acme", "--window", "5", "--reset", "inactivity")["inactivity"] == 0
    assert told(smppgate, "account", "set", "acme", "--ip", "")["status"] == "WAITING_IP"
    assert told(smppgate, "account", "ip", "add", "acme", "::ffff:192.0.2.7")["addresses"] == ["192.0.2.7"]
    assert told(smppgate, "account", "ip", "rm", "acme", "192.0.2.7")["addresses"] == []
    assert told(smppgate, "account", "disable", "acme")["status"] == "DISABLED"
    assert told(smppgate, "account", "enable", "acme")["enabled"] is True
    assert len(told(smppgate, "account", "rotate-password", "acme", "--drop-binds")["password"]) == 8


def test_credits_and_ledger(smppgate: Smppgate) -> None:
    smppgate("account", "add", "acme", "--credits", "1")
    first = told(smppgate, "credit", "add", "acme", "2.5", "--request-id", "r1", "--note", "invoice")
    assert first == told(smppgate, "credit", "add", "acme", "2.5", "--request-id", "r1")
    smppgate("credit", "add", "acme", "3", "--request-id", "r1", expect=3)
    assert told(smppgate, "credit", "add", "acme", "-0.5")["kind"] == "adjustment"
    smppgate("credit", "add", "acme", "-99", expect=3)
    lines = told(smppgate, "credit", "ledger", "acme")
    assert [line["amount"] for line in lines] == ["1", "2.5", "-0.5"]
    assert told(smppgate, "credit", "ledger", "acme", "--after", "1", "--limit", "1") == lines[1:2]


def test_the_ledger_is_printed_whole_however_long(smppgate: Smppgate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.cli.money.PAGE", 2)
    smppgate("account", "add", "acme")
    for _ in range(5):
        smppgate("credit", "add", "acme", "1")
    assert len(told(smppgate, "credit", "ledger", "acme")) == 5
    assert len(told(smppgate, "credit", "ledger", "acme", "--limit", "3")) == 3


def test_prices(smppgate: Smppgate) -> None:
    smppgate("account", "add", "acme")
    assert told(smppgate, "price", "set", "gold", "+48=0.5", "*=2")["prices"] == {"*": "2", "48": "0.5"}
    assert told(smppgate, "price", "set", "gold", "33=1", "--remove", "48")["prices"] == {"*": "2", "33": "1"}
    assert [plan["name"] for plan in told(smppgate, "price", "list")] == ["default", "gold"]
    assert told(smppgate, "price", "show", "gold")["name"] == "gold"
    smppgate("price", "show", "none", expect=3)
    smppgate("price", "set", "gold", "--remove", "48", expect=3)
    smppgate("price", "set", "gold", "48", expect=2)
    smppgate("price", "set", "gold", "48=-1", expect=2)
    smppgate("price", "set", "gold", expect=2)
    smppgate("account", "set", "acme", "--price-plan", "gold")
    smppgate("price", "delete", "gold", expect=3)
    smppgate("account", "set", "acme", "--price-plan", "default")
    smppgate("price", "delete", "gold")
    smppgate("price", "delete", "gold", expect=3)
    smppgate("price", "delete", "default", expect=3)


def test_messages_refusals_binds_and_mo(smppgate: Smppgate) -> None:
    smppgate("account", "add", "acme", "--sender", "48500600700")
    assert told(smppgate, "message", "list", "acme") == []
    smppgate("message", "show", "acme", "123", expect=3)
    smppgate("message", "show", "acme", "nonsense", expect=2)
    assert told(smppgate, "refusal", "list") == told(smppgate, "refusal", "list", "acme") == []
    assert told(smppgate, "refusal", "list", "--kind", "bind", "--since", "2026-01-01") == []
    nothing: dict[str, Any] = {"messages": [], "refusals": [], "next": None, "explained": None}
    assert told(smppgate, "refusal", "why", "48600100200") == nothing
    assert told(smppgate, "bind", "list") == []
    smppgate("bind", "kick", "1", expect=3)
    smppgate("bind", "kick", expect=2)
    assert told(smppgate, "bind", "kick", "--account", "acme") == {"kicked": 0}
    assert told(smppgate, "mo", "48600100200", "+48500600700", "hi")["account"] == "smpp-acme"
    smppgate("mo", "48600100200", "4321", "hi", expect=3)


def test_export_is_one_json_object_with_or_without_the_flag(smppgate: Smppgate) -> None:
    smppgate("account", "add", "acme", "--credits", "1000")
    plain = smppgate("account", "export", "acme").stdout
    assert plain == smppgate("account", "export", "acme", "--json").stdout
    assert list(json.loads(plain)) == ["account", "balance", "messages", "ledger"]


def test_audit_and_doctor(smppgate: Smppgate, data: Path) -> None:
    smppgate("account", "add", "acme", "--credits", "1")
    assert told(smppgate, "audit") == {"ok": True, "problems": [], "imbalance": "0"}
    assert "right" in smppgate("audit").stdout
    data.chmod(0o755)
    found = {each["check"]: each for each in told(smppgate, "doctor")}
    assert found["store"]["state"] == "ok"
    assert found["data folder"]["state"] == "warning"
    assert "chmod 700" in found["data folder"]["advice"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("account", "show", "none"), 3),
        (("account", "set", "none", "--window", "5"), 3),
        (("account", "set", "acme"), 2),
        (("account", "set", "acme", "--window", "0"), 2),
        (("account", "set", "acme", "--default-sender", "OTHER"), 2),
        (("account", "set", "acme", "--reset", "nonsense"), 2),
        (("account", "add", "acme"), 3),
        (("account", "add", "no spaces"), 2),
        (("account", "add", "other", "--ip", "10.0.0.1/8"), 2),
        (("account", "add", "other", "--price-plan", "none"), 2),
        (("account", "ip", "rm", "acme", "10.0.0.1"), 3),
        (("credit", "add", "acme", "ten"), 2),
        (("credit", "ledger", "none"), 3),
        (("nonsense",), 2),
        (("account", "nonsense"), 2),
    ],
)
def test_exit_codes(smppgate: Smppgate, words: tuple[str, ...], code: int) -> None:
    smppgate("account", "add", "acme")
    said = smppgate(*words, expect=code)
    assert said.stderr.strip()
    assert "Traceback" not in said.output
    assert said.stdout == ""


def test_all_that_is_wrong_is_named(smppgate: Smppgate) -> None:
    said = smppgate("account", "add", "no spaces", "--password", "a b", "--credits", "x", expect=2).stderr
    assert all(f"  {field}: " in said for field in ("name", "password", "credits"))


def test_a_login_is_printed_with_what_to_do_next(smppgate: Smppgate) -> None:
    said = smppgate("account", "add", "acme", "--system-id", "x" * 16, "--password", "long-enough")
    assert "long-enough" in said.stdout
    assert "account ip add smpp-acme" in said.stdout
    assert said.stderr.count("warning: ") == 2


def test_listings_are_tables(smppgate: Smppgate) -> None:
    smppgate("account", "add", "acme", "--credits", "1234.5", "--description", "x" * 100)
    [heading, line] = smppgate("account", "list").stdout.splitlines()
    assert heading.split()[:3] == ["Account", "system_id", "Status"]
    assert "1234.5" in line
    assert line.endswith("x" * 100), "a pipe has no width"
    assert "\x1b" not in line


def test_what_a_peer_wrote_cannot_harm_a_terminal(smppgate: Smppgate) -> None:
    from gateway.cli.printing import shown

    assert shown("a\x1b[2Jb\n\u202e") == "a\\u001b[2Jb\\u000a\\u202e"


def test_without_a_store_it_says_so(smppgate: Smppgate, data: Path) -> None:
    said = smppgate("account", "list", expect=1).stderr
    assert "there is no store" in said
    assert "quickstart" in said
    assert not data.exists()
    smppgate("doctor")
    assert not data.exists()


def test_a_lock_without_a_server_behind_it(smppgate: Smppgate, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PATIENCE", 0.2)
    smppgate("account", "add", "acme")
    held = os.open(data / "lock", os.O_RDWR)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "locked by another process" in smppgate("account", "list", expect=1).stderr
    finally:
        os.close(held)
    smppgate("account", "list")


def test_a_damaged_store_is_left_alone(smppgate: Smppgate, data: Path) -> None:
    smppgate("account", "add", "acme")
    (data / "smppgate.db").write_bytes(b"no database at all" * 100)
    assert "cannot be opened" in smppgate("account", "list", expect=1).stderr
    found = {each["check"]: each for each in json.loads(smppgate("doctor", "--json", expect=1).stdout)}
    assert found["store"]["state"] == "bad"


def test_config_and_data_dir_mean_the_same_wherever_they_stand(
    smppgate: Smppgate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SMPPGATE_DATA_DIR")
    file = tmp_path / "smppgate.toml"
    file.write_text('data_dir = "mine"\n')
    smppgate("account", "add", "acme", "--config", str(file))
    assert (tmp_path / "mine" / "smppgate.db").exists()
    for words in (
        ("--config", str(file), "account", "list"),
        ("account", "--config", str(file), "list"),
        ("account", "list", "--config", str(file)),
        ("account", "list", "--data-dir", str(tmp_path / "mine")),
        ("--data-dir", str(tmp_path / "mine"), "account", "list"),
    ):
        assert [account["name"] for account in told(smppgate, *words)] == ["smpp-acme"]
    monkeypatch.setenv("SMPPGATE_CONFIG", str(file))
    assert len(told(smppgate, "account", "list")) == 1


def test_config_check(smppgate: Smppgate, tmp_path: Path) -> None:
    assert "127.0.0.1:2775" in smppgate("config", "check").stdout
    file = tmp_path / "wrong.toml"
    file.write_text('[smpp]\nlisten = "x"\nnonsense = 1\n')
    said = smppgate("config", "check", "--config", str(file), expect=1).stderr
    assert "smpp.listen[0]: " in said
    assert "smpp.nonsense: unknown key" in said


def test_a_transfer_and_both_statements(smppgate: Smppgate) -> None:
    for name in ("acme", "branch"):
        smppgate("account", "add", name, "--credits", "10")
    for _ in range(2):
        moved = told(smppgate, "credit", "transfer", "acme", "branch", "2.5", "--request-id", "t1", "--note", "rent")
    assert (moved["from"]["balance_after"], moved["to"]["balance_after"]) == ("7.5", "12.5")
    smppgate("credit", "transfer", "branch", "acme", "1", "--request-id", "t1", expect=3)
    smppgate("credit", "transfer", "acme", "branch", "8", expect=2)
    lines = told(smppgate, "credit", "statement", "branch")
    assert [(line["kind"], line["amount"], line["account"]) for line in lines] == [
        ("transfer_in", "2.5", "smpp-acme"), ("topup", "10", None)
    ]  # fmt: skip
    assert told(smppgate, "credit", "statement", "branch", "--kind", "messages") == []
    smppgate("credit", "statement", "branch", "--from", "soon", expect=2)


def test_a_ledger_for_a_spreadsheet(smppgate: Smppgate) -> None:
    smppgate("account", "add", "acme", "--credits", "10")
    smppgate("credit", "add", "acme", "1", "--note", "=1+1")
    head, *rows = smppgate("credit", "ledger", "acme", "--csv").stdout.splitlines()
    assert head.startswith("kind,from,to,messages,amount,balance_after")
    assert [row.split(",")[4] for row in rows] == ["1", "10"]
    assert "'=1+1" in rows[0]


def test_top_ups_are_asked_for_and_decided(smppgate: Smppgate) -> None:
    smppgate("account", "add", "acme", "--credits", "10")
    first, second = (told(smppgate, "credit", "request", "acme", amount, "--note", "May") for amount in ("5", "7"))
    assert [one["id"] for one in told(smppgate, "credit", "topups")] == [first["id"], second["id"]]
    assert told(smppgate, "credit", "approve", str(first["id"]))["state"] == "booked"
    assert told(smppgate, "credit", "refuse", str(second["id"]), "--reason", "unpaid")["reason"] == "unpaid"
    smppgate("credit", "approve", str(second["id"]), expect=3)
    smppgate("credit", "approve", "99", expect=3)
    smppgate("credit", "request", "acme", "-1", expect=2)
    assert told(smppgate, "credit", "topups") == []
    assert [one["state"] for one in told(smppgate, "credit", "topups", "--account", "acme")] == ["refused", "booked"]
    assert told(smppgate, "account", "show", "acme")["balance"] == "15"
    assert "unpaid" in smppgate("credit", "topups", "--account", "acme").stdout


def test_what_would_a_message_cost(smppgate: Smppgate) -> None:
    smppgate("account", "add", "acme", "--sender", "ACME")
    found = told(smppgate, "estimate", "x" * 161, "--account", "acme", "--to", "48600100200")
    assert (found["parts"], found["credits"]) == (2, "2")
    assert "parts" in smppgate("estimate", "Hello").stdout  # there is one account only
    refused = smppgate("estimate", "Hello", "--to", "48600100200", "--from", "OTHER", expect=1)
    assert "sender_not_allowed" in refused.stderr


def test_a_sender_is_registered_with_a_document_and_decided_about(smppgate: Smppgate, tmp_path: Path) -> None:
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"%PDF-1.7\n\xff")
    smppgate("account", "add", "acme")
    words = ("acme", "A/B", "--reason", "our shop", "--document", str(letter))
    made = told(smppgate, "sender", "add", *words)
    [document] = made["documents"]
    assert (made["state"], document["name"], document["type"]) == ("waiting", "letter.pdf", "application/pdf")
    assert smppgate("sender", "document", "acme", "A/B", str(document["id"])).stdout_bytes == letter.read_bytes()
    assert "A/B" in smppgate("sender", "list").stdout
    assert "our shop" in smppgate("sender", "list").stdout
    smppgate("sender", "add", *words, expect=3)
    for step, state in (("approve", "enabled"), ("disable", "disabled"), ("enable", "enabled")):
        assert told(smppgate, "sender", step, "acme", "A/B")["state"] == state
    assert told(smppgate, "sender", "refuse", "acme", "A/B", "--comment", "not yours")["comment"] == "not yours"
    assert "not yours" in smppgate("sender", "show", "acme", "A/B").stdout
    letter.write_bytes(b"MZ")
    assert "PDF, JPEG or PNG" in smppgate("sender", "add", "acme", "C", *words[2:], expect=2).stderr
    smppgate("sender", "remove", "acme", "A/B")
    smppgate("sender", "show", "acme", "A/B", expect=3)


def test_numbers_come_on_the_blacklist_and_off_it(smppgate: Smppgate) -> None:
    smppgate("account", "add", "acme", "--sender", "36180")
    smppgate("blacklist", "add", "acme", "+48600100200", "48600100201", "--note", "by letter")
    smppgate("mo", "48600100202", "36180", "stop")
    listed = told(smppgate, "blacklist", "list", "acme")["items"]
    assert [(one["number"][-1], one["origin"], one["note"]) for one in listed] == [
        ("0", "manual", "by letter"), ("1", "manual", "by letter"), ("2", "stop", ""),
    ]  # fmt: skip
    smppgate("blacklist", "remove", "acme", "48600100202")
    smppgate("blacklist", "remove", "acme", "48600100202", expect=3)
    smppgate("blacklist", "add", "acme", "4860x", expect=2)
    assert "48600100201" in smppgate("blacklist", "list", "acme").stdout
