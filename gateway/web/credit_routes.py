"""Credit over HTTP: the statement, top-ups and who decides about them, transfers, and what a message would cost."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from gateway.admin.estimate import Asked

from .access import Operates, Oversees, Pays, Reads
from .once import Once

Page = Annotated[int, Query(ge=1, le=500)]
Key = Annotated[str | None, Header()]
Cursor = Annotated[int | None, Query(ge=0, le=2**63 - 1)]
Id = Annotated[int, Path(ge=1, le=2**63 - 1)]
JSON = dict[str, Any]
REQUEST = Field(description="The same id counts once, however often it is sent; Idempotency-Key says the same")


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Wanted(Request):
    amount: Annotated[str | int, Field(description="Credits, up to 4 decimals")]
    request_id: Annotated[str | None, REQUEST] = None
    note: Annotated[str, Field(max_length=1000)] = ""


class Refusal(Request):
    reason: Annotated[str, Field(max_length=1000)] = ""


class Transfer(Request):
    target: Annotated[str, Field(alias="smsAccountTarget", description="The account to credit")]
    credits: Annotated[str | int, Field(description="1 to the balance, up to 4 decimals")]
    request_id: Annotated[str | None, REQUEST] = None
    note: Annotated[str, Field(max_length=1000)] = ""


class Message(Request):
    message: Annotated[str, Field(max_length=20_000)]
    account: Annotated[str | None, Field(description="Who would send it; needed by whoever sees several")] = None
    to: Annotated[str, Field(max_length=30, description="Its recipient; without one there is no price")] = ""
    sender: Annotated[str, Field(max_length=64, description="If empty, one that the account may use")] = ""
    coding: Annotated[str, Field(description="auto, alphabet (the account's) or ucs2")] = "auto"


routes = APIRouter(route_class=Once)


# -- the statement -----------------------------------------------------------------------------------------------------
@routes.get("/accounts/{name}/credits", tags=["credits"])
async def show_credits(desk: Reads, name: str) -> JSON:
    """The balance, what was spent, and how long it will last."""
    return await desk.credits.summary(name)


@routes.get("/accounts/{name}/statement", tags=["credits"])
async def list_statement(
    desk: Reads,
    name: str,
    since: Annotated[str, Query(alias="from", max_length=64)] = "",
    until: Annotated[str, Query(alias="to", max_length=64)] = "",
    kind: str = "all",
    by: str = "hour",
    before: Cursor = None,
    limit: Page = 50,
) -> JSON:
    """Newest first; the price of messages by hour, day or line. `next` is the `before` of the next page."""
    items, following = await desk.statement.page(name, desk.statement.asked(kind, by, since, until), before, limit)
    return {"items": [entry.shape() for entry in items], "next": following}


@routes.get("/accounts/{name}/statement.csv", tags=["credits"], response_class=StreamingResponse)
async def download_statement(
    desk: Reads,
    name: str,
    since: Annotated[str, Query(alias="from", max_length=64)] = "",
    until: Annotated[str, Query(alias="to", max_length=64)] = "",
    kind: str = "all",
    by: str = "line",
) -> StreamingResponse:
    pieces = await desk.statement.csv(name, desk.statement.asked(kind, by, since, until))
    headers = {"Content-Disposition": 'attachment; filename="statement.csv"'}
    return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=headers)


# -- top-ups -----------------------------------------------------------------------------------------------------------
@routes.get("/accounts/{name}/topups", tags=["credits"])
async def list_topups(desk: Reads, name: str, before: Cursor = None, limit: Page = 50) -> JSON:
    """What was asked for and what became of it, newest first; `next` is the `before` of the next page."""
    items, following = await desk.topups.of_account(name, before, limit)
    return {"items": items, "next": following}


@routes.post("/accounts/{name}/topups", status_code=201, tags=["credits"])
async def ask_topup(desk: Pays, name: str, body: Wanted, idempotency_key: Key = None) -> JSON:
    """Ask for credit. It is given when it is paid, or when an operator says so."""
    return await desk.topups.ask(name, body.amount, body.request_id or idempotency_key, body.note)


@routes.get("/topups", tags=["credits"])
async def list_waiting_topups(desk: Oversees, after: Cursor = None, limit: Page = 50) -> JSON:
    """What waits for a decision, oldest first; `next` is the `after` of the next page."""
    items, following = await desk.topups.waiting(after or 0, limit)
    return {"items": items, "next": following}


@routes.post("/topups/{topup_id}/approve", tags=["credits"])
async def approve_topup(desk: Operates, topup_id: Id) -> JSON:
    """Give the credit; once, however often this is sent."""
    return await desk.topups.approve(topup_id)


@routes.post("/topups/{topup_id}/refuse", tags=["credits"])
async def refuse_topup(desk: Operates, topup_id: Id, body: Refusal) -> JSON:
    return await desk.topups.refuse(topup_id, body.reason)


# -- transfers ---------------------------------------------------------------------------------------------------------
@routes.get("/accounts/{name}/transferCredits", tags=["credits"])
async def list_transfers(desk: Reads, name: str, before: Cursor = None, limit: Page = 50) -> JSON:
    """The latest transfers, and where credits can go; `next` is the `before` of the next page."""
    items, following = await desk.credits.transfers(name, before, limit)
    targets = await desk.credits.targets(name)
    return {"items": [entry.shape() for entry in items], "next": following, "targets": targets}


@routes.post("/accounts/{name}/transferCredits", tags=["credits"])
async def transfer_credits(desk: Pays, name: str, body: Transfer, idempotency_key: Key = None) -> JSON:
    """At once: both accounts' lines are one commit."""
    return await desk.credits.transfer(
        name, body.target, body.credits, body.request_id or idempotency_key, body.note
    )


# -- what it would cost ------------------------------------------------------------------------------------------------
@routes.post("/estimate", tags=["credits"])
async def estimate(desk: Reads, body: Message) -> JSON:
    """Coding, parts, price and route of a message that is not sent, judged as a real one."""
    return await desk.estimates.price(body.account, Asked(body.message, body.to, body.sender, body.coding))
