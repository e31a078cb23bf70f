"""What people do about themselves over HTTP. A token reads who it belongs to; the rest needs a session of the panel."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Field

from .access import Myself, Reads
from .people_routes import PROPERTIES, Id, NewToken, described

JSON = dict[str, Any]
PROFILE = described({name: PROPERTIES[name] for name in ("name", "language", "time_zone")}, [])


class Proof(BaseModel):
    model_config = ConfigDict(extra="forbid")

    current_password: Annotated[str, Field(max_length=1000, description="The present password, once more")]


class NewPassword(Proof):
    password: Annotated[str, Field(max_length=1000)]


class NewEmail(Proof):
    email: str


class Confirmation(Proof):
    secret: Annotated[str, Field(description="The one that was made by the step before")]
    code: Annotated[str, Field(max_length=50, description="What the telephone shows for it")]


routes = APIRouter(prefix="/me", tags=["me"])


def session_of(request: Request) -> int:
    """The session that asks; 0 for none."""
    return int(getattr(request.state, "session", 0))


@routes.get("")
async def show_me(desk: Reads) -> JSON:
    return await desk.own.show()


@routes.patch("", openapi_extra=PROFILE)
async def change_me(desk: Myself, fields: Annotated[JSON, Body()]) -> JSON:
    return await desk.own.change(fields)


@routes.put("/email")
async def change_my_email(desk: Myself, body: NewEmail) -> JSON:
    return await desk.own.change_email(body.email, body.current_password)


@routes.put("/password", status_code=204)
async def change_my_password(desk: Myself, request: Request, body: NewPassword) -> None:
    """Every other session ends."""
    await desk.own.change_password(body.current_password, body.password, session_of(request))


@routes.post("/codes")
async def begin_codes(desk: Myself) -> JSON:
    """A secret for the telephone; nothing is asked for until it is confirmed."""
    return await desk.own.begin_codes()


@routes.put("/codes")
async def confirm_codes(desk: Myself, body: Confirmation) -> JSON:
    """The answer holds the recovery codes, this once."""
    return await desk.own.confirm_codes(body.secret, body.code, body.current_password)


@routes.post("/codes/end", status_code=204)
async def end_codes(desk: Myself, body: Proof) -> None:
    await desk.own.end_codes(body.current_password)


@routes.get("/sessions")
async def list_my_sessions(desk: Myself, request: Request) -> JSON:
    return {"items": await desk.own.sessions(session_of(request))}


@routes.delete("/sessions/{session}", status_code=204)
async def end_my_session(desk: Myself, session: Id) -> None:
    await desk.own.end_session(session)


@routes.get("/tokens")
async def list_my_tokens(desk: Myself) -> JSON:
    return {"items": await desk.own.tokens()}


@routes.post("/tokens", status_code=201)
async def add_my_token(desk: Myself, body: NewToken) -> JSON:
    """The answer holds the token, this once."""
    return await desk.own.add_token(body.name, body.scopes)


@routes.delete("/tokens/{token}", status_code=204)
async def revoke_my_token(desk: Myself, token: Id) -> None:
    await desk.own.revoke_token(token)
