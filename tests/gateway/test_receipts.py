"""Receipts and MO as the gateway puts them on the wire, by the account's settings."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acl.settings import Settings
from gateway import receipts
from gateway.delivery import Due
from pdu import constants as c
from pdu import tlv
from pdu.bodies import BODIES, SUBMIT_SM_BODY, DeliverSm, SubmitSm
from pdu.receipt import Receipt, parse
from store.protocol import Owed

from .scene import MOBILE, SENDER, START_MS, submit

DONE_MS = START_MS + 61_000
STANDARD = [c.TLV_RECEIPTED_MESSAGE_ID, c.TLV_NETWORK_ERROR_CODE, c.TLV_MESSAGE_STATE]
REFERENCE = tlv.encode([(c.TLV_USER_MESSAGE_REFERENCE, b"\x12\x34")])


def settings(**values: Any) -> Settings:
    return Settings.of(values)


def made(message: SubmitSm, of: Settings | None = None, state: int = c.DELIVERED, error: int = 0) -> Due:
    [due] = receipts.make(of or settings(), [(7, b"7", message)], START_MS, DONE_MS, state, error)
    return due


def read(due: Due) -> DeliverSm:
    record: DeliverSm = BODIES[c.DELIVER_SM].decode(due.octets, 0, 0, len(due.octets))
    return record


def text_of(due: Due) -> Receipt:
    return parse(read(due).short_message)


def tags(due: Due) -> list[int]:
    return [tag for tag, _value in tlv.parse(read(due).tlvs)]


# -- one receipt ---------------------------------------------------------------------------------------------------
def test_a_receipt_goes_back_the_way_its_message_came() -> None:
    due = made(submit(short_message=b"hello"))
    record = read(due)
    assert (record.source, record.destination, record.esm_class) == (MOBILE, SENDER, c.ESM_RECEIPT)
    assert record.short_message == (
        b"id:7 sub:001 dlvrd:001 submit date:2609211413 done date:2609211414 stat:DELIVRD err:000 text:hello"
    )
    assert tlv.find(record.tlvs, c.TLV_RECEIPTED_MESSAGE_ID) == b"7\0"
    assert tlv.find(record.tlvs, c.TLV_MESSAGE_STATE) == bytes([c.DELIVERED])
    assert (due.id, due.since_ms) == (7, DONE_MS)


@pytest.mark.parametrize(
    ("state", "error", "stat", "delivered"),
    [
        (c.DELIVERED, 0, b"DELIVRD", 1),
        (c.EXPIRED, 254, b"EXPIRED", 0),
        (c.DELETED, 0, b"DELETED", 0),
        (c.UNDELIVERABLE, 11, b"UNDELIV", 0),
        (c.REJECTED, 3, b"REJECTD", 0),
    ],
)
def test_how_it_ended(state: int, error: int, stat: bytes, delivered: int) -> None:
    due = made(submit(), state=state, error=error)
    found = text_of(due)
    assert (found.stat, found.delivered, found.error) == (stat, delivered, b"%03d" % error)
    assert tlv.find(read(due).tlvs, c.TLV_MESSAGE_STATE) == bytes([state])


@pytest.mark.parametrize(
    ("choice", "expected"),
    [("standard", STANDARD), ("vendor", [*STANDARD, c.TLV_OUTGOING_ID]), ("none", list[int]())],
)
def test_the_optional_parameters_are_the_accounts_choice(choice: str, expected: list[int]) -> None:
    due = made(submit(), settings(receipt_tlvs=choice))
    assert tags(due) == expected
    assert text_of(due).message_id == b"7"


@pytest.mark.parametrize("choice", ["standard", "vendor", "none"])
@pytest.mark.parametrize("tlvs", [b"", REFERENCE], ids=["plain", "with reference"])
def test_clients_before_3_4_can_be_given_the_part_without_them(choice: str, tlvs: bytes) -> None:
    due = made(submit(tlvs=tlvs), settings(receipt_tlvs=choice))
    whole, bare = read(due), read(due._replace(octets=due.octets[: due.plain]))
    assert bare.tlvs == b""
    assert bare.short_message == whole.short_message


@pytest.mark.parametrize(
    ("zone", "submitted", "done"),
    [
        ("UTC", b"2609211413", b"2609211414"),
        ("Europe/Warsaw", b"2609211613", b"2609211614"),
        ("Asia/Kathmandu", b"2609211958", b"2609211959"),
        ("America/Los_Angeles", b"2609210713", b"2609210714"),
    ],
)
def test_dates_are_in_the_accounts_zone(zone: str, submitted: bytes, done: bytes) -> None:
    found = text_of(made(submit(), settings(receipt_zone=zone)))
    assert (found.submit_date, found.done_date) == (submitted, done)


# -- the client's own number ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("choice", ["standard", "vendor"])
def test_the_clients_own_reference_comes_back(choice: str) -> None:
    due = made(submit(tlvs=REFERENCE), settings(receipt_tlvs=choice))
    assert tlv.find(read(due).tlvs, c.TLV_USER_MESSAGE_REFERENCE) == b"\x12\x34"
    assert tags(due)[:3] == STANDARD


def test_an_account_without_optional_parameters_gets_no_reference_either() -> None:
    assert tags(made(submit(tlvs=REFERENCE), settings(receipt_tlvs="none"))) == []


def test_no_other_parameter_of_a_message_comes_back() -> None:
    others = tlv.encode([(c.TLV_SOURCE_PORT, b"\0\1"), (0x1999, b"private")])
    assert tags(made(submit(tlvs=others))) == STANDARD
    assert tags(made(submit(tlvs=others + REFERENCE))) == [*STANDARD, c.TLV_USER_MESSAGE_REFERENCE]


# -- what is quoted of the text ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "quoted"),
    [
        ({"short_message": b"hello"}, b"hello"),
        ({"short_message": b""}, b""),
        ({"short_message": b"x" * 100}, b"x" * 20),
        ({"short_message": b"twenty characters and more, \xe9"}, b"twenty characters an"),
        ({"short_message": b"two\nlines"}, b""),
        ({"short_message": b"a\x00b"}, b"a@b"),  # GSM 03.38 puts @ there
        ({"short_message": b"\x5bhnlich"}, b""),  # and an Ä where ASCII has [
        ({"short_message": "hello".encode("utf-16-be"), "data_coding": 8}, b""),
        ({"short_message": "zażółć".encode("utf-16-be"), "data_coding": 8}, b""),
        ({"short_message": b"ABCDEF", "data_coding": 8}, b""),  # three Chinese characters
        ({"short_message": b"binary", "data_coding": 4}, b""),
        ({"short_message": b"[latin]", "data_coding": 3}, b"[latin]"),
        ({"short_message": b"\xe9t\xe9", "data_coding": 3}, b""),
        ({"short_message": b"\5\0\3\x41\2\1second half", "esm_class": c.UDHI}, b"second half"),
        ({"short_message": b"\x99\0\3", "esm_class": c.UDHI}, b""),  # a header longer than the text
        (
            {"tlvs": tlv.encode([(c.TLV_MESSAGE_PAYLOAD, b"from the payload")]), "short_message": b""},
            b"from the payload",
        ),
        ({"tlvs": tlv.encode([(c.TLV_MESSAGE_PAYLOAD, b"two")]), "short_message": b"texts"}, b""),
        ({"tlvs": REFERENCE, "short_message": b"a\x00b"}, b"a@b"),
    ],
)
def test_plain_text_is_quoted_and_nothing_else(values: dict[str, Any], quoted: bytes) -> None:
    assert text_of(made(submit(**values))).text == quoted


@pytest.mark.parametrize(
    ("alphabet", "octets", "quoted"),
    [
        ("gsm-packed", bytes.fromhex("e8329bfd06"), b"hello"),
        ("gsm-packed", b"ABC", b""),  # octets that happen to look like letters
        ("latin1", b"[latin] @", b"[latin] @"),
        ("latin1", b"\xe9t\xe9", b""),
    ],
)
def test_data_coding_0_is_quoted_in_the_accounts_alphabet(alphabet: str, octets: bytes, quoted: bytes) -> None:
    due = made(submit(short_message=octets), settings(default_alphabet=alphabet))
    assert text_of(due).text == quoted


@given(
    st.binary(max_size=160),
    st.sampled_from([0, 1, 3, 4, 8, 0xF1, 0xF4]),
    st.sampled_from([0, c.UDHI]),
    st.sampled_from(["gsm", "gsm-packed", "latin1"]),
)
def test_whatever_the_text_a_receipt_is_printable_ascii(text: bytes, coding: int, esm: int, alphabet: str) -> None:
    message = submit(short_message=text, data_coding=coding, esm_class=esm)
    short = read(made(message, settings(default_alphabet=alphabet))).short_message
    assert short.isascii()
    assert short.decode().isprintable()
    assert len(parse(short).text) <= 20


# -- many together, and again after a restart ----------------------------------------------------------------------
def test_messages_that_ended_alike_keep_their_order_and_their_ids() -> None:
    messages = [(id_, b"%d" % wire, submit(short_message=b"to %d" % id_)) for id_, wire in ((3, 3), (4, 3), (9, 9))]
    dues = receipts.make(settings(), messages, START_MS, DONE_MS, c.DELIVERED, 0)
    assert [due.id for due in dues] == [3, 4, 9]
    assert [text_of(due).message_id for due in dues] == [b"3", b"3", b"9"]
    assert [text_of(due).text for due in dues] == [b"to 3", b"to 4", b"to 9"]


MESSAGES = [
    submit(),
    submit(tlvs=REFERENCE),
    submit(short_message="zażółć".encode("utf-16-be"), data_coding=8),
    submit(short_message=b"\5\0\3\x41\2\1half", esm_class=c.UDHI),
    submit(short_message=b"", tlvs=tlv.encode([(c.TLV_MESSAGE_PAYLOAD, b"x" * 300)])),
]


@pytest.mark.parametrize("message", MESSAGES, ids=range(len(MESSAGES)))
@pytest.mark.parametrize("choice", ["standard", "vendor", "none"])
def test_after_a_restart_it_is_the_same_receipt(message: SubmitSm, choice: str) -> None:
    of = settings(receipt_tlvs=choice, receipt_zone="Europe/Warsaw")
    row = Owed(7, 7, START_MS, stored(message), c.UNDELIVERABLE, 11, DONE_MS, incoming=False)
    assert receipts.restored(of, [row]) == [made(message, of, c.UNDELIVERABLE, 11)]


def stored(message: SubmitSm) -> bytes:
    return bytes(SUBMIT_SM_BODY.encode(message))


def test_what_the_store_owes_comes_in_its_order_with_mo_in_between() -> None:
    mo = mo_body(b"hi")
    rows = [
        Owed(5, 4, START_MS, stored(submit()), c.DELIVERED, 0, DONE_MS, incoming=False),
        Owed(6, 6, START_MS, mo, 0, 0, 0, incoming=True),
        Owed(8, 8, START_MS, stored(submit()), c.EXPIRED, 254, DONE_MS, incoming=False),
    ]
    dues = receipts.restored(settings(), rows)
    assert [due.id for due in dues] == [5, 6, 8]
    assert text_of(dues[0]).message_id == b"4"  # the id the client was told
    assert dues[1].octets == mo
    assert [due.since_ms for due in dues] == [DONE_MS, START_MS, DONE_MS]


# -- MO ------------------------------------------------------------------------------------------------------------
def mo_body(text: bytes) -> bytes:
    grammar = BODIES[c.DELIVER_SM]
    return bytes(grammar.encode(grammar.build(source=MOBILE, destination=SENDER, short_message=text)))


@pytest.mark.parametrize(
    ("choice", "expected"),
    [("standard", b""), ("none", b""), ("vendor", tlv.encode([(c.TLV_INCOMING_ID, b"42\0")]))],
)
def test_a_message_from_a_phone(choice: str, expected: bytes) -> None:
    body = mo_body(b"hi")
    due = receipts.incoming(settings(receipt_tlvs=choice), 42, body, START_MS)
    record = read(due)
    assert (record.source, record.destination, record.short_message) == (MOBILE, SENDER, b"hi")
    assert record.tlvs == expected
    assert due.octets[: due.plain] == body
    assert (due.id, due.since_ms) == (42, START_MS)
