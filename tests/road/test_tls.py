"""SMPP over TLS: the same road, certificates that change under living sessions, and no way around them."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from pdu import constants as c
from tests.road.client import Esme, accepted, bound, connect, until
from tests.road.running import Road
from tests.server import HOST, Login, free_port

pytestmark = pytest.mark.road


class Secured(NamedTuple):
    server: Road
    port: int
    cert: Path
    key: Path
    trust: trustme.CA

    def issue(self) -> bytes:
        """A new certificate on disk; -> what a client will see of it."""
        return issue(self.trust, self.cert, self.key)

    def client_context(self, **versions: ssl.TLSVersion) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.trust.configure_trust(context)
        for name, version in versions.items():
            setattr(context, name, version)
        return context

    async def bound(self, login: Login) -> Esme:
        return await bound(self.port, login, tls=self.client_context())


def issue(trust: trustme.CA, cert: Path, key: Path) -> bytes:
    made = trust.issue_cert("localhost")
    made.private_key_pem.write_to_path(key)
    for number, blob in enumerate(made.cert_chain_pems):
        blob.write_to_path(cert, append=number > 0)
    return ssl.PEM_cert_to_DER_cert(made.cert_chain_pems[0].bytes().decode())


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("tls")
    cert, key, trust, port = folder / "cert.pem", folder / "key.pem", trustme.CA(), free_port()
    issue(trust, cert, key)
    more = f'[smpp.tls]\nlisten = ["{HOST}:{port}"]\ncert = "{cert}"\nkey = "{key}"\n'
    with Road(folder, more=more) as server:
        yield Secured(server, port, cert, key, trust)


def certificate_of(client: Esme) -> bytes:
    secured = client.transport.get_extra_info("ssl_object")
    seen: bytes = secured.getpeercert(binary_form=True)
    return seen


async def test_the_whole_road_runs_over_tls(secured: Secured) -> None:
    login = secured.server.desk.account("private")
    async with await secured.bound(login) as client:
        [id_] = await accepted([client.submit(registered_delivery=1)])
        assert (await client.receipt(id_)).state == c.DELIVERED
        [bind] = secured.server.desk.binds(login)
        assert bind["tls"] is True
        await accepted(client.submit_many(200))
        await client.unbind()


async def test_a_certificate_replaced_on_disk_is_served_and_drops_nobody(secured: Secured) -> None:
    login = secured.server.desk.account("renewed", max_binds=0)
    old = await secured.bound(login)
    before = certificate_of(old)
    wanted = secured.issue()
    assert wanted != before
    deadline = time.monotonic() + 5
    while certificate_of(await secured.bound(login)) != wanted:
        assert time.monotonic() < deadline, "the new certificate is not served"
        await asyncio.sleep(0.1)
    await accepted([old.submit()])  # whose session began under the old one


async def test_a_certificate_that_cannot_be_used_changes_nothing(secured: Secured) -> None:
    login = secured.server.desk.account("careful", max_binds=0)
    before = certificate_of(await secured.bound(login))
    good = secured.cert.read_bytes()
    secured.cert.write_bytes(good[: len(good) // 2])
    await until("it was tried", lambda: "certificate not reloaded" in secured.server.said())
    assert certificate_of(await secured.bound(login)) == before
    secured.cert.write_bytes(good)
    assert certificate_of(await secured.bound(login)) == before


async def test_nothing_older_than_tls_1_3_is_spoken_unless_allowed(secured: Secured) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await connect(secured.port, tls=secured.client_context(maximum_version=ssl.TLSVersion.TLSv1_2))


async def test_plain_smpp_on_the_tls_port_gets_nowhere(secured: Secured) -> None:
    login = secured.server.desk.account("plain")
    _reader, writer = await asyncio.open_connection(HOST, secured.port)
    writer.write(b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\1" * 10)
    async with asyncio.timeout(12):
        said = await _reader.read()
    assert b"\x80\0\0\x15" not in said
    writer.close()
    assert not secured.server.desk.binds(login)


@pytest.mark.prove
async def test_handshakes_that_are_never_finished_are_dropped(secured: Secured) -> None:
    hung = [socket.create_connection((HOST, secured.port)) for _ in range(100)]
    login = secured.server.desk.account("patient")
    begun = time.monotonic()
    async with await secured.bound(login) as client:
        assert time.monotonic() - begun < 2
        for one in hung:
            one.settimeout(20)
            assert await asyncio.to_thread(one.recv, 100) == b"", "it said something"
            one.close()
        assert time.monotonic() - begun < 15
        await accepted([client.submit()])
