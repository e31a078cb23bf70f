"""Whole PDUs and runs of them: byte for byte, and nothing but the two faults."""
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu import constants as c
from pdu.bodies import BODIES, HEADER_ONLY, SUBMIT_SM_BODY, HeaderOnly, address
from pdu.codec import Pdu, decode, decode_run, encode
from pdu.faults import Desync, Malformed
from pdu.frames import HEADER, LARGEST, frame, response, split, submit_sm_resp

from .strategies import COMMANDS, pdus

SUBMIT = SUBMIT_SM_BODY.build(7, source=address(5, 0, b"ACME"), destination=address(1, 1, b"44"), short_message=b"hi")


@given(pdus())
def test_every_pdu_comes_back_as_it_was(pdu: Pdu) -> None:
    octets = encode(pdu)

    assert decode(octets) == pdu
    assert encode(decode(octets)) == octets


@given(pdus(), st.integers(0, 3))
def test_what_was_decoded_is_encoded_byte_for_byte_with_its_trailing_zeros(pdu: Pdu, zeros: int) -> None:
    octets = encode(pdu) + b"\0" * zeros
    octets = len(octets).to_bytes(4, "big") + octets[4:]

    assert encode(decode(octets)) == octets


@given(st.binary(max_size=120))
def test_random_octets_raise_nothing_but_the_two_faults(octets: bytes) -> None:
    try:
        pdu = decode(octets)
    except (Malformed, Desync):
        return
    assert encode(pdu) == octets


@given(COMMANDS, st.integers(0, 0xFFFFFFFF), st.binary(max_size=120))
def test_random_bodies_raise_nothing_but_malformed(command: int, status: int, body: bytes) -> None:
    octets = frame(command, status, 1, body)
    try:
        pdu = decode(octets)
    except Malformed as fault:
        told = fault
    else:
        assert encode(pdu) == octets
        return
    assert 16 <= told.offset <= len(octets)
    assert str(told)


@given(pdus(), st.data())
def test_a_changed_pdu_raises_nothing_but_the_two_faults(pdu: Pdu, data: st.DataObject) -> None:
    octets = bytearray(encode(pdu))
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    changed = bytes(octets)
    with suppress(Malformed, Desync):
        assert encode(decode(changed)) == changed
    frames, used, _ = split(changed + encode(pdu))
    assert used <= 2 * len(changed)
    for found in frames:
        decode_run(found[0], changed + encode(pdu), [found])


@given(st.lists(pdus(), max_size=6))
def test_a_run_reads_what_decode_reads(some: list[Pdu]) -> None:
    for pdu in some:
        octets = b"--" + encode(pdu) * 2
        frames, _, _ = split(octets[2:])
        shifted = [(command, status, sequence, at + 2, end + 2) for command, status, sequence, at, end in frames]

        records, faults = decode_run(pdu.command, octets, shifted)

        assert faults == []
        if isinstance(pdu.body, BODIES[pdu.command].record):
            assert records == [pdu.body] * 2
        else:
            assert [record.sequence for record in records] == [pdu.sequence] * 2


def test_faults_are_gone_as_soon_as_nobody_looks_at_them() -> None:
    """A flood of nonsense must not wait for the collector."""
    octets = frame(c.SUBMIT_SM, 0, 9, b"\xff" * 20)
    _records, faults = decode_run(c.SUBMIT_SM, octets, split(octets)[0])

    assert [fault.__traceback__ for _sequence, fault in faults] == [None]


# -- one PDU -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("octets", [
    b"", b"\0" * 15, HEADER.pack(15, 1, 0, 9), HEADER.pack(17, c.UNBIND, 0, 9), HEADER.pack(16, c.UNBIND, 0, 9) + b"\0",
    HEADER.pack(LARGEST + 1, c.UNBIND, 0, 9) + b"\0" * (LARGEST - 15),
])
def test_a_length_that_is_not_that_of_the_pdu_is_fatal(octets: bytes) -> None:
    with pytest.raises(Desync) as fault:
        decode(octets)

    assert fault.value.sequence == (9 if len(octets) >= 16 else 0)


@pytest.mark.parametrize("command", [0, 0xA, 0x16, 0x111, 0x10200, 0x7FFFFFFF, 0x8000000B, 0x80000102, 0x80000111])
def test_an_unknown_command_is_answerable(command: int) -> None:
    octets = frame(command, 0, 9)

    with pytest.raises(Malformed) as fault:
        decode(octets)
    records, faults = decode_run(command, octets, split(octets)[0])

    assert (fault.value.field, fault.value.offset, fault.value.status) == ("command_id", 4, c.ESME_RINVCMDID)
    assert records == []
    assert [(sequence, found.status) for sequence, found in faults] == [(9, c.ESME_RINVCMDID)]


@pytest.mark.parametrize("status", [0x22, 0x104, 0x410, 0xFFFFFFFF])
@pytest.mark.parametrize("sequence", [0, 0x80000000, 0xFFFFFFFF])
def test_unknown_statuses_and_odd_sequences_survive(status: int, sequence: int) -> None:
    octets = frame(c.DELIVER_SM_RESP, status, sequence, b"\0")

    assert decode(octets)[:3] == (c.DELIVER_SM_RESP, status, sequence)
    assert encode(decode(octets)) == octets


@pytest.mark.parametrize("command", sorted(number for number in BODIES if number & c.RESPONSE))
@pytest.mark.parametrize("status", [0, c.ESME_RTHROTTLED])
def test_a_response_may_come_without_its_body(command: int, status: int) -> None:
    octets = response(command, status, 3)

    assert decode(octets) == Pdu(command, status, 3, HeaderOnly(3, b"", b""))
    assert encode(decode(octets)) == octets


def test_an_error_response_whose_body_cannot_be_read_is_still_that_error() -> None:
    octets = response(c.SUBMIT_SM, c.ESME_RSYSERR, 3, b"no NUL")

    assert decode(octets).body == HeaderOnly(3, b"", b"no NUL")
    assert encode(decode(octets)) == octets
    with pytest.raises(Malformed):
        decode(response(c.SUBMIT_SM, c.ESME_ROK, 3, b"no NUL"))


def test_the_record_of_one_command_is_not_encoded_as_header_only_by_mistake() -> None:
    assert encode(Pdu(c.SUBMIT_SM, 0, 7, SUBMIT)) == frame(c.SUBMIT_SM, 0, 7, SUBMIT.raw)
    assert encode(Pdu(c.UNBIND, 0, 7, HEADER_ONLY.build(7))) == frame(c.UNBIND, 0, 7)


# -- a run -------------------------------------------------------------------------------------------------------------
def test_a_bad_body_costs_itself_only() -> None:
    good, bad = frame(c.SUBMIT_SM, 0, 7, SUBMIT.raw), frame(c.SUBMIT_SM, 0, 8, SUBMIT.raw[:-1])
    octets = good + bad + good

    records, faults = decode_run(c.SUBMIT_SM, octets, split(octets)[0])

    assert records == [SUBMIT, SUBMIT]
    assert [(sequence, fault.status) for sequence, fault in faults] == [(8, c.ESME_RINVMSGLEN)]


def test_a_run_of_responses_reads_every_form_that_is_seen() -> None:
    tlvs = b"\x14\x01\0\x01x"
    octets = b"".join([
        response(c.DELIVER_SM, 0, 1), response(c.DELIVER_SM, 0, 2, b"\0"), response(c.DELIVER_SM, 0, 3, b"77\0"),
        response(c.DELIVER_SM, 0, 4, b"77\0" + tlvs), response(c.DELIVER_SM, 0x64, 5),
        response(c.DELIVER_SM, 0x64, 6, b"7"),
        response(c.DELIVER_SM, 0, 7, b"7"), response(c.DELIVER_SM, 0, 8, b"\0\0\0\0"),
    ])

    records, faults = decode_run(c.DELIVER_SM_RESP, octets, split(octets)[0])

    assert [(record.sequence, record.message_id, record.tlvs) for record in records] == [
        (1, b"", b""), (2, b"", b""), (3, b"77", b""), (4, b"77", tlvs), (5, b"", b""), (6, b"", b""), (8, b"", b"")]
    assert [sequence for sequence, _ in faults] == [7]


def test_submit_sm_resp_is_read_back() -> None:
    octets = submit_sm_resp(5, b"123456789")

    assert decode_run(c.SUBMIT_SM_RESP, octets, split(octets)[0])[0][0].message_id == b"123456789"
    assert decode(octets).body.message_id == b"123456789"
