"""Mail over HTTP: a new SMPP password by letter, and the outbox for whoever looks after the gateway."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from .access import Operates, Oversees, Reads, Sets
from .people_routes import Id

JSON = dict[str, Any]
Page = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[int | None, Query(ge=1, lt=1 << 63)]
routes = APIRouter()


class Renewal(BaseModel):
    model_config = ConfigDict(extra="forbid")

    drop_binds: Annotated[bool, Field(description="Unbind the sessions that are open, once it has left")] = False


class Trial(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: Annotated[str, Field(max_length=300, description="An e-mail address")]


@routes.get("/accounts/{name}/smpp/password", tags=["accounts"])
async def show_password_letter(desk: Reads, name: str) -> JSON:
    """Who a new password would be sent to, what stands in the way of it, and how the last such letter went."""
    return await desk.letters.prospects(name)


@routes.post("/accounts/{name}/smpp/password", status_code=202, response_class=Response, tags=["accounts"])
async def send_password(desk: Sets, name: str, body: Renewal | None = None) -> Response:
    """Send a new password to the account's contact. It is never shown; the old one works until the letter has left."""
    await desk.letters.renew_password(name, body.drop_binds if body else False)
    return Response(status_code=202)


@routes.get("/mail", tags=["mail"])
async def list_letters(desk: Oversees, before: Cursor = None, limit: Page = 50) -> JSON:
    """Newest first; `next` is the `before` of the next page, `counts` how many letters are in which state."""
    items, following = await desk.letters.newest(before, limit)
    return {"items": items, "next": following, "counts": await desk.letters.counts()}


@routes.post("/mail", status_code=202, tags=["mail"])
async def try_mail(desk: Operates, body: Trial) -> JSON:
    """Send a letter that only shows that mail works. The answer comes when it was tried, or after 10 seconds."""
    letter = await desk.letters.try_out(body.to)
    return await desk.letters.settled(letter["id"], 10.0)


@routes.post("/mail/{letter}/retry", tags=["mail"])
async def retry_letter(desk: Operates, letter: Id) -> JSON:
    """Try now, also what was given up."""
    return await desk.letters.retry(letter)


@routes.post("/mail/{letter}/discard", tags=["mail"])
async def discard_letter(desk: Operates, letter: Id) -> JSON:
    """It is not sent any more."""
    return await desk.letters.discard(letter)
