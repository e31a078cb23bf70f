"""Behind a proxy the address that it tells is the address; nobody else tells one; handshakes count as connections."""

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme
from structlog.testing import capture_logs

from acl.addresses import Networks
from gateway.smpp.server import Caps, Certificate
from pdu import constants as c

from .client import pdu
from .test_server import HOST, opened

BIND = pdu(c.BIND_TRANSCEIVER, password=b"a")
PROXIES = Networks([HOST])


def told(address: str) -> bytes:
    return f"PROXY TCP4 {address} 10.0.0.1 4660 2775\r\n".encode()


async def test_the_address_told_by_a_proxy_is_the_one_that_is_judged_and_capped() -> None:
    async with opened(Caps(per_address=1), PROXIES) as place:
        client = await place.connect()
        assert await client.ask(told("127.0.0.9") + BIND) == (c.BIND_TRANSCEIVER_RESP, 0, 1)
        [link] = place.account.links
        assert link.peer == "127.0.0.9"
        second = await place.connect()
        second.write(told("127.0.0.9") + BIND)
        assert await second.gone()
        assert place.server.turned_away == 1
        stranger = await place.connect()
        assert await stranger.ask(told("192.0.2.7") + BIND) == (c.BIND_TRANSCEIVER_RESP, c.ESME_RBINDFAIL, 1)


@pytest.mark.promise("S3")
async def test_a_proxy_that_tells_nothing_is_refused() -> None:
    async with opened(proxies=PROXIES) as place:
        client = await place.connect()
        with capture_logs() as logs:
            client.write(BIND)
            assert await client.gone()
        assert [(each["event"], each["peer"]) for each in logs] == [("proxy header refused", HOST)]
        assert not place.server.links


@pytest.mark.promise("S3")
async def test_whoever_is_no_proxy_cannot_say_that_he_is_somebody_else() -> None:
    for proxies in (None, Networks(["192.0.2.1"])):
        async with opened(proxies=proxies) as place:
            client = await place.connect()
            answer = await client.ask(told("127.0.0.9") + BIND)
            assert answer is None or answer[0] == c.GENERIC_NACK
            assert not place.account.links


async def test_tls_behind_a_proxy_and_handshakes_within_the_caps(tmp_path: Path) -> None:
    trust = trustme.CA()
    made = trust.issue_cert("localhost")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made.cert_chain_pems[0].write_to_path(cert)
    made.private_key_pem.write_to_path(key)
    context = ssl.create_default_context()
    trust.configure_trust(context)
    async with opened(Caps(total=1), PROXIES) as place:
        port = await place.server.listen(HOST, 0, Certificate(cert, key, ssl.TLSVersion.TLSv1_3))
        silent = await place.connect(port)
        silent.write(told("127.0.0.8"))  # and no handshake
        await place.until(lambda: place.server.links)
        turned = await place.connect(port)
        turned.write(told("127.0.0.9"))
        assert await turned.gone()
        await silent.close()
        await place.until(lambda: not place.server.links)
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(told("127.0.0.9"))
        await writer.start_tls(context, server_hostname="localhost")
        writer.write(BIND)
        assert (await reader.readexactly(16))[4:12] == bytes.fromhex("80000009") + bytes(4)
        assert place.account.links[0].peer == "127.0.0.9"
        writer.close()
