"""Every body of the specification: its layout in hexadecimal by hand, and round trips of anything it can hold."""
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu import constants as c
from pdu import tlv
from pdu.bodies import (
    BIND_BODY,
    BODIES,
    DATA_SM_BODY,
    OUTBIND_BODY,
    QUERY_SM_BODY,
    SUBMIT_SM_BODY,
    DistributionList,
    HeaderOnly,
    Unsuccess,
    address,
    digits_of,
    user_data,
)
from pdu.faults import Malformed

from .strategies import COMMANDS, fault_of, records

FROM, TO = address(5, 0, b"ACME"), address(1, 1, b"4412345")
FROM_HEX, TO_HEX = "05 00 41434d4500", "01 01 3434313233343500"
ID, ID_HEX = b"1234", "3132333400"

#                            the layouts of §4, octet by octet
VECTORS: list[tuple[int, dict[str, Any], str]] = [
    (c.BIND_TRANSCEIVER, {"system_id": b"esme", "password": b"secret", "system_type": b"VMA", "addr_ton": 1,
                          "addr_npi": 2, "address_range": b"^1"},
     "65736d6500 73656372657400 564d4100 34 01 02 5e3100"),
    (c.BIND_TRANSMITTER_RESP, {"system_id": b"gate", "tlvs": tlv.encode([(c.TLV_SC_INTERFACE_VERSION, b"\x34")])},
     "6761746500 0210 0001 34"),
    (c.OUTBIND, {"system_id": b"gate", "password": b"pw"}, "6761746500 707700"),
    (c.UNBIND, {}, ""),
    (c.SUBMIT_SM, {"service_type": b"CMT", "source": FROM, "destination": TO, "esm_class": 0x40, "protocol_id": 1,
                   "priority_flag": 2, "schedule_delivery_time": b"260101000000000+",
                   "validity_period": b"000001000000000R", "registered_delivery": 1, "replace_if_present_flag": 1,
                   "data_coding": 8, "sm_default_msg_id": 3, "short_message": b"\0h\0i",
                   "tlvs": tlv.encode([(c.TLV_USER_MESSAGE_REFERENCE, b"\0\x07")])},
     f"434d5400 {FROM_HEX} {TO_HEX} 40 01 02 3236303130313030303030303030302b00 3030303030313030303030303030305200"
     " 01 01 08 03 04 00680069 0204 0002 0007"),
    (c.SUBMIT_SM_RESP, {"message_id": ID}, ID_HEX),
    (c.DELIVER_SM, {"source": TO, "destination": FROM, "esm_class": 4, "short_message": b"ok"},
     f"00 {TO_HEX} {FROM_HEX} 04 00 00 00 00 00 00 00 00 02 6f6b"),
    (c.DELIVER_SM_RESP, {}, "00"),
    (c.DATA_SM, {"source": FROM, "destination": TO, "registered_delivery": 1, "data_coding": 4,
                 "tlvs": tlv.encode([(c.TLV_MESSAGE_PAYLOAD, b"hi")])},
     f"00 {FROM_HEX} {TO_HEX} 00 01 04 0424 0002 6869"),
    (c.DATA_SM_RESP, {"message_id": ID, "tlvs": tlv.encode([(c.TLV_DELIVERY_FAILURE_REASON, b"\x01")])},
     f"{ID_HEX} 0425 0001 01"),
    (c.SUBMIT_MULTI, {"source": FROM, "destinations": (TO, DistributionList(b"all")), "short_message": b"x"},
     f"00 {FROM_HEX} 02 01 {TO_HEX} 02 616c6c00 00 00 00 00 00 00 00 00 00 01 78"),
    (c.SUBMIT_MULTI_RESP, {"message_id": ID, "unsuccess": (Unsuccess(TO, c.ESME_RINVDSTADR),)},
     f"{ID_HEX} 01 {TO_HEX} 0000000b"),
    (c.QUERY_SM, {"message_id": ID, "source": FROM}, f"{ID_HEX} {FROM_HEX}"),
    (c.QUERY_SM_RESP, {"message_id": ID, "final_date": b"260101000000000+", "message_state": 2, "error_code": 9},
     f"{ID_HEX} 3236303130313030303030303030302b00 02 09"),
    (c.CANCEL_SM, {"service_type": b"CMT", "message_id": ID, "source": FROM, "destination": TO},
     f"434d5400 {ID_HEX} {FROM_HEX} {TO_HEX}"),
    (c.CANCEL_SM_RESP, {}, ""),
    (c.REPLACE_SM, {"message_id": ID, "source": FROM, "registered_delivery": 1, "short_message": b"new"},
     f"{ID_HEX} {FROM_HEX} 00 00 01 00 03 6e6577"),
    (c.REPLACE_SM_RESP, {}, ""),
    (c.ALERT_NOTIFICATION, {"source": TO, "esme": FROM, "tlvs": tlv.encode([(c.TLV_MS_AVAILABILITY_STATUS, b"\0")])},
     f"{TO_HEX} {FROM_HEX} 0422 0001 00"),
    (c.ENQUIRE_LINK, {}, ""),
    (c.GENERIC_NACK, {}, ""),
]


@pytest.mark.parametrize(("command", "values", "octets"), VECTORS, ids=[c.COMMAND_NAMES[row[0]] for row in VECTORS])
def test_the_layout_is_that_of_the_specification(command: int, values: dict[str, Any], octets: str) -> None:
    body, grammar = bytes.fromhex(octets), BODIES[command]

    record = grammar.build(5, **values)

    assert record.raw == grammar.encode(record) == body
    assert grammar.decode(body, 5, 0, len(body)) == record
    assert {name: getattr(record, name) for name in values} == values


def test_every_command_has_a_body_and_every_body_a_command() -> None:
    assert BODIES.keys() == c.COMMAND_NAMES.keys()


def test_every_record_starts_with_the_sequence_and_ends_with_tlvs_and_raw() -> None:
    for grammar in BODIES.values():
        assert grammar.record._fields[0] == "sequence"
        assert grammar.record._fields[-2:] == ("tlvs", "raw")


@given(COMMANDS, st.data())
def test_every_body_comes_back_as_it_was(command: int, data: st.DataObject) -> None:
    grammar = BODIES[command]
    record = data.draw(records(command))

    octets = grammar.encode(record)

    assert grammar.decode(octets, record.sequence, 0, len(octets)) == record
    assert grammar.encode(record._replace(raw=b"")) == octets


@given(COMMANDS, st.data())
def test_a_body_cut_anywhere_never_reads_on(command: int, data: st.DataObject) -> None:
    """What stands behind the frame must not matter, whatever is inside."""
    grammar = BODIES[command]
    octets = data.draw(records(command)).raw
    cut = data.draw(st.integers(0, len(octets)))
    seen = []
    for behind in (b"", octets[cut:], b"\0" * 70):
        try:
            seen.append(grammar.decode(octets[:cut] + behind, 1, 0, cut))
        except Malformed as fault:
            seen.append(fault.args)

    assert seen[0] == seen[1] == seen[2]


@given(COMMANDS, st.data())
def test_the_explanation_agrees_with_decoding_when_an_octet_is_changed(command: int, data: st.DataObject) -> None:
    grammar = BODIES[command]
    octets = bytearray(data.draw(records(command)).raw or b"\0")
    octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    body = bytes(octets)

    fault = fault_of(grammar, body)

    assert fault is None or 16 <= fault.offset <= 16 + len(body)
    assert fault is None or fault.status in c.STATUS_NAMES


@pytest.mark.parametrize("command", sorted(BODIES))
def test_a_password_never_enters_a_repr(command: int) -> None:
    if "password" in BODIES[command].record._fields:
        record = BODIES[command].build(1, system_id=b"esme", password=b"sesame")

        assert "sesame" not in f"{record} {record!r}"
        assert "esme" in repr(record)


# -- where clients overrun the specification ---------------------------------------------------------------------------
def test_system_id_and_password_are_read_up_to_64_octets() -> None:
    for grammar in (BIND_BODY, OUTBIND_BODY):
        record = grammar.build(1, system_id=b"s" * 64, password=b"p" * 64)

        assert (record.system_id, record.password) == (b"s" * 64, b"p" * 64)
        with pytest.raises(ValueError):
            grammar.build(1, password=b"p" * 65)


def test_a_bind_that_cannot_be_read_is_a_failed_bind() -> None:
    for body in (b"", b"esme\0secret", b"esme\0" + b"p" * 65 + b"\0\0\x34\0\0\0",
                 b"esme\0pw\0\0\x34\0\0" + b"9" * 41 + b"\0"):
        fault = fault_of(BIND_BODY, body)

        assert fault is not None
        assert fault.status == c.ESME_RBINDFAIL


def test_a_password_that_fills_its_octets_is_refused_and_not_read_past_the_pdu() -> None:
    body = bytes.fromhex("65736d6500 313233343536373839") + b"VMA\0\x34\0\0\0"

    fault = fault_of(BIND_BODY, body)

    assert fault is not None
    assert fault.field == "addr_npi"


def test_a_message_that_ends_in_nul_keeps_it() -> None:
    record = SUBMIT_SM_BODY.build(1, destination=TO, short_message=b"hi\0")

    assert record.short_message == b"hi\0"


@pytest.mark.parametrize(("field", "value", "status"), [
    ("service_type", b"CMTCMT", c.ESME_RINVPARLEN), ("source", address(1, 1, b"9" * 21), c.ESME_RINVPARLEN),
    ("schedule_delivery_time", b"2" * 17, c.ESME_RINVSCHED), ("validity_period", b"2" * 17, c.ESME_RINVEXPIRY),
    ("priority_flag", 4, c.ESME_RINVPRTFLG), ("replace_if_present_flag", 2, c.ESME_RINVREPFLAG),
    ("sm_length", 255, c.ESME_RINVMSGLEN), ("sm_length", 3, c.ESME_RINVMSGLEN),
])
def test_a_field_beyond_its_limits_has_its_own_status(field: str, value: Any, status: int) -> None:
    record = SUBMIT_SM_BODY.build(1, destination=TO, short_message=b"hi")._replace(**{field: value})
    body = SUBMIT_SM_BODY.encode(record) + b"\0" * 300 * (value == 255)

    fault = fault_of(SUBMIT_SM_BODY, body)

    assert fault is not None
    assert (fault.field, fault.status) == (field, status)


def test_the_id_of_an_earlier_message_has_its_own_status() -> None:
    body = b"9" * 65 + b"\0" + FROM

    fault = fault_of(QUERY_SM_BODY, body)

    assert fault is not None
    assert fault.status == c.ESME_RINVMSGID


# -- addresses and user data -------------------------------------------------------------------------------------------
def test_an_address_is_ton_npi_digits_and_nul() -> None:
    assert address(1, 1, b"44") == b"\x01\x0144\0"
    assert digits_of(address(1, 1, b"44")) == b"44"
    assert digits_of(address(0, 0, b"")) == b""


def payload(octets: bytes) -> bytes:
    return tlv.encode([(0x1400, b"?"), (c.TLV_MESSAGE_PAYLOAD, octets)])


def test_the_text_is_the_short_message_or_the_payload() -> None:
    build = SUBMIT_SM_BODY.build

    assert user_data(build(1, short_message=b"short")) == b"short"
    assert user_data(build(1, short_message=b"short", tlvs=tlv.encode([(0x1400, b"?")]))) == b"short"
    assert user_data(build(1, tlvs=payload(b"long" * 100))) == b"long" * 100
    assert user_data(build(1)) == b""
    assert user_data(build(1, short_message=b"short", tlvs=payload(b""))) == b"short"


def test_both_filled_are_refused() -> None:
    record = SUBMIT_SM_BODY.build(1, short_message=b"short", tlvs=payload(b"long"))

    with pytest.raises(Malformed) as fault:
        user_data(record)

    assert (fault.value.field, fault.value.status) == ("message_payload", c.ESME_RINVMSGLEN)
    assert record.raw[fault.value.offset - 16:] == record.tlvs


def test_a_data_sm_needs_its_payload() -> None:
    assert user_data(DATA_SM_BODY.build(1, tlvs=payload(b"text"))) == b"text"
    assert user_data(DATA_SM_BODY.build(1, tlvs=payload(b""))) == b""
    with pytest.raises(Malformed) as fault:
        user_data(DATA_SM_BODY.build(1))
    assert fault.value.status == c.ESME_RMISSINGOPTPARAM


def test_whatever_stands_behind_a_header_only_pdu_is_kept_and_ignored() -> None:
    assert BODIES[c.ENQUIRE_LINK].decode(b"..junk", 4, 2, 6) == HeaderOnly(4, b"", b"junk")
    assert BODIES[c.ENQUIRE_LINK].explain(b"junk", 0, 4) is None
