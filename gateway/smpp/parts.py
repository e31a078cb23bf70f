"""How many parts a message makes on the air, for an account's alphabet: the one thing the rules ask of the wire.

Invariant: the answer depends on the request and the alphabet alone. Knows no prices and no limits.
"""

from __future__ import annotations

from collections.abc import Callable

from pdu.bodies import SubmitSm, user_data
from pdu.faults import Malformed
from pdu.text import measure

PartCounter = Callable[[SubmitSm], int]
BAGGAGE = (
    1024  # octets that optional parameters may add to a text: they are stored, once a destination, and not paid for
)
FAR_TOO_MANY = 1 << 64  # more than an account can be allowed, even one without a limit


def counter(alphabet: str) -> PartCounter:
    """-> a function of a submit_sm: its parts, 0 if its octets are no text of its coding, -1 for an unknown coding."""

    def parts(message: SubmitSm) -> int:
        if not message.tlvs:
            return measure(alphabet, message.data_coding, message.esm_class, message.short_message)
        try:
            octets = user_data(message)
        except Malformed:  # text in two places at once (§5.3.2.32): no length can be right
            return FAR_TOO_MANY
        if len(message.tlvs) - len(octets) > BAGGAGE:
            return FAR_TOO_MANY
        return measure(alphabet, message.data_coding, message.esm_class, octets, message.tlvs)

    return parts
