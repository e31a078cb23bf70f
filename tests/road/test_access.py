"""Who may come in, what a stranger can learn at the door, and what is written down about it."""

from __future__ import annotations

import json
import resource
import socket
import sqlite3
import statistics
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.log import UNSAFE
from gateway.smpp.proxied import SIGNATURE
from pdu import constants as c
from pdu.bodies import address
from tests.mailserver import MailServer, fact
from tests.road.client import MOBILE, bound, connect, until
from tests.road.running import Road
from tests.server import HOST, Login, eventually

pytestmark = pytest.mark.road

TRIES = 30
ALIKE = 1.5  # how much longer the median of one kind of refusal may take than that of another
NEAR = "127.1.1.{}"  # addresses that are on a list, so many that the brake knows none of them
PROXY, STRANGER = "127.0.0.7", "127.0.0.9"


# -- what a refused login tells ----------------------------------------------------------------------------------------
@pytest.mark.promise("A3")
async def test_refused_logins_have_one_answer_and_take_one_time(server: Road) -> None:
    """Each try comes from an address of its own: what is compared is the check, not the brake."""
    near = server.desk.account("near", addresses=["127.1.1.0/24"])
    far = server.desk.account("far", addresses=["127.2.0.0/16"])
    off = server.desk.account("off", addresses=["127.1.1.0/24"])
    server.desk.ask("POST", "accounts", off.name, "disable")
    logins = {
        "unknown system_id": Login("", "nobody", "whatever"),
        "wrong password": near._replace(password="whatever"),
        "wrong address": far,
        "disabled": off._replace(password="whatever"),
    }
    seconds: dict[str, list[float]] = {kind: [] for kind in logins}
    place = iter(range(1, 255))
    for _ in range(TRIES):
        for kind, login in logins.items():
            seconds[kind].append(await refused(server, login, NEAR.format(next(place)), c.ESME_RINVPASWD))
    medians = {kind: statistics.median(taken) for kind, taken in seconds.items()}
    assert max(medians.values()) < ALIKE * min(medians.values()), medians


@pytest.mark.promise("A3")
async def test_from_an_address_on_no_list_even_the_right_password_tells_nothing(server: Road) -> None:
    login = server.desk.account("right")
    for tried in (login, login._replace(password="whatever"), Login("", "nobody", "whatever"), Login("", "", "")):
        await refused(server, tried, STRANGER, c.ESME_RBINDFAIL)


async def refused(server: Road, login: Login, local: str, status: int) -> float:
    """-> seconds until the answer, which is all there is: an empty name of the server, and the end."""
    client = await connect(server.port, local=local)
    begun = time.perf_counter()
    answer = await client.bind(login)
    taken = time.perf_counter() - begun
    assert (answer.status, len(client.answers)) == (status, 1)
    await client.gone()
    return taken


# -- secrets -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.mark.promise("S1")
async def test_no_secret_is_said_anywhere(tmp_path: Path, mail: MailServer) -> None:
    section = f'[mail]\nhost = "{HOST}"\nport = {mail.port}\nsecurity = "none"\nsender = "sms@example.net"\n'
    async with Road(tmp_path, more=section, LOG__LEVEL="debug") as server:
        login = server.desk.account("acme", contact_email="ola@example.com", max_binds=0)
        secrets, answers = [login.password, "wr0ngOne"], list[str]()
        await bound(server.port, login)
        await refused(server, login._replace(password=secrets[1]), HOST, c.ESME_RINVPASWD)
        await refused(server, login, STRANGER, c.ESME_RBINDFAIL)
        assert server.desk.ask("POST", "accounts", login.name, "smpp", "password") is None
        eventually("the letter arrives", lambda: mail.letters)
        eventually("it is noted", lambda: server.desk.ask("GET", "mail")["counts"] == {"sent": 1})
        secrets.append(fact(mail.letters[0], "Password"))
        await bound(server.port, login._replace(password=secrets[-1]))
        made = server.desk.ask("POST", "people", body={"email": "eve@example.com", "operator": True, "shown": True})
        body = {"name": "test", "scopes": ["read"]}
        token = server.desk.ask("POST", "people", made["id"], "tokens", body=body)["token"]
        secrets += [token, token[:-4] + "0000", "panelPass1"]
        for shown in (token, secrets[-2]):
            for path in ("accounts", f"accounts/{login.name}", "accounts/nobody", "accounts?limit=x"):
                answers.append(said_to(server, f"/api/v1/{path}", {"Authorization": f"Bearer {shown}"}))
        form = b"email=eve%40example.com&password=panelPass1"
        answers.append(said_to(server, "/login", {"Content-Type": "application/x-www-form-urlencoded"}, form))
        secrets += hashes(server.data)
        await until("the refusals are in the log", lambda: "wrong_password" in server.said())
        process = Path(f"/proc/{server.pid}")
        places = {
            "log": server.said(),
            "metrics": server.metrics(),
            "command line": (process / "cmdline").read_text("latin-1"),
            "environment": (process / "environ").read_text("latin-1"),
            "account": json.dumps(server.desk.show(login)),
            "refusals": json.dumps(server.desk.refusals()),
            "answers": "\n".join(answers),
        }
        found = [(place, secret) for place, text in places.items() for secret in secrets if secret in text]
        assert found == []


@pytest.mark.promise("S1")
async def test_its_memory_is_never_dumped(server: Road) -> None:
    assert resource.prlimit(server.pid, resource.RLIMIT_CORE) == (0, 0)


def said_to(server: Road, path: str, headers: dict[str, str], body: bytes | None = None) -> str:
    """Whatever is answered, headers too."""
    request = urllib.request.Request(f"http://{HOST}:{server.web_port}{path}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return f"{answer.headers}{answer.read().decode()}"
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.headers}{error.read().decode()}"


def hashes(folder: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{folder / 'smppgate.db'}?mode=ro", uri=True)) as store:
        found = [row[0] for row in store.execute("SELECT password_hash FROM account")]
    assert all(hashed.startswith("$argon2id$") for hashed in found)
    return found


# -- the log -----------------------------------------------------------------------------------------------------------
HOSTILE = "\n2026 forged\r\n\x1b[31m\x85\u2028\u202e".encode()


@pytest.mark.promise("S2")
@pytest.mark.parametrize("style", ["console", "json"])
async def test_one_event_is_one_line_and_no_number_is_whole_whatever_is_sent(tmp_path: Path, style: str) -> None:
    async with Road(tmp_path, LOG__FORMAT=style, LOG__LEVEL="debug") as server:
        login = server.desk.account("hostile", senders=["ACME"])
        client = await connect(server.port)
        name = HOSTILE[:15].decode("latin-1").replace("\0", "")
        await client.ask(c.BIND_TRANSCEIVER, system_id=name.encode("latin-1"), password=b"x", system_type=HOSTILE[:12])
        client = await bound(server.port, login, c.BIND_TRANSCEIVER)
        for source in (HOSTILE[:20], MOBILE.encode(), b"ACME"):
            for number in (MOBILE.encode(), HOSTILE[:20], b"4860010020"):
                sender = address(5, 0, source)
                await client.submit(text=HOSTILE, source=sender, destination=address(1, 1, number)).answered()
        say(server, b"GET /" + b"%0a%0d%1b%e2%80%a8forged HTTP/1.1", HOSTILE.replace(b"\r", b"").replace(b"\n", b""))
        say(server, b"POST /login HTTP/1.1", b"a\r\n forged", b"email=a%0a2026+forged%1b&password=%0a2026+forged")
        say(server, b"GET /\x1b\xe2\x80\xa8 HTTP/1.1", b"x")
        say(server, HOSTILE, HOSTILE)
        await until("the refusals are in the log", lambda: "sender" in server.said())
        said = server.log.read_bytes().decode("utf-8")
        check_lines(said, style)
        assert MOBILE not in said


def check_lines(said: str, style: str) -> None:
    lines = said.split("\n")
    assert lines.pop() == ""
    assert not [line for line in lines if UNSAFE.search(line)]
    begins = [json.loads(line)["timestamp"] if style == "json" else line for line in lines]
    assert [line for line in begins if not line.startswith("20") or line[10] != "T"] == []


def say(server: Road, head: bytes, agent: bytes, body: bytes = b"") -> None:
    """One request over HTTP as it should not be, and whatever the answer is."""
    kind = b"application/x-www-form-urlencoded"
    with socket.create_connection((HOST, server.web_port), timeout=20) as connection:
        connection.sendall(
            b"%b\r\nHost: %b\r\nConnection: close\r\nUser-Agent: %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (head, HOST.encode(), agent, kind, len(body), body)
        )
        try:
            while connection.recv(65_536):
                pass
        except ConnectionError:
            pass


# -- who speaks for whom -----------------------------------------------------------------------------------------------
def told(version: int, origin: str) -> bytes:
    if version == 1:
        return f"PROXY TCP4 {origin} {HOST} 4660 2775\r\n".encode()
    block = socket.inet_aton(origin) + socket.inet_aton(HOST) + bytes.fromhex("12340ad7")
    return SIGNATURE + b"\x21\x11" + len(block).to_bytes(2, "big") + block


@pytest.mark.promise("S3")
async def test_a_configured_proxy_is_believed_and_nobody_else(tmp_path: Path) -> None:
    async with Road(tmp_path, SMPP__PROXY_FROM=PROXY) as server:
        login = server.desk.account("behind", addresses=["192.0.2.1"], max_binds=0)

        async def answer(version: int, local: str, origin: str) -> Any:
            client = await connect(server.port, local=local)
            client.write(told(version, origin))
            client.send(c.BIND_TRANSCEIVER, system_id=login.system_id.encode(), password=login.password.encode())
            await until("it is answered", lambda: client.answers or not client.open)
            status = client.answers[0].status if client.answers else None
            client.abort()
            return status

        for version in (1, 2):
            assert await answer(version, PROXY, "192.0.2.1") == c.ESME_ROK
            assert await answer(version, PROXY, "192.0.2.2") == c.ESME_RBINDFAIL
            for stranger in (HOST, STRANGER):
                assert await answer(version, stranger, "192.0.2.1") != c.ESME_ROK
        await until("nobody is left", lambda: not server.desk.binds(login))
