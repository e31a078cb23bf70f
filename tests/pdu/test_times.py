"""SMPP times, absolute and relative."""
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu import times

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC).timestamp()


def at(*moment: int) -> float:
    return datetime(*moment, tzinfo=UTC).timestamp()    # type: ignore[arg-type, misc]  # year, month, day …


@pytest.mark.parametrize(("octets", "seconds"), [
    (b"260201000000000+", at(2026, 2, 1)),
    (b"260201000000504+", at(2026, 1, 31, 23) + 0.5),   # local time an hour ahead of UTC
    (b"260201000000004-", at(2026, 2, 1, 1)),
    (b"260201000000048+", at(2026, 1, 31, 12)),
    (b"370101000000000+", at(2037, 1, 1)), (b"380101000000000+", at(1938, 1, 1)),
    (b"991231235959000+", at(1999, 12, 31, 23, 59, 59)),
    (b"240229000000000+", at(2024, 2, 29)),
])
def test_absolute(octets: bytes, seconds: float) -> None:
    assert times.parse(octets, NOW) == seconds


@pytest.mark.parametrize(("octets", "seconds"), [
    (b"000000000000000R", NOW), (b"000000000100000R", NOW + 60), (b"000001000000000R", NOW + 86400),
    (b"000099999999000R", NOW + 99 * 86400 + 99 * 3600 + 99 * 60 + 99),
    (b"000100000000000R", at(2026, 2, 28, 12)),          # a month after 31 January
    (b"020610233429000R", at(2028, 7, 31, 12) + 10 * 86400 + 23 * 3600 + 34 * 60 + 29),
    (b"000000000100999R", NOW + 60),                     # tenths and quarter hours say nothing here
    (b"991299000000000R", at(2126, 1, 31, 12) + 99 * 86400),
])
def test_relative(octets: bytes, seconds: float) -> None:
    assert times.parse(octets, NOW) == seconds


def test_no_time_is_none() -> None:
    assert times.parse(b"", NOW) is None


@pytest.mark.parametrize("octets", [
    b"260201000000", b"260201000000000", b"2602010000000000", b"260201000000000*", b"260201000000000r",
    b"261301000000000+", b"260001000000000+", b"260230000000000+", b"260201240000000+", b"260201006000000+",
    b"260201000060000+", b"260201000000049+", b"250229000000000+", b" 60201000000000+", b"2602010000000000+", b"x",
    b"\xff" * 16, "٢٦٠٢٠١٠٠".encode(),
])
def test_anything_else_is_wrong(octets: bytes) -> None:
    with pytest.raises(ValueError):
        times.parse(octets, NOW)


def test_a_tolerant_reader_takes_twelve_digits_and_a_lost_sign_as_utc() -> None:
    assert times.parse(b"260201000000", NOW, tolerant=True) == at(2026, 2, 1)
    assert times.parse(b"260201000000004", NOW, tolerant=True) == at(2026, 2, 1)
    with pytest.raises(ValueError):
        times.parse(b"261301000000", NOW, tolerant=True)


@given(st.binary(max_size=17), st.booleans())
def test_random_octets_raise_nothing_but_value_error(octets: bytes, tolerant: bool) -> None:
    try:
        times.parse(octets, NOW, tolerant)
    except ValueError as fault:
        told = fault
    else:
        return
    assert str(told)


@given(st.from_regex(rb"\A[0-9]{15}[-+R]\Z"))
def test_any_digits_raise_nothing_but_value_error(octets: bytes) -> None:
    try:
        seconds = times.parse(octets, NOW)
    except ValueError:
        return
    assert seconds is not None


@given(st.integers(int(at(1938, 1, 1)) * 10, int(at(2038, 1, 1)) * 10 - 1))
def test_an_absolute_time_is_read_back(tenths: int) -> None:
    octets = times.format_absolute(tenths / 10)

    assert len(octets) == 16
    assert times.parse(octets, NOW) == pytest.approx(tenths / 10, abs=0.11)
    assert times.parse(times.format_absolute(tenths // 10), NOW) == tenths // 10


@given(st.integers(0, times.LONGEST_RELATIVE - 1))
def test_a_relative_time_is_read_back(seconds: int) -> None:
    octets = times.format_relative(seconds)

    assert len(octets) == 16
    assert times.parse(octets, NOW) == NOW + seconds


def test_what_cannot_be_said_is_refused() -> None:
    assert times.format_absolute(at(2026, 2, 1)) == b"260201000000000+"
    for seconds in (at(1937, 12, 31), at(2038, 1, 1)):
        with pytest.raises(ValueError):
            times.format_absolute(seconds)
    for seconds in (-1, times.LONGEST_RELATIVE):
        with pytest.raises(ValueError):
            times.format_relative(seconds)
