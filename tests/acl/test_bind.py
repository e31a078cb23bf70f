from typing import Any

import pytest

from acl import reasons
from acl.addresses import Listed, Networks
from acl.bind import SIDES, Sides, at_the_door, in_the_way, may_bind, may_log_in, may_stay, standing, surplus, taken
from acl.reasons import Refusal
from acl.settings import Settings

HERE, THERE = "192.0.2.1", "198.51.100.1"
OURS = Networks([HERE])
TX, RX, TRX = "transmitter", "receiver", "transceiver"
BROKEN: Any = object()


def reason(refusal: Refusal | None) -> str | None:
    return refusal and refusal.reason


def test_from_an_address_on_no_list_nothing_else_is_asked() -> None:
    assert at_the_door(Listed([OURS]), HERE) is None
    assert reason(at_the_door(Listed([OURS]), THERE)) == reasons.ADDRESS_UNLISTED
    assert reason(at_the_door(Listed(), HERE)) == reasons.ADDRESS_UNLISTED
    assert reason(at_the_door(Listed([OURS]), "rubbish")) == reasons.ADDRESS_UNLISTED


@pytest.mark.parametrize(
    ("networks", "address", "right", "expected"),
    [
        (OURS, HERE, True, None),
        (OURS, "::ffff:" + HERE, True, None),
        (OURS, HERE, False, reasons.WRONG_PASSWORD),
        (OURS, THERE, True, reasons.ADDRESS_NOT_AUTHORISED),
        (OURS, THERE, False, reasons.ADDRESS_NOT_AUTHORISED),
        (OURS, "rubbish", True, reasons.ADDRESS_NOT_AUTHORISED),
        (Networks(), HERE, True, reasons.NO_ADDRESS_DECLARED),
        (Networks(), HERE, False, reasons.NO_ADDRESS_DECLARED),
        (None, HERE, True, reasons.UNKNOWN_SYSTEM_ID),
        (None, HERE, False, reasons.UNKNOWN_SYSTEM_ID),
    ],
)
def test_a_login(networks: Networks | None, address: str, right: bool, expected: str | None) -> None:
    assert reason(may_log_in(networks, address, right)) == expected


NONE = Sides()


@pytest.mark.parametrize(
    ("settings", "enabled", "kind", "system_type", "in_use", "expected"),
    [
        ({}, True, TRX, "", NONE, None),
        ({}, False, TRX, "", NONE, reasons.ACCOUNT_DISABLED),
        ({}, True, TRX, "whatever", NONE, None),
        ({"system_type": "OTA"}, True, TRX, "OTA", NONE, None),
        ({"system_type": "OTA"}, True, TRX, "ota", NONE, reasons.SYSTEM_TYPE),
        ({"system_type": "OTA"}, True, TRX, "", NONE, reasons.SYSTEM_TYPE),
        ({"bind_types": [TX, RX]}, True, TRX, "", NONE, reasons.BIND_TYPE_NOT_ALLOWED),
        ({"bind_types": [TX, RX]}, True, RX, "", NONE, None),
        ({}, True, TX, "", Sides(0, 1), None),
        ({}, True, RX, "", Sides(1, 0), None),
        ({}, True, TX, "", Sides(1, 0), reasons.TOO_MANY_BINDS),
        ({}, True, RX, "", Sides(0, 1), reasons.TOO_MANY_BINDS),
        ({}, True, TRX, "", Sides(1, 0), reasons.TOO_MANY_BINDS),
        ({}, True, TRX, "", Sides(0, 1), reasons.TOO_MANY_BINDS),
        ({}, True, TX, "", Sides(1, 1), reasons.TOO_MANY_BINDS),
        ({"max_binds": 3}, True, TRX, "", Sides(2, 2), None),
        ({"max_binds": 3}, True, TRX, "", Sides(3, 2), reasons.TOO_MANY_BINDS),
        ({"max_binds": 3}, True, RX, "", Sides(5, 2), None),
        ({"max_binds": 0}, True, TRX, "", Sides(500, 500), None),
        ({}, True, "outbind", "", NONE, reasons.BIND_TYPE_NOT_ALLOWED),
    ],
)
def test_what_a_right_login_may_still_lack(
    settings: dict[str, object], enabled: bool, kind: str, system_type: str, in_use: Sides, expected: str | None
) -> None:
    assert reason(may_bind(Settings.of(settings), enabled, kind, system_type, in_use)) == expected


@pytest.mark.parametrize(
    ("settings", "networks", "enabled", "kind", "address", "expected"),
    [
        ({}, OURS, True, TRX, HERE, None),
        ({}, OURS, False, TRX, HERE, reasons.ACCOUNT_DISABLED),
        ({}, OURS, True, TRX, THERE, reasons.ADDRESS_NOT_AUTHORISED),
        ({}, Networks(), True, TRX, HERE, reasons.NO_ADDRESS_DECLARED),
        ({"bind_types": [TX]}, OURS, True, TRX, HERE, reasons.BIND_TYPE_NOT_ALLOWED),
        ({"bind_types": [TX]}, OURS, True, TX, HERE, None),
    ],
)
def test_who_may_stay_when_settings_change(
    settings: dict[str, object], networks: Networks, enabled: bool, kind: str, address: str, expected: str | None
) -> None:
    assert reason(may_stay(Settings.of(settings), networks, enabled, kind, address)) == expected


def test_what_throws_denies() -> None:
    for refusal in (
        at_the_door(BROKEN, HERE),
        may_log_in(BROKEN, HERE, True),
        may_bind(BROKEN, True, TRX, "", NONE),
        may_bind(Settings(), True, TRX, "", BROKEN),
        may_stay(BROKEN, OURS, True, TRX, HERE),
        may_stay(Settings(), BROKEN, True, TRX, HERE),
    ):
        assert refusal == Refusal(reasons.CHECK_FAILED, refusal.detail if refusal else "")
        assert refusal.detail


@pytest.mark.parametrize("odd", [1, "yes", object(), None, 0])
def test_only_true_is_yes(odd: Any) -> None:
    assert reason(may_log_in(OURS, HERE, odd)) == reasons.WRONG_PASSWORD
    assert reason(may_bind(Settings(), odd, TRX, "", NONE)) == reasons.ACCOUNT_DISABLED
    assert reason(may_stay(Settings(), OURS, odd, TRX, HERE)) == reasons.ACCOUNT_DISABLED


def test_sides_are_counted() -> None:
    assert taken([]) == Sides(0, 0)
    assert taken([TX, TRX, RX, TRX]) == Sides(3, 3)
    assert set(SIDES) == set(Settings().bind_types)


@pytest.mark.parametrize(
    ("max_binds", "kinds", "over"),
    [
        (1, [], []),
        (1, [TRX], []),
        (1, [TX, RX], []),
        (1, [TX, RX, TRX], [2]),
        (1, [TRX, TX, RX], [1, 2]),
        (1, [TX, TRX, RX], [1]),
        (2, [TRX, TRX, TRX, TX], [2, 3]),
        (0, [TRX] * 50, []),
    ],
)
def test_the_youngest_go_when_the_limit_is_lowered(max_binds: int, kinds: list[str], over: list[int]) -> None:
    assert surplus(max_binds, kinds) == over
    kept = [kind for position, kind in enumerate(kinds) if position not in over]
    assert surplus(max_binds, kept) == []


@pytest.mark.parametrize(
    ("max_binds", "kind", "kinds", "positions"),
    [
        (1, TX, [], []),
        (1, TX, [RX], []),
        (1, TX, [RX, TX], [1]),
        (1, TX, [TRX], [0]),
        (1, TRX, [RX, TX], [0, 1]),
        (1, TRX, [TX], [0]),
        (2, TRX, [TX, TX, RX], [0, 1]),
        (2, RX, [TX, TRX, RX], [1, 2]),
        (0, TRX, [TRX] * 9, []),
    ],
)
def test_who_is_in_the_way_of_a_new_bind(max_binds: int, kind: str, kinds: list[str], positions: list[int]) -> None:
    assert in_the_way(max_binds, kind, kinds) == positions
    refused = may_bind(Settings.of({"max_binds": max_binds}), True, kind, "", taken(kinds))
    assert bool(positions) is (reason(refused) == reasons.TOO_MANY_BINDS)


def test_what_an_account_shows_its_owner() -> None:
    assert standing(Settings(), True) == "WAITING_IP"
    assert standing(Settings.of({"addresses": [HERE]}), True) == "SUCCESS"
    assert standing(Settings.of({"addresses": [HERE]}), False) == "DISABLED"
