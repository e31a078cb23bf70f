"""What became of the last click, told on the next page: a signed cookie that lives for a minute and is read once.

Invariant: only what this process signed is shown, so nobody else's words appear in the panel's voice.
"""

import base64
import hashlib
import hmac
import json
from secrets import token_bytes
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "notice"
SECONDS = 60
LONGEST = 1_000  # characters of a sentence; a cookie holds 4 KiB
KEY = token_bytes(32)


class Notice(NamedTuple):
    """`undo` is the line of the change log that takes it back."""

    text: str
    kind: str = "ok"
    undo: int | None = None


def signature(payload: bytes) -> str:
    return hmac.new(KEY, payload, hashlib.sha256).hexdigest()[:32]


def leave(response: Response, notice: Notice, secure: bool) -> None:
    payload = base64.urlsafe_b64encode(json.dumps(notice._replace(text=notice.text[:LONGEST])).encode())
    value = f"{payload.decode()}.{signature(payload)}"
    response.set_cookie(COOKIE, value, max_age=SECONDS, httponly=True, samesite="lax", secure=secure)


def left(request: Request) -> Notice | None:
    payload, _dot, signed = request.cookies.get(COOKIE, "").partition(".")
    if not signed or not hmac.compare_digest(signature(payload.encode()), signed):
        return None
    return Notice(*json.loads(base64.urlsafe_b64decode(payload)))
