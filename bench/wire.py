"""What a load generator needs of SMPP 3.4: pages of encoded submit_sm, a scan of what comes back, runs of answers.

Invariant: work is done on whole buffers. A page of submit_sm differs from the page before in ten octets a message, and
octet k of every message stands at a fixed stride, so one slice assignment patches that octet in all of them.
Refuses to know the server's codec: a mistake made there must not be able to hide here.
"""

import sys
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate
from struct import Struct
from typing import NamedTuple

HEADER = Struct(">IIII")
RESPONSE = 0x80000000
GENERIC_NACK = 0x80000000
SUBMIT_SM = 0x4
DELIVER_SM = 0x5
UNBIND = 0x6
BIND_TRANSCEIVER = 0x9
ENQUIRE_LINK = 0x15
SUBMIT_SM_RESP = SUBMIT_SM | RESPONSE
LAST_SEQUENCE = 0x7FFFFFFF
LARGEST = 70_000
PAGE = 1000  # messages: the last three digits of the destination are the place in the page
TEXT = b"The quick brown fox jumps over the lazy dog 0123456789. "


class WireError(Exception):
    """The peer's octets are not SMPP: no figure can follow from them."""


def pdu(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    return HEADER.pack(16 + len(body), command, status, sequence) + body


def bind(system_id: str, password: str, sequence: int) -> bytes:
    body = b"%b\0%b\0\0\x34\0\0\0" % (system_id.encode(), password.encode())
    return pdu(BIND_TRANSCEIVER, 0, sequence, body)


def address(name: str) -> bytes:
    """ton, npi, digits and NUL, by the kind that the characters show."""
    digits = name.removeprefix("+")
    if not digits.isdigit():
        kind = b"\5\0"
    elif len(digits) <= 8:
        kind = b"\3\0"
    else:
        kind = b"\1\1"
    return kind + digits.encode() + b"\0"


def words(first: int, count: int) -> bytes:
    """`count` successive 32-bit numbers in network order."""
    return big_endian(range(first, first + count))


def big_endian(numbers: Sequence[int]) -> bytes:
    run = array("I", numbers)
    if sys.byteorder == "little":
        run.byteswap()
    return run.tobytes()


class Pages:
    """An endless supply of submit_sm for one connection; senders take turns, destinations differ.

    `numbers` yields the page numbers (three digits of the destination); connections share one iterator, so a
    destination comes back only after a million messages of the whole run.
    """

    def __init__(
        self,
        numbers: Iterator[int],
        senders: Sequence[str] = ("ACME",),
        length: int = 40,
        receipts: bool = True,
        prefix: str = "447700",
        first: int = 2,
    ) -> None:
        text = (TEXT * (length // len(TEXT) + 1))[:length]
        template = [self._message(address(name), prefix.encode(), receipts, text) for name in senders]
        self._numbers, self._sequence = numbers, first
        self.size = PAGE - PAGE % len(senders)
        self._stride = sum(map(len, template))
        self._page = bytearray(b"".join(template) * (self.size // len(senders)))
        self._view = memoryview(self._page)
        # Where each message starts, and where the last one ends.
        lengths = [len(message) for message in template] * (self.size // len(senders))
        self._starts = list(accumulate(lengths, initial=0))
        self._headers = self._starts[: len(senders)]
        self._digits = [
            start + message.index(prefix.encode() + b"000000\0", 17) + len(prefix)
            for start, message in zip(self._headers, template, strict=True)
        ]
        self._number_places()
        self._next = self.size

    @staticmethod
    def _message(source: bytes, prefix: bytes, receipts: bool, text: bytes) -> bytes:
        destination = b"\1\1" + prefix + b"000000\0"
        options = bytes((0, 0, 0, 0, 0, receipts, 0, 0, 0, len(text)))
        return pdu(SUBMIT_SM, 0, 0, b"\0" + source + destination + options + text)

    def _number_places(self) -> None:
        """The last three digits never change: they are the message's place in the page."""
        places = b"".join(b"%03d" % place for place in range(self.size))
        for sender, at in enumerate(self._digits):
            for digit in range(3):
                self._page[at + 3 + digit :: self._stride] = places[3 * sender + digit :: 3 * len(self._digits)]

    def _turn(self) -> None:
        if self._sequence + self.size > LAST_SEQUENCE:
            self._sequence = 1
        sequences = words(self._sequence, self.size)
        self._sequence += self.size
        number = b"%03d" % (next(self._numbers) % 1000)
        senders, page, stride = len(self._headers), self._page, self._stride
        for sender in range(senders):
            at, digits = self._headers[sender] + 12, self._digits[sender]
            for octet in range(4):
                page[at + octet :: stride] = sequences[4 * sender + octet :: 4 * senders]
            for digit in range(3):
                page[digits + digit :: stride] = number[digit : digit + 1] * (self.size // senders)
        self._next, self._first = 0, self._sequence - self.size

    def take(self, count: int) -> list[tuple[range, bytes]]:
        """The next `count` messages: their sequence numbers and their octets, in one piece for each page."""
        pieces = []
        while count > 0:
            if self._next == self.size:
                self._turn()
            at, upto = self._next, min(self._next + count, self.size)
            octets = bytes(self._view[self._starts[at] : self._starts[upto]])  # a copy: the page will be patched
            pieces.append((range(self._first + at, self._first + upto), octets))
            self._next, count = upto, count - (upto - at)
        return pieces


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
