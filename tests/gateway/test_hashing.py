"""People's passwords: hashed as clients' are, and never two at a time."""

import asyncio
import threading

import pytest

from acl.password import DUMMY_HASH
from gateway import hashing
from gateway.hashing import hashed, matches


async def test_what_was_hashed_matches_and_nothing_else() -> None:
    stored = await hashed("a long sentence of mine ż")
    assert await matches(stored, "a long sentence of mine ż")
    assert not await matches(stored, "a long sentence of mine z")
    assert not await matches(DUMMY_HASH, "\ud800")  # what no octets stand for is a wrong password


async def test_however_many_ask_it_is_done_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work, most = 0, 0
    lock = threading.Lock()

    def verify(_stored: str, password: bytes) -> bool:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        with lock:
            at_work -= 1
        return password == b"7"

    monkeypatch.setattr(hashing, "verify", verify)
    answers = await asyncio.gather(*[matches("stored", str(number)) for number in range(50)])
    assert (most, [number for number, right in enumerate(answers) if right]) == (1, [7])
