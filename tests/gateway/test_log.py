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

    def start(style: str = "json", level: str = "info") -> Lines:
        made = Lines()
        log.setup(level, style, stream=made.stream, clock=lambda: made.now)
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
