"""Everything that goes wrong over HTTP, as RFC 9457 problem documents.

Invariant: no answer is a bare page of the framework, and an unexpected error tells the caller nothing of the inside.
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from gateway.admin import Fault, Wrong
from store.failures import is_damage
from store.protocol import OutcomeUnknown, StoreDown, StoreError, StoreFull

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"
HINTS = {HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"}, HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": "60"}}


def problem(status: int, detail: str, errors: Iterable[Wrong] = ()) -> JSONResponse:
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if named := [wrong._asdict() for wrong in errors]:
        content["errors"] = named
    return JSONResponse(content, status_code=status, media_type=MEDIA_TYPE)


def let_go(error: Exception) -> None:
    """The framework's frames hold the error that holds them, and with it the body of the request, until the collector
    comes, which it does rarely."""
    error.__traceback__ = error.__cause__ = error.__context__ = None


async def of_fault(_request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, Fault)
    answer = problem(fault.status, fault.detail, fault.errors)
    answer.headers.update(HINTS.get(fault.status, {}))
    return answer


async def of_request(_request: Request, invalid: Exception) -> JSONResponse:
    """What the framework found before any of our code was asked."""
    assert isinstance(invalid, RequestValidationError)
    let_go(invalid)
    errors = [
        Wrong(".".join(str(step) for step in error["loc"][1:]) or "body", error["msg"]) for error in invalid.errors()
    ]
    return problem(422, "; ".join(f"{wrong.field}: {wrong.reason}" for wrong in errors), errors)


async def of_http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    let_go(error)
    answer = problem(error.status_code, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


SENTENCES: dict[type[StoreError], tuple[int, str]] = {
    StoreFull: (503, "the store is full; nothing was changed"),
    StoreDown: (503, "the store cannot write now; nothing was changed"),
    OutcomeUnknown: (500, "the store failed while writing; look before you repeat it"),
}
DAMAGED = (503, "the store is damaged, or its disk cannot be read; nothing was changed. `smppgate doctor` looks")


async def of_store(request: Request, error: Exception) -> JSONResponse:
    kind = next((kind for kind in SENTENCES if isinstance(error, kind)), None)
    if kind is None:
        return await of_surprise(request, error)
    log.error("api request failed", path=request.url.path, reason=repr(error))
    return problem(*(DAMAGED if is_damage(error.__cause__) else SENTENCES[kind]))


async def of_surprise(request: Request, error: Exception) -> JSONResponse:
    log.error("api request failed", path=request.url.path, exc_info=error)
    return problem(500, "something unexpected happened; the server's log says what")


async def of_hangup(_request: Request, gone: Exception) -> Response:
    """Nobody is there to read it."""
    let_go(gone)
    return Response(status_code=400)


def answer_with_problems(app: FastAPI) -> None:
    app.add_exception_handler(Fault, of_fault)
    app.add_exception_handler(RequestValidationError, of_request)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(StoreError, of_store)
    app.add_exception_handler(ClientDisconnect, of_hangup)
    app.add_exception_handler(Exception, of_surprise)
