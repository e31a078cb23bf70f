"""The panel's words in the reader's language: sentences, plural forms, numbers, dates and the reader's time zone.

Invariant: nothing is compiled on disk; what is translated stands in `locale/<language>/LC_MESSAGES/*.po`, a file
for each subject, read at the first word. A language is there as soon as its folder is, and its name stands in
LANGUAGES. English is what the sentences are written in.

`_("Send to %(address)s", address=…)` and `ngettext("%(n)s bind", "%(n)s binds", n)` speak the language of the request
that is being answered; `said(text)` does so for sentences that were made elsewhere (in acl, in a Fault), which stand in
the catalogue with the context "said".
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources
from io import BytesIO
from typing import Any, NamedTuple

from babel import dates, numbers, units
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from starlette.requests import Request

from gateway.zones import zone_of

LANGUAGES = {"en": "English", "pl": "Polski"}
ENGLISH = "en"
SAID = "said"
Pattern = tuple[re.Pattern[str], str]
request_being_answered: ContextVar[Request | None] = ContextVar("request_being_answered", default=None)


class Speech(NamedTuple):
    language: str = ENGLISH
    zone: str = "UTC"


@cache
def catalogue(language: str) -> Catalog:
    """Everything that is translated into a language, of all subjects."""
    whole = Catalog(locale=language)
    folder = resources.files(__package__) / "locale" / language / "LC_MESSAGES"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".po"):
            for message in read_po(BytesIO(file.read_bytes()), locale=language):
                if message.id:
                    whole[message.id] = message
    return whole


@cache
def translations(language: str) -> NullTranslations:
    if language == ENGLISH:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return GNUTranslations(compiled)


@cache
def patterns(language: str) -> tuple[Pattern, ...]:
    """What others say, as it is recognised."""
    return tuple(
        pattern(message.id, str(message.string))
        for message in (catalogue(language) if language != ENGLISH else ())
        if message.context == SAID and isinstance(message.id, str)
    )


def pattern(english: str, translated: str) -> Pattern:
    """Every %(name)s of the sentence stands for whatever was put there."""
    places = re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+?)", re.escape(english))
    return re.compile(places, re.DOTALL), translated


def wished(header: str) -> str:
    """The first language of an Accept-Language that we speak."""
    tags = [tag.split(";")[0].strip().lower()[:2] for tag in header.split(",")]
    return next((tag for tag in tags if tag in LANGUAGES), ENGLISH)


def speech() -> Speech:
    """How to speak to whoever is being answered: what they chose in this browser, else what they are known by."""
    request = request_being_answered.get()
    if request is None:
        return Speech()
    actor = getattr(request.state, "actor", None)
    chosen = request.cookies.get("language")
    known = actor.language if actor is not None else wished(request.headers.get("accept-language", ""))
    language = chosen if chosen in LANGUAGES else known
    return Speech(language if language in LANGUAGES else ENGLISH, "UTC" if actor is None else actor.time_zone)


def gettext(message: str) -> str:
    return translations(speech().language).gettext(message)


def ngettext_plain(singular: str, plural: str, number: int) -> str:
    return translations(speech().language).ngettext(singular, plural, number)


def _(message: str, **values: Any) -> str:
    translated = gettext(message)
    return translated % values if values else translated


def ngettext(singular: str, plural: str, n: int, **values: Any) -> str:
    """`%(n)s` is the number as the reader writes it."""
    return ngettext_plain(singular, plural, n) % {"n": number(n), **values}


def marked(message: str) -> str:
    """To be translated when it is shown, not here."""
    return message


def said(text: str) -> str:
    """A sentence that was made elsewhere, in the reader's language if the catalogue knows it."""
    for expression, translated in patterns(speech().language):
        found = expression.fullmatch(text)
        if found:
            return translated % found.groupdict() if found.groupdict() else translated.replace("%%", "%")
    return text


# -- numbers and times -------------------------------------------------------------------------------------------------
def number(value: float | Decimal | str | None) -> str:
    if value is None:
        return "–"
    return numbers.format_decimal(Decimal(str(value)), locale=speech().language)


def credits_(value: str | None) -> str:
    """An amount in credits: two decimals, or as many as it has."""
    if value is None:
        return "–"
    return numbers.format_decimal(Decimal(value), "#,##0.00##", locale=speech().language)


def amount_of(typed: str) -> str:
    """What the reader typed as an amount, as programs write it: without separators of thousands, with a point. What
    could be meant in two ways is left as it is, to be refused."""
    language, plain = speech().language, re.sub(r"\s", "", typed)
    point, group = numbers.get_decimal_symbol(language), numbers.get_group_symbol(language).strip()
    if group and re.fullmatch(rf"-?\d{{1,3}}(\{group}\d{{3}})+(\{point}\d*)?", plain):
        plain = plain.replace(group, "")
    return plain.replace(point, ".")


def percent(value: float) -> str:
    return numbers.format_percent(value, "#,##0.#%", locale=speech().language)


def moment_of(value: str | int | datetime) -> datetime:
    """RFC 3339 text, milliseconds or a datetime, in the reader's time zone."""
    if isinstance(value, int):
        value = datetime.fromtimestamp(value / 1000, UTC)
    elif isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.astimezone(zone_of(speech().zone))


def moment(value: str | int | datetime | None) -> str:
    return "–" if value is None else dates.format_datetime(moment_of(value), "medium", locale=speech().language)


def day(value: str | int | datetime | None) -> str:
    return "–" if value is None else dates.format_date(moment_of(value), "medium", locale=speech().language)


def clock(value: str | int | datetime | None) -> str:
    return "–" if value is None else dates.format_time(moment_of(value), "HH:mm:ss", locale=speech().language)


def ago(value: str | int | datetime) -> str:
    return duration(max(0.0, (datetime.now(UTC) - moment_of(value)).total_seconds()))


def utcday(value: str) -> str:
    """Of a figure that was kept by the day of UTC."""
    return dates.format_date(datetime.fromisoformat(value).astimezone(UTC), "medium", locale=speech().language)


def epoch(value: str) -> int:
    """Milliseconds."""
    return int(datetime.fromisoformat(value).timestamp() * 1000)


def address_of(bind: Mapping[str, Any]) -> str:
    """Where a bind comes from, with its port."""
    peer, port = str(bind.get("peer", "")), bind.get("port", "")
    return f"[{peer}]:{port}" if ":" in peer else f"{peer}:{port}"


def duration(seconds: float) -> str:
    """The largest two units of it: 11 h 19 min."""
    left, parts = int(seconds), list[str]()
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(in_units(count, unit))
    return " ".join(parts[:2]) or in_units(0, "second")


def in_units(count: int, unit: str) -> str:
    return units.format_unit(count, f"duration-{unit}", length="short", locale=speech().language)
