"""Every kind of request that makes or ends a message, by chance, and a note of each."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import count

from pdu import constants as c
from pdu.bodies import address
from pdu.times import format_relative
from tests.road.books import Customer, Sent
from tests.road.client import SENDER, Esme

_NUMBERS = count(1)


class Traffic:
    """One customer's. The same seed makes the same requests, as far as the answers allow."""

    def __init__(self, customer: Customer, chance: random.Random) -> None:
        self.customer, self._chance = customer, chance

    async def run(self, client: Esme, going_on: Callable[[], bool]) -> None:
        """Batches of requests, until the connection ends or nobody wants more."""
        while client.open and going_on():
            batch = [self._request(client) for _ in range(self._chance.randint(1, 30))]
            self.customer.sent += [sent for several in batch for sent in several]
            for several in batch:
                await several[0].asked.done
            self._cancel_some(client, [several[0] for several in batch])

    def _cancel_some(self, client: Esme, batch: list[Sent]) -> None:
        for sent in batch:
            if sent.scheduled and sent.asked.accepted and self._chance.random() < 0.5:
                id_ = sent.asked.message_id
                self.customer.cancelled[id_] = client.send(c.CANCEL_SM, message_id=id_.encode(), source=SENDER)

    def _request(self, client: Esme) -> list[Sent]:
        kind, registered = self._chance.random(), int(self._chance.random() < 0.8)
        if kind < 0.03:
            return self._multi(client, registered)
        text, to = self._text(), self._number()
        if kind < 0.08:
            later = format_relative(self._chance.randint(1, 3))
            asked = client.submit(to, text, schedule_delivery_time=later, registered_delivery=registered)
            return [Sent(text.decode(), to, asked, scheduled=True)]
        if kind < 0.12:  # two parts
            text = text.ljust(200, b".")
        return [Sent(text.decode(), to, client.submit(to, text, registered_delivery=registered))]

    def _multi(self, client: Esme, registered: int) -> list[Sent]:
        text, numbers = self._text(), {self._number() for _ in range(self._chance.randint(1, 4))}
        asked = client.send(
            c.SUBMIT_MULTI,
            source=SENDER,
            destinations=tuple(address(1, 1, to.encode()) for to in numbers),
            short_message=text,
            registered_delivery=registered,
        )
        return [Sent(text.decode(), to, asked) for to in numbers]

    def _text(self) -> bytes:
        return b"message %d " % next(_NUMBERS) + bytes(self._chance.choices(b"abcdefgh", k=10))

    def _number(self) -> str:
        return f"48600{self._chance.randrange(10**6):06}"
