"""The text of a message: what its octets say, how many parts it makes, and where it is cut.

A part is 140 octets of user data, its header included: so many septets, octets or UTF-16 units fit into what the header
leaves. No cut goes through an escape pair or a surrogate pair. Octets that make no sense never raise."""
from collections.abc import Iterator
from typing import Final, NamedTuple

from . import gsm, udh
from .constants import UDHI
from .faults import Malformed

GSM, PACKED, IA5, LATIN1, OCTETS, UCS2 = "gsm", "gsm-packed", "ia5", "latin1", "octets", "ucs2"
ALPHABETS: Final = (GSM, PACKED, LATIN1)            # what data_coding 0 may mean for an account
PART = 140                                          # octets of user data in one message
SINGLE = 160                                        # septets in it without a header
MOST_PARTS = 255
QUOTED = 20                                         # characters of a message that a receipt repeats
_ROOM = 4                                           # octets; less cannot hold a pair, so a longer text has no parts


class Coding(NamedTuple):
    """How a data_coding is counted, and which codec shows it (None: it is not text that we can show)."""
    kind: str
    codec: str | None = None


def _codings() -> dict[int, Coding]:
    gsm7, eight, ucs2 = Coding(GSM), Coding(OCTETS), Coding(UCS2, "utf-16-be")
    table = {
        0x00: gsm7, 0x01: Coding(IA5, "ascii"), 0x02: eight, 0x03: Coding(LATIN1, "latin-1"), 0x04: eight,
        0x05: eight, 0x06: Coding(OCTETS, "iso8859_5"), 0x07: Coding(OCTETS, "iso8859_8"), 0x08: ucs2,
        0x09: eight, 0x0A: Coding(OCTETS, "iso2022_jp"), 0x0D: eight, 0x0E: Coding(OCTETS, "euc_kr"),
    }
    # GSM 03.38: 0001aacc general with a class, 1100 and 1101 waiting, 1110 waiting in UCS-2, 1111xacc class
    table |= dict.fromkeys(range(0x10, 0x14), gsm7) | dict.fromkeys(range(0x14, 0x18), eight)
    table |= dict.fromkeys(range(0x18, 0x1C), ucs2)
    table |= dict.fromkeys(range(0xC0, 0xE0), gsm7) | dict.fromkeys(range(0xE0, 0xF0), ucs2)
    return table | {number: eight if number & 4 else gsm7 for number in range(0xF0, 0x100)}


CODINGS: Final[dict[int, Coding]] = _codings()


def kind_of(data_coding: int, alphabet: str = GSM) -> str | None:
    """What the octets are; None for a data_coding that is reserved. `alphabet` is the account's, for data_coding 0;
    where the account packs its septets, it packs them in the other GSM codings too."""
    coding = CODINGS.get(data_coding)
    if coding is None:
        return None
    if coding.kind == GSM and (data_coding == 0 or alphabet == PACKED):
        return alphabet
    return coding.kind


def decode(data_coding: int, octets: bytes, alphabet: str = GSM, esm_class: int = 0) -> str | None:
    """The text for people, without the header that esm_class may announce; None for what is not text."""
    head, text = _parted(octets, esm_class)
    kind = kind_of(data_coding, alphabet)
    if kind == GSM:
        return gsm.decode(text)
    if kind == PACKED:
        return gsm.decode(gsm.unpack(text, gsm.fill_bits(head)))
    codec = "latin-1" if kind == LATIN1 else CODINGS[data_coding].codec if kind else None
    return None if codec is None else text.decode(codec, "replace")


def ascii_text(data_coding: int, esm_class: int, octets: bytes, alphabet: str = GSM) -> bytes:
    """The first 20 characters, if they are plain ASCII in a coding of single octets; else nothing. For receipts."""
    if kind_of(data_coding, alphabet) not in (GSM, PACKED, IA5, LATIN1):
        return b""
    head, text = _parted(octets, esm_class)
    start = decode(data_coding, octets[:head] + text[:2 * QUOTED], alphabet, esm_class) or ""
    start = start[:QUOTED]
    return start.encode("ascii") if start.isascii() and start.isprintable() else b""


def encode(text: str, alphabet: str = GSM) -> tuple[int, bytes]:
    """(data_coding, octets): in the account's alphabet if every character is in it, else UCS-2."""
    try:
        if alphabet == LATIN1:
            return 0, text.encode("latin-1")
        septets = gsm.encode(text)
    except ValueError:
        return 8, text.encode("utf-16-be", "surrogatepass")
    return 0, gsm.pack(septets) if alphabet == PACKED else septets


def measure(alphabet: str, data_coding: int, esm_class: int, octets: bytes, tlvs: bytes = b"") -> int:
    """How many parts the user data makes: 1 or more; 0 if the octets are not text of that coding or their header is
    broken; -1 if the data_coding is not supported. SAR TLVs take the room of the header they stand for."""
    if not esm_class & UDHI and not tlvs:           # the two that nearly all messages are
        if data_coding == 0 and alphabet == GSM and len(octets) <= SINGLE and octets.isascii():
            return 1
        if data_coding == 8 and len(octets) <= PART and not len(octets) & 1:
            return 1
    kind = kind_of(data_coding, alphabet)
    if kind is None:
        return -1
    try:
        header = udh.parse(octets) if esm_class & UDHI else None
        sar = 6 if header is None and tlvs and udh.sar(tlvs) else 0
        size = header.size if header else 0
        text = _text(kind, octets, size)
        if len(text) <= _fits(kind, size or sar):
            return 1
        return sum(1 for _ in _cuts(kind, text, _fits(kind, sar or _each(header))))
    except (Malformed, ValueError):
        return 0


def capacity(kind: str, parts: int = 1) -> int:
    """Characters that fit into each of so many parts; GSM counts those behind an escape twice, UCS-2 those of pairs."""
    fits = _fits(kind, 0 if parts == 1 else _each(None))
    return fits // 2 if kind == UCS2 else fits


def split(data_coding: int, octets: bytes, reference: int, *, alphabet: str = GSM, esm_class: int = 0,
          wide: bool = False) -> list[bytes]:
    """The user data of each part. More than one have a header each, so their esm_class needs UDHI; elements of a
    header that is there already stay in front. ValueError for what cannot be split."""
    kind = kind_of(data_coding, alphabet)
    if kind is None:
        raise ValueError(f"data_coding {data_coding} is not supported")
    try:
        header = udh.parse(octets) if esm_class & UDHI else None
    except Malformed as fault:
        raise ValueError(str(fault)) from fault
    text = _text(kind, octets, header.size if header else 0)
    if len(text) <= _fits(kind, header.size if header else 0):
        return [octets]
    texts = list(_cuts(kind, text, _fits(kind, _each(header) + wide)))
    if len(texts) > MOST_PARTS or (header and udh.concatenation(header)):
        raise ValueError(f"{len(texts)} parts, or parts of a part")
    elements = header.elements if header else ()
    heads = [udh.build((*elements, udh.element(udh.Concatenation(reference, len(texts), number, wide))))
             for number in range(1, len(texts) + 1)]
    if kind == PACKED:
        return [head + gsm.pack(part, gsm.fill_bits(len(head))) for head, part in zip(heads, texts, strict=True)]
    return [head + part for head, part in zip(heads, texts, strict=True)]


def _parted(octets: bytes, esm_class: int) -> tuple[int, bytes]:
    """The size of the header, and the text behind it; a broken header is shown as text."""
    if esm_class & UDHI:
        try:
            size = udh.parse(octets).size
        except Malformed:
            return 0, octets
        return size, octets[size:]
    return 0, octets


def _text(kind: str, octets: bytes, header: int) -> bytes:
    """The text behind so many octets of header, packed septets unpacked. ValueError if it is not of that kind."""
    text = octets[header:]
    if kind == PACKED:
        text = gsm.unpack(text, gsm.fill_bits(header))
    elif kind in (GSM, IA5) and not text.isascii():
        raise ValueError("an octet with bit 7 is no septet")
    elif kind == UCS2 and len(text) & 1:
        raise ValueError("half a UTF-16 unit")
    if header > PART:
        raise ValueError("the header leaves no room")
    return text


def _each(header: udh.Header | None) -> int:
    """The size of the header in each of many parts: the SMSC adds a concatenation element where there is none."""
    if header is None:
        return 6
    return header.size if udh.concatenation(header) else header.size + 5


def _fits(kind: str, header: int) -> int:
    """Octets of text (for GSM one a septet) beside so many octets of header."""
    rest = PART - header
    if kind in (GSM, PACKED, IA5):
        return rest * 8 // 7
    return rest // 2 * 2 if kind == UCS2 else rest


def _cuts(kind: str, text: bytes, each: int) -> Iterator[bytes]:
    """The text of each of several parts that hold `each` octets."""
    if each < _ROOM:
        raise ValueError("the header leaves no room")
    at, size = 0, len(text)
    while at < size:
        end = at + each
        if end < size and _in_a_pair(kind, text, at, end):
            end -= 2 if kind == UCS2 else 1
        yield text[at:end]
        at = end


def _in_a_pair(kind: str, text: bytes, start: int, end: int) -> bool:
    if kind == UCS2:
        return text[end - 2] & 0xFC == 0xD8 and text[end] & 0xFC == 0xDC
    return kind in (GSM, PACKED) and gsm.escapes_at(text, end, start)
