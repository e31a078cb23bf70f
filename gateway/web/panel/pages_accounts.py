"""The list of accounts: who needs me? Created, switched off and on from here."""

from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from gateway.admin import Fault
from gateway.admin.shapes import Shape
from gateway.web.access import Operates, Reads

from .forms import Form, text, typed
from .rendering import done, page
from .service import badges, needs_attention
from .words import _

PAGE = 50
FEW = 8  # accounts that need no search
FIELDS = ("name", "description", "system_id", "credits", "price_plan", "contact_email")
routes = APIRouter()

SHOWN: dict[str, Callable[[Shape], bool]] = {
    "all": lambda _account: True,
    "attention": needs_attention,
    "disabled": lambda account: account["status"] == "DISABLED",
}


@routes.get("/")
async def begin() -> Response:
    return RedirectResponse("/accounts", 303)


@routes.get("/accounts")
async def list_accounts(request: Request, desk: Reads, q: str = "", show: str = "all", start: int = 0) -> Response:
    everything = await desk.accounts.all()
    counts = {name: sum(map(fits, everything)) for name, fits in SHOWN.items()}
    chosen = [each for each in everything if SHOWN.get(show, SHOWN["all"])(each) and found(each, q)]
    start = max(0, min(start, len(chosen) - 1))
    return page(
        request,
        "accounts.html",
        accounts=[(each, badges(each)) for each in chosen[start : start + PAGE]],
        found=len(chosen),
        counts=counts,
        binds=sum(each["binds"] or 0 for each in everything),
        q=q,
        show=show,
        start=start,
        step=PAGE,
        searchable=len(everything) > FEW or q,
    )


def found(account: Shape, wanted: str) -> bool:
    """By name, description or SystemID, whatever the capitals."""
    words = " ".join(str(account.get(key, "")) for key in ("name", "description", "system_id")).casefold()
    return all(word in words for word in wanted.casefold().split())


@routes.get("/accounts/new")
async def new_account(request: Request, desk: Operates) -> Response:
    return await form_of(request, desk, Form({"price_plan": "default"}))


@routes.post("/accounts/new")
async def create_account(request: Request, desk: Operates) -> Response:
    form = await typed(request)
    try:
        made = await desk.accounts.create({name: text(form, name) for name in FIELDS if text(form, name)})
    except Fault as fault:
        return await form_of(request, desk, Form(form, fault), fault.status)
    return page(request, "account_created.html", account=made, password=made["password"])


async def form_of(request: Request, desk: Operates, form: Form, status: int = 200) -> Response:
    plans = [(each["name"], each["name"]) for each in await desk.prices.all()]
    return page(request, "account_new.html", status=status, form=form, plans=plans)


@routes.post("/accounts/{name}/enable")
async def enable_account(request: Request, name: str, desk: Operates) -> Response:
    account = await desk.accounts.enable(name, True)
    return done(request, f"/accounts/{account['name']}", _("%(name)s is enabled.", name=account["name"]))


@routes.get("/accounts/{name}/disable")
async def confirm_disable(request: Request, name: str, desk: Operates) -> Response:
    return page(request, "account_disable.html", account=await desk.accounts.show(name))


@routes.post("/accounts/{name}/disable")
async def disable_account(request: Request, name: str, desk: Operates) -> Response:
    account = await desk.accounts.enable(name, False)
    return done(request, f"/accounts/{account['name']}", _("%(name)s is disabled.", name=account["name"]))
