"""The state table, walked whole."""
import pytest

from pdu import constants as c
from pdu.commands import (
    BOUND,
    BOUND_BY,
    BOUND_RX,
    BOUND_TRX,
    BOUND_TX,
    CLOSED,
    COMMANDS,
    DROP,
    ESME,
    KIND_OF,
    LEGAL,
    OFFERED,
    OPEN,
    PROCESS,
    SMSC,
    STATES,
    UNBOUND,
    verdict,
)

SENDS = (c.SUBMIT_SM, c.SUBMIT_MULTI, c.QUERY_SM, c.CANCEL_SM, c.REPLACE_SM)


def test_every_request_stands_in_the_table() -> None:
    assert COMMANDS.keys() == {number for number in c.COMMAND_NAMES if not number & c.RESPONSE}
    assert all(command.name == c.COMMAND_NAMES[number] for number, command in COMMANDS.items())
    assert {number for number, command in COMMANDS.items() if command.response is None} == c.UNANSWERED


def test_what_is_legal_in_which_state() -> None:
    alive = {c.ENQUIRE_LINK, c.UNBIND}

    expected = {
        OPEN: {*c.BINDS, c.ENQUIRE_LINK},
        BOUND_TX: alive | {*SENDS, c.DATA_SM},
        BOUND_RX: alive | {c.DATA_SM},
        BOUND_TRX: alive | {*SENDS, c.DATA_SM},
        UNBOUND: alive,
        CLOSED: set(),
    }

    assert expected == LEGAL


def test_what_the_smsc_may_send() -> None:
    assert OFFERED[BOUND_TX] == {c.UNBIND, c.ENQUIRE_LINK, c.DATA_SM}
    for state in (BOUND_RX, BOUND_TRX):
        assert OFFERED[state] == OFFERED[BOUND_TX] | {c.DELIVER_SM, c.ALERT_NOTIFICATION}
    assert OFFERED[OPEN] == {c.OUTBIND, c.ENQUIRE_LINK}
    assert OFFERED[UNBOUND] == OFFERED[CLOSED] == set()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("number", [*sorted(COMMANDS), *(number | c.RESPONSE for number in sorted(COMMANDS)),
                                    c.GENERIC_NACK, 0x111, 0x10200, 0x80000111])
def test_every_pdu_in_every_state_is_processed_dropped_or_answered_once(state: str, number: int) -> None:
    found = verdict(state, number)

    if state == CLOSED:
        assert found == DROP
    elif number in LEGAL[state]:
        assert found == PROCESS
    elif number & c.RESPONSE:
        assert found in (PROCESS, DROP)             # never an answer to an answer
    else:
        assert isinstance(found, tuple)
        answer, status = found
        assert answer in (number | c.RESPONSE, c.GENERIC_NACK)
        assert status in (c.ESME_RINVBNDSTS, c.ESME_RALYBND, c.ESME_RINVCMDID)


@pytest.mark.parametrize("bind", c.BINDS)
def test_a_second_bind_is_told_so(bind: int) -> None:
    for state in BOUND:
        assert verdict(state, bind) == (bind | c.RESPONSE, c.ESME_RALYBND)
    assert verdict(UNBOUND, bind) == (bind | c.RESPONSE, c.ESME_RINVBNDSTS)


@pytest.mark.parametrize("state", [OPEN, BOUND_RX, UNBOUND])
def test_sending_needs_a_bind_that_sends(state: str) -> None:
    for command in SENDS:
        assert verdict(state, command) == (command | c.RESPONSE, c.ESME_RINVBNDSTS)


def test_the_wrong_way_round() -> None:
    assert verdict(BOUND_TRX, c.DELIVER_SM) == (c.DELIVER_SM_RESP, c.ESME_RINVBNDSTS)
    assert verdict(BOUND_TRX, c.OUTBIND) == (c.GENERIC_NACK, c.ESME_RINVCMDID)
    assert verdict(OPEN, c.ALERT_NOTIFICATION) == (c.GENERIC_NACK, c.ESME_RINVCMDID)
    assert verdict(OPEN, 0x111) == (c.GENERIC_NACK, c.ESME_RINVCMDID)


def test_each_bind_leads_to_its_state() -> None:
    assert BOUND_BY.keys() == KIND_OF.keys() == set(c.BINDS)
    assert {BOUND_BY[number]: kind for number, kind in KIND_OF.items()} == {
        BOUND_TX: "transmitter", BOUND_RX: "receiver", BOUND_TRX: "transceiver"}


def test_both_sides_may_keep_the_link_alive_and_end_it() -> None:
    assert {number for number, command in COMMANDS.items() if command.senders == {ESME, SMSC}} == {
        c.ENQUIRE_LINK, c.UNBIND, c.DATA_SM}
