"""One's own profile: name and language, password, one-time codes, tokens and open sessions.

Invariant: a secret is on the page that answers its making and on no other.
"""

from zoneinfo import available_timezones

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.admin import Desk, Fault
from gateway.admin.actor import SCOPES
from gateway.web.access import Myself
from gateway.web.me_routes import session_of
from gateway.web.people_routes import Id

from .forms import Form, text, typed, whole
from .pages_entrance import status_of
from .rendering import done, page
from .words import LANGUAGES, _

ME = "/me"
routes = APIRouter()


async def me(request: Request, desk: Desk, subject: str = "", form: Form | None = None, status: int = 200) -> Response:
    """All of it; `form` is what was typed into the form of that subject."""
    person = await desk.own.show()
    forms = {"profile": Form(person), "email": Form(), "password": Form(), "token": Form(), "codes": Form()}
    return page(
        request,
        "me.html",
        status=status,
        person=person,
        forms={**forms, **({} if form is None else {subject: form})},
        sessions=await desk.own.sessions(session_of(request)),
        tokens=await desk.own.tokens(),
        scopes=[scope for scope in SCOPES if scope in desk.actor.rights],
        language_choices=list(LANGUAGES.items()),
        zones=sorted(available_timezones()),
    )


@routes.get(ME)
async def show_me(request: Request, desk: Myself) -> Response:
    return await me(request, desk)


@routes.post("/me/profile")
async def change_profile(request: Request, desk: Myself) -> Response:
    form = await typed(request)
    try:
        await desk.own.change({name: text(form, name) for name in ("name", "language", "time_zone")})
    except Fault as fault:
        return await me(request, desk, "profile", Form(form, fault), status_of(fault))
    return done(request, ME, _("Your profile is saved."))


@routes.post("/me/email")
async def change_email(request: Request, desk: Myself) -> Response:
    form = await typed(request)
    try:
        await desk.own.change_email(text(form, "email"), whole(form, "current_password"))
    except Fault as fault:
        return await me(request, desk, "email", Form(form, fault), status_of(fault))
    return done(request, ME, _("From now on you sign in as %(email)s.", email=text(form, "email")))


@routes.post("/me/password")
async def change_password(request: Request, desk: Myself) -> Response:
    form = await typed(request)
    try:
        await desk.own.change_password(whole(form, "current_password"), whole(form, "password"), session_of(request))
    except Fault as fault:
        return await me(request, desk, "password", Form(form, fault), status_of(fault))
    return done(request, ME, _("Your password is changed. Everybody else who was signed in as you is signed out."))


# -- one-time codes ----------------------------------------------------------------------------------------------------
@routes.get("/me/codes")
async def begin_codes(request: Request, desk: Myself) -> Response:
    return page(request, "me_codes.html", form=Form(), begun=await desk.own.begin_codes())


@routes.post("/me/codes")
async def confirm_codes(request: Request, desk: Myself) -> Response:
    form = await typed(request)
    try:
        made = await desk.own.confirm_codes(text(form, "secret"), text(form, "code"), whole(form, "current_password"))
    except Fault as fault:
        again = await desk.own.begin_codes(text(form, "secret"))
        return page(request, "me_codes.html", form=Form(form, fault), begun=again, status=status_of(fault))
    return page(request, "me_recovery.html", codes=made["recovery_codes"])


@routes.post("/me/codes/end")
async def end_codes(request: Request, desk: Myself) -> Response:
    form = await typed(request)
    try:
        await desk.own.end_codes(whole(form, "current_password"))
    except Fault as fault:
        return await me(request, desk, "codes", Form(form, fault), status_of(fault))
    return done(request, ME, _("From now on the password is enough to sign in."))


# -- tokens and sessions -----------------------------------------------------------------------------------------------
@routes.post("/me/tokens")
async def add_token(request: Request, desk: Myself) -> Response:
    typed_in = await typed(request)
    form = Form(typed_in)
    try:
        made = await desk.own.add_token(text(typed_in, "name"), form.many("scopes"))
    except Fault as fault:
        return await me(request, desk, "token", Form(typed_in, fault), status_of(fault))
    return page(request, "me_token.html", made=made)


@routes.post("/me/tokens/{token}/revoke")
async def revoke_token(request: Request, desk: Myself, token: Id) -> Response:
    await desk.own.revoke_token(token)
    return done(request, ME, _("The token is revoked and opens nothing any more."))


@routes.post("/me/sessions/{session}/end")
async def end_session(request: Request, desk: Myself, session: Id) -> Response:
    await desk.own.end_session(session)
    return done(request, ME, _("The session is ended."))
