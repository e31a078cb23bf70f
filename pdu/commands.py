"""The state table: which PDU may be sent by whom, in which state, and what an illegal request is answered with.

What may follow is decided here and nowhere else. Knows no session: a state is one of six words."""
from typing import Final, NamedTuple

from . import constants as c

OPEN, BOUND_TX, BOUND_RX, BOUND_TRX, UNBOUND, CLOSED = "OPEN", "BOUND_TX", "BOUND_RX", "BOUND_TRX", "UNBOUND", "CLOSED"
STATES: Final = (OPEN, BOUND_TX, BOUND_RX, BOUND_TRX, UNBOUND, CLOSED)
BOUND: Final = frozenset({BOUND_TX, BOUND_RX, BOUND_TRX})

ESME, SMSC = "ESME", "SMSC"
PROCESS, DROP = "process", "drop"                   # beside these an answer is the (command, status) to send

BOUND_BY: Final = {c.BIND_TRANSMITTER: BOUND_TX, c.BIND_RECEIVER: BOUND_RX, c.BIND_TRANSCEIVER: BOUND_TRX}
KIND_OF: Final = {c.BIND_TRANSMITTER: "transmitter", c.BIND_RECEIVER: "receiver", c.BIND_TRANSCEIVER: "transceiver"}

_BOTH = frozenset({ESME, SMSC})
_ESME = frozenset({ESME})
_SMSC = frozenset({SMSC})
_SENDING = frozenset({BOUND_TX, BOUND_TRX})
_RECEIVING = frozenset({BOUND_RX, BOUND_TRX})


class Command(NamedTuple):
    """One request of the specification. `states` are those in which its sender may send it (Table 2-1)."""
    id: int
    senders: frozenset[str]
    states: frozenset[str]
    wrong_state: int = c.ESME_RINVBNDSTS            # the status for an ESME that is bound and may not send it
    goodbye: bool = False                           # answered even while the connection is closing

    @property
    def name(self) -> str:
        return c.COMMAND_NAMES[self.id]

    @property
    def response(self) -> int | None:
        return None if self.id in c.UNANSWERED else self.id | c.RESPONSE


_OPEN = frozenset({OPEN})
_TABLE = (
    Command(c.BIND_RECEIVER, _ESME, _OPEN, c.ESME_RALYBND),
    Command(c.BIND_TRANSMITTER, _ESME, _OPEN, c.ESME_RALYBND),
    Command(c.BIND_TRANSCEIVER, _ESME, _OPEN, c.ESME_RALYBND),
    Command(c.OUTBIND, _SMSC, _OPEN),
    Command(c.UNBIND, _BOTH, BOUND, goodbye=True),
    Command(c.ENQUIRE_LINK, _BOTH, BOUND | _OPEN, goodbye=True),    # clients ask before they bind
    Command(c.SUBMIT_SM, _ESME, _SENDING),
    Command(c.SUBMIT_MULTI, _ESME, _SENDING),
    Command(c.QUERY_SM, _ESME, _SENDING),
    Command(c.CANCEL_SM, _ESME, _SENDING),
    Command(c.REPLACE_SM, _ESME, _SENDING),         # the specification's table forgets BOUND_TRX
    Command(c.DATA_SM, _BOTH, BOUND),
    Command(c.DELIVER_SM, _SMSC, _RECEIVING),
    Command(c.ALERT_NOTIFICATION, _SMSC, _RECEIVING),
)
COMMANDS: Final[dict[int, Command]] = {command.id: command for command in _TABLE}


def _legal(state: str) -> frozenset[int]:
    return frozenset(command.id for command in _TABLE if ESME in command.senders and (
        state in command.states or (state == UNBOUND and command.goodbye)))


# requests from the ESME that are processed, and those that the SMSC may send
LEGAL: Final[dict[str, frozenset[int]]] = {state: _legal(state) for state in STATES}
OFFERED: Final[dict[str, frozenset[int]]] = {
    state: frozenset(command.id for command in _TABLE if SMSC in command.senders and state in command.states)
    for state in STATES}


def verdict(state: str, command: int) -> str | tuple[int, int]:
    """What to do with a PDU from the ESME: PROCESS it, DROP it, or send this (command, status) back.

    A response is never answered: two polite peers would not stop."""
    if command in LEGAL[state]:
        return PROCESS
    if state == CLOSED:
        return DROP
    if command & c.RESPONSE:                        # matched with a request of ours, which before the bind nobody made
        return DROP if state == OPEN else PROCESS
    known = COMMANDS.get(command)
    if known is None or known.response is None:
        return c.GENERIC_NACK, c.ESME_RINVCMDID
    return known.response, known.wrong_state if state in BOUND else c.ESME_RINVBNDSTS
