from typing import Any

import pytest

from acl import reasons
from acl.judge import Policy, Purse, judge
from acl.rate import Rate
from acl.reasons import Refusal
from acl.settings import Settings
from gateway.smpp.parts import FAR_TOO_MANY, counter
from pdu import tlv
from pdu.constants import TLV_MESSAGE_PAYLOAD, TLV_USER_MESSAGE_REFERENCE, UDHI

from ..scene import submit


def payload(octets: bytes) -> bytes:
    return tlv.encode([(TLV_MESSAGE_PAYLOAD, octets)])


REFERENCE = tlv.encode([(TLV_USER_MESSAGE_REFERENCE, b"\0\7")])
CONCATENATED = b"\x05\x00\x03\x2a\x02\x01"


@pytest.mark.parametrize(
    ("alphabet", "values", "expected"),
    [
        ("gsm", {}, 1),
        ("gsm", {"short_message": b""}, 1),
        ("gsm", {"short_message": b"x" * 160}, 1),
        ("gsm", {"short_message": b"x" * 161}, 2),
        ("gsm", {"short_message": b"caf\xe9"}, 0),
        ("latin1", {"short_message": b"caf\xe9"}, 1),
        ("latin1", {"short_message": b"x" * 141}, 2),
        ("gsm-packed", {"short_message": b"\xff" * 140}, 1),
        ("gsm", {"data_coding": 8, "short_message": b"\0x" * 70}, 1),
        ("gsm", {"data_coding": 8, "short_message": b"\0x" * 71}, 2),
        ("gsm", {"data_coding": 8, "short_message": b"odd"}, 0),
        ("gsm", {"data_coding": 0x2F}, -1),
        ("gsm", {"esm_class": UDHI, "short_message": CONCATENATED + b"x" * 153}, 1),
        ("gsm", {"esm_class": UDHI, "short_message": b"\xff" + b"x" * 50}, 0),  # the header is longer than the text
        # optional parameters beside the text, or with the text
        ("gsm", {"tlvs": REFERENCE}, 1),
        ("gsm", {"short_message": b"", "tlvs": payload(b"x" * 160)}, 1),
        ("gsm", {"short_message": b"", "tlvs": payload(b"x" * 1000)}, 7),
        ("gsm", {"short_message": b"", "tlvs": REFERENCE + payload(b"x" * 161)}, 2),
        ("gsm", {"short_message": b"", "tlvs": payload(b"caf\xe9")}, 0),
        ("gsm", {"short_message": b"here", "tlvs": payload(b"")}, 1),
        ("gsm", {"short_message": b"", "tlvs": payload(b"")}, 1),
        # text in both places: no length is right
        ("gsm", {"short_message": b"here", "tlvs": payload(b"there")}, FAR_TOO_MANY),
    ],
)
def test_parts_of_a_message(alphabet: str, values: dict[str, Any], expected: int) -> None:
    assert counter(alphabet)(submit(**values)) == expected


@pytest.mark.parametrize("max_parts", [0, 1, 255])
def test_no_account_may_send_text_in_two_places_however_many_parts_it_is_allowed(max_parts: int) -> None:
    policy = Policy(Settings.of({"senders": ["*"], "max_parts": max_parts}), {"": 0})
    message = submit(short_message=b"here", tlvs=payload(b"there"))
    [verdict] = judge(policy, Purse(1 << 70, Rate(0, 1)), [message], 0.0, counter("gsm"))
    assert verdict == Refusal(reasons.TEXT_TOO_LONG)


def test_the_longest_payload_is_counted_too() -> None:
    assert counter("gsm")(submit(short_message=b"", tlvs=payload(b"x" * 65_535))) == -(-65_535 // 153)


def test_optional_parameters_beyond_a_kilobyte_are_too_long_whatever_the_text() -> None:
    light = submit(short_message=b"hello", tlvs=tlv.encode([(0x1401, bytes(1000))]))
    heavy = submit(short_message=b"hello", tlvs=tlv.encode([(0x1401, bytes(1200)), (0x1402, bytes(200))]))
    assert counter("gsm")(light) == 1
    assert counter("gsm")(heavy) == FAR_TOO_MANY
