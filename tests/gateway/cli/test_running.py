"""The command line beside a running server: never the database, always the socket; changes show at once."""

import json
import os
import shlex
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import smpplib.client
import smpplib.exceptions

from tests.server import HOST, HOUSE, Login, Server, eventually, free_port

pytestmark = pytest.mark.road


@pytest.fixture
def login(server: Server, request: pytest.FixtureRequest) -> Login:
    return server.account(f"t{abs(hash(request.node.name)) % 10**9}", "--max-binds", "5")


def bound(server: Server, login: Login) -> Any:
    client = smpplib.client.Client(HOST, server.port, timeout=10, allow_unknown_opt_params=True)
    client.connect()
    try:
        client.bind_transceiver(system_id=login.system_id, password=login.password)
    except smpplib.exceptions.PDUError:
        hang_up(client)
        raise
    return client


def hang_up(*clients: Any) -> None:
    for client in clients:
        client.state = smpplib.consts.SMPP_CLIENT_STATE_OPEN  # spares its warning
        client.disconnect()


def send(server: Server, login: Login, to: str, *flags: str, expect: int = 0) -> str:
    words = ("--system-id", login.system_id, "--password", login.password, "--host", HOST, "--port", str(server.port))
    return server.cli("send", "smppgate", to, "Hello", *words, *flags, expect=expect)


def test_a_message_from_send_to_export(server: Server, login: Login) -> None:
    said = send(server, login, "48600100200", "--wait")
    id_ = said.splitlines()[0].removeprefix("accepted: ")
    assert f"id:{id_} " in said
    assert "stat:DELIVRD" in said
    shown = server.json("message", "show", login.name, id_)
    assert (shown["state"], shown["text"], shown["charge"]) == ("delivered", "Hello", "1")
    assert [each["message_id"] for each in server.json("message", "list", login.name)] == [id_]
    export = server.export(login)
    assert [each["message_id"] for each in export["messages"]] == [id_]
    assert (export["balance"], [line["kind"] for line in export["ledger"]]) == ("999", ["topup", "debit"])
    assert server.json("audit")["ok"] is True


def test_send_in_parts_and_as_json(server: Server, login: Login) -> None:
    words = ("--system-id", login.system_id, "--password", login.password, "--host", HOST, "--port", str(server.port))
    sent = server.json("send", "smppgate", "48600100209", "0123456789" * 20, "--wait", *words)
    assert len(set(sent["message_ids"])) == len(sent["receipts"]) == 2
    assert all("stat:UNDELIV" in receipt for receipt in sent["receipts"])


def test_a_refusal_is_explained(server: Server, login: Login) -> None:
    send(server, login, "0123", expect=1)

    def remembered() -> Any:
        return server.json("refusal", "list", login.name)

    [refusal] = eventually("the refusal is remembered", remembered)
    assert (refusal["reason"], refusal["status"], refusal["account"]) == ("destination_invalid", "0x0B", login.name)
    explained = server.json("refusal", "why", login.name)["explained"]
    assert [each["result"] for each in explained["checks"][:4]] == ["passed", "passed", "refused", "not reached"]
    wrong = Login(login.name, login.system_id, "wrong")
    send(server, wrong, "48600100200", expect=1)
    eventually("both are", lambda: "wrong_password" in [each["reason"] for each in remembered()])


def test_binds_are_listed_and_kicked(server: Server, login: Login) -> None:
    first, second = bound(server, login), bound(server, login)
    listed = server.json("bind", "list", login.name)
    assert [bind["type"] for bind in listed] == ["transceiver"] * 2
    assert all(bind["peer"] == HOST and bind["since"].endswith("Z") for bind in listed)
    assert server.json("account", "show", login.name)["binds"] == 2
    assert server.json("bind", "kick", str(listed[0]["id"])) == {"kicked": 1}
    assert first.read_pdu().command == "unbind"
    assert server.json("account", "disable", login.name)["status"] == "DISABLED"
    assert second.read_pdu().command == "unbind"
    hang_up(first, second)
    eventually("nobody is bound", lambda: not server.json("bind", "list", login.name))
    server.cli("bind", "kick", "999999", expect=3)


def test_a_rotated_password_is_refused_at_once(server: Server, login: Login) -> None:
    kept = bound(server, login)
    made = server.json("account", "rotate-password", login.name)
    with pytest.raises(smpplib.exceptions.PDUError):
        bound(server, login)
    again = bound(server, login._replace(password=made["password"]))
    assert server.json("account", "rotate-password", login.name, "--drop-binds")["dropped_binds"] == 2
    assert kept.read_pdu().command == "unbind"
    hang_up(kept, again)


def test_settings_that_change_while_bound(server: Server, login: Login) -> None:
    client = bound(server, login)
    assert server.json("account", "set", login.name, "--window", "3")["window"] == 3
    assert server.json("bind", "list", login.name)[0]["window"] == 3
    assert server.json("account", "ip", "rm", login.name, HOST)["status"] == "WAITING_IP"
    assert client.read_pdu().command == "unbind"
    hang_up(client)


def test_a_message_from_a_phone(server: Server) -> None:
    login = server.account("inbox", "--sender", "48500600700")
    client = bound(server, login)
    made = server.json("mo", "48600100200", "48500600700", "Cześć")
    assert (made["account"], made["parts"]) == (login.name, 1)
    received = client.read_pdu()
    assert received.command == "deliver_sm"
    assert received.short_message.decode("utf-16-be") == "Cześć"
    hang_up(client)


def test_credits_show_on_the_live_account(server: Server) -> None:
    login = server.account("poor", "--credits", "1")
    send(server, login, "48600100200")
    send(server, login, "48600100200", expect=1)
    server.cli("credit", "add", login.name, "1", "--request-id", "r1")
    server.cli("credit", "add", login.name, "1", "--request-id", "r1")
    send(server, login, "48600100200")
    send(server, login, "48600100200", expect=1)
    assert server.export(login)["balance"] == "0"


def test_the_socket_is_private_and_the_doctor_content(server: Server) -> None:
    assert stat.S_IMODE((server.data / "admin.sock").stat().st_mode) == 0o600
    found = {finding["check"]: finding for finding in server.json("doctor")}
    assert found["server"]["found"] == "running"
    assert {finding["state"] for name, finding in found.items() if name.endswith(".listen")} == {"ok"}


def test_a_second_server_on_the_same_folder(server: Server) -> None:
    assert server.cli("serve", expect=1) == ""
    assert server.json("account", "list") is not None


@pytest.fixture
def demo(tmp_path: Path) -> tuple[list[str], dict[str, str], Path]:
    """How to run quickstart on free ports: the words, the environment, the folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMPPGATE_")}
    environment |= {
        "SMPPGATE_SMPP__LISTEN": f"{HOST}:{free_port()}", "SMPPGATE_METRICS__LISTEN": "", "SMPPGATE_WEB__LISTEN": "",
        "SMPPGATE_SIMULATOR__DELAY": "0.05s", "PYTHONPATH": str(HOUSE),
    }  # fmt: skip
    return [sys.executable, "-m", "gateway"], environment, tmp_path


def test_every_file_of_the_data_folder_is_explained(server: Server) -> None:
    server.json("audit")
    page = (HOUSE / "docs" / "OPERATING.md").read_text("utf-8")
    found = {path.name for path in server.data.iterdir()}
    assert found >= {"smppgate.db", "smppgate.db-wal", "lock", "admin.sock"}
    assert {name for name in found if f"| `{name}` |" not in page} == set()


def test_quickstart_twice(demo: tuple[list[str], dict[str, str], Path]) -> None:
    program, environment, folder = demo
    logins = []
    for _ in range(2):
        with (folder / "out").open("w") as out:
            running = subprocess.Popen(
                [*program, "quickstart"], cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT
            )
        try:
            eventually("it says how to bind", lambda: "In another terminal" in (folder / "out").read_text())
            file = folder / "data" / "demo.json"
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            logins.append(json.loads(file.read_text()))
            assert logins[-1]["password"] in (folder / "out").read_text()
            words = shlex.split((folder / "out").read_text().partition("In another terminal:")[2])
            ran = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
            assert "stat:DELIVRD" in ran.stdout, ran.stderr
            explained = (HOUSE / "docs" / "OPERATING.md").read_text("utf-8")
            assert {path.name for path in file.parent.iterdir() if f"| `{path.name}` |" not in explained} == set()
            again = subprocess.run(
                [*program, "quickstart"], cwd=folder, env=environment, capture_output=True, check=False
            )
            assert (again.returncode, b"already running" in again.stderr) == (1, True)
        finally:
            running.send_signal(signal.SIGTERM)
            started = time.monotonic()
            assert running.wait(20) == 0, (folder / "out").read_text()
            assert time.monotonic() - started < 5
    assert logins[0] == logins[1]
    assert "Traceback" not in (folder / "out").read_text()


def test_a_port_that_is_taken(server: Server, demo: tuple[list[str], dict[str, str], Path]) -> None:
    program, environment, folder = demo
    environment |= {"SMPPGATE_SMPP__LISTEN": f"{HOST}:{server.port}"}
    ran = subprocess.run([*program, "serve"], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert str(server.port) in ran.stderr
    assert "Traceback" not in ran.stderr
