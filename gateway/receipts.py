"""Receipts and MO made ready for the wire, from what has just ended or from what the store still owes.

Invariant: the same message gives the same receipt, fresh or after a restart. Knows no mailbox and no link.
"""

from __future__ import annotations

from collections.abc import Sequence

from acl.settings import Settings
from pdu import gsm, receipt, tlv
from pdu.bodies import SUBMIT_SM_BODY, SubmitSm, user_data
from pdu.constants import TLV_INCOMING_ID, TLV_USER_MESSAGE_REFERENCE, UDHI
from pdu.faults import Malformed
from pdu.text import PACKED, ascii_text
from store.protocol import Owed

from .delivery import Due
from .network.connector import Message
from .zones import zone_of

# octets that are the same character in GSM 03.38, Latin-1 and ASCII: nearly every text is made of them
ALIKE = bytes([octet for octet in range(0x20, 0x7F) if gsm.decode(bytes([octet])) == chr(octet)])


def make(
    settings: Settings, messages: Sequence[Message], accepted_ms: int, done_ms: int, state: int, error: int
) -> list[Due]:
    """Receipts of messages that were accepted together and ended alike."""
    vendor, plain = settings.receipt_tlvs == "vendor", settings.receipt_tlvs == "none"
    middle, tail = receipt.frame(accepted_ms, done_ms, state, error, vendor, zone_of(settings.receipt_zone))
    alphabet = settings.default_alphabet
    alike = b"" if alphabet == PACKED else ALIKE
    deliver_sm, dues = receipt.deliver_sm, []
    for id_, wire, submit in messages:
        text = submit.short_message[: receipt.EXCERPT]
        if submit.data_coding or submit.esm_class & UDHI or submit.tlvs or text.translate(None, alike):
            text = quoted(submit, alphabet)
        octets, length = deliver_sm(wire, submit.source, submit.destination, text, middle, tail)
        if plain:
            octets = octets[:length]
        elif submit.tlvs:
            octets += reference(submit)
        dues.append(Due(id_, octets, length, done_ms))
    return dues


def quoted(submit: SubmitSm, alphabet: str) -> bytes:
    """What a receipt repeats of a text: its first 20 characters where they are plain, else nothing (smpp34 Q24)."""
    try:
        return ascii_text(submit.data_coding, submit.esm_class, user_data(submit), alphabet)
    except Malformed:
        return b""


def reference(submit: SubmitSm) -> bytes:
    """The client's own number, given back (§5.3.2.17)."""
    value = tlv.find(submit.tlvs, TLV_USER_MESSAGE_REFERENCE)
    return b"" if value is None else tlv.encode([(TLV_USER_MESSAGE_REFERENCE, value)])


def submit_of(body: bytes) -> SubmitSm:
    """A stored message's request."""
    record: SubmitSm = SUBMIT_SM_BODY.decode(body, 0, 0, len(body))
    return record


def restored(settings: Settings, rows: Sequence[Owed]) -> list[Due]:
    """What the store owes, in its order."""
    return [incoming(settings, row.id, row.body, row.at) if row.incoming else receipt_of(settings, row) for row in rows]


def receipt_of(settings: Settings, row: Owed) -> Due:
    message = (row.id, b"%d" % row.wire_id, submit_of(row.body))
    return make(settings, [message], row.at, row.done_at, row.state, row.error)[0]


def incoming(settings: Settings, id_: int, body: bytes, at_ms: int) -> Due:
    """A mobile-originated message; its body is the deliver_sm's without TLVs."""
    extra = tlv.encode([(TLV_INCOMING_ID, b"%d\0" % id_)]) if settings.receipt_tlvs == "vendor" else b""
    return Due(id_, body + extra, len(body), at_ms)
