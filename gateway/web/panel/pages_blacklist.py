"""The blacklist of an account: looked through, added to, and cleared of those who want to be written to again."""

import re

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.admin import Desk, Fault
from gateway.web.access import Reads, Sets

from .forms import Form, text, typed
from .rendering import done, page
from .words import ngettext

PAGE = 100
routes = APIRouter()


@routes.get("/accounts/{name}/blacklist")
async def show_blacklist(request: Request, name: str, desk: Reads, after: str = "", q: str = "") -> Response:
    return await listing(request, desk, name, after, q)


@routes.post("/accounts/{name}/blacklist")
async def add_numbers(request: Request, name: str, desk: Sets) -> Response:
    form = await typed(request)
    numbers = [one for one in re.split(r"[\n,;]+", text(form, "numbers")) if one.strip()]
    try:
        added = await desk.blacklist.add(name, numbers, text(form, "note"))
    except Fault as fault:
        return await listing(request, desk, name, form=Form(form, fault), status=fault.status)
    said = ngettext("%(n)s number is on the blacklist.", "%(n)s numbers are on the blacklist.", added)
    return done(request, f"/accounts/{name}/blacklist", said)


@routes.post("/accounts/{name}/blacklist/delete")
async def remove_numbers(request: Request, name: str, desk: Sets) -> Response:
    form = await typed(request)
    try:
        gone = await desk.blacklist.remove(name, Form(form).many("number"))
    except Fault as fault:
        return await listing(request, desk, name, form=Form({}, fault), status=fault.status)
    said = ngettext("%(n)s number is written to again.", "%(n)s numbers are written to again.", gone)
    return done(request, f"/accounts/{name}/blacklist", said)


async def listing(
    request: Request,
    desk: Desk,
    name: str,
    after: str = "",
    q: str = "",
    form: Form | None = None,
    status: int = 200,
) -> Response:
    account = await desk.accounts.show(name)
    numbers, following = await desk.blacklist.page(name, after, PAGE, q)
    return page(
        request,
        "blacklist.html",
        status=status,
        account=account,
        numbers=numbers,
        count=await desk.blacklist.count(name),
        older=f"?after={following}&q={q}" if following else None,
        q=q,
        form=form or Form(),
    )
