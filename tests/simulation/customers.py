"""Customers and their clients: some behave, some hang up, fall silent, read nothing, answer nothing, or send rubbish.

Invariant: a client notes what it asks before it asks, and what it hears when it hears it.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from pdu import codec
from pdu import constants as c
from pdu.bodies import address
from pdu.times import format_relative
from tests.road.client import SENDER, Asked, Esme, answer_to, payload

from .books import AWAY, HOME, NOWHERE, Books, Customer, Sent, key_of
from .clock import Loop
from .network import End, Network

PASSWORD = b"secret"
AGAIN = (c.ESME_RMSGQFUL, c.ESME_RSYSERR, c.ESME_RX_T_APPN)
NEVER = (c.ESME_RX_P_APPN, c.ESME_RINVMSGLEN)
BIND_KINDS = (c.BIND_TRANSCEIVER, c.BIND_TRANSCEIVER, c.BIND_TRANSMITTER, c.BIND_RECEIVER)
STRANGER = address(5, 0, b"FRAUD")
PATIENCE = 15.0  # seconds


class Caller(Esme):
    """`manners`: how it answers deliveries."""

    def __init__(self, customer: Customer, chance: Random, manners: str) -> None:
        super().__init__(self._answers)
        self.customer, self.manners = customer, manners
        self._chance, self._loop = chance, asyncio.get_running_loop()
        customer.clients.append(self)

    def _answers(self, pdu: codec.Pdu) -> int | None:
        manners = self.manners if self._chance.random() < 0.4 else "good"
        if manners == "slow":
            self._loop.call_later(self._chance.uniform(0.1, 3.0), self.write, answer_to(pdu, c.ESME_ROK))
            return None
        if manners == "forgetful":
            return None
        if manners == "busy":
            return self._chance.choice(AGAIN)
        if manners == "picky":
            status = self._chance.choice(NEVER)
            self.customer.refused[name_of(pdu)] += 1
            return status
        return c.ESME_ROK

    def silence(self) -> None:
        """Its machine loses the network; nobody else is told."""
        if self._transport is not None:
            assert isinstance(self._transport, End)
            self._transport.vanish()


def name_of(pdu: codec.Pdu) -> str:
    """The id of what was delivered, or for an incoming message its text."""
    text: bytes = pdu.body.short_message
    return text.split(b" ", 1)[0].removeprefix(b"id:").decode()


class Habits:
    """What one customer's clients do, as the seed has it."""

    def __init__(self, customer: Customer, books: Books, network: Network, loop: Loop, chance: Random) -> None:
        self.customer, self._books, self._network, self._loop, self._chance = customer, books, network, loop, chance
        self._burst = chance.choice((1, 3, 8, 25))
        self._wild = chance.random() < 0.3

    async def live(self, until: float) -> None:
        await asyncio.sleep(self._chance.uniform(0, 3))
        while self._loop.time() < until:
            await self.visit(until)
            await asyncio.sleep(self._chance.random() ** 2 * 8)

    # -- one connection ----------------------------------------------------------------------------------------
    async def visit(self, until: float) -> None:
        chance = self._chance
        client = Caller(self.customer, chance, chance.choice(("good", "good", "slow", "forgetful", "busy", "picky")))
        client.leaving_politely = chance.random() < 0.9
        client.answers_links = chance.random() < 0.9
        try:
            self._network.connect(client, chance.choice((HOME, HOME, HOME, HOME, AWAY, NOWHERE)))
        except ConnectionRefusedError:
            return
        kind = chance.choice(BIND_KINDS)
        if not await self._let_in(client, kind):
            client.abort()
            return
        enough = min(until, self._loop.time() + chance.choice((1, 5, 20)))
        while client.open and self._loop.time() < enough:
            await self._act(client, kind)
            await asyncio.sleep(chance.random() ** 3 * 4)
        await self._leave(client)

    async def _let_in(self, client: Caller, kind: int) -> bool:
        password = PASSWORD if self._chance.random() < 0.95 else b"guess"
        asked = client.send(kind, system_id=self.customer.system_id.encode(), password=password)
        if self._chance.random() < 0.1:  # it does not wait to be let in
            self._submit(client)
        await patiently(asked)
        return asked.accepted

    async def _leave(self, client: Caller) -> None:
        manner = self._chance.random()
        if manner < 0.4:
            await patiently(client.send(c.UNBIND))
        elif manner < 0.6:
            client.silence()
        elif manner < 0.7 and client.open:
            client.finish_writing()
            await asyncio.sleep(2)
        client.abort()

    async def _act(self, client: Caller, kind: int) -> None:
        chance, act = self._chance, self._chance.random()
        if kind == c.BIND_RECEIVER:
            await asyncio.sleep(chance.random() * 5)
        elif act < 0.75:
            several = [self._submit(client) for _ in range(chance.randint(1, self._burst))]
            if chance.random() < 0.6:
                for asked in several:
                    await patiently(asked)
        elif act < 0.85:
            await self._meddle(client)
        elif act < 0.9:
            await patiently(client.send(c.ENQUIRE_LINK))
        elif act < 0.95:
            await self._stop_reading(client)
        elif self._wild:
            client.write(self._rubbish())

    async def _stop_reading(self, client: Caller) -> None:
        if client.open:
            client.stop_reading()
            for _ in range(self._chance.choice((0, 20))):
                self._submit(client)
            await asyncio.sleep(self._chance.random() ** 2 * 40)
            client.read_again()

    def _rubbish(self) -> bytes:
        chance = self._chance
        return chance.choice((
            b"\0\0\0\x10\0\0\0\x99\0\0\0\0\0\0\0\1",  # a command that does not exist
            b"\0\0\0\x14\0\0\0\x04\0\0\0\0\0\0\0\1\xff\xff\xff\xff",  # a body that cannot be read
            b"GET / HTTP/1.1\r\n\r\n",
            chance.randbytes(chance.randint(1, 40)),
        ))  # fmt: skip

    # -- what it sends -----------------------------------------------------------------------------------------
    def _submit(self, client: Caller) -> Asked:
        """Mostly what is right."""
        kind = self._chance.random()
        values: dict[str, Any] = {"registered_delivery": self._chance.choice((1, 1, 1, 0, 2))}
        to = self._number()
        if kind < 0.7:
            return self._message(client, to, self._books.text(), values)
        if kind < 0.76:
            return self._message(client, to, self._books.text(200), values, parts=2)
        if kind < 0.84:
            return self._scheduled(client, to, values)
        if kind < 0.88:
            later = self._chance.randint(1, 20)
            expires = int((self._loop.wall() + later) * 1000)
            values["validity_period"] = format_relative(later)
            return self._message(client, to, self._books.text(), values, expires_ms=expires)
        if kind < 0.91:
            return self._several(client, values)
        if kind < 0.94:
            text = self._books.text()
            asked = client.send(c.DATA_SM, source=SENDER, destination=address(1, 1, to.encode()), tlvs=payload(text),
                                registered_delivery=values["registered_delivery"])  # fmt: skip
            return self._noted(Sent(text, to, asked, registered=values["registered_delivery"]))
        return self._wrong(client, to, values)

    def _wrong(self, client: Caller, to: str, values: dict[str, Any]) -> Asked:
        values |= self._chance.choice((
            {"source": STRANGER}, {"data_coding": 0x4D}, {"schedule_delivery_time": b"never"},
            {"destination": address(1, 1, b"4870" + to[4:].encode())}, {"destination": address(1, 1, b"12")},
        ))  # fmt: skip
        text = self._books.text(2000 if self._chance.random() < 0.2 else 0)
        return self._message(client, values.get("destination", b"\1\1" + to.encode() + b"\0")[2:-1].decode(), text,
                             values, parts=len(text) // 153 + 1 if len(text) > 160 else 1)  # fmt: skip

    def _message(self, client: Caller, to: str, text: bytes, values: dict[str, Any], **more: Any) -> Asked:
        asked = client.submit(to, text, **values)
        return self._noted(Sent(text, to, asked, registered=values["registered_delivery"], **more))

    def _scheduled(self, client: Caller, to: str, values: dict[str, Any]) -> Asked:
        later = self._chance.randint(1, 30)
        values["schedule_delivery_time"] = format_relative(later)
        if self._chance.random() < 0.3:
            values["replace_if_present_flag"] = 1
            self.customer.may_be_deleted = True
        return self._message(
            client, to, self._books.text(), values, schedule_ms=int((self._loop.wall() + later) * 1000)
        )

    def _several(self, client: Caller, values: dict[str, Any]) -> Asked:
        text = self._books.text()
        numbers = list(dict.fromkeys(self._number() for _ in range(self._chance.randint(1, 4))))
        asked = client.send(
            c.SUBMIT_MULTI,
            source=SENDER,
            destinations=tuple(address(1, 1, to.encode()) for to in numbers),
            short_message=text,
            **values,
        )
        for to in numbers:
            self._noted(Sent(text, to, asked, registered=values["registered_delivery"]))
        return asked

    def _noted(self, sent: Sent) -> Asked:
        self.customer.sent.append(sent)
        return sent.asked

    def _number(self) -> str:
        return f"48600{self._chance.randrange(300):06}"

    # -- what it changes its mind about ------------------------------------------------------------------------
    async def _meddle(self, client: Caller) -> None:
        chance = self._chance
        known = [sent for sent in self.customer.sent[-40:] if sent.asked.accepted]
        if not known:
            return
        sent = chance.choice(known)
        id_ = sent.asked.message_id.encode()
        act = chance.random()
        if act < 0.5:
            asked = client.send(c.CANCEL_SM, message_id=id_, source=SENDER)
            self.customer.cancels.setdefault(id_.decode(), []).append(asked)
        elif act < 0.6:
            self.customer.may_be_deleted = True
            asked = client.send(c.CANCEL_SM, source=SENDER, destination=address(1, 1, sent.to.encode()))
        elif act < 0.8:
            asked = client.send(c.QUERY_SM, message_id=id_, source=SENDER)
        else:
            asked = client.send(
                c.REPLACE_SM,
                message_id=id_,
                source=SENDER,
                registered_delivery=sent.registered,
                short_message=key_of(sent.text) + b" another text",
            )
        if chance.random() < 0.7:
            await patiently(asked)


async def patiently(asked: Asked) -> None:
    """Until it is answered, the connection has ended, or nobody would wait any longer."""
    await asyncio.wait([asked.done], timeout=PATIENCE)


class Waiter(Caller):
    """Comes last, and takes all that is owed."""

    def __init__(self, customer: Customer, chance: Random) -> None:
        super().__init__(customer, chance, "good")

    @classmethod
    async def wait_for(cls, customer: Customer, network: Network, loop: Loop, chance: Random) -> None:
        """Bound as a receiver for ever: again whenever it is put out."""
        while True:
            client = cls(customer, chance)
            try:
                network.connect(client, HOME)
            except ConnectionRefusedError:
                await asyncio.sleep(1)
                continue
            asked = client.send(c.BIND_RECEIVER, system_id=customer.system_id.encode(), password=PASSWORD)
            await patiently(asked)
            while client.open and asked.accepted:
                await asyncio.sleep(1)
            client.abort()
            await asyncio.sleep(1)
