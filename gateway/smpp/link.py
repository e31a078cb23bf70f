"""The asyncio shell around a session: octets in and out, one run at work at a time, back-pressure both ways.

Invariant: while a run is at work nothing else of this session is inside the store; what arrives meanwhile waits in the
session, beyond BACKLOG in the socket. Decides nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, cast

import structlog

from acl import reasons
from acl.addresses import peer as canonical
from acl.reasons import Refusal
from pdu.bodies import BIND_RESP_BODY, Bind
from pdu.commands import OPEN
from pdu.constants import ESME_ROK, ESME_RSYSERR, ESME_RUNKNOWNERR
from pdu.tlv import encode as encode_tlvs
from store.protocol import OutcomeUnknown

from ..accounts import Account
from ..delivery import Due
from ..metrics import Traffic
from ..refusals import Refusals
from .answers import status_of
from .bind import KINDS, Door
from .handling import Handler
from .pace import Habit, Pace
from .session import BINDS, BREATH, Run, Session, Timers

log = structlog.get_logger()
CHUNK = 32 * 1024  # octets that are read from one link in one turn of the loop: a flood must not hold up the others
BACKLOG = 256 * 1024  # octets of requests that may wait; beyond, the socket is not read
UNWRITTEN = 64 * 1024  # octets of answers that may wait; beyond, nothing new is begun
DELIVERY = 200  # octets of an ordinary delivery
LINGER = 5  # ticks that a closed session's last words may take to leave
GRACE = 1.0  # seconds a receipt waits when the link that has its response is gone
INBOX = memoryview(bytearray(CHUNK))  # of all links: what was read is taken out before anything else is read
SC_INTERFACE_VERSION = encode_tlvs([(0x0210, b"\x34")])


class Floor(Protocol):
    """What a link needs of the server it belongs to."""

    door: Door
    handlers: Mapping[int, Handler]
    refusals: Refusals
    traffic: Traffic
    timers: Timers
    clock: Callable[[], float]  # monotonic
    pace: Pace
    draining: bool

    def admit(self, link: Link, address: str) -> bool:
        """Take the connection in, or refuse it because there are too many."""

    def forget(self, link: Link) -> None: ...


class Link(asyncio.BufferedProtocol):
    """One TCP connection of a client."""

    def __init__(self, floor: Floor, number: int, secured: bool, peer: str = "", port: int = 0) -> None:
        """`peer`: who it is, if that is known before the connection is made; then it has been admitted as well."""
        self.number, self.secured = number, secured
        self.peer, self.port = peer, port
        self.kind = ""  # of bind
        self.bound_to: Account | None = None
        self._floor, self._loop = floor, asyncio.get_running_loop()
        self._clock = floor.clock
        self.session = Session(self._clock(), floor.traffic, floor.timers)
        self._transport: asyncio.Transport | None = None
        self._work: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._habit = Habit()
        self._turn: asyncio.Future[int] | None = None  # until the common turn of those that send on
        self._in_turn = 0  # in which: the others wait for the end of ours
        self._stuck_since: float | None = None  # when the peer last took of what it has to read, while that is too much
        self._untaken = 0  # octets of it, at the last look
        self._breathless = 0  # requests served since the others had their turn
        self._closing_for = 0  # ticks
        self.working = 0  # requests under way
        self.rate = 0.0  # requests a second, smoothed over some ten of them
        self._served = 0  # since the last tick
        self._flushing = self._reading_paused = self._answers_lost = False
        self._sated = False  # a chunk was read in this turn
        self._after_writing: list[Callable[[], None]] = []

    # -- asyncio's side --------------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if (sock := transport.get_extra_info("socket")) is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # a client that vanished is noticed in the end
        self._transport.set_write_buffer_limits(high=UNWRITTEN, low=UNWRITTEN // 4)
        if not self.peer:
            name = transport.get_extra_info("peername") or ("", 0)
            self.peer, self.port = canonical(name[0]) or "unreadable", name[1]
            if not self._floor.admit(self, self.peer):
                self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        unanswered = self.session.abandon()
        self._writable.set()
        account = self.bound_to
        if account is not None:
            account.leave(self, unanswered)
            log.info("unbound", account=account.name, bind=self.number, peer=self.peer, reason=self.session.closing)
        for then in self._after_writing:
            self._loop.call_later(GRACE, then)
        self._after_writing.clear()
        self._floor.forget(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        return INBOX

    def buffer_updated(self, nbytes: int) -> None:
        if nbytes == CHUNK:  # there may be more, and uvloop would read on before anybody else has a turn
            self._sated = True
            self._loop.call_soon(self._read_on)
        self.data_received(bytes(INBOX[:nbytes]))

    def _read_on(self) -> None:
        self._sated = False
        self._regulate()

    def data_received(self, data: bytes) -> None:
        session, now = self.session, self._clock()
        waiting = session.number_waiting
        answered = session.receive(data, now)
        if answered:
            self.account.mailbox.answered(answered, now)
        if self._turn is not None and not session.waits_to_submit() and not self._turn.done():
            self._turn.set_result(0)  # as long a run as there may be: now the client waits
        if self._work is not None:
            if session.number_waiting > waiting:
                self._habit.asks_more(now)
        elif session.has_work():
            self._habit.asks(now)
            self._work = self._loop.create_task(self._serve())
        self._flush()
        self._regulate()

    def eof_received(self) -> bool:
        """The client says no more, but may still listen: what it has asked is answered before asyncio closes. (TLS
        has no half-open connections; what was accepted goes its way all the same.)"""
        self.session.end_of_input()
        return self._work is not None and not self.secured

    def pause_writing(self) -> None:
        self._stuck_since = self._clock()
        self._writable.clear()
        self._regulate()

    def resume_writing(self) -> None:
        self._stuck_since = None
        self._writable.set()
        self._regulate()
        self._release_answers()
        if self.bound_to is not None:
            self.bound_to.mailbox.pump()

    # -- requests --------------------------------------------------------------------------------------------------
    async def _serve(self) -> None:
        """Runs, one after the other, until nothing waits."""
        session = self.session
        try:
            while (run := await self._next_run()) is not None:
                command, requests = run
                if not requests:  # much was refused
                    await self._breathe(BREATH)
                elif command in BINDS:
                    await self._bind(command, requests[0])
                else:
                    await self._handle(command, requests)
                self._end_turn()
                if not self._writable.is_set():
                    self._flush()
                    await self._writable.wait()
        except OutcomeUnknown as fault:  # any answer could be a lie
            log.error("session closed unanswered", peer=self.peer, reason=str(fault))
            self.abort("outcome of a commit unknown")
        except Exception as fault:  # a fault of ours must not leave a session that never answers
            log.exception("handler failed", peer=self.peer, reason=repr(fault))
            self.abort("internal error")
        finally:
            self._end_turn()
            self._work = None
        if session.malformed:
            self._floor.refusals.note_malformed(self.bound_to, session.malformed)
            session.malformed = 0
        if session.leaving:
            session.close("client closed")
        self._flush()
        self._regulate()

    async def _next_run(self) -> Run | None:
        session = self.session
        if session.waits_to_submit() and not self.waits() and (turn := self._floor.pace.turn()) is not None:
            self._turn = turn
            self._in_turn = await turn
            self._turn = None
        return session.next_run()

    def _end_turn(self) -> None:
        if self._in_turn:
            self._floor.pace.over(self._in_turn)
            self._in_turn = 0

    def _regulate(self) -> None:
        """Read only while requests have room to wait and the peer takes its answers; else TCP slows it down. A closed
        session that waits for the end of its work has nothing to read for."""
        waits = self.session.closing is not None and self._work is not None
        wanted = not (waits or self._sated) and self._stuck_since is None and self.session.backlog <= BACKLOG
        if self._transport is None or wanted is not self._reading_paused:
            return
        self._reading_paused = not wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    async def _breathe(self, served: int) -> None:
        """After so many requests that waited for nothing the others have their turn."""
        self._breathless += served
        if self._breathless >= BREATH:
            self._breathless = 0
            await asyncio.sleep(0)

    async def _handle(self, command: int, requests: list[Any]) -> None:
        session, account = self.session, self.account
        if command in account.switched_off:
            status = status_of(reasons.COMMAND_SWITCHED_OFF, account.settings.status_overrides)
            session.nack([request.sequence for request in requests], status)
            self._floor.refusals.note_command(account, len(requests))
            return
        self.working, began = len(requests), self._clock()
        answer = await self._floor.handlers[command](self, requests, began)
        self.working, self._served, now = 0, self._served + len(requests), self._clock()
        session.send(answer.octets)
        self._habit.answered(now, len(requests) + session.number_waiting)
        if answer.then is not None:
            self._flush()
            if not self.waits():
                self._floor.pace.served(now - began)
            answer.then()
        else:  # nothing was accepted, so perhaps nothing was waited for
            self._flush_soon()
            await self._breathe(len(requests))

    async def _bind(self, command: int, request: Bind) -> None:
        session, floor = self.session, self._floor
        verdict = None if floor.draining else await floor.door.judge(command, request, self.peer)
        if self._transport is None:  # it went away while we were hashing
            return
        if verdict is None or floor.draining:
            self._refuse_bind(command, request, None, Refusal(reasons.DRAINING), ESME_RSYSERR)
            return
        if session.state != OPEN:  # out of time
            return
        account, refusal, status = verdict
        if refusal is not None or account is None:
            self._refuse_bind(command, request, account, refusal or Refusal(reasons.CHECK_FAILED), status)
            return
        session.bind(command, account.settings, request.interface_version, self._clock())
        self.bound_to = account
        self.kind = KINDS[command]
        body = BIND_RESP_BODY.encode(BIND_RESP_BODY.build(system_id=b"smppgate"))
        session.respond(command, ESME_ROK, request.sequence, body + SC_INTERFACE_VERSION if session.tlvs else body)
        self._flush()
        account.join(self)
        log.info("bound", account=account.name, bind=self.number, type=self.kind, peer=self.peer, tls=self.secured)

    def _refuse_bind(self, command: int, request: Bind, account: Account | None, refusal: Refusal, status: int) -> None:
        """Always answer, then close."""
        self._floor.refusals.note_bind(account, self.peer, request.system_id, refusal, status)
        self.session.respond(command, status, request.sequence)
        self.session.close(f"bind refused: {refusal.reason}")

    def waits(self) -> bool:
        """Whether the client does: for the answers to what it has sent, before it sends more."""
        return self._habit.waits()

    # -- what handlers, mailboxes and accounts ask of a link -------------------------------------------------------
    @property
    def account(self) -> Account:
        assert self.bound_to is not None  # only bound sessions have runs and deliveries
        return self.bound_to

    def holds_answers(self) -> bool:
        return self._answers_lost or (self._transport is not None and self._transport.get_write_buffer_size() > 0)

    def when_written(self, then: Callable[[], None]) -> None:
        if self._transport is None:
            self._loop.call_later(GRACE, then)
        else:
            self._after_writing.append(then)

    def room(self) -> int:
        """Deliveries alone must not make it stuck: their answers would not be read any more."""
        if self._transport is None or self._stuck_since is not None:
            return 0
        free = UNWRITTEN // 2 - self._transport.get_write_buffer_size()
        return min(self.session.room(), max(0, free // DELIVERY))

    def deliver(self, dues: Sequence[Due]) -> None:
        self.session.deliver(dues, self._clock())
        self._flush_soon()

    def awaited(self) -> Iterable[Due]:
        return self.session.unanswered.values()

    def probe(self, within: float) -> None:
        self.session.probe(self._clock(), within)
        self._flush()

    def unbind(self, why: str) -> None:
        self.session.unbind(self._clock(), why)
        self._flush()

    def abort(self, why: str) -> None:
        """Close without another word."""
        self.session.close(why)
        self._answers_lost = True
        if self._transport is not None:
            self._transport.abort()

    def tick(self, now: float) -> None:
        late = self.session.tick(now)
        self.rate, self._served = 0.9 * self.rate + 0.1 * self._served, 0
        if late:
            self.account.mailbox.answered([(due, ESME_RUNKNOWNERR) for due in late], now)
        if self._stuck_since is not None:
            self._tick_stuck(self._stuck_since, now)
        if self._after_writing:
            self._release_answers()
        if self.session.closing is not None:
            self._closing_for += 1
            if self._closing_for > LINGER:
                self.abort("last words not read")
        self._flush()

    def _tick_stuck(self, since: float, now: float) -> None:
        """A peer that reads slowly is not one that reads nothing."""
        before, self._untaken = self._untaken, 0 if self._transport is None else self._transport.get_write_buffer_size()
        if self._untaken < before:
            self._stuck_since = now
        elif now - since >= (self.session.timers.response or 60.0):
            self.abort("answers not read")

    # -- out -------------------------------------------------------------------------------------------------------
    def _flush_soon(self) -> None:
        """One write per loop turn, whoever put something in the outbox."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        octets = self.session.outbox()
        if self._transport is None:
            self._answers_lost = self._answers_lost or bool(octets)
            return
        if octets:
            self._transport.write(octets)
        if self.session.closing is not None and self._work is None:
            self._transport.close()

    def _release_answers(self) -> None:
        """Receipts that had to let their responses go first."""
        if self._after_writing and not self.holds_answers():
            waiting, self._after_writing = self._after_writing, []
            for then in waiting:
                then()
