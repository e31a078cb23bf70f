"""Idempotency-Key: a request that came with a key is done once, and its answer is given again.

Invariant: a key means one request of whoever sent it; another body under the same key is a conflict. Nothing is kept of
what was refused. A request that was interrupted is not guessed at, unless its route takes the key into its own
transaction: that can be asked again.
"""

import json
from collections.abc import Awaitable, Callable, Coroutine
from hashlib import sha256
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from gateway.admin import Admin, Conflict, Desk, Invalid, Wrong
from store.office.answers import Answer
from store.protocol import OutcomeUnknown

from .access import Access

LONGEST = 200
KEPT_MS = 86_400_000
HEADERS = ("content-type", "location")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Once(APIRoute):
    """Give it to a router whose POSTs move money or send: `APIRouter(route_class=Once)`. Not where an answer holds a
    secret: it is kept for a day."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        carried = any(field.alias == "idempotency-key" for field in self.dependant.header_params)

        async def once(request: Request) -> Response:
            key = request.headers.get("idempotency-key")
            if key is None or request.method != "POST":
                return await handle(request)
            return await answered(request, key, handle, carried)

        return once


async def answered(request: Request, key: str, handle: Handler, carried: bool) -> Response:
    access: Access = request.app.state.access
    admin: Admin = request.app.state.admin
    actor, answers = await access.actor(request), admin.office.store.answers
    if not 0 < len(key) <= LONGEST:
        raise Invalid(Wrong("Idempotency-Key", f"has 1 to {LONGEST} characters"))
    who = "command line" if actor.person is None else f"person {actor.person}"
    digest = sha256(f"{request.url.path}?{request.url.query}\n".encode() + await request.body()).digest()
    now = admin.office.wall_ms()
    before = await answers.begin(who, key, digest, now, now - KEPT_MS)
    if before is not None and (before.status is not None or before.request != digest or not carried):
        return again(before, digest)
    try:
        response = await handle(request)
    except OutcomeUnknown:  # it may have been done: the key stays taken, and nobody does it a second time
        raise
    except BaseException:
        await answers.drop(who, key)
        raise
    body = getattr(response, "body", None)  # what is streamed has none
    if response.status_code >= 300 or not isinstance(body, bytes):
        await answers.drop(who, key)
    else:
        kept = {name: response.headers[name] for name in HEADERS if name in response.headers}
        await answers.finish(who, key, response.status_code, kept, body)
    return response


async def posted_once(desk: Desk, key: str, work: Callable[[], Awaitable[list[Any]]]) -> list[Any]:
    """For a form that was made with this key: what is done, and what came of it if it is posted again."""
    answers, now = desk.office.store.answers, desk.office.wall_ms()
    who, key = f"panel, person {desk.actor.person}", key[:LONGEST]
    before = await answers.begin(who, key, bytes(32), now, now - KEPT_MS)
    if before is not None:
        if before.status is None:
            raise Conflict("this is being worked on, or was interrupted; look whether it was done")
        found: list[Any] = json.loads(before.body)
        return found
    try:
        done = await work()
    except OutcomeUnknown:
        raise
    except BaseException:
        await answers.drop(who, key)
        raise
    await answers.finish(who, key, 200, {}, json.dumps(done).encode())
    return done


def again(before: Answer, digest: bytes) -> Response:
    if before.request != digest:
        raise Conflict("this Idempotency-Key was used for another request already; take a new one")
    if before.status is None:
        raise Conflict("this request is being worked on, or was interrupted; look whether it was done")
    return Response(before.body, before.status, before.headers)
