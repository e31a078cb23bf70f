"""Which route needs which right: read from the routes themselves, so it cannot differ from what is enforced.

Invariant: a route that stands here without a right is open to everybody; each of them is named in OPEN with its reason.
"""

from collections.abc import Iterator
from typing import NamedTuple

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from gateway.admin.actor import Right, rights_of

from .access import Needs
from .api import ROUTES
from .panel import PAGES

API = "/api/v1"
ROLES: dict[str, frozenset[Right]] = {
    "operator": rights_of(True, False),
    "operator, read only": rights_of(True, True),
    "customer": rights_of(False, False),
    "customer, read only": rights_of(False, True),
}
OPEN = {
    "/": "leads to the accounts",
    "/preferences": "language and appearance of this browser",
    "/login": "proves who comes",
    "/login/code": "proves who comes",
    "/forgot": "says the same to everybody",
    "/invitation/{secret}": "the secret is the proof",
    "/reset/{secret}": "the secret is the proof",
    f"{API}/payments/callback": "the signature is the proof",
}


class Guarded(NamedTuple):
    method: str
    path: str
    right: Right | None

    def open_to(self, role: str) -> bool:
        return self.right is None or self.right in ROLES[role]


def guarded() -> list[Guarded]:
    """Every route of the API and then of the panel."""
    api = [each for subject in ROUTES for each in of_router(subject.routes, API)]
    return [*api, *(each for subject in PAGES for each in of_router(subject.routes, ""))]


def of_router(router: APIRouter, prefix: str) -> Iterator[Guarded]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            rights = list(needed(route.dependant))
            for method in sorted(route.methods or ()):
                yield Guarded(method, prefix + route.path, rights[0] if rights else None)


def needed(dependant: Dependant) -> Iterator[Right]:
    if isinstance(dependant.call, Needs):
        yield dependant.call.right
    for dependency in dependant.dependencies:
        yield from needed(dependency)
