"""A connection over HTTP: how many there may be, and how much of each is read before others have their turn."""

import asyncio
from typing import Any, cast

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from gateway.web.visitor import MOST, MUCH, Visitor

HEAD = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100000000\r\n\r\n"


async def refuses(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def waits(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await asyncio.Event().wait()


class Wire(asyncio.Transport):
    """What a connection does with its socket."""

    def __init__(self) -> None:
        super().__init__()
        self.said, self.closing, self.aborted = b"", False, False
        self.reads = ["resume"]  # whatever was asked for, the last one holds

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.said += data

    def pause_reading(self) -> None:
        self.reads.append("pause")

    def resume_reading(self) -> None:
        self.reads.append("resume")

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = self.aborted = True


def visited(app: Any, state: ServerState | None = None) -> tuple[Visitor, Wire]:
    config = uvicorn.Config(app, loop="none", lifespan="off", http=Visitor, log_config=None, access_log=False)
    config.load()
    visitor, wire = Visitor(config=config, server_state=state or ServerState(), app_state={}), Wire()
    visitor.connection_made(cast(asyncio.Transport, wire))
    return visitor, wire


async def test_who_says_much_is_read_on_in_the_next_pass() -> None:
    visitor, wire = visited(refuses)
    visitor.data_received(HEAD)
    assert wire.reads[-1] == "resume"
    await asyncio.sleep(0)
    assert wire.said.startswith(b"HTTP/1.1 413 ")
    for _ in range(3):  # nobody wants to have it any more, and yet it comes
        visitor.data_received(bytes(MUCH))
        assert wire.reads[-1] == "pause"
        await asyncio.sleep(0)
        assert wire.reads[-1] == "resume"
    visitor.data_received(bytes(MUCH - 1))
    assert wire.reads[-1] == "resume"
    visitor.connection_lost(None)


async def test_it_does_not_read_on_while_the_application_has_enough() -> None:
    visitor, wire = visited(waits)
    visitor.data_received(HEAD)
    await asyncio.sleep(0)
    visitor.data_received(bytes(2 * MUCH))
    for _ in range(3):
        await asyncio.sleep(0)
        assert wire.reads[-1] == "pause"
    for task in visitor.tasks:
        task.cancel()
    visitor.connection_lost(None)


async def test_it_is_at_rest_once_it_is_hung_up_on() -> None:
    visitor, wire = visited(refuses)
    visitor.data_received(HEAD)
    await asyncio.sleep(0)
    visitor.data_received(bytes(MUCH))
    wire.close()
    await asyncio.sleep(0)
    assert wire.reads[-1] == "pause"
    visitor.data_received(bytes(MUCH))
    assert wire.reads[-1] == "pause"
    visitor.connection_lost(None)


async def test_there_are_only_so_many() -> None:
    state = ServerState()
    wires = [visited(waits, state)[1] for _ in range(MOST + 1)]
    assert [wire.aborted for wire in wires] == [False] * MOST + [True]


async def test_who_asks_and_hangs_up_counts_while_the_request_is_under_way() -> None:
    state = ServerState()
    for _ in range(MOST + 1):
        visitor, wire = visited(waits, state)
        visitor.data_received(HEAD)
        visitor.connection_lost(None)
        assert not wire.aborted
    assert not state.connections
    assert visited(waits, state)[1].aborted
    for task in state.tasks:
        task.cancel()
