"""People of every role who ask the public API: with the cookie of a session, or with a token."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx2

from acl.password import hash_password
from gateway.mail.post import Post
from gateway.web.origin import HEADER, PLAIN_NAME, csrf_token
from gateway.web.public import create_public
from store.office.outbox import Letter
from store.office.people import Person
from tests.gateway.desk import Desk as Scene

PASSWORD = "a word that nobody else has"
HASH = hash_password(PASSWORD)
HERE = "http://127.0.0.1:8080"
PEER = ("127.0.0.1", 50_000)
ROLES = {
    "operator": {"operator": True},
    "read-only operator": {"operator": True, "read_only": True},
    "customer": {},
    "read-only customer": {"read_only": True},
}


class Login(NamedTuple):
    person: Person
    secret: str

    @property
    def headers(self) -> dict[str, str]:
        """What our own page sends along."""
        return {"Sec-Fetch-Site": "same-origin", "Origin": HERE, HEADER: csrf_token(self.secret)}

    @property
    def cookies(self) -> dict[str, str]:
        return {PLAIN_NAME: self.secret}


class Letters(Post):
    """Mail that only remembers what it was asked to send."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    async def invite(self, person: Person) -> None:
        self.sent.append(("invitation", person.email))

    async def reset(self, person: Person) -> None:
        self.sent.append(("reset", person.email))

    async def _put(self, kind: str, **more: Any) -> Letter | None:
        self.sent.append((kind, str(more.get("account"))))
        return None


async def person(
    scene: Scene, email: str = "ola@example.com", *, accounts: Sequence[str] = (), **fields: Any
) -> Person:
    """Somebody who has chosen PASSWORD already."""
    made = await scene.operator.people.add({"email": email, "name": "Ola", "accounts": list(accounts), **fields})
    return await scene.store.people.change(made["id"], {"password_hash": HASH})


async def login(scene: Scene, who: Person) -> Login:
    entry = await scene.house.entrance.log_in(who.email, PASSWORD, PEER[0])
    assert entry.secret is not None
    return Login(who, entry.secret)


async def token(scene: Scene, who: Person, *scopes: str) -> str:
    made = await scene.operator.people.add_token(who.id, "test", list(scopes))
    return str(made["token"])


@asynccontextmanager
async def public(
    scene: Scene, who: Login | str | None = None, *, base: str = HERE, peer: tuple[str, int] = PEER, **more: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """The public listener's app, asked by somebody logged in, by a token, or by nobody."""
    app = create_public(scene.house, list, **more)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False, client=peer)
    headers = {"Authorization": f"Bearer {who}"} if isinstance(who, str) else who.headers if who is not None else {}
    cookies = who.cookies if isinstance(who, Login) else {}
    async with httpx2.AsyncClient(transport=transport, base_url=base, headers=headers, cookies=cookies) as client:
        yield client


