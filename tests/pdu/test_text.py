"""What a text says, how many parts it makes, and where it is cut."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu import constants as c
from pdu import gsm, text, tlv, udh

from .test_gsm import CHARACTERS
from .test_udh import sar

CONCAT_8, CONCAT_16, PORTS = bytes.fromhex("050003 2a0301"), bytes.fromhex("060804 12340301"), bytes.fromhex(
    "0605040b840000")


# -- data_coding -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("codings", "kind"), [
    ([0x00, 0x10, 0x13, 0xC0, 0xC8, 0xD0, 0xDF, 0xF0, 0xF3, 0xF8], text.GSM), ([0x01], text.IA5), ([0x03], text.LATIN1),
    ([0x02, 0x04, 0x05, 0x06, 0x07, 0x09, 0x0A, 0x0D, 0x0E, 0x14, 0x17, 0xF4, 0xF7], text.OCTETS),
    ([0x08, 0x18, 0x1B, 0xE0, 0xEF], text.UCS2), ([0x0B, 0x0C, 0x0F, 0x1C, 0x20, 0x40, 0x80, 0xBF, 0x100, -1], None),
])
def test_the_kinds_of_data_coding(codings: list[int], kind: str | None) -> None:
    for data_coding in codings:
        assert text.kind_of(data_coding) == kind


def test_the_alphabet_of_the_account_is_that_of_data_coding_0() -> None:
    assert [text.kind_of(0, alphabet) for alphabet in text.ALPHABETS] == list(text.ALPHABETS)
    assert [text.kind_of(0xF0, alphabet) for alphabet in text.ALPHABETS] == [text.GSM, text.PACKED, text.GSM]
    assert [text.kind_of(8, alphabet) for alphabet in text.ALPHABETS] == [text.UCS2] * 3


@pytest.mark.parametrize(("data_coding", "octets", "alphabet", "shown"), [
    (0, b"\0 \x1be", "gsm", "@ €"), (0xF1, b"\0", "gsm", "@"), (0, b"\xe9@", "latin1", "é@"), (3, b"\xe9", "gsm", "é"),
    (0, gsm.pack(b"hellohello"), "gsm-packed", "hellohello"), (1, b"a\xff", "gsm", "a\ufffd"),
    (8, "Żółć 🙂".encode("utf-16-be"), "gsm", "Żółć 🙂"), (8, b"\0a\0", "gsm", "a\ufffd"),
    (8, b"\xd8\0", "gsm", "\ufffd"),
    (6, "Привет".encode("iso8859_5"), "gsm", "Привет"), (7, "שלום".encode("iso8859_8"), "gsm", "שלום"),
    (4, b"\0\xff", "gsm", None), (0xF4, b"x", "gsm", None), (0x0F, b"x", "gsm", None), (0x0D, b"x", "gsm", None),
])
def test_texts_are_shown_and_binary_is_not(data_coding: int, octets: bytes, alphabet: str, shown: str | None) -> None:
    assert text.decode(data_coding, octets, alphabet) == shown


def test_the_header_is_not_part_of_the_text() -> None:
    assert text.decode(0, CONCAT_8 + b"hi", esm_class=c.UDHI) == "hi"
    assert text.decode(8, CONCAT_16 + b"\0h", esm_class=c.UDHI) == "h"
    assert text.decode(0, CONCAT_8 + gsm.pack(b"hi", 1), "gsm-packed", c.UDHI) == "hi"
    assert text.decode(0, b"hi", esm_class=c.UDHI) == "hi"      # a broken header is shown


@given(st.integers(0, 255), st.binary(max_size=300), st.sampled_from(text.ALPHABETS), st.integers(0, 255))
def test_nothing_raises(data_coding: int, octets: bytes, alphabet: str, esm_class: int) -> None:
    shown = text.decode(data_coding, octets, alphabet, esm_class)
    quoted = text.ascii_text(data_coding, esm_class, octets, alphabet)
    parts = text.measure(alphabet, data_coding, esm_class, octets)

    assert shown is None or isinstance(shown, str)
    assert len(quoted) <= 20
    assert not quoted.strip(bytes(range(0x20, 0x7F)))
    assert (parts == -1) == (text.kind_of(data_coding) is None)


# -- encode ------------------------------------------------------------------------------------------------------------
@given(st.text(max_size=100), st.sampled_from(text.ALPHABETS))
def test_what_is_encoded_is_shown_again(characters: str, alphabet: str) -> None:
    data_coding, octets = text.encode(characters, alphabet)
    shown = text.decode(data_coding, octets, alphabet)

    if alphabet == text.PACKED and data_coding == 0:
        assert shown in (characters, characters[:-1])
    else:
        assert shown == characters


def test_the_alphabet_if_it_fits_else_ucs2() -> None:
    assert text.encode("a€") == (0, b"a\x1be")
    assert text.encode("aж") == (8, b"\0a\x04\x36")
    assert text.encode("é`", "latin1") == (0, b"\xe9`")
    assert text.encode("hellohello", "gsm-packed") == (0, gsm.pack(b"hellohello"))
    assert text.encode("\ud800") == (8, b"\xd8\0")


# -- the start of a text, for receipts ---------------------------------------------------------------------------------
@pytest.mark.parametrize(("data_coding", "esm_class", "octets", "quoted"), [
    (0, 0, b"hello", b"hello"), (0, 0, b"x" * 30, b"x" * 20), (0, 0, b"\0", b"@"), (0, 0, b"\x05", b""),
    (0, 0, b"a\nb", b""), (0, 0, b"\x1b\x3c" * 20 + b"x", b"[" * 20), (0, 0, b"x" * 20 + b"\x05", b"x" * 20),
    (3, 0, b"abc", b"abc"), (1, 0, b"abc", b"abc"), (8, 0, b"\0a", b""), (4, 0, b"abc", b""), (0x0F, 0, b"abc", b""),
    (0, c.UDHI, CONCAT_8 + b"hello", b"hello"), (0, 0, b"", b""),
])
def test_a_receipt_quotes_plain_ascii_only(data_coding: int, esm_class: int, octets: bytes, quoted: bytes) -> None:
    assert text.ascii_text(data_coding, esm_class, octets) == quoted


def test_a_packed_text_is_quoted_too() -> None:
    assert text.ascii_text(0, 0, gsm.pack(b"hello" * 8), "gsm-packed") == b"hello" * 4


# -- counting ----------------------------------------------------------------------------------------------------------
def measure(data_coding: int, octets: bytes, esm_class: int = 0, alphabet: str = "gsm", tlvs: bytes = b"") -> int:
    return text.measure(alphabet, data_coding, esm_class, octets, tlvs)


@pytest.mark.parametrize(("data_coding", "unit", "single", "each"), [
    (0, b"x", 160, 153), (0xF0, b"x", 160, 153), (1, b"x", 160, 153), (3, b"\xe9", 140, 134), (4, b"\0", 140, 134),
    (6, b"\xe9", 140, 134), (8, b"\x04\x36", 70, 67),
])
def test_the_limits_of_one_part_and_of_many(data_coding: int, unit: bytes, single: int, each: int) -> None:
    assert measure(data_coding, b"") == 1
    assert measure(data_coding, unit * single) == 1
    assert measure(data_coding, unit * (single + 1)) == 2
    assert measure(data_coding, unit * each * 2) == 2
    assert measure(data_coding, unit * (each * 2 + 1)) == 3
    assert measure(data_coding, unit * each * 8) == 8
    assert measure(data_coding, unit * (each * 8 + 1)) == 9


def test_an_escape_pair_is_two_septets_and_is_not_cut() -> None:
    assert measure(0, b"\x1be" * 80) == 1
    assert measure(0, b"\x1be" * 81) == 2
    assert measure(0, b"x" * 152 + b"\x1be" + b"x" * 152) == 3      # 306 septets, and yet not two parts
    assert measure(0, b"x" * 151 + b"\x1be" + b"x" * 153) == 2


def test_a_surrogate_pair_is_two_units_and_is_not_cut() -> None:
    smile = "🙂".encode("utf-16-be")

    assert measure(8, smile * 35) == 1
    assert measure(8, smile * 36) == 2
    assert measure(8, smile * 67) == 3              # 134 units, but 33 pairs a part
    assert measure(8, b"\0x" + smile * 33 + b"\0x" * 67) == 2


def test_octets_that_are_not_of_their_coding() -> None:
    assert measure(0, b"\x80") == 0
    assert measure(1, b"\xe9") == 0
    assert measure(8, b"\0a\0") == 0
    assert measure(0, b"\xe9", alphabet="latin1") == 1
    assert measure(0, b"\xe9", alphabet="gsm-packed") == 1
    assert measure(0x0F, b"a") == -1


@pytest.mark.parametrize(("header", "septets", "octets", "units"), [
    (CONCAT_8, 153, 134, 67), (CONCAT_16, 152, 133, 66), (PORTS, 152, 133, 66)])
def test_a_header_takes_its_room(header: bytes, septets: int, octets: int, units: int) -> None:
    for data_coding, unit, most in ((0, b"x", septets), (4, b"x", octets), (8, b"\0x", units)):
        assert measure(data_coding, header + unit * most, c.UDHI) == 1
        assert measure(data_coding, header + unit * (most + 1), c.UDHI) == 2


def test_a_header_without_concatenation_gets_one_in_each_part() -> None:
    assert measure(4, PORTS + b"x" * (128 * 2), c.UDHI) == 2            # 140 - 7 - 5
    assert measure(4, PORTS + b"x" * (128 * 2 + 1), c.UDHI) == 3
    assert measure(4, CONCAT_8 + b"x" * (134 * 2), c.UDHI) == 2


def test_a_broken_header_has_no_parts() -> None:
    assert measure(0, b"", c.UDHI) == 0
    assert measure(0, b"\x05\0\x03", c.UDHI) == 0
    assert measure(4, b"\xff\x70\xfd" + b"x" * 300, c.UDHI) == 0        # whole, but it leaves no room
    assert measure(4, b"\x8c\x70\x8a" + b"x" * 138, c.UDHI) == 0
    assert measure(4, b"\x8b\x70\x89" + b"x" * 137, c.UDHI) == 1        # nothing but a header
    assert measure(0, b"\x84\x70\x82" + b"x" * 200, c.UDHI) == 0


def test_the_sar_tlvs_take_the_room_of_the_header_they_stand_for() -> None:
    tlvs = sar(b"\0\x01", b"\x02", b"\x01")

    assert measure(0, b"x" * 153, tlvs=tlvs) == 1
    assert measure(0, b"x" * 154, tlvs=tlvs) == 2
    assert measure(0, b"x" * 160, tlvs=tlvs[:-5]) == 1
    assert measure(4, PORTS + b"x" * 256, c.UDHI, tlvs=tlvs) == 2       # a header rules them out
    assert measure(4, PORTS + b"x" * 257, c.UDHI, tlvs=tlvs) == 3
    assert measure(0, b"x" * 160, tlvs=tlv.encode([(c.TLV_USER_MESSAGE_REFERENCE, b"\0\x01")])) == 1


def test_packed_septets_are_counted_as_septets() -> None:
    for size, parts in ((160, 1), (161, 2), (306, 2), (307, 3), (1071, 7)):
        assert measure(0, gsm.pack(b"x" * size), alphabet="gsm-packed") == parts
    assert measure(0, CONCAT_8 + gsm.pack(b"x" * 153, 1), c.UDHI, "gsm-packed") == 1
    assert measure(0, CONCAT_8 + gsm.pack(b"x" * 154, 1), c.UDHI, "gsm-packed") == 2


# -- cutting -----------------------------------------------------------------------------------------------------------
def joined(parts: list[bytes], data_coding: int, alphabet: str = "gsm") -> str:
    """What a telephone shows of them, each decoded alone: a cut pair would show."""
    shown = []
    for number, part in enumerate(parts, 1):
        header = udh.parse(part)
        found = udh.concatenation(header)
        assert found is not None
        assert (found.total, found.number) == (len(parts), number)
        shown.append(text.decode(data_coding, part, alphabet, c.UDHI) or "")
    return "".join(shown)


@given(st.text(alphabet=CHARACTERS + "€€€€[]", min_size=161, max_size=700), st.booleans())
def test_a_gsm_text_is_cut_between_characters(characters: str, wide: bool) -> None:
    data_coding, octets = text.encode(characters)
    parts = text.split(data_coding, octets, 42, wide=wide)

    assert joined(parts, data_coding) == characters
    assert all(len(part) - (7 if wide else 6) <= (152 if wide else 153) for part in parts)
    if not wide:
        assert len(parts) == text.measure("gsm", 0, 0, octets)


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"]), min_size=71, max_size=300), st.booleans())
def test_a_ucs2_text_is_cut_between_characters(characters: str, wide: bool) -> None:
    octets = characters.encode("utf-16-be")
    parts = text.split(8, octets, 42, wide=wide)

    assert joined(parts, 8) == characters
    assert all(len(part) <= 140 for part in parts)
    if not wide:
        assert len(parts) == text.measure("gsm", 8, 0, octets)


@given(st.binary(min_size=141, max_size=900))
def test_octets_are_cut_anywhere(octets: bytes) -> None:
    parts = text.split(4, octets, 1)

    assert b"".join(part[6:] for part in parts) == octets
    assert len(parts) == text.measure("gsm", 4, 0, octets)


@given(st.text(alphabet="abc€", min_size=161, max_size=500))
def test_a_packed_text_is_packed_again_behind_each_header(characters: str) -> None:
    _, octets = text.encode(characters, "gsm-packed")
    parts = text.split(0, octets, 1, alphabet="gsm-packed")

    assert joined(parts, 0, "gsm-packed") == characters
    assert all(len(part) <= 140 for part in parts)


def test_a_short_text_is_left_alone() -> None:
    assert text.split(0, b"x" * 160, 1) == [b"x" * 160]
    assert text.split(0, CONCAT_8 + b"x" * 153, 1, esm_class=c.UDHI) == [CONCAT_8 + b"x" * 153]


def test_the_elements_of_a_header_stay_in_front_of_each_part() -> None:
    parts = text.split(4, PORTS + b"x" * 200, 9, esm_class=c.UDHI)

    assert [udh.ports(udh.parse(part)) for part in parts] == [(0x0B84, 0), (0x0B84, 0)]
    assert joined(parts, 4) == ""
    assert b"".join(part[12:] for part in parts) == b"x" * 200


@pytest.mark.parametrize(("data_coding", "octets", "esm_class"), [
    (0x0F, b"x", 0), (0, b"\x80", 0), (0, b"", c.UDHI), (4, b"x" * (134 * 255 + 1), 0),
    (0, CONCAT_8 + b"x" * 154, c.UDHI),
    (4, b"\x88\x70\x86" + b"x" * 300, c.UDHI),
])
def test_what_cannot_be_split_says_so(data_coding: int, octets: bytes, esm_class: int) -> None:
    with pytest.raises(ValueError):
        text.split(data_coding, octets, 1, esm_class=esm_class)


def test_the_most_parts_are_255() -> None:
    assert len(text.split(4, b"x" * (134 * 255), 1)) == 255


def test_a_run_of_escapes_is_cut_between_its_pairs() -> None:
    octets = b"x" * 10 + b"\x1b" * 301

    assert b"".join(part[6:] for part in text.split(0, octets, 1)) == octets
    assert all(part[6:].count(b"\x1b") % 2 == 0 for part in text.split(0, octets, 1)[:-1])


@pytest.mark.parametrize(
    ("kind", "single", "each"), [("gsm", 160, 153), ("gsm-packed", 160, 153), ("latin1", 140, 134), ("ucs2", 70, 67)]
)
def test_how_many_characters_fit_is_where_a_text_becomes_one_part_more(kind: str, single: int, each: int) -> None:
    assert (text.capacity(kind), text.capacity(kind, 2), text.capacity(kind, 9)) == (single, each, each)
