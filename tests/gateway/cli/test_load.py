"""smppgate load against a real server: its figures, its complaints, its exit status."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trustme
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.cli.load import VARIABLE, planned
from gateway.load.figures import figures
from gateway.load.plan import Plan
from gateway.load.tally import Tally
from tests.server import HOST, HOUSE, Login, Server, eventually, free_port

MIX = ("--mix", "gsm=8,ucs2=1,long=1", "--parts", "4")


@pytest.fixture(scope="module")
def login(server: Server) -> Login:
    return server.account("load", "--credits", "1000000", "--window", "50", "--max-binds", "8")


def words(server: Server, login: Login, *more: str) -> tuple[str, ...]:
    return ("load", "-p", str(server.port), "-u", login.system_id, "--password", login.password, *more)


def called(*given: str, stdin: str = "", **environment: str) -> Result:
    return CliRunner(env={VARIABLE: None, **environment}).invoke(
        main, ["load", *given], input=stdin, prog_name="smppgate"
    )


def plan(*given: str) -> Plan:
    command = main.commands["load"]
    with command.make_context("load", ["-u", "me", "--password", "pw", *given]) as context:
        return planned({name: value for name, value in context.params.items() if name != "json_"})


# against a server


def test_a_mix_with_receipts_is_accepted_whole(server: Server, login: Login) -> None:
    found = json.loads(
        server.cli(*words(server, login, "-c", "3", "-w", "20", "-n", "1300", "--receipts", "--json", *MIX))
    )
    assert (found["sent"], found["accepted"], found["receipts"], found["ids"]) == (1300, 1300, 1300, "match")
    assert (found["statuses"], found["faults"], found["foreign_receipts"]) == ({"ESME_ROK": 1300}, [], 0)
    assert found["texts"] == {"gsm": 8, "ucs2": 1, "long": 1}
    assert 0 < found["receipt_p50_ms"] <= found["receipt_max_ms"]
    account = server.export(login)
    kinds = {(message["text"] or "")[:6] for message in account["messages"]}
    assert kinds == {"The qu", "Zażółć"} | {text for text in kinds if text.isascii()}


def test_the_figures_in_words(server: Server, login: Login) -> None:
    said = server.cli(*words(server, login, "-t", "0.3", "--rate", "200", "--warm-up", "0.1", "--sender", "ACME"))
    assert "accepted" in said
    assert "p99.9" in said
    assert "\x1b" not in said


def test_a_transmitter(server: Server, login: Login) -> None:
    found = json.loads(server.cli(*words(server, login, "--bind", "transmitter", "-n", "20", "--json")))
    assert (found["bind"], found["accepted"]) == ("transmitter", 20)


def test_a_refused_bind_is_explained(server: Server, login: Login) -> None:
    ran = called("-p", str(server.port), "-u", login.system_id, "--password", "wrong")
    assert ran.exit_code == 1
    assert "refused with 0x0E ESME_RINVPASWD: the system_id or the password is wrong" in ran.stderr


def test_what_is_throttled_is_refused_and_not_sent_again(server: Server) -> None:
    slow = server.account("slow", "--throughput", "20", "--window", "20")
    ran = called(*words(server, slow, "-w", "20", "-n", "400", "--json")[1:])
    assert ran.exit_code == 1
    found = json.loads(ran.stdout)
    assert found["sent"] == 400 == found["accepted"] + found["throttled"]
    assert found["accepted"] > 0
    assert found["statuses"]["ESME_RTHROTTLED"] == found["throttled"] > 0


def test_what_cannot_be_paid_is_told(server: Server) -> None:
    poor = server.account("short", "--credits", "10")
    ran = called(*words(server, poor, "-n", "20")[1:])
    assert ran.exit_code == 1
    assert "10 with 0x403 ESME_RNOCREDIT" in ran.stdout


@pytest.mark.parametrize("how", ["variable", "standard input"])
def test_the_password_need_not_stand_on_the_command_line(server: Server, login: Login, how: str) -> None:
    given = ["-p", str(server.port), "-u", login.system_id, "-n", "5"]
    if how == "variable":
        ran = called(*given, **{VARIABLE: login.password})
    else:
        ran = called(*given, "--password", "-", stdin=login.password + "\n")
    assert (ran.exit_code, login.password in ran.output) == (0, False)


def test_the_variable_is_no_setting_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "secret")
    ran = CliRunner().invoke(main, ["config", "check"])
    assert ran.exit_code == 0, ran.output


def test_an_interrupt_still_prints_the_figures(server: Server) -> None:
    login = server.account("stopped", "--credits", "1000000")
    given = [sys.executable, "-m", "gateway", *words(server, login, "-t", "60", "--receipts", "--json")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMPPGATE_")}
    with subprocess.Popen(given, cwd=HOUSE, env=environment, stdout=subprocess.PIPE, text=True) as running:
        try:
            eventually("it sends", lambda: server.json("message", "list", login.name))
            running.send_signal(signal.SIGINT)
            out, _ = running.communicate(timeout=20)
        finally:
            running.kill()
    found = json.loads(out)
    assert running.returncode == 0
    assert found["interrupted"]
    assert found["accepted"] == found["sent"] == found["receipts"]


def test_over_tls(tmp_path: Path) -> None:
    trust, port = trustme.CA(), free_port()
    issued = trust.issue_cert(HOST)
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    trust.cert_pem.write_to_path(tmp_path / "ca.pem")
    more = f'[smpp.tls]\nlisten = ["{HOST}:{port}"]\ncert = "{tmp_path}/cert.pem"\nkey = "{tmp_path}/key.pem"\n'
    with Server(tmp_path / "server", more=more) as server:
        login = server.account("secured", "--window", "50")
        given = words(server, login, "-p", str(port), "--tls", "-w", "50", "-n", "500", "--receipts")
        found = json.loads(server.cli(*given, "--ca", str(tmp_path / "ca.pem"), "--json"))
        assert (found["accepted"], found["receipts"], found["tls"]) == (500, 500, True)
        ran = called(*given[1:])
        assert (ran.exit_code, "certificate is not accepted" in ran.stderr) == (1, True)


# flags


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--receipts", "--bind", "transmitter"], "a transmitter gets no receipts"),
        (["--mix", "gsm=1,latin=2"], "gsm=N"),
        (["--mix", "gsm=1,gsm=2"], "gsm=N"),
        (["--mix", "gsm=0"], "all shares are 0"),
        (["--mix", "gsm=997,long=2", "--sender", "a", "--sender", "b"], "rounder shares"),
        (["--parts", "3"], "--mix"),
        (["--parts", "3", "--mix", "gsm=1"], "--mix"),
        (["--text", "hi", "--length", "3"], "--text"),
        (["--text", "x" * 50_000], "--text: 327 parts"),
        (["--to", "48x"], "digits"),
        (["--to", "#" * 21], "20 at most"),
        (["--insecure"], "--tls"),
        (["--tls", "--ca", __file__], "cannot be used"),
        (["--length", "161"], "161"),
        (["--connections", "0"], "0"),
    ],
)
def test_flags_that_cannot_be(given: list[str], said: str) -> None:
    ran = called("-u", "me", "--password", "pw", *given)
    assert (ran.exit_code, said in ran.stderr) == (2, True), ran.stderr


def test_a_login_is_needed() -> None:
    assert (called().exit_code, called("-u", "me").exit_code) == (2, 2)
    assert VARIABLE in called("-u", "me").stderr


def test_a_password_is_asked_for_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.cli.load.getpass", lambda _prompt: "typed")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    command = main.commands["load"]
    with command.make_context("load", ["-u", "me"]) as context:
        assert planned(context.params).password == "typed"


def test_what_the_flags_mean() -> None:
    assert (plan().seconds, plan("-n", "5").seconds, plan("-n", "5", "-t", "2").seconds) == (10, float("inf"), 2)
    assert plan("--to", "+4860######").destination == "4860######"
    assert plan("--sender", "A", "--sender", "B").senders == ("A", "B")
    assert [text.kind for text in plan("--text", "żółw").texts] == ["ucs2"]
    assert [len(text.parts[0]) for text in plan("--length", "7").texts] == [7]
    assert plan("--tls", "--insecure").tls is not None


def test_every_key_of_the_json_is_explained(server: Server, login: Login) -> None:
    found: dict[str, Any] = figures(Plan(2775), Tally(), 1.0, 0)
    more = ("unanswered", "lost_connections", "interrupted", "generator_share", "warnings", "faults")
    page = (HOUSE / "docs" / "CLI.md").read_text("utf-8").partition("### `smppgate load`")[2].partition("\n### ")[0]
    assert [key for key in (*found, *more) if f"`{key}`" not in page] == []
    printed = json.loads(server.cli(*words(server, login, "-n", "1", "--json")))
    assert printed.keys() == {*found, *more}


def test_nothing_heavy_is_loaded() -> None:
    """It is a client: no server, no store, no configuration."""
    slow = ("pydantic", "fastapi", "starlette", "uvicorn", "aiosqlite", "argon2", "asyncio", "store", "acl", "smpplib")
    program = f"""
import sys
import gateway.load.running, gateway.load.report
print(*[name for name in {slow!r} if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd=HOUSE, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []
