"""User data headers: the elements before a text (3GPP 23.040 §9.2.3.24), and the SAR TLVs that say the same.

A header is read whole or not at all; Malformed 0x43 counts its offset from the header's first octet."""
from typing import Final, NamedTuple

from . import constants as c
from . import tlv
from .faults import Malformed

CONCATENATED: Final = 0x00                          # reference, total, number: one octet each
CONCATENATED_WIDE: Final = 0x08                     # the same with a reference of two octets
PORTS_8: Final = 0x04
PORTS_16: Final = 0x05


class Header(NamedTuple):
    size: int                                       # octets before the text, the length octet included
    elements: tuple[tuple[int, bytes], ...]


class Concatenation(NamedTuple):
    """Which part of which long message this is."""
    reference: int
    total: int
    number: int                                     # from 1
    wide: bool = False


def parse(octets: bytes) -> Header:
    """The header at the start of the user data of a message with UDHI."""
    if not octets:
        raise Malformed("udh", 0, c.ESME_RINVESMCLASS, "announced, but there is no user data")
    size = 1 + octets[0]
    if size > len(octets):
        raise Malformed("udh", 0, c.ESME_RINVESMCLASS, f"{octets[0]} octets announced, {len(octets) - 1} follow")
    elements, at = [], 1
    while at < size:
        start = at + 2
        if start > size or start + octets[at + 1] > size:
            raise Malformed("udh", at, c.ESME_RINVESMCLASS, "an element runs beyond the header")
        elements.append((octets[at], octets[start:start + octets[at + 1]]))
        at = start + octets[at + 1]
    return Header(size, tuple(elements))


def build(elements: tuple[tuple[int, bytes], ...]) -> bytes:
    """The header's octets. ValueError if they are more than its length octet can say."""
    body = b"".join([b"%c%c%b" % (identifier, len(data), data) for identifier, data in elements])
    if len(body) > 255:
        raise ValueError("a user data header has 255 octets at most")
    return b"%c%b" % (len(body), body)


def concatenation(header: Header) -> Concatenation | None:
    """The last valid concatenation element: as if the others were not there."""
    found = None
    for identifier, data in header.elements:
        wide = identifier == CONCATENATED_WIDE
        if identifier not in (CONCATENATED, CONCATENATED_WIDE) or len(data) != 3 + wide:
            continue
        *reference, total, number = data
        if 1 <= number <= total:
            found = Concatenation(int.from_bytes(reference, "big"), total, number, wide)
    return found


def element(part: Concatenation) -> tuple[int, bytes]:
    """ValueError if a number does not fit."""
    if not 1 <= part.number <= part.total <= 255 or not 0 <= part.reference < (65536 if part.wide else 256):
        raise ValueError(f"{part} does not fit its element")
    size, identifier = (2, CONCATENATED_WIDE) if part.wide else (1, CONCATENATED)
    return identifier, part.reference.to_bytes(size, "big") + bytes((part.total, part.number))


def ports(header: Header) -> tuple[int, int] | None:
    """(destination, source) application ports."""
    for identifier, data in header.elements:
        if (identifier, len(data)) in ((PORTS_16, 4), (PORTS_8, 2)):
            half = len(data) // 2
            return int.from_bytes(data[:half], "big"), int.from_bytes(data[half:], "big")
    return None


def sar(tlvs: bytes) -> Concatenation | None:
    """What the three sar_* TLVs say; None unless all three are there and make sense."""
    found = []
    for tag in (c.TLV_SAR_MSG_REF_NUM, c.TLV_SAR_TOTAL_SEGMENTS, c.TLV_SAR_SEGMENT_SEQNUM):
        octets = tlv.find(tlvs, tag)
        if octets is None or not 1 <= len(octets) <= 4:
            return None
        found.append(int.from_bytes(octets, "big"))
    reference, total, number = found
    return Concatenation(reference & 0xFFFF, total, number, True) if 1 <= number <= total <= 255 else None
