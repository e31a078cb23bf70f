"""The settings of an account, declared once. Command line flags, API fields, checks and documentation are made of this.

Invariant: a Settings made by `of` or `changed` is valid, immutable and in its only spelling. As a limit, 0 means none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Self

from acl.addresses import MAX_ADDRESSES
from acl.kinds import Setting
from acl.money import LARGEST
from acl.senders import ANY

TRANSMITTER, RECEIVER, TRANSCEIVER = BIND_TYPES = ("transmitter", "receiver", "transceiver")
OPTIONAL_COMMANDS = ("data_sm", "submit_multi", "query_sm", "cancel_sm", "replace_sm")
OFF = "off"

_DAY = 86_400
_LONG = 64  # characters of anything that is spelt strictly: more than the longest IPv6 network


class InvalidSettings(ValueError):  # noqa: N818 - it names what was handed in
    """Everything that is wrong, as (name, why)."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in errors))
        self.errors = errors


def _is(kind: str, default: Any, help: str, **limits: Any) -> Any:  # noqa: A002 - named as the field it fills
    declared = {"kind": kind, "help": help, **limits}
    if isinstance(default, Mapping):
        return field(default_factory=lambda: default, hash=False, metadata=declared)
    return field(default=default, metadata=declared)


def _own(kind: str, default: Any, help: str, **limits: Any) -> Any:  # noqa: A002 - as above
    """A setting that the owner of the account may change, not an operator alone."""
    return _is(kind, default, help, who="owner", **limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One account's settings; every one has a default."""

    # -- who may bind, and how -----------------------------------------------------------------------------------------
    addresses: tuple[str, ...] = _own(
        "network", (), "Addresses and networks that may bind, IPv4 or IPv6; none means nobody.",
        many=True, most=MAX_ADDRESSES, maximum=_LONG, flag="--ip",
    )  # fmt: skip
    address_comments: tuple[str, ...] = _own(
        "comment", (), "What the owner notes about an address: the address, a space, the comment.",
        many=True, most=MAX_ADDRESSES, maximum=_LONG + 100, flag="--ip-comment",
    )  # fmt: skip
    bind_types: tuple[str, ...] = _own(
        "choice", BIND_TYPES, "Types of bind that are allowed.",
        many=True, fewest=1, choices=BIND_TYPES, flag="--bind-type",
    )  # fmt: skip
    max_binds: int = _is(
        "integer", 1, "Sending sides, and as many receiving sides, at a time; a transceiver takes one of each. 0: any.",
        maximum=1000,
    )  # fmt: skip
    system_type: str = _own("ascii", "", "The system_type a bind must name; empty: any.", maximum=12)

    # -- what may be sent ----------------------------------------------------------------------------------------------
    senders: tuple[str, ...] = _is(
        "sender", (), "Senders the account may use; * means any valid sender, none means none.",
        many=True, most=1000, maximum=_LONG, flag="--sender",
    )  # fmt: skip
    default_sender: str = _own(
        "one_sender", "", "The sender of messages that name none; empty: such messages are refused.", maximum=_LONG
    )
    allow_destinations: tuple[str, ...] = _is(
        "prefix", (), "Prefixes of the numbers that may be sent to; none means all.",
        many=True, most=1000, maximum=_LONG, flag="--allow-destination",
    )  # fmt: skip
    deny_destinations: tuple[str, ...] = _is(
        "prefix", (), "Prefixes of numbers that may not be sent to, whatever else is allowed.",
        many=True, most=1000, maximum=_LONG, flag="--deny-destination",
    )  # fmt: skip
    blacklisted: str = _own(
        "choice", "refuse", "A message to a number on the blacklist is refused, or ends with a receipt of error 53.",
        choices=("refuse", "receipt"),
    )  # fmt: skip
    stop_keywords: tuple[str, ...] = _own(
        "text", ("STOP",), "Texts that put the number they come from on the blacklist, whatever their capitals.",
        many=True, most=20, maximum=20, flag="--stop-keyword",
    )  # fmt: skip
    default_alphabet: str = _own(
        "choice", "gsm", "What data_coding 0 means: GSM 03.38 an octet a character, the same packed, or Latin-1.",
        choices=("gsm", "gsm-packed", "latin1"),
    )  # fmt: skip
    data_codings: tuple[int, ...] = _is(
        "integer", (), "Values of data_coding that are allowed; none means every supported one.",
        many=True, maximum=255, flag="--data-coding",
    )  # fmt: skip
    max_parts: int = _is("integer", 8, "Parts a message may make. 0: any number.", unit="parts", maximum=255)
    commands: tuple[str, ...] = _is(
        "choice", OPTIONAL_COMMANDS, "Optional commands that are switched on.",
        many=True, choices=OPTIONAL_COMMANDS, flag="--command",
    )  # fmt: skip
    max_validity: int = _is(
        "integer", 7 * _DAY, "How long a message may be tried at most, whatever its validity_period says. 0: no limit.",
        unit="s", maximum=365 * _DAY,
    )  # fmt: skip

    # -- how fast ------------------------------------------------------------------------------------------------------
    window: int = _is("integer", 10, "Requests of a session that are worked on at a time.", minimum=1, maximum=1000)
    throughput: int = _is(
        "integer", 20, "Parts a second over all binds. 0: no limit.", unit="parts/s", maximum=1_000_000
    )
    burst: int = _is(
        "integer", 0, "Parts that may pass at once after a pause. 0: the larger of throughput and window.",
        unit="parts", maximum=1_000_000,
    )  # fmt: skip

    # -- what it costs -------------------------------------------------------------------------------------------------
    price_plan: str = _is("plan", "default", "The price plan that prices its messages.", maximum=64)
    refund: str = _is(
        "choice", "unsent", "What comes back: messages the network never took, every undelivered message, or nothing.",
        choices=("unsent", "undelivered", "never"),
    )  # fmt: skip
    credit_limit: str = _is("credits", "0", "How far the balance may go below zero.", unit="credits", maximum=LARGEST)
    low_credit_alert: str = _own(
        "credits", "0", "The balance below which the account is shown as low on credit. 0: never.",
        unit="credits", maximum=LARGEST,
    )  # fmt: skip
    auto_topup_amount: str = _own(
        "choice", OFF, "Credits the account asks for by itself when it has come down to the threshold.",
        choices=(OFF, "100", "200", "250", "500", "1000", "5000", "10000"),
    )  # fmt: skip
    auto_topup_threshold: str = _own(
        "credits", "0", "The balance at which it asks for them.", unit="credits", maximum=LARGEST
    )
    auto_topup_per_day: int = _own(
        "integer", 4, "How often it asks in 24 hours at most, should a client send in a loop.", minimum=1, maximum=100
    )
    auto_topup_at_once: str = _is(
        "choice", "no", "Whether the credits it asks for are given at once, before they are paid.",
        choices=("no", "yes"),
    )  # fmt: skip

    # -- sessions ------------------------------------------------------------------------------------------------------
    enquire_link: int = _own(
        "integer", 30, "Silence after which the server sends an enquire_link. 0: never.", unit="s", maximum=3600
    )
    response_timeout: int = _is(
        "integer", 30, "How long the client may take to answer a request.", unit="s", minimum=1, maximum=600
    )
    inactivity: int = _own(
        "integer", 0, "Time without a message after which a session is unbound. 0: never.", unit="s", maximum=_DAY
    )
    session_limit: int = _is(
        "integer", _DAY, "Age at which a session is unbound, to bind again. 0: never.", unit="s", maximum=30 * _DAY
    )

    # -- receipts ------------------------------------------------------------------------------------------------------
    delivery_window: int = _is(
        "integer", 0, "Deliveries to a session that await their answer at a time. 0: as many as the window.",
        maximum=1000,
    )  # fmt: skip
    receipt_tlvs: str = _own(
        "choice", "standard", "Optional parameters of a receipt: those of SMPP, also the vendor's own, or none.",
        choices=("standard", "vendor", "none"),
    )  # fmt: skip
    receipt_zone: str = _own("zone", "UTC", "Time zone of the dates in a receipt's text.", maximum=_LONG)
    status_overrides: Mapping[str, int] = _own(
        "statuses", MappingProxyType({}), "Command statuses this account's refusals are answered with, by reason.",
        flag="--status-override",
    )  # fmt: skip

    # -- what is kept --------------------------------------------------------------------------------------------------
    text_retention: int = _own(
        "integer", 0, "Days after which texts of messages are erased; what they cost stays. 0: never.",
        unit="days", maximum=3650,
    )  # fmt: skip
    number_retention: int = _own(
        "integer", 0, "Days after which senders and recipients of messages are erased, refused ones too. 0: never.",
        unit="days", maximum=3650,
    )  # fmt: skip

    # -- the owner -----------------------------------------------------------------------------------------------------
    description: str = _own("text", "", "What the owner calls the account.", maximum=100)
    contact_email: str = _own("email", "", "Where the owner is written to.", maximum=254)
    language: str = _own("choice", "en", "The owner's language.", choices=("en", "pl"))
    time_zone: str = _own("zone", "UTC", "The owner's time zone.", maximum=_LONG)

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Self:
        """Settings from plain values, those not named at their defaults. InvalidSettings tells all that is wrong."""
        checked: dict[str, Any] = {}
        errors: list[tuple[str, str]] = []
        for name, value in values.items():
            setting = BY_NAME.get(name)
            if setting is None:
                errors.append((str(name), "is not a setting"))
                continue
            try:
                checked[name] = setting.check(value)
            except ValueError as wrong:
                errors.append((name, str(wrong)))
        settings = cls(**checked)
        wrong_names = {name for name, _why in errors}
        if not wrong_names & {"senders", "default_sender"} and not settings._default_sender_is_allowed():
            errors.append(("default_sender", "is not one of the account's senders"))
        if errors:
            raise InvalidSettings(errors)
        return settings

    def changed(self, **values: object) -> Self:
        """The same with some values changed, checked as in `of`."""
        return self.of({**self.as_mapping(), **values})

    def as_mapping(self) -> dict[str, Any]:
        """Every setting by name, as JSON has it; `of` reads it back."""
        return {setting.name: setting.plain(getattr(self, setting.name)) for setting in SETTINGS}

    @property
    def effective_burst(self) -> int:
        return self.burst or max(self.throughput, self.window)

    @property
    def effective_delivery_window(self) -> int:
        return self.delivery_window or self.window

    def _default_sender_is_allowed(self) -> bool:
        return not self.default_sender or ANY in self.senders or self.default_sender in self.senders


def _setting(name: str, default: Any, declared: Mapping[str, Any]) -> Setting:
    return Setting(name=name, default=default, **{"flag": "--" + name.replace("_", "-"), **declared})


_DEFAULTS = Settings()
SETTINGS: tuple[Setting, ...] = tuple(
    _setting(one.name, getattr(_DEFAULTS, one.name), one.metadata) for one in fields(Settings)
)
BY_NAME: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}
