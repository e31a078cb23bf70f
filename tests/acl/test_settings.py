import json
from dataclasses import FrozenInstanceError, fields

import pytest

from acl.addresses import MAX_ADDRESSES
from acl.settings import BY_NAME, SETTINGS, InvalidSettings, Settings

# What an account starts with, told once more on purpose: a default that changes should be noticed.
DEFAULTS = {
    "addresses": [], "address_comments": [],
    "bind_types": ["transmitter", "receiver", "transceiver"], "max_binds": 1, "system_type": "",
    "senders": [], "default_sender": "", "allow_destinations": [], "deny_destinations": [], "blacklisted": "refuse",
    "stop_keywords": ["STOP"], "default_alphabet": "gsm",
    "data_codings": [], "max_parts": 8,
    "commands": ["data_sm", "submit_multi", "query_sm", "cancel_sm", "replace_sm"], "max_validity": 604_800,
    "window": 10, "throughput": 20, "burst": 0, "price_plan": "default", "refund": "unsent", "credit_limit": "0",
    "low_credit_alert": "0", "auto_topup_amount": "off", "auto_topup_threshold": "0", "auto_topup_per_day": 4,
    "auto_topup_at_once": "no", "enquire_link": 30, "response_timeout": 30, "inactivity": 0, "session_limit": 86_400,
    "delivery_window": 0, "receipt_tlvs": "standard", "receipt_zone": "UTC", "status_overrides": {},
    "text_retention": 0, "number_retention": 0, "description": "", "contact_email": "", "language": "en",
    "time_zone": "UTC",
}  # fmt: skip


def errors(values: dict[str, object]) -> dict[str, str]:
    with pytest.raises(InvalidSettings) as invalid:
        Settings.of(values)
    return dict(invalid.value.errors)


def test_what_an_account_starts_with() -> None:
    assert Settings().as_mapping() == DEFAULTS
    assert Settings.of({}) == Settings()


def test_the_table_and_the_fields_are_one() -> None:
    assert [setting.name for setting in SETTINGS] == [one.name for one in fields(Settings)] == list(BY_NAME)


@pytest.mark.parametrize("name", list(BY_NAME))
def test_a_line_of_the_table_is_fit_for_a_command_line_and_a_page(name: str) -> None:
    setting = BY_NAME[name]
    assert setting.check(setting.default) == setting.default
    assert setting.parse(setting.text(setting.default)) == setting.default
    assert json.loads(json.dumps(setting.plain(setting.default))) == DEFAULTS[name]
    assert setting.help.endswith(".")
    assert setting.help.isprintable()
    assert setting.flag.startswith("--")
    assert setting.flag == setting.flag.lower()
    assert bool(setting.choices) is (setting.kind == "choice")


def test_flags_are_distinct() -> None:
    assert len({setting.flag for setting in SETTINGS}) == len(SETTINGS)
    assert (BY_NAME["addresses"].flag, BY_NAME["senders"].flag) == ("--ip", "--sender")
    assert BY_NAME["addresses"].most == MAX_ADDRESSES == 10


def test_what_is_stored_reads_back() -> None:
    settings = Settings.of(
        {
            "addresses": ["::ffff:192.0.2.1", "2001:DB8::/32"], "senders": ["*", "My, Shop"],
            "default_sender": "+33601020304",
            "status_overrides": {"throttled": 0x14}, "credit_limit": "12.50", "data_codings": [0, 8], "window": 100,
        }
    )  # fmt: skip
    stored = json.loads(json.dumps(settings.as_mapping()))
    assert Settings.of(stored) == settings
    assert hash(Settings.of(stored)) == hash(settings)
    assert stored["addresses"] == ["192.0.2.1", "2001:db8::/32"]
    assert (stored["default_sender"], stored["credit_limit"]) == ("33601020304", "12.5")


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert set(errors({"window": 0, "addresses": ["x"], "language": "de", "windwo": 5, "refund": "unsent"})) == {
        "window", "addresses", "language", "windwo",
    }  # fmt: skip
    assert "'x': is not an IPv4 or IPv6 address" in errors({"addresses": ["192.0.2.1", "x"]})["addresses"]


def test_an_error_reads_as_a_sentence() -> None:
    with pytest.raises(InvalidSettings, match=r"^window: is a number from 1 to 1000; x: is not a setting$"):
        Settings.of({"window": 0, "x": 1})


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"default_sender": "ACME"}, {"default_sender"}),
        ({"default_sender": "ACME", "senders": ["acme"]}, {"default_sender"}),
        ({"default_sender": "ACME", "senders": ["far too long a name"]}, {"senders"}),
        ({"default_sender": "ACME", "window": 0}, {"default_sender", "window"}),
    ],
)
def test_the_default_sender_is_one_of_the_senders(values: dict[str, object], wrong: set[str]) -> None:
    assert set(errors(values)) == wrong


@pytest.mark.parametrize("senders", [["ACME"], ["*"], ["x", "ACME"]])
def test_a_default_sender_that_is(senders: list[str]) -> None:
    assert Settings.of({"default_sender": "ACME", "senders": senders}).default_sender == "ACME"


def test_a_change_keeps_the_rest_and_is_checked_as_a_whole() -> None:
    settings = Settings.of({"senders": ["ACME"], "default_sender": "ACME", "window": 50})
    changed = settings.changed(throughput=0)
    assert (changed.window, changed.throughput, settings.throughput) == (50, 0, 20)
    with pytest.raises(InvalidSettings):
        settings.changed(senders=["OTHER"])
    assert settings.changed(senders=["OTHER"], default_sender="").senders == ("OTHER",)
    with pytest.raises(InvalidSettings):
        settings.changed(nonsense=1)


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().window = 5  # type: ignore[misc]  # which is what is tested


@pytest.mark.parametrize(
    ("values", "burst"),
    [
        ({}, 20),
        ({"window": 100}, 100),
        ({"throughput": 500}, 500),
        ({"burst": 5}, 5),
        ({"throughput": 0}, 10),
    ],
)
def test_an_unnamed_burst_is_the_larger_of_throughput_and_window(values: dict[str, object], burst: int) -> None:
    assert Settings.of(values).effective_burst == burst


def test_a_delivery_window_that_is_not_named_is_the_window() -> None:
    assert Settings.of({"window": 7}).effective_delivery_window == 7
    assert Settings.of({"window": 7, "delivery_window": 3}).effective_delivery_window == 3
