"""What a refused bind usually means, in the words of somebody who has to mend it.

Knows statuses only: which of the usual reasons it was, the server's operator can tell.
"""

from pdu import constants as c

VENDOR = range(0x400, 0x500)  # each server has its own meanings there
MEANINGS = {
    c.ESME_RINVCMDID: "the server does not know this kind of bind; try --bind with the other kind",
    c.ESME_RINVBNDSTS: "this kind of bind is not allowed here",
    c.ESME_RALYBND: "the account has as many binds as it may have; take fewer --connections",
    c.ESME_RSYSERR: "the server has a fault of its own, or is shutting down",
    c.ESME_RBINDFAIL: "the address it comes from is not authorised, the account is disabled, or may not bind this way",
    c.ESME_RINVPASWD: "the system_id or the password is wrong, or the account may not bind from this address",
    c.ESME_RINVSYSID: "no account has this system_id",
    c.ESME_RMSGQFUL: "the server is too busy",
    c.ESME_RINVSYSTYP: "the account demands another --system-type",
    c.ESME_RTHROTTLED: "too many binds in a short time; wait, or take fewer --connections",
    c.ESME_RBINDTHROTTLED: "on smppgate: too many failed logins; wait a while",
}


def name(status: int) -> str:
    """0x58 ESME_RTHROTTLED. Numbers of the vendor's range have the names that this product gives them."""
    known = c.STATUS_NAMES.get(status)
    if known is None:
        return f"0x{status:02X}"
    return f"0x{status:02X} {known}{' (on smppgate)' if status in VENDOR else ''}"


def explained(status: int) -> str:
    meaning = MEANINGS.get(status)
    return f"{name(status)}: {meaning}" if meaning else name(status)
