"""The listeners on real loopback sockets: what they let in, how they stop, and certificates that follow their files."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from structlog.testing import capture_logs

from acl.addresses import Networks
from gateway.accounts import Account
from gateway.smpp.handling import Answer, Asker
from gateway.smpp.server import Caps, Certificate, Server
from gateway.smpp.session import Timers
from pdu import constants as c
from pdu import frames
from pdu.frames import submit_sm_resp

from .client import pdu, submits
from .hall import Hall

HOST = "127.0.0.1"
PATIENCE = 20.0  # seconds a loaded machine may take for what is normally done at once
Head = tuple[int, int, int]


class Client:
    """One connection, read PDU by PDU."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def write(self, octets: bytes) -> None:
        self._writer.write(octets)

    async def read(self) -> Head | None:
        """The next PDU's command, status and sequence; None: the server hung up."""
        async with asyncio.timeout(PATIENCE):
            try:
                head = await self._reader.readexactly(16)
                length, command, status, sequence = frames.HEADER.unpack(head)
                await self._reader.readexactly(length - 16)
            except (asyncio.IncompleteReadError, ConnectionError):
                return None
        return command, status, sequence

    async def ask(self, octets: bytes) -> Head | None:
        self.write(octets)
        return await self.read()

    async def gone(self) -> bool:
        return await self.read() is None

    @property
    def certificate(self) -> bytes:
        octets: bytes = self._writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return octets

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await self._writer.wait_closed()


class Desk:
    """Answers submits, when it is not told to wait."""

    def __init__(self) -> None:
        self.begun = 0
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, asker: Asker, requests: list[Any], now: float) -> Answer:
        self.begun += len(requests)
        await self.open.wait()
        return Answer(b"".join([submit_sm_resp(request.sequence, b"1") for request in requests]))


class Place:
    """A server with one customer, and the connections made to it."""

    def __init__(self, caps: Caps, proxies: Networks | None = None) -> None:
        self.hall, self.desk = Hall(), Desk()
        scene = self.hall.scene
        self.server = Server(
            self.hall.door,
            {c.SUBMIT_SM: self.desk},
            scene.refusals,
            scene.meter.traffic,
            Timers(),
            caps,
            self.hall.clock,
            proxies,
        )
        self.clients: list[Client] = []
        self.port = 0
        self.account: Account

    async def connect(self, port: int = 0, trust: ssl.SSLContext | None = None) -> Client:
        name = "localhost" if trust else None
        reader, writer = await asyncio.open_connection(HOST, port or self.port, ssl=trust, server_hostname=name)
        self.clients.append(Client(reader, writer))
        return self.clients[-1]

    async def bound(self) -> Client:
        client = await self.connect()
        assert await client.ask(pdu(c.BIND_TRANSCEIVER, password=b"a")) == (c.BIND_TRANSCEIVER_RESP, 0, 1)
        return client

    async def until(self, what: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not what():
                await asyncio.sleep(0.001)


@asynccontextmanager
async def opened(caps: Caps | None = None, proxies: Networks | None = None) -> AsyncIterator[Place]:
    place = Place(caps or Caps(), proxies)
    place.account = await place.hall.account("a", max_binds=0, addresses=["127.0.0.0/8"])
    place.port = await place.server.listen(HOST, 0)
    try:
        yield place
    finally:
        place.desk.open.set()
        await place.server.stop(0.0)
        for client in place.clients:
            await client.close()


# -- connections ---------------------------------------------------------------------------------------------------
async def test_a_customer_binds_sends_and_leaves() -> None:
    async with opened() as place:
        client = await place.bound()
        assert await client.ask(submits(2)) == (c.SUBMIT_SM_RESP, 0, 2)
        assert await client.ask(pdu(c.UNBIND, 3)) == (c.UNBIND_RESP, 0, 3)
        assert await client.gone()
        await place.until(lambda: not place.server.links)
        assert place.account.links == []


async def test_the_connections_of_all_are_capped() -> None:
    async with opened(Caps(total=2)) as place:
        first, second = await place.bound(), await place.bound()
        assert await (await place.connect()).gone()
        assert place.server.turned_away == 1
        assert await first.ask(pdu(c.ENQUIRE_LINK, 7)) == (c.ENQUIRE_LINK_RESP, 0, 7)
        await second.close()
        await place.until(lambda: len(place.server.links) == 1)
        await place.bound()


async def test_the_connections_of_an_address_are_capped() -> None:
    async with opened(Caps(per_address=1)) as place:
        await place.bound()
        assert await (await place.connect()).gone()
        reader, writer = await asyncio.open_connection(HOST, place.port, local_addr=("127.0.0.2", 0))
        place.clients.append(Client(reader, writer))
        heard = await place.clients[-1].ask(pdu(c.BIND_TRANSCEIVER, password=b"a"))
        assert heard == (c.BIND_TRANSCEIVER_RESP, 0, 1)


async def test_without_caps_many_may_come() -> None:
    async with opened() as place:
        for client in [await place.connect() for _ in range(50)]:
            assert await client.ask(pdu(c.ENQUIRE_LINK)) == (c.ENQUIRE_LINK_RESP, 0, 1)
        assert place.server.turned_away == 0
        assert len({link.number for link in place.server.links.values()}) == 50


async def test_a_tick_moves_the_time_of_every_session() -> None:
    async with opened() as place:
        client, stranger = await place.bound(), await place.connect()
        assert await stranger.ask(pdu(c.ENQUIRE_LINK)) == (c.ENQUIRE_LINK_RESP, 0, 1)
        place.server.tick(place.hall.clock.pass_(30))
        assert await stranger.gone()  # has not bound in time
        assert await client.read() == (c.ENQUIRE_LINK, 0, 1)
        place.server.tick(place.hall.clock.pass_(30))
        assert await client.gone()  # nor this one answered


async def test_one_server_may_listen_in_many_places() -> None:
    async with opened(Caps(total=1)) as place:
        other = await place.server.listen(HOST, 0)
        assert other != place.port
        client = await place.connect(other)
        assert await client.ask(pdu(c.BIND_TRANSMITTER, password=b"a")) == (c.BIND_TRANSMITTER_RESP, 0, 1)
        assert await (await place.connect()).gone()  # the cap is one for both


# -- stop ----------------------------------------------------------------------------------------------------------
async def test_a_stop_asks_everybody_to_go_and_waits_for_them() -> None:
    async with opened() as place:
        clients = [await place.bound() for _ in range(3)]
        stopping = asyncio.create_task(place.server.stop(PATIENCE))
        for client in clients:
            heard = await client.read()
            assert heard is not None
            assert heard[0] == c.UNBIND
            assert not stopping.done()
            client.write(pdu(c.UNBIND_RESP, heard[2]))
            assert await client.gone()
        await stopping
        assert (place.server.links, place.account.links) == ({}, [])


async def test_what_was_accepted_is_answered_before_the_end() -> None:
    async with opened() as place:
        client = await place.bound()
        place.desk.open.clear()
        client.write(submits(5, 6))
        await place.until(lambda: place.desk.begun == 2)
        stopping = asyncio.create_task(place.server.stop(PATIENCE))
        heard = await client.read()
        assert heard is not None
        assert heard[0] == c.UNBIND
        client.write(pdu(c.UNBIND_RESP, heard[2]))
        place.desk.open.set()
        assert [await client.read() for _ in range(3)] == [(c.SUBMIT_SM_RESP, 0, 5), (c.SUBMIT_SM_RESP, 0, 6), None]
        await stopping


async def test_what_is_asked_after_the_unbind_is_refused() -> None:
    async with opened() as place:
        client = await place.bound()
        stopping = asyncio.create_task(place.server.stop(PATIENCE))
        assert (await client.read() or (0,))[0] == c.UNBIND
        assert await client.ask(submits(9)) == (c.SUBMIT_SM_RESP, c.ESME_RINVBNDSTS, 9)
        assert place.desk.begun == 0
        assert await client.ask(pdu(c.UNBIND, 10)) == (c.UNBIND_RESP, 0, 10)
        await stopping


async def test_who_is_not_bound_is_closed_at_once() -> None:
    async with opened() as place:
        client = await place.connect()
        assert await client.ask(pdu(c.ENQUIRE_LINK)) == (c.ENQUIRE_LINK_RESP, 0, 1)
        await place.server.stop(PATIENCE)
        assert await client.gone()


async def test_nobody_comes_in_any_more() -> None:
    async with opened() as place:
        await place.server.stop(PATIENCE)
        with pytest.raises(OSError):
            await place.connect()


async def test_patience_ends() -> None:
    async with opened() as place:
        client = await place.bound()
        with capture_logs() as lines:
            await place.server.stop(0.01)
        assert [(line["event"], line["links"]) for line in lines if "links" in line] == [
            ("clients did not answer unbind", 1)
        ]
        assert (await client.read() or (0,))[0] == c.UNBIND
        assert await client.gone()
        await place.until(lambda: not place.server.links)
        assert place.account.links == []


async def test_an_idle_server_stops_at_once() -> None:
    async with opened() as place:
        with capture_logs() as lines:
            await place.server.stop(0.0)
        assert lines == []


# -- TLS -----------------------------------------------------------------------------------------------------------
class Files:
    """A certificate and its key on disk; every change has a time of its own."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        self._changes = 0
        self.issue()

    @property
    def trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context

    def issue(self) -> bytes:
        """A new pair. -> the certificate as a client sees it."""
        issued = self.authority.issue_cert("localhost")
        self.write(issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes())
        return ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())

    def write(self, cert: bytes | None = None, key: bytes | None = None) -> None:
        self._changes += 1
        for path, octets in ((self.cert, cert), (self.key, key)):
            if octets is not None:
                path.write_bytes(octets)
                os.utime(path, ns=(self._changes, self._changes))

    def load(self) -> Certificate:
        return Certificate(self.cert, self.key, ssl.TLSVersion.TLSv1_3)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def shown(certificate: Certificate, files: Files) -> bytes:
    """What a new handshake is shown: two ends of TLS in memory."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = files.trust.wrap_bio(to_client, to_server, server_hostname="localhost")
    server = certificate.context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    octets = client.getpeercert(binary_form=True)
    assert octets is not None
    return octets


def follow(certificate: Certificate) -> list[str]:
    """-> what the log says of it."""
    with capture_logs() as lines:
        certificate.follow()
    return [line["event"] for line in lines]


def test_files_that_stay_are_not_read_again(files: Files) -> None:
    certificate = files.load()
    before = shown(certificate, files)
    assert follow(certificate) == []
    assert shown(certificate, files) == before


def test_a_new_pair_is_shown_to_whoever_comes_next(files: Files) -> None:
    certificate = files.load()
    for _ in range(3):
        issued = files.issue()
        assert shown(certificate, files) != issued
        assert follow(certificate) == ["certificate reloaded"]
        assert shown(certificate, files) == issued
        assert follow(certificate) == []


BROKEN: dict[str, Callable[[Files], object]] = {
    "no PEM": lambda files: files.write(cert=b"not a certificate"),
    "empty": lambda files: files.write(cert=b""),
    "half written": lambda files: files.write(cert=files.cert.read_bytes()[:200]),
    "no key": lambda files: files.write(key=b""),
    "another's key": lambda files: files.write(key=files.authority.issue_cert("localhost").private_key_pem.bytes()),
    "another's certificate": lambda files: files.write(
        cert=files.authority.issue_cert("localhost").cert_chain_pems[0].bytes()
    ),
    "gone": lambda files: files.cert.unlink(),
    "key gone": lambda files: files.key.unlink(),
    "a folder": lambda files: files.cert.rename(files.cert.with_suffix(".old")).with_suffix(".pem").mkdir(),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_pair_that_cannot_be_used_changes_nothing_until_it_can(how: str, files: Files) -> None:
    certificate = files.load()
    before = shown(certificate, files)
    BROKEN[how](files)
    for complaints in (["certificate not reloaded"], []):  # it is tried again each time, and complained of once
        assert follow(certificate) == complaints
        assert shown(certificate, files) == before
    if files.cert.is_dir():
        files.cert.rmdir()
    issued = files.issue()
    assert follow(certificate) == ["certificate reloaded"]
    assert shown(certificate, files) == issued


def test_a_pair_written_half_by_half_is_taken_when_it_is_whole(files: Files) -> None:
    certificate = files.load()
    before = shown(certificate, files)
    issued = files.authority.issue_cert("localhost")
    files.write(cert=issued.cert_chain_pems[0].bytes())
    assert follow(certificate) == ["certificate not reloaded"]
    assert shown(certificate, files) == before
    files.write(key=issued.private_key_pem.bytes())
    assert follow(certificate) == ["certificate reloaded"]
    assert shown(certificate, files) != before


def test_a_server_does_not_start_on_a_pair_that_cannot_be_used(files: Files) -> None:
    files.write(key=b"")
    with pytest.raises(ssl.SSLError):
        files.load()


async def test_sessions_over_tls_survive_a_new_certificate(files: Files) -> None:
    certificate = files.load()
    async with opened() as place:
        port = await place.server.listen(HOST, 0, certificate)
        old = await place.connect(port, files.trust)
        assert await old.ask(pdu(c.BIND_TRANSMITTER, password=b"a")) == (c.BIND_TRANSMITTER_RESP, 0, 1)
        assert [link.secured for link in place.server.links.values()] == [True]
        issued = files.issue()
        assert follow(certificate) == ["certificate reloaded"]
        new = await place.connect(port, files.trust)
        assert (old.certificate != issued, new.certificate == issued) == (True, True)
        assert await old.ask(submits(2)) == (c.SUBMIT_SM_RESP, 0, 2)
        assert await new.ask(pdu(c.BIND_RECEIVER, password=b"a")) == (c.BIND_RECEIVER_RESP, 0, 1)
