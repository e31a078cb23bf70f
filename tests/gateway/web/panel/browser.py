"""A browser without a screen: asks the panel for pages as an operator or as a customer, over a real store."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from fastapi import Request

from gateway.admin import Actor
from gateway.admin.actor import rights_of
from gateway.web.api import create_api
from gateway.web.panel import add_panel
from tests.gateway.desk import Desk

OPERATOR = Actor(1, "duty@gate.example", rights_of(True, False), None, "192.0.2.7", "panel", operator=True)


def customer(*accounts: int, read_only: bool = False, language: str = "en") -> Actor:
    rights = rights_of(False, read_only)
    name = "anna@maple.example"
    return Actor(
        2, name, rights, frozenset(accounts), "192.0.2.8", "panel", language, "Europe/Warsaw", read_only=read_only
    )


class Known:
    """Everybody who asks is this one."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    async def actor(self, _request: Request) -> Actor:
        return self._actor


@asynccontextmanager
async def browsing(desk: Desk, actor: Actor = OPERATOR) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_api(desk.house, Known(actor))
    add_panel(app)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


def seen(answer: httpx2.Response) -> str:
    """The words of a page, without its markup."""
    text = re.sub(r"<(svg|head)\b.*?</\1>|<[^>]+>", " ", answer.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text)
