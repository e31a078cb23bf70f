"""Signing in and out, taking up an invitation, and a new password for who forgot theirs.

Invariant: what a page answers does not depend on whether a person exists. A link that is only looked at stays good.
"""

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response

from gateway.admin import Admin, Entrance, Fault, Forbidden, TooMany
from gateway.web.access import Myself
from gateway.web.origin import ELSEWHERE, end_session, peer_of, same_site, session_cookie, set_session

from .forms import Form, text, typed, whole
from .rendering import done, page
from .words import _

HOME = "/accounts"
routes = APIRouter()


def entrance(request: Request) -> Entrance:
    """Forbidden if a page of somebody else's sent this: a stranger must not log a visitor in as somebody."""
    admin: Admin = request.app.state.admin
    if request.method == "POST" and not same_site(request, admin.office.url):
        raise Forbidden(ELSEWHERE)
    return admin.entrance


def inside(path: str) -> str:
    """Where to go on, if that is a page of ours."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if ours else HOME


def agent_of(request: Request) -> str:
    return request.headers.get("user-agent", "")


# -- in and out --------------------------------------------------------------------------------------------------------
@routes.get("/login")
async def show_login(request: Request, next: str = HOME) -> Response:  # noqa: A002 - as the address has it
    return page(request, "login.html", form=Form({"next": inside(next)}))


@routes.post("/login")
async def log_in(request: Request) -> Response:
    form, door = await typed(request), entrance(request)
    try:
        entry = await door.log_in(text(form, "email"), whole(form, "password"), peer_of(request), agent_of(request))
    except Fault as fault:
        return page(request, "login.html", form=Form(form, fault), status=status_of(fault))
    if entry.secret is None:
        return page(request, "login_code.html", form=Form({"ticket": entry.ticket, "next": text(form, "next")}))
    return await let_in(request, door, entry.secret, text(form, "next"))


@routes.post("/login/code")
async def enter_code(request: Request) -> Response:
    form, door = await typed(request), entrance(request)
    try:
        entry = await door.enter_code(text(form, "ticket"), text(form, "code"), peer_of(request), agent_of(request))
    except Fault as fault:
        template = "login_code.html" if fault.errors else "login.html"
        return page(request, template, form=Form(form, fault), status=status_of(fault))
    assert entry.secret is not None  # nothing is asked for after the code
    return await let_in(request, door, entry.secret, text(form, "next"))


async def let_in(request: Request, door: Entrance, secret: str, path: str) -> Response:
    response = RedirectResponse(inside(path), 303)
    set_session(request, response, secret)
    if before := session_cookie(request):
        await door.leave(before)
    return response


@routes.post("/logout")
async def log_out(request: Request, _desk: Myself) -> Response:
    if session := session_cookie(request):
        await entrance(request).leave(session)
    response = done(request, "/login", _("You have signed out."))
    end_session(request, response)
    return response


# -- by a link ---------------------------------------------------------------------------------------------------------
@routes.get("/invitation/{secret}")
async def show_invitation(request: Request, secret: str) -> Response:
    return await show_link(request, secret, "invitation")


@routes.post("/invitation/{secret}")
async def take_up_invitation(request: Request, secret: str) -> Response:
    return await take_up(request, secret, "invitation")


@routes.get("/reset/{secret}")
async def show_reset(request: Request, secret: str) -> Response:
    return await show_link(request, secret, "reset")


@routes.post("/reset/{secret}")
async def take_up_reset(request: Request, secret: str) -> Response:
    return await take_up(request, secret, "reset")


async def show_link(request: Request, secret: str, purpose: str) -> Response:
    person = await entrance(request).invited(secret, purpose)
    return page(request, "take_up.html", form=Form({"name": person.name}), email=person.email, purpose=purpose)


async def take_up(request: Request, secret: str, purpose: str) -> Response:
    form, door = await typed(request), entrance(request)
    person = await door.invited(secret, purpose)
    name = text(form, "name") if purpose == "invitation" else None
    try:
        await door.take_up(secret, purpose, whole(form, "password"), peer_of(request), name)
    except Fault as fault:
        again = {"form": Form(form, fault), "email": person.email, "purpose": purpose}
        return page(request, "take_up.html", status=status_of(fault), **again)
    return done(request, "/login", _("Your password is set. Sign in with it."))


# -- forgotten ---------------------------------------------------------------------------------------------------------
@routes.get("/forgot")
async def show_forgot(request: Request) -> Response:
    return page(request, "forgot.html", form=Form(), sent=False, by_mail=by_mail(request))


@routes.post("/forgot")
async def forgot(request: Request) -> Response:
    """The same answer for everybody, and as quick: the look-up comes after it."""
    form, door = await typed(request), entrance(request)
    response = page(request, "forgot.html", form=Form(form), sent=True, by_mail=by_mail(request))
    response.background = BackgroundTask(door.forgot, text(form, "email"), peer_of(request))
    return response


def by_mail(request: Request) -> bool:
    admin: Admin = request.app.state.admin
    return admin.office.mail is not None


def status_of(fault: Fault) -> int:
    return fault.status if isinstance(fault, TooMany) else 422
