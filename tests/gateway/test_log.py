"""The log: one event, one line; no control characters, no secrets, no floods."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import structlog

from gateway import log


class Bind(NamedTuple):
    system_id: bytes
    password: bytes


class Lines:
    def __init__(self) -> None:
        self.stream, self.now = io.StringIO(), 0.0

    def __call__(self) -> list[str]:
        return self.stream.getvalue().splitlines(keepends=True)

    def last(self) -> Any:
        return json.loads(self()[-1])


@pytest.fixture
def lines() -> Iterator[Callable[..., Lines]]:
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions

    def start(style: str = "json", level: str = "info", numbers: str = "masked") -> Lines:
        made = Lines()
        log.setup(level, style, numbers, stream=made.stream, clock=lambda: made.now)
        return made

    yield start
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising
    structlog.reset_defaults()


def test_json_has_time_level_event_and_fields(lines: Callable[..., Lines]) -> None:
    out = lines()
    structlog.get_logger().info("bound", account="smpp-acme", window=10)
    assert list(out.last())[:3] == ["timestamp", "level", "event"]
    assert out.last() | {"timestamp": ""} == {
        "timestamp": "",
        "level": "info",
        "event": "bound",
        "account": "smpp-acme",
        "window": 10,
    }


def test_words(lines: Callable[..., Lines]) -> None:
    out = lines("console")
    structlog.get_logger().warning("refused", reason="no_credit", text="two words", left=None)
    assert re.fullmatch(r'\S+Z warning refused reason=no_credit text="two words" left=null\n', out()[-1])


@pytest.mark.promise("S2")
@pytest.mark.parametrize("style", ["json", "console"])
def test_whatever_is_in_an_event_it_is_one_line(lines: Callable[..., Lines], style: str) -> None:
    out = lines(style)
    nasty = "a\nb\r\x1b[31m\x85\u2028\u202e\x00\ud800"
    structlog.get_logger().info("got" + nasty, **{"field" + nasty: nasty}, octets=nasty.encode("utf-8", "replace"))
    try:
        raise ValueError(nasty)
    except ValueError:
        structlog.get_logger().exception("failed")
    written = out.stream.getvalue()
    assert len(out()) == 2
    assert not log.UNSAFE.search(written.replace("\n", ""))
    assert "ValueError" in out()[1]
    assert "Traceback" in out()[1]


def test_json_stays_json_when_escaped(lines: Callable[..., Lines]) -> None:
    out = lines()
    structlog.get_logger().info("x", text="zażółć\u2028\x9b")
    assert out.last()["text"] == "zażółć\u2028\x9b"
    assert "zażółć" in out()[-1]


@pytest.mark.promise("S1")
@pytest.mark.parametrize("style", ["json", "console"])
def test_secrets_are_hidden_wherever_they_stand(lines: Callable[..., Lines], style: str) -> None:
    out = lines(style)
    structlog.get_logger().info(
        "bind",
        password="s3cret!",
        record=Bind(b"me", b"s3cret!"),
        deep=[{"Authorization": "s3cret!"}],
        api_token=b"s3cret!",
        password_hash="s3cret!",
    )
    assert "s3cret" not in out()[-1]
    assert "me" in out()[-1]


@pytest.mark.promise("S2")
@pytest.mark.parametrize("style", ["json", "console"])
def test_telephone_numbers_are_masked_wherever_they_stand(lines: Callable[..., Lines], style: str) -> None:
    out = lines(style)
    number = "48600100200"
    structlog.get_logger().info(f"to +{number}", reason=f"no route to {number}.", deep=[{number: number.encode()}])
    try:
        raise ValueError("48600100200")
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "600100200" not in out.stream.getvalue()
    assert "48600***" in out.stream.getvalue()


def test_what_is_no_telephone_number_stays_and_numbers_can_be_asked_for(lines: Callable[..., Lines]) -> None:
    out = lines()
    kept = "message 118923017341272064 of 2026-11-25T22:00:00.123456Z from 192.0.2.177 pid 4194304 0xdeadbeef12345678"
    structlog.get_logger().info("kept", text=kept, at=1795649293873)
    assert (out.last()["text"], out.last()["at"]) == (kept, 1795649293873)
    out = lines(numbers="full")
    structlog.get_logger().info("to", destination="48600100200")
    assert out.last()["destination"] == "48600100200"


def test_standard_logging_takes_the_same_road(lines: Callable[..., Lines]) -> None:
    out = lines()
    logging.getLogger("uvicorn.error").warning("line\n%s", "two", extra={"password": "s3cret!"})
    assert out.last()["event"] == "line\ntwo"
    assert out.last()["password"] == "***"
    assert len(out()) == 1


def test_below_the_level_nothing_is_written(lines: Callable[..., Lines]) -> None:
    out = lines(level="warning")
    structlog.get_logger().info("quiet")
    logging.getLogger("x").info("quiet")
    assert out() == []


def test_an_event_that_repeats_itself_is_counted_instead(lines: Callable[..., Lines]) -> None:
    out = lines()
    for _ in range(250):
        structlog.get_logger().info("refused")
    structlog.get_logger().info("other")
    assert len(out()) == 101
    out.now = 1.0
    structlog.get_logger().info("refused")
    assert out.last()["suppressed"] == 150
    structlog.get_logger().info("refused")
    assert "suppressed" not in out.last()


def test_a_library_that_repeats_itself_is_not_disturbed(lines: Callable[..., Lines]) -> None:
    out = lines()
    for _ in range(250):
        logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    assert len(out()) == 100


def test_values_are_bounded(lines: Callable[..., Lines]) -> None:
    out = lines()
    deep: Any = {}
    for _ in range(50):
        deep = {"x": deep}
    structlog.get_logger().info("big", text="x" * 100_000, many=list(range(10_000)), deep=deep)
    assert len(out()[-1]) < 5_000


def test_a_closed_stream_disturbs_nobody(lines: Callable[..., Lines]) -> None:
    out = lines()
    out.stream.close()
    structlog.get_logger().info("into the void")
