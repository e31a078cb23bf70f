"""Where each PDU of a stream starts and ends."""
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.constants import ENQUIRE_LINK, GENERIC_NACK, SUBMIT_SM, SUBMIT_SM_RESP
from pdu.frames import HEADER, LARGEST, Frame, frame, response, split, submit_sm_resp

LINK = bytes.fromhex("00000010 00000015 00000000 00000007")
PDUS = st.lists(st.builds(frame, st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF),
                          st.binary(max_size=60)), max_size=12)


def read(stream: bytes, cuts: list[int]) -> list[tuple[int, int, int, bytes]]:
    """The stream fed in pieces, as a session does it."""
    found, rest = [], b""
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        rest += stream[start:end]
        frames, used, fault = split(rest)
        assert fault is None
        found += [(command, status, sequence, rest[at:stop]) for command, status, sequence, at, stop in frames]
        rest = rest[used:]
    assert not rest
    return found


def test_one_frame() -> None:
    assert split(LINK) == ([(ENQUIRE_LINK, 0, 7, 16, 16)], 16, None)


def test_the_body_lies_between_its_two_places() -> None:
    body = b"\x01\x02\x03"

    frames, used, fault = split(LINK + frame(SUBMIT_SM, 0, 8, body) + LINK[:9])

    assert frames == [(ENQUIRE_LINK, 0, 7, 16, 16), (SUBMIT_SM, 0, 8, 32, 35)]
    assert (used, fault) == (35, None)


def test_nothing_is_no_fault() -> None:
    assert split(b"") == ([], 0, None)


@pytest.mark.parametrize("size", range(1, 16))
def test_an_unfinished_header_waits(size: int) -> None:
    assert split(LINK[:size]) == ([], 0, None)


@pytest.mark.parametrize("length", [0, 15, LARGEST + 1, 0x16030100, 0x47455420, 0xFFFFFFFF])
def test_a_lying_length_is_fatal_and_keeps_the_sequence(length: int) -> None:
    lie = HEADER.pack(length, SUBMIT_SM, 0, 9)

    frames, used, fault = split(LINK + lie)

    assert [item[2] for item in frames] == [7]
    assert used == 16
    assert fault is not None
    assert (fault.length, fault.sequence) == (length, 9)


@pytest.mark.parametrize("size", [4, 8, 15])
def test_a_lying_length_is_refused_as_soon_as_its_four_octets_are_there(size: int) -> None:
    _, used, fault = split(LINK + b"GET / HTTP/1.1\r\n"[:size])

    assert used == 16
    assert fault is not None
    assert (fault.length, fault.sequence) == (0x47455420, 0)


def test_the_limit_is_an_argument() -> None:
    assert split(frame(SUBMIT_SM, 0, 1, b"x" * 16), 32)[2] is None
    assert split(frame(SUBMIT_SM, 0, 1, b"x" * 17), 32)[2] is not None
    assert split(frame(SUBMIT_SM, 0, 1, b"x" * 17)[:4], 32)[2] is not None


def test_the_largest_pdu_passes() -> None:
    largest: list[Frame] = [(SUBMIT_SM, 0, 1, 16, LARGEST)]

    assert split(frame(SUBMIT_SM, 0, 1, b"\0" * (LARGEST - 16))) == (largest, LARGEST, None)


@given(PDUS, st.data())
def test_any_chunking_gives_the_same_frames(pdus: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(pdus)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))

    assert read(stream, cuts) == read(stream, [])


@given(PDUS)
def test_octet_by_octet_gives_the_same_frames(pdus: list[bytes]) -> None:
    stream = b"".join(pdus)

    assert read(stream, list(range(1, len(stream)))) == [(*HEADER.unpack(pdu[:16])[1:], pdu[16:]) for pdu in pdus]


@given(st.binary(max_size=200))
def test_random_octets_are_frames_or_a_fault(octets: bytes) -> None:
    frames, used, fault = split(octets)

    assert used <= len(octets)
    assert all(16 <= at <= end <= used for *_, at, end in frames)
    if fault is None and len(octets) - used >= 4:
        assert 16 <= struct.unpack_from(">I", octets, used)[0] <= LARGEST


def test_a_response_sets_bit_31_and_echoes_any_sequence() -> None:
    assert response(SUBMIT_SM, 0x58, 0xFFFFFFFF) == bytes.fromhex("00000010 80000004 00000058 ffffffff")
    assert response(GENERIC_NACK, 3, 0) == bytes.fromhex("00000010 80000000 00000003 00000000")
    assert response(ENQUIRE_LINK, 0, 1, b"ab") == bytes.fromhex("00000012 80000015 00000000 00000001 6162")


@given(st.integers(0, 0xFFFFFFFF), st.binary(max_size=64))
def test_submit_sm_resp_is_the_response_with_its_id(sequence: int, message_id: bytes) -> None:
    assert submit_sm_resp(sequence, message_id) == frame(SUBMIT_SM_RESP, 0, sequence, message_id + b"\0")
