"""Exports of history: ordered, looked at while they are written, downloaded."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse
from starlette.responses import Response

from gateway.admin import Desk, Fault
from gateway.admin.history import STATES, UNDER_WAY, Filter
from gateway.web.access import Reads
from gateway.web.export_routes import Id

from .forms import Form, text, typed
from .pages_history import word
from .rendering import done, page
from .words import _

FIELDS = ("since", "until", "sender", "recipient", "state")
routes = APIRouter()


@routes.get("/accounts/{name}/exports")
async def show_exports(request: Request, name: str, desk: Reads) -> Response:
    return await listing(request, desk, name, Form(request.query_params))


async def listing(request: Request, desk: Desk, name: str, form: Form, status: int = 200) -> Response:
    states = [("", _("Any")), (UNDER_WAY, word(UNDER_WAY)), *[(each, word(each)) for each in STATES]]
    return page(request, "exports.html", status=status, form=form, states=states, **await known(desk, name))


async def known(desk: Desk, name: str) -> dict[str, Any]:
    return {"account": await desk.accounts.show(name), "items": await desk.exports.all(name), "word": word}


@routes.get("/accounts/{name}/exports/rows")
async def show_rows(request: Request, name: str, desk: Reads) -> Response:
    """The table alone: it is asked for while something is written."""
    return page(request, "part_exports.html", **await known(desk, name))


@routes.post("/accounts/{name}/exports")
async def order(request: Request, name: str, desk: Reads) -> Response:
    form = await typed(request)
    direction = text(form, "direction") or "outgoing"
    fields = {field: text(form, field) for field in FIELDS if field != "state" or direction == "outgoing"}
    try:
        await desk.exports.order(name, direction, Filter(**fields))
    except Fault as fault:
        return await listing(request, desk, name, Form(form, fault), fault.status)
    return done(request, f"/accounts/{name}/exports", _("The sheet is being written."))


@routes.get("/accounts/{name}/exports/{export}.csv")
async def download(name: str, export: Id, desk: Reads) -> Response:
    file = await desk.exports.file(name, export)
    return FileResponse(file, media_type="text/csv", filename=f"{name}-{export}.csv")


@routes.post("/accounts/{name}/exports/{export}/cancel")
async def cancel(request: Request, name: str, export: Id, desk: Reads) -> Response:
    await desk.exports.cancel(name, export)
    return done(request, f"/accounts/{name}/exports", _("The export is cancelled."))


@routes.post("/accounts/{name}/exports/{export}/delete")
async def delete(request: Request, name: str, export: Id, desk: Reads) -> Response:
    await desk.exports.remove(name, export)
    return done(request, f"/accounts/{name}/exports", _("The export is deleted."))
