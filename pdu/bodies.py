"""One record and one grammar per body, and the table of them all.

A record is (sequence, the fields in wire order, tlvs, raw). `tlvs` are the optional parameters as they came, already
known to be whole; `raw` is the whole body as it came. An address is one value: ton, npi, digits, NUL."""
from typing import Any, Final, NamedTuple

from . import constants as c
from . import tlv
from .faults import Malformed
from .grammar import Address, Grammar, Octet, Single, Text
from .tables import DESTINATIONS, UNSUCCESS, DistributionList, Tabled, Unsuccess

__all__ = [
    "ALERT_NOTIFICATION_BODY", "BIND_BODY", "BIND_RESP_BODY", "BODIES", "CANCEL_SM_BODY", "DATA_SM_BODY",
    "DATA_SM_RESP_BODY", "DELIVER_SM_BODY", "DELIVER_SM_RESP_BODY", "HEADER_ONLY", "OUTBIND_BODY", "QUERY_SM_BODY",
    "QUERY_SM_RESP_BODY", "REPLACE_SM_BODY", "SUBMIT_MULTI_BODY", "SUBMIT_MULTI_RESP_BODY", "SUBMIT_SM_BODY",
    "SUBMIT_SM_RESP_BODY", "AlertNotification", "Bind", "BindResp", "CancelSm", "DataSm", "DataSmResp", "DeliverSm",
    "DeliverSmResp", "DistributionList", "HeaderOnly", "Outbind", "QuerySm", "QuerySmResp", "ReplaceSm", "SubmitMulti",
    "SubmitMultiResp", "SubmitSm", "SubmitSmResp", "Unsuccess", "address", "digits_of", "user_data",
]


class Bind(NamedTuple):
    sequence: int
    system_id: bytes
    password: bytes
    system_type: bytes
    interface_version: int
    addr_ton: int
    addr_npi: int
    address_range: bytes
    tlvs: bytes
    raw: bytes

    def __repr__(self) -> str:                      # a password never enters a log line
        return f"Bind(sequence={self.sequence}, system_id={self.system_id!r}, password=…)"


class BindResp(NamedTuple):
    sequence: int
    system_id: bytes
    tlvs: bytes
    raw: bytes


class Outbind(NamedTuple):
    sequence: int
    system_id: bytes
    password: bytes
    tlvs: bytes
    raw: bytes

    def __repr__(self) -> str:
        return f"Outbind(sequence={self.sequence}, system_id={self.system_id!r}, password=…)"


class SubmitSm(NamedTuple):
    sequence: int
    service_type: bytes
    source: bytes
    destination: bytes
    esm_class: int
    protocol_id: int
    priority_flag: int
    schedule_delivery_time: bytes
    validity_period: bytes
    registered_delivery: int
    replace_if_present_flag: int
    data_coding: int
    sm_default_msg_id: int
    sm_length: int
    short_message: bytes
    tlvs: bytes
    raw: bytes


class DeliverSm(NamedTuple):
    sequence: int
    service_type: bytes
    source: bytes
    destination: bytes
    esm_class: int
    protocol_id: int
    priority_flag: int
    schedule_delivery_time: bytes
    validity_period: bytes
    registered_delivery: int
    replace_if_present_flag: int
    data_coding: int
    sm_default_msg_id: int
    sm_length: int
    short_message: bytes
    tlvs: bytes
    raw: bytes


class SubmitSmResp(NamedTuple):
    sequence: int
    message_id: bytes
    tlvs: bytes
    raw: bytes


class DeliverSmResp(NamedTuple):
    sequence: int
    message_id: bytes
    tlvs: bytes
    raw: bytes


class DataSm(NamedTuple):
    sequence: int
    service_type: bytes
    source: bytes
    destination: bytes
    esm_class: int
    registered_delivery: int
    data_coding: int
    tlvs: bytes
    raw: bytes


class DataSmResp(NamedTuple):
    sequence: int
    message_id: bytes
    tlvs: bytes
    raw: bytes


class SubmitMulti(NamedTuple):
    sequence: int
    service_type: bytes
    source: bytes
    number_of_dests: int
    destinations: tuple[bytes | DistributionList, ...]
    esm_class: int
    protocol_id: int
    priority_flag: int
    schedule_delivery_time: bytes
    validity_period: bytes
    registered_delivery: int
    replace_if_present_flag: int
    data_coding: int
    sm_default_msg_id: int
    sm_length: int
    short_message: bytes
    tlvs: bytes
    raw: bytes


class SubmitMultiResp(NamedTuple):
    sequence: int
    message_id: bytes
    no_unsuccess: int
    unsuccess: tuple[Unsuccess, ...]
    tlvs: bytes
    raw: bytes


class QuerySm(NamedTuple):
    sequence: int
    message_id: bytes
    source: bytes
    tlvs: bytes
    raw: bytes


class QuerySmResp(NamedTuple):
    sequence: int
    message_id: bytes
    final_date: bytes
    message_state: int
    error_code: int
    tlvs: bytes
    raw: bytes


class CancelSm(NamedTuple):
    sequence: int
    service_type: bytes
    message_id: bytes
    source: bytes
    destination: bytes
    tlvs: bytes
    raw: bytes


class ReplaceSm(NamedTuple):
    sequence: int
    message_id: bytes
    source: bytes
    schedule_delivery_time: bytes
    validity_period: bytes
    registered_delivery: int
    sm_default_msg_id: int
    sm_length: int
    short_message: bytes
    tlvs: bytes
    raw: bytes


class AlertNotification(NamedTuple):
    sequence: int
    source: bytes
    esme: bytes
    tlvs: bytes
    raw: bytes


class HeaderOnly(NamedTuple):
    """No fields: whatever stands behind the header is kept in `raw` and ignored."""
    sequence: int
    tlvs: bytes
    raw: bytes


class Bare(Grammar[HeaderOnly]):
    """Accepts anything, and an error response whose body is missing or cannot be read."""

    def decode(self, buffer: bytes, sequence: int, at: int, end: int) -> HeaderOnly:
        return HeaderOnly(sequence, b"", buffer[at:end])

    def explain(self, buffer: bytes, at: int, end: int) -> Malformed | None:
        return None

    def encode(self, record: HeaderOnly) -> bytes:
        return record.raw or record.tlvs


# Clients overrun these two, so they are read up to 64 octets and compared in full (the specification: 16 and 9).
_SYSTEM_ID, _PASSWORD = Text("system_id", 65, c.ESME_RBINDFAIL), Text("password", 65, c.ESME_RBINDFAIL)
_MESSAGE_ID = Text("message_id", 65)
_OWN_MESSAGE_ID = Text("message_id", 65, c.ESME_RINVMSGID)     # in a request: the id of an earlier message
_SOURCE, _DESTINATION = Address("source", 21), Address("destination", 21)
_SERVICE_TYPE = Text("service_type", 6)
# 1 or 17 octets; any other length up to 17 is left to times.parse, so that the answer is 0x61 or 0x62 all the same
_SCHEDULE = Text("schedule_delivery_time", 17, c.ESME_RINVSCHED)
_VALIDITY = Text("validity_period", 17, c.ESME_RINVEXPIRY)
_LENGTH = Octet("sm_length", most=254, status=c.ESME_RINVMSGLEN)
_CODING = (Octet("data_coding"), Octet("sm_default_msg_id"), _LENGTH)
_SUBMITTED = (Octet("esm_class"), Octet("protocol_id"), Octet("priority_flag", most=3, status=c.ESME_RINVPRTFLG),
              _SCHEDULE, _VALIDITY, Octet("registered_delivery"),
              Octet("replace_if_present_flag", most=1, status=c.ESME_RINVREPFLAG), *_CODING)

BIND_BODY = Grammar(Bind, _SYSTEM_ID, _PASSWORD, Text("system_type", 13, c.ESME_RBINDFAIL),
                    Octet("interface_version", default=c.VERSION), Octet("addr_ton"), Octet("addr_npi"),
                    Text("address_range", 41, c.ESME_RBINDFAIL), short=c.ESME_RBINDFAIL)
BIND_RESP_BODY = Single(BindResp, Text("system_id", 65))
OUTBIND_BODY = Grammar(Outbind, _SYSTEM_ID, _PASSWORD)
SUBMIT_SM_BODY = Grammar(SubmitSm, _SERVICE_TYPE, _SOURCE, _DESTINATION, *_SUBMITTED, counted="short_message")
DELIVER_SM_BODY = Grammar(DeliverSm, _SERVICE_TYPE, _SOURCE, _DESTINATION, Octet("esm_class"), Octet("protocol_id"),
                          Octet("priority_flag"), _SCHEDULE, _VALIDITY, Octet("registered_delivery"),
                          Octet("replace_if_present_flag"), *_CODING, counted="short_message")
SUBMIT_SM_RESP_BODY = Single(SubmitSmResp, _MESSAGE_ID)
DELIVER_SM_RESP_BODY = Single(DeliverSmResp, _MESSAGE_ID)
DATA_SM_BODY = Grammar(DataSm, _SERVICE_TYPE, Address("source", 65), Address("destination", 65), Octet("esm_class"),
                       Octet("registered_delivery"), Octet("data_coding"))
DATA_SM_RESP_BODY = Single(DataSmResp, _MESSAGE_ID)
SUBMIT_MULTI_BODY = Tabled(SubmitMulti, (_SERVICE_TYPE, _SOURCE,
                                         Octet("number_of_dests", 1, 254, c.ESME_RINVNUMDESTS)),
                           "destinations", DESTINATIONS, _SUBMITTED, counted="short_message")
SUBMIT_MULTI_RESP_BODY = Tabled(SubmitMultiResp, (_MESSAGE_ID, Octet("no_unsuccess")), "unsuccess", UNSUCCESS)
QUERY_SM_BODY = Grammar(QuerySm, _OWN_MESSAGE_ID, _SOURCE)
QUERY_SM_RESP_BODY = Grammar(QuerySmResp, _MESSAGE_ID, Text("final_date", 17), Octet("message_state"),
                             Octet("error_code"))
CANCEL_SM_BODY = Grammar(CancelSm, _SERVICE_TYPE, _OWN_MESSAGE_ID, _SOURCE, _DESTINATION)
REPLACE_SM_BODY = Grammar(ReplaceSm, _OWN_MESSAGE_ID, _SOURCE, _SCHEDULE, _VALIDITY, Octet("registered_delivery"),
                          Octet("sm_default_msg_id"), _LENGTH, counted="short_message")
ALERT_NOTIFICATION_BODY = Grammar(AlertNotification, Address("source", 65), Address("esme", 65))
HEADER_ONLY = Bare(HeaderOnly)

BODIES: Final[dict[int, Grammar[Any]]] = {
    **dict.fromkeys(c.BINDS, BIND_BODY),
    **{command | c.RESPONSE: BIND_RESP_BODY for command in c.BINDS},
    c.OUTBIND: OUTBIND_BODY,
    c.SUBMIT_SM: SUBMIT_SM_BODY, c.SUBMIT_SM_RESP: SUBMIT_SM_RESP_BODY,
    c.DELIVER_SM: DELIVER_SM_BODY, c.DELIVER_SM_RESP: DELIVER_SM_RESP_BODY,
    c.DATA_SM: DATA_SM_BODY, c.DATA_SM_RESP: DATA_SM_RESP_BODY,
    c.SUBMIT_MULTI: SUBMIT_MULTI_BODY, c.SUBMIT_MULTI_RESP: SUBMIT_MULTI_RESP_BODY,
    c.QUERY_SM: QUERY_SM_BODY, c.QUERY_SM_RESP: QUERY_SM_RESP_BODY,
    c.CANCEL_SM: CANCEL_SM_BODY, c.CANCEL_SM_RESP: HEADER_ONLY,
    c.REPLACE_SM: REPLACE_SM_BODY, c.REPLACE_SM_RESP: HEADER_ONLY,
    c.ALERT_NOTIFICATION: ALERT_NOTIFICATION_BODY,
    c.UNBIND: HEADER_ONLY, c.UNBIND_RESP: HEADER_ONLY,
    c.ENQUIRE_LINK: HEADER_ONLY, c.ENQUIRE_LINK_RESP: HEADER_ONLY,
    c.GENERIC_NACK: HEADER_ONLY,
}


def address(ton: int, npi: int, digits: bytes) -> bytes:
    return b"%c%c%b\0" % (ton, npi, digits)


def digits_of(address: bytes) -> bytes:
    return address[2:-1]


def user_data(message: SubmitSm | DeliverSm | SubmitMulti | DataSm) -> bytes:
    """The text octets, user data header included: short_message, or message_payload when that is empty (§4.4.1).

    Both filled is Malformed 0x01; a data_sm without its payload 0xC3."""
    if isinstance(message, DataSm):
        payload = tlv.find(message.tlvs, c.TLV_MESSAGE_PAYLOAD)
        if payload is None:
            raise Malformed("message_payload", len(message.raw) + 16, c.ESME_RMISSINGOPTPARAM, "missing")
        return payload
    if not message.tlvs:
        return message.short_message
    payload = tlv.find(message.tlvs, c.TLV_MESSAGE_PAYLOAD)
    if not payload:
        return message.short_message
    if message.sm_length:
        raise Malformed("message_payload", 16 + len(message.raw) - len(message.tlvs), c.ESME_RINVMSGLEN,
                        "stands beside a short_message")
    return payload
