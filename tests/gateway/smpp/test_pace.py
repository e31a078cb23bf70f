"""Who is held back, for how long, and who never."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from gateway.smpp.pace import (
    BUSY,
    IDLE,
    LONGEST,
    MANY,
    MEASURED,
    PATIENCE,
    PROMPT,
    SHORTEST,
    SLACK,
    SURE,
    WITHIN,
    Habit,
    Pace,
)

from ..scene import Clock


class Machine:
    """A pace over a clock that stands still, on a process as busy as it is told; its timer is rung by hand."""

    def __init__(self) -> None:
        self.clock, self.worked = Clock(), 0.0
        self.rings: tuple[float, Callable[[], None]] | None = None  # when, and whom
        self.pace = Pace(asyncio.get_running_loop(), self.clock, lambda: self.worked, self.call_later)

    def call_later(self, seconds: float, then: Callable[[], None]) -> Machine:
        assert self.rings is None, "one call at a time"
        self.rings = self.clock() + seconds, then
        return self

    def cancel(self) -> None:
        self.rings = None

    def ring(self) -> None:
        """The timer, at its time."""
        assert self.rings is not None
        at, then = self.rings
        self.rings = None
        self.clock.pass_(at - self.clock())
        then()

    def busy(self, share: float) -> None:
        """So much of the time since the last look was work; a turn that nobody takes notes it."""
        self.clock.pass_(MEASURED)
        self.worked += MEASURED * share
        if (turn := self.pace.turn()) is not None:
            turn.cancel()

    def turns(self, number: int) -> list[asyncio.Future[int]]:
        turns = [self.pace.turn() for _ in range(number)]
        return [turn for turn in turns if turn is not None]

    async def under_load(self) -> None:
        """All the time works, and a common turn, of nobody, has just begun."""
        self.busy(1.0)
        await settled()
        assert self.rings is None


async def settled() -> None:
    """Whatever is to come soon has come."""
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.fixture
async def machine() -> Machine:
    return Machine()


async def test_with_time_to_spare_everybody_has_a_turn_at_once(machine: Machine) -> None:
    machine.busy(IDLE)
    assert [machine.pace.turn() for _ in range(5)] == [None] * 5


async def test_under_load_who_comes_between_two_turns_waits_for_the_next_and_all_go_together(machine: Machine) -> None:
    await machine.under_load()
    machine.clock.pass_(LONGEST / 2)
    began = machine.clock()
    early, late = machine.turns(2)
    machine.ring()
    assert machine.clock() - began == pytest.approx(LONGEST / 2)
    assert early.result() == late.result() > 0


async def test_a_turn_that_is_due_takes_along_who_comes_in_the_same_turn_of_the_loop(machine: Machine) -> None:
    """Those that were answered together ask together: the first must not leave the others behind."""
    await machine.under_load()
    machine.clock.pass_(LONGEST)
    together = machine.turns(3)
    assert not any(turn.done() for turn in together)
    await settled()
    assert len({turn.result() for turn in together}) == 1


async def test_a_turn_waits_for_the_answers_of_the_last_one(machine: Machine) -> None:
    await machine.under_load()
    at_work = machine.turns(2)
    machine.ring()
    (next_,) = machine.turns(1)
    machine.ring()
    await settled()
    assert not next_.done()  # due, but two are without their answers
    machine.clock.pass_(PATIENCE / 4)
    machine.pace.over(at_work[0].result())
    await settled()
    assert not next_.done()
    machine.pace.over(at_work[1].result())
    also = machine.turns(1)
    await settled()
    assert next_.result() == also[0].result() == at_work[0].result() + 1
    assert machine.rings is None


async def test_but_not_for_ever(machine: Machine) -> None:
    await machine.under_load()
    (stuck,) = machine.turns(1)
    machine.ring()
    began = machine.clock()
    (next_,) = machine.turns(1)
    machine.ring()
    machine.ring()
    assert machine.clock() - began == pytest.approx(PATIENCE)
    assert next_.done()
    machine.pace.over(stuck.result())  # of a turn that is over anyhow
    (later,) = machine.turns(1)
    machine.ring()
    assert not later.done()  # waits for the one after the stuck one, not for that
    machine.pace.over(next_.result())
    await settled()
    assert later.done()


async def test_who_was_called_for_another_reason_or_is_gone_disturbs_nobody(machine: Machine) -> None:
    await machine.under_load()
    first, second, third = machine.turns(3)
    first.set_result(0)
    second.cancel()
    machine.ring()
    assert third.result() > 0
    machine.pace.over(first.result())  # was in no turn
    (next_,) = machine.turns(1)
    machine.ring()
    assert not next_.done()
    machine.pace.over(third.result())  # the only one
    await settled()
    assert next_.done()


@pytest.mark.parametrize(
    ("share", "beat"), [(0.0, 0.0), (IDLE, 0.0), ((IDLE + BUSY) / 2, LONGEST / 2), (2.0, LONGEST)]
)
async def test_the_busier_the_longer_but_never_too_long(machine: Machine, share: float, beat: float) -> None:
    machine.busy(share)
    assert machine.pace.beat == pytest.approx(beat)


def served(machine: Machine, seconds: float) -> None:
    for _ in range(1000):
        machine.pace.served(seconds)


async def test_what_serving_takes_is_taken_off_so_that_a_slow_machine_answers_in_time_too(machine: Machine) -> None:
    served(machine, took := 0.0013)
    machine.busy(1.0)
    assert machine.pace.beat == pytest.approx(WITHIN - SLACK * took)
    assert SHORTEST < machine.pace.beat < LONGEST


async def test_however_long_serving_takes_turns_are_common_and_one_slow_run_changes_little(machine: Machine) -> None:
    machine.pace.served(0.01)
    machine.busy(1.0)
    assert machine.pace.beat == pytest.approx(LONGEST)
    served(machine, 5.0)
    machine.busy(1.0)
    assert machine.pace.beat == pytest.approx(SHORTEST)


async def test_the_share_is_taken_over_some_time_and_again_and_again(machine: Machine) -> None:
    machine.busy(1.0)
    await settled()
    machine.clock.pass_(MEASURED / 2)
    machine.pace.turn()
    assert machine.pace.beat == pytest.approx(LONGEST)  # too early to judge
    machine.busy(0.0)
    assert machine.pace.beat < LONGEST


# -- habits --------------------------------------------------------------------------------------------------------
def lockstep(habit: Habit, window: int, rounds: int, pause: float, now: float = 0.0) -> float:
    """A client that sends a window, waits for its answers, and so on after `pause`."""
    for _ in range(rounds):
        habit.asks(now)
        now += 0.001
        habit.answered(now, window)
        now += pause
    return now


@pytest.mark.parametrize("window", [1, 2, 10, 100])
def test_a_client_that_asks_again_as_soon_as_it_is_answered_waits(window: int) -> None:
    habit = Habit()
    assert not habit.waits()
    lockstep(habit, window, SURE + 2, PROMPT / 2)
    assert habit.waits()


def test_it_may_be_late_once_in_a_while() -> None:
    habit = Habit()
    now = lockstep(habit, 1, 20, PROMPT / 2)
    now = lockstep(habit, 1, 1, 5.0, now)
    lockstep(habit, 1, 1, PROMPT / 2, now)
    assert habit.waits()


def test_a_full_window_is_known_by_its_number_however_slow_we_or_the_client_are() -> None:
    habit = Habit()
    lockstep(habit, MANY, SURE + 2, 0.5)
    assert habit.waits()


def test_a_client_that_asks_on_while_it_is_not_answered_waits_for_nothing_however_regular_it_is() -> None:
    """As one does that sends every 2 ms and is answered every 4: in step with the answers by chance, for ever."""
    habit, now = Habit(), 0.0
    for _ in range(50):
        habit.asks(now)
        habit.asks_more(now + 0.002)
        habit.answered(now + 0.004, 2)
        now += 0.004 + PROMPT / 2
    assert not habit.waits()


def test_a_window_that_comes_in_several_segments_is_one_question() -> None:
    habit, now = Habit(), 0.0
    for _ in range(SURE + 2):
        habit.asks(now)
        habit.asks_more(now + PROMPT / 2)
        habit.answered(now + 0.001, 3)
        now += 0.001 + PROMPT / 2
    assert habit.waits()


def test_a_trickle_waits_for_nothing() -> None:
    habit = Habit()
    lockstep(habit, 1, 50, 0.01)
    assert not habit.waits()


def test_a_client_with_ever_other_numbers_under_way_waits_for_nothing() -> None:
    habit, now = Habit(), 0.0
    for number in [3, 9, 4, 12, 7, 3, 11, 2] * 5:
        habit.asks(now)
        habit.answered(now, number)
        assert not habit.waits()


def test_what_a_client_does_now_counts_soon() -> None:
    habit = Habit()
    now = lockstep(habit, 10, 100, PROMPT / 2)
    for number in range(8):
        habit.asks(now)
        habit.answered(now, number)
    assert not habit.waits()
