"""The blacklist of an account: looked through, added to, and cleared of those who want to be written to again."""

import re
from collections.abc import Sequence
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.admin import Desk, Fault, Right
from gateway.web.access import Reads, Sets
from store.office.blacklist import MOST, MOST_STOPPED

from .forms import Form, text, typed
from .rendering import done, page
from .words import _, ngettext

PAGE = 100
routes = APIRouter()


@routes.get("/accounts/{name}/blacklist")
async def show_blacklist(request: Request, name: str, desk: Reads, after: str = "", q: str = "") -> Response:
    """`chosen` are to be deleted: it is asked first."""
    return await listing(request, desk, name, after, q, chosen=request.query_params.getlist("chosen")[:PAGE])


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


@routes.post("/accounts/{name}/blacklist/settings")
async def change_settings(request: Request, name: str, desk: Sets) -> Response:
    form = await typed(request)
    keywords = [one.strip() for one in text(form, "stop_keywords").split(",") if one.strip()]
    try:
        await desk.accounts.change(name, {"blacklisted": text(form, "blacklisted"), "stop_keywords": keywords})
    except Fault as fault:
        return await listing(request, desk, name, form=Form(form, fault), status=fault.status)
    return done(request, f"/accounts/{name}/blacklist", _("The blacklist works this way from now on."))


async def listing(
    request: Request,
    desk: Desk,
    name: str,
    after: str = "",
    q: str = "",
    form: Form | None = None,
    status: int = 200,
    chosen: Sequence[str] = (),
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
        most=MOST_STOPPED,
        by_hand=MOST,
        older="?" + urlencode({"after": following, "q": q}) if following else None,
        newer="?" + urlencode({"q": q}) if after else None,
        q=q,
        form=form or Form(),
        chosen=chosen if Right.SETTINGS in desk.actor.rights else (),
    )
