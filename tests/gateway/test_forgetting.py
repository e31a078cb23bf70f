"""What is left of a body: the one half, the other, or nothing; never an octet of what was to go."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.forgetting import without_numbers, without_text
from pdu import tlv
from pdu.bodies import DELIVER_SM_BODY, SUBMIT_SM_BODY, address
from pdu.constants import TLV_CALLBACK_NUM, TLV_MESSAGE_PAYLOAD

TO, TEXT = "48600100299", b"the secret word"


def body(received: bool, text: bytes = TEXT, to: str = TO, **fields: bytes) -> bytes:
    grammar: Any = DELIVER_SM_BODY if received else SUBMIT_SM_BODY
    destination = address(1, 1, to.encode()) if to else b"\0\0\0"
    made: bytes = grammar.encode(grammar.build(destination=destination, short_message=text, **fields))
    return made


@pytest.mark.parametrize("received", [False, True])
def test_text_and_numbers_go_apart_and_together(received: bool) -> None:
    whole = body(received)
    assert (TEXT in without_text(whole, received), TO.encode() in without_text(whole, received)) == (False, True)
    assert (TEXT in without_numbers(whole, received), TO.encode() in without_numbers(whole, received)) == (True, False)
    assert without_numbers(without_text(whole, received), received) == b""
    assert without_text(without_numbers(whole, received), received) == b""


def test_what_stands_in_optional_parameters_goes_as_well() -> None:
    more = [(TLV_MESSAGE_PAYLOAD, TEXT), (TLV_CALLBACK_NUM, b"\1\1\1" + TO.encode())]
    payload = body(False, b"", tlvs=tlv.encode(more))
    assert TEXT not in without_text(payload, False)
    assert TO.encode() not in without_numbers(payload, False)
    assert TEXT in without_numbers(payload, False)


@given(st.binary(max_size=80), st.booleans())
def test_what_cannot_be_read_keeps_nothing_and_twice_is_once(octets: bytes, received: bool) -> None:
    for strip in (without_text, without_numbers):
        assert strip(strip(octets, received), received) == strip(octets, received)
