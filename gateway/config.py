"""What the operator may set: defaults, then the TOML file, then the environment; checked whole before anything starts.

Invariant: a Config is valid and frozen, or there is none and every problem is named with its path.
Knows nothing of what the settings are for. Imports pydantic, so the CLI imports it only when it needs it.
"""

import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from acl.addresses import network

PREFIX = "SMPPGATE_"
NOT_SETTINGS = {"SMPPGATE_CONFIG", "SMPPGATE_FAILPOINTS", "SMPPGATE_LOAD_PASSWORD"}
# Kubernetes and Docker links put such variables beside a service called "smppgate"; they are not ours.
NEIGHBOURS = re.compile(r"SMPPGATE_(SERVICE_|PORT(_|$)|NAME$|ENV_)")
# Relative paths written in the file count from the file's folder, so the same file means the same wherever one stands.
PATHS = (("data_dir",), ("smpp", "tls", "cert"), ("smpp", "tls", "key"),
         ("mail", "password_file"), ("mail", "ca_file"))
NEAREST = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where this machine finds what listens everywhere
SHORTEST_SECRET = 16
UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class ConfigError(Exception):
    """The configuration cannot be used; `problems` has a line for every fault, each beginning with its path."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


class Address(NamedTuple):
    """Where to listen. Host as the operating system takes it (an IPv6 address without its brackets)."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def seconds(value: object) -> float:
    """'0.5s', '30s', '5m', '2h', '1d', '250ms', or a plain number of seconds."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d|)\s*", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('not a duration; write it like "0.5s", "30s", "5m" or "2h"')
    return float(found[1]) * UNITS[found[2]]


def address(value: object) -> Address:
    """'host:port' or '[::1]:port'."""
    if isinstance(value, Address):
        return value
    if not isinstance(value, str):
        raise ValueError('not an address; write it like "127.0.0.1:2775" or "[::1]:2775"')
    host, colon, port = value.strip().rpartition(":")
    if not colon or not port.isdecimal() or not port.isascii():
        raise ValueError(f'{value!r} has no port; write it like "127.0.0.1:2775" or "[::1]:2775"')
    if int(port) > 65535:
        raise ValueError(f"port {port} does not exist; the highest is 65535")
    return Address(host_of(host), int(port))


def host_of(text: str) -> str:
    """An IPv4 address, an IPv6 address in brackets, or a name."""
    if text.startswith("[") and text.endswith("]"):
        return str(ip_address(text[1:-1]))
    if ":" in text:
        raise ValueError(f'an IPv6 address stands in brackets: "[{text}]:port"')
    if re.fullmatch(r"[0-9.]+", text):
        return str(ip_address(text))
    if not re.fullmatch(r"(?!-)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", text):
        raise ValueError(f'{text!r} is not a host; to listen everywhere write "0.0.0.0" or "[::]"')
    return text


def told_host(value: object) -> str:
    """The name or address that customers are told; empty: they are told the one they reach the panel by."""
    if not isinstance(value, str):
        raise ValueError("not a host name")
    return host_of(value) if value else ""


def listing(value: object) -> object:
    """The environment has no lists: there, commas separate, or the whole is JSON."""
    if not isinstance(value, str):
        return value
    as_json = re.match(r'\s*\[\s*["\]]', value)  # an IPv6 address begins with a bracket, too
    return json.loads(value) if as_json else re.findall(r"[^,\s]+", value)


def pattern(value: object) -> str:
    """Which destinations: digits, in which a * stands for whatever."""
    if not isinstance(value, str) or not re.fullmatch(r"\+?[0-9*]{1,30}", value):
        raise ValueError('not a pattern of digits; write it like "*9" (ends in 9), "4479*" (begins so) or "*" (all)')
    return value


def web_address(value: object) -> str:
    """'https://panel.example.com', without a path, a query or a slash at the end."""
    found = re.fullmatch(r"(https?://[^/?#\s@]+)/?", value) if isinstance(value, str) else None
    if value != "" and found is None:
        raise ValueError('not the address of a panel; write it like "https://panel.example.com"')
    return found[1].lower() if found else ""


def network_of(value: object) -> str:
    """An address or a network of proxies."""
    if not isinstance(value, str):
        raise ValueError('not an address or network; write it like "10.0.0.5" or "10.0.0.0/24"')
    return str(ip_network(value)) if "/" in value else str(ip_address(value))


def proxy(value: object) -> str:
    """The same, by the rules of authorised addresses: whoever stands here can claim to be anybody."""
    if not isinstance(value, str):
        raise ValueError('not an address or network; write it like "10.0.0.5" or "10.0.0.0/24"')
    return network(value)


def folder(value: object) -> object:
    if value == "":
        raise ValueError("empty; name a folder")
    return value


def nothing_if_empty(value: object) -> object:
    return None if value == "" else value


Seconds = Annotated[float, BeforeValidator(seconds)]
Listen = Annotated[Address, BeforeValidator(address)]
MaybeListen = Annotated[Listen | None, BeforeValidator(nothing_if_empty)]
Listens = Annotated[tuple[Listen, ...], BeforeValidator(listing)]
MaybePath = Annotated[Path | None, BeforeValidator(nothing_if_empty)]
State = Literal["delivered", "undeliverable", "rejected", "expired", "deleted", "unknown"]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


class Tls(Section):
    listen: Listens = (Address("127.0.0.1", 3550),)
    cert: MaybePath = None
    key: MaybePath = None
    minimum_version: Literal["1.2", "1.3"] = "1.3"

    @property
    def enabled(self) -> bool:
        """TLS is spoken as soon as there is something to prove oneself with."""
        return self.cert is not None and bool(self.listen)

    @model_validator(mode="after")
    def _cert_and_key(self) -> Self:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key belong together; only one of them is set")
        return self


class Smpp(Section):
    listen: Listens = (Address("127.0.0.1", 2775),)
    tls: Tls = Tls()
    session_init: Annotated[Seconds, Field(gt=0, le=3600)] = 10.0
    public_host: Annotated[str, BeforeValidator(told_host)] = ""
    max_connections: Annotated[int, Field(ge=1, le=1_000_000)] = 5_000
    proxy_from: Annotated[tuple[Annotated[str, BeforeValidator(proxy)], ...], BeforeValidator(listing)] = ()
    max_connections_per_address: Annotated[int, Field(ge=1, le=1_000_000)] = 500

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not self.listen and not self.tls.enabled:
            raise ValueError("nothing listens; set smpp.listen, or smpp.tls.cert and smpp.tls.key")
        return self


class Metrics(Section):
    listen: MaybeListen = Address("127.0.0.1", 9775)


class Web(Section):
    listen: MaybeListen = Address("127.0.0.1", 8080)
    url: Annotated[str, BeforeValidator(web_address)] = ""
    trusted_proxies: Annotated[tuple[Annotated[str, BeforeValidator(network_of)], ...], BeforeValidator(listing)] = ()

    @property
    def address(self) -> str:
        """Where the panel is found, as far as the configuration knows."""
        if self.url or self.listen is None:
            return self.url
        return f"http://{self.listen._replace(host=NEAREST.get(self.listen.host, self.listen.host))}"


class Rule(Section):
    """What the simulator does with destinations that look like `to`; the first rule that fits decides."""

    to: Annotated[str, BeforeValidator(pattern)]
    state: State
    error: Annotated[int, Field(ge=0, le=999)] = 0
    delay: Annotated[Seconds, Field(ge=0, le=604_800)] | None = None


RULES = (Rule(to="*9", state="undeliverable", error=9), Rule(to="*8", state="rejected", error=803))


def rules_of(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


class Simulator(Section):
    delay: Annotated[Seconds, Field(ge=0, le=604_800)] = 0.5
    rules: Annotated[tuple[Rule, ...], BeforeValidator(rules_of)] = RULES


class PaymentService(Section):
    """Who is told of top-ups, and answers when they are paid."""

    url: str = ""
    secret: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.url) != bool(self.secret):
            raise ValueError("url and secret belong together; only one of them is set")
        if self.url and not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", self.url):
            raise ValueError("url is not an address such as https://pay.example.org/orders")
        if self.secret and len(self.secret) < SHORTEST_SECRET:
            raise ValueError(f"secret has fewer than {SHORTEST_SECRET} characters; make one with: openssl rand -hex 32")
        return self


class Mail(Section):
    """The server that letters are handed to; without a host there is no mail."""

    host: str = ""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: str = ""
    password_file: MaybePath = None
    sender: str = ""
    ca_file: MaybePath = None
    timeout: Annotated[Seconds, Field(gt=0, le=300)] = 20.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.host and not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", self.sender):
            raise ValueError("sender is missing: the address that letters come from, such as sms@example.com")
        if self.password and self.password_file is not None:
            raise ValueError("password and password_file are both set; one of them is enough")
        if bool(self.username) != bool(self.password or self.password_file):
            raise ValueError("username and password (or password_file) belong together; only one of them is set")
        if self.username and self.security == "none":
            raise ValueError("a password does not travel unencrypted: security is starttls or tls")
        return self


class Log(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"
    numbers: Literal["masked", "full"] = "masked"


class Config(Section):
    data_dir: Annotated[Path, BeforeValidator(folder)] = Path("data")
    node: Annotated[int, Field(ge=0, le=63)] = 0
    smpp: Smpp = Smpp()
    metrics: Metrics = Metrics()
    web: Web = Web()
    simulator: Simulator = Simulator()
    mail: Mail = Mail()
    payment: PaymentService = PaymentService()
    log: Log = Log()


def load(path: Path | str | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """-> the Config, or ConfigError with everything that is wrong."""
    problems: list[str] = []
    tree = read(Path(path)) if path is not None else {}
    overlay(tree, os.environ if environ is None else environ, problems)
    try:
        config = Config.model_validate(tree)
    except ValidationError as invalid:
        problems += [sentence(error) for error in invalid.errors(include_url=False)]
    if problems:
        raise ConfigError(problems)
    return config


def read(path: Path) -> dict[str, Any]:
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: not TOML: {error}"]) from None
    for keys in PATHS:
        section: Any = tree
        for key in keys[:-1]:
            section = section.get(key) if isinstance(section, dict) else None
        if isinstance(section, dict) and isinstance(written := section.get(keys[-1]), str) and written:
            section[keys[-1]] = str(path.parent / Path(written).expanduser())
    return tree


def overlay(tree: dict[str, Any], environ: Mapping[str, str], problems: list[str]) -> None:
    """SMPPGATE_SECTION__KEY over what the file says."""
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS or NEIGHBOURS.match(name):
            continue
        *sections, key = name.removeprefix(PREFIX).lower().split("__")
        into = tree
        for section in sections:
            into = into.setdefault(section, {})
            if not isinstance(into, dict):
                problems.append(f"{name}: {section} is not a section")
                break
        else:
            into[key] = environ[name]


def sentence(error: ErrorDetails) -> str:
    """smpp.listen[0]: what is wrong with it."""
    # inside an optional value pydantic names the branch it tried, which is not a key
    steps = [step for step in error["loc"] if not (isinstance(step, str) and step.startswith("function-"))]
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown key{nearest(steps)}"
    why = error["msg"].removeprefix("Value error, ")
    return f"{where or 'configuration'}: {why[:1].lower()}{why[1:]}"


def nearest(steps: list[int | str]) -> str:
    model: Any = Config
    for step in steps[:-1]:
        field = model.model_fields.get(step) if isinstance(step, str) else None
        model = field.annotation if field is not None else Rule
    close = get_close_matches(str(steps[-1]), model.model_fields, n=1)
    return f"; is it {close[0]!r} that is meant?" if close else f"; known here: {', '.join(model.model_fields)}"
