"""Where a request came from: the peer, our own page or another site, and the session it brings along.

Invariant: a cookie alone changes nothing. A browser that says the request came from elsewhere is believed, one that
does not say it is refused, and the token of a form has to fit the session. Over TLS the cookie is bound to this host
(`__Host-`); without, it is taken from this machine only.
"""

import hmac
import ipaddress
from hashlib import blake2b

from fastapi import Request
from starlette.responses import Response

from gateway.admin import Forbidden

SECURE_NAME, PLAIN_NAME = "__Host-smppgate", "smppgate"
HEADER, FIELD = "x-csrf-token", "csrf"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
MOST_FIELDS, MOST_FILES = 1_500, 20
ELSEWHERE = "this request did not come from a page of this panel; nothing was changed"
NOT_SECURE = "passwords are taken over https only; without it, from this machine alone"


def peer_of(request: Request) -> str:
    """The peer's address. Behind a trusted proxy, the one that the proxy tells."""
    return request.client.host if request.client is not None else ""


def is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def is_private(request: Request) -> bool:
    """Can nobody listen in on the way here?"""
    try:
        return is_secure(request) or ipaddress.ip_address(peer_of(request)).is_loopback
    except ValueError:
        return False


# -- the session's cookie ----------------------------------------------------------------------------------------------
def cookie_name(request: Request) -> str:
    return SECURE_NAME if is_secure(request) else PLAIN_NAME


def session_cookie(request: Request) -> str | None:
    return request.cookies.get(cookie_name(request)) if is_private(request) else None


def set_session(request: Request, response: Response, secret: str) -> None:
    """For as long as the browser runs; how long the session lasts is decided here."""
    if not is_private(request):
        raise Forbidden(NOT_SECURE)
    response.set_cookie(
        cookie_name(request), secret, httponly=True, secure=is_secure(request), samesite="lax", path="/"
    )


def end_session(request: Request, response: Response) -> None:
    response.delete_cookie(cookie_name(request), httponly=True, secure=is_secure(request), samesite="lax", path="/")


# -- forged requests ---------------------------------------------------------------------------------------------------
def csrf_token(session: str) -> str:
    """Made of the session's secret, so nothing has to be kept; the secret cannot be read out of it."""
    return blake2b(session.encode("utf-8", "replace"), digest_size=16, person=b"csrf").hexdigest()


def same_site(request: Request, url: str) -> bool:
    """What the browser says of the page that sent this. Every browser says one or the other of what changes things."""
    said = request.headers.get("sec-fetch-site")
    if said is not None and said not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return said is not None
    return origin in (url, f"{request.url.scheme}://{request.headers.get('host', '')}")


async def came_from_here(request: Request, url: str, token: str) -> None:
    """Forbidden unless a page that we made for this session sent it."""
    if not same_site(request, url):
        raise Forbidden(ELSEWHERE)
    given = request.headers.get(HEADER)
    if given is None and request.headers.get("content-type", "").partition(";")[0].strip().lower() in FORMS:
        field = (await request.form(max_fields=MOST_FIELDS, max_files=MOST_FILES)).get(FIELD)
        given = field if isinstance(field, str) else None
    if given is None or not hmac.compare_digest(given.encode("utf-8", "replace"), token.encode()):
        raise Forbidden(ELSEWHERE)
