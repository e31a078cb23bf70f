"""Messages, binds and the health of the books over HTTP."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from .access import Operates, Oversees, Reads, Sets

Page = Annotated[int, Query(ge=1, le=1000)]
Number = Annotated[str, InPath(pattern=r"^\+?[0-9]{1,20}$")]
JSON = dict[str, Any]


class Incoming(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    source: Annotated[str, Field(alias="from", description="The phone's number")]
    to: Annotated[str, Field(description="The sender it answers to")]
    text: Annotated[str, Field(max_length=20_000)]
    account: Annotated[str | None, Field(description="Needed only when several accounts have that sender")] = None


class Backup(BaseModel):
    model_config = ConfigDict(extra="forbid")

    file: Annotated[str, Field(pattern="^/", max_length=4096, description="Where to write it, from the root")]


routes = APIRouter()


# -- messages ----------------------------------------------------------------------------------------------------------
@routes.get("/accounts/{name}/messages", tags=["messages"])
async def list_messages(desk: Reads, name: str, before: str | None = None, limit: Page = 50) -> JSON:
    """Newest first; `next` is the `before` of the next page."""
    items, following = await desk.messages.newest(name, before, limit)
    return {"items": items, "next": following}


@routes.get("/accounts/{name}/messages/{message_id}", tags=["messages"])
async def show_message(desk: Reads, name: str, message_id: str) -> JSON:
    """One item, or one for each destination of a submit_multi."""
    return {"items": await desk.messages.show(name, message_id)}


@routes.get("/accounts/{name}/export", tags=["messages"], response_class=StreamingResponse)
async def export_account(desk: Reads, name: str) -> StreamingResponse:
    """Balance, messages and ledger as they were at one instant."""
    return StreamingResponse(await desk.messages.export(name), media_type="application/json")


@routes.post("/mo", status_code=201, tags=["messages"])
async def inject_incoming(desk: Operates, body: Incoming) -> JSON:
    """A mobile-originated message for the account whose sender is `to`."""
    return await desk.incoming.inject(body.source, body.to, body.text, body.account)


# -- binds -------------------------------------------------------------------------------------------------------------
@routes.get("/binds", tags=["binds"])
async def list_binds(desk: Reads, account: str | None = None) -> JSON:
    return {"items": await desk.binds.all(account)}


@routes.delete("/binds/{bind_id}", tags=["binds"])
async def kick_bind(desk: Sets, bind_id: int) -> JSON:
    await desk.binds.kick(bind_id)
    return {"kicked": 1}


@routes.delete("/accounts/{name}/binds", tags=["binds"])
async def kick_binds(desk: Sets, name: str) -> JSON:
    return {"kicked": await desk.binds.kick_account(name)}


# -- health ------------------------------------------------------------------------------------------------------------
@routes.get("/simulator", tags=["simulator"])
async def show_simulator(desk: Oversees) -> JSON:
    """What becomes of messages by their destination: the first rule that fits decides."""
    return desk.service.simulator()


@routes.get("/simulator/{number}", tags=["simulator"])
async def try_simulator(desk: Oversees, number: Number) -> JSON:
    """What would become of a message to this number."""
    return desk.service.simulated(number)


@routes.get("/audit", tags=["health"])
async def audit(desk: Oversees) -> JSON:
    """Every balance, line and charge recomputed."""
    return await desk.health.audit()


@routes.get("/doctor", tags=["health"])
async def doctor(desk: Oversees) -> JSON:
    """What only the process that holds the store can know."""
    return await desk.health.facts()


@routes.get("/health", tags=["health"])
async def show_health(desk: Oversees, thorough: bool = False) -> JSON:
    """What an operator looks at, and what to do. `thorough`: every page of the store is read, the books are recomputed,
    and the mail server is asked; that takes its time."""
    return await desk.health.report(thorough)


@routes.post("/backups", status_code=201, tags=["health"])
async def make_backup(desk: Operates, body: Backup) -> JSON:
    """A verified copy of the store, written by the server on its own machine; only for the command line there."""
    return await desk.health.backup(Path(body.file))
