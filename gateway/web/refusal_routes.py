"""What was refused, and why, over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from gateway.admin.why import Asked

from .access import Reads
from .people_routes import Id

JSON = dict[str, Any]
Page = Annotated[int, Query(ge=1, le=1000)]
Cursor = Annotated[int | None, Query(ge=1, lt=1 << 63)]
Text = Annotated[str, Query(max_length=64)]
routes = APIRouter(tags=["refusals"])


def asked(account: Text = "", kind: Text = "", reason: Text = "", named: Text = "", since: Text = "") -> Asked:
    """`kind` is bind or message; `named` the peer's address, the system_id, the sender or the recipient; `since` a day
    of the asker's, or a moment."""
    return Asked(account, kind, reason, named.strip(), since)


Wanted = Annotated[Asked, Depends(asked)]


@routes.get("/refusals")
async def list_refusals(desk: Reads, asked: Wanted, before: Cursor = None, limit: Page = 100) -> JSON:
    """Newest first: messages and binds that were refused, and why; `next` is the `before` of the next page, which may
    be there though nothing fitted yet."""
    items, following = await desk.why.refused(asked, before, limit)
    return {"items": items, "next": following}


@routes.get("/refusals/reasons")
async def count_refusals(desk: Reads, asked: Wanted) -> JSON:
    """How often for each reason, most frequent first, with the last of each; of those that are remembered."""
    return {"items": await desk.why.by_reason(asked)}


@routes.get("/refusals/{refusal_id}")
async def show_refusal(desk: Reads, refusal_id: Id) -> JSON:
    """One refusal: the checks that were passed, the one that refused, those that were not reached."""
    return await desk.why.show(refusal_id)


@routes.get("/why")
async def explain(desk: Reads, q: Annotated[str, Query(min_length=1, max_length=64)]) -> JSON:
    """All that is remembered of a message id, a system_id, an address, a sender, a recipient or an account."""
    return await desk.why.explain(q)
