"""What goes wrong on a page is told on a page; what goes wrong in the API stays a problem document.

Invariant: an unexpected error tells the browser nothing of the inside. Who is not known is asked to log in.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from gateway.admin import Fault
from gateway.web import problems
from store.protocol import StoreError

from .rendering import page
from .words import _, said

Answer = Callable[[Request, Exception], Awaitable[Response]]
API = "/api/"


def of_page(as_problem: Answer) -> Answer:
    async def answer(request: Request, error: Exception) -> Response:
        problem = await as_problem(request, error)
        if request.url.path.startswith(API):
            return problem
        if problem.status_code == 401 and request.method == "GET":
            return RedirectResponse(f"/login?next={quote(request.url.path)}", 303)
        detail = said(error.detail) if isinstance(error, Fault) else ""
        return page(
            request, "error.html", status=problem.status_code, heading=heading(problem.status_code), detail=detail
        )

    return answer


def heading(status: int) -> str:
    return {
        401: _("You are not signed in"),
        403: _("You may not do this"),
        404: _("This page is not there"),
        409: _("This contradicts what is already there"),
        422: _("This cannot be done as it was asked for"),
        503: _("This cannot be done now"),
    }.get(status, _("Something unexpected happened"))


def answer_with_pages(app: FastAPI) -> None:
    app.add_exception_handler(Fault, of_page(problems.of_fault))
    app.add_exception_handler(RequestValidationError, of_page(problems.of_request))
    app.add_exception_handler(HTTPException, of_page(problems.of_http))
    app.add_exception_handler(StoreError, of_page(problems.of_store))
    app.add_exception_handler(Exception, of_page(problems.of_surprise))
