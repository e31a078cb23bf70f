"""Accounts, their addresses, passwords, credits and price plans over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from .access import Operates, Oversees, Reads, Sets
from .etags import CONDITIONAL, DELETED, ETAG, IF_SAID, IfMatch, mark, seen, seen_if_said
from .once import Once
from .settings_schema import ACCOUNT_CHANGE, ACCOUNT_NEW

Page = Annotated[int, Query(ge=1, le=1000)]
JSON = dict[str, Any]


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Address(Request):
    address: Annotated[str, Field(description="An IPv4 or IPv6 address or network")]
    comment: Annotated[str, Field(description="What it is, for whoever looks at the list")] = ""


class Rotation(Request):
    drop_binds: Annotated[bool, Field(description="Also unbind the sessions that are open")] = False


class Topup(Request):
    amount: Annotated[str | int, Field(description="Credits, up to 4 decimals; negative for an adjustment")]
    request_id: Annotated[str | None, Field(description="The same id books once, however often it is sent")] = None
    note: str = ""


class Plan(Request):
    prices: Annotated[
        dict[str, str | int], Field(description='Prefix to credits a part; "*" is every other destination')
    ]


routes, money = APIRouter(), APIRouter(route_class=Once)


# -- accounts ----------------------------------------------------------------------------------------------------------
@routes.get("/accounts", tags=["accounts"])
async def list_accounts(desk: Reads) -> JSON:
    return {"items": await desk.accounts.all()}


@routes.post("/accounts", status_code=201, tags=["accounts"], openapi_extra=ACCOUNT_NEW)
async def create_account(desk: Operates, fields: Annotated[JSON, Body()]) -> JSON:
    """The answer holds the password, this once."""
    return await desk.accounts.create(fields)


@routes.get("/accounts/{name}", tags=["accounts"], responses={200: ETAG})
async def show_account(desk: Reads, name: str, response: Response) -> JSON:
    """The ETag is that of the settings: balance and binds do not change it."""
    await mark(desk, response, name)
    return await desk.accounts.show(name)


@routes.patch("/accounts/{name}", tags=["accounts"], openapi_extra=ACCOUNT_CHANGE, responses=CONDITIONAL)
async def change_account(
    desk: Sets, name: str, fields: Annotated[JSON, Body()], response: Response, if_match: IfMatch = None
) -> JSON:
    """Settings by name; null gives one its default back."""
    changed = await desk.accounts.change(name, fields, seen(desk, if_match))
    await mark(desk, response, name)
    return changed


@routes.post("/accounts/{name}/enable", tags=["accounts"])
async def enable_account(desk: Operates, name: str) -> JSON:
    return await desk.accounts.enable(name, True)


@routes.post("/accounts/{name}/disable", tags=["accounts"])
async def disable_account(desk: Operates, name: str) -> JSON:
    """Its sessions are unbound at once."""
    return await desk.accounts.enable(name, False)


@routes.post("/accounts/{name}/addresses", tags=["accounts"], responses=IF_SAID)
async def add_address(desk: Sets, name: str, body: Address, response: Response, if_match: IfMatch = None) -> JSON:
    changed = await desk.accounts.add_address(name, body.address, body.comment, seen_if_said(if_match))
    await mark(desk, response, name)
    return changed


@routes.delete("/accounts/{name}/addresses/{address:path}", tags=["accounts"], responses=IF_SAID)
async def remove_address(
    desk: Sets, name: str, address: str, response: Response, if_match: IfMatch = None
) -> JSON:
    """Sessions from there are unbound."""
    changed = await desk.accounts.remove_address(name, address, seen_if_said(if_match))
    await mark(desk, response, name)
    return changed


@routes.post("/accounts/{name}/password", tags=["accounts"])
async def rotate_password(desk: Operates, name: str, body: Rotation) -> JSON:
    """The answer holds the new password, this once; the old one is refused for new binds from now on."""
    return await desk.accounts.rotate_password(name, body.drop_binds)


# -- balances ----------------------------------------------------------------------------------------------------------
@money.post("/accounts/{name}/credits", tags=["credits"])
async def add_credits(
    desk: Operates, name: str, body: Topup, idempotency_key: Annotated[str | None, Header()] = None
) -> JSON:
    """Idempotency-Key is another place for the request id."""
    return await desk.credits.add(name, body.amount, body.request_id or idempotency_key, body.note)


@routes.get("/accounts/{name}/ledger", tags=["credits"])
async def list_ledger(
    desk: Reads, name: str, after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0, limit: Page = 100
) -> JSON:
    """In commit order; `next` is the `after` of the next page."""
    items, following = await desk.credits.ledger(name, after, limit)
    return {"items": items, "next": following}


# -- price plans -------------------------------------------------------------------------------------------------------
@routes.get("/price-plans", tags=["prices"])
async def list_price_plans(desk: Oversees) -> JSON:
    return {"items": await desk.prices.all()}


@routes.get("/price-plans/{name}", tags=["prices"], responses={200: ETAG})
async def show_price_plan(desk: Oversees, name: str, response: Response) -> JSON:
    response.headers["ETag"] = f'"{await desk.prices.version(name)}"'
    return await desk.prices.show(name)


@routes.put("/price-plans/{name}", tags=["prices"], responses=CONDITIONAL)
async def set_price_plan(
    desk: Operates, name: str, body: Plan, response: Response, if_match: IfMatch = None
) -> JSON:
    """The whole plan: a prefix that is not there has no price any more. `If-Match: *` also makes a new one."""
    made = await desk.prices.set(name, body.prices, seen(desk, if_match))
    response.headers["ETag"] = f'"{await desk.prices.version(name)}"'
    return made


@routes.delete("/price-plans/{name}", status_code=204, tags=["prices"], responses=DELETED)
async def delete_price_plan(desk: Operates, name: str, if_match: IfMatch = None) -> None:
    """409 while an account has it; the plan `default` stays."""
    await desk.prices.delete(name, seen(desk, if_match))


routes.include_router(money)
