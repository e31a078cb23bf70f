"""Delivery receipts: the text of Appendix B and the deliver_sm around it, from templates shared by a batch.

The id stands as one identical string in submit_sm_resp, `id:` and receipted_message_id. ASCII only: other octets in a
receipt have broken clients. No clock: times and their zone are arguments."""
import re
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from struct import Struct
from typing import Final, NamedTuple

from . import constants as c

STAT: Final = {c.ENROUTE: b"ENROUTE", c.DELIVERED: b"DELIVRD", c.EXPIRED: b"EXPIRED", c.DELETED: b"DELETED",
               c.UNDELIVERABLE: b"UNDELIV", c.ACCEPTED: b"ACCEPTD", c.UNKNOWN: b"UNKNOWN", c.REJECTED: b"REJECTD"}
STATE_OF: Final = {stat: state for state, stat in STAT.items()}
EXCERPT = 20                                        # octets of the message that a receipt quotes
NETWORK = 3                                         # network_error_code: GSM

#         service_type, addresses,       esm, protocol, priority, 2 times, registered, replace, coding, canned, length
_BODY = b"\0%b%b" + bytes((c.ESM_RECEIPT, 0, 0, 0, 0, 0, 0, 0, 0)) + b"%cid:%b%b%b%b%b\0%b"   # … and the TLVs
_FIXED = 11                                         # octets of the body beside addresses and text
_MIDDLE = b" sub:001 dlvrd:%03d submit date:%b done date:%b stat:%b err:%03d text:"
_head = Struct(">HH").pack
_error = Struct(">HHBH").pack
_state = Struct(">HHB").pack
_VENDOR = c.TLV_OUTGOING_ID.to_bytes(2, "big")
_IDS = tuple(_head(c.TLV_RECEIPTED_MESSAGE_ID, size + 1) for size in range(65))
_PRINTABLE = bytes(range(0x20, 0x7F))


def frame(submitted_ms: int, done_ms: int, state: int, error: int, vendor: bool = False,
          zone: tzinfo = UTC) -> tuple[bytes, bytes]:
    """What the receipts of a batch share: the text behind the id, and the TLVs behind the one with the id.

    `vendor` adds the id as TLV 0x1401: such a tail ends in that tag, and deliver_sm puts length and value behind it."""
    return _frame(submitted_ms // 60_000, done_ms // 60_000, state, error, vendor, zone)


@lru_cache(4096)
def _frame(submitted: int, done: int, state: int, error: int, vendor: bool, zone: tzinfo) -> tuple[bytes, bytes]:
    """Receipts tell the minute, so that many batches share one template."""
    middle = _MIDDLE % (state == c.DELIVERED, _stamp(submitted, zone), _stamp(done, zone), STAT[state], error)
    tail = _error(c.TLV_NETWORK_ERROR_CODE, 3, NETWORK, error) + _state(c.TLV_MESSAGE_STATE, 1, state)
    return middle, tail + _VENDOR if vendor else tail


def _stamp(minutes: int, zone: tzinfo) -> bytes:
    return datetime.fromtimestamp(minutes * 60, zone).strftime("%y%m%d%H%M").encode()


def deliver_sm(message_id: bytes, source: bytes, destination: bytes, text: bytes, middle: bytes,
               tail: bytes) -> tuple[bytes, int]:
    """The body of the deliver_sm, and how long it is without its TLVs (a 3.3 client gets no more).

    source and destination are those of the message, and change places. Of `text` the first 20 octets are quoted, if
    they are printable ASCII: the octets of a UCS-2 or binary message are not."""
    text = text[:EXCERPT]
    if text.translate(None, _PRINTABLE):
        text = b""
    size = len(message_id)
    length = 3 + size + len(middle) + len(text)
    body = _BODY % (destination, source, length, message_id, middle, text, _IDS[size], message_id, tail)
    if tail.endswith(_VENDOR):
        body += b"%b%b\0" % (_head(0, size + 1)[2:], message_id)
    return body, _FIXED + len(destination) + len(source) + length


class Receipt(NamedTuple):
    """A receipt's text as it was read; what it does not say is empty, or 0 for the state."""
    message_id: bytes
    submitted: int
    delivered: int
    submit_date: bytes                              # YYMMDDhhmm, or with ss
    done_date: bytes
    stat: bytes
    state: int                                      # message_state for stat, 0 if the word is unknown
    error: bytes
    text: bytes


_TEXT = re.compile(
    rb"id:(\S*)(?:\s+sub:(\d{1,9}))?(?:\s+dlvrd:(\d{1,9}))?(?:\s+submit date:(\d{0,14}))?(?:\s+done date:(\d{0,14}))?"
    rb"(?:\s+stat:(\w*))?(?:\s+err:(\w*))?(?:\s+text:(.*))?", re.DOTALL | re.IGNORECASE)


def parse(text: bytes) -> Receipt:
    """Reads Appendix B as products write it. ValueError if this is not the text of a receipt."""
    match = _TEXT.match(text)
    if match is None or match[6] is None:
        raise ValueError("not a delivery receipt")
    message_id, sub, delivered, submit_date, done_date, stat, error, rest = match.groups(b"")
    return Receipt(message_id, int(sub or 0), int(delivered or 0), submit_date, done_date, stat,
                   STATE_OF.get(stat.upper(), 0), error, rest)
