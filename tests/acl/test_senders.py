import pytest
from hypothesis import given
from hypothesis import strategies as st

from acl.senders import Senders, kind, sender, wire


def address(ton: int, npi: int, characters: bytes) -> bytes:
    return bytes((ton, npi)) + characters + b"\0"


@pytest.mark.parametrize(
    ("text", "spelling", "of_kind", "on_the_wire"),
    [
        ("ACME", "ACME", "alphanumeric", b"\x05\x00ACME\0"),
        ("A", "A", "alphanumeric", b"\x05\x00A\0"),
        ("12345678901x"[1:], "2345678901x", "alphanumeric", b"\x05\x002345678901x\0"),
        ("My Shop-1", "My Shop-1", "alphanumeric", b"\x05\x00My Shop-1\0"),
        ("24/7", "24/7", "alphanumeric", b"\x05\x0024/7\0"),
        ("123", "123", "shortcode", b"\x03\x01123\0"),
        ("38069", "38069", "shortcode", b"\x03\x0138069\0"),
        ("12345678", "12345678", "shortcode", b"\x03\x0112345678\0"),
        ("123456789", "123456789", "international", b"\x01\x01123456789\0"),
        ("33601020304", "33601020304", "international", b"\x01\x0133601020304\0"),
        ("+33601020304", "33601020304", "international", b"\x01\x0133601020304\0"),
        ("123456789012345", "123456789012345", "international", b"\x01\x01123456789012345\0"),
    ],
)
def test_the_characters_decide_the_kind(text: str, spelling: str, of_kind: str, on_the_wire: bytes) -> None:
    assert (sender(text), kind(text), wire(text)) == (spelling, of_kind, on_the_wire)
    assert sender(spelling) == spelling


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "  ", " ACME", "ACME ", "twelve chars", "1", "12", "1234567890123456", "+", "++33601020304", "+38069",
        "+ACME", "ACME\0", "AC\nME", "AC\tME", "Ácme", "ACМE", "[ACME]", "{x}", "a^b", "a~b", "a\\b", "a|b", "`x",
        "A*B", "**", "\u0661\u0662\u0663", "٣٨٠٦٩", "ACME\u200b",
    ],
)  # fmt: skip
def test_what_is_no_sender_is_refused_when_it_is_saved(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        sender(text)
    assert str(refused.value)


def test_the_star_stands_for_any() -> None:
    assert sender("*") == "*"
    with pytest.raises(ValueError):
        wire("*")


@pytest.mark.parametrize(
    ("characters", "allowed"),
    [
        (b"ACME", True), (b"acme", False), (b"Acme", False), (b"ACME ", False), (b" ACME", False), (b"ACM", False),
        (b"ACME1", False), (b"ACME\0", False), (b"AC\0ME", False), (b"\0", False), (b"+ACME", False),
        (b"38069", True), (b"+38069", False), (b"038069", False), (b"33601020304", True), (b"+33601020304", True),
        (b"++33601020304", False), (b"0033601020304", False), (b"\xc1CME", False), (b"*", False), (b"", False),
        ("ACМE".encode(), False),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("ton", "npi"), [(0, 0), (1, 1), (5, 0), (3, 1), (255, 255)])
def test_a_listed_sender_matches_exactly_whatever_its_ton(characters: bytes, allowed: bool, ton: int, npi: int) -> None:
    senders = Senders(["ACME", "38069", "+33601020304"])
    assert senders[address(ton, npi, characters)] is allowed
    assert senders[address(ton, npi, characters)] is allowed


@pytest.mark.parametrize(
    ("characters", "allowed"),
    [
        (b"ACME", True), (b"anything", True), (b"123", True), (b"+33601020304", True), (b"12", False), (b"", False),
        (b"twelve chars", False), (b"1234567890123456", False), (b"+123", False), (b"x\0", False), (b"\xff", False),
        (b"*", False), (b" x", False), (b"a" * 60, False),
    ],
)  # fmt: skip
def test_the_star_allows_any_valid_sender(characters: bytes, allowed: bool) -> None:
    assert Senders(["*"])[address(5, 0, characters)] is allowed


def test_none_means_none() -> None:
    assert not any(Senders()[address(5, 0, one)] for one in (b"ACME", b"38069", b"33601020304", b"", b"*"))


def test_an_empty_sender_needs_a_default() -> None:
    assert Senders(["ACME"], "ACME")[address(0, 0, b"")]
    assert Senders(["ACME"], "ACME")[address(5, 1, b"")]
    assert not Senders(["ACME"])[address(0, 0, b"")]


@pytest.mark.parametrize("octets", [b"", b"\0", b"\0\0", b"\x05\0A", b"\x05\0ACME", b"ACME"])
def test_octets_that_are_no_address_are_no_sender(octets: bytes) -> None:
    assert not Senders(["*", "ACME"], "ACME")[octets]


def test_what_a_client_makes_up_is_remembered_within_bounds() -> None:
    senders = Senders(["ACME"])
    for number in range(senders.LIMIT + 5):
        senders[address(5, 0, b"%d" % number)]
    assert len(senders) <= senders.LIMIT
    assert senders[address(5, 0, b"ACME")]
    senders[address(5, 0, b"x" * 1000)]
    assert max(map(len, senders)) < 20


@given(st.binary(max_size=25), st.binary(min_size=2, max_size=2))
def test_no_octets_throw_and_only_a_valid_sender_passes_the_star(characters: bytes, kinds: bytes) -> None:
    allowed = Senders(["*"])[kinds + characters + b"\0"]
    try:
        valid = characters != b"*" and bool(sender(characters.decode("ascii")))
    except ValueError:
        valid = False
    assert allowed is valid
