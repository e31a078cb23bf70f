from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acl import reasons
from acl.reasons import Refusal
from gateway.smpp.timing import FARTHEST_MS, Timing, timing, timings
from pdu.times import format_absolute

from ..scene import START_MS, submit

NOW = START_MS
DAY = 86_400_000
HOUR = 3_600_000


def at(ms: int) -> bytes:
    return format_absolute(ms / 1000)


def judged(schedule: bytes = b"", validity: bytes = b"", longest: int = 0) -> object:
    """The reason of a refusal; when it goes and when it ends, from now; or None."""
    found = timing(schedule, validity, NOW, longest)
    if isinstance(found, Refusal):
        return found.reason
    return found and tuple(None if when is None else when - NOW for when in found)


@pytest.mark.parametrize(
    ("schedule", "validity", "expected"),
    [
        (b"", b"", None),
        # when it goes
        (at(NOW + HOUR), b"", (HOUR, None)),
        (b"000000010000000R", b"", (HOUR, None)),
        (b"000001000000000R", b"", (DAY, None)),
        (at(NOW - HOUR), b"", None),  # in the past means now
        (at(NOW), b"", None),
        (b"000000000000000R", b"", None),
        (at(NOW + FARTHEST_MS), b"", (FARTHEST_MS, None)),
        (at(NOW + FARTHEST_MS + 1000), b"", reasons.SCHEDULE_INVALID),
        (b"990000000000000R", b"", reasons.SCHEDULE_INVALID),
        # when it ends
        (b"", b"000000010000000R", (None, HOUR)),
        (b"", at(NOW + HOUR), (None, HOUR)),
        (b"", at(NOW), reasons.VALIDITY_INVALID),
        (b"", at(NOW - HOUR), reasons.VALIDITY_INVALID),
        (b"", b"000000000000000R", reasons.VALIDITY_INVALID),
        # both
        (at(NOW + HOUR), at(NOW + 2 * HOUR), (HOUR, 2 * HOUR)),
        (at(NOW + HOUR), at(NOW + HOUR), reasons.VALIDITY_INVALID),
        (at(NOW + HOUR), at(NOW + HOUR // 2), reasons.VALIDITY_INVALID),
        (at(NOW - HOUR), at(NOW + HOUR), (None, HOUR)),
        # rubbish
        (b"tomorrow", b"", reasons.SCHEDULE_INVALID),
        (b"", b"tomorrow", reasons.VALIDITY_INVALID),
        (b"tomorrow", b"tomorrow", reasons.SCHEDULE_INVALID),
        (b"261301000000000+", b"", reasons.SCHEDULE_INVALID),  # a 13th month
        (b"260230000000000+", b"", reasons.SCHEDULE_INVALID),  # 30 February
        (b"260921141320049+", b"", reasons.SCHEDULE_INVALID),  # 49 quarter hours
        (b"260921141320000", b"", reasons.SCHEDULE_INVALID),  # the sign is missing
        (b"", b"2609211413200000R", reasons.VALIDITY_INVALID),
        (b"", b"\xff" * 16, reasons.VALIDITY_INVALID),
    ],
)
def test_two_times(schedule: bytes, validity: bytes, expected: object) -> None:
    assert judged(schedule, validity) == expected


@pytest.mark.parametrize(
    ("schedule", "validity", "longest", "expected"),
    [
        (b"", at(NOW + 9 * DAY), 7 * DAY, (None, 7 * DAY)),
        (b"", at(NOW + 7 * DAY), 7 * DAY, (None, 7 * DAY)),
        (b"", at(NOW + DAY), 7 * DAY, (None, DAY)),
        (b"", at(NOW + 9 * DAY), 0, (None, 9 * DAY)),  # 0: no limit
        (at(NOW + 20 * DAY), at(NOW + 29 * DAY), 7 * DAY, (20 * DAY, 27 * DAY)),  # counted from when it goes
        (at(NOW + 20 * DAY), b"", 7 * DAY, (20 * DAY, None)),
    ],
)
def test_a_validity_beyond_the_accounts_limit_is_cut(
    schedule: bytes, validity: bytes, longest: int, expected: object
) -> None:
    assert judged(schedule, validity, longest) == expected


def test_an_offset_from_utc_is_taken_off() -> None:
    local = datetime.fromtimestamp(NOW / 1000 + 3 * 3600, UTC).strftime("%y%m%d%H%M%S").encode()
    assert judged(local + b"008+") == (HOUR, None)  # 3 hours later on a clock that is 2 hours ahead


def test_a_run_without_times_is_told_in_one_word() -> None:
    assert timings([submit(), submit()], NOW, 0) is None
    assert timings([], NOW, 0) is None


def test_a_run_with_a_time_has_a_place_for_each_message() -> None:
    run = [submit(), submit(validity_period=b"000000010000000R"), submit(schedule_delivery_time=b"never")]
    found = timings(run, NOW, 0)
    assert found is not None
    assert found[0] is None
    assert found[1] == Timing(None, NOW + HOUR)
    assert isinstance(found[2], Refusal)


@given(st.binary(max_size=16), st.binary(max_size=16), st.integers(0, 400 * DAY))
def test_any_octets_are_judged_and_what_passes_makes_sense(schedule: bytes, validity: bytes, longest: int) -> None:
    check(timing(schedule, validity, NOW, longest), longest)


FORM = st.from_regex(rb"[0-9]{2}[01][0-9][0-3][0-9][0-2][0-9][0-5][0-9][0-5][0-9][0-9][0-4][0-9][-+R]", fullmatch=True)


@given(st.one_of(st.just(b""), FORM), st.one_of(st.just(b""), FORM), st.integers(0, 400 * DAY))
def test_any_times_are_judged_and_what_passes_makes_sense(schedule: bytes, validity: bytes, longest: int) -> None:
    check(timing(schedule, validity, NOW, longest), longest)


def check(found: Timing | Refusal | None, longest: int) -> None:
    if isinstance(found, Timing):
        starts, ends = found
        assert starts is None or NOW < starts <= NOW + FARTHEST_MS
        assert ends is None or ends > (starts or NOW)
        assert ends is None or not longest or ends <= (starts or NOW) + longest
