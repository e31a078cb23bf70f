import pytest

from acl import reasons
from gateway.smpp.answers import STATUS, status_of

# What a customer reads, by the reason: written down once more, so that no answer changes unnoticed.
PROMISED = {
    "address_unlisted": 0x0D,
    "address_not_authorised": 0x0E,
    "unknown_system_id": 0x0E,
    "wrong_password": 0x0E,
    "no_address_declared": 0x0E,
    "account_disabled": 0x0D,
    "bind_type_not_allowed": 0x0D,
    "system_type": 0x53,
    "too_many_binds": 0x05,
    "bind_throttled": 0x400,
    "draining": 0x08,
    "store_unavailable": 0x08,
    "throttled": 0x58,
    "no_credit": 0x403,
    "sender_not_allowed": 0x0A,
    "destination_invalid": 0x0B,
    "destination_forbidden": 0x0B,
    "destination_blacklisted": 0x0B,
    "no_route": 0x0B,
    "data_coding_unsupported": 0x401,
    "alphabet_invalid": 0x402,
    "text_too_long": 0x01,
    "schedule_invalid": 0x61,
    "validity_invalid": 0x62,
    "command_switched_off": 0x03,
    "message_unknown": 0x0C,
    "message_final": 0x11,
    "replace_costs_more": 0x13,
    "malformed": 0xC2,
    "store_full": 0x14,
    "store_down": 0x08,
    "check_failed": 0x08,
}


def test_every_reason_has_its_answer_and_none_of_them_is_yes() -> None:
    assert STATUS == PROMISED
    assert STATUS.keys() == reasons.REASONS.keys()
    assert 0 not in STATUS.values()


@pytest.mark.parametrize("reason", sorted(PROMISED))
def test_an_account_may_put_its_own_in_place(reason: str) -> None:
    assert status_of(reason, {}) == PROMISED[reason]
    assert status_of(reason, {reason: 0x45}) == 0x45
    assert status_of(reason, {"another": 0x45}) == PROMISED[reason]


def test_no_override_turns_a_refusal_into_a_yes() -> None:
    assert status_of(reasons.NO_CREDIT, {reasons.NO_CREDIT: 0}) == STATUS[reasons.NO_CREDIT]


def test_a_refused_login_tells_nothing_but_where_it_came_from() -> None:
    from_a_listed_address = reasons.LOGIN_REASONS - {
        reasons.ADDRESS_UNLISTED, reasons.BIND_THROTTLED, reasons.STORE_UNAVAILABLE, reasons.DRAINING,
    }  # fmt: skip
    assert {STATUS[reason] for reason in from_a_listed_address} == {0x0E}
