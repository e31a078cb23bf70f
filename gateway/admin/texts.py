"""What a stored message says: the body as it came, read again for people."""

from typing import NamedTuple, Self

from pdu.bodies import SUBMIT_SM_BODY, SubmitSm, digits_of, user_data
from pdu.faults import Malformed
from pdu.text import decode


class Content(NamedTuple):
    """`text` or, for what is no text, `body_hex`; never both."""

    source_addr: str
    destination_addr: str
    text: str | None
    body_hex: str | None
    data_coding: int | None

    @classmethod
    def of(cls, body: bytes, alphabet: str) -> Self:
        """Never fails: what cannot be read is shown as the octets that are there."""
        try:
            submit: SubmitSm = SUBMIT_SM_BODY.decode(body, 0, 0, len(body))
            octets = user_data(submit)
        except Malformed:
            return cls("", "", None, body.hex(), None)
        text = decode(submit.data_coding, octets, alphabet, submit.esm_class)
        return cls(
            source_addr=characters(submit.source),
            destination_addr=characters(submit.destination),
            text=text,
            body_hex=octets.hex() if text is None else None,
            data_coding=submit.data_coding,
        )


def characters(address: bytes) -> str:
    return digits_of(address).decode("latin-1")
