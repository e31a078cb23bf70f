"""One SMPP session of a customer, sans-IO: octets and `now` in; runs of legal, decoded requests and octets out.

Invariant: what a request may do is decided when its turn comes, so a bind governs what stands behind it in the same
segment; and whatever needs nobody else (link checks, responses, unknown commands) is answered at once, also while a
commit is under way. Knows no sockets, no clock, no store and no rules of accounts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from math import inf
from operator import itemgetter
from typing import Any, NamedTuple

from acl.settings import Settings
from pdu.codec import decode_run
from pdu.commands import BOUND_RX, BOUND_TRX, BOUND_TX, CLOSED, LEGAL, OPEN, UNBOUND
from pdu.constants import (
    BIND_RECEIVER,
    BIND_TRANSCEIVER,
    BIND_TRANSMITTER,
    CANCEL_SM,
    DATA_SM,
    DATA_SM_RESP,
    DELIVER_SM,
    DELIVER_SM_RESP,
    ENQUIRE_LINK,
    ESME_RALYBND,
    ESME_RINVBNDSTS,
    ESME_RINVCMDID,
    ESME_RINVCMDLEN,
    ESME_ROK,
    GENERIC_NACK,
    QUERY_SM,
    REPLACE_SM,
    RESPONSE,
    SUBMIT_MULTI,
    SUBMIT_SM,
    UNBIND,
    UNBIND_RESP,
)
from pdu.frames import HEADER, SMALLEST, Desync, Frame, response, split

from ..delivery import Due
from ..metrics import Traffic
from .waiting import Piece, Waiting

BINDS = {BIND_TRANSMITTER: BOUND_TX, BIND_RECEIVER: BOUND_RX, BIND_TRANSCEIVER: BOUND_TRX}
BOUND = frozenset((BOUND_TX, BOUND_RX, BOUND_TRX))
RECEIVING = frozenset((BOUND_RX, BOUND_TRX))
SENDING = frozenset((BOUND_TX, BOUND_TRX))
WORK = frozenset(  # wait for their turn; a deliver_sm of a client to be refused in its turn
    (*BINDS, SUBMIT_SM, SUBMIT_MULTI, DATA_SM, QUERY_SM, CANCEL_SM, REPLACE_SM, DELIVER_SM, UNBIND)
)
SUBMITS = frozenset((SUBMIT_SM, SUBMIT_MULTI, DATA_SM))
ALONE = frozenset((*BINDS, UNBIND))  # what follows must see their effect
BREATH = 256  # refused requests after which others have their turn
STRANGE = 100  # PDUs at most that a peer is answered before it binds
LAST_SEQUENCE = 0x7FFFFFFF
COMMAND: Callable[[Frame], int] = itemgetter(0)

Run = tuple[int, list[Any]]
Answered = list[tuple[Due, int]]


class Timers(NamedTuple):
    """Seconds; 0 switches a timer off. SMPP 3.4 §7.2."""

    session_init: float = 10.0
    pdu: float = 10.0  # from the first octet of a PDU to its last
    enquire_link: float = 30.0
    response: float = 30.0
    inactivity: float = 0.0
    session_limit: float = 86_400.0


class Session:
    """See the module. `closing` says why the session is to be closed once its outbox is written, or is None."""

    def __init__(self, now: float, traffic: Traffic, timers: Timers | None = None) -> None:
        self.timers = timers or Timers()
        self.state: str = OPEN
        self.window, self.delivery_window = 10, 10
        self.tlvs = True  # False for clients before 3.4: they get none
        self.closing: str | None = None
        self.unanswered: dict[int, Due] = {}
        self.bound_at = 0.0
        self._traffic = traffic
        self._opened = self._heard = self._worked = now
        self._probed: float | None = None  # when our enquire_link left that nothing has answered yet
        self._patience = 0.0  # for its answer, if that is wanted sooner than usual
        self._unbinding: float | None = None  # when our unbind left
        self.leaving = False  # the client will ask no more
        self._desync: Desync | None = None
        self._sequence = 0
        self._unfinished = bytearray()  # not its pieces: of the smallest ones each costs twenty times what it holds
        self._needed, self._unfinished_since = SMALLEST, now
        self._waiting = Waiting()
        self._sent: deque[tuple[float, range]] = deque()
        self._outbox: list[bytes] = []
        self._unbind_reason = ""
        self.malformed = 0  # requests whose body could not be read
        self._strange = 0  # PDUs before the bind that were no bind

    # -- in --------------------------------------------------------------------------------------------------------
    def receive(self, octets: bytes, now: float) -> Answered:
        """Take what the socket had. -> deliveries that were answered, with the status; requests wait for next_run."""
        if self.state == CLOSED or self._desync is not None:
            return []
        self._heard, self._probed, self._patience = now, None, 0.0
        if self._unfinished:
            self._unfinished += octets
            if len(self._unfinished) < self._needed:
                return []
            octets = bytes(self._unfinished)
        frames, used, self._desync = split(octets)
        self._keep(octets, used, now)
        answered: Answered = []
        for command, group in groupby(frames, COMMAND):
            run = list(group)
            self._traffic.received(command, run)
            if self.leaving and not command & RESPONSE:  # what a client asks behind its unbind is dropped
                continue
            if command in WORK:
                self.leaving = command == UNBIND
                self._worked = now
                self._waiting.add(command, octets, run)
            elif command in (DELIVER_SM_RESP, DATA_SM_RESP):
                self._completed(run, answered)
                self._worked = now
            else:
                self._at_once(command, run, answered)
                self._suffer(len(run))
        self._waiting.settle(octets)
        return answered

    def _keep(self, octets: bytes, used: int, now: float) -> None:
        """Remember the unfinished PDU at the end, and how many octets it needs before looking again is worth it."""
        rest = octets[used:] if used < len(octets) else b""
        if rest and (not self._unfinished or used):
            self._unfinished_since = now
        self._unfinished = bytearray(rest)
        self._needed = max(SMALLEST, int.from_bytes(rest[:4], "big")) if len(rest) >= 4 else 4

    def _completed(self, run: Iterable[Frame], answered: Answered) -> None:
        pop = self.unanswered.pop
        for _command, status, sequence, _at, _end in run:
            due = pop(sequence, None)
            if due is not None:  # else nobody asked: dropped, as §1 of the protocol's good manners wants it
                answered.append((due, status))

    def _at_once(self, command: int, run: list[Frame], answered: Answered) -> None:
        """What the session settles by itself, whatever else is under way."""
        if command == ENQUIRE_LINK:
            for frame in run:
                self.respond(ENQUIRE_LINK, ESME_ROK, frame[2])
        elif command == GENERIC_NACK:  # completes a request of ours as failed; its status tells of headers, not of us
            self._completed([(command, GENERIC_NACK, sequence, at, end) for _c, _s, sequence, at, end in run], answered)
        elif command == UNBIND_RESP and self._unbinding is not None:
            self.close("unbound")
        elif not command & RESPONSE:  # unknown, or without a response of its own
            self.nack([frame[2] for frame in run])

    def end_of_input(self) -> None:
        """Nothing more will come: no unbind either, and no answers to deliveries."""
        self.leaving = True

    @property
    def backlog(self) -> int:
        """Octets of requests that wait for their turn."""
        return self._waiting.backlog

    @property
    def number_waiting(self) -> int:
        """How many requests wait for their turn."""
        return self._waiting.number

    def waits_to_submit(self) -> bool:
        """Whether what comes next is a run of messages, and a longer one if more come before it is begun."""
        waiting = self._waiting
        return bool(waiting) and waiting.number < self.window and waiting.first() in SUBMITS

    def has_work(self) -> bool:
        """Whether next_run would find something to do."""
        return bool(self._waiting) or (self._desync is not None and self.state != CLOSED)

    def next_run(self) -> Run | None:
        """The next requests of one command: legal now, decoded, at most a window of them. None: nothing waits; no
        requests: many were refused, and more may wait."""
        refused = 0
        while self._waiting and self.state != CLOSED:
            command = self._waiting.first()
            pieces = self._waiting.take(1 if command in ALONE else self.window)
            if command not in LEGAL[self.state]:
                refused += self._refuse_state(command, pieces)
            elif command == UNBIND:
                self.respond(UNBIND, ESME_ROK, pieces[0][1][0][2])
                self.close("client unbound")
            elif requests := self._decoded(command, pieces):
                return command, requests
            else:
                refused += sum([len(frames) for _buffer, frames in pieces])
            if refused >= BREATH:
                return command, []
        self._end_of_queue()
        return None

    def _decoded(self, command: int, pieces: Sequence[Piece]) -> list[Any]:
        """The requests that can be read; a bad body costs one answer."""
        requests: list[Any] = []
        for buffer, frames in pieces:
            records, faults = decode_run(command, buffer, frames)
            requests += records
            self.malformed += len(faults)
            for sequence, fault in faults:
                self.respond(command, fault.status, sequence)
        return requests

    def _end_of_queue(self) -> None:
        if self._desync is not None and self.state != CLOSED:
            self.respond(GENERIC_NACK, ESME_RINVCMDLEN, self._desync.sequence)
            self.close("framing lost")

    def _refuse_state(self, command: int, pieces: Sequence[Piece]) -> int:
        """Not in this state: §2.2 and Table 2-1. -> how many."""
        status = ESME_RALYBND if command in BINDS and self.state in BOUND else ESME_RINVBNDSTS
        sequences = [frame[2] for _buffer, frames in pieces for frame in frames]
        for sequence in sequences:
            self.respond(command, status, sequence)
        if command == UNBIND:
            self.close("unbind before bind")
        self._suffer(len(sequences))
        return len(sequences)

    def _suffer(self, number: int) -> None:
        """A stranger may say so much, and then has to go."""
        if self.state == OPEN:
            self._strange += number
            if self._strange > STRANGE:
                self.close("too much before a bind")

    # -- out -------------------------------------------------------------------------------------------------------
    def send(self, octets: bytes) -> None:
        self._outbox.append(octets)

    def respond(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        self._outbox.append(response(command, status, sequence, body))
        self._traffic.sent(command | RESPONSE, status, 1)

    def nack(self, sequences: Iterable[int], status: int = ESME_RINVCMDID) -> None:
        """Unknown here, or switched off."""
        for sequence in sequences:
            self.respond(GENERIC_NACK, status, sequence)

    def outbox(self) -> bytes:
        """Everything to be written, joined; empties the box."""
        if not self._outbox:
            return b""
        octets = b"".join(self._outbox)
        self._outbox.clear()
        return octets

    def bind(self, command: int, settings: Settings, interface_version: int, now: float) -> None:
        """The bind was granted. The window and the timers are the account's from now on."""
        self.state, self.bound_at, self._worked = BINDS[command], now, now
        self.tlvs = interface_version >= 0x34
        self.retune(settings)

    def retune(self, settings: Settings) -> None:
        """The account's settings have changed."""
        self.window = settings.window
        self.delivery_window = settings.effective_delivery_window
        self.timers = self.timers._replace(
            enquire_link=settings.enquire_link,
            response=settings.response_timeout,
            inactivity=settings.inactivity,
            session_limit=settings.session_limit,
        )

    def room(self) -> int:
        """How many deliveries the client may be given now."""
        if self.state not in RECEIVING or self.leaving:
            return 0
        return self.delivery_window - len(self.unanswered)

    def deliver(self, dues: Sequence[Due], now: float) -> None:
        """Offer these; they stay in `unanswered` until a response, a timeout or the end of the session."""
        sequences = self._take_sequences(len(dues))
        self.unanswered.update(zip(sequences, dues, strict=True))
        self._sent.append((now, sequences))
        pack = HEADER.pack
        if self.tlvs:
            out = [pack(16 + len(due[1]), DELIVER_SM, 0, n) + due[1] for n, due in zip(sequences, dues, strict=True)]
        else:
            out = [
                pack(16 + due[2], DELIVER_SM, 0, n) + due[1][: due[2]] for n, due in zip(sequences, dues, strict=True)
            ]
        self._outbox.append(b"".join(out))
        self._traffic.sent(DELIVER_SM, 0, len(dues))

    def _take_sequences(self, count: int) -> range:
        """The numbers of the next `count` requests of ours: 1 to 0x7FFFFFFF, then 1 again (§3.2)."""
        first = self._sequence + 1
        if first + count - 1 > LAST_SEQUENCE:
            first = 1
        self._sequence = first + count - 1
        return range(first, first + count)

    # -- time and ends ---------------------------------------------------------------------------------------------
    def probe(self, now: float, within: float = 0.0) -> None:
        """Ask whether the peer is alive; tick closes the session if nothing comes within so many seconds."""
        if within and not self._patience:
            self._patience = within + (0.0 if self._probed is None else now - self._probed)
        if self._probed is None and self.state in BOUND:
            self._probed = now
            self.send(HEADER.pack(SMALLEST, ENQUIRE_LINK, 0, self._take_sequences(1)[0]))
            self._traffic.sent(ENQUIRE_LINK, 0, 1)

    def tick(self, now: float) -> list[Due]:
        """Once a second. -> deliveries that were not answered in time."""
        timers = self.timers
        if self.state == OPEN:
            if timers.session_init and now - self._opened >= timers.session_init:
                self.close("session_init timer")
        elif self._unbinding is not None:
            if now - self._unbinding >= (timers.response or 5.0):
                self.close("no unbind_resp")
        elif self.state in BOUND:
            self._tick_bound(now, timers)
        if self._unfinished and timers.pdu and now - self._unfinished_since >= timers.pdu:
            self.close("PDU not completed")
        return self._overdue(now)

    def _tick_bound(self, now: float, timers: Timers) -> None:
        if timers.session_limit and now - self.bound_at >= timers.session_limit:
            self.unbind(now, "session limit")
        elif timers.inactivity and now - self._worked >= timers.inactivity:
            self.unbind(now, "inactivity timer")
        elif self._probed is not None and 0 < (self._patience or timers.response) <= now - self._probed:
            self.close("enquire_link not answered")
        elif timers.enquire_link and now - self._heard >= timers.enquire_link:
            self.probe(now)

    def _overdue(self, now: float) -> list[Due]:
        late: list[Due] = []
        patience = self.timers.response or inf
        while self._sent and now - self._sent[0][0] >= patience:
            _since, sequences = self._sent.popleft()
            late += [self.unanswered.pop(sequence) for sequence in sequences if sequence in self.unanswered]
        return late

    def unbind(self, now: float, why: str) -> None:
        """Ask the client to go (§4.2): nothing new is accepted or delivered, what is under way is still answered."""
        if self.state in BOUND:
            self.state, self._unbinding, self._unbind_reason = UNBOUND, now, why
            self.send(HEADER.pack(SMALLEST, UNBIND, 0, self._take_sequences(1)[0]))
            self._traffic.sent(UNBIND, 0, 1)
        elif self.state == OPEN:
            self.close(why)

    def close(self, why: str) -> None:
        """To be closed as soon as the outbox is written."""
        if self.state != CLOSED:
            self.state, self.closing = CLOSED, self._unbind_reason or why
            self._waiting.clear()

    def abandon(self) -> list[Due]:
        """The link is gone. -> the deliveries it did not answer."""
        self.close("connection lost")
        dues = list(self.unanswered.values())
        self.unanswered.clear()
        self._sent.clear()
        return dues

    def is_receiving(self) -> bool:
        return self.state in RECEIVING
