"""Price plans for operators: listed, shown, made, edited by hand or by a sheet, given to accounts, deleted.

Invariant: a plan is saved as a whole by who has seen what is there; what is wrong is told by its line, and nothing of
it is saved.
"""

from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from gateway.admin import Desk, Fault, Invalid, Wrong
from gateway.admin.prices import DEFAULT, read
from gateway.admin.shapes import Shape
from gateway.web.access import Operates, Oversees

from .forms import Form, text, typed, whole
from .rendering import done, page
from .words import _, ngettext

LARGEST = 1_000_000  # octets of a sheet
SHOWN = 500
routes = APIRouter()


@routes.get("/price-plans")
async def list_plans(request: Request, desk: Oversees) -> Response:
    return await listing(request, desk)


@routes.post("/price-plans")
async def create_plan(request: Request, desk: Operates) -> Response:
    form = await typed(request)
    try:
        made = await desk.prices.set(text(form, "name"), read(await sheet_of(form)), seen="")
    except Fault as fault:
        return await listing(request, desk, Form(form, fault), fault.status)
    return done(request, f"/price-plans/{made['name']}", _("The price plan %(name)s is there.", name=made["name"]))


async def listing(request: Request, desk: Desk, form: Form | None = None, status: int = 200) -> Response:
    plans, used = await desk.prices.all(), await using(desk)
    return page(request, "price_plans.html", status=status, plans=plans, used=used, form=form or Form())


async def using(desk: Desk) -> dict[str, list[str]]:
    """Plan -> the accounts that have it."""
    found: dict[str, list[str]] = {}
    for account in await desk.accounts.all():
        found.setdefault(str(account.get("price_plan", "")), []).append(account["name"])
    return found


async def sheet_of(form: FormData) -> str:
    """The file, if one was chosen; else what was typed."""
    file = form.get("file")
    if not isinstance(file, UploadFile):
        return whole(form, "prices")
    content = await file.read(LARGEST + 1)
    await file.close()
    if not file.filename:
        return whole(form, "prices")
    if len(content) > LARGEST:
        raise Invalid(Wrong("file", f"has at most {LARGEST} octets"))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(Wrong("file", "is not a text in UTF-8")) from None


# -- one plan ----------------------------------------------------------------------------------------------------------
@routes.get("/price-plans/{name}")
async def show_plan(request: Request, name: str, desk: Oversees, q: str = "") -> Response:
    return await showing(request, desk, name, q)


async def showing(
    request: Request, desk: Desk, name: str, q: str = "", form: Form | None = None, status: int = 200
) -> Response:
    plan, accounts = await desk.prices.show(name), await desk.accounts.all()
    fitting = {prefix: price for prefix, price in plan["prices"].items() if fits(prefix, digits(q))}
    return page(
        request,
        "price_plan.html",
        status=status,
        plan=plan,
        prices=dict(list(fitting.items())[:SHOWN]),
        found=len(fitting),
        counting=counting(plan, digits(q)),
        q=q.strip(),
        having=[each["name"] for each in accounts if each.get("price_plan") == name],
        others=[each for each in accounts if each.get("price_plan") != name],
        most=SHOWN,
        form=form or Form(),
    )


def digits(text_: str) -> str:
    return text_.strip().removeprefix("+").replace(" ", "")[:20]


def fits(prefix: str, number: str) -> bool:
    return prefix.startswith(number) or ((prefix == "*" or number.startswith(prefix)) and bool(number))


def counting(plan: Shape, number: str) -> str | None:
    """The prefix that prices this number: the longest that it begins with."""
    if not number:
        return None
    matching = [prefix for prefix in plan["prices"] if prefix == "*" or number.startswith(prefix)]
    return max(matching, key=lambda prefix: 0 if prefix == "*" else len(prefix), default=None)


@routes.get("/price-plans/{name}/prices.csv")
async def download_plan(name: str, desk: Oversees) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{(await desk.prices.show(name))["name"]}.csv"'}
    return Response(await desk.prices.sheet(name), media_type="text/csv; charset=utf-8", headers=headers)


@routes.get("/price-plans/{name}/edit")
async def edit_plan(request: Request, name: str, desk: Operates) -> Response:
    values = {"prices": await desk.prices.sheet(name), "seen": await desk.prices.version(name)}
    return await editing(request, desk, name, Form(values))


@routes.post("/price-plans/{name}/edit")
async def save_plan(request: Request, name: str, desk: Operates) -> Response:
    form = await typed(request)
    await desk.prices.show(name)
    try:
        saved = await desk.prices.set(name, read(await sheet_of(form)), text(form, "seen"))
    except Fault as fault:
        values: dict[str, Any] = {"prices": whole(form, "prices"), "seen": text(form, "seen")}
        return await editing(request, desk, name, Form(values, fault), fault.status)
    number = len(saved["prices"])
    said = ngettext("The plan has %(n)s price now.", "The plan has %(n)s prices now.", number)
    return done(request, f"/price-plans/{name}", said)


async def editing(request: Request, desk: Desk, name: str, form: Form, status: int = 200) -> Response:
    plan, used = await desk.prices.show(name), (await using(desk)).get(name, [])
    return page(request, "price_plan_edit.html", status=status, plan=plan, used=used, form=form)


@routes.get("/price-plans/{name}/delete")
async def confirm_delete_plan(request: Request, name: str, desk: Operates) -> Response:
    return await deleting(request, desk, name)


@routes.post("/price-plans/{name}/delete")
async def delete_plan(request: Request, name: str, desk: Operates) -> Response:
    form = await typed(request)
    await desk.prices.show(name)
    try:
        await desk.prices.delete(name, text(form, "seen"))
    except Fault as fault:
        return await deleting(request, desk, name, fault)
    return done(request, "/price-plans", _("The price plan %(name)s is deleted.", name=name))


async def deleting(request: Request, desk: Desk, name: str, fault: Fault | None = None) -> Response:
    """What was refused is asked again, with what is there now."""
    plan, used = await desk.prices.show(name), (await using(desk)).get(name, [])
    form, status = Form({"seen": await desk.prices.version(name)}, fault), fault.status if fault else 200
    stays = name == DEFAULT
    return page(request, "price_plan_delete.html", status=status, plan=plan, used=used, stays=stays, form=form)


@routes.post("/price-plans/{name}/accounts")
async def assign_plan(request: Request, name: str, desk: Operates) -> Response:
    """All that were named, or none."""
    form = await typed(request)
    named = list(dict.fromkeys([*Form(form).many("account"), *text(form, "names").replace(",", " ").split()]))
    try:
        await desk.prices.show(name)
        if not named:
            raise Invalid(Wrong("names", "name an account"))
        for account in named:
            await desk.accounts.show(account)
        for account in named:
            await desk.accounts.change(account, {"price_plan": name})
    except Fault as fault:
        return await showing(request, desk, name, form=Form(form, fault), status=fault.status)
    said = ngettext("%(n)s account has this plan now.", "%(n)s accounts have this plan now.", len(named))
    return done(request, f"/price-plans/{name}", said)
