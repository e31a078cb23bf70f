"""A link between a pretended socket and the rest of the house, under a clock that stands still."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from acl import reasons
from gateway.accounts import Account
from gateway.delivery import Due
from gateway.smpp import link as link_module
from gateway.smpp.handling import Answer, Asker
from gateway.smpp.link import BACKLOG, CHUNK, DELIVERY, LINGER, UNWRITTEN, Link
from gateway.smpp.server import Caps, Server
from gateway.smpp.session import STRANGE, Timers
from gateway.smpp.waiting import OVERHEAD
from pdu import codec, tlv
from pdu import constants as c
from pdu.commands import CLOSED, OPEN
from pdu.frames import SMALLEST, frame, submit_sm_resp
from store.protocol import OutcomeUnknown

from ..scene import START_MS, settled
from .client import heads, pdu, submits
from .hall import Hall

TRX = c.BIND_TRANSCEIVER
BOUND = (c.BIND_TRANSCEIVER_RESP, c.ESME_ROK, 1)
MANY = 10_000  # submits: more than a link lets wait


class Pipe(asyncio.Transport):
    """The other end reads (`reads`) or does not; then what is written waits here, as in a kernel with no room."""

    def __init__(self, peer: str = "127.0.0.1") -> None:
        super().__init__({"peername": (peer, 4711)})
        self.link: Link | None = None
        self.reads, self._gone = True, False
        self.arrived, self.waiting = bytearray(), bytearray()
        self.writes = 0
        self._reading = True
        self.high = self.low = 0
        self._closing = self._full = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high, self.low = high or 0, low or 0

    def get_write_buffer_size(self) -> int:
        return len(self.waiting)

    def write(self, data: Any) -> None:
        if self._closing:
            return
        self.writes += 1
        self.waiting += data
        self._move()

    def _move(self) -> None:
        assert self.link is not None
        if self.reads:
            self.arrived += self.waiting
            self.waiting.clear()
        if not self._full and len(self.waiting) > self.high:
            self._full = True
            self.link.pause_writing()
        elif self._full and len(self.waiting) <= self.low:
            self._full = False
            self.link.resume_writing()
        if self._closing and not self.waiting:
            self._lose()

    def read_again(self) -> None:
        """The other end takes all there is, and what comes."""
        self.reads = True
        self._move()

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True

    def is_reading(self) -> bool:
        return self._reading

    def is_gone(self) -> bool:
        return self._gone

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._move()

    def abort(self) -> None:
        self._closing = True
        self.waiting.clear()
        self._lose()

    def _lose(self) -> None:
        if not self._gone:
            self._gone = True
            assert self.link is not None
            asyncio.get_running_loop().call_soon(self.link.connection_lost, None)

    def read(self) -> list[tuple[int, int, int]]:
        """What has arrived since the last look."""
        octets = bytes(self.arrived)
        self.arrived.clear()
        return heads(octets)


class Desk:
    """A handler of submits: answers each with id 1, when it is not told to wait."""

    def __init__(self) -> None:
        self.runs: list[list[int]] = []
        self.at_work = self.most_at_work = 0
        self.faults: list[Exception] = []
        self.then: Callable[[], None] | None = None
        self._open = asyncio.Event()
        self._open.set()

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def release_one(self) -> None:
        """Only the run that is at work."""
        self._open.set()
        self._open = asyncio.Event()

    async def __call__(self, asker: Asker, requests: list[Any], now: float) -> Answer:
        self.runs.append([request.sequence for request in requests])
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        await self._open.wait()
        self.at_work -= 1
        if self.faults:
            raise self.faults.pop(0)
        return Answer(b"".join([submit_sm_resp(request.sequence, b"1") for request in requests]), self.then)


class House:
    """A hall, a server that listens nowhere, and links on pipes."""

    def __init__(self, caps: Caps | None = None, **timers: float) -> None:
        self.hall, self.desk = Hall(), Desk()
        self.clock = self.hall.clock
        scene = self.hall.scene
        self.refusals, self.traffic = scene.refusals, scene.meter.traffic
        self.server = Server(
            self.hall.door,
            {c.SUBMIT_SM: self.desk},
            scene.refusals,
            scene.meter.traffic,
            Timers(**timers),
            caps or Caps(),
            self.clock,
        )
        self._number = 0

    def connect(self, peer: str = "127.0.0.1", secured: bool = False) -> tuple[Link, Pipe]:
        self._number += 1
        link, pipe = Link(self.server, self._number, secured), Pipe(peer)
        pipe.link = link
        link.connection_made(pipe)
        return link, pipe

    async def bound(self, **settings: Any) -> tuple[Link, Pipe, Account]:
        """A customer with a bind; what it read is read."""
        account = await self.hall.account("a", **settings)
        link, pipe = self.connect()
        await said(link, pdu(TRX, password=b"a"))
        assert pipe.read() == [BOUND]
        return link, pipe, account

    def tick(self, seconds: float = 1.0) -> None:
        self.server.tick(self.clock.pass_(seconds))


async def said(link: Link, octets: bytes) -> None:
    link.data_received(octets)
    await settled()


async def quiet(desk: Desk) -> None:
    """Until the desk is given nothing more."""
    before = -1
    while before != len(desk.runs):
        before = len(desk.runs)
        await settled()


def answered(pipe: Pipe) -> list[int]:
    """Sequence numbers of the submits that were accepted, in the order in which the client reads it."""
    heard = pipe.read()
    assert all((command, status) == (c.SUBMIT_SM_RESP, 0) for command, status, _sequence in heard)
    return [sequence for _command, _status, sequence in heard]


# -- bind ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("command", sorted(c.BINDS))
async def test_a_bind_is_answered_and_known_to_the_account(command: int) -> None:
    house = House()
    account = await house.hall.account()
    link, pipe = house.connect()
    with capture_logs() as lines:
        await said(link, pdu(command, 9, password=b"a"))
    answer = codec.decode(bytes(pipe.arrived))
    assert (answer.command, answer.status, answer.sequence) == (command | c.RESPONSE, 0, 9)
    assert answer.body.system_id == b"smppgate"
    assert cast(list[object], account.links) == [link]
    assert [(line["event"], line["account"], line["peer"]) for line in lines] == [("bound", "smpp-a", "127.0.0.1")]


@pytest.mark.parametrize(("version", "told"), [(0x34, b"\x34"), (0x50, b"\x34"), (0x33, None), (0, None)])
async def test_only_who_can_read_it_is_told_our_version(version: int, told: bytes | None) -> None:
    house = House()
    await house.hall.account()
    link, pipe = house.connect()
    await said(link, pdu(TRX, password=b"a", interface_version=version))
    assert tlv.find(codec.decode(bytes(pipe.arrived)).body.tlvs, 0x0210) == told


async def test_a_refused_bind_is_answered_then_closed_and_remembered() -> None:
    house = House()
    await house.hall.account()
    link, pipe = house.connect()
    await said(link, pdu(TRX, 1, password=b"x") + submits(2, 3))
    assert pipe.read() == [(c.BIND_TRANSCEIVER_RESP, c.ESME_RINVPASWD, 1)]
    assert pipe.is_gone()
    assert house.desk.runs == []
    assert house.server.links == {}
    [row] = house.refusals.flush()
    assert (row.kind, row.reason, row.peer, row.system_id) == ("bind", reasons.WRONG_PASSWORD, "127.0.0.1", "a")


async def test_a_server_about_to_stop_takes_no_binds_and_asks_no_password() -> None:
    house = House()
    await house.hall.account()
    link, pipe = house.connect()
    house.server.draining = True
    await said(link, pdu(TRX, password=b"a"))
    assert pipe.read() == [(c.BIND_TRANSCEIVER_RESP, c.ESME_RSYSERR, 1)]
    assert pipe.is_gone()
    assert house.hall.pool.checked == []


async def test_a_stop_while_a_password_is_hashed_is_an_answer_too() -> None:
    house = House()
    account = await house.hall.account()
    link, pipe = house.connect()
    house.hall.pool.held = True
    await said(link, pdu(TRX, password=b"a"))
    stopping = asyncio.get_running_loop().create_task(house.server.stop(60.0))
    await settled()
    assert not pipe.is_gone()
    house.hall.pool.release()
    await stopping
    assert pipe.read() == [(c.BIND_TRANSCEIVER_RESP, c.ESME_RSYSERR, 1)]
    assert account.links == []


async def test_who_was_out_of_time_while_its_password_was_hashed_is_not_bound() -> None:
    house = House(session_init=3)
    account = await house.hall.account()
    link, pipe = house.connect()
    house.hall.pool.held = True
    await said(link, pdu(TRX, password=b"a"))
    house.tick(3)
    house.hall.pool.release()
    await settled()
    assert (account.links, pipe.is_gone(), house.server.links) == ([], True, {})


async def test_who_went_away_while_its_password_was_hashed_is_not_bound() -> None:
    house = House()
    account = await house.hall.account()
    link, pipe = house.connect()
    house.hall.pool.held = True
    await said(link, pdu(TRX, password=b"a"))
    pipe.abort()
    await settled()
    house.hall.pool.release()
    await settled()
    assert account.links == []
    assert house.server.links == {}


async def test_link_checks_are_answered_while_a_password_is_hashed() -> None:
    house = House()
    await house.hall.account()
    link, pipe = house.connect()
    house.hall.pool.held = True
    await said(link, pdu(TRX, 1, password=b"a"))
    await said(link, pdu(c.ENQUIRE_LINK, 2) + submits(3))
    assert pipe.read() == [(c.ENQUIRE_LINK_RESP, 0, 2)]
    house.hall.pool.release()
    await settled()
    assert pipe.read() == [BOUND, (c.SUBMIT_SM_RESP, 0, 3)]


@pytest.mark.parametrize(
    ("name", "peer"),
    [("::ffff:127.0.0.1", "127.0.0.1"), ("2001:db8:0::1", "2001:db8::1"), ("fe80::1%eth0", "unreadable")],
)
async def test_a_peer_has_one_spelling(name: str, peer: str) -> None:
    link, _pipe = House().connect(name)
    assert link.peer == peer


# -- requests ------------------------------------------------------------------------------------------------------
async def test_answers_are_written_in_the_order_of_the_requests() -> None:
    house = House()
    link, pipe, _account = await house.bound(window=7)
    house.desk.hold()
    for first in range(0, 100, 10):
        await said(link, submits(*range(first, first + 10)))
    assert house.desk.runs == [[0, 1, 2, 3, 4, 5, 6]]  # a window of them
    assert pipe.read() == []
    house.desk.release()
    await quiet(house.desk)
    assert answered(pipe) == list(range(100))
    assert house.desk.most_at_work == 1
    assert all(len(run) <= 7 for run in house.desk.runs)


async def test_answers_do_not_wait_for_the_runs_behind_them() -> None:
    house = House()
    link, pipe, _account = await house.bound(window=2)
    house.desk.hold()
    await said(link, submits(1, 2, 3, 4, 5))
    for expected in ([1, 2], [3, 4], [5]):
        house.desk.release_one()
        await settled()
        assert answered(pipe) == expected


async def test_answers_that_are_ready_together_are_one_write() -> None:
    house = House()
    link, pipe, _account = await house.bound(window=2)
    before = pipe.writes
    await said(link, submits(*range(100)))
    assert answered(pipe) == list(range(100))
    assert pipe.writes == before + 1


async def test_link_checks_are_answered_while_a_run_is_at_work() -> None:
    house = House()
    link, pipe, _account = await house.bound()
    house.desk.hold()
    await said(link, submits(1) + pdu(c.ENQUIRE_LINK, 2))
    assert pipe.read() == [(c.ENQUIRE_LINK_RESP, 0, 2)]


async def test_more_than_may_wait_is_not_read_until_there_is_room() -> None:
    house = House()
    link, pipe, _account = await house.bound(window=1000)
    house.desk.hold()
    batch, sequence = submits(*range(100)), 0
    while pipe.is_reading():
        assert sequence < MANY
        await said(link, submits(*range(sequence, sequence + 100)))
        sequence += 100
    assert BACKLOG < link.session.backlog <= BACKLOG + len(batch) + 100 * OVERHEAD
    house.desk.release()
    await quiet(house.desk)
    assert pipe.is_reading()
    assert answered(pipe) == list(range(sequence))


async def test_a_command_switched_off_is_nacked_and_counted() -> None:
    house = House()
    link, pipe, _account = await house.bound(commands=["data_sm"])
    await said(link, pdu(c.QUERY_SM, 5, message_id=b"1") + pdu(c.QUERY_SM, 6, message_id=b"1"))
    assert pipe.read() == [(c.GENERIC_NACK, c.ESME_RINVCMDID, 5), (c.GENERIC_NACK, c.ESME_RINVCMDID, 6)]
    assert house.hall.scene.meter.refusals[reasons.COMMAND_SWITCHED_OFF] == 2
    assert not pipe.is_gone()


async def test_what_follows_an_answer_is_done_once_it_is_written() -> None:
    house = House()
    link, pipe, _account = await house.bound()
    seen: list[list[int]] = []
    house.desk.then = lambda: seen.append(answered(pipe))
    await said(link, submits(1, 2))
    assert seen == [[1, 2]]


@pytest.mark.parametrize(("stored", "waits", "learned"), [(True, False, 1), (True, True, 0), (False, False, 0)])
async def test_how_long_serving_takes_is_learned_from_what_is_stored_for_who_sends_on(
    stored: bool, waits: bool, learned: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House()
    link, _pipe, _account = await house.bound()
    house.desk.then = (lambda: None) if stored else None
    served: list[float] = []
    monkeypatch.setattr(house.server.pace, "served", served.append)
    monkeypatch.setattr(link, "waits", lambda: waits)
    await said(link, submits(1, 2))
    assert len(served) == learned


@pytest.mark.parametrize(
    ("stored", "faults"), [(True, []), (False, []), (True, [RuntimeError("a fault of ours")])], ids=str
)
async def test_the_others_wait_for_the_end_of_a_common_turn_and_it_does_end(
    stored: bool, faults: list[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House()
    link, _pipe, _account = await house.bound()
    house.desk.then, house.desk.faults = (lambda: None) if stored else None, faults
    turn = asyncio.get_running_loop().create_future()
    turns, over = [turn], list[int]()
    monkeypatch.setattr(house.server.pace, "turn", lambda: turns.pop() if turns else None)
    monkeypatch.setattr(house.server.pace, "over", over.append)
    await said(link, submits(1, 2))
    assert over == []
    turn.set_result(7)
    await settled()
    assert over == [7]


async def test_a_peer_that_takes_no_answers_does_not_hold_up_the_common_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    link, _pipe, _account = await house.bound()
    turn, over = asyncio.get_running_loop().create_future(), list[int]()
    monkeypatch.setattr(house.server.pace, "turn", lambda: turn)
    monkeypatch.setattr(house.server.pace, "over", over.append)
    await said(link, submits(1))
    link.pause_writing()
    turn.set_result(7)
    await settled()
    assert over == [7]
    link.resume_writing()
    await settled()


@pytest.mark.parametrize("fault", [OutcomeUnknown("which?"), RuntimeError("a fault of ours")])
async def test_a_session_whose_answer_nobody_knows_is_closed_without_one(fault: Exception) -> None:
    house = House()
    link, pipe, account = await house.bound()
    house.desk.faults = [fault]
    with capture_logs() as lines:
        await said(link, submits(1) + submits(2))
    assert pipe.read() == []
    assert pipe.is_gone()
    assert house.desk.runs == [[1, 2]]
    assert (account.links, house.server.links) == ([], {})
    assert lines[0]["log_level"] == "error"


async def test_a_run_at_work_is_finished_though_the_client_is_gone() -> None:
    house = House()
    link, pipe, account = await house.bound(window=2)
    done: list[bool] = []
    house.desk.then = lambda: done.append(link.holds_answers())
    house.desk.hold()
    await said(link, submits(1, 2, 3, 4))
    pipe.abort()
    await settled()
    assert account.links == []
    house.desk.release()
    await settled()
    assert house.desk.runs == [[1, 2]]  # the rest was never begun
    assert done == [True]  # its answer was never read


# -- the end of input ----------------------------------------------------------------------------------------------
async def test_who_says_no_more_is_answered_then_closed() -> None:
    house = House()
    link, pipe, _account = await house.bound(window=2)
    house.desk.hold()
    await said(link, submits(1, 2, 3))
    assert link.eof_received()
    await settled()
    assert not pipe.is_gone()
    house.desk.release()
    await settled()
    assert answered(pipe) == [1, 2, 3]
    assert pipe.is_gone()


@pytest.mark.parametrize("secured", [False, True])
async def test_who_says_no_more_and_waits_for_nothing_is_closed(secured: bool) -> None:
    link, _pipe = House().connect(secured=secured)
    assert not link.eof_received()


async def test_unbind_is_answered_behind_what_was_asked_before_it() -> None:
    house = House()
    link, pipe, account = await house.bound()
    house.desk.hold()
    await said(link, submits(1) + pdu(c.UNBIND, 2) + submits(3))
    house.desk.release()
    await settled()
    assert pipe.read() == [(c.SUBMIT_SM_RESP, 0, 1), (c.UNBIND_RESP, 0, 2)]
    assert pipe.is_gone()
    assert account.links == []


# -- a peer that does not read -------------------------------------------------------------------------------------
async def flooded(house: House, link: Link, pipe: Pipe) -> int:
    """Submits without end to a client that reads nothing. -> how many were taken from the socket."""
    pipe.reads, sequence = False, 0
    while pipe.is_reading():
        assert sequence < 200_000
        await said(link, submits(*range(sequence, sequence + 100)))
        sequence += 100
    return sequence


async def test_who_does_not_read_is_not_read_and_memory_is_bounded() -> None:
    house = House()
    link, pipe, _account = await house.bound(window=100)
    await flooded(house, link, pipe)
    assert UNWRITTEN < len(pipe.waiting) < UNWRITTEN + 100 * 20
    runs = len(house.desk.runs)
    await quiet(house.desk)
    assert len(house.desk.runs) == runs  # nothing more is begun
    assert link.session.backlog <= BACKLOG


async def stuck_at_work(house: House, link: Link, pipe: Pipe) -> int:
    """Many runs wait, and the answers to the first of them find no room any more. -> how many were asked in all."""
    house.desk.then = lambda: None
    pipe.reads, sequence = False, 0
    while len(pipe.waiting) < UNWRITTEN - 4000:
        await said(link, submits(*range(sequence, sequence + 100)))
        sequence += 100
    house.desk.hold()
    await said(link, submits(*range(sequence, sequence + 500)))
    assert pipe.is_reading()
    house.desk.release()
    await quiet(house.desk)
    return sequence + 500


async def test_what_waits_already_is_not_begun_while_the_answers_find_no_room() -> None:
    house = House()
    link, pipe, _account = await house.bound(window=100)
    asked = await stuck_at_work(house, link, pipe)
    assert UNWRITTEN < len(pipe.waiting) < UNWRITTEN + 100 * 20
    assert link.session.backlog > 0
    pipe.read_again()
    await quiet(house.desk)
    assert answered(pipe) == list(range(asked))


async def test_who_is_lost_in_the_middle_of_it_leaves_nothing_waiting() -> None:
    house = House()
    link, pipe, account = await house.bound(window=100)
    await stuck_at_work(house, link, pipe)
    assert len(asyncio.all_tasks()) == 2
    pipe.abort()
    await settled()
    assert len(asyncio.all_tasks()) == 1  # this test
    assert (account.links, house.server.links) == ([], {})


async def test_who_reads_slowly_is_not_taken_for_one_who_does_not_read() -> None:
    house = House()
    link, pipe, _account = await house.bound(window=100, response_timeout=3)
    await flooded(house, link, pipe)
    for _ in range(20):
        del pipe.waiting[:100]
        house.tick()
        await settled()
    assert not pipe.is_gone()
    for _ in range(3):
        house.tick()
    await settled()
    assert pipe.is_gone()


async def test_when_it_reads_again_everything_goes_on_in_order() -> None:
    house = House()
    link, pipe, _account = await house.bound(window=100)
    taken = await flooded(house, link, pipe)
    house.tick(20)
    pipe.read_again()
    await quiet(house.desk)
    assert pipe.is_reading()
    house.tick(20)
    assert not pipe.is_gone()
    assert [sequence for command, _status, sequence in pipe.read() if command == c.SUBMIT_SM_RESP] == list(range(taken))


async def test_who_never_reads_again_is_closed_after_the_response_timer() -> None:
    house = House()
    link, pipe, account = await house.bound(window=100, response_timeout=12)
    await flooded(house, link, pipe)
    for _ in range(11):
        house.tick()
        await settled()
    assert not pipe.is_gone()
    house.tick()
    await settled()
    assert pipe.is_gone()
    assert link.session.closing == "answers not read"
    assert (account.links, house.server.links, house.desk.at_work) == ([], {}, 0)


async def test_link_checks_before_a_bind_are_bounded_too() -> None:
    house = House()
    link, pipe = house.connect()
    await said(link, pdu(c.ENQUIRE_LINK) * STRANGE)
    assert len(pipe.read()) == STRANGE
    assert not pipe.is_gone()
    await said(link, pdu(c.ENQUIRE_LINK))
    assert pipe.is_gone()
    assert link.session.closing == "too much before a bind"


def read(link: Link, octets: bytes) -> None:
    """As the loop does it: into the link's buffer, whose ever it is next."""
    buffer = link.get_buffer(-1)
    buffer[: len(octets)] = octets
    link.buffer_updated(len(octets))


async def test_a_flood_is_taken_in_chunks_so_that_others_have_their_turn() -> None:
    house = House()
    link, pipe, _account = await house.bound()
    assert len(link.get_buffer(-1)) == CHUNK
    read(link, pdu(c.ENQUIRE_LINK) * (CHUNK // SMALLEST))
    assert not pipe.is_reading()
    await settled()
    assert pipe.is_reading()
    read(link, pdu(c.ENQUIRE_LINK))
    assert pipe.is_reading()
    assert len(pipe.read()) == CHUNK // SMALLEST + 1


async def test_what_one_link_has_read_is_not_touched_by_what_another_reads() -> None:
    house = House()
    link, pipe, _account = await house.bound()
    other, _pipe, _account = await house.bound()
    octets = pdu(c.ENQUIRE_LINK) * 2
    read(link, octets[:-1])
    read(other, bytes(3))
    read(link, octets[-1:])
    await settled()
    assert [command for command, _status, _sequence in pipe.read()] == [c.ENQUIRE_LINK_RESP] * 2


async def test_last_words_that_nobody_reads_are_given_up() -> None:
    house = House()
    link, pipe = house.connect()
    pipe.reads = False
    await said(link, bytes(4))  # a length that cannot be
    assert link.session.state == CLOSED
    for _ in range(LINGER):
        house.tick()
        await settled()
    assert not pipe.is_gone()
    house.tick()
    await settled()
    assert pipe.is_gone()
    assert house.server.links == {}


async def test_last_words_that_are_read_late_still_arrive() -> None:
    house = House()
    link, pipe = house.connect()
    pipe.reads = False
    await said(link, bytes(4))
    house.tick()
    pipe.read_again()
    await settled()
    assert pipe.read() == [(c.GENERIC_NACK, c.ESME_RINVCMDLEN, 0)]
    assert pipe.is_gone()


# -- receipts wait for the response that names their id ------------------------------------------------------------
async def test_a_link_holds_answers_until_they_are_written() -> None:
    house = House()
    link, pipe, _account = await house.bound()
    assert not link.holds_answers()
    pipe.reads = False
    await said(link, submits(1))
    assert link.holds_answers()
    told: list[str] = []
    link.when_written(lambda: told.append("first"))
    link.when_written(lambda: told.append("second"))
    house.tick()
    assert told == []
    pipe.read_again()
    house.tick()
    assert told == ["first", "second"]
    house.tick()
    assert told == ["first", "second"]
    assert not link.holds_answers()


async def test_who_reads_again_after_a_flood_is_told_without_waiting_for_a_tick() -> None:
    house = House()
    link, pipe, _account = await house.bound(window=100)
    await flooded(house, link, pipe)
    told: list[bool] = []
    link.when_written(lambda: told.append(True))
    pipe.read_again()
    assert told == [True]


async def test_when_the_link_is_gone_receipts_wait_a_moment_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "GRACE", 0.001)
    house = House()
    link, pipe, _account = await house.bound()
    pipe.reads = False
    await said(link, submits(1))
    told: list[str] = []
    gone = asyncio.Event()
    link.when_written(lambda: told.append("asked before"))
    pipe.abort()
    await settled()

    def after() -> None:
        told.append("asked after")
        gone.set()

    link.when_written(after)
    assert "asked after" not in told
    await gone.wait()
    assert told == ["asked before", "asked after"]


async def test_what_a_link_is_told_to_say_after_it_was_given_up_counts_as_unwritten() -> None:
    house = House()
    link, pipe, _account = await house.bound()
    link.abort("for a test")
    assert link.holds_answers()
    await settled()
    assert pipe.is_gone()
    assert link.holds_answers()


# -- deliveries ----------------------------------------------------------------------------------------------------
def dues(*ids: int) -> list[Due]:
    return [Due(id_, b"body and TLVs", 4, START_MS) for id_ in ids]


async def test_deliveries_stop_where_they_are_not_taken_long_before_requests_do() -> None:
    house = House()
    link, pipe, _account = await house.bound(delivery_window=1000)
    assert link.room() == UNWRITTEN // 2 // DELIVERY
    pipe.reads = False
    link.deliver([Due(id_, bytes(DELIVERY), DELIVERY, START_MS) for id_ in range(100)])
    await settled()
    assert 0 < link.room() < UNWRITTEN // 2 // DELIVERY - 100
    link.deliver([Due(id_, bytes(DELIVERY), DELIVERY, START_MS) for id_ in range(100, 200)])
    await settled()
    assert link.room() == 0
    assert pipe.is_reading()
    pipe.read_again()
    assert link.room() == UNWRITTEN // 2 // DELIVERY


async def owing(house: House, account: Account, *ids: int) -> None:
    """The store owes these, and the mailbox is told."""
    house.hall.scene.memory.owing[account.id] = set(ids)
    account.mailbox.put(dues(*ids))
    account.mailbox.pump()
    await settled()


async def test_what_is_delivered_in_one_turn_of_the_loop_is_one_write() -> None:
    house = House()
    link, pipe, _account = await house.bound()
    before = pipe.writes
    for id_ in range(5):
        link.deliver(dues(id_))
    assert pipe.writes == before
    await settled()
    assert pipe.writes == before + 1
    assert [command for command, *_ in pipe.read()] == [c.DELIVER_SM] * 5


async def test_an_answer_settles_a_delivery_and_makes_room_for_the_next() -> None:
    house = House()
    link, pipe, account = await house.bound(delivery_window=2)
    await owing(house, account, 1, 2, 3)
    assert [sequence for *_, sequence in pipe.read()] == [1, 2]
    await said(link, pdu(c.DELIVER_SM_RESP, 1))
    assert [sequence for *_, sequence in pipe.read()] == [3]
    assert house.hall.scene.memory.owing[account.id] == {2, 3}


async def test_deliveries_not_answered_in_time_are_tried_again() -> None:
    house = House()
    _link, pipe, account = await house.bound(delivery_window=1, response_timeout=5, enquire_link=0)
    await owing(house, account, 1)
    assert len(pipe.read()) == 1
    house.tick(5)
    account.mailbox.tick(house.clock.pass_(1))
    await settled()
    assert [command for command, *_ in pipe.read()] == [c.DELIVER_SM]
    assert account.mailbox.pending == 1


async def test_what_a_lost_link_did_not_answer_goes_to_the_next() -> None:
    house = House()
    _link, pipe, account = await house.bound(max_binds=2)
    await owing(house, account, 1, 2)
    assert len(pipe.read()) == 2
    other, another_pipe = house.connect()
    await said(other, pdu(TRX, password=b"a"))
    pipe.abort()
    await settled()
    assert [command for command, *_ in another_pipe.read()] == [c.BIND_TRANSCEIVER_RESP, c.DELIVER_SM, c.DELIVER_SM]


async def test_who_does_not_read_is_given_nothing() -> None:
    house = House()
    link, pipe, account = await house.bound(window=100)
    await flooded(house, link, pipe)
    assert link.room() == 0
    await owing(house, account, 1)
    assert list(link.awaited()) == []
    pipe.read_again()
    await quiet(house.desk)
    assert [due.id for due in link.awaited()] == [1]


async def test_a_link_that_is_gone_has_no_room() -> None:
    house = House()
    link, pipe, _account = await house.bound()
    assert link.room() == 10
    pipe.abort()
    await settled()
    assert link.room() == 0


# -- ends ----------------------------------------------------------------------------------------------------------
async def test_a_link_asked_to_go_finishes_its_work_first() -> None:
    house = House()
    link, pipe, account = await house.bound()
    house.desk.hold()
    await said(link, submits(1))
    link.unbind("for a test")
    [(command, _status, sequence)] = pipe.read()
    assert command == c.UNBIND
    await said(link, pdu(c.UNBIND_RESP, sequence))
    assert not pipe.is_gone()
    house.desk.release()
    await settled()
    assert answered(pipe) == [1]
    assert pipe.is_gone()
    assert account.links == []
    assert link.session.closing == "for a test"


async def test_a_link_that_is_probed_and_silent_is_closed() -> None:
    house = House()
    link, pipe, account = await house.bound()
    link.probe(5.0)
    assert [command for command, *_ in pipe.read()] == [c.ENQUIRE_LINK]
    house.tick(4)
    await settled()
    assert not pipe.is_gone()
    house.tick(1)
    await settled()
    assert pipe.is_gone()
    assert account.links == []


async def test_who_never_binds_is_closed() -> None:
    house = House(session_init=10)
    link, pipe = house.connect()
    await said(link, pdu(c.ENQUIRE_LINK))
    house.tick(9)
    assert link.session.state == OPEN
    house.tick(1)
    await settled()
    assert pipe.is_gone()


async def test_the_log_says_why_a_bind_ended() -> None:
    house = House()
    link, pipe, _account = await house.bound()
    with capture_logs() as lines:
        link.unbind("too_many_binds")
        await said(link, pdu(c.UNBIND_RESP, pipe.read()[0][2]))
    assert [(line["event"], line["reason"]) for line in lines] == [("unbound", "too_many_binds")]


@pytest.mark.parametrize("caps", [Caps(total=2), Caps(per_address=2)])
async def test_a_connection_too_many_is_turned_away_and_leaves_nothing(caps: Caps) -> None:
    house = House(caps)
    first, second, third = [house.connect() for _ in range(3)]
    await settled()
    assert [pipe.is_gone() for _link, pipe in (first, second, third)] == [False, False, True]
    assert third[1].read() == []
    assert house.server.turned_away == 1
    first[1].abort()
    await settled()
    assert list(house.server.links) == [second[0].number]
    assert not house.connect()[1].is_gone()


async def test_addresses_that_come_and_go_are_not_remembered() -> None:
    house = House(Caps(per_address=2))
    for number in range(50):
        _link, pipe = house.connect(f"10.0.0.{number}")
        pipe.abort()
    await settled()
    assert len(house.server._addresses) == 0


async def test_bodies_that_cannot_be_read_are_counted_with_their_reason() -> None:
    house = House()
    link, pipe, _account = await house.bound()
    await said(link, frame(c.SUBMIT_SM, 0, 1, b"no end") + submits(2) + frame(c.QUERY_SM, 0, 3, b"\xff" * 99))
    assert [command for command, status, _sequence in pipe.read() if status] == [c.SUBMIT_SM_RESP, c.QUERY_SM_RESP]
    assert house.hall.scene.meter.refusals[reasons.MALFORMED] == 2
