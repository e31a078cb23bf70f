"""Delivery receipts, written and read."""
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu import constants as c
from pdu import receipt, tlv
from pdu.bodies import DELIVER_SM_BODY, DeliverSm, address

FROM, TO = address(5, 0, b"ACME"), address(1, 1, b"31600000001")
SUBMITTED = int(datetime(2026, 7, 1, 22, 30, 15, tzinfo=UTC).timestamp() * 1000)
DONE = SUBMITTED + 61_000
ID = b"1234567890123456789"


def deliver(text: bytes = b"hello", state: int = c.DELIVERED, error: int = 0, message_id: bytes = ID,
            vendor: bool = False, zone: ZoneInfo | None = None) -> DeliverSm:
    middle, tail = receipt.frame(SUBMITTED, DONE, state, error, vendor, zone or UTC)
    body, size = receipt.deliver_sm(message_id, FROM, TO, text, middle, tail)
    record = DELIVER_SM_BODY.decode(body, 1, 0, len(body))
    assert size == len(body) - len(record.tlvs)
    assert DELIVER_SM_BODY.decode(body, 1, 0, size)[:-2] == record[:-2]      # a 3.3 client gets only so much
    return record


def test_the_whole_receipt() -> None:
    record = deliver()

    assert record == DELIVER_SM_BODY.build(
        1, source=TO, destination=FROM, esm_class=c.ESM_RECEIPT,
        short_message=b"id:1234567890123456789 sub:001 dlvrd:001 submit date:2607012230 done date:2607012231 "
                      b"stat:DELIVRD err:000 text:hello",
        tlvs=tlv.encode([tlv.pair(c.TLV_RECEIPTED_MESSAGE_ID, ID), (c.TLV_NETWORK_ERROR_CODE, b"\x03\0\0"),
                         tlv.pair(c.TLV_MESSAGE_STATE, c.DELIVERED)]))


@pytest.mark.parametrize(("state", "stat"), sorted(receipt.STAT.items()))
def test_every_state_has_its_word(state: int, stat: bytes) -> None:
    record = deliver(state=state, error=9)

    assert b"stat:" + stat + b" err:009 " in record.short_message
    assert (b"dlvrd:001" in record.short_message) == (state == c.DELIVERED)
    assert tlv.find(record.tlvs, c.TLV_MESSAGE_STATE) == bytes([state])
    assert tlv.find(record.tlvs, c.TLV_NETWORK_ERROR_CODE) == b"\x03\0\x09"
    assert receipt.parse(record.short_message).state == state


def test_the_vendor_tlv_carries_the_id_too() -> None:
    record = deliver(vendor=True, state=c.UNDELIVERABLE, error=0x1401)

    assert tlv.parse(record.tlvs)[-1] == (c.TLV_OUTGOING_ID, ID + b"\0")
    assert tlv.find(deliver(state=c.UNDELIVERABLE, error=0x1401).tlvs, c.TLV_OUTGOING_ID) is None


def test_the_dates_are_in_the_zone_of_the_account() -> None:
    record = deliver(zone=ZoneInfo("Europe/Warsaw"))

    assert b"submit date:2607020030 done date:2607020031" in record.short_message


@pytest.mark.parametrize(("text", "quoted"), [
    (b"x" * 30, b"x" * 20), (b"", b""), ("zażółć".encode("utf-16-be"), b""), (b"caf\x05", b""), (b"a\0", b""),
    (b"a\x7f", b""), (b"x" * 20 + b"\xff", b"x" * 20), (b"~ !", b"~ !"),
])
def test_the_quoted_text_is_short_and_printable_ascii_or_nothing(text: bytes, quoted: bytes) -> None:
    assert receipt.parse(deliver(text).short_message).text == quoted


@given(st.text("0123456789abcdef", min_size=1, max_size=64), st.binary(max_size=30),
       st.sampled_from(sorted(receipt.STAT)), st.integers(0, 999), st.booleans())
def test_what_is_written_is_read(message_id: str, text: bytes, state: int, error: int, vendor: bool) -> None:
    record = deliver(text, state, error, message_id.encode(), vendor)
    read = receipt.parse(record.short_message)

    assert record.short_message.isascii()
    assert read.message_id == message_id.encode() == tlv.value(
        c.TLV_RECEIPTED_MESSAGE_ID, tlv.find(record.tlvs, c.TLV_RECEIPTED_MESSAGE_ID) or b"")
    assert (read.state, int(read.error), read.submitted, read.delivered) == (state, error, 1, int(state == c.DELIVERED))
    assert text.startswith(read.text)


def test_receipts_of_one_minute_share_their_template() -> None:
    assert receipt.frame(SUBMITTED, DONE, 2, 0)[0] is receipt.frame(SUBMITTED + 1, DONE + 1, 2, 0)[0]


# -- as products write them --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("text", "expected"), [
    (b"id:0123456789 sub:001 dlvrd:001 submit date:0809011130 done date:0809011131 stat:DELIVRD err:000 Text:hello you",
     (b"0123456789", 1, 1, b"0809011130", b"0809011131", b"DELIVRD", c.DELIVERED, b"000", b"hello you")),
    (b"id:c449ab97-44 sub:001 dlvrd:000 submit date:080901113059 done date:080901113110 stat:EXPIRED err:00B text:",
     (b"c449ab97-44", 1, 0, b"080901113059", b"080901113110", b"EXPIRED", c.EXPIRED, b"00B", b"")),
    (b"id:7 submit date:0809011130 done date:0809011131 stat:UNDELIV err:1",
     (b"7", 0, 0, b"0809011130", b"0809011131", b"UNDELIV", c.UNDELIVERABLE, b"1", b"")),
    (b"id:7 stat:BUFFERED", (b"7", 0, 0, b"", b"", b"BUFFERED", 0, b"", b"")),
    (b"ID:7 STAT:delivrd", (b"7", 0, 0, b"", b"", b"delivrd", c.DELIVERED, b"", b"")),
    (b"id: stat:DELIVRD err:000 text:a\nb", (b"", 0, 0, b"", b"", b"DELIVRD", c.DELIVERED, b"000", b"a\nb")),
])
def test_receipts_of_others_are_read(text: bytes, expected: tuple[object, ...]) -> None:
    assert receipt.parse(text) == expected


@pytest.mark.parametrize("text", [b"", b"hello", b"id:7", b"stat:DELIVRD", b"\xff\xfe"])
def test_what_is_no_receipt_says_so(text: bytes) -> None:
    with pytest.raises(ValueError):
        receipt.parse(text)


@given(st.binary(max_size=200), st.sampled_from([b"", b"id:", b"id:7 sub:", b"id:7 stat:"]))
def test_random_octets_raise_nothing_but_value_error(octets: bytes, start: bytes) -> None:
    try:
        receipt.parse(start + octets)
    except ValueError as fault:
        told = fault
    else:
        return
    assert str(told) == "not a delivery receipt"
