"""The socket of the data folder: private, replaced when left over, gone afterwards, and no matter how long its path."""

import asyncio
import http.client
import socket
import stat
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.dependencies.utils import get_dependant
from jinja2 import Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from gateway.web.local import create_local, local_api
from gateway.web.public import create_public, public_web
from gateway.web.unix import connect
from tests.gateway.desk import open_desk


async def hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


APP = Starlette(routes=[Route("/hello", hello)])


def get(client: socket.socket, path: str, *, close: bool = True) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("gateway")
    connection.sock = client
    connection.request("GET", path)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    if close:
        connection.close()
    return found


async def ask(path: Path) -> tuple[int, bytes]:
    return await asyncio.to_thread(lambda: get(connect(path, 5), "/hello"))


async def test_it_answers_and_only_the_owner_may_connect(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    async with local_api(path, APP):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert await ask(path) == (200, b"hello")
    assert not path.exists()


async def test_a_leftover_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(ConnectionRefusedError):
        connect(path, 1)
    async with local_api(path, APP):
        assert await ask(path) == (200, b"hello")


async def test_a_path_longer_than_a_socket_address(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 90) / ("y" * 90)
    folder.mkdir(parents=True)
    async with local_api(folder / "admin.sock", APP):
        assert await ask(folder / "admin.sock") == (200, b"hello")
    assert list(folder.iterdir()) == []


async def test_an_open_connection_does_not_keep_the_gateway_from_stopping(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    async with asyncio.timeout(2):
        async with local_api(path, APP):
            idle = connect(path, 1)
            await asyncio.to_thread(get, idle, "/hello", close=False)
        idle.close()


async def test_health_and_readiness(tmp_path: Path) -> None:
    """Open to anybody; everything else wants a proof."""
    reasons: list[str] = []
    async with (
        open_desk(tmp_path) as desk,
        public_web("127.0.0.1", 0, create_public(desk.house, lambda: reasons)) as (host, port),
    ):

        async def fetch(path: str) -> tuple[int, bytes]:
            return await asyncio.to_thread(lambda: get(socket.create_connection((host, port), 5), path))

        assert await fetch("/healthz") == (200, b"ok\n")
        assert await fetch("/readyz") == (200, b'{"ready":true,"reasons":[]}')
        reasons.append("draining")
        assert await fetch("/readyz") == (503, b'{"ready":false,"reasons":["draining"]}')
        assert (await fetch("/api/v1/accounts"))[0] == 401


async def test_a_taken_port_is_an_error_at_once() -> None:
    async with public_web("127.0.0.1", 0, APP) as (host, port):
        with pytest.raises(OSError):
            async with public_web(host, port, APP):
                pass


@pytest.mark.parametrize("listener", ["public", "local"])
async def test_what_the_first_request_needs_is_not_made_on_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: str
) -> None:
    """Routes, and of the panel the templates of its first pages: they take a tenth of a second."""
    makers: dict[str, set[int]] = {"routes": set(), "templates": set()}
    compiles = Environment.compile

    def route(**words: Any) -> Any:
        makers["routes"].add(threading.get_ident())
        return get_dependant(**words)

    def template(self: Environment, *words: Any, **more: Any) -> Any:
        makers["templates"].add(threading.get_ident())
        return compiles(self, *words, **more)

    async with open_desk(tmp_path) as desk:
        app = create_public(desk.house, list) if listener == "public" else create_local(desk.house)
        monkeypatch.setattr("fastapi.routing.get_dependant", route)
        monkeypatch.setattr(Environment, "compile", template)
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://gateway") as client:
            assert (await client.get("/login" if listener == "public" else "/api/v1/accounts")).status_code == 200
            assert (await client.get("/no/such/page")).status_code == 404
    assert makers["routes"]
    assert bool(makers["templates"]) == (listener == "public")
    assert threading.get_ident() not in makers["routes"] | makers["templates"]
