"""What is left of a stored message once its text or its numbers are not to be kept any more.

Invariant: of what was to go no octet stays, and a body that says neither is empty. What cannot be read keeps nothing.
Knows no age and no account.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pdu import tlv
from pdu.bodies import DELIVER_SM_BODY, SUBMIT_SM_BODY, DeliverSm, SubmitSm, digits_of
from pdu.constants import (
    TLV_CALLBACK_NUM,
    TLV_CALLBACK_NUM_ATAG,
    TLV_DEST_SUBADDRESS,
    TLV_MESSAGE_PAYLOAD,
    TLV_SOURCE_SUBADDRESS,
)
from pdu.faults import Malformed

NOBODY = b"\0\0\0"
NUMBERS = frozenset({TLV_CALLBACK_NUM, TLV_CALLBACK_NUM_ATAG, TLV_DEST_SUBADDRESS, TLV_SOURCE_SUBADDRESS})
Message = SubmitSm | DeliverSm
Strip = Callable[[bytes, bool], bytes]


def without_text(body: bytes, received: bool) -> bytes:
    """All optional parameters go with it: what a client puts there is its own affair."""
    message = read(body, received)
    if message is None or not (digits_of(message.source) or digits_of(message.destination)):
        return b""
    return written(message, short_message=b"", tlvs=b"")


def without_numbers(body: bytes, received: bool) -> bytes:
    message = read(body, received)
    if message is None:
        return b""
    kept = [(tag, value) for tag, value in tlv.parse(message.tlvs) if tag not in NUMBERS]
    if not message.short_message and not any(tag == TLV_MESSAGE_PAYLOAD for tag, _value in kept):
        return b""
    return written(message, source=NOBODY, destination=NOBODY, tlvs=tlv.encode(kept))


def read(body: bytes, received: bool) -> Message | None:
    grammar = DELIVER_SM_BODY if received else SUBMIT_SM_BODY
    try:
        found: Message = grammar.decode(body, 0, 0, len(body))
        tlv.parse(found.tlvs)
    except Malformed:
        return None
    return found


def written(message: Message, **changed: bytes) -> bytes:
    grammar: Any = SUBMIT_SM_BODY if isinstance(message, SubmitSm) else DELIVER_SM_BODY
    fields = {**message._asdict(), **changed}
    for derived in ("sequence", "sm_length", "raw"):
        del fields[derived]
    octets: bytes = grammar.encode(grammar.build(**fields))
    return octets
