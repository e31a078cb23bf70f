"""The PROXY protocol, versions 1 and 2: who a trusted proxy says it speaks for.

Invariant: not an octet behind the header is read. What is not exactly a header is refused: whoever is trusted to name
addresses names them right or not at all. Decides nobody's trust.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"  # of version 2
WORD = b"PROXY "  # of version 1
LONGEST_LINE, LONGEST_BLOCK = 107, 2048
LOCAL, PROXY = 0x20, 0x21
TCP4, TCP6 = 0x11, 0x21


class Origin(NamedTuple):
    address: str
    port: int


class NoHeader(ValueError):  # noqa: N818 - it is what came, not an accident
    """Why the first octets of the connection are no header."""


async def origin(read: Callable[[int], Awaitable[bytes]]) -> Origin | None:
    """`read(n)` gives exactly n octets. -> None: the proxy speaks for itself, as in its health checks."""
    first = await read(len(SIGNATURE))
    if first == SIGNATURE:
        command, family, length = struct.unpack(">BBH", await read(4))
        if length > LONGEST_BLOCK:
            raise NoHeader(f"a header of {length} octets")
        return binary(command, family, await read(length))
    if not first.startswith(WORD):
        raise NoHeader("the connection does not begin with one")
    line = first
    while not line.endswith(b"\r\n"):
        if len(line) >= LONGEST_LINE:
            raise NoHeader("its line does not end")
        line += await read(1)
    return written(line[:-2])


def binary(command: int, family: int, block: bytes) -> Origin | None:
    if command == LOCAL:
        return None
    if command != PROXY:
        raise NoHeader(f"version and command {command:#04x}")
    if family == TCP4 and len(block) >= 12:
        return Origin(str(IPv4Address(block[:4])), struct.unpack_from(">H", block, 8)[0])
    if family == TCP6 and len(block) >= 36:
        return Origin(str(IPv6Address(block[:16])), struct.unpack_from(">H", block, 32)[0])
    raise NoHeader(f"family {family:#04x} with {len(block)} octets")


def written(line: bytes) -> Origin | None:
    """PROXY TCP4|TCP6 source destination port port"""
    words = line.decode("ascii", "replace").split(" ")
    if words[1] == "UNKNOWN":
        return None
    versions = {"TCP4": 4, "TCP6": 6}
    try:
        family, source, _destination, port, _to = words[1:]
        address = ip_address(source)
        if address.version != versions[family] or not (port.isascii() and port.isdecimal() and int(port) < 65536):
            raise ValueError(line)
    except (ValueError, KeyError):
        raise NoHeader("its line is not of the form PROXY TCP4 source destination port port") from None
    return Origin(str(address), int(port))
