"""Passwords, hashed beside the loop: those of people, and new ones of accounts. Each takes 19 MiB.

Invariant: one at a time, however many are asked for. What a bind says is checked by threads of its own (`gateway.app`):
who guesses at the panel's door holds up nobody at theirs. Knows nobody whose passwords they are.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from acl.password import hash_password, verify

_ONE = ThreadPoolExecutor(1, "person")


async def hashed(password: str) -> str:
    """What is stored of it."""
    return await asyncio.get_running_loop().run_in_executor(_ONE, hash_password, password)


async def matches(stored: str, password: str) -> bool:
    """Whether that is what is stored of it."""
    octets = password.encode("utf-8", "replace")
    return await asyncio.get_running_loop().run_in_executor(_ONE, verify, stored, octets)
