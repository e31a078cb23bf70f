"""A new password by letter, and the outbox. A password is shown once, to an operator, only where there is no mail."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.admin import Desk, Fault
from gateway.web.access import Operates, Oversees, Reads, Sets

from .forms import Form, text, typed
from .rendering import done, page
from .words import _

PAGE = 50
routes = APIRouter()


@routes.get("/accounts/{name}/password")
async def ask_for_password(request: Request, name: str, desk: Reads) -> Response:
    return await dialog(request, desk, name)


@routes.post("/accounts/{name}/password")
async def send_password(request: Request, name: str, desk: Sets) -> Response:
    form = await typed(request)
    try:
        asked = await desk.letters.renew_password(name, text(form, "drop_binds") == "on")
    except Fault as fault:
        return await dialog(request, desk, name, Form(form, fault), fault.status)
    said = _("A new password is on its way to %(email)s.", email=asked["email"])
    return done(request, f"/accounts/{asked['account']}", said)


@routes.post("/accounts/{name}/password/reveal")
async def reveal_password(request: Request, name: str, desk: Operates) -> Response:
    """For want of a mail server: shown once, to be handed over."""
    form = await typed(request)
    try:
        desk.letters.may_be_shown()
    except Fault as fault:
        return await dialog(request, desk, name, Form(form, fault), fault.status)
    made = await desk.accounts.rotate_password(name, text(form, "drop_binds") == "on")
    account = await desk.accounts.show(name)
    return page(request, "account_created.html", account=account, password=made["password"], renewed=True)


async def dialog(request: Request, desk: Desk, name: str, form: Form | None = None, status: int = 200) -> Response:
    account, found = await desk.accounts.show(name), await desk.letters.prospects(name)
    return page(request, "password.html", status=status, account=account, found=found, form=form or Form())


# -- the outbox --------------------------------------------------------------------------------------------------------
@routes.get("/mail")
async def list_letters(request: Request, desk: Oversees, before: int | None = None) -> Response:
    return await outbox(request, desk, before)


async def outbox(
    request: Request, desk: Desk, before: int | None = None, form: Form | None = None, status: int = 200
) -> Response:
    letters, following = await desk.letters.newest(before, PAGE)
    return page(
        request,
        "mail.html",
        status=status,
        letters=letters,
        counts=await desk.letters.counts(),
        older=f"?before={following}" if following else None,
        form=form or Form(),
        configured=desk.office.mail is not None,
    )


@routes.post("/mail/test")
async def try_mail(request: Request, desk: Operates) -> Response:
    form = await typed(request)
    try:
        await desk.letters.try_out(text(form, "to"))
    except Fault as fault:
        return await outbox(request, desk, form=Form(form, fault), status=fault.status)
    return done(request, "/mail", _("A letter to try it out is on its way."))


@routes.post("/mail/{letter}/retry")
async def retry_letter(request: Request, letter: int, desk: Operates) -> Response:
    await desk.letters.retry(letter)
    return done(request, "/mail", _("Letter %(id)s is tried again.", id=letter))


@routes.post("/mail/{letter}/discard")
async def discard_letter(request: Request, letter: int, desk: Operates) -> Response:
    await desk.letters.discard(letter)
    return done(request, "/mail", _("Letter %(id)s is not sent any more.", id=letter))
