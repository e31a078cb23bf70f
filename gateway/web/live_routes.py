"""How much an account does, over HTTP: as figures, and as events while it happens (server-sent events).

Invariant: so many streams at a time and no more; each ends after a minute, so that whoever listens is asked again who
they are. A browser comes back by itself.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from gateway.admin import Unavailable

from .access import Reads

JSON = dict[str, Any]
EVERY = 2.0  # seconds
EVENTS = 30
MOST = 200
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

routes = APIRouter()
open_streams: set[object] = set()


@routes.get("/accounts/{name}/traffic", tags=["accounts"])
async def show_traffic(desk: Reads, name: str, span: str = "hour") -> JSON:
    """Submitted, delivered, failed and refused: `hour` by the minute, `day` by the hour, `month` by the day."""
    return await desk.traffic.series(name, span)


@routes.get("/accounts/{name}/live", tags=["accounts"], response_class=StreamingResponse)
async def follow_account(desk: Reads, name: str) -> StreamingResponse:
    """An event `figures` every two seconds: status, balance, binds, rate and what was done today."""
    return await stream(lambda: desk.traffic.now(name))


async def stream(read: Callable[[], Awaitable[JSON]]) -> StreamingResponse:
    """The first figures are read before anything is answered: what is not there is an ordinary problem."""
    if len(open_streams) >= MOST:
        raise Unavailable("too many listen already; ask for the figures instead")
    return StreamingResponse(events(await read(), read), media_type="text/event-stream", headers=HEADERS)


async def events(first: JSON, read: Callable[[], Awaitable[JSON]]) -> AsyncIterator[str]:
    me = object()
    open_streams.add(me)
    try:
        yield f"retry: 2000\n\n{event(first)}"
        for _ in range(EVENTS - 1):
            await asyncio.sleep(EVERY)
            yield event(await read())
    finally:
        open_streams.discard(me)


def event(figures: JSON) -> str:
    return f"event: figures\ndata: {json.dumps(figures)}\n\n"
