"""The home of an account: login data, status, balance, live binds, and how much it does."""

import csv
import io

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.responses import Response

from gateway.admin import Desk, Invalid, NotFound
from gateway.admin.shapes import Shape
from gateway.admin.traffic import SPANS
from gateway.web.access import Reads, Sets
from gateway.web.live_routes import stream

from .forms import Form, text, typed
from .rendering import done, page
from .service import badges
from .words import _, address_of, clock, credits_, number

NAMES = ("submitted", "delivered", "failed", "refused")
routes = APIRouter()


@routes.get("/accounts/{name}")
async def show_home(request: Request, name: str, desk: Reads, span: str = "hour") -> Response:
    account = await desk.accounts.show(name)
    series = await desk.traffic.series(name, span if span in SPANS else "hour")
    return page(
        request,
        "account_home.html",
        account=account,
        badges=badges(account),
        endpoints=desk.service.endpoints(request.url.hostname or ""),
        binds=await binds_of(desk, account),
        series=series,
        today=(await desk.traffic.now(name))["today"],
        state=state_of(account),
    )


@routes.get("/accounts/{name}/parts/status")
async def show_status(request: Request, name: str, desk: Reads) -> Response:
    """The tile alone: it is asked for when the status has changed."""
    account = await desk.accounts.show(name)
    binds = await binds_of(desk, account)
    return page(request, "part_status.html", account=account, badges=badges(account), binds=binds)


@routes.get("/accounts/{name}/parts/binds")
async def show_binds(request: Request, name: str, desk: Reads) -> Response:
    account = await desk.accounts.show(name)
    return page(request, "part_binds.html", account=account, binds=await binds_of(desk, account))


async def binds_of(desk: Desk, account: Shape) -> list[Shape]:
    """With what the owner noted about the address each comes from."""
    notes = dict(each.split(" ", 1) for each in account.get("address_comments", ()))
    return [{**bind, "note": notes.get(bind.get("peer", ""), "")} for bind in await desk.binds.all(account["name"])]


def state_of(account: Shape) -> str:
    """What a change of makes the page ask for its tiles again."""
    return f"{account['status']} {account['binds']}"


@routes.get("/accounts/{name}/live")
async def follow(name: str, desk: Reads) -> StreamingResponse:
    """The figures of the page, written as its reader writes them."""

    async def read() -> dict[str, object]:
        now = await desk.traffic.now(name)
        shown = {
            "balance": credits_(now["balance"]),
            "binds": number(now["binds"]),
            "rate": number(now["rate"]),
            "updated": clock(now["at"]),
            **{f"today-{figure}": number(now["today"][figure]) for figure in NAMES},
        }
        return {"shown": shown, "state": f"{now['status']} {now['binds']}"}

    return await stream(read)


@routes.get("/accounts/{name}/traffic.csv")
async def download_traffic(name: str, desk: Reads, span: str = "hour") -> Response:
    series = await desk.traffic.series(name, span)
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(("at", *NAMES))
    table.writerows([item["at"], *(item[figure] for figure in NAMES)] for item in series["items"])
    headers = {"Content-Disposition": f'attachment; filename="traffic-{span}.csv"'}
    return Response(out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


# -- description and binds ---------------------------------------------------------------------------------------------
@routes.get("/accounts/{name}/description")
async def edit_description(request: Request, name: str, desk: Sets) -> Response:
    account = await desk.accounts.show(name)
    return page(request, "account_describe.html", account=account, form=Form(account))


@routes.post("/accounts/{name}/description")
async def describe(request: Request, name: str, desk: Sets) -> Response:
    form = await typed(request)
    try:
        account = await desk.accounts.change(name, {"description": text(form, "description")})
    except Invalid as fault:
        account = await desk.accounts.show(name)
        return page(request, "account_describe.html", account=account, form=Form(form, fault), status=422)
    return done(request, f"/accounts/{account['name']}", _("The description is changed."))


@routes.get("/accounts/{name}/binds/{bind_id}/disconnect")
async def confirm_disconnect(request: Request, name: str, bind_id: int, desk: Sets) -> Response:
    account = await desk.accounts.show(name)
    bind, back = await one_bind(desk, account, bind_id), f"/accounts/{account['name']}"
    action = f"{back}/binds/{bind_id}/disconnect"
    return page(request, "bind_disconnect.html", account=account, bind=bind, action=action, back=back)


@routes.post("/accounts/{name}/binds/{bind_id}/disconnect")
async def disconnect(request: Request, name: str, bind_id: int, desk: Sets) -> Response:
    account = await desk.accounts.show(name)
    bind = await one_bind(desk, account, bind_id)
    await desk.binds.kick(bind_id)
    return done(request, f"/accounts/{account['name']}", _("%(peer)s is disconnected.", peer=address_of(bind)))


async def one_bind(desk: Desk, account: Shape, bind_id: int) -> Shape:
    for bind in await binds_of(desk, account):
        if bind["id"] == bind_id:
            return bind
    raise NotFound(f"there is no bind {bind_id}")


