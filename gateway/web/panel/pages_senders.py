"""Senders: registered with what speaks for them, decided about by operators, switched off and on by their owner."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from gateway.admin import Desk, Fault, Right
from gateway.admin.senders import LARGEST_DOCUMENT
from gateway.web.access import Operates, Oversees, Reads, Sets
from gateway.web.sender_paths import Sender, in_path
from gateway.web.sender_routes import download

from .forms import Form, text, typed
from .rendering import done, page
from .words import _, ngettext

routes = APIRouter()


@routes.get("/accounts/{name}/senders")
async def list_senders(request: Request, name: str, desk: Reads) -> Response:
    """`chosen` are to be deleted: it is asked first."""
    return await listing(request, desk, name, chosen=request.query_params.getlist("chosen"))


@routes.post("/accounts/{name}/senders")
async def register_sender(request: Request, name: str, desk: Sets) -> Response:
    """With the files that were chosen: all of it, or nothing."""
    form = await typed(request)
    sender, reason, description = (text(form, field) for field in ("sender", "reason", "description"))
    try:
        made = await desk.senders.register(name, sender, reason, description, await files(form))
    except Fault as fault:
        return await listing(request, desk, name, Form(form, fault), fault.status)
    said = _("%(sender)s is registered. An operator decides about it.", sender=made["sender"])
    return done(request, f"/accounts/{name}/senders", said)


async def files(form: FormData) -> list[tuple[str, bytes]]:
    """What was chosen; where nothing was, a browser sends a file without a name. No more is read than may be kept."""
    chosen = list[tuple[str, bytes]]()
    for one in form.getlist("documents"):
        if isinstance(one, UploadFile):
            if one.filename:
                chosen.append((one.filename, await one.read(LARGEST_DOCUMENT + 1)))
            await one.close()
    return chosen


@routes.post("/accounts/{name}/senders/delete")
async def remove_senders(request: Request, name: str, desk: Sets) -> Response:
    form = await typed(request)
    try:
        removed = await desk.senders.remove(name, Form(form).many("sender"))
    except Fault as fault:
        return await listing(request, desk, name, Form(form, fault), fault.status)
    said = ngettext("%(n)s sender is removed.", "%(n)s senders are removed.", removed)
    return done(request, f"/accounts/{name}/senders", said)


@routes.post("/accounts/{name}/senders/{sender:path}/documents")
async def change_sender(request: Request, name: str, sender: Sender, desk: Sets) -> Response:
    """Further documents, and a new description."""
    form = await typed(request)
    try:
        await desk.senders.add_documents(name, sender, await files(form))
        await desk.senders.describe(name, sender, text(form, "description"))
    except Fault as fault:
        return await detail(request, desk, name, sender, Form(form, fault), fault.status)
    return done(request, address(name, sender), _("%(sender)s is changed.", sender=sender))


@routes.post("/accounts/{name}/senders/{sender:path}/enable")
async def enable_sender(request: Request, name: str, sender: Sender, desk: Sets) -> Response:
    await desk.senders.enable(name, sender)
    return done(request, f"/accounts/{name}/senders", _("%(sender)s may be used from now on.", sender=sender))


@routes.post("/accounts/{name}/senders/{sender:path}/disable")
async def disable_sender(request: Request, name: str, sender: Sender, desk: Sets) -> Response:
    await desk.senders.disable(name, sender)
    said = _("Messages that name %(sender)s are refused from now on.", sender=sender)
    return done(request, f"/accounts/{name}/senders", said)


@routes.post("/accounts/{name}/senders/{sender:path}/approve")
async def approve_sender(request: Request, name: str, sender: Sender, desk: Operates) -> Response:
    return await decide(request, desk, name, sender, approve=True)


@routes.post("/accounts/{name}/senders/{sender:path}/refuse")
async def refuse_sender(request: Request, name: str, sender: Sender, desk: Operates) -> Response:
    return await decide(request, desk, name, sender, approve=False)


async def decide(request: Request, desk: Desk, name: str, sender: str, *, approve: bool) -> Response:
    form = await typed(request)
    try:
        if approve:
            await desk.senders.approve(name, sender, text(form, "comment"))
        else:
            await desk.senders.refuse(name, sender, text(form, "comment"))
    except Fault as fault:
        return await detail(request, desk, name, sender, Form(form, fault), fault.status)
    said = _("%(sender)s is enabled.", sender=sender) if approve else _("%(sender)s is refused.", sender=sender)
    return done(request, "/senders", said)


@routes.get("/accounts/{name}/senders/{sender:path}/documents/{document}")
async def read_document(name: str, sender: Sender, document: int, desk: Reads) -> Response:
    found, octets = await desk.senders.document(name, sender, document)
    return download(found["name"], found["type"], octets)


@routes.get("/accounts/{name}/senders/{sender:path}")
async def show_sender(request: Request, name: str, sender: Sender, desk: Reads) -> Response:
    return await detail(request, desk, name, sender)


@routes.get("/senders")
async def list_waiting(request: Request, desk: Oversees) -> Response:
    return page(request, "senders_waiting.html", waiting=await desk.senders.waiting())


async def listing(
    request: Request,
    desk: Desk,
    name: str,
    form: Form | None = None,
    status: int = 200,
    chosen: Sequence[str] = (),
) -> Response:
    account, senders = await desk.accounts.show(name), await desk.senders.all(name)
    there = [one["sender"] for one in senders if one["sender"] in chosen and Right.SETTINGS in desk.actor.rights]
    return page(
        request, "senders.html", status=status, account=account, senders=senders, form=form or Form(), chosen=there
    )


async def detail(
    request: Request, desk: Desk, name: str, sender: str, form: Form | None = None, status: int = 200
) -> Response:
    account, found = await desk.accounts.show(name), await desk.senders.show(name, sender)
    shown = form or Form({"description": found["description"]})
    return page(request, "sender.html", status=status, account=account, found=found, form=shown)


def address(name: str, sender: str) -> str:
    return f"/accounts/{name}/senders/{in_path(sender)}"
