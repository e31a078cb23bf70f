"""From a reason to a command_status: the one place.

Invariant: every reason of acl has a status; an account may put its own in place. Knows nothing of how reasons arise.
"""

from __future__ import annotations

from collections.abc import Mapping

from acl import reasons
from pdu import constants as smpp

STATUS: dict[str, int] = {
    reasons.ADDRESS_UNLISTED: smpp.ESME_RBINDFAIL,
    reasons.ADDRESS_NOT_AUTHORISED: smpp.ESME_RINVPASWD,
    reasons.UNKNOWN_SYSTEM_ID: smpp.ESME_RINVPASWD,
    reasons.WRONG_PASSWORD: smpp.ESME_RINVPASWD,
    reasons.NO_ADDRESS_DECLARED: smpp.ESME_RINVPASWD,
    reasons.ACCOUNT_DISABLED: smpp.ESME_RBINDFAIL,
    reasons.BIND_TYPE_NOT_ALLOWED: smpp.ESME_RBINDFAIL,
    reasons.SYSTEM_TYPE: smpp.ESME_RINVSYSTYP,
    reasons.TOO_MANY_BINDS: smpp.ESME_RALYBND,
    reasons.BIND_THROTTLED: smpp.ESME_RBINDTHROTTLED,
    reasons.DRAINING: smpp.ESME_RSYSERR,
    reasons.STORE_UNAVAILABLE: smpp.ESME_RSYSERR,
    reasons.THROTTLED: smpp.ESME_RTHROTTLED,
    reasons.NO_CREDIT: smpp.ESME_RNOCREDIT,
    reasons.SENDER_NOT_ALLOWED: smpp.ESME_RINVSRCADR,
    reasons.DESTINATION_INVALID: smpp.ESME_RINVDSTADR,
    reasons.DESTINATION_FORBIDDEN: smpp.ESME_RINVDSTADR,
    reasons.DESTINATION_BLACKLISTED: smpp.ESME_RINVDSTADR,
    reasons.NO_ROUTE: smpp.ESME_RINVDSTADR,
    reasons.DATA_CODING_UNSUPPORTED: smpp.ESME_RUNSDATACODING,
    reasons.ALPHABET_INVALID: smpp.ESME_RINVGSM7CODING,
    reasons.TEXT_TOO_LONG: smpp.ESME_RINVMSGLEN,
    reasons.SCHEDULE_INVALID: smpp.ESME_RINVSCHED,
    reasons.VALIDITY_INVALID: smpp.ESME_RINVEXPIRY,
    reasons.COMMAND_SWITCHED_OFF: smpp.ESME_RINVCMDID,
    reasons.MESSAGE_UNKNOWN: smpp.ESME_RINVMSGID,
    reasons.MESSAGE_FINAL: smpp.ESME_RCANCELFAIL,
    reasons.REPLACE_COSTS_MORE: smpp.ESME_RREPLACEFAIL,
    reasons.MALFORMED: smpp.ESME_RINVPARLEN,
    reasons.STORE_FULL: smpp.ESME_RMSGQFUL,
    reasons.STORE_DOWN: smpp.ESME_RSYSERR,
    reasons.CHECK_FAILED: smpp.ESME_RSYSERR,
}


def status_of(reason: str, overrides: Mapping[str, int]) -> int:
    return overrides.get(reason) or STATUS[reason]
