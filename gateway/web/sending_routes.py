"""Sending over HTTP: one text to up to a hundred recipients."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from gateway.admin.sending import LONGEST_MESSAGE, MOST_RECIPIENTS, Wish

from .access import Sends
from .once import Once

JSON = dict[str, Any]
LONGEST_LIFE = 99 * 86_400  # seconds that a validity_period can say
Number = Annotated[str, Field(min_length=1, max_length=21)]
routes = APIRouter(tags=["history"], route_class=Once)


class Outgoing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    recipients: Annotated[list[Number], Field(min_length=1, max_length=MOST_RECIPIENTS)]
    message: Annotated[str, Field(min_length=1, max_length=LONGEST_MESSAGE)]
    sender: Annotated[str, Field(max_length=16, description="Empty: the account's default sender")] = ""
    coding: Annotated[
        Literal["auto", "alphabet", "ucs2"], Field(description="auto: UCS-2 where the account's alphabet does not do")
    ] = "auto"
    registered: Annotated[bool, Field(description="A receipt goes to whoever is bound to receive")] = False
    validity_seconds: Annotated[int | None, Field(ge=1, le=LONGEST_LIFE)] = None
    schedule: Annotated[AwareDatetime | None, Field(description="At most 30 days ahead")] = None


@routes.post("/accounts/{name}/outgoing", status_code=201)
async def send(desk: Sends, name: str, body: Outgoing) -> JSON:
    """Judged and charged as over SMPP. Each recipient has its ids, or the reason why not; a message of several parts
    that was taken in part has both."""
    return {"items": await desk.sending.send(name, Wish(**dict(body)))}


@routes.post("/accounts/{name}/outgoing/{message}/cancel", status_code=204)
async def cancel_message(desk: Sends, name: str, message: str) -> None:
    """By its `key`: one that waits for its time, as cancel_sm does it."""
    await desk.sending.cancel(name, message)
