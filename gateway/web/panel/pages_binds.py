"""All live binds, over all accounts: who is connected to this gateway, and how to send somebody away."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.admin import Desk, NotFound
from gateway.admin.shapes import Shape
from gateway.web.access import Operates, Oversees

from .rendering import done, page
from .words import _, address_of, marked

MOST = 500
TYPES = {"transmitter": marked("Transmitter"), "receiver": marked("Receiver"), "transceiver": marked("Transceiver")}
routes = APIRouter()


@routes.get("/binds")
async def list_binds(request: Request, desk: Oversees, q: str = "", type: str = "") -> Response:  # noqa: A002 (the address's name)
    return await listing(request, desk, "binds.html", q, type)


@routes.get("/binds/part")
async def show_part(request: Request, desk: Oversees, q: str = "", type: str = "") -> Response:  # noqa: A002 (as above)
    """The tile alone: it is asked for again and again."""
    return await listing(request, desk, "part_all_binds.html", q, type)


async def listing(request: Request, desk: Desk, template: str, q: str, kind: str) -> Response:
    binds = await noted(desk)
    chosen = {name: value for name, value in (("q", q.strip()), ("type", kind)) if value}
    found = [bind for bind in binds if fits(bind, q.strip().casefold(), kind)]
    return page(
        request,
        template,
        binds=found[:MOST],
        found=len(found),
        total=len(binds),
        chosen=chosen,
        query=urlencode(chosen),
        types=[("", _("Any")), *[(each, _(word)) for each, word in TYPES.items()]],
    )


def fits(bind: Shape, text: str, kind: str) -> bool:
    words = (bind["account"], address_of(bind), bind["note"])
    return kind in ("", bind["type"]) and any(text in word.casefold() for word in words)


async def noted(desk: Desk) -> list[Shape]:
    """With what the owners noted about the addresses they come from."""
    notes = {
        account["name"]: dict(each.split(" ", 1) for each in account.get("address_comments", ()))
        for account in await desk.accounts.all()
    }
    return [{**bind, "note": notes[bind["account"]].get(bind.get("peer", ""), "")} for bind in await desk.binds.all()]


@routes.get("/binds/{bind_id}/disconnect")
async def confirm_disconnect(request: Request, bind_id: int, desk: Operates) -> Response:
    bind = await one(desk, bind_id)
    return page(request, "bind_disconnect.html", bind=bind, action=f"/binds/{bind_id}/disconnect", back="/binds")


@routes.post("/binds/{bind_id}/disconnect")
async def disconnect(request: Request, bind_id: int, desk: Operates) -> Response:
    bind = await one(desk, bind_id)
    await desk.binds.kick(bind_id)
    return done(request, "/binds", _("%(peer)s is disconnected.", peer=address_of(bind)))


async def one(desk: Desk, bind_id: int) -> Shape:
    for bind in await desk.binds.all():
        if bind["id"] == bind_id:
            return bind
    raise NotFound(f"there is no bind {bind_id}")
