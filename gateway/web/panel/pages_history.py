"""History: what was sent and received, filters that live in the address, each message's whole life."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from acl.reasons import REASONS
from gateway.admin import Desk, Fault, Invalid
from gateway.admin.history import INCOMING, STATES, UNDER_WAY, WHY, Filter
from gateway.admin.shapes import Shape
from gateway.web.access import Reads, Sets

from .forms import Form, typed
from .rendering import done, page
from .words import _, marked, ngettext, said

PAGE = 50
Reader = Callable[[str, Filter, str | None, int], Awaitable[tuple[list[Shape], str | None]]]
routes = APIRouter()
STATE_WORDS = {
    "under way": marked("Under way"),
    "accepted": marked("Under way"),
    "scheduled": marked("Scheduled"),
    "enroute": marked("Under way"),
    "delivered": marked("Delivered"),
    "expired": marked("Expired"),
    "deleted": marked("Cancelled"),
    "undeliverable": marked("Undeliverable"),
    "unknown": marked("Unknown"),
    "rejected": marked("Rejected"),
}


def word(state: str) -> str:
    return _(STATE_WORDS[state]) if state in STATE_WORDS else state


def asked_of(request: Request) -> Filter:
    return Filter(*[request.query_params.get(field, "").strip() for field in Filter._fields])


@routes.get("/accounts/{name}/history")
async def show_history(request: Request, name: str, desk: Reads, before: str | None = None) -> Response:
    return await listing(request, desk, name, before)


async def listing(
    request: Request, desk: Desk, name: str, before: str | None = None, fault: Fault | None = None
) -> Response:
    found = await filtered(request, desk.history.outgoing, name, before, fault)
    states = [("", _("Any")), (UNDER_WAY, word(UNDER_WAY)), *[(each, word(each)) for each in STATES]]
    return page(request, "history.html", account=await desk.accounts.show(name), states=states, word=word, **found)


async def filtered(
    request: Request, read: Reader, name: str, before: str | None, fault: Fault | None = None
) -> dict[str, Any]:
    """What a page of rows shows: those that fit, the filter as it was typed, and the address of what is older."""
    asked, items, following = asked_of(request), list[Shape](), None
    try:
        items, following = await read(name, asked, before, PAGE)
    except Invalid as invalid:
        fault = invalid
    chosen = {field: value for field, value in asked._asdict().items() if value}
    return {
        "status": 200 if fault is None else fault.status,
        "items": items,
        "form": Form(asked._asdict(), fault),
        "chosen": chosen,
        "query": urlencode(chosen),
        "older": "?" + urlencode({**chosen, "before": following}) if following else None,
        "paged": before is not None,
    }


def sheet_answer(rows: AsyncIterator[str], file: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{file}"'}
    return StreamingResponse(rows, media_type="text/csv", headers=headers)


@routes.get("/accounts/{name}/history.csv")
async def download_history(request: Request, name: str, desk: Reads) -> Response:
    return sheet_answer(await desk.history.sheet(name, asked_of(request)), f"{name}-sent.csv")


@routes.post("/accounts/{name}/history/erase")
async def erase_messages(request: Request, name: str, desk: Sets) -> Response:
    form = await typed(request)
    try:
        erased = await desk.history.erase(name, Form(form).many("message"))
    except Fault as fault:
        return await listing(request, desk, name, fault=fault)
    words = ngettext("%(n)s message is erased.", "%(n)s messages are erased.", erased)
    return done(request, f"/accounts/{name}/history", words)


@routes.get("/accounts/{name}/history/{message}")
async def show_message(request: Request, name: str, message: str, desk: Reads) -> Response:
    account, found = await desk.accounts.show(name), await desk.history.show(name, message)
    return page(request, "message.html", account=account, found=found, word=word)


# -- refused -----------------------------------------------------------------------------------------------------------
@routes.get("/accounts/{name}/refused")
async def show_refused(request: Request, name: str, desk: Reads, before: str | None = None) -> Response:
    found = await filtered(request, desk.history.refused, name, before)
    reasons = [("", _("Any")), *[(each, said(REASONS[each])) for each in WHY]]
    return page(request, "refused.html", account=await desk.accounts.show(name), reasons=reasons, **found)


# -- received ----------------------------------------------------------------------------------------------------------
@routes.get("/accounts/{name}/received")
async def show_received(request: Request, name: str, desk: Reads, before: str | None = None) -> Response:
    return await received(request, desk, name, before)


async def received(
    request: Request, desk: Desk, name: str, before: str | None = None, fault: Fault | None = None
) -> Response:
    found = await filtered(request, desk.history.incoming, name, before, fault)
    return page(request, "received.html", account=await desk.accounts.show(name), **found)


@routes.get("/accounts/{name}/received.csv")
async def download_received(request: Request, name: str, desk: Reads) -> Response:
    return sheet_answer(await desk.history.sheet(name, asked_of(request), INCOMING), f"{name}-received.csv")


@routes.post("/accounts/{name}/received/erase")
async def erase_received(request: Request, name: str, desk: Sets) -> Response:
    form = await typed(request)
    try:
        erased = await desk.history.erase_received(name, Form(form).many("message"))
    except Fault as fault:
        return await received(request, desk, name, fault=fault)
    words = ngettext("%(n)s message is erased.", "%(n)s messages are erased.", erased)
    return done(request, f"/accounts/{name}/received", words)
