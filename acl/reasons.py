"""Why something was refused: every reason by name, with the sentence a person reads.

Invariant: a reason exists once, here. Which status it becomes on the wire is none of this room's business.
"""

from typing import NamedTuple


class Refusal(NamedTuple):
    """A verdict that says no. `reason` is a name of this module; `detail` narrows it down for the log and the owner."""

    reason: str
    detail: str = ""


# -- of a bind ---------------------------------------------------------------------------------------------------------
ADDRESS_UNLISTED = "address_unlisted"
ADDRESS_NOT_AUTHORISED = "address_not_authorised"
UNKNOWN_SYSTEM_ID = "unknown_system_id"
WRONG_PASSWORD = "wrong_password"  # noqa: S105 - the name of a reason
NO_ADDRESS_DECLARED = "no_address_declared"
BIND_THROTTLED = "bind_throttled"
ACCOUNT_DISABLED = "account_disabled"
BIND_TYPE_NOT_ALLOWED = "bind_type_not_allowed"
SYSTEM_TYPE = "system_type"
TOO_MANY_BINDS = "too_many_binds"
DRAINING = "draining"
STORE_UNAVAILABLE = "store_unavailable"

# -- of a message, or of a request about one ---------------------------------------------------------------------------
SENDER_NOT_ALLOWED = "sender_not_allowed"
DESTINATION_INVALID = "destination_invalid"
DESTINATION_FORBIDDEN = "destination_forbidden"
DESTINATION_BLACKLISTED = "destination_blacklisted"
NO_ROUTE = "no_route"
DATA_CODING_UNSUPPORTED = "data_coding_unsupported"
ALPHABET_INVALID = "alphabet_invalid"
TEXT_TOO_LONG = "text_too_long"
NO_CREDIT = "no_credit"
THROTTLED = "throttled"
SCHEDULE_INVALID = "schedule_invalid"
VALIDITY_INVALID = "validity_invalid"
COMMAND_SWITCHED_OFF = "command_switched_off"
MESSAGE_UNKNOWN = "message_unknown"
MESSAGE_FINAL = "message_final"
REPLACE_COSTS_MORE = "replace_costs_more"
MALFORMED = "malformed"
STORE_FULL = "store_full"
STORE_DOWN = "store_down"

# -- of either ---------------------------------------------------------------------------------------------------------
CHECK_FAILED = "check_failed"

REASONS: dict[str, str] = {
    ADDRESS_UNLISTED: "The connection came from an address that is on no account's list.",
    ADDRESS_NOT_AUTHORISED: "The connection came from an address that is not on this account's list.",
    UNKNOWN_SYSTEM_ID: "No account has this system_id.",
    WRONG_PASSWORD: "The password is not the account's.",
    NO_ADDRESS_DECLARED: "The account has no authorised address yet, so nobody may bind to it.",
    BIND_THROTTLED: "Too many binds of this system_id and address are waiting after failed logins.",
    ACCOUNT_DISABLED: "The account is disabled.",
    BIND_TYPE_NOT_ALLOWED: "The account does not allow this type of bind.",
    SYSTEM_TYPE: "The bind's system_type is not the one this account demands.",
    TOO_MANY_BINDS: "The account has as many binds of this kind as it may have.",
    DRAINING: "The server is shutting down and takes no new binds.",
    STORE_UNAVAILABLE: "The store could not be read, so the login could not be decided.",
    SENDER_NOT_ALLOWED: "The sender is not one of this account's senders.",
    DESTINATION_INVALID: "The destination is not an international number of 7 to 15 digits.",
    DESTINATION_FORBIDDEN: "The account may not send to this destination.",
    DESTINATION_BLACKLISTED: "This number stands on the account's blacklist.",
    NO_ROUTE: "The account's price plan has no price for this destination.",
    DATA_CODING_UNSUPPORTED: "The data_coding is not supported, or not allowed for this account.",
    ALPHABET_INVALID: "The octets of the text are not valid in the alphabet they claim.",
    TEXT_TOO_LONG: "The text makes more parts than the account allows.",
    NO_CREDIT: "The account has not enough credit for this message.",
    THROTTLED: "The account sends faster than its throughput allows.",
    SCHEDULE_INVALID: "The schedule_delivery_time cannot be understood or lies too far ahead.",
    VALIDITY_INVALID: "The validity_period cannot be understood or has already passed.",
    COMMAND_SWITCHED_OFF: "The command is switched off for this account.",
    MESSAGE_UNKNOWN: "The account has no message with this id, sender and destination.",
    MESSAGE_FINAL: "The message has already reached its final state or has left for the network.",
    REPLACE_COSTS_MORE: "The new text would cost more than the message it replaces.",
    MALFORMED: "The request's body could not be read.",
    STORE_FULL: "The server cannot take more messages at the moment.",
    STORE_DOWN: "The store could not write the message down.",
    CHECK_FAILED: "A check could not be carried out, so the request was denied.",
}

# How a refused login looks must depend on the peer's address alone, so no account may change these answers.
LOGIN_REASONS = frozenset(
    {
        ADDRESS_UNLISTED, ADDRESS_NOT_AUTHORISED, UNKNOWN_SYSTEM_ID, WRONG_PASSWORD, NO_ADDRESS_DECLARED,
        BIND_THROTTLED, STORE_UNAVAILABLE, DRAINING,
    }
)  # fmt: skip
