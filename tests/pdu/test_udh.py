"""User data headers and the TLVs that say the same."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu import constants as c
from pdu import tlv, udh
from pdu.faults import Malformed
from pdu.udh import Concatenation, Header

ELEMENTS = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=12)), max_size=8).map(tuple)


@given(ELEMENTS, st.binary(max_size=20))
def test_what_is_built_is_parsed(elements: tuple[tuple[int, bytes], ...], text: bytes) -> None:
    octets = udh.build(elements)

    assert udh.parse(octets + text) == Header(len(octets), elements)


@given(st.binary(max_size=60))
def test_random_octets_are_a_header_or_malformed(octets: bytes) -> None:
    try:
        header = udh.parse(octets)
    except Malformed as fault:
        told = fault
    else:
        assert octets.startswith(udh.build(header.elements))
        udh.concatenation(header)
        udh.ports(header)
        return
    assert told.status == c.ESME_RINVESMCLASS
    assert 0 <= told.offset <= len(octets)


@pytest.mark.parametrize("octets", ["", "05", "05 0003", "01 00", "03 00 02 01", "04 00 01 01 05"])
def test_a_header_that_does_not_fit_is_malformed(octets: str) -> None:
    with pytest.raises(Malformed):
        udh.parse(bytes.fromhex(octets))


@pytest.mark.parametrize(("octets", "part"), [
    ("05 00 03 2a 03 01", Concatenation(0x2A, 3, 1)),
    ("06 08 04 12 34 03 02", Concatenation(0x1234, 3, 2, True)),
    ("0b 05 04 0b84 0000 00 03 2a 02 02", Concatenation(0x2A, 2, 2)),
    ("0a 00 03 01 02 01 00 03 02 02 02", Concatenation(2, 2, 2)),
    ("05 00 03 2a 03 00", None), ("05 00 03 2a 03 04", None), ("05 00 03 2a 00 00", None),
    ("04 00 02 2a 03", None), ("06 05 04 0b84 0000", None), ("00", None),
])
def test_concatenation(octets: str, part: Concatenation | None) -> None:
    assert udh.concatenation(udh.parse(bytes.fromhex(octets))) == part


@given(st.booleans(), st.data())
def test_an_element_of_ours_is_read_back(wide: bool, data: st.DataObject) -> None:
    total = data.draw(st.integers(1, 255))
    reference, number = data.draw(st.integers(0, 65535 if wide else 255)), data.draw(st.integers(1, total))
    part = Concatenation(reference, total, number, wide)

    octets = udh.build((udh.element(part),))

    assert len(octets) == (7 if wide else 6)
    assert udh.concatenation(udh.parse(octets)) == part


@pytest.mark.parametrize("part", [
    Concatenation(256, 2, 1), Concatenation(65536, 2, 1, True), Concatenation(-1, 2, 1), Concatenation(1, 256, 1),
    Concatenation(1, 2, 3), Concatenation(1, 2, 0),
])
def test_numbers_that_do_not_fit_are_refused(part: Concatenation) -> None:
    with pytest.raises(ValueError):
        udh.element(part)


def test_a_header_has_255_octets_at_most() -> None:
    with pytest.raises(ValueError):
        udh.build(((0x70, b"x" * 254),))


def test_ports() -> None:
    assert udh.ports(udh.parse(bytes.fromhex("06 05 04 0b84 23f0"))) == (0x0B84, 0x23F0)
    assert udh.ports(udh.parse(bytes.fromhex("04 04 02 f5 01"))) == (0xF5, 1)
    assert udh.ports(udh.parse(bytes.fromhex("05 00 03 2a 03 01"))) is None


def sar(reference: bytes, total: bytes, number: bytes) -> bytes:
    return tlv.encode([(c.TLV_SAR_MSG_REF_NUM, reference), (c.TLV_SAR_TOTAL_SEGMENTS, total),
                       (c.TLV_SAR_SEGMENT_SEQNUM, number)])


def test_the_sar_tlvs_count_only_together_and_only_if_they_make_sense() -> None:
    whole = sar(b"\x12\x34", b"\x03", b"\x02")

    assert udh.sar(whole) == Concatenation(0x1234, 3, 2, True)
    assert udh.sar(whole[:-5]) is None
    assert udh.sar(b"") is None
    for broken in (sar(b"", b"\x03", b"\x02"), sar(b"\x01", b"\x03", b"\x04"), sar(b"\x01", b"\x00", b"\x00"),
                   sar(b"\x01", b"\x03", b"\x00"), sar(b"\x01", b"\x01\0", b"\x01")):
        assert udh.sar(broken) is None
    assert udh.sar(sar(b"\x07", b"\0\x03", b"\x02")) == Concatenation(7, 3, 2, True)
