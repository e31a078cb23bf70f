"""Valid requests, and what becomes of them when a field, an octet or a length is not what it should be.

Invariant: the same chance makes the same octets. Knows no server.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache

from pdu import codec, tlv
from pdu import constants as c
from pdu.bodies import BODIES
from tests.road.client import SENDER, octets_of, submitted

HEADER = 16
NASTY = (b"\0", b"\xff", b"\xff" * 40, b"A" * 300, b"%s%n", b"\r\n\x1b[31m", b"\0" * 20, bytes(range(256)))
Change = Callable[[bytearray, random.Random], None]


@cache
def requests() -> list[bytes]:
    """At least one of every command a client may send, and responses."""
    to, text = "48600100200", b"hello"
    plain = submitted(to, text)
    made = [
        octets_of(c.SUBMIT_SM, 2, **plain),
        octets_of(c.SUBMIT_SM, 3, **plain, registered_delivery=1, tlvs=tlv.encode([(0x0204, b"\0\1"), (0x1403, b"x")])),
        octets_of(c.SUBMIT_SM, 4, **submitted(to, b"x" * 400)),
        octets_of(c.SUBMIT_SM, 5, **submitted(to, b"\5\0\3\1\2\1" + text), esm_class=0x40),
        octets_of(c.SUBMIT_SM, 6, **submitted(to, "zażółć".encode("utf-16-be")), data_coding=8),
        octets_of(c.SUBMIT_MULTI, 7, source=SENDER, destinations=(plain["destination"],) * 3, short_message=text),
        octets_of(c.DATA_SM, 8, source=SENDER, destination=plain["destination"]),
        octets_of(c.QUERY_SM, 9, message_id=b"1", source=SENDER),
        octets_of(c.CANCEL_SM, 10, message_id=b"1", source=SENDER),
        octets_of(c.REPLACE_SM, 11, message_id=b"1", source=SENDER, short_message=text),
        octets_of(c.BIND_TRANSCEIVER, 12, system_id=b"somebody", password=b"secret"),
    ]
    made += [codec.encode(codec.Pdu(command, 0, 13, BODIES[command].build(13)))
             for command in (c.ENQUIRE_LINK, c.ENQUIRE_LINK_RESP, c.GENERIC_NACK, c.DELIVER_SM_RESP)]  # fmt: skip
    return made


def flip(octets: bytearray, chance: random.Random) -> None:
    octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)


def insert(octets: bytearray, chance: random.Random) -> None:
    at = chance.randrange(HEADER, len(octets) + 1)
    octets[at:at] = chance.choice(NASTY)


def cut(octets: bytearray, chance: random.Random) -> None:
    del octets[chance.randrange(HEADER, len(octets) + 1) :]


def drop(octets: bytearray, chance: random.Random) -> None:
    at = chance.randrange(HEADER, len(octets) + 1)
    del octets[at : at + chance.randrange(1, 9)]


def repeat(octets: bytearray, chance: random.Random) -> None:
    at = chance.randrange(HEADER, len(octets) + 1)
    octets[at:at] = octets[at : at + chance.randrange(1, 60)] * chance.randrange(1, 5)


def lie(octets: bytearray, chance: random.Random) -> None:
    """Where a length or a count may stand."""
    at = chance.randrange(HEADER, len(octets) + 1)
    octets[at : at + 1] = bytes([chance.choice((0, 1, 127, 128, 254, 255))])


def rename(octets: bytearray, chance: random.Random) -> None:
    octets[4:8] = chance.choice([*c.COMMAND_NAMES, 0, 0xFFFFFFFF, 0x00010000]).to_bytes(4, "big")


CHANGES: tuple[Change, ...] = (flip, flip, insert, cut, drop, repeat, lie, lie, rename)


def mutated(octets: bytes, chance: random.Random) -> bytes:
    """With one to four changes."""
    changed = bytearray(octets)
    for change in chance.choices(CHANGES, k=chance.randrange(1, 5)):
        change(changed, chance)
    return bytes(changed)


def framed(octets: bytes) -> bytes:
    """As it is, but for a header that is whole and tells its true length."""
    return len(octets).to_bytes(4, "big") + octets[4:]
