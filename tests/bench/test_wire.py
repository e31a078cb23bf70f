"""The generator's encoder and scanner on canned octets."""

from itertools import count

import pytest

from bench import wire

RESP = bytes.fromhex("00000015 80000004 00000000 00000007") + b"1234\0"


def receipt(sequence: int, message_id: bytes) -> bytes:
    text = b"id:%b sub:001 dlvrd:001 stat:DELIVRD err:000 text:" % message_id
    body = b"\0\1\1447700000001\0\5\0ACME\0\4\0\0\0\0\0\0\0\0" + bytes([len(text)]) + text
    return wire.pdu(wire.DELIVER_SM, 0, sequence, body)


def submits(octets: bytes) -> list[tuple[int, bytes, bytes]]:
    """Sequence number, source and destination of each submit_sm, read field by field."""
    found, at = [], 0
    while at < len(octets):
        length, command, status, sequence = wire.HEADER.unpack_from(octets, at)
        assert (command, status) == (wire.SUBMIT_SM, 0)
        body = octets[at + 16 : at + length]
        assert body[0] == 0
        end_of_source = body.index(0, 3) + 1
        end_of_destination = body.index(0, end_of_source + 2) + 1
        options = body[end_of_destination:]
        assert options[9] == len(options) - 10
        found.append((sequence, body[1:end_of_source], body[end_of_source:end_of_destination]))
        at += length
    return found


def test_a_bind_is_the_one_of_the_specification() -> None:
    octets = wire.bind("me", "pw", 1)
    assert octets[16:] == b"me\0pw\0\0\x34\0\0\0"
    assert wire.HEADER.unpack_from(octets) == (len(octets), wire.BIND_TRANSCEIVER, 0, 1)


@pytest.mark.parametrize(
    ("name", "octets"),
    [("ACME", b"\5\0ACME\0"), ("+33600000001", b"\1\x0133600000001\0"), ("36180", b"\3\x0036180\0")],
)
def test_the_characters_decide_the_kind_of_an_address(name: str, octets: bytes) -> None:
    assert wire.address(name) == octets


@pytest.mark.parametrize("senders", [("ACME",), ("ACME", "+33600000001", "36180")])
def test_pages_count_up_take_turns_and_never_repeat_a_destination(senders: tuple[str, ...]) -> None:
    pages = wire.Pages(count(), senders, first=2)
    octets = b"".join(piece for size in (1, 99, 1500, 700) for _numbers, piece in pages.take(size))
    messages = submits(octets)
    assert [sequence for sequence, _source, _destination in messages] == list(range(2, 2302))
    assert [source for _sequence, source, _destination in messages[:4]] == [
        wire.address(senders[place % len(senders)]) for place in range(4)
    ]
    assert messages[0][2] == b"\1\x01447700000000\0"
    assert len({destination for _sequence, _source, destination in messages}) == 2300


def test_take_tells_the_sequence_numbers_of_what_it_gives() -> None:
    pages = wire.Pages(count(), first=5)
    for size in (3, 1200):
        for numbers, octets in pages.take(size):
            assert list(numbers) == [sequence for sequence, _source, _destination in submits(octets)]


def test_sequence_numbers_wrap_before_the_last() -> None:
    pages = wire.Pages(count(), first=wire.LAST_SEQUENCE - 1500)
    numbers = [number for run, _octets in pages.take(3000) for number in run]
    assert max(numbers) <= wire.LAST_SEQUENCE
    assert numbers[-1] < 3000
    assert 0 not in numbers


@pytest.mark.parametrize("receipts", [True, False])
def test_length_and_registered_delivery_are_as_asked(receipts: bool) -> None:
    ((_numbers, octets),) = wire.Pages(count(), length=160, receipts=receipts).take(1)
    assert octets[-161] == 160
    assert octets[-165] == receipts


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
