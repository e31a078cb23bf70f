"""What a load generator needs of SMPP 3.4 besides submit_sm: binds, a scan of what comes back, runs of answers.

Invariant: what arrives is read in whole buffers, and what is alike is written in one piece.
Refuses to know the server's codec: a mistake made there must not be able to hide here.
"""

import sys
from array import array
from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple

HEADER = Struct(">IIII")
RESPONSE = 0x80000000
GENERIC_NACK = 0x80000000
BIND_TRANSMITTER = 0x2
SUBMIT_SM = 0x4
DELIVER_SM = 0x5
UNBIND = 0x6
BIND_TRANSCEIVER = 0x9
ENQUIRE_LINK = 0x15
SUBMIT_SM_RESP = SUBMIT_SM | RESPONSE
BIND_RESPONSES = (BIND_TRANSMITTER | RESPONSE, BIND_TRANSCEIVER | RESPONSE)
LAST_SEQUENCE = 0x7FFFFFFF
LARGEST = 70_000


class WireError(Exception):
    """The peer's octets are not SMPP: no figure can follow from them."""


def pdu(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    return HEADER.pack(16 + len(body), command, status, sequence) + body


def octets_of(name: str) -> bytes:
    """As it was typed, whatever the terminal's encoding made of it."""
    return name.encode("utf-8", "surrogateescape")


def bind(system_id: str, password: str, sequence: int, command: int = BIND_TRANSCEIVER, system_type: str = "") -> bytes:
    body = b"%b\0%b\0%b\0\x34\0\0\0" % (octets_of(system_id), octets_of(password), octets_of(system_type))
    return pdu(command, 0, sequence, body)


def address(name: str) -> bytes:
    """ton, npi, digits and NUL, by the kind that the characters show."""
    digits = name.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return b"\5\0" + octets_of(name) + b"\0"
    return (b"\3\0" if len(digits) <= 8 else b"\1\1") + digits.encode() + b"\0"


def words(first: int, count: int) -> bytes:
    """`count` successive 32-bit numbers in network order."""
    return big_endian(range(first, first + count))


def big_endian(numbers: Sequence[int]) -> bytes:
    run = array("I", numbers)
    if sys.byteorder == "little":
        run.byteswap()
    return run.tobytes()


class Arrived(NamedTuple):
    """What one read brought, sorted by kind."""

    used: int
    accepted: list[int]  # sequence numbers of submit_sm_resp with status 0 …
    ids: list[bytes]  # … and their message ids
    refused: list[tuple[int, int]]  # sequence number and status of the other submit_sm_resp
    delivered: list[int]  # sequence numbers of deliver_sm …
    receipts: list[bytes]  # … and the ids of those that are receipts
    others: list[tuple[int, int, int]]  # command, status and sequence number of everything else


def scan(buffer: bytes) -> Arrived:
    """Read every whole PDU of the buffer. Lengths are believed, within limits; no layout is assumed."""
    accepted: list[int] = []
    ids: list[bytes] = []
    refused: list[tuple[int, int]] = []
    delivered: list[int] = []
    receipts: list[bytes] = []
    others: list[tuple[int, int, int]] = []
    header, find, at, last = HEADER.unpack_from, buffer.find, 0, len(buffer) - 16
    while at <= last:
        length, command, status, sequence = header(buffer, at)
        if not 16 <= length <= LARGEST:
            raise WireError(f"command_length {length} at octet {at}")
        end = at + length
        if end > last + 16:
            break
        if command == SUBMIT_SM_RESP:
            if status:
                refused.append((sequence, status))
            else:
                stop = find(b"\0", at + 16, end)
                if stop < 0:
                    raise WireError(f"submit_sm_resp {sequence} without an end to its message_id")
                accepted.append(sequence)
                ids.append(buffer[at + 16 : stop])
        elif command == DELIVER_SM:
            delivered.append(sequence)
            mark = find(b"id:", at + 16, end)
            if mark > 0:
                stop = find(b" ", mark, end)
                receipts.append(buffer[mark + 3 : stop if stop > 0 else end])
        else:
            others.append((command, status, sequence))
        at = end
    return Arrived(at, accepted, ids, refused, delivered, receipts, others)


ACKNOWLEDGEMENT = pdu(DELIVER_SM | RESPONSE, 0, 0, b"\0")


def acknowledgements(sequences: Sequence[int]) -> bytes:
    """A deliver_sm_resp for each, in one piece."""
    run = bytearray(ACKNOWLEDGEMENT * len(sequences))
    numbers = big_endian(sequences)
    for octet in range(4):
        run[12 + octet :: len(ACKNOWLEDGEMENT)] = numbers[octet::4]
    return bytes(run)
