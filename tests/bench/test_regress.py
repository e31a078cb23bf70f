"""The check of instruction counts: what is subtracted, divided and compared, and what it says; that a double count is
seen is shown on a small program, callgrind being slow."""

import json
import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench import regress, regress_pieces
from bench.machine import Failed
from bench.regress import Count

YARD = Count("yard", 1000.0, (), 10.0)
OTHER = Count("other", 3000.0, (), 10.0)
PROGRAM = """
import json, os, sys
def work(times):
    for _ in range(times * 2000):
        "".join(["a", "b"])
def done(name, times, yardsticks):
    for rounds in (1, 1, 2):
        for _ in range(rounds):
            work(times)
        os.getppid()
    return {"name": name, "messages": 1, "yardsticks": yardsticks, "margin": 10.0}
listing = [done("yard", 1, []), done("once", 1, ["yard"]), done("twice", 2, ["yard"])]
with open(sys.argv[1], "w") as file:
    json.dump(listing, file)
"""


def piece(name: str, instructions: float, *yardsticks: str) -> Count:
    return Count(name, instructions, yardsticks or ("yard",), 10.0)


def baseline(folder: Path, **ratios: float) -> Path:
    path = folder / "baseline.json"
    path.write_text(json.dumps({"version": regress.version(), "ratios": ratios}))
    return path


def canned(monkeypatch: pytest.MonkeyPatch, *runs: list[Count]) -> list[int]:
    """-> the layouts that were asked for."""
    layouts: list[int] = []

    def counted(layout: int = 0) -> list[Count]:
        layouts.append(layout)
        return runs[len(layouts) - 1]

    monkeypatch.setattr(regress, "counted", counted)
    return layouts


# counting


def test_what_both_sizes_have_in_common_is_no_part_of_a_message() -> None:
    start_up, a_message = 7_000, 250
    assert regress.per_message(start_up + 30 * a_message, start_up + 60 * a_message, 30) == a_message


def test_sections_are_sorted_by_their_marks() -> None:
    listing = [
        {"name": "yard", "messages": 10, "yardsticks": [], "margin": 10.0},
        {"name": "judge", "messages": 5, "yardsticks": ["yard"], "margin": 15.0},
    ]
    totals = [90_000, 1_500, 2_500, 80_000, 400, 700, 12_345]  # warm-up, N, 2N for each; then the end of the process
    counts = "".join(f"part: {n}\nsummary: 1\ntotals: {total}\n" for n, total in enumerate(totals, 1))
    assert regress.sorted_out(counts, listing) == [
        Count("yard", 100.0, (), 10.0),
        Count("judge", 60.0, ("yard",), 15.0),
    ]
    with pytest.raises(Failed, match="did not see every mark"):
        regress.sorted_out(counts.replace("totals: 12345\n", ""), listing)


def test_a_ratio_is_that_to_the_yardsticks_together() -> None:
    counts = [YARD, OTHER, piece("judge", 500), piece("road", 8000, "yard", "other")]
    assert regress.ratios(counts) == {"judge": 0.5, "road": 2.0}


def test_an_interpreter_that_is_cheaper_by_half_changes_nothing() -> None:
    counts = [YARD, piece("judge", 500)]
    halved = [count._replace(instructions=count.instructions / 2) for count in counts]
    assert regress.ratios(halved) == regress.ratios(counts)


def test_every_run_has_the_same_hashes_and_none_of_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    monkeypatch.setenv("SMPPGATE_NODE", "7")
    first, second = regress.quiet(0), regress.quiet(1)
    assert first["PYTHONHASHSEED"] == "0"
    assert not {"PYTHONASYNCIODEBUG", "SMPPGATE_NODE"} & first.keys()
    assert second.items() > first.items()


def test_without_valgrind_it_says_which_package_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Failed, match="apt install valgrind"):
        regress.counted()


def test_work_done_twice_is_seen_by_callgrind() -> None:
    if shutil.which("valgrind") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("valgrind is not installed; .ci/setup installs it")
    found = regress.ratios(regress.counted(program=("-c", PROGRAM)))
    assert found["once"] == pytest.approx(1, rel=0.05)
    assert found["twice"] == pytest.approx(2, rel=0.05)


def test_a_program_that_fails_is_no_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    valgrind = tmp_path / "valgrind"
    valgrind.write_text("#!/bin/sh\necho 'not every message was accepted' >&2\nexit 1\n")
    valgrind.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(Failed, match="not every message was accepted"):
        regress.counted()


# judging


@pytest.mark.parametrize(("instructions", "code"), [(549, 0), (551, 1), (451, 0), (100, 0)])
def test_only_what_is_dearer_than_its_margin_fails(
    instructions: float, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = [YARD, piece("judge", instructions)]
    canned(monkeypatch, counts, counts)
    assert regress.main([], baseline(tmp_path, judge=0.5)) == code


def test_a_piece_may_have_a_margin_of_its_own() -> None:
    counts = [YARD, piece("judge", 560), piece("split", 560)._replace(margin=15.0)]
    rows = regress.compared(counts, {"judge": 0.5, "split": 0.5})
    assert regress.dearer(rows) == ["DEARER: judge, +12.0 %"]


def test_what_looks_dear_is_counted_again_elsewhere_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unlucky, lucky = [YARD, piece("judge", 600)], [YARD._replace(instructions=1010), piece("judge", 501)]
    layouts = canned(monkeypatch, unlucky, lucky)
    assert regress.main([], baseline(tmp_path, judge=0.5)) == 0
    assert layouts == [0, 1]


def test_what_is_within_its_margin_is_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layouts = canned(monkeypatch, [YARD, piece("judge", 500)])
    assert regress.main([], baseline(tmp_path, judge=0.5)) == 0
    assert layouts == [0]


def test_the_table_shows_every_count_and_the_hints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = [YARD, piece("judge", 400), piece("session", 12_340)]
    canned(monkeypatch, counts, counts)
    assert regress.main([], baseline(tmp_path, judge=0.5, session=10.0)) == 1
    shown = capsys.readouterr().out
    assert "yard                                          1,000\n" in shown
    assert "session                                      12,340 12.3400   10.0000   +23.4 %    +10 %\n" in shown
    assert "cheaper: judge, -20.0 %. Keep it: python -m bench.regress --write" in shown
    assert shown.endswith("DEARER: session, +23.4 %\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no baseline.json"),
        ({"version": "CPython 2.7", "ratios": {}}, "the baseline is for CPython 2.7"),
        ({"version": regress.version(), "ratios": {"gone": 1.0, "judge": 0.5}}, "do not fit (gone)"),
        ({"version": regress.version(), "ratios": {}}, "do not fit (judge)"),
    ],
)
def test_a_check_that_cannot_be_made_fails(
    content: object,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    canned(monkeypatch, [YARD, piece("judge", 500)])
    path = tmp_path / "baseline.json"
    if content is not None:
        path.write_text(json.dumps(content))
    assert regress.main([], path) == 2
    assert said in capsys.readouterr().err


def test_a_baseline_that_was_written_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = [YARD, piece("judge", 500)]
    canned(monkeypatch, counts, [YARD, piece("judge", 490)], counts)
    path = tmp_path / "baseline.json"
    assert regress.main(["--write"], path) == 0
    assert regress.written(path)["ratios"] == {"judge": 0.49}
    assert {"made", "with"} < regress.written(path).keys()
    assert regress.main([], path) == 0


# what is counted


def test_every_piece_does_its_work_and_has_its_place_in_the_baseline() -> None:
    with ExitStack() as stack:
        works = list(regress_pieces.works(stack))
        listing = [regress_pieces.done(work._replace(rounds=1, warm_up=1)) for work in works]
    assert [entry["messages"] for entry in listing] == [work.messages for work in works]
    known = json.loads(regress.BASELINE.read_text())["ratios"]
    assert known.keys() == {work.name for work in works if work.yardsticks}
