"""What a customer needs to connect over SMPP, and from where they may: the resources of the original by their names.

Invariant: `allowedIPs` and the account's `addresses` are one list, with one set of rules.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from acl.addresses import MAX_ADDRESSES

from .access import Reads, Sets
from .etags import ETAG, IF_SAID, IfMatch, mark, seen_if_said

JSON = dict[str, Any]
routes = APIRouter()


class AddressChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    action: Annotated[Literal["add", "remove"], Field(description="What is done with the addresses; the others stay")]
    ips: Annotated[
        list[str],
        Field(min_length=1, max_length=MAX_ADDRESSES, description="IPv4 or IPv6 addresses or networks"),
    ]


@routes.get("/accounts/{name}/smpp/settings", tags=["accounts"])
async def show_smpp_settings(request: Request, desk: Reads, name: str) -> JSON:
    """How to connect. An endpoint that is null is not spoken here; `throughput` 0 is no limit."""
    account = await desk.accounts.show(name)
    return {
        "systemID": account["system_id"],
        "endpoints": [desk.service.endpoints(request.url.hostname or "")],
        "status": account["status"],
        "throughput": account.get("throughput"),
        "windowing": account.get("window"),
    }


@routes.get("/accounts/{name}/smpp/allowedIPs", tags=["accounts"], responses={200: ETAG})
async def list_allowed_ips(desk: Reads, name: str, response: Response) -> JSON:
    await mark(desk, response, name)
    return listed(await desk.accounts.show(name))


@routes.put("/accounts/{name}/smpp/allowedIPs", tags=["accounts"], responses=IF_SAID)
async def change_allowed_ips(
    desk: Sets, name: str, body: AddressChange, response: Response, if_match: IfMatch = None
) -> JSON:
    """All of them or none; the answer is the list as it is then. Sessions from removed addresses are unbound."""
    change = desk.accounts.add_addresses if body.action == "add" else desk.accounts.remove_addresses
    changed = await change(name, body.ips, seen_if_said(if_match))
    await mark(desk, response, name)
    return listed(changed)


def listed(account: JSON) -> JSON:
    return {"ips": account.get("addresses", [])}
