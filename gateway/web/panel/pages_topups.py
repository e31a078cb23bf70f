"""Top-ups that wait for an operator: given or refused, with the reason that the owner reads."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.admin import Desk, Fault
from gateway.web.access import Operates, Oversees
from gateway.web.credit_routes import Cursor, Id

from .forms import Form, text, typed
from .rendering import done, page
from .words import _, credits_

routes = APIRouter()
QUEUE = "/topups"


@routes.get(QUEUE)
async def list_topups(request: Request, desk: Oversees, after: Cursor = None) -> Response:
    return await queue(request, desk, after or 0)


@routes.post("/topups/{topup_id}/approve")
async def approve_topup(request: Request, topup_id: Id, desk: Operates) -> Response:
    try:
        found = await desk.topups.approve(topup_id)
    except Fault as fault:
        return await queue(request, desk, form=Form({}, fault), status=fault.status)
    said = _("%(n)s credits are booked on %(name)s.", n=credits_(found["amount"]), name=found["account"])
    return done(request, QUEUE, said)


@routes.get("/topups/{topup_id}/refuse")
async def confirm_refusal(request: Request, topup_id: Id, desk: Operates) -> Response:
    return await queue(request, desk, refusing=topup_id)


@routes.post("/topups/{topup_id}/refuse")
async def refuse_topup(request: Request, topup_id: Id, desk: Operates) -> Response:
    form = await typed(request)
    try:
        found = await desk.topups.refuse(topup_id, text(form, "reason"))
    except Fault as fault:
        return await queue(request, desk, form=Form(form, fault), status=fault.status, refusing=topup_id)
    return done(request, QUEUE, _("The top-up of %(name)s is refused.", name=found["account"]))


async def queue(
    request: Request,
    desk: Desk,
    after: int = 0,
    form: Form | None = None,
    status: int = 200,
    refusing: int | None = None,
) -> Response:
    topups, following = await desk.topups.waiting(after)
    chosen = await desk.topups.show(refusing) if refusing is not None else None
    return page(
        request, "topups.html", status=status, topups=topups, following=following, refusing=chosen, form=form or Form(),
        paid=desk.office.payment is not None,
    )  # fmt: skip
