"""History over HTTP: what was sent and received, with filters, one by one, as CSV, and erased."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from gateway.admin.history import INCOMING, Filter

from .access import Reads, Sets

JSON = dict[str, Any]
Page = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=20)]
Text = Annotated[str, Query(max_length=64)]
routes = APIRouter(tags=["history"])


class Chosen(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[str], Field(min_length=1, max_length=500)]


def within(since: Text = "", until: Text = "", sender: Text = "", recipient: Text = "") -> Filter:
    """`since` and `until` are days of the asker's, or moments."""
    return Filter(since, until, sender, recipient)


def asked(
    within: Annotated[Filter, Depends(within)],
    state: Annotated[str, Query(max_length=64, description="As the items have it, or `under way`")] = "",
    message_id: Annotated[str, Query(max_length=20)] = "",
) -> Filter:
    return within._replace(state=state, message_id=message_id)


Asked = Annotated[Filter, Depends(asked)]
Within = Annotated[Filter, Depends(within)]


@routes.get("/accounts/{name}/outgoing")
async def list_outgoing(desk: Reads, name: str, asked: Asked, before: Cursor = None, limit: Page = 50) -> JSON:
    """Newest first; `next` is the `before` of the next page."""
    items, following = await desk.history.outgoing(name, asked, before, limit)
    return {"items": items, "next": following}


@routes.get("/accounts/{name}/outgoing.csv", response_class=StreamingResponse)
async def sheet_of_outgoing(desk: Reads, name: str, asked: Asked) -> StreamingResponse:
    """All that fits, safe to open in a spreadsheet."""
    headers = {"Content-Disposition": f'attachment; filename="{name}-sent.csv"'}
    return StreamingResponse(await desk.history.sheet(name, asked), media_type="text/csv", headers=headers)


@routes.get("/accounts/{name}/outgoing/{message}")
async def show_outgoing(desk: Reads, name: str, message: str) -> JSON:
    """By its `key`: one message and its timeline."""
    return await desk.history.show(name, message)


@routes.post("/accounts/{name}/outgoing/erase")
async def erase_outgoing(desk: Sets, name: str, body: Chosen) -> JSON:
    """Words and numbers; what they cost stays."""
    return {"erased": await desk.history.erase(name, body.ids)}


@routes.delete("/accounts/{name}/outgoing/{message}")
async def erase_message(desk: Sets, name: str, message: str) -> JSON:
    await desk.history.show(name, message)
    return {"erased": await desk.history.erase(name, [message])}


@routes.get("/accounts/{name}/incoming")
async def list_incoming(desk: Reads, name: str, asked: Within, before: Cursor = None, limit: Page = 50) -> JSON:
    items, following = await desk.history.incoming(name, asked, before, limit)
    return {"items": items, "next": following}


@routes.get("/accounts/{name}/incoming.csv", response_class=StreamingResponse)
async def sheet_of_incoming(desk: Reads, name: str, asked: Within) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}-received.csv"'}
    return StreamingResponse(
        await desk.history.sheet(name, asked, INCOMING), media_type="text/csv", headers=headers
    )


@routes.get("/accounts/{name}/refused")
async def list_refused(
    desk: Reads, name: str, asked: Within, reason: Text = "", before: Cursor = None, limit: Page = 50
) -> JSON:
    """Messages that were not taken, with why; the last 10,000 of an account are remembered."""
    items, following = await desk.history.refused(name, asked._replace(reason=reason), before, limit)
    return {"items": items, "next": following}


@routes.delete("/accounts/{name}/incoming/{message}")
async def erase_incoming(desk: Sets, name: str, message: str) -> JSON:
    return {"erased": await desk.history.erase_received(name, [message])}
