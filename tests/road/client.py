"""A customer that keeps account: one connection on asyncio that records every request and every answer with its time.

For suites that must reconcile what a client saw with what the server has stored. It answers link checks, deliveries and
unbinds as it is told to; nothing is checked here but that what comes is SMPP.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, NamedTuple, Self, TypeVar, cast

from pdu import codec, frames, receipt, tlv
from pdu import constants as c
from pdu.bodies import BODIES, address, digits_of
from tests.server import HOST, PATIENCE, Login

T = TypeVar("T")
MOBILE = "48600100200"
SENDER = address(5, 0, b"smppgate")
CONNECTED: set[Esme] = set()
"""Every connection there is, so that a test that fails leaves none behind."""


async def until(what: str, look: Callable[[], T], patience: float = PATIENCE) -> T:
    """The first true thing that `look` sees."""
    deadline = time.monotonic() + patience
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {patience:g} s (last seen: {seen!r})")
        await asyncio.sleep(0.005)
    return seen


class Asked:
    """A request of ours, and what became of it. `answer` stays None if the connection ended before one came."""

    __slots__ = ("answer", "answered_at", "command", "done", "sent_at", "sequence", "values")

    def __init__(self, command: int, sequence: int, values: dict[str, Any], done: asyncio.Future[None]) -> None:
        self.command, self.sequence, self.values, self.done = command, sequence, values, done
        self.sent_at, self.answered_at = time.monotonic(), 0.0
        self.answer: codec.Pdu | None = None

    @property
    def status(self) -> int | None:
        return None if self.answer is None else self.answer.status

    @property
    def accepted(self) -> bool:
        return self.status == c.ESME_ROK

    @property
    def message_id(self) -> str:
        assert self.answer is not None
        assert self.answer.status == c.ESME_ROK, f"refused with {self.answer.status:#x}"
        said: bytes = self.answer.body.message_id
        return said.decode()

    @property
    def seconds(self) -> float:
        return self.answered_at - self.sent_at

    def at(self, moment: float) -> Asked:
        """As far as it was known then."""
        known = Asked(self.command, self.sequence, self.values, self.done)
        known.sent_at = self.sent_at
        if self.answer is not None and self.answered_at < moment:
            known.answer, known.answered_at = self.answer, self.answered_at
        return known

    async def answered(self, patience: float = PATIENCE) -> codec.Pdu:
        async with asyncio.timeout(patience):
            await self.done
        assert self.answer is not None, "the connection ended before the answer"
        return self.answer


class Heard(NamedTuple):
    """A request of the server's, and the status we answered (None: not answered)."""

    at: float
    pdu: codec.Pdu
    status: int | None


class Receipt(NamedTuple):
    at: float
    message_id: str
    state: int
    error: str
    source: str
    destination: str
    pdu: codec.Pdu


Answering = Callable[[codec.Pdu], int | None]


def always_ok(_pdu: codec.Pdu) -> int | None:
    return c.ESME_ROK


class Esme(asyncio.Protocol):
    """`esme = await connect(port); await esme.bind(login); asked = esme.submit(); await asked.answered()`."""

    def __init__(self, answering: Answering = always_ok) -> None:
        self.answering = answering
        self.leaving_politely = True  # answers unbind
        self.answers_links = True
        self.asked: dict[int, Asked] = {}  # by sequence: those without an answer
        self.log: list[Asked] = []
        self.heard: list[Heard] = []
        self.receipts: list[Receipt] = []
        self.strays: list[codec.Pdu] = []  # answers to nothing we asked
        self.answers: list[codec.Pdu] = []  # every response, in the order of arrival
        self.fault: Exception | None = None
        self.closed_at = 0.0
        self._sequence = 0
        self._unread = b""
        self._gone = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    # -- the wire --------------------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        CONNECTED.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        CONNECTED.discard(self)
        self._transport, self.closed_at = None, time.monotonic()
        for asked in self.asked.values():
            if not asked.done.done():
                asked.done.set_result(None)
        if not self._gone.done():
            self._gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        octets = self._unread + data if self._unread else data
        found, used, fault = frames.split(octets)
        self._unread = octets[used:]
        now, out = time.monotonic(), list[bytes]()
        for _command, _status, _sequence, at, end in found:
            pdu = codec.decode(octets[at - frames.SMALLEST : end])
            if pdu.command & c.RESPONSE:
                self._answered(pdu, now)
            else:
                self._requested(pdu, now, out)
        if out:
            self.write(b"".join(out))
        if fault is not None:
            self.fault = fault
            self.abort()

    def _answered(self, pdu: codec.Pdu, now: float) -> None:
        self.answers.append(pdu)
        asked = self.asked.pop(pdu.sequence, None)
        if asked is None:
            self.strays.append(pdu)
            return
        asked.answer, asked.answered_at = pdu, now
        if not asked.done.done():
            asked.done.set_result(None)

    def _requested(self, pdu: codec.Pdu, now: float, out: list[bytes]) -> None:
        status: int | None = c.ESME_ROK
        if pdu.command == c.DELIVER_SM:
            if pdu.body.esm_class & c.ESM_RECEIPT:
                self.receipts.append(receipt_of(pdu, now))
            status = self.answering(pdu)
        elif pdu.command == c.UNBIND:
            status = status if self.leaving_politely else None
        elif pdu.command == c.ENQUIRE_LINK:
            status = status if self.answers_links else None
        self.heard.append(Heard(now, pdu, status))
        if status is not None:
            out.append(answer_to(pdu, status))

    def write(self, octets: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)

    # -- requests --------------------------------------------------------------------------------------------------
    def note(self, command: int, sequence: int | None = None, **values: Any) -> Asked:
        """A request that somebody writes by hand: its answer is waited for."""
        if sequence is None:
            self._sequence += 1
            sequence = self._sequence
        asked = Asked(command, sequence, values, asyncio.get_running_loop().create_future())
        self.asked[sequence] = asked
        self.log.append(asked)
        if self._transport is None:
            asked.done.set_result(None)
        return asked

    def send(self, command: int, sequence: int | None = None, **values: Any) -> Asked:
        asked = self.note(command, sequence, **values)
        self.write(octets_of(command, asked.sequence, **values))
        return asked

    async def ask(self, command: int, **values: Any) -> codec.Pdu:
        return await self.send(command, **values).answered()

    async def bind(self, login: Login, command: int = c.BIND_TRANSCEIVER, **values: Any) -> codec.Pdu:
        secret = {"system_id": login.system_id.encode(), "password": login.password.encode()}
        return await self.ask(command, **{**secret, **values})

    def submit(self, to: str = MOBILE, text: bytes = b"hello", **values: Any) -> Asked:
        return self.send(c.SUBMIT_SM, **{**submitted(to, text), **values})

    def submit_many(self, number: int, to: Callable[[int], str] = lambda _: MOBILE, **values: Any) -> list[Asked]:
        """So many in one segment."""
        all_ = [self.note(c.SUBMIT_SM, **{**submitted(to(n), b"hello"), **values}) for n in range(number)]
        self.write(b"".join([octets_of(c.SUBMIT_SM, asked.sequence, **asked.values) for asked in all_]))
        return all_

    # -- what came -------------------------------------------------------------------------------------------------
    @property
    def open(self) -> bool:
        return self._transport is not None

    @property
    def deliveries(self) -> list[Heard]:
        return [heard for heard in self.heard if heard.pdu.command == c.DELIVER_SM]

    @property
    def incoming(self) -> list[codec.Pdu]:
        """Mobile-originated messages."""
        return [heard.pdu for heard in self.deliveries if not heard.pdu.body.esm_class & c.ESM_RECEIPT]

    def heard_of(self, command: int) -> list[Heard]:
        return [heard for heard in self.heard if heard.pdu.command == command]

    async def receipt(self, message_id: str, patience: float = PATIENCE) -> Receipt:
        """The first receipt for this id."""
        return (await until(f"receipt of {message_id}", lambda: self.receipts_of(message_id), patience))[0]

    def receipts_of(self, message_id: str) -> list[Receipt]:
        return [one for one in self.receipts if one.message_id == message_id]

    # -- the end ---------------------------------------------------------------------------------------------------
    async def gone(self, patience: float = PATIENCE) -> None:
        """The server hangs up."""
        async with asyncio.timeout(patience):
            await asyncio.shield(self._gone)

    @property
    def transport(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    def stop_reading(self) -> None:
        self.transport.pause_reading()

    def read_again(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def finish_writing(self) -> None:
        """A half-close: nothing more comes from us."""
        self.transport.write_eof()

    def abort(self) -> None:
        """Hang up without a word."""
        if self._transport is not None:
            self._transport.abort()

    async def unbind(self) -> None:
        await self.ask(c.UNBIND)
        await self.gone()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.abort()
        await asyncio.shield(self._gone)


async def connect(
    port: int,
    *,
    host: str = HOST,
    answering: Answering = always_ok,
    tls: ssl.SSLContext | None = None,
    local: str | None = None,
) -> Esme:
    """`local`: the address to come from."""
    _transport, esme = await asyncio.get_running_loop().create_connection(
        lambda: Esme(answering),
        host,
        port,
        ssl=tls,
        server_hostname="localhost" if tls else None,
        local_addr=(local, 0) if local else None,
    )
    return esme


async def bound(port: int, login: Login, command: int = c.BIND_TRANSCEIVER, **options: Any) -> Esme:
    """A customer whose bind was accepted."""
    esme = await connect(port, **options)
    answer = await esme.bind(login, command)
    assert answer.status == c.ESME_ROK, f"bind refused with {answer.status:#x}"
    return esme


def submitted(to: str, text: bytes) -> dict[str, Any]:
    """The fields of a submit_sm; a text that is too long for its short_message goes into the payload."""
    place = {"short_message": text} if len(text) < 255 else {"tlvs": payload(text)}
    return {"source": SENDER, "destination": address(1, 1, to.encode()), **place}


def payload(text: bytes) -> bytes:
    return tlv.encode([(c.TLV_MESSAGE_PAYLOAD, text)])


def octets_of(command: int, sequence: int, **values: Any) -> bytes:
    return codec.encode(codec.Pdu(command, 0, sequence, BODIES[command].build(sequence, **values)))


def answer_to(pdu: codec.Pdu, status: int) -> bytes:
    body = b"\0" if pdu.command == c.DELIVER_SM else b""
    return frames.response(pdu.command, status, pdu.sequence, body)


def receipt_of(pdu: codec.Pdu, at: float) -> Receipt:
    """As a client reads it: by its text, checked against the TLVs where there are any."""
    said = receipt.parse(pdu.body.short_message)
    named = tlv.find(pdu.body.tlvs, c.TLV_RECEIPTED_MESSAGE_ID)
    assert named is None or named == said.message_id + b"\0", pdu
    state = tlv.find(pdu.body.tlvs, c.TLV_MESSAGE_STATE)
    assert state is None or state[0] == said.state, pdu
    return Receipt(
        at,
        said.message_id.decode(),
        said.state,
        said.error.decode(),
        digits_of(pdu.body.source).decode("latin-1"),
        digits_of(pdu.body.destination).decode("latin-1"),
        pdu,
    )


async def all_of(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """All at once."""
    return list(await asyncio.gather(*work))


async def answers_to(asked: Iterable[Asked]) -> list[codec.Pdu]:
    return await all_of(one.answered() for one in asked)


async def accepted(asked: Iterable[Asked]) -> list[str]:
    """All of them were; -> their ids."""
    asked = list(asked)
    await answers_to(asked)
    return [one.message_id for one in asked]


async def hang_up_all() -> None:
    for esme in list(CONNECTED):
        esme.abort()
    await until("all connections are closed", lambda: not CONNECTED)
