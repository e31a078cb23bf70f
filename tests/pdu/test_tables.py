"""Bodies with a table inside: the submit_multi pair."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.bodies import SUBMIT_MULTI_BODY, SUBMIT_MULTI_RESP_BODY, DistributionList, SubmitMulti, Unsuccess, address
from pdu.faults import Malformed

from .strategies import fault_of

FROM, ONE, TWO = address(5, 0, b"ACME"), address(1, 1, b"31600000001"), address(1, 1, b"31600000002")
HEAD = b"\0" + FROM
TAIL = b"\0\0\0\0\0\x01\0\0\0\x02hi"
TABLE = b"\x03\x01" + ONE + b"\x02friends\0\x01" + TWO


def decode(body: bytes) -> SubmitMulti:
    return SUBMIT_MULTI_BODY.decode(b"-" * 5 + body + b"\0" * 20, 9, 5, 5 + len(body))


def test_destinations_are_addresses_and_distribution_lists_in_their_order() -> None:
    record = decode(HEAD + TABLE + TAIL)

    assert record.number_of_dests == 3
    assert record.destinations == (ONE, DistributionList(b"friends"), TWO)
    assert (record.source, record.registered_delivery, record.short_message) == (FROM, 1, b"hi")
    assert SUBMIT_MULTI_BODY.encode(record) == record.raw == HEAD + TABLE + TAIL


def test_tlvs_and_trailing_zeros_behind_the_text() -> None:
    tlvs = b"\x02\x04\0\x02\0\x07"

    record = decode(HEAD + TABLE + TAIL + tlvs + b"\0")

    assert record.tlvs == tlvs
    assert SUBMIT_MULTI_BODY.encode(record) == HEAD + TABLE + TAIL + tlvs + b"\0"


START = 16 + len(HEAD)


@pytest.mark.parametrize(("body", "fault"), [
    (b"", ("service_type", 16, 0xC2)),
    (HEAD, ("number_of_dests", START, 0xC2)),
    (HEAD + b"\x00" + TAIL, ("number_of_dests", START, 0x33)),
    (HEAD + b"\xff" + (b"\x01" + ONE) * 255 + TAIL, ("number_of_dests", START, 0x33)),
    (HEAD + b"\x01\x03" + ONE + TAIL, ("dest_flag", START + 1, 0x40)),
    (HEAD + b"\x02\x01" + ONE + b"\x00" + TAIL, ("dest_flag", START + 2 + len(ONE), 0x40)),
    (HEAD + b"\x02\x01" + ONE, ("destinations", START + 2 + len(ONE), 0xC2)),
    (HEAD + b"\x01\x01\x01\x01" + b"9" * 21 + b"\0" + TAIL, ("destinations", START + 1, 0xC2)),
    (HEAD + b"\x01\x02" + b"x" * 21 + b"\0" + TAIL, ("destinations", START + 1, 0xC2)),
    (HEAD + TABLE, ("esm_class", START + len(TABLE), 0xC2)),
    (HEAD + TABLE + b"\0\0\x04" + TAIL[3:], ("priority_flag", START + len(TABLE) + 2, 0x06)),
    (HEAD + TABLE + TAIL[:-1], ("sm_length", START + len(TABLE) + 9, 0x01)),
    (HEAD + TABLE + TAIL + b"\x01\x02\x03", ("tlvs", START + len(TABLE + TAIL), 0xC0)),
])
def test_the_fault_names_field_offset_and_status(body: bytes, fault: tuple[str, int, int]) -> None:
    found = fault_of(SUBMIT_MULTI_BODY, body)

    assert found is not None
    assert (found.field, found.offset, found.status) == fault


def test_the_most_destinations_are_254() -> None:
    assert len(decode(HEAD + b"\xfe" + (b"\x01" + ONE) * 254 + TAIL).destinations) == 254


def test_unsuccessful_destinations_carry_a_status_of_four_octets() -> None:
    body = b"42\0\x01" + ONE + bytes.fromhex("0000000b")

    record = SUBMIT_MULTI_RESP_BODY.decode(body, 1, 0, len(body))

    assert (record.message_id, record.unsuccess) == (b"42", (Unsuccess(ONE, 0x0B),))
    assert SUBMIT_MULTI_RESP_BODY.build(1, message_id=b"42", unsuccess=(Unsuccess(ONE, 0x0B),)).raw == body
    with pytest.raises(Malformed):
        SUBMIT_MULTI_RESP_BODY.decode(body, 1, 0, len(body) - 1)


def test_build_counts_the_rows() -> None:
    record = SUBMIT_MULTI_BODY.build(2, source=FROM, destinations=(ONE, DistributionList(b"friends"), TWO),
                                     registered_delivery=1, short_message=b"hi")

    assert record == (2, *decode(HEAD + TABLE + TAIL)[1:])


@pytest.mark.parametrize("values", [
    {},                                             # nobody to send to
    {"destinations": (ONE,) * 255},
    {"destinations": (b"123",)},                    # no address: the NUL is missing
    {"destinations": (DistributionList(b"a" * 21),)},
    {"destinations": (ONE,), "number_of_dests": 2},
])
def test_build_refuses_what_nobody_could_read_back(values: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        SUBMIT_MULTI_BODY.build(1, **values)


def test_a_status_that_is_no_number_of_four_octets_is_refused() -> None:
    with pytest.raises(ValueError):
        SUBMIT_MULTI_RESP_BODY.build(1, unsuccess=(Unsuccess(ONE, 1 << 32),))


@given(st.binary(max_size=60))
def test_the_explanation_agrees_with_the_patterns(tail: bytes) -> None:
    for grammar, body in ((SUBMIT_MULTI_BODY, HEAD + tail), (SUBMIT_MULTI_BODY, HEAD + TABLE + tail),
                          (SUBMIT_MULTI_RESP_BODY, tail)):
        if fault_of(grammar, body) is None:
            assert grammar.decode(body, 1, 0, len(body)).raw == body
