"""The payment service's answer to a top-up. Its signature is its login; nobody else can use this.

Invariant: an answer is read whole only if it is short, believed only if it is signed and fresh, and counts once.
"""

from json import JSONDecodeError, loads
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.admin import Actor, Admin, Fault, Invalid, NotFound, Right, Unauthenticated, Wrong
from gateway.payment import LONGEST, SIGNATURE, TIMESTAMP, TOLERANCE

from .origin import peer_of
from .settings_schema import body as described

log = structlog.get_logger()
NAME = "payment service"
routes = APIRouter()


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: Annotated[int, Field(ge=1, le=2**63 - 1, description="The top-up's, as the order said")]
    status: Literal["paid", "failed"]
    credits: Annotated[str | int, Field(description="As the order said")]
    reason: Annotated[str, Field(max_length=1000, description="Shown to the owner if it failed")] = ""


SCHEMA: dict[str, Any] = described(Answer.model_json_schema()["properties"], ["id", "status", "credits"])
SIGNED: dict[str, Any] = {
    "parameters": [
        {"name": TIMESTAMP, "in": "header", "required": True, "schema": {"type": "string"},
         "description": f"Seconds since 1970, at most {TOLERANCE} from now"},
        {"name": SIGNATURE, "in": "header", "required": True, "schema": {"type": "string"},
         "description": "v1= and the HMAC-SHA256 of timestamp, dot and body in hexadecimal digits"},
    ],
    **SCHEMA,
}  # fmt: skip


@routes.post("/payments/callback", tags=["payments"], openapi_extra=SIGNED)
async def payment_callback(request: Request) -> dict[str, Any]:
    """Books the credit of a paid top-up exactly once. Needs a payment service in the configuration."""
    admin: Admin = request.app.state.admin
    payment = admin.office.payment
    if payment is None:
        raise NotFound("no payment service is configured")
    octets = await read(request)
    timestamp, signature = request.headers.get(TIMESTAMP, ""), request.headers.get(SIGNATURE, "")
    why_not = payment.objection(timestamp, signature, octets, admin.office.wall_ms() / 1000)
    if why_not is not None:
        raise Unauthenticated(why_not)
    answer = understood(octets)
    log.info("payment service answered", topup=answer.id, status=answer.status, credits=str(answer.credits))
    desk = admin.acting(Actor(None, NAME, frozenset({Right.CREDITS}), None, peer_of(request), "api"))
    try:
        if answer.status == "paid":
            return await desk.topups.paid(answer.id, answer.credits)
        return await desk.topups.failed(answer.id, answer.reason)
    except Fault as fault:  # somebody may have paid for nothing: an operator has to look
        log.error("payment service contradicted", topup=answer.id, status=answer.status, reason=fault.detail)
        raise


async def read(request: Request) -> bytes:
    octets = b""
    async for chunk in request.stream():
        octets += chunk
        if len(octets) > LONGEST:
            raise Invalid(Wrong("body", f"has at most {LONGEST} octets"))
    return octets


def understood(octets: bytes) -> Answer:
    try:
        return Answer.model_validate(loads(octets))
    except (JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid(Wrong("body", "is not JSON")) from None
    except ValidationError as invalid:
        raise Invalid(
            *[Wrong(".".join(map(str, one["loc"])) or "body", one["msg"]) for one in invalid.errors()]
        ) from None
