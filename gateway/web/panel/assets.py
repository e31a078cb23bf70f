"""The panel's own files: stylesheet, script, icons and what is vendored, each under an address made of its content.

Invariant: what was served under an address never changes, so browsers may keep it for ever. Read once, at import: there
is no path to escape from.
"""

import hashlib
import mimetypes
from importlib import resources
from importlib.resources.abc import Traversable
from typing import NamedTuple

from fastapi import APIRouter
from starlette.responses import Response

from gateway.admin import NotFound

FOR_EVER = "public, max-age=31536000, immutable"


class Asset(NamedTuple):
    content: bytes
    media_type: str
    digest: str


def read(folder: Traversable, prefix: str = "") -> dict[str, Asset]:
    found: dict[str, Asset] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            found |= read(entry, f"{prefix}{entry.name}/")
        else:
            content = entry.read_bytes()
            kind = mimetypes.guess_type(entry.name)[0] or "text/plain"
            found[prefix + entry.name] = Asset(content, kind, hashlib.sha256(content).hexdigest()[:12])
    return found


ASSETS = read(resources.files(__package__) / "static")
routes = APIRouter()


def static(name: str) -> str:
    """The address of one of the panel's files."""
    return f"/static/{ASSETS[name].digest}/{name}"


@routes.get("/static/{digest}/{name:path}")
async def show_asset(digest: str, name: str) -> Response:
    asset = ASSETS.get(name)
    if asset is None or asset.digest != digest:
        raise NotFound(f"there is no file {name}")
    return Response(asset.content, media_type=asset.media_type, headers={"Cache-Control": FOR_EVER})
