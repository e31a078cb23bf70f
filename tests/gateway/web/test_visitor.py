"""A connection over HTTP: of whoever says much, no more than a mouthful is taken before others have their turn."""

import asyncio
from typing import Any, cast

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from gateway.web.visitor import MOUTHFUL, Visitor

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
        self.said, self.closing = b"", False
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


def visited(app: Any) -> tuple[Visitor, Wire]:
    config = uvicorn.Config(app, loop="none", lifespan="off", http=Visitor, log_config=None, access_log=False)
    config.load()
    visitor, wire = Visitor(config=config, server_state=ServerState(), app_state={}), Wire()
    visitor.connection_made(cast(asyncio.Transport, wire))
    return visitor, wire


async def test_after_a_mouthful_it_reads_on_in_the_next_pass() -> None:
    visitor, wire = visited(refuses)
    visitor.data_received(HEAD)
    assert wire.reads[-1] == "resume"
    await asyncio.sleep(0)
    assert wire.said.startswith(b"HTTP/1.1 413 ")
    for _ in range(3):  # nobody wants to have it any more, and yet it comes
        visitor.data_received(bytes(MOUTHFUL))
        assert wire.reads[-1] == "pause"
        await asyncio.sleep(0)
        assert wire.reads[-1] == "resume"
    visitor.data_received(bytes(MOUTHFUL - 1))
    assert wire.reads[-1] == "resume"
    visitor.connection_lost(None)


async def test_it_does_not_read_on_while_the_application_has_enough() -> None:
    visitor, wire = visited(waits)
    visitor.data_received(HEAD)
    await asyncio.sleep(0)
    visitor.data_received(bytes(2 * MOUTHFUL))
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
    visitor.data_received(bytes(MOUTHFUL))
    wire.close()
    await asyncio.sleep(0)
    assert wire.reads[-1] == "pause"
    visitor.data_received(bytes(MOUTHFUL))
    assert wire.reads[-1] == "pause"
    visitor.connection_lost(None)
