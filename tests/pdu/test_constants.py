"""The numbers and their names."""
from pdu import constants as c


def test_every_request_but_two_has_its_response_by_bit_31() -> None:
    requests = {number for number in c.COMMAND_NAMES if not number & c.RESPONSE}

    answered = {number for number in requests if number | c.RESPONSE in c.COMMAND_NAMES}

    assert requests - answered == {c.OUTBIND, c.ALERT_NOTIFICATION}
    assert all(c.COMMAND_NAMES[number | c.RESPONSE] == c.COMMAND_NAMES[number] + "_resp" for number in answered)


def test_each_response_constant_is_its_request_with_bit_31() -> None:
    for name, number in vars(c).items():
        if name.endswith("_RESP"):
            assert number == getattr(c, name.removesuffix("_RESP")) | c.RESPONSE
            assert c.COMMAND_NAMES[number] == name.lower()


def test_statuses_have_one_name_each() -> None:
    named = [name for name in vars(c) if name.startswith("ESME_")]

    assert sorted(named) == sorted(c.STATUS_NAMES.values())


def test_the_statuses_that_web_tables_get_wrong() -> None:
    assert c.STATUS_NAMES[0x50] == "ESME_RINVDSTTON"
    assert c.STATUS_NAMES[0x51] == "ESME_RINVDSTNPI"
    assert c.STATUS_NAMES[0x53] == "ESME_RINVSYSTYP"
    assert c.STATUS_NAMES[0x54] == "ESME_RINVREPFLAG"


def test_message_states_count_from_one_to_eight() -> None:
    assert sorted(c.STATE_NAMES) == list(range(1, 9))
    assert c.STATE_NAMES[c.UNDELIVERABLE] == "undeliverable"
