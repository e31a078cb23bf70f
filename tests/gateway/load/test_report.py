"""The figures in words."""

import pytest

from gateway.load.plan import Plan
from gateway.load.report import histogram, milliseconds, report
from gateway.load.times import Bar

from .test_figures import MS, counted, found


def test_everything_is_said() -> None:
    tally = counted(12_345)
    tally.refused.update({0x58: 3, 0x403: 1})
    tally.owe([b"1", b"2"], MS)
    tally.receive([b"1", b"2", b"3"], 3 * MS)
    words = report(found(Plan(2775, connections=10, rate=9000, receipts=True), tally, interrupted=True))
    assert "10 connections, window 10, 9,000 a second, receipts on" in words
    assert "accepted   12,345 of 12,345 in 2.0 s, interrupted; 6,174 answers a second" in words
    assert "refused    3 with 0x58 ESME_RTHROTTLED\n" in words
    assert "1 with 0x403 ESME_RNOCREDIT (on smppgate)" in words
    assert "response   p50 1.50, p90 1.50, p99 1.50, p99.9 1.50, max 1.50 ms" in words
    assert "receipts   2 of 12,345" in words
    assert "receipt    p50 2.00" in words
    assert "generator  0.2 of a core" in words
    assert "warning    1 receipts name no message" in words
    assert "failed     4 refused\n  failed     12,343 receipts missing" in words


def test_of_nothing_nothing_is_said() -> None:
    words = report(found(Plan(2775), counted(1), connections=1))
    assert "1 connection, window 10, receipts off" in words
    assert "receipts  " not in words
    assert "warning" not in words
    assert "failed" not in words


@pytest.mark.parametrize(
    ("value", "words"), [(0.0123, "0.012"), (1.234, "1.23"), (12.34, "12.3"), (12345.6, "12,345.6")]
)
def test_milliseconds(value: float, words: str) -> None:
    assert milliseconds(value) == words


def test_bars_are_as_long_as_they_are_many() -> None:
    lines = histogram([Bar(0.5, 1), Bar(1.0, 0), Bar(2.0, 400)])
    assert [line.count("#") for line in lines] == [1, 0, 40]
    assert lines[0].split()[:5] == ["to", "0.5", "ms", "0.25%", "#"]
