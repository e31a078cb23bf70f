"""Who may ask what over HTTP: a route says which right it needs, and is given the desk of whoever asks.

Invariant: a route without `needs` gets no desk. Who asks is decided by the listener the request came in by; the socket
in the data folder is the command line's, because only the folder's owner can open it.
"""

from typing import Annotated, Any, Protocol

from fastapi import Depends, Request

from gateway.admin import COMMAND_LINE, Actor, Admin, Desk, Forbidden, Right


class Access(Protocol):
    async def actor(self, request: Request) -> Actor:
        """Unauthenticated if nobody is known to ask."""


class LocalAccess:
    async def actor(self, _request: Request) -> Actor:
        return COMMAND_LINE


class Needs:
    """A dependency of a route: the desk, if who asks has the right."""

    def __init__(self, right: Right) -> None:
        self.right = right

    async def __call__(self, request: Request) -> Desk:
        access: Access = request.app.state.access
        admin: Admin = request.app.state.admin
        actor = request.state.actor = await access.actor(request)
        if self.right not in actor.rights:
            raise Forbidden(f"this needs the right to {self.right}, which {actor.name} does not have here")
        return admin.acting(actor)


def needs(right: Right) -> Any:
    """Use it as `desk: Annotated[Desk, needs(Right.READ)]`, or by one of the names below."""
    return Depends(Needs(right))


Reads = Annotated[Desk, needs(Right.READ)]
Sets = Annotated[Desk, needs(Right.SETTINGS)]
Pays = Annotated[Desk, needs(Right.CREDITS)]
Sends = Annotated[Desk, needs(Right.SEND)]
Oversees = Annotated[Desk, needs(Right.OVERSEE)]
Operates = Annotated[Desk, needs(Right.OPERATE)]
