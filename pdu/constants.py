"""The numbers of SMPP 3.4 and their names. Plain ints: a number nobody has heard of must survive being read."""
from typing import Final

# -- command_id (§5.1.2) --------------------------------------------------------------------------------
RESPONSE: Final = 0x80000000                        # bit 31: the answer to the request with the other bits
GENERIC_NACK: Final = 0x80000000
BIND_RECEIVER: Final = 0x00000001
BIND_TRANSMITTER: Final = 0x00000002
QUERY_SM: Final = 0x00000003
SUBMIT_SM: Final = 0x00000004
DELIVER_SM: Final = 0x00000005
UNBIND: Final = 0x00000006
REPLACE_SM: Final = 0x00000007
CANCEL_SM: Final = 0x00000008
BIND_TRANSCEIVER: Final = 0x00000009
OUTBIND: Final = 0x0000000B
ENQUIRE_LINK: Final = 0x00000015
SUBMIT_MULTI: Final = 0x00000021
ALERT_NOTIFICATION: Final = 0x00000102
DATA_SM: Final = 0x00000103

BIND_RECEIVER_RESP: Final = 0x80000001
BIND_TRANSMITTER_RESP: Final = 0x80000002
QUERY_SM_RESP: Final = 0x80000003
SUBMIT_SM_RESP: Final = 0x80000004
DELIVER_SM_RESP: Final = 0x80000005
UNBIND_RESP: Final = 0x80000006
REPLACE_SM_RESP: Final = 0x80000007
CANCEL_SM_RESP: Final = 0x80000008
BIND_TRANSCEIVER_RESP: Final = 0x80000009
ENQUIRE_LINK_RESP: Final = 0x80000015
SUBMIT_MULTI_RESP: Final = 0x80000021
DATA_SM_RESP: Final = 0x80000103

BINDS: Final = (BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER)

_REQUESTS = {
    BIND_RECEIVER: "bind_receiver", BIND_TRANSMITTER: "bind_transmitter", QUERY_SM: "query_sm",
    SUBMIT_SM: "submit_sm", DELIVER_SM: "deliver_sm", UNBIND: "unbind", REPLACE_SM: "replace_sm",
    CANCEL_SM: "cancel_sm", BIND_TRANSCEIVER: "bind_transceiver", OUTBIND: "outbind",
    ENQUIRE_LINK: "enquire_link", SUBMIT_MULTI: "submit_multi", ALERT_NOTIFICATION: "alert_notification",
    DATA_SM: "data_sm",
}
UNANSWERED: Final = frozenset({OUTBIND, ALERT_NOTIFICATION})    # the two requests that have no response

COMMAND_NAMES: Final[dict[int, str]] = {
    **_REQUESTS,
    **{command | RESPONSE: f"{name}_resp" for command, name in _REQUESTS.items() if command not in UNANSWERED},
    GENERIC_NACK: "generic_nack",
}

SEQUENCE_LAST: Final = 0x7FFFFFFF                   # our own numbers wrap to 1 behind it; a peer's may be any
VERSION: Final = 0x34                               # interface_version and sc_interface_version

# -- command_status (§5.1.3) ----------------------------------------------------------------------------
ESME_ROK: Final = 0x00
ESME_RINVMSGLEN: Final = 0x01
ESME_RINVCMDLEN: Final = 0x02
ESME_RINVCMDID: Final = 0x03
ESME_RINVBNDSTS: Final = 0x04
ESME_RALYBND: Final = 0x05
ESME_RINVPRTFLG: Final = 0x06
ESME_RINVREGDLVFLG: Final = 0x07
ESME_RSYSERR: Final = 0x08
ESME_RINVSRCADR: Final = 0x0A
ESME_RINVDSTADR: Final = 0x0B
ESME_RINVMSGID: Final = 0x0C
ESME_RBINDFAIL: Final = 0x0D
ESME_RINVPASWD: Final = 0x0E
ESME_RINVSYSID: Final = 0x0F
ESME_RCANCELFAIL: Final = 0x11
ESME_RREPLACEFAIL: Final = 0x13
ESME_RMSGQFUL: Final = 0x14
ESME_RINVSERTYP: Final = 0x15
ESME_RINVNUMDESTS: Final = 0x33
ESME_RINVDLNAME: Final = 0x34
ESME_RINVDESTFLAG: Final = 0x40
ESME_RINVSUBREP: Final = 0x42
ESME_RINVESMCLASS: Final = 0x43
ESME_RCNTSUBDL: Final = 0x44
ESME_RSUBMITFAIL: Final = 0x45
ESME_RINVSRCTON: Final = 0x48
ESME_RINVSRCNPI: Final = 0x49
ESME_RINVDSTTON: Final = 0x50
ESME_RINVDSTNPI: Final = 0x51
ESME_RINVSYSTYP: Final = 0x53
ESME_RINVREPFLAG: Final = 0x54
ESME_RINVNUMMSGS: Final = 0x55
ESME_RTHROTTLED: Final = 0x58
ESME_RINVSCHED: Final = 0x61
ESME_RINVEXPIRY: Final = 0x62
ESME_RINVDFTMSGID: Final = 0x63
ESME_RX_T_APPN: Final = 0x64
ESME_RX_P_APPN: Final = 0x65
ESME_RX_R_APPN: Final = 0x66
ESME_RQUERYFAIL: Final = 0x67
ESME_RINVOPTPARSTREAM: Final = 0xC0
ESME_ROPTPARNOTALLWD: Final = 0xC1
ESME_RINVPARLEN: Final = 0xC2
ESME_RMISSINGOPTPARAM: Final = 0xC3
ESME_RINVOPTPARAMVAL: Final = 0xC4
ESME_RDELIVERYFAILURE: Final = 0xFE
ESME_RUNKNOWNERR: Final = 0xFF
# the vendor's range, 0x400 to 0x4FF
ESME_RBINDTHROTTLED: Final = 0x400
ESME_RUNSDATACODING: Final = 0x401
ESME_RINVGSM7CODING: Final = 0x402
ESME_RNOCREDIT: Final = 0x403

STATUS_NAMES: Final[dict[int, str]] = {
    number: name for name, number in list(globals().items()) if name.startswith("ESME_")}

# -- message_state and the words for it (§5.2.28, Appendix B) -------------------------------------------
ENROUTE: Final = 1
DELIVERED: Final = 2
EXPIRED: Final = 3
DELETED: Final = 4
UNDELIVERABLE: Final = 5
ACCEPTED: Final = 6
UNKNOWN: Final = 7
REJECTED: Final = 8
STATE_NAMES: Final[dict[int, str]] = {
    ENROUTE: "enroute", DELIVERED: "delivered", EXPIRED: "expired", DELETED: "deleted",
    UNDELIVERABLE: "undeliverable", ACCEPTED: "accepted", UNKNOWN: "unknown", REJECTED: "rejected",
}

# -- bits (§5.2.12, §5.2.17) ----------------------------------------------------------------------------
UDHI: Final = 0x40                                  # esm_class: a user data header stands before the text
REPLY_PATH: Final = 0x80
ESM_MODE: Final = 0x03                              # store and forward, datagram, transaction
ESM_TYPE: Final = 0x3C                              # what kind of message it is: compare under this mask
ESM_RECEIPT: Final = 0x04
ESM_DELIVERY_ACK: Final = 0x08
ESM_MANUAL_ACK: Final = 0x10
ESM_ABORT: Final = 0x18
ESM_INTERMEDIATE: Final = 0x20
RECEIPT_MASK: Final = 0x03                          # registered_delivery: 0 none, 1 always, 2 on failure
RECEIPT_ALWAYS: Final = 0x01
RECEIPT_ON_FAILURE: Final = 0x02
RECEIPT_ON_SUCCESS: Final = 0x03                    # reserved in 3.4; 5.0's meaning
INTERMEDIATE_ASKED: Final = 0x10

# -- ton and npi (§5.2.5, §5.2.6) -----------------------------------------------------------------------
TON_UNKNOWN: Final = 0
TON_INTERNATIONAL: Final = 1
TON_NATIONAL: Final = 2
TON_ALPHANUMERIC: Final = 5
TON_ABBREVIATED: Final = 6
NPI_UNKNOWN: Final = 0
NPI_E164: Final = 1

# -- optional parameters (§5.3.2); their types and sizes stand in tlv.TABLE ------------------------------
TLV_DEST_ADDR_SUBUNIT: Final = 0x0005
TLV_DEST_NETWORK_TYPE: Final = 0x0006
TLV_DEST_BEARER_TYPE: Final = 0x0007
TLV_DEST_TELEMATICS_ID: Final = 0x0008
TLV_SOURCE_ADDR_SUBUNIT: Final = 0x000D
TLV_SOURCE_NETWORK_TYPE: Final = 0x000E
TLV_SOURCE_BEARER_TYPE: Final = 0x000F
TLV_SOURCE_TELEMATICS_ID: Final = 0x0010
TLV_QOS_TIME_TO_LIVE: Final = 0x0017
TLV_PAYLOAD_TYPE: Final = 0x0019
TLV_ADDITIONAL_STATUS_INFO_TEXT: Final = 0x001D
TLV_RECEIPTED_MESSAGE_ID: Final = 0x001E
TLV_MS_MSG_WAIT_FACILITIES: Final = 0x0030
TLV_PRIVACY_INDICATOR: Final = 0x0201
TLV_SOURCE_SUBADDRESS: Final = 0x0202
TLV_DEST_SUBADDRESS: Final = 0x0203
TLV_USER_MESSAGE_REFERENCE: Final = 0x0204
TLV_USER_RESPONSE_CODE: Final = 0x0205
TLV_SOURCE_PORT: Final = 0x020A
TLV_DESTINATION_PORT: Final = 0x020B
TLV_SAR_MSG_REF_NUM: Final = 0x020C
TLV_LANGUAGE_INDICATOR: Final = 0x020D
TLV_SAR_TOTAL_SEGMENTS: Final = 0x020E
TLV_SAR_SEGMENT_SEQNUM: Final = 0x020F
TLV_SC_INTERFACE_VERSION: Final = 0x0210
TLV_CALLBACK_NUM_PRES_IND: Final = 0x0302
TLV_CALLBACK_NUM_ATAG: Final = 0x0303
TLV_NUMBER_OF_MESSAGES: Final = 0x0304
TLV_CALLBACK_NUM: Final = 0x0381
TLV_DPF_RESULT: Final = 0x0420
TLV_SET_DPF: Final = 0x0421
TLV_MS_AVAILABILITY_STATUS: Final = 0x0422
TLV_NETWORK_ERROR_CODE: Final = 0x0423
TLV_MESSAGE_PAYLOAD: Final = 0x0424
TLV_DELIVERY_FAILURE_REASON: Final = 0x0425
TLV_MORE_MESSAGES_TO_SEND: Final = 0x0426
TLV_MESSAGE_STATE: Final = 0x0427
TLV_USSD_SERVICE_OP: Final = 0x0501
TLV_DISPLAY_TIME: Final = 0x1201
TLV_SMS_SIGNAL: Final = 0x1203
TLV_MS_VALIDITY: Final = 0x1204
TLV_ALERT_ON_MESSAGE_DELIVERY: Final = 0x130C
TLV_ITS_REPLY_TYPE: Final = 0x1380
TLV_ITS_SESSION_INFO: Final = 0x1383
# the vendor's range, 0x1400 to 0x3FFF: our own two, sent only to those who ask for them
TLV_OUTGOING_ID: Final = 0x1401
TLV_INCOMING_ID: Final = 0x1402
