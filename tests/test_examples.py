"""Every script in examples/ runs as its head says and prints what it promises, against a real server."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import HOUSE, Login, Server

EXAMPLES = HOUSE / "examples"
pytestmark = pytest.mark.road


@pytest.fixture(scope="module")
def login(server: Server) -> Login:
    """An account like the one that `smppgate quickstart` makes."""
    return server.account("demo", "--throughput", "20")


def run(server: Server, script: Path, login_file: Path) -> str:
    ran = subprocess.run(
        [sys.executable, str(script), str(login_file)],
        env=server.environment() | {"PYTHONWARNINGS": "default"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize(
    ("script", "printed"),
    [
        (
            "bind_and_submit.py",
            r"accepted: (\d+)\n"
            r"receipt:  id:\1 sub:001 dlvrd:001 submit date:\d{10} done date:\d{10} stat:DELIVRD err:000 text:Hello"
            r".*\n",
        ),
        ("wrong_address.py", r"refused: status 0x0D\n"),
        ("no_credit.py", r"message 1: accepted\nmessage 2: accepted\nmessage 3: refused, status 0x403\n"),
        (
            "long_ucs2.py",
            r"part 1 of 3: (\d+) receipt\npart 2 of 3: (?!\1)(\d+) receipt\npart 3 of 3: (?!\1|\2)\d+ receipt\n",
        ),
        ("failed_receipt.py", r"48600100209: stat UNDELIV, err 009\n48600100208: stat REJECTD, err \d{3}\n"),
    ],
)
def test_example(server: Server, login: Login, script: str, printed: str) -> None:
    out = run(server, EXAMPLES / script, server.login_file(login))
    assert re.fullmatch(printed, out), out


def test_every_example_is_run_here() -> None:
    marks = test_example.pytestmark  # type: ignore[attr-defined]  # pytest hangs its marks on the function
    listed = {values[0] for mark in marks if mark.name == "parametrize" for values in mark.args[1]}
    assert {path.name for path in EXAMPLES.glob("*.py")} == listed


def test_the_stranger_is_told_nothing_but_the_operator_everything(server: Server, login: Login) -> None:
    run(server, EXAMPLES / "wrong_address.py", server.login_file(login))
    refusals = server.json("refusal", "list")
    assert any("127.0.0.99" in str(refusal) and "address" in str(refusal) for refusal in refusals), refusals


def test_the_log_tells_no_secrets(server: Server, login: Login) -> None:
    """Neither a password nor the text of a message, whatever happened in this module."""
    words = ["send", "smppgate", "48600100200", "Hello from the other side", "--port", str(server.port)]
    server.cli(*words, "--system-id", login.system_id, "--password", login.password, "--wait")
    server.cli(*words, "--system-id", login.system_id, "--password", "overheard", expect=1)
    run(server, EXAMPLES / "bind_and_submit.py", server.login_file(login))
    said = server.said()
    assert "smpp-demo" in said
    assert login.password not in said
    assert "overheard" not in said
    assert "Hello from the other side" not in said
