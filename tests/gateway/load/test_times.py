"""The histogram: quantiles that are true to a thousandth, in a bounded room."""

import random

import pytest

from gateway.load.times import Bar, Times


def test_nothing_took_no_time() -> None:
    times = Times()
    assert (times.number, times.longest, times.quantile(0.5), times.bars()) == (0, 0, 0, [])


def test_short_times_are_exact() -> None:
    times = Times()
    for microseconds in range(1, 2001):
        times.add(microseconds, 1)
    assert [times.quantile(share) for share in (0.0005, 0.5, 0.99, 1)] == [1, 1000, 1980, 2000]


def test_long_ones_are_true_to_a_thousandth() -> None:
    chosen = random.Random(3)
    values = sorted(int(10 ** chosen.uniform(0, 8)) for _ in range(20_000))
    times = Times()
    for value in values:
        times.add(value, 1)
    for share in (0.1, 0.5, 0.9, 0.99, 0.999):
        true = values[round(share * len(values)) - 1]
        assert true <= times.quantile(share) <= true * 1.001
    assert times.quantile(1) == times.longest == values[-1]
    assert len(times._counts) < 20_000


def test_a_value_counts_as_often_as_it_is_said_to() -> None:
    times = Times()
    times.add(100, 98)
    times.add(5000, 2)
    assert (times.number, times.quantile(0.98), times.quantile(0.99)) == (100, 100, 5000)


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([1], [Bar(0.01, 1)]),
        ([1000], [Bar(1.0, 1)]),
        ([1001, 4000], [Bar(2.0, 1), Bar(5.0, 1)]),
        ([300, 300, 4000], [Bar(0.5, 2), Bar(1.0, 0), Bar(2.0, 0), Bar(5.0, 1)]),
        ([10**12], [Bar(500_000.0, 1)]),
    ],
)
def test_bars(values: list[int], bars: list[Bar]) -> None:
    times = Times()
    for value in values:
        times.add(value, 1)
    assert times.bars() == bars
