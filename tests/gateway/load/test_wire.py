"""The generator's binds, its scanner and its answers, on canned octets."""

import pytest

from gateway.load import wire

RESP = bytes.fromhex("00000015 80000004 00000000 00000007") + b"1234\0"


def receipt(sequence: int, message_id: bytes) -> bytes:
    text = b"id:%b sub:001 dlvrd:001 stat:DELIVRD err:000 text:" % message_id
    body = b"\0\1\1447700000001\0\5\0ACME\0\4\0\0\0\0\0\0\0\0" + bytes([len(text)]) + text
    return wire.pdu(wire.DELIVER_SM, 0, sequence, body)


def test_a_bind_is_the_one_of_the_specification() -> None:
    octets = wire.bind("me", "pw", 1)
    assert octets[16:] == b"me\0pw\0\0\x34\0\0\0"
    assert wire.HEADER.unpack_from(octets) == (len(octets), wire.BIND_TRANSCEIVER, 0, 1)


def test_a_bind_may_be_of_another_kind_and_name_a_system_type() -> None:
    octets = wire.bind("me", "pw", 1, wire.BIND_TRANSMITTER, "VMA")
    assert octets[16:] == b"me\0pw\0VMA\0\x34\0\0\0"
    assert wire.HEADER.unpack_from(octets) == (len(octets), wire.BIND_TRANSMITTER, 0, 1)


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("ACME", b"\5\0ACME\0"),
        ("+33600000001", b"\1\x0133600000001\0"),
        ("36180", b"\3\x0036180\0"),
        ("+1st", b"\5\0+1st\0"),
    ],
)
def test_the_characters_decide_the_kind_of_an_address(name: str, octets: bytes) -> None:
    assert wire.address(name) == octets


def test_scan_sorts_what_came_and_leaves_what_is_not_whole() -> None:
    refused = wire.pdu(wire.SUBMIT_SM_RESP, 0x58, 8, b"\0")
    enquiry = wire.pdu(wire.ENQUIRE_LINK, 0, 3)
    whole = RESP + receipt(41, b"1234") + refused + enquiry + receipt(42, b"99")
    for rest in (b"", RESP[:3], RESP[:-1]):
        arrived = wire.scan(whole + rest)
        assert arrived == wire.Arrived(
            len(whole), [7], [b"1234"], [(8, 0x58)], [41, 42], [b"1234", b"99"], [(wire.ENQUIRE_LINK, 0, 3)]
        )


def test_a_delivery_that_is_no_receipt_has_no_id() -> None:
    message = wire.pdu(wire.DELIVER_SM, 0, 4, b"\0\1\0011\0\1\0012\0" + bytes(9) + b"\2hi")
    assert wire.scan(message)[4:6] == ([4], [])


@pytest.mark.parametrize("length", [0, 15, wire.LARGEST + 1, 0xFFFFFFFF])
def test_a_lying_length_is_not_believed(length: int) -> None:
    with pytest.raises(wire.WireError):
        wire.scan(RESP + length.to_bytes(4, "big") + RESP[4:])


def test_a_message_id_without_its_end_is_not_believed() -> None:
    with pytest.raises(wire.WireError):
        wire.scan(wire.pdu(wire.SUBMIT_SM_RESP, 0, 1, b"123"))


def test_acknowledgements_name_each_sequence() -> None:
    octets = wire.acknowledgements([1, 0x01020304, wire.LAST_SEQUENCE])
    assert octets == b"".join(
        wire.pdu(wire.DELIVER_SM | wire.RESPONSE, 0, number, b"\0") for number in (1, 0x01020304, wire.LAST_SEQUENCE)
    )
