"""What waits, in what order, and what it keeps alive."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp.waiting import OVERHEAD, Waiting
from pdu import constants as c
from pdu.frames import SMALLEST, frame, split

SEGMENTS = st.lists(st.lists(st.tuples(st.sampled_from([1, 2, 99]), st.integers(0, 3000)), max_size=6), max_size=6)


def segment(waiting: Waiting, *pdus: tuple[int, int]) -> list[int]:
    """PDUs (command, octets of body) that came together; command 99 needs not wait. -> sequences of those that do."""
    octets = b"".join([frame(command, 0, n, bytes(size)) for n, (command, size) in enumerate(pdus)])
    frames = split(octets)[0]
    for one in frames:
        if one[0] != 99:
            waiting.add(one[0], octets, [one])
    waiting.settle(octets)
    return [one[2] for one in frames if one[0] != 99]


def kept_alive(waiting: Waiting) -> int:
    return sum({id(buffer): len(buffer) for _command, buffer, _frames in waiting._pieces}.values())


def test_only_what_need_not_wait_between_them_leaves_a_run_whole() -> None:
    waiting = Waiting()
    segment(waiting, (1, 5), (99, 5), (1, 5))
    ((buffer, frames),) = waiting.take(10)
    assert [buffer[at:end] for _command, _status, _sequence, at, end in frames] == [bytes(5), bytes(5)]
    assert not waiting


def test_requests_that_came_one_by_one_are_one_run() -> None:
    waiting = Waiting()
    for size in (5, 6, 7):
        segment(waiting, (1, size))
    segment(waiting, (2, 1))
    taken = waiting.take(10)
    assert [end - at for _buffer, frames in taken for _command, _status, _sequence, at, end in frames] == [5, 6, 7]
    assert waiting.first() == 2


def test_a_small_request_does_not_keep_a_large_segment_alive() -> None:
    waiting = Waiting()
    segment(waiting, (1, 20), (99, 60_000), (2, 20))
    assert kept_alive(waiting) == 2 * (20 + SMALLEST)
    ((buffer, frames),) = waiting.take(1)
    assert buffer[frames[0][3] : frames[0][4]] == bytes(20)


def test_a_segment_that_waits_as_a_whole_is_not_copied() -> None:
    waiting = Waiting()
    octets = frame(c.SUBMIT_SM, 0, 1, bytes(50)) * 100
    waiting.add(c.SUBMIT_SM, octets, split(octets)[0])
    waiting.settle(octets)
    assert waiting.take(1)[0][0] is octets


@given(SEGMENTS, st.integers(1, 4))
def test_everything_is_taken_once_in_its_order_and_the_backlog_ends_at_nothing(
    segments: list[list[tuple[int, int]]], limit: int
) -> None:
    waiting, added = Waiting(), []
    for pdus in segments:
        added += segment(waiting, *pdus)
        assert kept_alive(waiting) <= 2 * waiting.backlog + 4096 * len(segments)
    taken = []
    while waiting:
        command = waiting.first()
        pieces = waiting.take(limit)
        assert 1 <= sum([len(frames) for _buffer, frames in pieces]) <= limit
        for buffer, frames in pieces:
            for one, _status, sequence, at, end in frames:
                assert one == command
                assert buffer[at:end] == bytes(end - at)
                taken.append(sequence)
    assert taken == added
    assert waiting.backlog == 0


def test_the_backlog_counts_what_a_waiting_request_costs() -> None:
    waiting = Waiting()
    segment(waiting, (1, 100), (1, 50))
    assert waiting.backlog == 150 + 2 * OVERHEAD
    waiting.clear()
    assert (waiting.backlog, bool(waiting)) == (0, False)
