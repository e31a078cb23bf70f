"""Senders in a process of their own: python -m tests.overload.generator, with what to do as JSON on stdin.

Invariant: a sender with a rate sends at that rate whatever the answers are, as long as its window has room: that is
what overload means. The figures of each go to stdout as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any, cast

from pdu import constants as c
from pdu import frames
from pdu.bodies import BIND_BODY, SUBMIT_SM_BODY, address

HOST = "127.0.0.1"
BEAT = 0.005  # seconds between two looks at what is to be sent
BODY = SUBMIT_SM_BODY.encode(
    SUBMIT_SM_BODY.build(
        1, source=address(5, 0, b"smppgate"), destination=address(1, 1, b"48600100200"), short_message=b"hello"
    )
)


class Sender(asyncio.Protocol):
    """`rate` messages a second (0: all that the window lets through), at most `window` unanswered."""

    def __init__(self, system_id: str, password: str, window: int, rate: float) -> None:
        self.window, self.rate = window, rate
        self.accepted = self.refused = 0
        self.seconds: list[float] = []
        self.bound = asyncio.get_running_loop().create_future()
        self.began = 0.0  # 0: not yet
        self._secret = {"system_id": system_id.encode(), "password": password.encode()}
        self._sequence = self._sent = 0
        self._asked: dict[int, float] = {}
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        body = BIND_BODY.encode(BIND_BODY.build(0, **self._secret))
        self._transport.write(frames.frame(c.BIND_TRANSMITTER, 0, 0, body))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self.bound.done():
            self.bound.set_exception(ConnectionError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        octets, now = self._rest + data, time.perf_counter()
        found, used, _fault = frames.split(octets)
        self._rest = octets[used:]
        for command, status, sequence, _at, _end in found:
            if command == c.SUBMIT_SM_RESP:
                self.seconds.append(now - self._asked.pop(sequence))
                self.accepted += status == c.ESME_ROK
                self.refused += status != c.ESME_ROK
            elif command == c.BIND_TRANSMITTER | c.RESPONSE and not self.bound.done():
                self.bound.set_result(status)
            elif command == c.ENQUIRE_LINK and self._transport is not None:
                self._transport.write(frames.response(command, 0, sequence))
        if self.began and not self.rate:
            self.send()

    def send(self) -> None:
        """What is due now and has room."""
        room, now = self.window - len(self._asked), time.perf_counter()
        if self.rate:
            room = min(room, int((now - self.began) * self.rate) - self._sent)
        if room <= 0 or self._transport is None:
            return
        numbers = range(self._sequence + 1, self._sequence + room + 1)
        self._sequence += room
        self._sent += room
        self._asked.update(dict.fromkeys(numbers, now))
        self._transport.write(b"".join([frames.frame(c.SUBMIT_SM, 0, number, BODY) for number in numbers]))

    def told(self) -> dict[str, Any]:
        times = sorted(self.seconds)
        return {
            "accepted": self.accepted,
            "refused": self.refused,
            "p99": times[int(len(times) * 0.99)] if times else None,
        }


async def generate(port: int, seconds: float, senders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    loop = asyncio.get_running_loop()
    all_ = [Sender(**each) for each in senders]
    for sender in all_:
        await loop.create_connection(lambda sender=sender: sender, HOST, port)  # type: ignore[misc]
        assert await sender.bound == c.ESME_ROK
    began = time.perf_counter()
    for sender in all_:
        sender.began = began
        sender.send()
    paced = [sender for sender in all_ if sender.rate]
    while time.perf_counter() < began + seconds:
        await asyncio.sleep(BEAT)
        for sender in paced:
            sender.send()
    told = [sender.told() for sender in all_]
    for sender in all_:
        if sender._transport is not None:
            sender._transport.abort()
    return told


if __name__ == "__main__":
    json.dump(asyncio.run(generate(**json.load(sys.stdin))), sys.stdout)
