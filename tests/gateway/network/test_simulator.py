from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.network.connector import End, Parcel
from gateway.network.simulator import STATES, Rule, Rules, Simulator
from pdu.bodies import address
from pdu.constants import DELIVERED, REJECTED, STATE_NAMES, UNDELIVERABLE

from ..scene import submit

DEFAULTS = (Rule("*9", "undeliverable", 9), Rule("*8", "rejected", 803))
Reports = list[tuple[Parcel, End]]


class Timer:
    def __init__(self, at: float, callback: Callable[[], None]) -> None:
        self.at, self.callback, self.cancelled = at, callback, False

    def cancel(self) -> None:
        self.cancelled = True


class Timers:
    """Of a loop: call_later, and a time that a test moves."""

    def __init__(self) -> None:
        self.now, self.timers = 0.0, list[Timer]()

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + delay, callback))
        return self.timers[-1]

    def run_until(self, now: float) -> None:
        self.now = now
        due = sorted([timer for timer in self.timers if timer.at <= now], key=lambda timer: timer.at)
        self.timers = [timer for timer in self.timers if timer not in due]
        for timer in due:
            if not timer.cancelled:
                timer.callback()


@pytest.fixture
def timers() -> Timers:
    return Timers()


def simulator(timers: Timers, rules: Sequence[Rule] = DEFAULTS, delay: float = 0.5) -> tuple[Simulator, Reports]:
    reports: Reports = []
    loop = cast(AbstractEventLoop, timers)
    return Simulator(rules, delay, loop, reports.extend), reports


def parcel(*digits: bytes, ton: int = 1) -> Parcel:
    messages = [
        (number, b"%d" % number, submit(destination=address(ton, 1, each))) for number, each in enumerate(digits, 1)
    ]
    return Parcel(1, messages, 0, 1)


def fitting(rules: Sequence[str], digits: bytes, ton: int = 1, npi: int = 1) -> int:
    """The number of the rule that decides over this destination."""
    made = Rules([Rule(to) for to in rules])
    return made[address(ton, npi, digits)[made.key]]


def test_the_ending_of_a_number_decides_by_default(timers: Timers) -> None:
    sim, reports = simulator(timers)
    sim.send(parcel(b"48600100200", b"48600100209", b"48600100208", b"48600100201"))
    assert reports == []  # never inside the call
    timers.run_until(0.49)
    assert reports == []
    timers.run_until(0.5)
    ends = {end.state: end for _parcel, end in reports}
    assert [message[0] for message in ends[DELIVERED].messages] == [1, 4]
    assert (ends[DELIVERED].error, ends[DELIVERED].reached) == (0, True)
    assert (ends[UNDELIVERABLE].error, ends[UNDELIVERABLE].reached) == (9, True)
    assert (ends[REJECTED].error, ends[REJECTED].reached) == (803, False)


def test_messages_that_fit_one_rule_are_reported_together_and_not_copied(timers: Timers) -> None:
    sim, reports = simulator(timers)
    sent = parcel(*[b"4860010020%d" % last for last in range(8)])
    sim.send(sent)
    timers.run_until(1)
    [(about, end)] = reports
    assert about is sent
    assert end.messages is sent.messages


def test_a_rule_may_have_its_own_delay_even_none(timers: Timers) -> None:
    sim, reports = simulator(timers, [Rule("*1", delay=0.0), Rule("*2", delay=9.0)], delay=5.0)
    sim.send(parcel(b"48600100201", b"48600100202", b"48600100203"))
    for at, expected in ((0, [1]), (5, [1, 3]), (9, [1, 3, 2])):
        timers.run_until(at)
        assert [message[0] for _parcel, end in reports for message in end.messages] == expected


def test_parcels_sent_shortly_after_each_other_end_in_one_report(timers: Timers) -> None:
    calls: list[int] = []
    sim = Simulator((), 0.5, cast(AbstractEventLoop, timers), lambda ends: calls.append(len(ends)))
    for now in (0.0, 0.002, 0.005, 0.0051):
        timers.now = now
        sim.send(parcel(b"48600100200"))
    timers.run_until(0.5)
    assert calls == [3]
    timers.run_until(0.51)
    assert calls == [3, 1]


def test_without_a_delay_nothing_waits_for_a_later_parcel(timers: Timers) -> None:
    sim, reports = simulator(timers, (), delay=0.0)
    sim.send(parcel(b"48600100200"))
    assert reports == []
    timers.run_until(0.0)
    sim.send(parcel(b"48600100201"))
    assert len(reports) == 1
    timers.run_until(0.0)
    assert len(reports) == 2


def test_a_closed_network_reports_nothing_any_more(timers: Timers) -> None:
    sim, reports = simulator(timers)
    sim.send(parcel(b"48600100200"))
    sim.close()
    timers.run_until(60)
    assert reports == []


def test_every_state_that_can_be_configured_is_final_and_named_as_in_the_configuration() -> None:
    assert {STATE_NAMES[state]: state for state in STATES.values()} == STATES


@pytest.mark.parametrize(
    ("rules", "digits", "ton", "expected"),
    [
        (["*9"], b"48600100209", 1, 0),
        (["*9"], b"48600100290", 1, 1),
        (["4479*"], b"447912345678", 1, 0),
        (["4479*"], b"48447912345", 1, 1),
        (["48600100200"], b"48600100200", 1, 0),
        (["48600100200"], b"486001002001", 1, 1),
        (["48*00"], b"48600100200", 1, 0),
        (["48*00"], b"4800", 1, 0),
        (["48*00"], b"48600100201", 1, 1),
        (["*"], b"1", 0, 0),
        (["*1*2"], b"4812", 1, 0),
        (["*1*2"], b"4821", 1, 1),
        (["*9", "*09"], b"48600100209", 1, 0),  # the first that fits
        (["*09", "*9"], b"48600100209", 1, 0),
        (["*09", "*9"], b"48600100219", 1, 1),
        ([], b"48600100209", 1, 0),
        # a + in the rule or in the destination says nothing
        (["+48600100200"], b"48600100200", 1, 0),
        (["48600100200"], b"+48600100200", 1, 0),
        (["48*"], b"+48600100200", 0, 0),
        (["+48*"], b"+48600100200", 1, 0),
        # a destination that is shorter than the longest ending, whatever its TON and NPI
        (["*123456789", "*9"], b"4850009", 0, 1),
        (["*123456789", "*9"], b"4850009", 1, 1),
        (["*123456789", "*9"], b"9", 0, 1),
        (["*123456789", "*9"], b"8", 0, 2),
    ],
)
def test_which_rule_fits(rules: list[str], digits: bytes, ton: int, expected: int) -> None:
    assert fitting(rules, digits, ton, npi=ton) == expected


PATTERNS = st.lists(st.text("0129*", min_size=1, max_size=5), max_size=4)


def matches(pattern: str, digits: str) -> bool:
    """What a pattern means, said as plainly as can be."""
    if not pattern:
        return not digits
    if pattern[0] == "*":
        return any(matches(pattern[1:], digits[start:]) for start in range(len(digits) + 1))
    return bool(digits) and pattern[0] == digits[0] and matches(pattern[1:], digits[1:])


@given(PATTERNS, st.lists(st.tuples(st.text("0129", min_size=1, max_size=8), st.integers(0, 1)), max_size=5))
def test_a_memo_never_changes_what_fits(patterns: list[str], destinations: list[tuple[str, int]]) -> None:
    made = Rules([Rule(pattern) for pattern in patterns])
    for digits, ton in destinations * 2:
        expected = next((at for at, pattern in enumerate(patterns) if matches(pattern, digits)), len(patterns))
        assert made[address(ton, ton, digits.encode())[made.key]] == expected


def test_the_memo_of_endings_is_tiny_and_any_memo_is_bounded() -> None:
    endings = Rules(DEFAULTS)
    for number in range(1000):
        endings[address(1, 1, b"48600%06d" % number)[endings.key]]
    assert len(endings) == 10
    whole = Rules([Rule("4479*")])
    whole.LIMIT = 50
    for number in range(1000):
        whole[address(1, 1, b"48600%06d" % number)[whole.key]]
    assert len(whole) <= 50
