"""People, their invitations and tokens over HTTP, as an operator looks after them."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, ConfigDict, Field

from .access import Operates, Oversees

JSON = dict[str, Any]
Id = Annotated[int, Path(ge=1, lt=1 << 63)]
PROPERTIES: JSON = {
    "email": {"type": "string", "description": "Belongs to one person; it is what they log in with"},
    "name": {"type": "string", "maxLength": 100},
    "operator": {"type": "boolean", "description": "Sees and does everything", "default": False},
    "read_only": {"type": "boolean", "description": "Changes nothing, and sees numbers masked", "default": False},
    "accounts": {"type": "array", "items": {"type": "string"}, "description": "What a customer owns, by name"},
    "language": {"type": "string", "enum": ["en", "pl"], "default": "en"},
    "time_zone": {"type": "string", "default": "UTC"},
}


def described(properties: JSON, required: list[str]) -> JSON:
    schema = {"type": "object", "additionalProperties": False, "required": required, "properties": properties}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


SHOWN = {"type": "boolean", "description": "Answer the link instead of mailing it; on the local socket only"}
PERSON_NEW = described({**PROPERTIES, "shown": SHOWN}, ["email"])
PERSON_CHANGE = described({**PROPERTIES, "enabled": {"type": "boolean"}}, [])


class Invitation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    shown: Annotated[bool, Field(description="Answer the link instead of mailing it; on the local socket only")] = False


class NewToken(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(description="What the token is for")]
    scopes: Annotated[list[str], Field(description="What it may do: read, settings, credits, send, operate")]


routes = APIRouter(tags=["people"])


@routes.get("/people")
async def list_people(desk: Oversees) -> JSON:
    return {"items": await desk.people.all()}


@routes.post("/people", status_code=201, openapi_extra=PERSON_NEW)
async def add_person(desk: Operates, fields: Annotated[JSON, Body()]) -> JSON:
    """They are invited at once: `sent_to` their address, or by a `link` that is shown this once."""
    asked = {name: value for name, value in fields.items() if name != "shown"}
    return await desk.people.add(asked, shown=fields.get("shown") is True)


@routes.get("/people/{person}")
async def show_person(desk: Oversees, person: Id) -> JSON:
    return await desk.people.show(person)


@routes.patch("/people/{person}", openapi_extra=PERSON_CHANGE)
async def change_person(desk: Operates, person: Id, fields: Annotated[JSON, Body()]) -> JSON:
    """`accounts` are replaced as a whole. Who is switched off is logged out."""
    return await desk.people.change(person, fields)


@routes.delete("/people/{person}", status_code=204)
async def remove_person(desk: Operates, person: Id) -> None:
    """With their sessions and tokens. What they changed stays in the log."""
    await desk.people.remove(person)


@routes.post("/people/{person}/invitation")
async def invite_person(desk: Operates, person: Id, body: Invitation) -> JSON:
    """A one-time link to choose a password with; older links are worthless from now on."""
    return await desk.people.invite(person, shown=body.shown)


@routes.delete("/people/{person}/codes")
async def forget_codes(desk: Operates, person: Id) -> JSON:
    """For who lost the telephone: from now on the password is enough."""
    return await desk.people.forget_codes(person)


@routes.get("/people/{person}/tokens")
async def list_tokens(desk: Oversees, person: Id) -> JSON:
    return {"items": await desk.people.tokens(person)}


@routes.post("/people/{person}/tokens", status_code=201)
async def add_token(desk: Operates, person: Id, body: NewToken) -> JSON:
    """The answer holds the token, this once."""
    return await desk.people.add_token(person, body.name, body.scopes)


@routes.delete("/people/{person}/tokens/{token}", status_code=204)
async def revoke_token(desk: Operates, person: Id, token: Id) -> None:
    await desk.people.revoke_token(person, token)
