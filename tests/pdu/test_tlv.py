"""Optional parameters: whole, kept octet for octet, and typed on demand."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu import constants as c
from pdu import tlv
from pdu.faults import Malformed

from .strategies import TLVS


@given(TLVS)
def test_what_is_encoded_is_parsed(pairs: list[tuple[int, bytes]]) -> None:
    octets = tlv.encode(pairs)

    tlv.check(octets)
    assert tlv.whole(octets) == octets
    assert tlv.parse(octets) == pairs


@given(TLVS, st.integers(0, 0xFFFF))
def test_find_gives_the_first_of_its_tag(pairs: list[tuple[int, bytes]], tag: int) -> None:
    octets = tlv.encode(pairs)

    assert tlv.find(octets, tag) == next((value for found, value in pairs if found == tag), None)
    for found, _ in pairs:
        assert tlv.find(octets, found) == next(value for other, value in pairs if other == found)


@given(st.binary(max_size=60))
def test_random_octets_are_whole_tlvs_or_malformed(octets: bytes) -> None:
    try:
        found = tlv.whole(octets, 100)
    except Malformed as fault:
        told = fault
    else:
        assert octets.startswith(found)
        assert tlv.encode(tlv.parse(found)) == found
        assert len(octets) - len(found) <= tlv.SLACK
        return
    assert told.status == c.ESME_RINVOPTPARSTREAM
    assert 100 <= told.offset <= 100 + len(octets)
    with pytest.raises(Malformed):
        tlv.check(octets)


def test_a_length_that_lies_is_named() -> None:
    with pytest.raises(Malformed) as fault:
        tlv.parse(bytes.fromhex("001e 0041 3132333400"))

    assert (fault.value.field, fault.value.offset) == ("receipted_message_id", 0)


def test_stray_octets_are_refused_and_zeros_tolerated_only_behind_a_body() -> None:
    assert tlv.whole(b"\0\0\0") == b""
    for octets in (b"\x01", b"\0\0\x01"):
        with pytest.raises(Malformed):
            tlv.whole(octets)
    with pytest.raises(Malformed):
        tlv.check(b"\0")


@pytest.mark.parametrize("pairs", [[(0x10000, b"")], [(-1, b"")], [(5, b"x" * 65536)]])
def test_what_does_not_fit_is_not_encoded(pairs: list[tuple[int, bytes]]) -> None:
    with pytest.raises(ValueError):
        tlv.encode(pairs)


# -- the table ---------------------------------------------------------------------------------------------------------
def test_every_tag_constant_stands_in_the_table_but_the_vendors() -> None:
    tags = {name: number for name, number in vars(c).items() if name.startswith("TLV_")}

    assert {number for number in tags.values() if number < 0x1400} == tlv.TABLE.keys()
    for name, number in tags.items():
        if number < 0x1400:
            assert tlv.name_of(number) == name.removeprefix("TLV_").lower()


def test_what_we_send_is_allowed_where_we_send_it() -> None:
    for tag in (c.TLV_RECEIPTED_MESSAGE_ID, c.TLV_MESSAGE_STATE, c.TLV_NETWORK_ERROR_CODE,
                c.TLV_USER_MESSAGE_REFERENCE):
        assert c.DELIVER_SM in tlv.TABLE[tag].valid_in
    assert tlv.TABLE[c.TLV_SC_INTERFACE_VERSION].valid_in == {number | c.RESPONSE for number in c.BINDS}
    assert c.SUBMIT_MULTI not in tlv.TABLE[c.TLV_DEST_SUBADDRESS].valid_in


def test_unknown_tags_have_a_name_and_keep_their_value() -> None:
    assert tlv.name_of(0x1401) == "tlv_0x1401"
    assert tlv.value(0x1401, b"\x01\x02") == b"\x01\x02"


@pytest.mark.parametrize("octets", [b"\x07", b"\0\x07", b"\0\0\x07", b"\0\0\0\x07"])
def test_short_integers_are_read_in_any_size(octets: bytes) -> None:
    assert tlv.value(c.TLV_USER_MESSAGE_REFERENCE, octets) == 7
    assert tlv.value(c.TLV_MESSAGE_STATE, octets) == 7


@pytest.mark.parametrize(("tag", "octets", "status"), [
    (c.TLV_MESSAGE_STATE, b"", c.ESME_RINVPARLEN), (c.TLV_MESSAGE_STATE, b"\0" * 5, c.ESME_RINVPARLEN),
    (c.TLV_RECEIPTED_MESSAGE_ID, b"", c.ESME_RINVPARLEN), (c.TLV_CALLBACK_NUM, b"123", c.ESME_RINVPARLEN),
    (c.TLV_NETWORK_ERROR_CODE, b"\x03\0", c.ESME_RINVPARLEN), (c.TLV_SAR_TOTAL_SEGMENTS, b"\0", c.ESME_RINVOPTPARAMVAL),
    (c.TLV_PRIVACY_INDICATOR, b"\x04", c.ESME_RINVOPTPARAMVAL),
    (c.TLV_NUMBER_OF_MESSAGES, b"\x64", c.ESME_RINVOPTPARAMVAL),
])
def test_a_value_that_makes_no_sense_says_so_when_it_is_asked(tag: int, octets: bytes, status: int) -> None:
    with pytest.raises(Malformed) as fault:
        tlv.value(tag, octets)

    assert (fault.value.field, fault.value.status) == (tlv.name_of(tag), status)


def test_strings_lose_their_nul_and_the_alert_takes_both_forms() -> None:
    assert tlv.value(c.TLV_RECEIPTED_MESSAGE_ID, b"123\0") == b"123"
    assert tlv.value(c.TLV_RECEIPTED_MESSAGE_ID, b"123") == b"123"
    assert tlv.value(c.TLV_ALERT_ON_MESSAGE_DELIVERY, b"") == b""
    assert tlv.value(c.TLV_ALERT_ON_MESSAGE_DELIVERY, b"\x01") == b"\x01"


@pytest.mark.parametrize(("tag", "value", "octets"), [
    (c.TLV_SC_INTERFACE_VERSION, 0x34, b"\x34"), (c.TLV_USER_MESSAGE_REFERENCE, 7, b"\0\x07"),
    (c.TLV_QOS_TIME_TO_LIVE, 60, b"\0\0\0\x3c"), (c.TLV_RECEIPTED_MESSAGE_ID, b"12", b"12\0"),
    (c.TLV_MESSAGE_PAYLOAD, b"text", b"text"),
])
def test_a_typed_value_is_written_in_the_size_of_the_table(tag: int, value: int | bytes, octets: bytes) -> None:
    assert tlv.pair(tag, value) == (tag, octets)
    assert tlv.value(tag, octets) == value


def test_a_pdu_is_explained_to_people() -> None:
    octets = tlv.encode([(c.TLV_MESSAGE_STATE, b"\x02"), (c.TLV_RECEIPTED_MESSAGE_ID, b"12\0"), (0x1400, b"?"),
                         (c.TLV_SAR_TOTAL_SEGMENTS, b"\0")])

    assert tlv.explain(octets) == [("message_state", 2), ("receipted_message_id", b"12"), ("tlv_0x1400", b"?"),
                                   ("sar_total_segments", b"\0")]


@given(st.sampled_from(sorted(tlv.TABLE)), st.binary(max_size=70))
def test_any_value_is_read_or_malformed(tag: int, octets: bytes) -> None:
    try:
        tlv.value(tag, octets)
    except Malformed as fault:
        told = fault
    else:
        return
    assert told.status in (c.ESME_RINVPARLEN, c.ESME_RINVOPTPARAMVAL)
