"""How much a request may bring along, by where it goes."""

import asyncio
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from gateway.web.bounds import FILE, FILES, FORM, MOST_LARGE, TOO_LARGE, TOO_MANY, Bounded, bound_of


@pytest.mark.parametrize(
    ("path", "bound"),
    [
        ("/login", FORM),
        ("/api/v1/accounts/acme/senders", FORM),
        ("/api/v1/accounts/acme/senders/MAPLE/documents", FILE),
        ("/accounts/acme/senders", FILES),
        ("/accounts/acme/senders/MAPLE/documents", FILES),
        ("/no/such/page", FORM),
    ],
)
def test_only_where_files_are_handed_in_may_it_be_more_than_a_form(path: str, bound: int) -> None:
    assert bound_of(path) == bound


class Desk:
    """An application that reads its requests whole and answers when it is told to."""

    def __init__(self) -> None:
        self.answer, self.read = asyncio.Event(), 0
        self.bounded = Bounded(self)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            pass
        self.read += 1
        await self.answer.wait()

    async def ask(self, *octets: int) -> int:
        """A request with a body of such pieces. -> its status, 200 if it was served."""
        pieces = iter([{"body": bytes(size), "more_body": n < len(octets)} for n, size in enumerate(octets, 1)])

        async def receive() -> Any:
            await asyncio.sleep(0)
            return next(pieces)

        async def send(_message: Any) -> None: ...

        scope = {"type": "http", "path": "/accounts/acme/senders", "headers": []}
        try:
            await self.bounded(scope, receive, send)
        except HTTPException as refused:
            return refused.status_code
        return 200


async def test_only_a_few_large_requests_are_taken_at_a_time() -> None:
    desk = Desk()
    large = [asyncio.create_task(desk.ask(FORM, 1)) for _ in range(MOST_LARGE)]
    small = asyncio.create_task(desk.ask(FORM))
    while desk.read < MOST_LARGE + 1:
        await asyncio.sleep(0)
    assert await desk.ask(FORM, 1) == TOO_MANY
    desk.answer.set()
    assert await asyncio.gather(*large, small) == [200] * (MOST_LARGE + 1)
    assert [await desk.ask(FORM, 1) for _ in range(MOST_LARGE + 1)] == [200] * (MOST_LARGE + 1)


async def test_what_was_refused_takes_no_place() -> None:
    desk = Desk()
    desk.answer.set()
    assert [await desk.ask(FILES, 1) for _ in range(2 * MOST_LARGE)] == [TOO_LARGE] * 2 * MOST_LARGE
    assert await desk.ask(FORM, 1) == 200
