"""What a row of fields compiles to: pattern, format and explanation say the same."""
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.constants import ESME_RINVPARLEN
from pdu.grammar import Address, Grammar, Malformed, Octet, Single, Text, unmatched

from .strategies import fault_of


class Sample(NamedTuple):
    sequence: int
    first: int
    second: int
    name: bytes
    place: bytes
    length: int
    text: bytes
    tlvs: bytes
    raw: bytes


class Plain(NamedTuple):
    sequence: int
    name: bytes
    tlvs: bytes
    raw: bytes


FIELDS = (Octet("first"), Octet("second", 1, 3, 0x06), Text("name", 4, 0x15), Address("place", 5, 0x0A),
          Octet("length", most=254, status=0x01))
SAMPLE = Grammar(Sample, *FIELDS, counted="text", short=0x0D)
PLAIN = Single(Plain, Text("name", 5))
GOOD = b"\x09\x02abc\0\x01\x0112\0\x02hi"
TLV = b"\x14\x01\0\x01x"


def test_a_body_becomes_a_record() -> None:
    assert SAMPLE.decode(GOOD, 7, 0, len(GOOD)) == Sample(7, 9, 2, b"abc", b"\x01\x0112\0", 2, b"hi", b"", GOOD)


def test_a_body_is_read_inside_its_frame_only() -> None:
    record = SAMPLE.decode(b"junk" + GOOD + TLV, 7, 4, 4 + len(GOOD))

    assert record.raw == GOOD
    assert record.tlvs == b""
    with pytest.raises(Malformed):                  # the NUL that is missing stands in the next frame
        PLAIN.decode(b"abc\0", 1, 0, 3)


def test_tlvs_are_kept_as_they_came() -> None:
    assert SAMPLE.decode(GOOD + TLV, 1, 0, len(GOOD + TLV)).tlvs == TLV
    assert PLAIN.decode(b"abc\0" + TLV, 1, 0, 4 + len(TLV)) == (1, b"abc", TLV, b"abc\0" + TLV)


@pytest.mark.parametrize("behind", [b"", TLV])
@pytest.mark.parametrize("zeros", [1, 2, 3])
def test_up_to_three_zero_octets_behind_the_body_are_tolerated_and_given_back(behind: bytes, zeros: int) -> None:
    body = GOOD + behind + b"\0" * zeros

    record = SAMPLE.decode(body, 1, 0, len(body))

    assert (record.text, record.tlvs) == (b"hi", behind)
    assert SAMPLE.encode(record) == body


def test_the_fields_rule_over_raw_when_a_record_was_changed() -> None:
    body = GOOD + TLV + b"\0"
    record = SAMPLE.decode(body, 1, 0, len(body))

    assert SAMPLE.encode(record._replace(tlvs=b"")) == GOOD
    assert SAMPLE.encode(record._replace(first=8)) == b"\x08" + (GOOD + TLV)[1:]


@pytest.mark.parametrize(("body", "fault"), [
    (b"", ("first", 16, 0x0D)),
    (b"\x09", ("second", 17, 0x0D)),
    (b"\x09\x00abc\0", ("second", 17, 0x06)),
    (b"\x09\x04abc\0", ("second", 17, 0x06)),
    (b"\x09\x02ab", ("name", 18, 0x0D)),
    (b"\x09\x02abcd\0\x01\x0112\0\x02hi", ("name", 18, 0x15)),
    (b"\x09\x02abc\0\x01\x011", ("place", 22, 0x0D)),
    (b"\x09\x02abc\0\x01\x0112345\0\x00", ("place", 22, 0x0A)),
    (b"\x09\x02abc\0\x01\x0112\0", ("length", 27, 0x0D)),
    (b"\x09\x02abc\0\x01\x0112\0\xff" + b"x" * 255, ("length", 27, 0x01)),
    (b"\x09\x02abc\0\x01\x0112\0\x03hi", ("length", 27, 0x01)),
    (GOOD + b"\x01", ("tlvs", 30, 0xC0)),
    (GOOD + b"\x04\x24\0\x05abc", ("message_payload", 30, 0xC0)),
    (GOOD + TLV + b"\x14\x00\xff\xff", ("tlv_0x1400", 35, 0xC0)),
])
def test_the_fault_names_field_offset_and_status(body: bytes, fault: tuple[str, int, int]) -> None:
    found = fault_of(SAMPLE, body)

    assert found is not None
    assert (found.field, found.offset, found.status) == fault


@given(st.binary(max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_the_explanation_agrees_with_the_pattern(octets: bytes, at: int, end: int) -> None:
    at, end = sorted((min(at, len(octets)), min(end, len(octets))))

    assert fault_of(SAMPLE, octets, at, end) is not None or end - at > 6
    assert fault_of(PLAIN, octets, at, end) is not None or b"\0" in octets[at:end]


@given(st.binary(max_size=8))
def test_a_single_text_is_read_as_the_pattern_reads_it(body: bytes) -> None:
    slow = Grammar(Plain, Text("name", 5))

    if fault_of(PLAIN, body):
        assert fault_of(slow, body)
    else:
        assert PLAIN.decode(body, 1, 0, len(body)) == slow.decode(body, 1, 0, len(body))


def test_even_a_disagreement_would_be_an_answerable_fault() -> None:
    assert unmatched().status == ESME_RINVPARLEN


def test_build_fills_in_defaults_and_lengths() -> None:
    record = SAMPLE.build(3, second=1, text=b"hello")

    assert record == (3, 0, 1, b"", b"\0\0\0", 5, b"hello", b"", b"\0\x01\0\0\0\0\x05hello")
    assert SAMPLE.encode(record) == record.raw


@pytest.mark.parametrize("values", [
    {"second": 4},                                  # out of its limits
    {"second": 1, "first": 256},                    # no octet
    {"second": 1, "name": b"abcd"},                 # too long
    {"second": 1, "name": b"a\0b"},                 # would be read as something else
    {"second": 1, "text": b"hi", "length": 1},      # a length that lies
    {"second": 1, "text": b"x" * 255},
    {"second": 1, "tlvs": b"\x01"},
    {"second": 1, "nmae": b"abc"},                  # a slip of the pen
])
def test_build_refuses_what_nobody_could_read_back(values: dict[str, int | bytes]) -> None:
    with pytest.raises(ValueError):
        SAMPLE.build(1, **values)
