"""The credits of an account: its statement, top-ups, automatic top-up, transfers, and what messages cost.

Invariant: what moves money is shown with its consequences first and carries a request id that was made with the form,
so a button pressed twice moves it once.
"""

from decimal import Decimal
from secrets import token_urlsafe

from fastapi import APIRouter, Request
from starlette.responses import Response

from acl.settings import BY_NAME
from gateway.admin import Desk, Fault, Invalid, Right
from gateway.admin.estimate import Asked
from gateway.admin.shapes import Shape
from gateway.admin.statement import Entry
from gateway.web.access import Pays, Reads, Sets
from gateway.web.credit_routes import Cursor

from .forms import Form, text, typed
from .rendering import done, page
from .statement_rows import row_of
from .words import _, amount_of, credits_

FILTERS = ("from", "to", "kind", "by")
LATEST = 10
MOST_CHOICES = 200  # accounts to choose from; among more, the name is typed
AUTOMATIC = ("auto_topup_amount", "auto_topup_threshold", "auto_topup_per_day", "auto_topup_at_once")
AMOUNTS = ("auto_topup_threshold",)
routes = APIRouter()


# -- the statement -----------------------------------------------------------------------------------------------------
@routes.get("/accounts/{name}/credits")
async def show_statement(request: Request, name: str, desk: Reads, before: Cursor = None) -> Response:
    asked = {field: request.query_params.get(field, "") for field in FILTERS}
    form, status = Form(asked), 200
    account, summary = await desk.accounts.show(name), await desk.credits.summary(name)
    entries, older = list[Entry](), None
    try:
        wanted = desk.statement.asked(asked["kind"] or "all", asked["by"] or "hour", asked["from"], asked["to"])
        entries, older = await desk.statement.page(name, wanted, before)
    except Invalid as fault:
        form, status = Form(asked, fault), 422
    return page(
        request,
        "credits_statement.html",
        status=status,
        account=account,
        summary=summary,
        share=refunded(summary),
        trouble=await trouble_of(desk, account),
        rows=[row_of(entry, asked["by"]) for entry in entries],
        form=form,
        asked={field: value for field, value in asked.items() if value},
        older=older,
        paged=before is not None,
    )


async def trouble_of(desk: Desk, account: Shape) -> Shape | None:
    """The last automatic top-up, if it gave no credit and that is still felt."""
    if account.get("auto_topup_amount", "off") == "off":
        return None
    if Decimal(account["balance"]) > Decimal(account["auto_topup_threshold"]):
        return None
    topups, _older = await desk.topups.of_account(account["name"], limit=LATEST)
    last = next((one for one in topups if one["automatic"]), None)
    return last if last is not None and last["state"] in ("failed", "capped", "refused") else None


def refunded(summary: Shape) -> float:
    """As a share of what was spent this month."""
    spent = Decimal(summary["spent_this_month"])
    return float(Decimal(summary["refunded_this_month"]) / spent) if spent else 0.0


# -- top up ------------------------------------------------------------------------------------------------------------
@routes.get("/accounts/{name}/credits/topup")
async def show_topup(request: Request, name: str, desk: Reads) -> Response:
    return await topup_page(request, name, desk, Form({"request_id": token_urlsafe(12)}))


@routes.post("/accounts/{name}/credits/topup")
async def ask_topup(request: Request, name: str, desk: Pays) -> Response:
    """An operator books at once; everybody else asks."""
    form = await typed(request)
    amount, id_, note = amount_of(text(form, "amount")), text(form, "request_id") or None, text(form, "note")
    try:
        if Right.OPERATE in desk.actor.rights:
            line = await desk.credits.add(name, amount, id_, note)
            said = _("%(n)s credits are booked.", n=credits_(line["amount"]))
        else:
            asked = await desk.topups.ask(name, amount, id_, note)
            said = _("A top-up of %(n)s credits is asked for.", n=credits_(asked["amount"]))
    except Fault as fault:
        return await topup_page(request, name, desk, Form(form, fault), fault.status)
    return done(request, f"/accounts/{name}/credits/topup", said)


async def topup_page(request: Request, name: str, desk: Desk, form: Form, status: int = 200) -> Response:
    account = await desk.accounts.show(name)
    topups, _older = await desk.topups.of_account(name, limit=LATEST)
    summary, paid = await desk.credits.summary(name), desk.office.payment is not None
    return page(
        request, "credits_topup.html", status=status, account=account, form=form, topups=topups, summary=summary,
        paid=paid,
    )  # fmt: skip


# -- automatic top-up --------------------------------------------------------------------------------------------------
@routes.get("/accounts/{name}/credits/automatic")
async def show_automatic(request: Request, name: str, desk: Reads) -> Response:
    return await automatic_page(request, name, desk)


@routes.post("/accounts/{name}/credits/automatic")
async def change_automatic(request: Request, name: str, desk: Sets) -> Response:
    form = await typed(request)
    given = {field: text(form, field) for field in AUTOMATIC if field in form}
    fields = {field: amount_of(value) if field in AMOUNTS else value for field, value in given.items()}
    try:
        await desk.accounts.change(name, {field: read(field, value) for field, value in fields.items()})
    except Fault as fault:
        return await automatic_page(request, name, desk, Form(form, fault), fault.status)
    said = _("The automatic top-up is changed; it counts at once.")
    return done(request, f"/accounts/{name}/credits/automatic", said)


def read(field: str, value: str) -> object:
    """As the table of settings reads it; what it cannot read is handed on, to be refused with its reason."""
    try:
        return BY_NAME[field].parse(value)
    except ValueError:
        return value


async def automatic_page(
    request: Request, name: str, desk: Desk, form: Form | None = None, status: int = 200
) -> Response:
    account = await desk.accounts.show(name)
    topups, _older = await desk.topups.of_account(name, limit=50)
    return page(
        request,
        "credits_automatic.html",
        status=status,
        account=account,
        form=form or Form(account),
        on=account.get("auto_topup_amount", "off") != "off",
        choices=BY_NAME["auto_topup_amount"].choices,
        topups=[one for one in topups if one["automatic"]][:LATEST],
        summary=(summary := await desk.credits.summary(name)),
        lasts=lasting(account, summary),
        mailed=desk.office.mail is not None,
        paid=desk.office.payment is not None,
    )


def lasting(account: Shape, summary: Shape) -> dict[str, int] | None:
    """Hours of the last week's traffic that threshold and amount are worth; None if there was none."""
    per_day = Decimal(summary["per_day"])
    amount = account.get("auto_topup_amount", "off")
    if per_day <= 0 or amount == "off":
        return None
    worth = {"threshold": account["auto_topup_threshold"], "amount": amount}
    return {name: int(Decimal(value) * 24 / per_day) for name, value in worth.items()}


# -- transfer ----------------------------------------------------------------------------------------------------------
@routes.get("/accounts/{name}/credits/transfer")
async def show_transfer(request: Request, name: str, desk: Reads) -> Response:
    return await transfer_page(request, name, desk, Form({"request_id": token_urlsafe(12)}))


@routes.post("/accounts/{name}/credits/transfer")
async def confirm_transfer(request: Request, name: str, desk: Pays) -> Response:
    """Both balances as they will be; nothing has moved yet."""
    form = await typed(request)
    try:
        preview = await desk.credits.preview(name, text(form, "target"), amount_of(text(form, "credits")))
    except Fault as fault:
        return await transfer_page(request, name, desk, Form(form, fault), fault.status)
    return await transfer_page(request, name, desk, Form(form), preview=preview)


@routes.post("/accounts/{name}/credits/transfer/confirmed")
async def transfer(request: Request, name: str, desk: Pays) -> Response:
    form = await typed(request)
    try:
        moved = await desk.credits.transfer(
            name, text(form, "target"), amount_of(text(form, "credits")), text(form, "request_id") or None
        )
    except Fault as fault:
        return await transfer_page(request, name, desk, Form(form, fault), fault.status)
    to = moved["to"]
    said = _("%(n)s credits are on %(name)s now.", n=credits_(to["amount"]), name=to["account"])
    return done(request, f"/accounts/{name}/credits/transfer", said)


async def transfer_page(
    request: Request, name: str, desk: Desk, form: Form, status: int = 200, preview: Shape | None = None
) -> Response:
    entries, _older = await desk.credits.transfers(name, limit=LATEST)
    return page(
        request,
        "credits_transfer.html",
        status=status,
        account=await desk.accounts.show(name),
        form=form,
        targets=await desk.credits.targets(name),
        most=MOST_CHOICES,
        rows=[row_of(entry, "line") for entry in entries],
        preview=preview,
    )


# -- what messages cost ------------------------------------------------------------------------------------------------
@routes.get("/accounts/{name}/credits/prices")
async def show_prices(request: Request, name: str, desk: Reads) -> Response:
    return await prices_page(request, name, desk, Form())


@routes.post("/accounts/{name}/credits/prices")
async def estimate(request: Request, name: str, desk: Reads) -> Response:
    form = await typed(request)
    written = form.get("text", "")
    asked = Asked(written if isinstance(written, str) else "", text(form, "to"), text(form, "from"),
                  text(form, "coding") or "auto")  # fmt: skip
    try:
        found = await desk.estimates.price(name, asked._replace(text=asked.text.replace("\r\n", "\n")))
    except Fault as fault:
        return await prices_page(request, name, desk, Form(form, fault), fault.status)
    return await prices_page(request, name, desk, Form(form), found=found)


async def prices_page(
    request: Request, name: str, desk: Desk, form: Form, status: int = 200, found: Shape | None = None
) -> Response:
    return page(
        request,
        "credits_prices.html",
        status=status,
        account=await desk.accounts.show(name),
        plan=await desk.estimates.plan(name),
        form=form,
        found=found,
    )
