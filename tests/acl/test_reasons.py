import re

import pytest

from acl import reasons
from acl.reasons import LOGIN_REASONS, REASONS, Refusal

NAMED = {name: value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)}


def test_every_reason_has_a_sentence_and_every_sentence_a_reason() -> None:
    assert set(NAMED.values()) == set(REASONS)


def test_a_constant_is_called_what_it_says() -> None:
    assert {name.lower(): name.lower() for name in NAMED} == {name.lower(): value for name, value in NAMED.items()}


@pytest.mark.parametrize("reason", REASONS)
def test_a_sentence_is_one_sentence(reason: str) -> None:
    assert re.fullmatch(r"[A-Z][^.]*\.", REASONS[reason])


def test_what_a_refused_login_hears_is_nothing_an_account_can_choose() -> None:
    assert REASONS.keys() > LOGIN_REASONS
    assert {reasons.WRONG_PASSWORD, reasons.UNKNOWN_SYSTEM_ID, reasons.ADDRESS_UNLISTED} < LOGIN_REASONS


def test_a_refusal_is_a_value() -> None:
    assert Refusal(reasons.NO_ROUTE) == Refusal("no_route", "")
    assert not isinstance(Refusal(reasons.NO_ROUTE), int)
