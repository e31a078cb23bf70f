"""Optional parameters: tag, length, value. Unknown and vendor tags are kept octet for octet.

A TLV part is checked to be whole when a body is read; whether a value makes sense is asked when somebody wants it."""
from struct import Struct, error
from typing import Final, NamedTuple

from . import constants as c
from .faults import Malformed

SLACK = 3                                           # zero octets tolerated behind a body
_HEAD = Struct(">HH")
_head = _HEAD.unpack_from

INTEGER, STRING, OCTETS = "integer", "string", "octets"

_IN: Final = {"S": c.SUBMIT_SM, "M": c.SUBMIT_MULTI, "D": c.DELIVER_SM, "A": c.DATA_SM, "N": c.ALERT_NOTIFICATION,
              "a": c.DATA_SM_RESP, "r": c.BIND_RECEIVER_RESP, "t": c.BIND_TRANSMITTER_RESP,
              "x": c.BIND_TRANSCEIVER_RESP}


class Tlv(NamedTuple):
    """One optional parameter of the specification (§5.3.2)."""
    tag: int
    name: str
    kind: str
    least: int                                      # octets
    most: int
    valid_in: frozenset[int]                        # command ids
    values: range | None = None                     # of an integer


def _row(tag: int, name: str, kind: str, least: int, most: int, where: str, values: range | None = None) -> Tlv:
    return Tlv(tag, name, kind, least, most, frozenset(_IN[letter] for letter in where.replace("b", "rtx")), values)


def _int(tag: int, name: str, size: int, where: str, most: int | None = None, least: int = 0) -> Tlv:
    return _row(tag, name, INTEGER, size, size, where, None if most is None else range(least, most + 1))


#  in: S submit_sm, M submit_multi, D deliver_sm, A data_sm, a data_sm_resp, b bind responses, N alert_notification
_ROWS = (
    _int(c.TLV_DEST_ADDR_SUBUNIT, "dest_addr_subunit", 1, "SMA"),
    _int(c.TLV_DEST_NETWORK_TYPE, "dest_network_type", 1, "A"),
    _int(c.TLV_DEST_BEARER_TYPE, "dest_bearer_type", 1, "A"),
    _int(c.TLV_DEST_TELEMATICS_ID, "dest_telematics_id", 2, "A"),
    _int(c.TLV_SOURCE_ADDR_SUBUNIT, "source_addr_subunit", 1, "SMA"),
    _int(c.TLV_SOURCE_NETWORK_TYPE, "source_network_type", 1, "A"),
    _int(c.TLV_SOURCE_BEARER_TYPE, "source_bearer_type", 1, "A"),
    _int(c.TLV_SOURCE_TELEMATICS_ID, "source_telematics_id", 1, "A"),
    _int(c.TLV_QOS_TIME_TO_LIVE, "qos_time_to_live", 4, "A"),
    _int(c.TLV_PAYLOAD_TYPE, "payload_type", 1, "SMDA"),
    _row(c.TLV_ADDITIONAL_STATUS_INFO_TEXT, "additional_status_info_text", STRING, 1, 256, "a"),
    _row(c.TLV_RECEIPTED_MESSAGE_ID, "receipted_message_id", STRING, 1, 65, "DA"),
    _int(c.TLV_MS_MSG_WAIT_FACILITIES, "ms_msg_wait_facilities", 1, "SMA"),
    _int(c.TLV_PRIVACY_INDICATOR, "privacy_indicator", 1, "SMDA", 3),
    _row(c.TLV_SOURCE_SUBADDRESS, "source_subaddress", OCTETS, 2, 23, "SMDA"),
    _row(c.TLV_DEST_SUBADDRESS, "dest_subaddress", OCTETS, 2, 23, "SDA"),
    _int(c.TLV_USER_MESSAGE_REFERENCE, "user_message_reference", 2, "SMDA"),
    _int(c.TLV_USER_RESPONSE_CODE, "user_response_code", 1, "SDA"),
    _int(c.TLV_SOURCE_PORT, "source_port", 2, "SMDA"),
    _int(c.TLV_DESTINATION_PORT, "destination_port", 2, "SMDA"),
    _int(c.TLV_SAR_MSG_REF_NUM, "sar_msg_ref_num", 2, "SMDA"),
    _int(c.TLV_LANGUAGE_INDICATOR, "language_indicator", 1, "SMDA"),
    _int(c.TLV_SAR_TOTAL_SEGMENTS, "sar_total_segments", 1, "SMDA", 255, 1),
    _int(c.TLV_SAR_SEGMENT_SEQNUM, "sar_segment_seqnum", 1, "SMDA", 255, 1),
    _int(c.TLV_SC_INTERFACE_VERSION, "sc_interface_version", 1, "b"),
    _int(c.TLV_CALLBACK_NUM_PRES_IND, "callback_num_pres_ind", 1, "SMA"),
    _row(c.TLV_CALLBACK_NUM_ATAG, "callback_num_atag", OCTETS, 0, 65, "SMA"),
    _int(c.TLV_NUMBER_OF_MESSAGES, "number_of_messages", 1, "SA", 99),
    _row(c.TLV_CALLBACK_NUM, "callback_num", OCTETS, 4, 19, "SMDA"),
    _int(c.TLV_DPF_RESULT, "dpf_result", 1, "a", 1),
    _int(c.TLV_SET_DPF, "set_dpf", 1, "A", 1),
    _int(c.TLV_MS_AVAILABILITY_STATUS, "ms_availability_status", 1, "N"),
    _row(c.TLV_NETWORK_ERROR_CODE, "network_error_code", OCTETS, 3, 3, "DAa"),
    _row(c.TLV_MESSAGE_PAYLOAD, "message_payload", OCTETS, 0, 65535, "SMDA"),
    _int(c.TLV_DELIVERY_FAILURE_REASON, "delivery_failure_reason", 1, "a"),
    _int(c.TLV_MORE_MESSAGES_TO_SEND, "more_messages_to_send", 1, "SA", 1),
    _int(c.TLV_MESSAGE_STATE, "message_state", 1, "DA"),
    _int(c.TLV_USSD_SERVICE_OP, "ussd_service_op", 1, "S"),
    _int(c.TLV_DISPLAY_TIME, "display_time", 1, "SMA"),
    _int(c.TLV_SMS_SIGNAL, "sms_signal", 2, "SMA"),
    _int(c.TLV_MS_VALIDITY, "ms_validity", 1, "SMA"),
    # no value in 3.4, one octet in 5.0
    _row(c.TLV_ALERT_ON_MESSAGE_DELIVERY, "alert_on_message_delivery", OCTETS, 0, 1, "SMA"),
    _int(c.TLV_ITS_REPLY_TYPE, "its_reply_type", 1, "SA"),
    _int(c.TLV_ITS_SESSION_INFO, "its_session_info", 2, "SDA"),
)
TABLE: Final[dict[int, Tlv]] = {row.tag: row for row in _ROWS}


def name_of(tag: int) -> str:
    row = TABLE.get(tag)
    return row.name if row else f"tlv_0x{tag:04X}"


def whole(octets: bytes, offset: int = 0) -> bytes:
    """The octets, less up to three zero octets behind the last TLV; Malformed 0xC0 if they are not whole TLVs.

    `offset` is where they start in their PDU."""
    at, end = 0, len(octets)
    while end - at >= 4:
        tag, length = _head(octets, at)
        after = at + 4 + length
        if after > end:
            raise Malformed(name_of(tag), offset + at, c.ESME_RINVOPTPARSTREAM,
                            f"{length} octets announced, {end - at - 4} follow")
        at = after
    if any(octets[at:]):
        raise Malformed("tlvs", offset + at, c.ESME_RINVOPTPARSTREAM, f"{end - at} stray octets")
    return octets[:at]


def check(octets: bytes) -> None:
    """Malformed 0xC0 unless these are whole TLVs and nothing else."""
    if whole(octets) != octets:
        raise Malformed("tlvs", len(octets), c.ESME_RINVOPTPARSTREAM, "stray octets")


def parse(octets: bytes) -> list[tuple[int, bytes]]:
    """Every TLV in its order, repeats too."""
    found, at, end = [], 0, len(whole(octets))
    while at < end:
        tag, length = _head(octets, at)
        at += 4 + length
        found.append((tag, octets[at - length:at]))
    return found


def find(octets: bytes, tag: int) -> bytes | None:
    """The value of the first TLV with this tag. The octets must be whole TLVs, as in every record."""
    at, end = 0, len(octets)
    while at < end:
        found, length = _head(octets, at)
        at += 4 + length
        if found == tag:
            return octets[at - length:at]
    return None


def encode(pairs: list[tuple[int, bytes]]) -> bytes:
    """The TLVs one behind the other. ValueError if a tag or a value does not fit."""
    try:
        return b"".join([_HEAD.pack(tag, len(value)) + value for tag, value in pairs])
    except error as fault:
        raise ValueError(str(fault)) from fault


def pair(tag: int, value: int | bytes) -> tuple[int, bytes]:
    """A TLV of the table from its typed value: an integer in its size, a string with its NUL."""
    row = TABLE[tag]
    if isinstance(value, int):
        return tag, value.to_bytes(row.least, "big")
    return tag, value + b"\0" if row.kind == STRING else value


def value(tag: int, octets: bytes) -> int | bytes:
    """The typed value. Malformed 0xC2 if its size is wrong, 0xC4 if it is out of range."""
    row = TABLE.get(tag)
    if row is None:
        return octets
    if row.kind == INTEGER:
        if not 1 <= len(octets) <= 4:               # clients send short integers in any size
            raise Malformed(row.name, 0, c.ESME_RINVPARLEN, f"{len(octets)} octets")
        number = int.from_bytes(octets, "big")
        if row.values is not None and number not in row.values:
            raise Malformed(row.name, 0, c.ESME_RINVOPTPARAMVAL, f"{number} is out of range")
        return number
    if not row.least <= len(octets) <= row.most:
        raise Malformed(row.name, 0, c.ESME_RINVPARLEN, f"{len(octets)} octets")
    return octets.split(b"\0", 1)[0] if row.kind == STRING else octets


def explain(octets: bytes) -> list[tuple[str, int | bytes]]:
    """Name and typed value of each TLV, for people; a value that makes no sense is shown as it came."""
    shown: list[tuple[str, int | bytes]] = []
    for tag, raw in parse(octets):
        try:
            shown.append((name_of(tag), value(tag, raw)))
        except Malformed:
            shown.append((name_of(tag), raw))
    return shown
