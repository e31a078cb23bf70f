"""One session, told in octets and plain numbers."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery import Due
from gateway.smpp.session import BREATH, LAST_SEQUENCE, Session
from gateway.smpp.waiting import OVERHEAD
from pdu import constants as c
from pdu import frames
from pdu.commands import BOUND_BY, CLOSED, COMMANDS, DROP, OPEN, PROCESS, STATES, UNBOUND, verdict

from .client import bound, drained, heads, opened, pdu, read, settings, submits

NACK, ENQUIRED, UNBOUND_RESP = c.GENERIC_NACK, c.ENQUIRE_LINK_RESP, c.UNBIND_RESP
RESPONSES = sorted(set(c.COMMAND_NAMES) - set(COMMANDS))
UNKNOWN = [0, 0x0A, 0x111, 0x112, 0x10200, 0x7FFFFFFF, 0x80000111, 0xFFFFFFFF]
DUE = Due(7, b"body and TLVs", 4, 0)
BINDS = {state: command for command, state in BOUND_BY.items()}


def due(number: int) -> Due:
    return DUE._replace(id=number)


def in_state(state: str) -> Session:
    if state == OPEN:
        return opened()
    session = bound(BINDS.get(state, c.BIND_TRANSCEIVER))
    if state == UNBOUND:
        session.unbind(0.0, "for a test")
    elif state == CLOSED:
        session.close("for a test")
    assert session.state == state
    session.outbox()
    return session


# -- what may be sent when -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("command", [*COMMANDS, *RESPONSES, *UNKNOWN], ids=hex)
@pytest.mark.parametrize("state", STATES)
def test_the_state_table_is_kept(state: str, command: int) -> None:
    session = in_state(state)
    assert session.receive(pdu(command, 77), 1.0) == []
    runs, answers, expected = drained(session), read(session), verdict(state, command)
    if expected == DROP:
        assert (runs, answers) == ([], [])
    elif expected != PROCESS:
        assert isinstance(expected, tuple)
        assert (runs, answers) == ([], [(*expected, 77)])
    elif command in (c.ENQUIRE_LINK, c.UNBIND):
        assert (runs, answers) == ([], [(command | c.RESPONSE, 0, 77)])
    elif command & c.RESPONSE:
        assert (runs, answers) == ([], [])
    else:
        [(given_, [request])] = runs
        assert (given_, request.sequence, answers) == (command, 77, [])
    assert session.backlog == 0
    goes = command == c.UNBIND or (command == c.UNBIND_RESP and state == UNBOUND)
    assert session.state == (CLOSED if goes else state)


@pytest.mark.parametrize("sequence", [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_any_sequence_number_is_echoed(sequence: int) -> None:
    session = opened()
    session.receive(pdu(c.ENQUIRE_LINK, sequence) + pdu(c.SUBMIT_SM, sequence) + pdu(0x111, sequence), 0.0)
    drained(session)
    assert [found for *_, found in read(session)] == [sequence] * 3


def test_a_sequence_number_may_be_used_twice() -> None:
    session = bound()
    session.receive(submits(5, 5, 5), 0.0)
    [(_command, requests)] = drained(session)
    assert [request.sequence for request in requests] == [5, 5, 5]


def test_the_status_of_a_request_says_nothing() -> None:
    session = bound()
    session.receive(pdu(c.ENQUIRE_LINK, 3, status=0x58), 0.0)
    assert read(session) == [(ENQUIRED, 0, 3)]


# -- the stream ----------------------------------------------------------------------------------------------------
def test_a_pdu_in_one_byte_pieces() -> None:
    session, octets = bound(), pdu(c.SUBMIT_SM, 9)
    for at, octet in enumerate(octets[:-1]):
        session.receive(bytes([octet]), at / 10)
        assert not session.has_work()
    session.receive(octets[-1:], 5.0)
    [(command, [request])] = drained(session)
    assert (command, request.sequence, request.short_message) == (c.SUBMIT_SM, 9, b"hello")


def test_a_thousand_pdus_in_one_segment() -> None:
    session = bound(window=100)
    assert session.receive(submits(*range(1000)), 0.0) == []
    runs = drained(session)
    assert [len(requests) for _command, requests in runs] == [100] * 10
    assert [request.sequence for _command, requests in runs for request in requests] == list(range(1000))
    assert session.backlog == 0


def test_a_bind_and_what_stands_behind_it_in_one_segment() -> None:
    session = opened()
    session.receive(pdu(c.BIND_TRANSMITTER, 1) + submits(2, 3) + pdu(c.BIND_RECEIVER, 4) + submits(5), 0.0)
    run = session.next_run()
    assert run is not None
    assert run[0] == c.BIND_TRANSMITTER
    assert session.has_work()
    session.bind(c.BIND_TRANSMITTER, settings(), 0x34, 0.1)
    assert [[request.sequence for request in requests] for _command, requests in drained(session)] == [[2, 3], [5]]
    assert read(session) == [(c.BIND_RECEIVER_RESP, c.ESME_RALYBND, 4)]


def test_a_bind_governs_what_stands_behind_it_also_when_it_may_not() -> None:
    session = opened()
    session.receive(pdu(c.BIND_RECEIVER, 1) + submits(2), 0.0)
    session.next_run()
    session.bind(c.BIND_RECEIVER, settings(), 0x34, 0.0)
    assert drained(session) == []
    assert read(session) == [(c.SUBMIT_SM_RESP, c.ESME_RINVBNDSTS, 2)]


def test_what_stands_behind_a_refused_bind_is_dropped() -> None:
    session = opened()
    session.receive(pdu(c.BIND_TRANSMITTER, 1) + submits(2, 3), 0.0)
    session.next_run()
    session.respond(c.BIND_TRANSMITTER, c.ESME_RINVPASWD, 1)
    session.close("bind refused")
    assert drained(session) == []
    assert read(session) == [(c.BIND_TRANSMITTER_RESP, c.ESME_RINVPASWD, 1)]
    assert session.backlog == 0


LIES = [0, 1, 15, frames.LARGEST + 1, 0x47455420, 0x16030100, 0x7FFFFFFF, 0xFFFFFFFF]


@pytest.mark.parametrize("length", LIES, ids=hex)
@pytest.mark.parametrize("rest", [b"", b"\0\0\0\4", b"\0\0\0\4" + bytes(4) + b"\0\0\0\x2a"], ids=len)
def test_frames_before_a_lying_length_are_served_then_the_session_ends(length: int, rest: bytes) -> None:
    session = bound()
    session.receive(submits(1, 2) + pdu(c.ENQUIRE_LINK, 3) + length.to_bytes(4, "big") + rest, 0.0)
    assert read(session) == [(ENQUIRED, 0, 3)]
    run = session.next_run()
    assert run is not None
    assert [request.sequence for request in run[1]] == [1, 2]
    assert session.closing is None  # while that run is at work
    assert session.next_run() is None
    assert read(session) == [(NACK, c.ESME_RINVCMDLEN, 42 if len(rest) == 12 else 0)]
    assert session.state == CLOSED
    assert session.closing == "framing lost"


@pytest.mark.parametrize("first", [b"", b"\xff", b"\xff\xff\xff"])
def test_a_length_that_cannot_be_is_refused_with_its_four_octets(first: bytes) -> None:
    session = opened()
    session.receive(first, 0.0)
    assert not session.has_work()
    session.receive(b"\xff\xff\xff\xff"[len(first) :], 0.0)
    assert session.has_work()
    assert session.next_run() is None
    assert read(session) == [(NACK, c.ESME_RINVCMDLEN, 0)]


def test_nothing_is_read_behind_a_lying_length() -> None:
    session = opened()
    session.receive(bytes(4), 0.0)
    session.receive(pdu(c.ENQUIRE_LINK, 3), 0.0)
    assert drained(session) == []
    assert read(session) == [(NACK, c.ESME_RINVCMDLEN, 0)]
    session.receive(pdu(c.ENQUIRE_LINK, 4), 0.0)
    assert read(session) == []


def test_the_largest_pdu_is_read() -> None:
    session, octets = bound(), frames.frame(c.SUBMIT_SM, 0, 8, b"x" * (frames.LARGEST - 16))
    session.receive(octets[:40_000], 0.0)
    session.receive(octets[40_000:], 0.0)
    assert drained(session) == []
    [(command, status, sequence)] = read(session)
    assert (command, sequence) == (c.SUBMIT_SM_RESP, 8)
    assert status != 0


MALFORMED = {
    "no body": (c.SUBMIT_SM, b"", c.ESME_RINVPARLEN),
    "cut short": (c.SUBMIT_SM, b"\0\0\0", c.ESME_RINVPARLEN),
    "no NUL": (c.SUBMIT_SM, b"x" * 50, c.ESME_RINVPARLEN),
    "text shorter than announced": (c.SUBMIT_SM, pdu(c.SUBMIT_SM)[16:-1], c.ESME_RINVMSGLEN),
    "a TLV that overruns": (c.SUBMIT_SM, pdu(c.SUBMIT_SM)[16:] + b"\x02\x04\x00\x05\x00", 0xC0),
    "stray octets": (c.SUBMIT_SM, pdu(c.SUBMIT_SM)[16:] + b"\x02\x04", 0xC0),
    "a multi without destinations": (c.SUBMIT_MULTI, b"\0\0\0\0\0", 0x33),
    "a query cut short": (c.QUERY_SM, b"1", c.ESME_RINVPARLEN),
}


@pytest.mark.parametrize(("command", "body", "status"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_body_costs_one_answer_and_nothing_else(command: int, body: bytes, status: int) -> None:
    session = bound()
    session.receive(submits(1) + frames.frame(command, 0, 2, body) + submits(3), 0.0)
    found = [request.sequence for _command, requests in drained(session) for request in requests]
    assert found == [1, 3]
    [(answer, _status, sequence)] = read(session)
    assert (answer, sequence) == (command | c.RESPONSE, 2)
    assert _status == status
    assert (session.state, session.backlog) == ("BOUND_TRX", 0)


def test_a_malformed_bind_is_refused_and_may_be_tried_again() -> None:
    session = opened()
    session.receive(frames.frame(c.BIND_TRANSMITTER, 0, 1, b"x" * 70) + pdu(c.BIND_TRANSMITTER, 2), 0.0)
    [(command, [request])] = drained(session)
    assert (command, request.sequence) == (c.BIND_TRANSMITTER, 2)
    assert read(session) == [(c.BIND_TRANSMITTER_RESP, c.ESME_RBINDFAIL, 1)]


# -- any chunking of a stream gives the same answers ---------------------------------------------------------------
SCRIPTED = st.lists(
    st.one_of(
        st.sampled_from([c.SUBMIT_SM] * 4 + [c.ENQUIRE_LINK, c.UNBIND, c.DELIVER_SM, c.OUTBIND, 0x111, c.QUERY_SM]),
        st.sampled_from([*COMMANDS, *RESPONSES, *UNKNOWN]),
        st.just(-1),  # a submit_sm whose body is rubbish
    ),
    max_size=12,
)


def scripted(commands: list[int]) -> bytes:
    return b"".join(
        [
            frames.frame(c.SUBMIT_SM, 0, sequence, b"rubbish") if command < 0 else pdu(command, sequence)
            for sequence, command in enumerate(commands, 1)
        ]
    )


def served(session: Session, into: list[int]) -> None:
    """A server that grants every bind and accepts every request."""
    while (run := session.next_run()) is not None:
        command, requests = run
        into += [request.sequence for request in requests]
        if command in BINDS.values():
            session.bind(command, settings(window=3), 0x34, 0.0)
        for request in requests:
            session.respond(command, 0, request.sequence)
        assert session.backlog >= 0
    assert session.backlog == 0


def answers_to(pieces: list[bytes]) -> tuple[Counter[tuple[int, int, int]], list[int], str]:
    session, order = opened(), list[int]()
    octets = b""
    for piece in pieces:
        session.receive(piece, 0.0)
        served(session, order)
        octets += session.outbox()
    return Counter(heads(octets)), order, session.state


@given(SCRIPTED, st.sampled_from([b"", b"\0\0\0\x0f", b"\xff\xff\xff\xffand more", b"\0\0"]), st.data())
def test_any_chunking_gives_the_same_answers(commands: list[int], tail: bytes, data: st.DataObject) -> None:
    stream = scripted([c.BIND_TRANSCEIVER, *commands]) + tail
    cuts = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=20)))
    pieces = [stream[start:end] for start, end in pairwise([0, *cuts, len(stream)])]
    assert answers_to(pieces) == answers_to([stream])


@given(SCRIPTED)
def test_one_byte_pieces_give_the_same_answers(commands: list[int]) -> None:
    stream = scripted(commands)
    assert answers_to([bytes([octet]) for octet in stream]) == answers_to([stream])


@given(st.lists(st.binary(max_size=60), max_size=8), st.sampled_from(STATES))
def test_random_octets_raise_nothing_and_are_answered_in_whole_pdus(pieces: list[bytes], state: str) -> None:
    session, order = in_state(state), list[int]()
    for piece in pieces:
        session.receive(piece, 0.0)
        served(session, order)
        read(session)
    session.tick(1e9)
    assert session.abandon() == []


# -- runs and windows ----------------------------------------------------------------------------------------------
@given(
    st.lists(st.tuples(st.sampled_from([c.SUBMIT_SM, c.SUBMIT_SM, c.DATA_SM, c.DELIVER_SM]), st.integers(1, 9))),
    st.integers(1, 5),
    st.integers(1, 5),
)
def test_a_run_is_of_one_command_and_never_larger_than_the_window(
    script: list[tuple[int, int]], window: int, later: int
) -> None:
    session, found, sequence = bound(window=window), list[int](), 0
    for number, (command, count) in enumerate(script):
        octets = b"".join([pdu(command, sequence + each) for each in range(1, count + 1)])
        session.receive(octets, 0.0)
        sequence += count
        if number % 2:
            run = session.next_run()
            if run is not None:
                assert 1 <= len(run[1]) <= window
                found += [request.sequence for request in run[1]]
    session.retune(settings(window=later))
    for command, requests in drained(session):
        assert 1 <= len(requests) <= later
        assert command != c.DELIVER_SM
        found += [request.sequence for request in requests]
    refused = [number for _command, _status, number in read(session)]
    assert sorted(found) == found
    assert sorted(found + refused) == list(range(1, sequence + 1))
    assert session.backlog == 0


def test_only_answers_between_them_do_not_break_a_run() -> None:
    session = bound()
    session.receive(submits(1, 2) + pdu(c.DELIVER_SM_RESP, 9) + pdu(c.ENQUIRE_LINK, 3) + submits(4), 0.0)
    [(_command, requests)] = drained(session)
    assert [request.sequence for request in requests] == [1, 2, 4]


def test_another_command_breaks_a_run() -> None:
    session = bound()
    session.receive(submits(1) + pdu(c.QUERY_SM, 2, message_id=b"1") + submits(3), 0.0)
    assert [command for command, _requests in drained(session)] == [c.SUBMIT_SM, c.QUERY_SM, c.SUBMIT_SM]


def test_the_backlog_is_what_waits_in_octets() -> None:
    session, one = bound(window=2), len(submits(1)) - frames.SMALLEST + OVERHEAD
    session.receive(submits(1, 2, 3, 4, 5)[:-1], 0.0)
    assert session.backlog == 4 * one
    session.receive(submits(5)[-1:], 0.0)
    assert session.backlog == 5 * one
    session.next_run()
    assert session.backlog == 3 * one
    session.receive(pdu(c.ENQUIRE_LINK, 9), 0.0)
    assert session.backlog == 3 * one
    session.next_run()
    session.next_run()
    assert session.backlog == 0


def test_whatever_waits_counts_for_the_backlog() -> None:
    """Requests that will be refused for their state wait like any other."""
    session = bound()
    octets = pdu(c.DELIVER_SM, 1) + pdu(c.BIND_RECEIVER, 2) + submits(3)
    session.receive(octets, 0.0)
    assert session.backlog == len(octets) + 3 * (OVERHEAD - frames.SMALLEST)
    drained(session)
    assert session.backlog == 0


def test_links_are_checked_at_once_while_a_run_is_at_work() -> None:
    session = bound()
    session.receive(submits(1), 0.0)
    assert session.next_run() is not None  # somebody is at work on it
    session.receive(submits(2) + pdu(c.ENQUIRE_LINK, 3) + pdu(0x111, 4) + submits(5), 0.1)
    assert read(session) == [(ENQUIRED, 0, 3), (NACK, c.ESME_RINVCMDID, 4)]
    assert session.has_work()


# -- unbind --------------------------------------------------------------------------------------------------------
def test_what_a_client_sends_behind_its_unbind_is_dropped() -> None:
    session = bound()
    behind = submits(3) + pdu(c.ENQUIRE_LINK, 4) + pdu(0x111, 5) + pdu(c.UNBIND, 6) + pdu(c.DELIVER_SM, 7)
    session.receive(submits(1) + pdu(c.UNBIND, 2) + behind, 0.0)
    session.receive(submits(8) + pdu(c.ENQUIRE_LINK, 9), 0.0)
    [(_command, [request])] = drained(session)
    assert request.sequence == 1
    assert read(session) == [(UNBOUND_RESP, 0, 2)]
    assert (session.closing, session.backlog) == ("client unbound", 0)


def test_deliveries_that_are_answered_behind_the_unbind_are_answered() -> None:
    session = bound()
    session.deliver([DUE], 0.0)
    assert session.receive(pdu(c.UNBIND, 2) + pdu(c.DELIVER_SM_RESP, 1), 0.0) == [(DUE, 0)]


def test_a_client_that_wants_to_go_is_given_nothing_more() -> None:
    session = bound()
    session.receive(submits(1), 0.0)
    session.next_run()
    assert session.room() == 10
    session.receive(pdu(c.UNBIND, 2), 0.0)
    assert session.room() == 0


def test_unbind_before_bind_is_refused_and_ends_it() -> None:
    session = opened()
    session.receive(pdu(c.UNBIND, 2), 0.0)
    drained(session)
    assert read(session) == [(UNBOUND_RESP, c.ESME_RINVBNDSTS, 2)]
    assert session.state == CLOSED


def test_our_unbind_is_answered_and_ends_it() -> None:
    session = bound()
    session.deliver([DUE], 0.0)
    session.receive(submits(1, 2), 0.0)
    assert session.next_run() is not None
    session.receive(submits(3), 0.0)
    session.unbind(1.0, "server stopping")
    session.unbind(1.0, "twice")
    assert read(session)[1:] == [(c.UNBIND, 0, 2)]
    assert (session.state, session.room(), session.closing) == (UNBOUND, 0, None)
    assert drained(session) == []  # nothing new is begun
    session.send(pdu(c.SUBMIT_SM_RESP, 1))  # what was under way is answered
    assert read(session) == [(c.SUBMIT_SM_RESP, c.ESME_RINVBNDSTS, 3), (c.SUBMIT_SM_RESP, 0, 1)]
    assert session.receive(pdu(c.ENQUIRE_LINK, 4) + pdu(c.DELIVER_SM_RESP, 1), 1.0) == [(DUE, 0)]
    session.receive(pdu(c.UNBIND_RESP, 2), 1.0)
    assert session.closing == "server stopping"


def test_unbinds_that_cross() -> None:
    session = bound()
    session.unbind(0.0, "session limit")
    session.receive(pdu(c.UNBIND, 40), 0.1)
    drained(session)
    assert read(session) == [(c.UNBIND, 0, 1), (UNBOUND_RESP, 0, 40)]
    assert (session.state, session.closing) == (CLOSED, "session limit")
    session.receive(pdu(c.UNBIND_RESP, 1), 0.2)


def test_an_unbind_resp_nobody_asked_for_is_dropped() -> None:
    session = bound()
    session.receive(pdu(c.UNBIND_RESP, 1), 0.0)
    assert session.state == "BOUND_TRX"


def test_an_unbind_of_a_connection_without_a_bind_closes_it() -> None:
    session = opened()
    session.unbind(0.0, "server stopping")
    assert (read(session), session.closing) == ([], "server stopping")


# -- deliveries ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "response",
    [
        pdu(c.DELIVER_SM_RESP, 1),
        frames.frame(c.DELIVER_SM_RESP, 0, 1),
        frames.frame(c.DELIVER_SM_RESP, 0, 1, b"\0\0\0"),
        frames.frame(c.DELIVER_SM_RESP, 0, 1, b"an id\0" + b"\x14\x01\0\x01x"),
        frames.frame(c.DELIVER_SM_RESP, 0, 1, b"no NUL"),
        pdu(c.DATA_SM_RESP, 1),
    ],
    ids=["body", "no body", "slack", "tlvs", "rubbish", "data_sm_resp"],
)
def test_a_delivery_is_answered_with_or_without_a_body(response: bytes) -> None:
    session = bound()
    session.deliver([DUE], 0.0)
    assert session.receive(response, 1.0) == [(DUE, 0)]
    assert session.receive(response, 1.0) == []  # once


def test_an_answer_brings_its_status() -> None:
    session = bound()
    session.deliver([due(1), due(2), due(3)], 0.0)
    answers = frames.frame(c.DELIVER_SM_RESP, 0x64, 3) + frames.frame(c.DELIVER_SM_RESP, 0x12345678, 1)
    assert session.receive(answers, 1.0) == [(due(3), 0x64), (due(1), 0x12345678)]
    assert list(session.unanswered.values()) == [due(2)]


def test_the_room_is_what_is_left_of_the_delivery_window() -> None:
    session = bound(window=7, delivery_window=3)
    assert session.room() == 3
    session.deliver([due(1), due(2)], 0.0)
    assert session.room() == 1
    session.receive(pdu(c.DELIVER_SM_RESP, 1), 0.0)
    assert session.room() == 2
    assert bound(window=7).room() == 7
    assert bound(c.BIND_RECEIVER).room() == 10
    assert bound(c.BIND_TRANSMITTER).room() == 0
    assert opened().room() == 0


def test_a_smaller_window_while_more_is_out() -> None:
    session = bound(window=5)
    session.deliver([due(number) for number in range(5)], 0.0)
    session.retune(settings(window=2))
    assert session.room() <= 0


def test_what_is_sent_for_a_delivery() -> None:
    session = bound(version=0x34)
    session.deliver([DUE, due(8)], 0.0)
    expected = frames.frame(c.DELIVER_SM, 0, 1, b"body and TLVs") + frames.frame(c.DELIVER_SM, 0, 2, b"body and TLVs")
    assert session.outbox() == expected


@pytest.mark.parametrize(("version", "tlvs"), [(0, False), (0x33, False), (0x34, True), (0x50, True), (0xFF, True)])
def test_clients_before_3_4_get_no_optional_parameters(version: int, tlvs: bool) -> None:
    session = bound(version=version)
    session.deliver([DUE], 0.0)
    assert session.tlvs is tlvs
    assert session.outbox() == frames.frame(c.DELIVER_SM, 0, 1, b"body and TLVs" if tlvs else b"body")


def test_our_sequence_numbers_wrap_to_1_behind_0x7fffffff() -> None:
    session = bound(enquire_link=30, response_timeout=60)
    session._sequence = LAST_SEQUENCE - 3
    session.deliver([due(1), due(2)], 0.0)
    session.tick(30.0)
    session.deliver([due(3)], 0.0)
    assert [sequence for *_, sequence in read(session)] == [0x7FFFFFFD, 0x7FFFFFFE, 0x7FFFFFFF, 1]
    answers = b"".join([frames.frame(c.DELIVER_SM_RESP, 0, number) for number in (1, 0x7FFFFFFE, 0x7FFFFFFD)])
    assert session.receive(answers, 31.0) == [(due(3), 0), (due(2), 0), (due(1), 0)]


def test_a_batch_that_would_run_over_the_end_starts_at_1() -> None:
    session = bound()
    session._sequence = LAST_SEQUENCE - 1
    session.deliver([due(1), due(2)], 0.0)
    assert [sequence for *_, sequence in read(session)] == [1, 2]


def test_a_response_nobody_waits_for_is_dropped() -> None:
    session = bound()
    session.deliver([DUE], 0.0)
    stray = b"".join([pdu(command, 99) for command in RESPONSES]) + pdu(c.SUBMIT_SM_RESP, 1)
    assert session.receive(stray, 1.0) == []
    assert list(session.unanswered.values()) == [DUE]


@pytest.mark.parametrize("status", [0, 0x02, 0x03, 0x08, 0x14, 0x58, 0x65, 0xFF])
def test_a_generic_nack_completes_a_delivery_as_failed_and_counts_as_neither_later_nor_never(status: int) -> None:
    session = bound()
    session.deliver([DUE], 0.0)
    [(about, found)] = session.receive(pdu(NACK, 1, status=status), 1.0)
    assert about is DUE
    assert found == NACK
    assert session.unanswered == {}


def test_what_the_client_did_not_answer_is_given_back_when_the_link_is_gone() -> None:
    session = bound()
    session.deliver([due(1), due(2), due(3)], 0.0)
    session.receive(pdu(c.DELIVER_SM_RESP, 2), 1.0)
    assert session.abandon() == [due(1), due(3)]
    assert session.abandon() == []
    assert session.tick(1e9) == []
    assert session.closing == "connection lost"


# -- time ----------------------------------------------------------------------------------------------------------
def test_session_init_is_an_absolute_deadline() -> None:
    session = opened(100.0, session_init=10.0)
    for now in (101.0, 105.0, 109.9):
        session.receive(pdu(c.ENQUIRE_LINK) + pdu(c.SUBMIT_SM), now)
        drained(session)
        session.tick(now)
        assert session.state == OPEN
    session.tick(110.0)
    assert session.closing == "session_init timer"


def test_a_bind_ends_the_session_init_timer() -> None:
    session = opened(0.0, session_init=10.0)
    session.bind(c.BIND_TRANSMITTER, settings(enquire_link=0), 0x34, 9.9)
    session.tick(20.0)
    assert session.closing is None


def test_a_pdu_must_be_complete_in_time_counted_from_its_first_octet() -> None:
    session, octets = opened(0.0, session_init=1e9, pdu=10.0), pdu(c.ENQUIRE_LINK)
    session.receive(octets + octets[:1], 100.0)
    for second in range(1, 10):
        session.receive(octets[second : second + 1], 100.0 + second)
        session.tick(100.0 + second)
    assert session.closing is None
    session.tick(110.0)
    assert session.closing == "PDU not completed"


def test_the_clock_of_an_unfinished_pdu_starts_anew_with_each_pdu() -> None:
    session, octets = opened(0.0, session_init=1e9, pdu=10.0), pdu(c.ENQUIRE_LINK)
    session.receive(octets[:5], 0.0)
    for now in range(1, 100):
        session.receive(octets[5:] + octets[:5], float(now))
        session.tick(now + 9.5)
    assert session.closing is None
    session.receive(octets[5:], 100.0)
    session.tick(1000.0)
    assert session.closing is None


def test_a_timer_of_0_is_off() -> None:
    session = opened(0.0, session_init=0.0, pdu=0.0)
    session.receive(b"\0", 0.0)
    session.tick(1e6)
    assert session.closing is None
    session.bind(c.BIND_TRANSMITTER, settings(enquire_link=0, inactivity=0, session_limit=0), 0x34, 1e6)
    session.tick(2e9)
    assert (session.closing, read(session)) == (None, [])


def test_silence_is_asked_about_and_then_ended() -> None:
    session = bound(enquire_link=30, response_timeout=20)
    session.receive(submits(1), 5.0)
    drained(session)
    session.tick(34.9)
    assert read(session) == []
    session.tick(35.0)
    assert read(session) == [(c.ENQUIRE_LINK, 0, 1)]
    session.tick(54.9)
    assert (session.closing, read(session)) == (None, [])
    session.tick(55.0)
    assert session.closing == "enquire_link not answered"


@pytest.mark.parametrize("life", [pdu(c.ENQUIRE_LINK_RESP, 1), pdu(c.ENQUIRE_LINK_RESP, 99), submits(1), b"\0"])
def test_any_octet_is_life(life: bytes) -> None:
    session = bound(enquire_link=30, response_timeout=20)
    session.tick(30.0)
    session.receive(life, 49.0)
    session.tick(51.0)
    assert session.closing is None
    read(session)
    session.tick(79.0)
    assert (c.ENQUIRE_LINK, 0, 2) in read(session) or life == b"\0"


def test_whoever_is_in_the_way_is_asked_at_once_and_must_answer_in_5_seconds() -> None:
    session = bound(enquire_link=300, response_timeout=60)
    session.probe(10.0, within=5.0)
    session.probe(12.0, within=5.0)  # asked again: the first question counts
    assert read(session) == [(c.ENQUIRE_LINK, 0, 1)]
    session.tick(14.9)
    assert session.closing is None
    session.tick(15.0)
    assert session.closing == "enquire_link not answered"


def test_a_probe_that_is_under_way_is_hurried_when_the_place_is_wanted() -> None:
    session = bound(enquire_link=30, response_timeout=60)
    session.tick(30.0)
    session.probe(40.0, within=5.0)
    assert len(read(session)) == 1
    session.tick(44.0)
    assert session.closing is None
    session.tick(45.0)
    assert session.closing == "enquire_link not answered"


def test_who_answers_the_probe_stays_and_later_probes_have_their_usual_time() -> None:
    session = bound(enquire_link=30, response_timeout=60)
    session.probe(10.0, within=5.0)
    session.receive(pdu(c.ENQUIRE_LINK_RESP, 1), 12.0)
    session.tick(42.0)
    session.tick(101.9)
    assert session.closing is None
    session.tick(102.0)
    assert session.closing == "enquire_link not answered"


def test_a_probe_asks_nobody_who_is_not_bound() -> None:
    for session in (opened(), in_state(UNBOUND), in_state(CLOSED)):
        session.probe(1.0)
        assert read(session) == []


def test_without_a_message_a_session_is_unbound_when_that_is_asked_for() -> None:
    session = bound(inactivity=100, enquire_link=30)
    for now in (20.0, 40.0, 60.0):
        session.receive(pdu(c.ENQUIRE_LINK), now)  # no message
        session.tick(now)
    session.receive(submits(1), 70.0)
    session.next_run()
    session.outbox()
    session.receive(pdu(c.ENQUIRE_LINK), 160.0)
    session.tick(169.9)
    assert session.state == "BOUND_TRX"
    session.tick(170.0)
    assert session.state == UNBOUND
    assert read(session)[-1][0] == c.UNBIND


def test_a_delivery_that_is_answered_is_a_message_too() -> None:
    session = bound(inactivity=100, enquire_link=0)
    session.deliver([DUE], 90.0)
    session.receive(pdu(c.DELIVER_SM_RESP, 1), 95.0)
    session.tick(194.0)
    assert session.state == "BOUND_TRX"
    session.tick(195.0)
    assert session.state == UNBOUND


def test_after_24_hours_a_session_is_unbound() -> None:
    session = bound(now=1000.0, enquire_link=0)
    session.tick(1000.0 + 86_399.9)
    assert session.state == "BOUND_TRX"
    session.tick(1000.0 + 86_400.0)
    assert (session.state, read(session)) == (UNBOUND, [(c.UNBIND, 0, 1)])
    session.tick(1000.0 + 86_400.0 + 29.9)
    assert session.closing is None
    session.tick(1000.0 + 86_400.0 + 30.0)
    assert session.closing == "session limit"


def test_a_delivery_that_is_not_answered_in_time_is_given_back_once() -> None:
    session = bound(response_timeout=30, enquire_link=0)
    session.deliver([due(1), due(2)], 0.0)
    session.deliver([due(3)], 5.0)
    session.receive(pdu(c.DELIVER_SM_RESP, 2), 6.0)
    assert session.tick(29.9) == []
    assert session.tick(30.0) == [due(1)]
    assert session.tick(34.9) == []
    assert session.tick(35.0) == [due(3)]
    assert session.tick(99.0) == []
    assert session.receive(pdu(c.DELIVER_SM_RESP, 1), 100.0) == []  # too late
    assert session.room() == 10


def test_a_shorter_response_time_counts_for_what_is_under_way() -> None:
    session = bound(response_timeout=600, enquire_link=0)
    session.deliver([due(1)], 0.0)
    session.retune(settings(response_timeout=10, enquire_link=0))
    session.deliver([due(2)], 5.0)
    assert session.tick(10.0) == [due(1)]
    assert session.tick(15.0) == [due(2)]


def test_settings_that_change_are_felt_at_once() -> None:
    session = bound(window=10)
    session.receive(submits(*range(20)), 0.0)
    session.retune(settings(window=3, delivery_window=4, inactivity=60))
    run = session.next_run()
    assert run is not None
    assert len(run[1]) == 3
    assert session.room() == 4
    session.tick(60.0)
    assert session.state == UNBOUND


# -- what is counted -----------------------------------------------------------------------------------------------
def test_every_pdu_is_counted_by_direction_command_and_status() -> None:
    session = bound()
    session.deliver([due(1), due(2)], 0.0)
    session.receive(submits(1, 2) + pdu(c.ENQUIRE_LINK, 3, status=9) + frames.frame(c.DELIVER_SM_RESP, 0x64, 1), 0.0)
    drained(session)
    assert dict(session._traffic.counts) == {
        ("out", c.DELIVER_SM, 0): 2,
        ("in", c.SUBMIT_SM, 0): 2,
        ("in", c.ENQUIRE_LINK, 0): 1,
        ("in", c.DELIVER_SM_RESP, 0x64): 1,
        ("out", c.ENQUIRE_LINK_RESP, 0): 1,
    }


def test_the_outbox_is_emptied_by_reading_it() -> None:
    session = bound()
    assert session.outbox() == b""
    session.nack([1, 2])
    assert heads(session.outbox()) == [(NACK, c.ESME_RINVCMDID, 1), (NACK, c.ESME_RINVCMDID, 2)]
    assert session.outbox() == b""


def test_many_refusals_in_a_row_let_others_have_their_turn() -> None:
    session = bound(c.BIND_RECEIVER)
    session.receive(submits(*range(2 * BREATH)), 0.0)
    assert session.next_run() == (c.SUBMIT_SM, [])
    assert BREATH <= len(heads(session.outbox())) < 2 * BREATH
    while session.next_run() is not None:
        pass
    assert session.backlog == 0
