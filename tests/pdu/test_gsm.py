"""The GSM 03.38 tables against another implementation, and packed septets."""
import gsm0338
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu import gsm

ORACLE = gsm0338.Codec()
CHARACTERS = "".join(sorted({*gsm.DEFAULT} - {"\x1b"} | {*gsm.EXTENSION.values()}))
SEPTETS = st.lists(st.integers(0, 127), max_size=200).map(bytes)


@pytest.mark.parametrize("code", [code for code in range(128) if code != gsm.ESCAPE])
def test_each_septet_shows_what_the_other_implementation_shows(code: int) -> None:
    assert gsm.decode(bytes([code])) == ORACLE.decode(bytes([code]))[0]


@pytest.mark.parametrize("code", sorted(gsm.EXTENSION))
def test_each_escape_pair_shows_what_the_other_implementation_shows(code: int) -> None:
    assert gsm.decode(bytes([gsm.ESCAPE, code])) == ORACLE.decode(bytes([gsm.ESCAPE, code]))[0]


def test_no_escape_pair_of_the_other_implementation_is_missing() -> None:
    known = set()
    for code in range(128):
        try:
            ORACLE.decode(bytes([gsm.ESCAPE, code]))
        except UnicodeDecodeError:
            continue
        known.add(code)

    assert known - {gsm.ESCAPE} == gsm.EXTENSION.keys()


@given(st.text(alphabet=CHARACTERS, max_size=170))
def test_a_text_is_encoded_as_the_other_implementation_encodes_it(text: str) -> None:
    assert gsm.encode(text) == ORACLE.encode(text)[0]
    assert gsm.decode(gsm.encode(text)) == text


@given(st.characters(blacklist_characters=CHARACTERS))
def test_a_character_outside_the_alphabet_never_passes_as_another(character: str) -> None:
    with pytest.raises(ValueError, match="is not in GSM"):
        gsm.encode(f"a{character}b")


@pytest.mark.parametrize("character", ["`", "\x1b", "ç", "Α", "\x00", "\u2126"])
def test_look_alikes_and_neighbours_are_refused(character: str) -> None:
    with pytest.raises(ValueError):
        gsm.encode(character)


def test_the_zero_octet_is_an_at_sign() -> None:
    assert gsm.decode(b"\0a\0") == "@a@"
    assert gsm.decode(b"\x09") == "Ç"


@pytest.mark.parametrize(("octets", "text"), [
    (b"a\x1b", "a"), (b"\x1b\x41", "A"), (b"\x1b\x1b", " "), (b"\x1b\x1b\x65", " e"), (b"\x1b\x0a", "\f"),
    (b"a\x80\xff", "a\ufffd\ufffd"), (b"\x1b\xff", "\ufffd"),
])
def test_odd_octets_are_shown_and_never_raise(octets: bytes, text: str) -> None:
    assert gsm.decode(octets) == text


@given(st.binary(max_size=300))
def test_nothing_raises(octets: bytes) -> None:
    gsm.decode(octets)
    gsm.decode(gsm.unpack(octets))


# -- packed ------------------------------------------------------------------------------------------------------------
def test_the_example_of_every_textbook() -> None:
    assert gsm.pack(b"hellohello") == bytes.fromhex("e8329bfd4697d9ec37")
    assert gsm.unpack(bytes.fromhex("e8329bfd4697d9ec37")) == b"hellohello"


def slowly_packed(septets: bytes, fill: int) -> bytes:
    """Bit by bit, least significant first."""
    bits = "0" * fill + "".join(f"{septet:07b}"[::-1] for septet in septets)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at:at + 8][::-1], 2) for at in range(0, len(bits), 8))


@given(SEPTETS, st.integers(0, 6))
def test_packing_is_what_it_is_bit_by_bit(septets: bytes, fill: int) -> None:
    assert gsm.pack(septets, fill) == slowly_packed(septets, fill)


@given(SEPTETS, st.integers(0, 6))
def test_what_was_packed_is_unpacked(septets: bytes, fill: int) -> None:
    """But for an `@` that fills the last octet: seven spare bits look just like it."""
    unpacked = gsm.unpack(gsm.pack(septets, fill), fill)

    if septets[-1:] == b"\0" and (fill + 7 * len(septets)) % 8 == 0:
        assert unpacked == septets[:-1]
    else:
        assert unpacked == septets


def test_every_length_of_a_text_is_kept() -> None:
    for size in range(161):
        assert gsm.unpack(gsm.pack(b"x" * size)) == b"x" * size


def test_a_large_payload_is_unpacked_in_linear_time() -> None:
    septets = b"x" * 70_000

    assert gsm.unpack(gsm.pack(septets)) == septets


@pytest.mark.parametrize(("header", "bits"), [(0, 0), (6, 1), (7, 0), (5, 2), (12, 2)])
def test_fill_bits_bring_the_text_to_a_septet_boundary(header: int, bits: int) -> None:
    assert gsm.fill_bits(header) == bits == (7 - header * 8 % 7) % 7


def test_whose_half_an_escape_is() -> None:
    assert gsm.escapes_at(b"aa\x1be", 3, 0)
    assert not gsm.escapes_at(b"a\x1b\x1be", 3, 0)   # an escape that is the second half of a pair
    assert gsm.escapes_at(b"\x1b\x1b\x1be", 3, 0)
    assert gsm.escapes_at(b"\x1b\x1b\x1be", 3, 2)
    assert not gsm.escapes_at(b"abc", 2, 0)
