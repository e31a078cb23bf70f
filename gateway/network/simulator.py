"""The built-in network: the destination of a message decides how it ends, after the delay of the rule that fits.

Invariant: the first rule that fits decides; what fits no rule is delivered. Knows no store, no money, no session.
"""

from __future__ import annotations

import re
from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Sequence
from typing import NamedTuple

from pdu.constants import DELETED, DELIVERED, EXPIRED, REJECTED, UNDELIVERABLE, UNKNOWN

from .connector import End, Message, Parcel, Report

STATES = {
    "delivered": DELIVERED,
    "undeliverable": UNDELIVERABLE,
    "expired": EXPIRED,
    "rejected": REJECTED,
    "deleted": DELETED,
    "unknown": UNKNOWN,
}


class Rule(NamedTuple):
    """`to` is a pattern of digits in which * stands for any digits."""

    to: str
    state: str = "delivered"
    error: int = 0
    delay: float | None = None  # seconds; None: the simulator's own


class Rules(dict[bytes, int]):
    """Destination address -> number of the rule that fits, len(rules) if none does. A memo of bounded size.

    When every rule looks at endings only, so does the memo's key: ten entries answer for every number.
    """

    LIMIT = 100_000

    def __init__(self, rules: Sequence[Rule]) -> None:
        super().__init__()
        self.rules = tuple(rules)
        self._patterns = [re.compile(pattern_of(rule.to)) for rule in rules]
        suffixes = [rule.to[1:] for rule in rules if rule.to.startswith("*") and "*" not in rule.to[1:]]
        longest = max(map(len, suffixes), default=0)
        self.key = slice(-1 - longest, -1) if len(suffixes) == len(rules) else slice(2, -1)

    def __missing__(self, digits: bytes) -> int:
        if len(self) >= self.LIMIT:
            self.clear()
        found = next((n for n, pattern in enumerate(self._patterns) if pattern.fullmatch(digits)), len(self.rules))
        self[digits] = found
        return found


def pattern_of(to: str) -> bytes:
    """A rule's `to` as a regular expression over the digits of a destination, which may have a + like the rule."""
    return rb"(?s:\+?%b)" % re.escape(to.lstrip("+")).replace(r"\*", ".*").encode()


class Bucket(NamedTuple):
    """Ends that are reported together."""

    closes: float  # by the loop's clock: who is later has the next one
    timer: TimerHandle
    ends: list[tuple[Parcel, End]]


class Simulator:
    """Sends nothing anywhere; reports what the rules say. Parcels that were sent within GRAIN of a delay of each other
    end together, as a network's reports come together, too."""

    GRAIN, COARSEST = 0.01, 0.005  # parts of the delay; seconds

    def __init__(self, rules: Sequence[Rule], delay: float, loop: AbstractEventLoop, report: Report) -> None:
        self._rules = Rules(rules)
        self._ends = [(STATES[rule.state], rule.error) for rule in rules] + [(DELIVERED, 0)]
        self._delays = [delay if rule.delay is None else rule.delay for rule in rules] + [delay]
        self._loop, self._report = loop, report
        self._open: dict[float, Bucket] = {}  # by delay
        self._timers: set[TimerHandle] = set()

    def send(self, parcel: Parcel) -> None:
        for number, messages in self._sorted(parcel.messages):
            state, error = self._ends[number]
            self._later(self._delays[number], parcel, End(state, error, state != REJECTED, messages))

    def _sorted(self, messages: Sequence[Message]) -> list[tuple[int, Sequence[Message]]]:
        """The messages by the rule that fits. Most parcels fit one rule: then nothing is copied."""
        rules, key = self._rules, self._rules.key
        numbers = [rules[submit.destination[key]] for _id, _wire, submit in messages]
        kinds = set(numbers)
        if len(kinds) == 1:
            return [(numbers[0], messages)]
        return [(kind, [m for m, number in zip(messages, numbers, strict=True) if number == kind]) for kind in kinds]

    def _later(self, delay: float, parcel: Parcel, end: End) -> None:
        bucket, now = self._open.get(delay), self._loop.time()
        if bucket is None or now > bucket.closes:
            bucket = self._open[delay] = self._bucket(delay, now)
        bucket.ends.append((parcel, end))

    def _bucket(self, delay: float, now: float) -> Bucket:
        ends: list[tuple[Parcel, End]] = []

        def report() -> None:
            self._timers.discard(timer)
            if (bucket := self._open.get(delay)) is not None and bucket.ends is ends:
                del self._open[delay]
            self._report(ends)

        timer = self._loop.call_later(delay, report)
        self._timers.add(timer)
        return Bucket(now + min(delay * self.GRAIN, self.COARSEST), timer, ends)

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._open.clear()
