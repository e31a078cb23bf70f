"""SMPP for the customer's developers: all that passes on the wire, with this account's own limits and answers."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from acl.settings import BY_NAME, InvalidSettings, Settings
from gateway.admin import Conflict
from gateway.admin.shapes import Shape
from gateway.web.access import Reads

from . import snippets, specification
from .pages_settings import LABELS
from .rendering import page
from .words import _, marked, said

LIMITS = (
    "bind_types", "max_binds", "system_type", "window", "throughput", "burst", "max_parts", "max_validity",
    "default_alphabet", "default_sender", "enquire_link", "response_timeout", "inactivity", "session_limit",
    "delivery_window", "receipt_tlvs", "receipt_zone",
)  # fmt: skip
CONTENTS = {
    "connect": marked("How to connect"),
    "limits": marked("Limits of this account"),
    "pdus": marked("PDUs"),
    "fields": marked("Fields"),
    "tlvs": marked("Optional parameters"),
    "text": marked("Text and parts"),
    "receipts": marked("Receipts"),
    "refusals": marked("Why a request is refused"),
    "statuses": marked("Statuses"),
    "smpplib": marked("Settings for smpplib"),
    "kannel": marked("Settings for Kannel"),
}
routes = APIRouter()


@routes.get("/accounts/{name}/specification")
async def show_specification(request: Request, name: str, desk: Reads) -> Response:
    account = await desk.accounts.show(name)
    settings, endpoints = settings_of(account), desk.service.endpoints(request.url.hostname or "")
    where = snippets.place(endpoints)
    return page(
        request,
        "specification.html",
        account=account,
        contents={key: _(words) for key, words in CONTENTS.items()},
        endpoints=endpoints,
        limits=limits(settings),
        pdus=specification.pdus(settings),
        bodies=specification.bodies(),
        kinds=specification.FIELD_KINDS,
        parameters=specification.parameters(),
        vendor=specification.VENDOR,
        texts=specification.texts(settings),
        receipt=specification.example(settings),
        states=specification.STATES,
        errors=specification.errors(desk.service.simulator()["rules"]),
        answers=specification.answers(settings),
        statuses=specification.statuses(settings),
        status_text=specification.status_text,
        smpplib=snippets.smpplib(where, account["system_id"], settings) if where else "",
        kannel=snippets.kannel(where, account["name"], account["system_id"], settings) if where else "",
    )


def settings_of(account: Shape) -> Settings:
    """Conflict if this version cannot read them: then nothing could be told that is true."""
    try:
        return Settings.of({name: account[name] for name in BY_NAME if name in account})
    except InvalidSettings as invalid:
        raise Conflict(f"the settings of {account['name']} cannot be read: {invalid}") from None


def limits(settings: Settings) -> list[dict[str, Any]]:
    found = []
    for setting in (BY_NAME[name] for name in LIMITS):
        value = setting.text(getattr(settings, setting.name)).replace(",", ", ")
        shown = f"{value} {setting.unit}".strip() if value else "–"
        found.append({"label": _(LABELS[setting.name]), "value": shown, "why": said(setting.help)})
    return found
