"""The log of changes over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from .access import Reads, Sets
from .people_routes import Id

JSON = dict[str, Any]
Page = Annotated[int, Query(ge=1, le=1000)]
routes = APIRouter(tags=["changes"])


@routes.get("/changes")
async def list_changes(
    desk: Reads,
    account: str | None = None,
    before: Annotated[int | None, Query(ge=1, lt=1 << 63)] = None,
    limit: Page = 50,
) -> JSON:
    """Newest first: who changed what, when and from where, and what it was; `next` is the `before` of the next page."""
    items, following = await desk.changes.newest(account, before, limit)
    return {"items": items, "next": following}


@routes.post("/changes/{change}/undo")
async def undo_change(desk: Sets, change: Id) -> JSON:
    """Give a setting back what it was, unless it was changed again since. The answer is the account."""
    return await desk.changes.undo(change)
