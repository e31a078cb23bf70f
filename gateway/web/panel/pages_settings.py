"""The options of an account: who may connect, and every setting there is; those of an operator as text for its owner.

Invariant: the form holds every setting that whoever sees it may change, so what is saved is what was seen; who was
overtaken by somebody else's change hears of it and keeps what they typed.
"""

import json
from typing import Any, NamedTuple

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from acl.addresses import MAX_ADDRESSES, Networks, peer
from acl.kinds import Setting
from acl.settings import BY_NAME
from gateway.admin import Desk, Fault, Invalid, Wrong
from gateway.admin.faults import Stale
from gateway.web.access import Reads, Sets
from gateway.web.origin import peer_of

from .forms import Form, text, typed
from .rendering import done, page
from .service import badges
from .words import LANGUAGES, _, marked, said

routes = APIRouter()


class Group(NamedTuple):
    title: str
    names: tuple[str, ...]


GROUPS = (
    Group(marked("Receipts"), ("receipt_tlvs", "receipt_zone", "delivery_window")),
    Group(
        marked("Messages"),
        (
            "default_alphabet", "data_codings", "max_parts", "default_sender", "senders", "allow_destinations",
            "deny_destinations", "blacklisted", "stop_keywords", "max_validity", "commands", "text_retention",
            "number_retention", "status_overrides",
        ),
    ),
    Group(
        marked("Sessions"),
        (
            "bind_types", "max_binds", "system_type", "window", "throughput", "burst", "enquire_link",
            "response_timeout", "inactivity", "session_limit",
        ),
    ),
    Group(
        marked("Charging"),
        (
            "price_plan", "refund", "credit_limit", "low_credit_alert", "auto_topup_amount", "auto_topup_threshold",
            "auto_topup_per_day", "auto_topup_at_once",
        ),
    ),
    Group(marked("You"), ("description", "contact_email", "language", "time_zone")),
)  # fmt: skip
LABELS = {
    "receipt_tlvs": marked("Receipt TLVs"),
    "receipt_zone": marked("Time zone of receipts"),
    "delivery_window": marked("Delivery window"),
    "default_alphabet": marked("Default alphabet"),
    "data_codings": marked("Allowed data_coding"),
    "max_parts": marked("Parts of a message"),
    "default_sender": marked("Default sender"),
    "senders": marked("Senders allowed at once"),
    "allow_destinations": marked("Allowed destinations"),
    "deny_destinations": marked("Forbidden destinations"),
    "blacklisted": marked("Messages to blacklisted numbers"),
    "stop_keywords": marked("STOP keywords"),
    "max_validity": marked("Longest validity"),
    "commands": marked("Optional commands"),
    "text_retention": marked("Texts are kept for"),
    "number_retention": marked("Numbers are kept for"),
    "status_overrides": marked("Statuses of refusals"),
    "bind_types": marked("Types of bind"),
    "max_binds": marked("Binds at a time"),
    "system_type": marked("system_type"),
    "window": marked("Windowing"),
    "throughput": marked("Permitted throughput"),
    "burst": marked("Burst"),
    "enquire_link": marked("enquire_link after"),
    "response_timeout": marked("Answer within"),
    "inactivity": marked("Inactivity limit"),
    "session_limit": marked("Session limit"),
    "price_plan": marked("Price plan"),
    "refund": marked("What is paid back"),
    "credit_limit": marked("Credit limit"),
    "low_credit_alert": marked("Low-credit alert"),
    "auto_topup_amount": marked("Automatic top-up: amount"),
    "auto_topup_threshold": marked("Automatic top-up: threshold"),
    "auto_topup_per_day": marked("Automatic top-up: times a day"),
    "auto_topup_at_once": marked("Automatic top-up: at once"),
    "description": marked("Description"),
    "contact_email": marked("Contact e-mail"),
    "language": marked("Language"),
    "time_zone": marked("Time zone"),
}
UNITS = {
    "s": marked("s"),
    "days": marked("days"),
    "parts": marked("parts"),
    "parts/s": marked("parts/s"),
    "credits": marked("credits"),
}
CHOICES = {
    "off": marked("off"),
    "yes": marked("yes"),
    "no": marked("no"),
    "refuse": marked("refuse them"),
    "receipt": marked("end with error 53"),
    "gsm": marked("GSM 03.38, one octet each"),
    "gsm-packed": marked("GSM 03.38, packed"),
    "latin1": marked("Latin-1"),
    "standard": marked("standard"),
    "vendor": marked("standard and vendor's"),
    "none": marked("none"),
    "unsent": marked("what was never sent"),
    "undelivered": marked("what was not delivered"),
    "never": marked("nothing"),
    **LANGUAGES,
}


class Shown(NamedTuple):
    """A setting as the page has it: `control` is check, select, area, number, text, or none where it is only read."""

    name: str
    label: str
    why: str
    unit: str
    control: str
    choices: list[tuple[str, str]]
    value: Any


def shown(setting: Setting, account: dict[str, Any], operator: bool) -> Shown:
    value = account[setting.name]
    if setting.who != "owner" and not operator:
        control = "none"
    elif setting.choices:
        control = "check" if setting.many else "select"
    elif setting.many or setting.kind == "statuses":
        control = "area"
    else:
        control = "number" if setting.kind == "integer" else "text"
    if isinstance(value, dict):
        value = "\n".join(f"{reason}={status:#x}" for reason, status in value.items())
    elif control in ("area", "none") and isinstance(value, list):
        value = "\n".join(map(str, value))
    choices = [(choice, _(CHOICES[choice]) if choice in CHOICES else choice) for choice in setting.choices]
    unit = _(UNITS[setting.unit]) if setting.unit else ""
    return Shown(setting.name, _(LABELS[setting.name]), said(setting.help), unit, control, choices, value)


def read(setting: Setting, form: FormData) -> Any:
    """ValueError says what is wrong with it."""
    if setting.many and setting.choices:
        return setting.check(Form(form).many(setting.name))
    if setting.many or setting.kind == "statuses":
        lines = [line.strip() for line in text(form, setting.name).splitlines() if line.strip()]
        return setting.parse(json.dumps(lines) if setting.kind == "text" else ",".join(lines))
    return setting.parse(text(form, setting.name))


@routes.get("/accounts/{name}/settings")
async def show_settings(request: Request, name: str, desk: Reads) -> Response:
    return await options(request, desk, name)


@routes.post("/accounts/{name}/settings")
async def save_settings(request: Request, name: str, desk: Sets) -> Response:
    form, wrong = await typed(request), list[Wrong]()
    fields: dict[str, Any] = {}
    for setting in mine(desk):
        try:
            fields[setting.name] = BY_NAME[setting.name].plain(read(setting, form))
        except ValueError as why:
            wrong.append(Wrong(setting.name, str(why)))
    try:
        if wrong:
            raise Invalid(*wrong)
        await desk.accounts.change(name, changed(await desk.accounts.show(name), fields), text(form, "version") or None)
    except Stale:
        kept = Form(form, Stale(_("Someone changed this while you were editing. Your entries are still here.")))
        return await options(request, desk, name, kept, 409)
    except Fault as fault:
        return await options(request, desk, name, Form(form, fault), fault.status)
    return done(request, f"/accounts/{name}/settings", _("The options are saved; open binds follow within 2 seconds."))


def mine(desk: Desk) -> list[Setting]:
    """The settings that whoever asks may change, as the form has them."""
    settings = [BY_NAME[name] for group in GROUPS for name in group.names]
    return [setting for setting in settings if desk.actor.operator or setting.who == "owner"]


def changed(account: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """Only what is not as it was: what nobody touched keeps following its default."""
    return {name: value for name, value in fields.items() if account.get(name) != value}


async def options(
    request: Request, desk: Desk, name: str, form: Form | None = None, status: int = 200, ip: Form | None = None
) -> Response:
    account, binds = await desk.accounts.show(name), await desk.binds.all(name)
    notes = dict(each.split(" ", 1) for each in account.get("address_comments", ()))
    groups = [
        (_(group.title), [shown(BY_NAME[each], account, desk.actor.operator) for each in group.names])
        for group in GROUPS
    ]
    peers = [bind["peer"] for bind in binds]
    addresses = [
        {"address": each, "note": notes.get(each, ""), "binds": sum(map(Networks([each]).contains, peers))}
        for each in account["addresses"]
    ]
    return page(
        request,
        "settings.html",
        status=status,
        account=account,
        badges=badges(account),
        binds=binds,
        addresses=addresses,
        most=MAX_ADDRESSES,
        groups=groups,
        version=text_of(form, "version") or await desk.accounts.version(name),
        form=form or Form({each.name: each.value for _title, settings in groups for each in settings}),
        ip=ip or Form(),
        here=peer(peer_of(request)) or "",
    )


def text_of(form: Form | None, name: str) -> str:
    return str(form.value(name)) if form is not None else ""


# -- authorised addresses ----------------------------------------------------------------------------------------------
@routes.post("/accounts/{name}/settings/ips")
async def add_address(request: Request, name: str, desk: Sets) -> Response:
    form = await typed(request)
    try:
        await desk.accounts.add_address(name, text(form, "address"), text(form, "comment"))
    except Fault as fault:
        return await options(request, desk, name, ip=Form(form, fault), status=fault.status)
    return done(request, f"/accounts/{name}/settings", _("%(ip)s may connect.", ip=text(form, "address")))


@routes.get("/accounts/{name}/settings/ips/delete")
async def confirm_delete(request: Request, name: str, desk: Sets, address: str = "") -> Response:
    account, binds = await desk.accounts.show(name), await desk.binds.all(name)
    listed = Networks([address]) if address in account["addresses"] else Networks([])
    dropped = sum(listed.contains(bind["peer"]) for bind in binds)
    return page(request, "address_delete.html", account=account, ip=address, dropped=dropped)


@routes.post("/accounts/{name}/settings/ips/delete")
async def delete_address(request: Request, name: str, desk: Sets) -> Response:
    form = await typed(request)
    await desk.accounts.remove_address(name, text(form, "address"))
    return done(request, f"/accounts/{name}/settings", _("%(ip)s may no longer connect.", ip=text(form, "address")))
