"""The log of changes: who changed what, and the button that gives a setting back what it was."""

import json
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway.web.access import Reads, Sets
from gateway.web.people_routes import Id

from .rendering import done, page
from .words import _

STEP = 50
routes = APIRouter()


def shown(value: Any) -> str:
    """A value as people read it; nothing for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return ", ".join(f"{name}: {shown(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(shown(each) for each in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def subjects() -> dict[str, str]:
    return {
        "setting": _("setting"),
        "account": _("account"),
        "credits": _("credits"),
        "price plan": _("price plan"),
        "bind": _("bind"),
        "person": _("person"),
        "token": _("token"),
        "store": _("store"),
    }


@routes.get("/changes")
async def list_changes(
    request: Request,
    desk: Reads,
    account: str = "",
    before: Annotated[int | None, Query(ge=1, lt=1 << 63)] = None,
) -> Response:
    items, following = await desk.changes.newest(account or None, before, STEP)
    more = {"account": account} if account else {}
    return page(
        request,
        "changes.html",
        items=items,
        shown=shown,
        subjects=subjects(),
        chosen=account,
        names=[each["name"] for each in await desk.accounts.all()],
        older=f"?{urlencode({**more, 'before': following})}" if following else None,
        newer=f"?{urlencode(more)}" if before else None,
    )


@routes.post("/changes/{change}/undo")
async def undo_change(request: Request, desk: Sets, change: Id) -> Response:
    account = await desk.changes.undo(change)
    return done(request, f"/changes?{urlencode({'account': account['name']})}", _("The setting is what it was before."))
