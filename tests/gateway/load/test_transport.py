"""Sockets that never wait, plain and TLS, against a peer that reads late."""

import re
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import trustme

from gateway.load import transport
from gateway.load.plan import Plan
from gateway.load.running import run
from gateway.load.transport import Plain, Secured

from .peer import delivered, serve

PATIENCE = 10.0


class Authority:
    def __init__(self, folder: Path) -> None:
        self.trust = trustme.CA()
        self.file = folder / "ca.pem"
        self.trust.cert_pem.write_to_path(self.file)

    def server(self, name: str = "127.0.0.1") -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.trust.issue_cert(name).configure_cert(context)
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("trust"))


@pytest.fixture(params=["plain", "tls"])
def pair(request: pytest.FixtureRequest, authority: Authority) -> Iterator[tuple[Plain, socket.socket]]:
    """What is tested, and a blocking socket at its other end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ends: list[socket.socket] = []

        def accept() -> None:
            end = listener.accept()[0]
            secured = request.param == "tls"
            ends.append(authority.server().wrap_socket(end, server_side=True) if secured else end)

        answering = threading.Thread(target=accept)
        answering.start()
        tls = transport.secured(authority.file) if request.param == "tls" else None
        with closing(transport.connect("127.0.0.1", listener.getsockname()[1], tls)) as tested:
            answering.join()
            with ends[0]:
                yield tested, ends[0]


def received(tested: Plain, wanted: int) -> bytes:
    found, deadline = b"", time.monotonic() + PATIENCE
    while len(found) < wanted:
        assert time.monotonic() < deadline
        select.select([tested], [], [], 0.1)
        found += tested.receive() or b""
    return found


def test_nothing_there_is_not_gone(pair: tuple[Plain, socket.socket]) -> None:
    tested, end = pair
    assert tested.receive() is None
    end.sendall(b"x" * 100)
    assert received(tested, 100) == b"x" * 100
    assert tested.receive() is None
    end.close()
    select.select([tested], [], [], PATIENCE)
    assert tested.receive() == b""
    tested.send(b"y" * 100_000)
    tested.send(b"y" * 100_000)  # nor does a peer that is gone make a complaint


def test_everything_arrives_through_a_peer_that_reads_late(pair: tuple[Plain, socket.socket]) -> None:
    tested, end = pair
    whole = bytes(range(256)) * 40_000
    rest = whole[tested.send(whole) :]
    assert rest, "no socket holds ten megabytes"
    got, deadline = bytearray(), time.monotonic() + PATIENCE
    end.settimeout(PATIENCE)
    while len(got) < len(whole) and time.monotonic() < deadline:
        got += end.recv(1 << 20)
        rest = rest[tested.send(rest) :] if rest else rest
    assert got == whole


def test_a_run_over_tls(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        context = authority.server()

        def answer() -> None:
            with context.wrap_socket(listener.accept()[0], server_side=True) as end:
                serve(end, delivered)

        answering = [threading.Thread(target=answer) for _ in range(2)]
        for each in answering:
            each.start()
        plan = Plan(listener.getsockname()[1], tls=transport.secured(authority.file))
        found = run(plan._replace(connections=2, window=100, total=2000, receipts=True))
        for each in answering:
            each.join()
    assert (found["accepted"], found["receipts"], found["tls"]) == (2000, 2000, True)


@pytest.mark.parametrize(
    ("name", "known", "insecure", "said"),
    [
        ("127.0.0.1", False, False, "not accepted"),
        ("elsewhere.example", True, False, "not accepted: .*mismatch"),
        ("elsewhere.example", False, True, None),
    ],
)
def test_who_is_trusted(authority: Authority, name: str, known: bool, insecure: bool, said: str | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            end = listener.accept()[0]
            try:
                authority.server(name).wrap_socket(end, server_side=True).close()
            except OSError:
                end.close()

        answering = threading.Thread(target=accept)
        answering.start()
        tls = transport.secured(authority.file if known else None, insecure=insecure)
        if said is None:
            made = transport.connect("127.0.0.1", listener.getsockname()[1], tls)
            assert isinstance(made, Secured)
            made.close()
        else:
            with pytest.raises(OSError) as refused:
                transport.connect("127.0.0.1", listener.getsockname()[1], tls)
            assert re.search(said, transport.why(refused.value))
        answering.join()


def test_no_tls_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with listener.accept()[0] as end:
                end.recv(1000)
                end.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        answering = threading.Thread(target=accept)
        answering.start()
        with pytest.raises(OSError) as refused:
            transport.connect("127.0.0.1", listener.getsockname()[1], transport.secured(insecure=True))
        assert transport.why(refused.value).startswith("no TLS there: ")
        answering.join()


def test_an_authority_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(OSError):
        transport.secured(tmp_path / "ca.pem")
