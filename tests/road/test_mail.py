"""A new password by mail, all the way: asked for over HTTP, taken by a mail server, bound with over SMPP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pdu import constants as c
from tests.mailserver import MailServer, fact
from tests.road.client import bound, connect
from tests.road.running import Road
from tests.server import Login, eventually

pytestmark = pytest.mark.road

TO = {"contact_email": "ola@example.com"}


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def road(tmp_path: Path, mail: MailServer) -> Iterator[Road]:
    section = f'[mail]\nhost = "127.0.0.1"\nport = {mail.port}\nsecurity = "none"\nsender = "sms@example.net"\n'
    with Road(tmp_path, more=section) as running:
        yield running


async def opens(road: Road, login: Login) -> bool:
    client = await connect(road.port)
    answer = await client.bind(login)
    client.abort()
    return answer.status == c.ESME_ROK


async def test_asked_for_over_http_mailed_and_bound_with(road: Road, mail: MailServer) -> None:
    login = road.desk.account("acme", max_binds=5, **TO)
    client = await bound(road.port, login)
    assert road.desk.ask("POST", "accounts", login.name, "smpp", "password") is None
    eventually("the letter arrives", lambda: mail.letters)
    eventually("it is noted", lambda: road.desk.ask("GET", "mail")["counts"] == {"sent": 1})
    renewed = login._replace(password=fact(mail.letters[0], "Password"))
    assert (await opens(road, renewed), await opens(road, login)) == (True, False)
    assert len(road.desk.binds(login)) == 1  # the one from before stays: nobody asked to drop it
    client.abort()
    assert road.metric('smppgate_mail_attempts_total{result="sent"}') == 1
    assert renewed.password not in road.said()


async def test_killed_when_the_letter_has_left_and_nobody_knows_the_old_password_is_valid(
    road: Road, mail: MailServer
) -> None:
    login = road.desk.account("acme", **TO)
    mail.before_250 = road.kill
    road.desk.ask("POST", "accounts", login.name, "smpp", "password")
    eventually("the letter arrives", lambda: mail.letters)
    eventually("the server is dead", lambda: road.process is None)
    mail.before_250 = lambda: None
    mail.answers = ["451 not now"]
    road.start()
    eventually("it is tried again", lambda: road.desk.ask("GET", "mail")["items"][0]["tries"])
    lost = login._replace(password=fact(mail.letters[0], "Password"))
    assert (await opens(road, lost), await opens(road, login)) == (False, True)

    letter = road.desk.ask("GET", "mail")["items"][0]["id"]
    road.cli("mail", "retry", str(letter))
    eventually("it is sent", lambda: road.desk.ask("GET", "mail")["counts"] == {"sent": 1})
    renewed = login._replace(password=fact(mail.letters[1], "Password"))
    assert (await opens(road, renewed), await opens(road, lost), await opens(road, login)) == (True, False, False)


def test_the_outbox_from_the_command_line(road: Road, mail: MailServer) -> None:
    login = road.desk.account("acme", **TO)
    mail.answers = ["451 not now", "550 never"]
    assert "on its way to ola@example.com" in road.cli("account", "rotate-password", login.name, "--mail")
    eventually("it is tried", lambda: road.json("mail", "list")["items"][0]["tries"] == 1)
    letter = str(road.json("mail", "list")["items"][0]["id"])
    assert road.json("mail", "discard", letter)["state"] == "discarded"
    road.cli("mail", "test", "ola@example.com", expect=1)
    assert "sent" in road.cli("mail", "test", "ola@example.com")
    road.cli("mail", "retry", "999", expect=3)
