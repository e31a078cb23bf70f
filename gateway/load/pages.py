"""Encoded submit_sm by the thousand, without the work of encoding them.

Invariant: a page repeats one cycle of messages, so octet k of a message stands at a fixed stride, and one slice
assignment writes it in all of its repetitions. From one page to the next only sequence numbers, the digits that count
and the references of long texts change. All parts of a text go to one destination, one behind the other.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate, pairwise
from math import lcm
from typing import NamedTuple

from . import wire
from .texts import REFERENCE, Text, octets

PAGE = 1000  # messages, or one cycle if that is longer
MOST_TEXTS = 1000  # in one cycle
MOST_MESSAGES = 10_000
COUNTS = "#"  # a digit of the destination that counts
UDHI = 0x40
WHEELS = tuple(
    bytes(48 + number // 10**power % 10 for number in range(10 ** (power + 1) + MOST_TEXTS)) for power in range(3)
)
RAMP = bytes(number & 0xFF for number in range(256 + MOST_TEXTS))


class MixError(ValueError):
    """The mix and the senders take too long to come round."""


class Place(NamedTuple):
    """Where in the first cycle of a page one message has what changes."""

    sequence: int
    text: int  # which text of the cycle it belongs to
    digits: tuple[int, ...]
    reference: int | None  # of a part …
    long: int  # … and which long text of the cycle that is


class Layout(NamedTuple):
    """What the pages of all connections have in common."""

    cycle: bytes
    places: tuple[Place, ...]
    texts: int  # in a cycle
    longs: int  # of them in several parts
    cycles: int  # in a page
    starts: list[int]  # of each message in a page, and the end of the last


@cache
def layout(senders: tuple[str, ...], texts: tuple[Text, ...], destination: str, receipts: bool) -> Layout:
    count = lcm(len(senders), len(texts))
    turns = [(texts[turn % len(texts)], senders[turn % len(senders)]) for turn in range(min(count, MOST_TEXTS))]
    if count > MOST_TEXTS or sum(len(text.parts) for text, _sender in turns) > MOST_MESSAGES:
        raise MixError(f"the mix and the senders come round only after {count} texts: take rounder shares")
    cycle, starts, places, longs = bytearray(), [0], list[Place](), 0
    for turn, (text, sender) in enumerate(turns):
        for part in text.parts:
            message, digits, words = submit_sm(text, part, sender, destination, receipts)
            at = len(cycle)
            several = len(text.parts) > 1
            places.append(
                Place(at + 12, turn, tuple(at + x for x in digits), at + words + REFERENCE if several else None, longs)
            )
            cycle += message
            starts.append(len(cycle))
        longs += len(text.parts) > 1
    cycles = max(1, PAGE // len(places))
    lengths = [end - start for start, end in pairwise(starts)]
    return Layout(bytes(cycle), tuple(places), count, longs, cycles, list(accumulate(lengths * cycles, initial=0)))


def submit_sm(text: Text, part: bytes, sender: str, destination: str, receipts: bool) -> tuple[bytes, list[int], int]:
    """-> the message, where in it the digits are that count, and where its short_message is."""
    source = wire.address(sender)
    esm_class = UDHI if len(text.parts) > 1 else 0
    options = bytes((0, 0, 0, 0, receipts, 0, text.data_coding, 0, len(part)))  # behind esm_class
    body = b"\0%b\1\1%b\0%c%b%b" % (source, destination.replace(COUNTS, "0").encode(), esm_class, options, part)
    first = 16 + 1 + len(source) + 2
    digits = [first + at for at, character in enumerate(destination) if character == COUNTS]
    message = wire.pdu(wire.SUBMIT_SM, 0, 0, body)
    return message, digits, len(message) - len(part)


def column(power: int, first: int, count: int) -> bytes:
    """The digits for 10**power of `count` successive numbers, at most MOST_TEXTS."""
    unit: int = 10**power
    if power < len(WHEELS):
        at = first % (10 * unit)
        return WHEELS[power][at : at + count]
    digit, left = first // unit, min(count, unit - first % unit)
    return b"%d" % (digit % 10) * left + b"%d" % ((digit + 1) % 10) * (count - left)


class Pages:
    """An endless supply of submit_sm for one connection; senders and texts take turns, destinations count.

    `numbers` yields the numbers of the pages. Connections share one iterator, so a destination comes back only when its
    digits are used up.
    """

    def __init__(
        self,
        numbers: Iterator[int],
        senders: Sequence[str] = ("ACME",),
        texts: Sequence[Text] = (octets(40),),
        destination: str = "447700######",
        receipts: bool = True,
        first: int = 2,
    ) -> None:
        self._layout = layout(tuple(senders), tuple(texts), destination, receipts)
        self._numbers, self._sequence = numbers, first
        self.size = len(self._layout.places) * self._layout.cycles
        self._page = bytearray(self._layout.cycle * self._layout.cycles)
        self._view = memoryview(self._page)
        self._next = self.size

    def _turn(self) -> None:
        if self._sequence + self.size > wire.LAST_SEQUENCE:
            self._sequence = 1
        self._first, self._next = self._sequence, 0
        self._sequence += self.size
        cycle, places, texts, longs, cycles, _starts = self._layout
        number = next(self._numbers)
        page, stride, step = self._page, len(cycle), len(places)
        sequences = wire.words(self._first, self.size)
        powers = range(len(places[0].digits) - 1, -1, -1)
        columns = [column(power, number * texts * cycles, texts * cycles) for power in powers]
        for index, place in enumerate(places):
            for octet in range(4):
                page[place.sequence + octet :: stride] = sequences[4 * index + octet :: 4 * step]
            for at, digits in zip(place.digits, columns, strict=True):
                page[at::stride] = digits[place.text :: texts]
            if place.reference is not None:
                start = (number * longs * cycles + place.long) & 0xFF
                page[place.reference :: stride] = RAMP[start : start + longs * cycles : longs]

    def take(self, count: int) -> list[tuple[range, bytes]]:
        """The next `count` messages: their sequence numbers and their octets, in one piece for each page."""
        pieces, starts = [], self._layout.starts
        while count > 0:
            if self._next == self.size:
                self._turn()
            at, upto = self._next, min(self._next + count, self.size)
            octets = bytes(self._view[starts[at] : starts[upto]])  # a copy: the page will be patched
            pieces.append((range(self._first + at, self._first + upto), octets))
            self._next, count = upto, count - (upto - at)
        return pieces
