"""Refusals by reason, one by one, and why: whatever is asked for by an id, a name or a number, explained.

Invariant: the filters live in the address. What is said of a refusal was recorded when it happened; the way out is
offered, never taken by itself.
"""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from acl import reasons
from gateway.admin import Fault
from gateway.admin.shapes import Shape
from gateway.admin.why import Asked
from gateway.web.access import Oversees

from .forms import Form
from .pages_history import word
from .rendering import page
from .words import _, marked

PAGE = 50
Cursor = Annotated[int | None, Query(ge=1, lt=1 << 63)]
routes = APIRouter()
CHECK_WORDS = {
    "address on a list": marked("The address is on some account's list"),
    "not throttled": marked("Not braked after failed logins"),
    "system_id": marked("The SystemID belongs to an account"),
    "address declared": marked("The account has authorised addresses"),
    "address of the account": marked("The address is one of this account"),
    "password": marked("The password is right"),
    "account enabled": marked("The account is enabled"),
    "system_type": marked("The system_type is the one demanded"),
    "type of bind": marked("This type of bind is allowed"),
    "number of binds": marked("There is room for one more bind"),
    "times": marked("Schedule and validity make sense"),
    "sender": marked("The sender is enabled for the account"),
    "number": marked("The recipient is an international number"),
    "destination allowed": marked("The account may send to this destination"),
    "price": marked("The price plan has a price for it"),
    "blacklist": marked("The number is not on the blacklist"),
    "alphabet": marked("The text fits its alphabet"),
    "parts": marked("The text makes no more parts than allowed"),
    "credit": marked("There is enough credit"),
    "throughput": marked("Within the permitted throughput"),
    "written down": marked("Written to the store"),
}
WAYS_OUT = {
    reasons.ADDRESS_NOT_AUTHORISED: (marked("Authorised IPs"), "settings"),
    reasons.NO_ADDRESS_DECLARED: (marked("Authorised IPs"), "settings"),
    reasons.WRONG_PASSWORD: (marked("Generate a new password"), "password"),
    reasons.BIND_TYPE_NOT_ALLOWED: (marked("Options"), "settings"),
    reasons.SYSTEM_TYPE: (marked("Options"), "settings"),
    reasons.TOO_MANY_BINDS: (marked("Options"), "settings"),
    reasons.SENDER_NOT_ALLOWED: (marked("Senders"), "senders"),
    reasons.DESTINATION_FORBIDDEN: (marked("Options"), "settings"),
    reasons.DESTINATION_BLACKLISTED: (marked("Blacklist"), "blacklist"),
    reasons.DATA_CODING_UNSUPPORTED: (marked("Options"), "settings"),
    reasons.TEXT_TOO_LONG: (marked("Options"), "settings"),
    reasons.NO_CREDIT: (marked("Credits"), "credits"),
    reasons.THROTTLED: (marked("Options"), "settings"),
}
"""Where the reason can be seen to: what the link is called, and which page of the account it leads to."""


def kinds() -> list[tuple[str, str]]:
    return [("", _("Both")), ("bind", _("Bind attempts")), ("message", _("Messages"))]


def asked_of(request: Request) -> Asked:
    return Asked(*[request.query_params.get(field, "").strip() for field in Asked._fields])


@routes.get("/refusals")
async def list_refusals(request: Request, desk: Oversees, before: Cursor = None) -> Response:
    asked, fault, status = asked_of(request), None, 200
    items, following, summary = list[Shape](), None, list[Shape]()
    try:
        items, following = await desk.why.refused(asked, before, PAGE)
        summary = await desk.why.by_reason(asked._replace(reason=""))
    except Fault as wrong:
        fault, status = wrong, wrong.status
    chosen = {field: value for field, value in asked._asdict().items() if value}
    names = [each["name"] for each in await desk.accounts.all()]
    return page(
        request,
        "refusals.html",
        status=status,
        items=items,
        summary=summary,
        most=max((each["count"] for each in summary), default=1),
        since_start=desk.service.refusals(),
        form=Form(asked._asdict(), fault),
        accounts=[("", _("All")), *[(name, name) for name in names]],
        kinds=kinds(),
        link=lambda id_: f"/why?refusal={id_}",
        chosen=chosen,
        narrowed=lambda **more: "?" + urlencode({**chosen, **more}),
        older="?" + urlencode({**chosen, "before": following}) if following else None,
        paged=before is not None,
    )


@routes.get("/why")
async def explain(request: Request, desk: Oversees, q: str = "", refusal: Cursor = None) -> Response:
    """`q` is what is looked for; `refusal` the one that is explained, else the newest that was found."""
    text = q.strip()[:64]
    found = await desk.why.explain(text)
    shown = refusal if refusal is not None else next((each["id"] for each in found["refusals"]), None)
    one = None if shown is None else await desk.why.show(shown)
    names = [each["name"] for each in await desk.accounts.all()]
    return page(
        request,
        "why.html",
        q=text,
        found=found,
        items=found["refusals"],
        one=one,
        way_out=way_out(one),
        words={check: _(says) for check, says in CHECK_WORDS.items()},
        word=word,
        summary=(await desk.why.by_reason(Asked()))[:6],
        everything="/refusals?" + urlencode({"account" if text in names else "named": text}),
        link=lambda id_: "/why?" + urlencode({**({"q": text} if text else {}), "refusal": id_}),
    )


def way_out(one: Shape | None) -> tuple[str, str] | None:
    """What the link is called, and where it leads."""
    if one is None:
        return None
    if one["reason"] == reasons.NO_ROUTE:
        return _("Price plans"), "/price-plans"
    if one["account"] is None or one["reason"] not in WAYS_OUT:
        return None
    words, where = WAYS_OUT[one["reason"]]
    return _(words), f"/accounts/{one['account']}/{where}"
