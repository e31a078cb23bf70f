"""Which bound a figure meets, and what a check insists on."""

import pytest

from bench import promises
from bench.promises import Bound
from tests.bench.sample import report, whole


def bound(found: dict[str, object], case: str, figure: str) -> Bound:
    [one] = [one for one in promises.bounds(found) if case in one.case and figure in one.figure]
    return one


@pytest.mark.parametrize(
    ("measured", "most", "held", "reached"),
    [(3.6, False, True, False), (3.59, False, False, False), (4.3, False, True, True), (4.3, True, False, True)],
)
def test_a_bound_is_met_from_its_limit_on(measured: float, most: bool, held: bool, reached: bool) -> None:
    one = Bound("case", "figure", measured, 3.6, 4.3, most)
    assert (one.meets(one.must), one.meets(one.reach)) == (held, reached)


def test_what_was_not_measured_is_neither_held_nor_broken() -> None:
    assert all(one.meets(one.must) is None for one in promises.bounds({}) if one.measured is None)
    assert all(one.measured is None for one in promises.bounds({}))
    assert {row[4] for row in promises.table({"cases": {}}).rows} == {"-"}


def test_of_a_part_only_what_was_measured_is_shown() -> None:
    shown = promises.table(report((400.0, 100.0)) | {"partial": True}).rows
    assert shown
    assert not [row for row in shown if row[3] == "not measured"]


def test_every_promise_finds_its_figure() -> None:
    assert all(one.measured is not None for one in promises.bounds(whole((400.0, 100.0))))
    assert all(row[3] != "not measured" for row in promises.table(whole((400.0, 100.0))).rows)


def test_the_limits_of_latency_follow_the_disk() -> None:
    found = whole((400.0, 100.0))
    assert bound(found, "1 connection", "p99").must == 4 * 0.5 + 2
    assert bound(found, "5,000 a second over", "p99").must == 4 * 0.5 + 6


def test_more_receipts_and_less_memory_are_better() -> None:
    found = whole((400.0, 100.0))
    waiting, others = bound(found, "receipts waiting", "rate"), bound(found, "receipts waiting", "p99")
    assert (waiting.measured, waiting.meets(waiting.must)) == (0.7, False)
    assert (others.measured, others.meets(others.must)) == (1.5, True)
    idle = bound(found, "idle", "KiB")
    assert idle.meets(idle.must)


def test_a_store_that_costs_a_tenth_of_a_rate_and_saves_a_tenth_of_a_share_lost_a_tenth() -> None:
    lost = bound(whole((400.0, 100.0)), "10 million", "lost")
    assert lost.measured == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("ours", "prompt", "kept"), [(300.0, True, True), (299.0, True, False), (200.0, False, True), (199.0, False, False)]
)
def test_a_check_leaves_a_busy_machine_some_room(ours: float, prompt: bool, kept: bool) -> None:
    assert (promises.broken(report((ours, 100.0), prompt=prompt)) == []) is kept


def test_a_check_of_other_cases_insists_on_nothing() -> None:
    assert promises.broken({"cases": {}, "prompt": True}) == []


def test_the_table_says_how_restless_the_machine_is() -> None:
    assert "2.5 ms" in promises.table(report((300.0, 100.0))).note
