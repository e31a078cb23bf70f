"""Every route with every role: what the table of rights says is what happens."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gateway.web.origin import FIELD, csrf_token
from gateway.web.rights import API, OPEN, ROLES, Guarded, guarded
from tests.gateway.desk import Desk, open_desk
from tests.gateway.web.visitors import Login, login, person, public

FLAGS: dict[str, Any] = {
    "operator": {"operator": True},
    "operator, read only": {"operator": True, "read_only": True},
    "customer": {"operator": False},
    "customer, read only": {"read_only": True},
}
ROUTES = guarded()


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


def test_what_needs_no_right_is_named_with_its_reason() -> None:
    assert {each.path for each in ROUTES if each.right is None} == set(OPEN)


def test_every_role_is_there() -> None:
    assert set(FLAGS) == set(ROLES)


async def answer(client: httpx2.AsyncClient, route: Guarded, who: Login | None) -> int:
    """The status; of an answer that does not begin, 200. Nothing that is named is there."""
    path = re.sub(r"\{[^}]+\}", "999999", route.path)
    typed = {FIELD: csrf_token(who.secret)} if who is not None and not route.path.startswith(API) else None
    try:
        async with asyncio.timeout(1), client.stream(route.method, path, data=typed) as said:
            return said.status_code
    except TimeoutError:
        return 200


@pytest.mark.parametrize("role", FLAGS)
async def test_every_route_answers_a_role_as_the_table_says(scene: Desk, role: str) -> None:
    await person(scene, "first@example.com", operator=True)
    who = await login(scene, await person(scene, **FLAGS[role]))
    wrong = []
    async with public(scene, who) as client:
        for route in ROUTES:
            if route.right is None or route.path == "/logout":
                continue
            status = await answer(client, route, who)
            if (status == 403) is route.open_to(role) or status in (401, 500):
                wrong.append(f"{route.method} {route.path}: {status}")
    assert wrong == []


async def test_without_a_proof_every_guarded_route_asks_for_one(scene: Desk) -> None:
    wrong = []
    async with public(scene) as client:
        for route in ROUTES:
            expected = (401,) if route.path.startswith(API) or route.method != "GET" else (303,)
            if route.right is not None and (status := await answer(client, route, None)) not in expected:
                wrong.append(f"{route.method} {route.path}: {status}")
    assert wrong == []
