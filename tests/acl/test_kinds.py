"""Each kind of value through the settings that are of it: what is taken, how it is spelt, what is refused."""

from typing import Any

import pytest

from acl import kinds
from acl.reasons import LOGIN_REASONS
from acl.settings import BY_NAME, SETTINGS


@pytest.mark.parametrize(
    ("name", "value", "spelling"),
    [
        ("window", 1, 1),
        ("window", 1000, 1000),
        ("throughput", 0, 0),
        ("max_binds", 0, 0),
        ("credit_limit", 5, "5"),
        ("credit_limit", "12.50", "12.5"),
        ("low_credit_alert", "0.0001", "0.0001"),
        ("description", "Zażółć gęślą jaźń", "Zażółć gęślą jaźń"),
        ("system_type", "", ""),
        ("contact_email", "", ""),
        ("contact_email", "ops@example.org", "ops@example.org"),
        ("price_plan", "eu-2024.v1", "eu-2024.v1"),
        ("receipt_zone", "UTC", "UTC"),
        ("time_zone", "Europe/Warsaw", "Europe/Warsaw"),
        ("language", "pl", "pl"),
        ("addresses", ["::ffff:192.0.2.1", "192.0.2.1", "10.0.0.0/8"], ("192.0.2.1", "10.0.0.0/8")),
        ("senders", ["*"], ("*",)),
        ("senders", ("+33601020304", "ACME", "33601020304"), ("33601020304", "ACME")),
        ("default_sender", "", ""),
        ("default_sender", "+33601020304", "33601020304"),
        ("deny_destinations", ["+48", "1"], ("48", "1")),
        ("data_codings", [0, 8, 8, 245], (0, 8, 245)),
        ("commands", [], ()),
        ("bind_types", ["receiver"], ("receiver",)),
        ("status_overrides", {}, {}),
        ("status_overrides", {"throttled": 0x14, "no_credit": 0x45}, {"no_credit": 0x45, "throttled": 0x14}),
        ("status_overrides", {"no_route": 0xFFFFFFFF}, {"no_route": 0xFFFFFFFF}),
    ],
)
def test_a_value_gets_its_only_spelling(name: str, value: object, spelling: object) -> None:
    setting = BY_NAME[name]
    assert setting.check(value) == spelling
    assert setting.check(setting.check(value)) == spelling
    assert setting.check(setting.plain(setting.check(value))) == spelling
    assert setting.parse(setting.text(setting.check(value))) == spelling


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("window", 0), ("window", 1001), ("window", -1), ("window", True), ("window", 1.0), ("window", "10"),
        ("window", None), ("throughput", -1), ("throughput", 10**9), ("response_timeout", 0),
        ("credit_limit", "-1"), ("credit_limit", 1.5), ("credit_limit", "x"), ("credit_limit", True),
        ("credit_limit", None), ("credit_limit", 10**13),
        ("description", "x" * 101), ("description", "a\nb"), ("description", "a\0b"), ("description", "\x1b[31m"),
        ("description", 5), ("description", None), ("description", "\u202egpj.exe"),
        ("system_type", "thirteen char"), ("system_type", "é"),
        ("contact_email", "x"), ("contact_email", "a@b"), ("contact_email", "a b@example.org"),
        ("contact_email", "a@example.org,b@example.org"), ("contact_email", "a@example.org\nBcc: x@y.z"),
        ("contact_email", "a@@example.org"), ("contact_email", "A <a@example.org>"),
        ("price_plan", ""), ("price_plan", "../x"), ("price_plan", "a b"),
        ("receipt_zone", ""), ("receipt_zone", "Mars/Olympus"), ("receipt_zone", "../../etc/passwd"),
        ("receipt_zone", "/etc/localtime"), ("receipt_zone", "Europe"), ("receipt_zone", "x" * 65),
        ("language", "de"), ("language", ""), ("language", 1), ("refund", "sometimes"),
        ("addresses", "192.0.2.1"), ("addresses", ["192.0.2.1/24"]), ("addresses", [1]), ("addresses", None),
        ("addresses", [f"192.0.2.{n}" for n in range(11)]), ("addresses", {"192.0.2.1": 1}),
        ("senders", ["ACME", ""]), ("senders", [" ACME"]), ("senders", "*"), ("senders", [["ACME"]]),
        ("senders", [f"S{n}" for n in range(1001)]),
        ("default_sender", "*"), ("default_sender", "far too long a name"),
        ("allow_destinations", [""]), ("allow_destinations", ["0"]), ("allow_destinations", [48]),
        ("data_codings", [256]), ("data_codings", [-1]), ("data_codings", ["0"]), ("data_codings", 0),
        ("bind_types", []), ("bind_types", ["outbind"]), ("commands", ["submit_sm"]),
        ("status_overrides", []), ("status_overrides", {"nonsense": 1}), ("status_overrides", {"throttled": 0}),
        ("status_overrides", {"throttled": "0x14"}), ("status_overrides", {"throttled": 2**32}),
        ("status_overrides", {"throttled": True}), ("status_overrides", {"throttled": -1}),
        ("status_overrides", {5: 5}), ("status_overrides", None), ("status_overrides", {"malformed": 8}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_a_word(name: str, value: object) -> None:
    with pytest.raises(ValueError) as refused:
        BY_NAME[name].check(value)
    assert 0 < len(str(refused.value)) < 300
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("reason", sorted(LOGIN_REASONS))
def test_no_account_may_change_what_a_refused_login_hears(reason: str) -> None:
    with pytest.raises(ValueError, match="the same for every account"):
        BY_NAME["status_overrides"].check({reason: 0x0F})


def test_ten_addresses_are_enough_and_doubles_do_not_count() -> None:
    ten = [f"192.0.2.{number}" for number in range(1, 11)]
    assert BY_NAME["addresses"].check(ten + ten) == tuple(ten)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("window", "50", 50),
        ("throughput", "0", 0),
        ("session_limit", "90", 90),
        ("session_limit", "90s", 90),
        ("session_limit", "5m", 300),
        ("session_limit", "12h", 43_200),
        ("session_limit", "7d", 604_800),
        ("credit_limit", "12.5", "12.5"),
        ("description", "A, B", "A, B"),
        ("addresses", "", ()),
        ("addresses", " ", ()),
        ("addresses", "192.0.2.1, ::1", ("192.0.2.1", "::1")),
        ("addresses", '["192.0.2.1"]', ("192.0.2.1",)),
        ("senders", "ACME, My Shop,+33601020304", ("ACME", "My Shop", "33601020304")),
        ("senders", '["A, B"]', ("A, B",)),
        ("data_codings", "0,8,0xF5", (0, 8, 245)),
        ("commands", "query_sm,cancel_sm", ("query_sm", "cancel_sm")),
        ("status_overrides", "", {}),
        ("status_overrides", "no_credit=0x45, throttled=20", {"no_credit": 0x45, "throttled": 20}),
        ("status_overrides", '{"no_credit": 69}', {"no_credit": 0x45}),
    ],
)
def test_a_value_is_read_from_the_command_line(name: str, text: str, value: object) -> None:
    assert BY_NAME[name].parse(text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("window", ""), ("window", "ten"), ("window", "1_0"), ("window", "1e1"), ("window", "10s"), ("window", "١"),
        ("window", "9" * 5000), ("session_limit", "1w"), ("session_limit", "-1"), ("session_limit", "1.5h"),
        ("session_limit", ""), ("addresses", "192.0.2.1,"), ("addresses", "192.0.2.1;10.0.0.1"),
        ("addresses", "[192.0.2.1]"), ("addresses", "[" * 100_000), ("senders", "[1]"),
        ("data_codings", "0,x"), ("bind_types", ""),
        ("status_overrides", "no_credit"), ("status_overrides", "no_credit="), ("status_overrides", "no_credit=x"),
        ("status_overrides", "no_credit=0"), ("status_overrides", "{"), ("status_overrides", "=1"),
    ],
)  # fmt: skip
def test_text_that_is_no_value_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError):
        BY_NAME[name].parse(text)


@pytest.mark.parametrize("name", [setting.name for setting in SETTINGS])
@pytest.mark.parametrize("value", [object(), b"x", 1.5, [object()], {1: object()}, float("nan"), [[]], [{}]])
def test_a_value_of_no_type_json_has_is_refused_and_never_throws_otherwise(name: str, value: Any) -> None:
    with pytest.raises(ValueError):
        BY_NAME[name].check(value)


def test_checked_values_cannot_be_changed_behind_the_back() -> None:
    given = {"throttled": 0x14}
    taken = BY_NAME["status_overrides"].check(given)
    given["throttled"] = 0
    assert taken == {"throttled": 0x14}
    with pytest.raises(TypeError):
        taken["throttled"] = 0


def test_every_kind_is_used() -> None:
    assert {setting.kind for setting in SETTINGS} == {*kinds._KINDS, "statuses"}
