"""Sending from the panel: what a message would cost first, then the road that every message goes; taking one back.

Invariant: a form that is posted twice sends once. Nothing is sent by looking at what it would cost.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from secrets import token_urlsafe
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from acl.senders import ANY
from gateway.admin import Desk, Fault, Invalid, Wrong
from gateway.admin.estimate import Asked
from gateway.admin.sending import LONGEST_MESSAGE, MOST_RECIPIENTS, Wish
from gateway.admin.shapes import Shape
from gateway.web.access import Sends
from gateway.web.once import posted_once
from gateway.zones import zone_of

from .forms import Form, text, typed
from .rendering import done, page
from .words import _, ngettext

routes = APIRouter()


@routes.get("/accounts/{name}/send")
async def show_send(request: Request, name: str, desk: Sends) -> Response:
    return await send_page(request, name, desk, Form({"request_id": token_urlsafe(12)}))


@routes.post("/accounts/{name}/send/preview")
async def preview(request: Request, name: str, desk: Sends) -> Response:
    """The page as it was filled in, with what the message would cost."""
    form = await typed(request)
    try:
        found = await costs(desk, name, form)
    except Fault as fault:
        return await send_page(request, name, desk, Form(form, fault), fault.status)
    return await send_page(request, name, desk, Form(form), found=found)


@routes.post("/accounts/{name}/send/cost")
async def live_preview(request: Request, name: str, desk: Sends) -> Response:
    """The tile alone, while somebody types: what cannot be judged yet is no fault yet."""
    form, found = await typed(request), None
    if message_of(form) and recipients_of(form):
        try:
            found = await costs(desk, name, form)
        except Invalid:
            found = None
    return page(request, "part_cost.html", account=await desk.accounts.show(name), found=found)


@routes.post("/accounts/{name}/send")
async def send(request: Request, name: str, desk: Sends) -> Response:
    form = await typed(request)
    try:
        wish = wish_of(form, desk.actor.time_zone)
        fates = await posted_once(desk, text(form, "request_id"), lambda: desk.sending.send(name, wish))
    except Fault as fault:
        return await send_page(request, name, desk, Form(form, fault), fault.status)
    refused = [each for each in fates if "reason" in each]
    if not refused:
        said = ngettext("%(n)s message is accepted.", "%(n)s messages are accepted.", len(fates))
        return done(request, f"/accounts/{name}/history", said)
    again = "\n".join(each["recipient"] for each in refused)
    left = {**dict(form), "recipients": again, "request_id": token_urlsafe(12)}
    return await send_page(request, name, desk, Form(left), 422, fates=fates)


@routes.post("/accounts/{name}/history/{message}/cancel")
async def cancel(request: Request, name: str, message: str, desk: Sends) -> Response:
    await desk.sending.cancel(name, message)
    return done(request, f"/accounts/{name}/history/{message}", _("The message is cancelled."))


async def send_page(
    request: Request, name: str, desk: Desk, form: Form, status: int = 200, found: Shape | None = None,
    fates: Sequence[Shape] = (),
) -> Response:  # fmt: skip
    account = await desk.accounts.show(name)
    senders = [sender for sender in account.get("senders", ()) if sender != ANY]
    return page(
        request, "send.html", status=status, account=account, form=form, found=found, fates=fates, senders=senders,
        choices=[(sender, sender) for sender in senders], any_sender=ANY in account.get("senders", ()),
        zone=desk.actor.time_zone, most=MOST_RECIPIENTS, longest=LONGEST_MESSAGE,
    )  # fmt: skip


# -- what was typed ----------------------------------------------------------------------------------------------------
def recipients_of(form: FormData) -> list[str]:
    """One a line, or with commas between them; each once."""
    typed = text(form, "recipients").replace(",", "\n").replace(";", "\n")
    return list(dict.fromkeys(line.replace(" ", "") for line in typed.splitlines() if line.strip()))


def message_of(form: FormData) -> str:
    found = form.get("message", "")
    return found.replace("\r\n", "\n") if isinstance(found, str) else ""


def wish_of(form: FormData, zone: str) -> Wish:
    schedule = None
    if when := text(form, "schedule"):
        try:
            schedule = datetime.fromisoformat(when)
        except ValueError:
            raise Invalid(Wrong("schedule", "is a day and a time such as 2026-11-25T14:00")) from None
        if schedule.tzinfo is None:
            schedule = schedule.replace(tzinfo=zone_of(zone))
    return Wish(
        recipients_of(form), message_of(form), text(form, "sender"), text(form, "coding") or "auto",
        "registered" in form, None, schedule,
    )  # fmt: skip


async def costs(desk: Desk, name: str, form: FormData) -> dict[str, Any]:
    """Parts, coding and price for all recipients together; how many of them would be refused, and why the first."""
    wish = wish_of(form, desk.actor.time_zone)
    if not 0 < len(wish.recipients) <= MOST_RECIPIENTS:
        raise Invalid(Wrong("recipients", f"are 1 to {MOST_RECIPIENTS} numbers"))
    asked = Asked(wish.message, "", wish.sender, wish.coding)
    try:
        each = [await desk.estimates.price(name, asked._replace(to=to)) for to in wish.recipients]
    except Invalid as fault:
        fields = {"text": "message", "to": "recipients", "from": "sender"}
        raise Invalid(*(Wrong(fields.get(wrong.field, wrong.field), wrong.reason) for wrong in fault.errors)) from None
    paid = [Decimal(one["credits"]) for one in each if one["credits"] is not None]
    refused = [one for one in each if one["refused"]]
    account, total = await desk.accounts.show(name), sum(paid, Decimal(0))
    return {
        **each[0],
        "total": str(total),
        "short": not refused and total > Decimal(account["balance"]) + Decimal(account.get("credit_limit", 0)),
        "recipients": len(each),
        "refused_number": len(refused),
        "refused_why": refused[0]["why"] if refused else None,
    }
