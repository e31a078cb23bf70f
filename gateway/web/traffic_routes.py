"""Messages, refusals, binds and the health of the books over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from gateway.admin import Admin

Page = Annotated[int, Query(ge=1, le=1000)]
JSON = dict[str, Any]


class Incoming(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    source: Annotated[str, Field(alias="from", description="The phone's number")]
    to: Annotated[str, Field(description="The sender it answers to")]
    text: Annotated[str, Field(max_length=20_000)]
    account: Annotated[str | None, Field(description="Needed only when several accounts have that sender")] = None


def router(admin: Admin) -> APIRouter:
    routes = APIRouter()
    messages(routes, admin)
    binds(routes, admin)
    health(routes, admin)
    return routes


def messages(routes: APIRouter, admin: Admin) -> None:
    @routes.get("/accounts/{name}/messages", tags=["messages"])
    async def list_messages(name: str, before: str | None = None, limit: Page = 50) -> JSON:
        """Newest first; `next` is the `before` of the next page."""
        items, following = await admin.messages.newest(name, before, limit)
        return {"items": items, "next": following}

    @routes.get("/accounts/{name}/messages/{message_id}", tags=["messages"])
    async def show_message(name: str, message_id: str) -> JSON:
        """One item, or one for each destination of a submit_multi."""
        return {"items": await admin.messages.show(name, message_id)}

    @routes.get("/accounts/{name}/export", tags=["messages"], response_class=StreamingResponse)
    async def export_account(name: str) -> StreamingResponse:
        """Balance, messages and ledger as they were at one instant."""
        return StreamingResponse(await admin.messages.export(name), media_type="application/json")

    @routes.get("/refusals", tags=["messages"])
    async def list_refusals(account: str | None = None, limit: Page = 100) -> JSON:
        """Newest first: messages and binds that were refused, and why."""
        return {"items": await admin.messages.refusals(account, limit)}

    @routes.post("/mo", status_code=201, tags=["messages"])
    async def inject_incoming(body: Incoming) -> JSON:
        """A mobile-originated message for the account whose sender is `to`."""
        return await admin.incoming.inject(body.source, body.to, body.text, body.account)


def binds(routes: APIRouter, admin: Admin) -> None:
    @routes.get("/binds", tags=["binds"])
    async def list_binds(account: str | None = None) -> JSON:
        return {"items": await admin.binds.all(account)}

    @routes.delete("/binds/{bind_id}", tags=["binds"])
    async def kick_bind(bind_id: int) -> JSON:
        await admin.binds.kick(bind_id)
        return {"kicked": 1}

    @routes.delete("/accounts/{name}/binds", tags=["binds"])
    async def kick_binds(name: str) -> JSON:
        return {"kicked": await admin.binds.kick_account(name)}


def health(routes: APIRouter, admin: Admin) -> None:
    @routes.get("/audit", tags=["health"])
    async def audit() -> JSON:
        """Every balance, line and charge recomputed."""
        return await admin.health.audit()

    @routes.get("/doctor", tags=["health"])
    async def doctor() -> JSON:
        """What only the process that holds the store can know."""
        return await admin.health.facts()
