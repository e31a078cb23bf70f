"""schedule_delivery_time and validity_period of a submit, read and judged.

Invariant: None for a message without times; else when it goes and when it ends, in wall milliseconds, or the refusal.
Knows the two fields and nothing else of a message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from acl import reasons
from acl.reasons import Refusal
from pdu import times
from pdu.bodies import SubmitSm

FARTHEST_MS = 30 * 86_400_000  # ahead that a message may be scheduled


class Timing(NamedTuple):
    schedule_ms: int | None
    expires_ms: int | None


def timings(run: Sequence[SubmitSm], wall_ms: int, longest_ms: int) -> list[Timing | Refusal | None] | None:
    """None if no message of the run has times: the ordinary case, found in one pass."""
    if not any([submit.schedule_delivery_time or submit.validity_period for submit in run]):  # noqa: C419 - twice as fast
        return None
    return [timing(submit.schedule_delivery_time, submit.validity_period, wall_ms, longest_ms) for submit in run]


def timing(schedule: bytes, validity: bytes, wall_ms: int, longest_ms: int = 0) -> Timing | Refusal | None:
    """A schedule in the past means now; a validity that ends before the message could go is refused (§7.1), one beyond
    `longest_ms` (the account's limit, 0: none) is cut."""
    try:
        starts = milliseconds(schedule, wall_ms)
    except ValueError as why:
        return Refusal(reasons.SCHEDULE_INVALID, str(why))
    try:
        ends = milliseconds(validity, wall_ms)
    except ValueError as why:
        return Refusal(reasons.VALIDITY_INVALID, str(why))
    if starts is not None and starts > wall_ms + FARTHEST_MS:
        return Refusal(reasons.SCHEDULE_INVALID, "more than 30 days ahead")
    if starts is not None and starts <= wall_ms:
        starts = None
    if ends is not None and ends <= (starts or wall_ms):
        return Refusal(reasons.VALIDITY_INVALID, "ends before the message could be sent")
    if starts is None and ends is None:
        return None
    if ends is not None and longest_ms:
        ends = min(ends, (starts or wall_ms) + longest_ms)
    return Timing(starts, ends)


def milliseconds(octets: bytes, wall_ms: int) -> int | None:
    """An SMPP time as wall milliseconds; None if the field is empty. ValueError if it is neither."""
    seconds = times.parse(octets, wall_ms / 1000)
    return None if seconds is None else int(seconds * 1000)
