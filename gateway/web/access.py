"""Who may ask what over HTTP: a route says which right it needs, and is given the desk of whoever asks.

Invariant: a route without `needs` gets no desk. Who asks is decided by the listener the request came in by: the socket
in the data folder is the command line's, because only the folder's owner can open it; everywhere else a token or the
cookie of a session says who it is, and with a cookie nothing is changed unless the request came from our own pages.
"""

from typing import Annotated, Any, Protocol

from fastapi import Depends, Request

from gateway.admin import COMMAND_LINE, Actor, Admin, Desk, Entrance, Forbidden, Right, Unauthenticated, actor_of

from .origin import came_from_here, csrf_token, peer_of, session_cookie

API = "/api/"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Access(Protocol):
    async def actor(self, request: Request) -> Actor:
        """Unauthenticated if nobody is known to ask."""


class LocalAccess:
    async def actor(self, _request: Request) -> Actor:
        return COMMAND_LINE


class PublicAccess:
    """`url` is where the panel is found, if that is configured: a proxy may have hidden it from the request."""

    def __init__(self, entrance: Entrance, url: str = "") -> None:
        self._entrance, self._url = entrance, url

    async def actor(self, request: Request) -> Actor:
        peer, header = peer_of(request), request.headers.get("authorization")
        if header is not None:
            scheme, _, text = header.partition(" ")
            actor = await self._entrance.bearer(text.strip(), peer) if scheme.lower() == "bearer" else None
            if actor is None:
                raise Unauthenticated("this token opens nothing: it was revoked, or was never made here")
            return actor
        cookie = session_cookie(request)
        visitor = None if cookie is None else await self._entrance.visitor(cookie)
        if cookie is None or visitor is None:
            raise Unauthenticated("log in, or send a token as Authorization: Bearer")
        if request.method not in SAFE:
            await came_from_here(request, self._url, csrf_token(cookie))
        request.state.session, request.state.csrf = visitor.session.id, csrf_token(cookie)
        return actor_of(visitor.person, peer, "api" if request.url.path.startswith(API) else "panel")


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
Myself = Annotated[Desk, needs(Right.SELF)]
