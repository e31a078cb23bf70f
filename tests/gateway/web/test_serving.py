"""An app on a listening socket, whatever it is: many who ask at once are served one in a pass of the loop."""

import asyncio
import socket
from typing import Any

from starlette.types import Receive, Scope, Send

from gateway.web.serving import serving

MANY = 20
ASK = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


class Desk:
    """Remembers in which pass of the loop it was asked."""

    def __init__(self) -> None:
        self.passes, self.asked = 0, list[int]()

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        self.asked.append(self.passes)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def count(self) -> None:
        while True:
            self.passes += 1
            await asyncio.sleep(0)


async def test_many_who_ask_at_once() -> None:
    loop, desk = asyncio.get_running_loop(), Desk()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    async with serving(desk, listener), asyncio.timeout(10):
        clients: list[Any] = [socket.create_connection(listener.getsockname()) for _ in range(MANY)]
        for client in clients:  # a first question each: so all are let in
            client.setblocking(False)
            await loop.sock_sendall(client, ASK)
            assert (await loop.sock_recv(client, 4096)).startswith(b"HTTP/1.1 200 ")
        desk.asked.clear()
        counting = asyncio.create_task(desk.count())
        for client in clients:  # all of them before the loop's next pass
            client.send(ASK)
        for client in clients:
            assert (await loop.sock_recv(client, 4096)).startswith(b"HTTP/1.1 200 ")
            client.close()
        counting.cancel()
    assert len(set(desk.asked)) == MANY
