"""The GSM 03.38 default alphabet with its extension table, and packed septets.

A character of the extension table is two septets, the first of which is the escape; nothing may come between them."""
import re
from codecs import charmap_decode
from typing import Final

ESCAPE: Final = 0x1B
DEFAULT: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")
EXTENSION: Final = {0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]",
                    0x40: "|", 0x65: "€"}

_READ = DEFAULT + "\ufffd" * 128                    # an octet with bit 7 is no septet
_EXTENDED = {DEFAULT[code]: character for code, character in EXTENSION.items()} | {"\x1b": " ", "": ""}
_PAIR = re.compile("\x1b(.?)", re.DOTALL)


class _Write(dict[int, str]):
    """For str.translate, which leaves alone what it does not find: a character we lack must not pass as another."""

    def __missing__(self, key: int) -> str:
        raise ValueError(f"U+{key:04X} is not in GSM 03.38")


_WRITE = _Write({ord(character): chr(code) for code, character in enumerate(DEFAULT) if code != ESCAPE}
                | {ord(character): chr(ESCAPE) + chr(code) for code, character in EXTENSION.items()})


def encode(text: str) -> bytes:
    """One septet an octet. ValueError if a character is not in the alphabet."""
    return text.translate(_WRITE).encode("latin-1")


def decode(septets: bytes) -> str:
    """Never fails: an unknown pair shows the character of the default table, an escape at the end nothing."""
    text = charmap_decode(septets, "strict", _READ)[0]
    return _PAIR.sub(_of_pair, text) if "\x1b" in text else text


def _of_pair(match: re.Match[str]) -> str:
    return _EXTENDED.get(match[1], match[1])


def pack(septets: bytes, fill: int = 0) -> bytes:
    """Eight septets in seven octets, least significant bit first, behind `fill` bits."""
    packed = b"".join([_seven(septets[at:at + 8]) for at in range(0, len(septets), 8)])
    bits = len(septets) * 7 + fill
    return (int.from_bytes(packed, "little") << fill).to_bytes(len(packed) + 1, "little")[:(bits + 7) // 8]


def _seven(septets: bytes) -> bytes:
    bits = 0
    for septet in reversed(septets):
        bits = bits << 7 | septet & 0x7F
    return bits.to_bytes(7, "little")


def unpack(octets: bytes, fill: int = 0) -> bytes:
    """All whole septets behind `fill` bits.

    Seven spare bits at the end look like an `@`, and nothing on the wire tells them apart: they are taken as spare."""
    count = max(0, len(octets) * 8 - fill) // 7
    shifted = (int.from_bytes(octets, "little") >> fill).to_bytes(len(octets), "little")
    septets = b"".join([_eight(shifted[at:at + 7]) for at in range(0, len(shifted), 7)])[:count]
    full = count and (len(octets) * 8 - fill) % 7 == 0
    return septets[:-1] if full and not septets[-1] else septets


def _eight(octets: bytes) -> bytes:
    bits = int.from_bytes(octets, "little")
    return bytes([bits >> at & 0x7F for at in range(0, 56, 7)])


def fill_bits(header: int) -> int:
    """So many bits stand between a header of that many octets and the first septet, which starts on a boundary."""
    return -header * 8 % 7


def escapes_at(octets: bytes, end: int, start: int) -> bool:
    """Whether octets[end - 1] is an escape whose other half stands at `end`; octets[start] is not half of a pair."""
    run = end
    while run > start and octets[run - 1] == ESCAPE:
        run -= 1
    return bool((end - run) & 1)                    # of an odd run the last one is unpaired
