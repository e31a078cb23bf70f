"""PROXY headers, octet by octet: what they say, and everything that is none."""

import pytest

from gateway.smpp.proxied import SIGNATURE, NoHeader, Origin, origin

V4 = SIGNATURE + b"\x21\x11\x00\x0c" + bytes([192, 0, 2, 7, 10, 0, 0, 1]) + b"\x12\x34\x0a\xd7"
V6 = SIGNATURE + b"\x21\x21\x00\x24" + bytes.fromhex("20010db8") + bytes(11) + b"\x07" + bytes(16) + b"\x12\x34\x0a\xd7"


class Octets:
    def __init__(self, octets: bytes) -> None:
        self.left = octets

    async def read(self, number: int) -> bytes:
        octets, self.left = self.left[:number], self.left[number:]
        if len(octets) < number:
            raise EOFError
        return octets


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 4660 2775\r\n", Origin("192.0.2.7", 4660)),
        (b"PROXY TCP6 2001:db8::7 ::1 4660 2775\r\n", Origin("2001:db8::7", 4660)),
        (b"PROXY UNKNOWN\r\n", None),
        (b"PROXY UNKNOWN what ever 1 2\r\n", None),
        (V4, Origin("192.0.2.7", 4660)),
        (V6, Origin("2001:db8::7", 4660)),
        (V4[:14] + b"\x00\x0f" + V4[16:] + b"\x04\x00\x00", Origin("192.0.2.7", 4660)),  # with a TLV
        (SIGNATURE + b"\x20\x00\x00\x00", None),
    ],
)
async def test_a_header_says_who_it_is_and_no_octet_more_is_read(header: bytes, said: Origin | None) -> None:
    octets = Octets(header + b"what follows")
    assert await origin(octets.read) == said
    assert octets.left == b"what follows"


@pytest.mark.parametrize(
    "octets",
    [
        b"\x00\x00\x00\x10" + b"\x00\x00\x00\x15" + bytes(8),  # SMPP
        b"PROXY TCP4 192.0.2.7 10.0.0.1 4660\r\n",
        b"PROXY TCP4 2001:db8::7 ::1 4660 2775\r\n",
        b"PROXY TCP4 192.0.2.7 10.0.0.1 65536 2775\r\n",
        b"PROXY TCP4 192.0.2.7 10.0.0.1 -1 2775\r\n",
        b"PROXY TCP5 192.0.2.7 10.0.0.1 1 2775\r\n",
        b"PROXY \xff\xfe\xfd \r\n\r\n",
        b"PROXY " + b"x" * 200 + b"\r\n",
        SIGNATURE + b"\x31\x11\x00\x0c" + bytes(12),
        SIGNATURE + b"\x21\x00\x00\x00",
        SIGNATURE + b"\x21\x11\x00\x04" + bytes(4),
        SIGNATURE + b"\x21\x11\xff\xff" + bytes(100),
    ],
)
async def test_what_is_no_header_is_refused(octets: bytes) -> None:
    with pytest.raises(NoHeader):
        await origin(Octets(octets).read)


@pytest.mark.parametrize("header", [V4, V6, b"PROXY TCP4 192.0.2.7 10.0.0.1 4660 2775\r\n"])
async def test_a_header_cut_anywhere_says_nothing(header: bytes) -> None:
    for end in range(len(header)):
        with pytest.raises(EOFError):
            await origin(Octets(header[:end]).read)
