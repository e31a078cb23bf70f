"""History: what was sent and received, filters that live in the address, each message's whole life."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from gateway.admin import Desk, Fault, Invalid
from gateway.admin.history import STATES, UNDER_WAY, Filter
from gateway.web.access import Reads, Sets

from .forms import Form, typed
from .rendering import done, page
from .words import _, marked, ngettext

PAGE = 50
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
    asked, status = asked_of(request), 200 if fault is None else fault.status
    account, items, following = await desk.accounts.show(name), list[dict[str, object]](), None
    try:
        items, following = await desk.history.outgoing(name, asked, before, PAGE)
    except Invalid as invalid:
        fault, status = invalid, invalid.status
    chosen = {field: value for field, value in asked._asdict().items() if value}
    return page(
        request,
        "history.html",
        status=status,
        account=account,
        items=items,
        form=Form(asked._asdict(), fault),
        states=[("", _("Any")), (UNDER_WAY, word(UNDER_WAY)), *[(each, word(each)) for each in STATES]],
        word=word,
        chosen=chosen,
        query=urlencode(chosen),
        older="?" + urlencode({**chosen, "before": following}) if following else None,
        paged=before is not None,
    )


@routes.get("/accounts/{name}/history.csv")
async def download_history(request: Request, name: str, desk: Reads) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}-sent.csv"'}
    return StreamingResponse(await desk.history.sheet(name, asked_of(request)), media_type="text/csv", headers=headers)


@routes.post("/accounts/{name}/history/erase")
async def erase_messages(request: Request, name: str, desk: Sets) -> Response:
    form = await typed(request)
    try:
        erased = await desk.history.erase(name, Form(form).many("message"))
    except Fault as fault:
        return await listing(request, desk, name, fault=fault)
    said = ngettext("%(n)s message is erased.", "%(n)s messages are erased.", erased)
    return done(request, f"/accounts/{name}/history", said)


@routes.get("/accounts/{name}/history/{message}")
async def show_message(request: Request, name: str, message: str, desk: Reads) -> Response:
    account, found = await desk.accounts.show(name), await desk.history.show(name, message)
    return page(request, "message.html", account=account, found=found, word=word)


@routes.get("/accounts/{name}/received")
async def show_received(request: Request, name: str, desk: Reads, before: str | None = None) -> Response:
    account = await desk.accounts.show(name)
    items, following = await desk.history.incoming(name, Filter(), before, PAGE)
    older = f"?before={following}" if following else None
    return page(request, "received.html", account=account, items=items, older=older)


@routes.post("/accounts/{name}/received/erase")
async def erase_received(request: Request, name: str, desk: Sets) -> Response:
    form = await typed(request)
    erased = await desk.history.erase_received(name, Form(form).many("message"))
    said = ngettext("%(n)s message is erased.", "%(n)s messages are erased.", erased)
    return done(request, f"/accounts/{name}/received", said)
