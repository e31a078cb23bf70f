"""People as an operator looks after them: added and invited, given accounts, switched off, removed."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.admin import Desk, Fault
from gateway.web.access import Operates, Oversees
from gateway.web.people_routes import Id

from .forms import Form, text, typed
from .pages_entrance import status_of
from .rendering import done, page
from .words import LANGUAGES, _

PEOPLE = "/people"
ROLES = {"customer": (False, False), "reader": (False, True), "operator": (True, False), "overseer": (True, True)}
routes = APIRouter()


def role_of(person: dict[str, Any]) -> str:
    return next(role for role, flags in ROLES.items() if flags == (person["operator"], person["read_only"]))


def fields_of(form: Form) -> dict[str, Any]:
    """What was typed, as the desk takes it."""
    operator, read_only = ROLES.get(str(form.value("role")), ROLES["customer"])
    return {
        "email": str(form.value("email")).strip(),
        "name": str(form.value("name")).strip(),
        "language": form.value("language"),
        "operator": operator,
        "read_only": read_only,
        "accounts": form.many("accounts"),
    }


@routes.get(PEOPLE)
async def list_people(request: Request, desk: Oversees) -> Response:
    everybody = [(each, role_of(each)) for each in await desk.people.all()]
    return page(request, "people.html", people=everybody, roles=words_of_roles())


def words_of_roles() -> dict[str, str]:
    return {
        "customer": _("Customer"),
        "reader": _("Customer, read only"),
        "operator": _("Operator"),
        "overseer": _("Operator, read only"),
    }


async def form_of(
    request: Request, desk: Desk, form: Form, person: dict[str, Any] | None = None, status: int = 200
) -> Response:
    return page(
        request,
        "person.html",
        status=status,
        form=form,
        person=person,
        roles=list(words_of_roles().items()),
        language_choices=list(LANGUAGES.items()),
        names=[each["name"] for each in await desk.accounts.all()],
    )


@routes.get("/people/new")
async def new_person(request: Request, desk: Operates) -> Response:
    return await form_of(request, desk, Form({"role": "customer", "language": "en"}))


@routes.post("/people/new")
async def add_person(request: Request, desk: Operates) -> Response:
    form = Form(await typed(request))
    try:
        made = await desk.people.add(fields_of(form))
    except Fault as fault:
        return await form_of(request, desk, Form(form.values, fault), status=status_of(fault))
    return invited(request, made["email"], made)


def invited(request: Request, email: str, made: dict[str, Any]) -> Response:
    """The letter is on its way, or the link is shown, this once."""
    if "link" in made:
        return page(request, "person_link.html", email=email, link=made["link"], expires_at=made["expires_at"])
    return done(request, PEOPLE, _("An invitation is on its way to %(email)s.", email=email))


@routes.get("/people/{person}")
async def show_person(request: Request, desk: Operates, person: Id) -> Response:
    found = await desk.people.show(person)
    return await form_of(request, desk, Form({**found, "role": role_of(found)}), found)


@routes.post("/people/{person}")
async def change_person(request: Request, desk: Operates, person: Id) -> Response:
    form = Form(await typed(request))
    found = await desk.people.show(person)
    try:
        await desk.people.change(person, fields_of(form))
    except Fault as fault:
        return await form_of(request, desk, Form(form.values, fault), found, status_of(fault))
    return done(request, PEOPLE, _("%(email)s is saved.", email=text(await typed(request), "email")))


@routes.post("/people/{person}/invitation")
async def invite(request: Request, desk: Operates, person: Id) -> Response:
    found = await desk.people.show(person)
    return invited(request, found["email"], await desk.people.invite(person))


@routes.post("/people/{person}/enabled")
async def enable(request: Request, desk: Operates, person: Id) -> Response:
    enabled = text(await typed(request), "enabled") == "yes"
    found = await desk.people.change(person, {"enabled": enabled})
    if enabled:
        return done(request, PEOPLE, _("%(email)s may sign in again.", email=found["email"]))
    return done(request, PEOPLE, _("%(email)s is signed out and may not sign in.", email=found["email"]))


@routes.post("/people/{person}/codes")
async def forget_codes(request: Request, desk: Operates, person: Id) -> Response:
    found = await desk.people.forget_codes(person)
    return done(request, PEOPLE, _("For %(email)s the password is enough from now on.", email=found["email"]))


@routes.get("/people/{person}/remove")
async def confirm_remove(request: Request, desk: Operates, person: Id) -> Response:
    return page(request, "person_remove.html", person=await desk.people.show(person))


@routes.post("/people/{person}/remove")
async def remove(request: Request, desk: Operates, person: Id) -> Response:
    found = await desk.people.show(person)
    await desk.people.remove(person)
    return done(request, PEOPLE, _("%(email)s is removed.", email=found["email"]))
