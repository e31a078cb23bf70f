"""The log: one event is one line on standard error, whatever is in it; one road for structlog and the standard library.

Invariant: a line holds no control character, no secret, no whole telephone number unless that is asked for, and no
event fills the disk by repeating itself. Knows nothing of what is logged.
"""

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# Line breaks of every kind, the other controls, lone surrogates, and marks that turn the reading direction.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
SECRET = re.compile(r"password|passwd|secret|token|authorization|cookie|private", re.IGNORECASE)
# What may be a telephone number: as many digits as one has, standing alone (message ids have more).
NUMBER = re.compile(r"(?<![\w.+])\+?[0-9]{8,15}(?!\w|\.[0-9])")
HIDDEN = "***"
LONGEST = 2_000
LONGEST_TRACE = 16_000
DEEPEST = 4
BARE = re.compile(r"[\w.:,/@+*<>\[\]()%-]+")


def setup(
    level: str = "info",
    style: str = "console",
    numbers: str = "masked",
    *,
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Send structlog and logging to one stream in one form. `style` is "console" or "json", `numbers` "masked" or
    "full"."""
    chain: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        Repetition(clock),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        presentable,
        *([without_numbers] if numbers == "masked" else []),
    ]
    render = as_json if style == "json" else as_words
    handler = Lines(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=chain, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.raiseExceptions = False  # a full disk or a closed terminal must not disturb the traffic
    own = [each for each in chain if not isinstance(each, structlog.stdlib.ExtraAdder)]
    structlog.configure(
        processors=[*own, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


class Lines(logging.StreamHandler[TextIO]):
    """structlog lets what its own loggers drop fall silently; what a library logs and we drop must not hurt it."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(structlog.DropEvent):  # no Exception, so nobody else catches it
            super().emit(record)


class Repetition:
    """At most `limit` events of one name a second; the next one that passes says how many did not."""

    def __init__(self, clock: Callable[[], float], limit: int = 100, names: int = 1_000) -> None:
        self._clock, self._limit, self._names = clock, limit, names
        self._seen: dict[str, tuple[int, int]] = {}

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        name, second = str(event.get("event")), int(self._clock())
        since, count = self._seen.get(name, (second, 0))
        if since != second:
            if count > self._limit:
                event["suppressed"] = count - self._limit
            since, count = second, 0
        elif count >= self._limit:
            self._seen[name] = (since, count + 1)
            raise structlog.DropEvent
        if len(self._seen) >= self._names:
            self._seen.clear()
        self._seen[name] = (since, count + 1)
        return event


def presentable(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Secrets hidden, everything of a bounded size. Names that begin with _ are structlog's own."""
    return {
        name: value
        if name.startswith("_")
        else str(value)[-LONGEST_TRACE:]
        if name == "exception"
        else shown(name, value, DEEPEST)
        for name, value in event.items()
    }


def without_numbers(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The network of a telephone number stays readable, the rest of it does not."""
    kept = ("timestamp", "level")
    return {
        name: value if name.startswith("_") or name in kept else unnumbered(value) for name, value in event.items()
    }


def unnumbered(value: Any) -> Any:
    """Of what `shown` made: texts, and containers of them."""
    if isinstance(value, str):
        return NUMBER.sub(lambda found: found[0][:5] + HIDDEN, value)
    if isinstance(value, dict):
        return {unnumbered(name): unnumbered(each) for name, each in value.items()}
    return [unnumbered(each) for each in value] if isinstance(value, list) else value


def shown(name: str, value: object, depth: int) -> object:
    if SECRET.search(name) and value not in (None, True, False):
        return HIDDEN
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (bytes, bytearray)):
        value = value[:LONGEST].decode("latin-1")
    if isinstance(value, str):
        return value if len(value) <= LONGEST else value[:LONGEST] + "…"
    if depth and isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if depth and isinstance(value, Mapping):
        return {str(key): shown(str(key), each, depth - 1) for key, each in list(value.items())[:50]}
    if depth and isinstance(value, (list, tuple, set, frozenset)):
        return [shown("", each, depth - 1) for each in list(value)[:50]]
    return str(value)[:LONGEST] if depth else "…"


def harmless(line: str) -> str:
    return UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    first = {name: event.pop(name) for name in ("timestamp", "level", "event") if name in event}
    return harmless(json.dumps(first | dict(event), ensure_ascii=False, default=str))


def as_words(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    head = (event.pop("timestamp", ""), f"{event.pop('level', ''):<7}", event.pop("event", ""))
    exception = event.pop("exception", None)
    words = [str(word) for word in head] + [f"{name}={plain(value)}" for name, value in event.items()]
    return harmless(" ".join(words) + (f" | {exception}" if exception else ""))


def plain(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if not isinstance(value, str) or BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)
