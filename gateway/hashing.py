"""People's passwords, hashed beside the loop and one after the other: each takes 19 MiB, however many are asked for.

Invariant: no more than one at a time. Binds have threads of their own (`gateway.app`): who guesses at the panel's door
holds up nobody at theirs. Knows nobody whose passwords they are.
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
