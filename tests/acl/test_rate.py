from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acl.rate import Rate


def passes(rate: Rate, parts: int, now: float) -> bool:
    """One message, as the judge asks."""
    free = rate.available(now)
    if parts > free < rate.burst:
        return False
    rate.take(parts, now)
    return True


def test_a_rested_account_may_send_its_burst_and_then_its_rate() -> None:
    rate = Rate(20, 30)
    assert sum(passes(rate, 1, 100.0) for _ in range(100)) == 30
    assert not passes(rate, 1, 100.04)
    assert passes(rate, 1, 100.05)
    assert sum(passes(rate, 1, 101.05) for _ in range(100)) == 20
    assert sum(passes(rate, 1, 1000.0) for _ in range(100)) == 30


def test_an_hour_at_exactly_the_rate_never_stumbles_over_floating_point() -> None:
    rate = Rate(3, 3)
    assert all(passes(rate, 1, 1e6 + tick / 3) for tick in range(10_000))


def test_no_limit() -> None:
    rate = Rate(0, 0)
    assert rate.available(5.0) == inf
    rate.take(10**9, 5.0)
    assert rate.available(5.0) == inf


def test_a_message_of_more_parts_than_the_burst_passes_when_the_bucket_is_full() -> None:
    rate = Rate(1, 4)
    assert passes(rate, 10, 0.0)
    assert rate.available(0.0) == -6
    assert not passes(rate, 1, 6.5)
    assert passes(rate, 1, 7.0)
    assert not passes(rate, 10, 10.9)
    assert passes(rate, 10, 11.0)


def test_a_full_bucket_holds_no_more_than_the_burst() -> None:
    rate = Rate(1000, 5)
    assert rate.available(0.0) == rate.available(1e9) == 5


def test_a_clock_that_steps_back_gives_nothing_away() -> None:
    rate = Rate(1, 5)
    rate.take(5, 100.0)
    assert rate.available(50.0) == 0
    rate.take(1, 50.0)
    assert rate.available(100.0) == -1
    assert rate.available(101.0) == 0


@pytest.mark.parametrize(
    ("before", "after", "available"),
    [
        ((10, 20), (10, 20), 5),
        ((10, 20), (10, 50), 35),  # the 15 parts just taken still count
        ((10, 20), (10, 10), 0),  # but never for more than an empty bucket
        ((10, 20), (0, 0), inf),
        ((10, 20), (1000, 1000), 985),
        ((0, 0), (10, 20), 20),
    ],
)
def test_new_limits_keep_what_was_taken(before: tuple[int, int], after: tuple[int, int], available: float) -> None:
    rate = Rate(*before)
    rate.take(15, 7.0)
    rate.retune(*after)
    assert rate.available(7.0) == available


def test_a_lowered_rate_holds_at_once_and_does_not_punish_the_past() -> None:
    rate = Rate(1000, 1000)
    rate.take(1000, 0.0)
    rate.retune(1, 10)
    assert rate.available(0.0) == 0
    assert rate.available(10.0) == 10


SLACK = 1e-5  # parts


@given(
    st.integers(1, 1000),
    st.integers(1, 50),
    st.floats(0, 1e7),
    st.lists(st.tuples(st.floats(0, 3), st.integers(1, 12)), max_size=60),
)
def test_no_window_holds_more_than_the_rate_and_one_burst(
    throughput: int, burst: int, start: float, messages: list[tuple[float, int]]
) -> None:
    rate, now, granted = Rate(throughput, burst), start, []
    for pause, parts in messages:
        now += pause
        if passes(rate, parts, now):
            granted.append((now, parts))
    for first in range(len(granted)):
        total = 0
        for time, parts in granted[first:]:
            # an oversized message is owed for: it is the only thing that may stand above the line, and then alone
            largest = max(burst, parts)
            total += parts
            assert total <= throughput * (time - granted[first][0]) + largest + SLACK


@given(st.integers(1, 100), st.integers(1, 20), st.lists(st.tuples(st.floats(0, 1), st.integers(1, 30)), max_size=40))
def test_what_fits_is_not_refused(throughput: int, burst: int, messages: list[tuple[float, int]]) -> None:
    """Against a plain token bucket: whoever has the tokens, or a full bucket, passes."""
    rate, now, tokens, last = Rate(throughput, burst), 0.0, float(burst), 0.0
    for pause, parts in messages:
        now += pause
        tokens, last = min(burst, tokens + (now - last) * throughput), now
        passed = passes(rate, parts, now)
        if abs(tokens - parts) > SLACK and abs(tokens - burst) > SLACK:
            assert passed is (parts <= tokens)
        elif tokens >= burst:
            assert passed
        if passed:
            tokens -= parts


def test_what_could_not_be_accepted_is_given_back() -> None:
    rate = Rate(10, 20)
    rate.take(15, 0.0)
    rate.give_back(10)
    assert rate.available(0.0) == 15
    rate.give_back(100)
    assert rate.available(0.0) == 20
