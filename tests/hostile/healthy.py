"""A customer in good health, in a process of its own so that no attacker's work delays it: what it sees while others
attack.

    python -m tests.hostile.healthy PORT SYSTEM_ID      (its password is the first line of standard input)

For every further line it says in JSON what it has seen since the last one. It knows nothing of attacks, and it keeps to
its own rhythm however late the answers come: what is slow is seen as slow.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time
from typing import NamedTuple

from pdu import constants as c
from tests.road.client import Asked, Esme, bound
from tests.server import Login

RHYTHM = 0.01  # seconds from one enquire_link to the next
LINKS_PER_SUBMIT = 5
TOO_LONG = 20.0  # seconds for an answer


class Seen(NamedTuple):
    links: int  # enquire_links asked
    p99: float  # seconds
    worst: float
    submits: int
    accepted: int
    receipts: int  # since it was bound, like `owed`
    owed: int


def seen(links: list[Asked], submits: list[Asked], client: Esme, owed: int) -> Seen:
    times = sorted([one.seconds for one in links if one.answer is not None])
    lost = len(links) - len(times)
    times += [TOO_LONG] * lost
    return Seen(
        links=len(links),
        p99=times[math.ceil(len(times) * 0.99) - 1] if times else TOO_LONG,
        worst=times[-1] if times else TOO_LONG,
        submits=len(submits),
        accepted=sum([one.accepted for one in submits]),
        receipts=len(client.receipts),
        owed=owed,
    )


class Healthy:
    def __init__(self, client: Esme) -> None:
        self.client = client
        self.links: list[Asked] = []
        self.submits: list[Asked] = []
        self.owed = 0

    async def live(self) -> None:
        due = time.monotonic()
        while self.client.open:
            self.links.append(self.client.send(c.ENQUIRE_LINK))
            if len(self.links) % LINKS_PER_SUBMIT == 0:
                self.submits.append(self.client.submit(registered_delivery=1))
            due += RHYTHM
            await asyncio.sleep(due - time.monotonic())

    async def look_back(self) -> Seen:
        """At what was asked until now, once it is answered."""
        links, submits = self.links, self.submits
        self.links, self.submits = [], []
        if links or submits:
            await asyncio.wait([one.done for one in (*links, *submits)], timeout=TOO_LONG)
        self.owed += sum([one.accepted for one in submits])
        for kept in (self.client.log, self.client.answers, self.client.heard):
            kept.clear()
        return seen(links, submits, self.client, self.owed)


async def main() -> None:
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    password = (await reader.readline()).decode().strip()
    healthy = Healthy(await bound(int(sys.argv[1]), Login("", sys.argv[2], password)))
    living = asyncio.create_task(healthy.live())
    print("bound", flush=True)
    while await reader.readline():
        print(json.dumps((await healthy.look_back())._asdict()), flush=True)
    living.cancel()
    healthy.client.abort()
    transport.close()


if __name__ == "__main__":
    asyncio.run(main())
