"""Pages of submit_sm, read back field by field: by nothing that wrote them, and by the server's codec."""

from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

import pytest

from gateway.load import pages, texts, wire
from gateway.load.pages import Pages
from pdu import udh
from pdu.bodies import SubmitSm
from pdu.codec import decode_run
from pdu.frames import split

MIX = texts.mixed({"gsm": 7, "ucs2": 2, "long": 1}, 40, 3)


class Seen(NamedTuple):
    sequence: int
    source: bytes
    destination: bytes
    options: bytes  # esm_class to sm_length
    words: bytes


def seen(octets: bytes) -> list[Seen]:
    found, at = [], 0
    while at < len(octets):
        length, command, status, sequence = wire.HEADER.unpack_from(octets, at)
        assert (command, status) == (wire.SUBMIT_SM, 0)
        body = octets[at + 16 : at + length]
        assert body[0] == 0
        end_of_source = body.index(0, 3) + 1
        end = body.index(0, end_of_source + 2) + 1
        options, words = body[end : end + 10], body[end + 10 :]
        assert options[9] == len(words)
        found.append(Seen(sequence, body[1:end_of_source], body[end_of_source:end], options, words))
        at += length
    return found


def taken(supply: Pages, *sizes: int) -> list[Seen]:
    return seen(b"".join(piece for size in sizes for _numbers, piece in supply.take(size)))


@pytest.mark.parametrize("senders", [("ACME",), ("ACME", "+33600000001", "36180")])
def test_pages_count_up_take_turns_and_never_repeat_a_destination(senders: tuple[str, ...]) -> None:
    messages = taken(Pages(count(), senders, first=2), 1, 99, 1500, 700)
    assert [message.sequence for message in messages] == list(range(2, 2302))
    assert [message.source for message in messages[:4]] == [
        wire.address(senders[place % len(senders)]) for place in range(4)
    ]
    assert [message.destination for message in messages] == [b"\1\x01447700%06d\0" % number for number in range(2300)]


def test_connections_share_their_destinations() -> None:
    numbers = count()
    first, second = Pages(numbers), Pages(numbers)
    found = [message.destination for supply in (first, second, first) for message in taken(supply, 1000)]
    assert len(set(found)) == 3000


@pytest.mark.parametrize(
    ("pattern", "many"), [("4470#", 10), ("#4470##", 1000), ("44770012345", 1), ("###########", 2300)]
)
def test_a_destination_counts_where_it_is_marked(pattern: str, many: int) -> None:
    found = [message.destination[2:-1] for message in taken(Pages(count(), destination=pattern), 2300)]
    assert len(set(found)) == many
    assert all(mark in ("#", chr(digit)) for each in found for mark, digit in zip(pattern, each, strict=True))
    assert [int(each) for each in found[:3]] == [
        int(pattern.replace("#", "0")) + (step if many > 1 else 0) for step in range(3)
    ]


@pytest.mark.parametrize("power", range(8))
@pytest.mark.parametrize("first", [0, 7, 994, 999_500, 10**8 - 3])
def test_a_column_of_digits(power: int, first: int) -> None:
    assert pages.column(power, first, 1000) == bytes(
        48 + number // 10**power % 10 for number in range(first, first + 1000)
    )


def test_take_tells_the_sequence_numbers_of_what_it_gives() -> None:
    supply = Pages(count(), first=5)
    for size in (3, 1200):
        for numbers, octets in supply.take(size):
            assert list(numbers) == [message.sequence for message in seen(octets)]


def test_sequence_numbers_wrap_before_the_last() -> None:
    supply = Pages(count(), first=wire.LAST_SEQUENCE - 1500)
    numbers = [number for run, _octets in supply.take(3000) for number in run]
    assert max(numbers) <= wire.LAST_SEQUENCE
    assert numbers[-1] < 3000
    assert 0 not in numbers


@pytest.mark.parametrize("receipts", [True, False])
def test_length_and_registered_delivery_are_as_asked(receipts: bool) -> None:
    [message] = taken(Pages(count(), texts=(texts.octets(254),), receipts=receipts), 1)
    assert (len(message.words), message.options[5]) == (254, receipts)


def test_a_mix_is_what_the_servers_codec_reads() -> None:
    octets = b"".join(piece for _numbers, piece in Pages(count(), ("ACME", "36180"), MIX).take(2400))
    messages, faults = decode_run(wire.SUBMIT_SM, octets, split(octets)[0])
    assert list(faults) == []
    assert all(isinstance(message, SubmitSm) for message in messages)
    assert [bool(message.esm_class & 0x40) for message in messages].count(True) == 3 * 200
    assert [message.data_coding for message in messages].count(8) == 2 * 200


def test_the_parts_of_a_long_text_belong_together() -> None:
    messages = taken(Pages(count(), ("A", "B", "C"), MIX), 12 * 300)
    parts = [(message, udh.concatenation(udh.parse(message.words))) for message in messages if message.options[0]]
    texts_seen = [parts[at : at + 3] for at in range(0, len(parts), 3)]
    for together in texts_seen:
        assert len({(message.source, message.destination) for message, _part in together}) == 1
        assert len({message.sequence - place for place, (message, _part) in enumerate(together)}) == 1
        assert [(part.total, part.number) for _message, part in together if part] == [(3, 1), (3, 2), (3, 3)]
        assert len({part.reference for _message, part in together if part}) == 1
    references = [part.reference for together in texts_seen for _message, part in together[:1] if part]
    assert references == [number & 0xFF for number in range(300)]


def test_only_the_parts_of_one_text_share_a_destination() -> None:
    messages = taken(Pages(count(), ("A", "B", "C"), MIX), 12 * 300)
    assert len({message.destination for message in messages}) == 10 * 300


@pytest.mark.parametrize(
    ("senders", "run"),
    [(tuple(map(str, range(101))), MIX), (("A",), texts.mixed({"long": 1}, 40, 255) * 50)],
    ids=["comes round too late", "is too large"],
)
def test_a_cycle_that_is_too_long_is_refused(senders: Sequence[str], run: tuple[texts.Text, ...]) -> None:
    with pytest.raises(pages.MixError):
        Pages(count(), senders, run)
