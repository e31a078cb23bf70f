"""Language and appearance of this browser: kept in cookies, so that they hold before anybody is signed in."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from .forms import text, typed
from .rendering import THEMES
from .words import LANGUAGES

YEAR = 31_536_000
routes = APIRouter()


@routes.post("/preferences")
async def prefer(request: Request) -> Response:
    form = await typed(request)
    back = text(form, "next")
    response = RedirectResponse(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/", 303)
    for name, allowed in (("language", tuple(LANGUAGES)), ("theme", THEMES)):
        if name not in form:
            continue
        if text(form, name) in allowed:
            response.set_cookie(name, text(form, name), max_age=YEAR, samesite="lax", httponly=True)
        else:
            response.delete_cookie(name)
    return response
