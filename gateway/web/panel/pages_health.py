"""How the gateway fares: what the doctor finds, how fast it commits, its versions, its last backup.

Invariant: opening the page costs milliseconds; what takes longer is looked at when it is asked for.
"""

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.web.access import Oversees

from .rendering import page
from .words import _, marked

CHECK_WORDS = {
    "SQLite": "SQLite",
    "event loop": marked("Event loop"),
    "data folder": marked("Data folder"),
    "disk": marked("Free disk"),
    "inodes": marked("Inodes"),
    "size": marked("Size of the store"),
    "files": marked("Files"),
    "memory": marked("Memory"),
    "descriptors": marked("Descriptors"),
    "TLS": marked("Certificate"),
    "clock": marked("Clock"),
    "store": marked("Store"),
    "durability": marked("Durability"),
    "books": marked("Books"),
    "mail": marked("Mail server"),
}
routes = APIRouter()


@routes.get("/health")
async def show_health(request: Request, desk: Oversees, thorough: bool = False) -> Response:
    words = {check: _(says) for check, says in CHECK_WORDS.items()}
    return page(request, "health.html", report=await desk.health.report(thorough), words=words)
