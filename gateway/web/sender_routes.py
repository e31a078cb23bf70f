"""Senders and the blacklist over HTTP."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from gateway.admin.senders import LARGEST_DOCUMENT

from .access import Operates, Oversees, Reads, Sets
from .people_routes import Id
from .sender_paths import Sender

JSON = dict[str, Any]
Page = Annotated[int, Query(ge=1, le=1000)]
FILE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
routes = APIRouter()


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Registration(Body):
    sender: Annotated[str, Field(max_length=100, description="11 characters, a short code, or a number")]
    reason: Annotated[str, Field(max_length=1000, description="What it is for, and why it is yours")]
    description: Annotated[str, Field(max_length=1000)] = ""


class Description(Body):
    description: Annotated[str, Field(max_length=1000)]


class Comment(Body):
    comment: Annotated[str, Field(max_length=1000)] = ""


class Names(Body):
    senders: Annotated[list[str], Field(max_length=1000)]


class Removed(Body):
    numbers: Annotated[list[str], Field(max_length=1000)]


class Numbers(Body):
    numbers: Annotated[list[str], Field(max_length=1000, description="In international form")]
    note: Annotated[str, Field(max_length=1000)] = ""


# -- senders -----------------------------------------------------------------------------------------------------------
@routes.get("/senders", tags=["senders"])
async def list_waiting_senders(desk: Oversees) -> JSON:
    """What waits for a decision, of all accounts."""
    return {"items": await desk.senders.waiting()}


@routes.get("/accounts/{name}/senders", tags=["senders"])
async def list_senders(desk: Reads, name: str) -> JSON:
    """`state` is waiting, enabled, refused or disabled; only enabled ones can be sent with."""
    return {"items": await desk.senders.all(name)}


@routes.post("/accounts/{name}/senders", status_code=201, tags=["senders"])
async def register_sender(desk: Sets, name: str, body: Registration) -> JSON:
    """An operator decides about it."""
    return await desk.senders.register(name, body.sender, body.reason, body.description)


@routes.post("/accounts/{name}/senders/delete", tags=["senders"])
async def remove_senders(desk: Sets, name: str, body: Names) -> JSON:
    """Several at a time, with their documents."""
    return {"removed": await desk.senders.remove(name, body.senders)}


@routes.patch("/accounts/{name}/senders/{sender:path}", tags=["senders"])
async def describe_sender(desk: Sets, name: str, sender: Sender, body: Description) -> JSON:
    return await desk.senders.describe(name, sender, body.description)


@routes.delete("/accounts/{name}/senders/{sender:path}", tags=["senders"])
async def remove_sender(desk: Sets, name: str, sender: Sender) -> JSON:
    await desk.senders.show(name, sender)
    return {"removed": await desk.senders.remove(name, [sender])}


@routes.post("/accounts/{name}/senders/{sender:path}/enable", tags=["senders"])
async def enable_sender(desk: Sets, name: str, sender: Sender) -> JSON:
    """One that its owner has disabled."""
    return await desk.senders.enable(name, sender)


@routes.post("/accounts/{name}/senders/{sender:path}/disable", tags=["senders"])
async def disable_sender(desk: Sets, name: str, sender: Sender) -> JSON:
    """Messages that name it are refused from now on."""
    return await desk.senders.disable(name, sender)


@routes.post("/accounts/{name}/senders/{sender:path}/approve", tags=["senders"])
async def approve_sender(desk: Operates, name: str, sender: Sender, body: Comment | None = None) -> JSON:
    return await desk.senders.approve(name, sender, body.comment if body else "")


@routes.post("/accounts/{name}/senders/{sender:path}/refuse", tags=["senders"])
async def refuse_sender(desk: Operates, name: str, sender: Sender, body: Comment) -> JSON:
    """The comment tells the owner why."""
    return await desk.senders.refuse(name, sender, body.comment)


@routes.post("/accounts/{name}/senders/{sender:path}/documents", status_code=201, tags=["senders"], openapi_extra=FILE)
async def add_document(
    desk: Sets, name: str, sender: Sender, request: Request, filename: Annotated[str, Query(max_length=300)]
) -> JSON:
    """The body is the file: PDF, JPEG or PNG, at most 10 MB; ten at most."""
    octets = bytearray()
    async for piece in request.stream():
        octets += piece
        if len(octets) > LARGEST_DOCUMENT:
            break  # enough to know that it is too large
    return await desk.senders.add_document(name, sender, filename, bytes(octets))


@routes.get("/accounts/{name}/senders/{sender:path}/documents/{document}", tags=["senders"], response_class=Response)
async def read_document(desk: Reads, name: str, sender: Sender, document: Id) -> Response:
    found, octets = await desk.senders.document(name, sender, document)
    return download(found["name"], found["type"], octets)


@routes.get("/accounts/{name}/senders/{sender:path}", tags=["senders"])
async def show_sender(desk: Reads, name: str, sender: Sender) -> JSON:
    return await desk.senders.show(name, sender)


def download(name: str, type_: str, octets: bytes) -> Response:
    """To be saved, never to be shown in place: what is in it is somebody else's."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
    }
    return Response(octets, media_type=type_, headers=headers)


# -- the blacklist -----------------------------------------------------------------------------------------------------
@routes.get("/accounts/{name}/blacklists", tags=["blacklist"])
async def list_blacklist(
    desk: Reads,
    name: str,
    after: Annotated[str, Query(max_length=20)] = "",
    limit: Page = 100,
    beginning: Annotated[str, Query(max_length=20)] = "",
) -> JSON:
    """In the order of the numbers; `next` is the `after` of the next page."""
    items, following = await desk.blacklist.page(name, after, limit, beginning)
    return {"items": items, "next": following, "count": await desk.blacklist.count(name)}


@routes.post("/accounts/{name}/blacklists", status_code=201, tags=["blacklist"])
async def add_to_blacklist(desk: Sets, name: str, body: Numbers) -> JSON:
    return {"added": await desk.blacklist.add(name, body.numbers, body.note)}


@routes.post("/accounts/{name}/blacklists/delete", tags=["blacklist"])
async def remove_many_from_blacklist(desk: Sets, name: str, body: Removed) -> JSON:
    """Several at a time."""
    return {"removed": await desk.blacklist.remove(name, body.numbers)}


@routes.get("/accounts/{name}/blacklists/{number}", tags=["blacklist"])
async def show_blacklisted(desk: Reads, name: str, number: str) -> JSON:
    return await desk.blacklist.show(name, number)


@routes.delete("/accounts/{name}/blacklists/{number}", tags=["blacklist"])
async def remove_from_blacklist(desk: Sets, name: str, number: str) -> JSON:
    """It is written to again: mind that its owner has to want that."""
    return {"removed": await desk.blacklist.remove(name, [number])}
