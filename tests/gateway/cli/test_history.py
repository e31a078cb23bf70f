"""smppgate history: found, traced, erased, cancelled, and written to a file, beside a running server."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.road.desk import Desk
from tests.server import HOST, Login, Server, eventually

pytestmark = pytest.mark.road
TO = "48600100200"


@pytest.fixture(scope="module")
def login(server: Server) -> Login:
    return server.account("looked-at", "--sender", "MAPLE")


def send(server: Server, login: Login, source: str = "MAPLE", expect: int = 0) -> None:
    words = ("--system-id", login.system_id, "--password", login.password, "--host", HOST, "--port", str(server.port))
    server.cli("send", source, TO, "Hello", "--wait", *words, expect=expect)


def test_from_the_list_to_the_file(server: Server, login: Login, tmp_path: Path) -> None:
    send(server, login)
    [one] = server.json("history", "list", login.name, "--sender", "MAPLE", "--state", "delivered")
    assert server.json("history", "list", login.name, "--message-id", one["message_id"]) == [one]
    assert server.json("history", "list", login.name, "--recipient", "4") == []
    traced = server.json("history", "trace", login.name, one["key"])
    assert [step["what"] for step in traced["timeline"]][:3] == ["submitted", "charged", "ended"]
    assert "submitted" in server.cli("history", "trace", login.name, one["key"])
    file = tmp_path / "sent.csv"
    server.cli("history", "export", login.name, str(file), "--sender", "MAPLE")
    assert [line.split(",")[0] for line in file.read_text().splitlines()] == ["id", one["message_id"]]
    assert file.stat().st_mode & 0o777 == 0o600
    server.cli("history", "export", login.name, str(file), expect=1)  # it is not overwritten
    assert server.json("history", "erase", login.name, one["key"]) == {"erased": 1}
    server.cli("history", "erase", login.name, one["key"] + "0", expect=3)


def test_what_was_refused(server: Server, login: Login) -> None:
    send(server, login, "OTHER", expect=1)
    [one] = eventually("it is remembered", lambda: server.json("history", "refused", login.name))
    assert (one["reason"], one["source_addr"]) == ("sender_not_allowed", "OTHER")
    assert server.json("history", "refused", login.name, "--reason", "no_credit") == []


def test_what_was_received(server: Server, login: Login, tmp_path: Path) -> None:
    server.cli("mo", TO, "MAPLE", "hi there", "--account", login.name)
    [one] = server.json("history", "list", login.name, "--received", "--sender", TO)
    assert (one["text"], one["state"]) == ("hi there", "waiting")
    server.cli("history", "list", login.name, "--received", "--state", "delivered", expect=2)
    server.cli("history", "erase", login.name, "--received", one["key"], expect=3)  # nobody has taken it
    file = tmp_path / "received.csv"
    server.cli("history", "export", login.name, str(file), "--received")
    assert "hi there" in file.read_text()


def test_a_message_that_waits_for_its_time_is_cancelled(server: Server, login: Login) -> None:
    at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = {"recipients": [TO], "message": "later", "sender": "MAPLE", "schedule": at}
    [told] = Desk(server).ask("POST", "accounts", login.name, "outgoing", body=body)["items"]
    server.cli("history", "cancel", login.name, told["ids"][0])
    server.cli("history", "cancel", login.name, told["ids"][0], expect=3)
    assert server.json("history", "trace", login.name, told["ids"][0])["state"] == "deleted"
