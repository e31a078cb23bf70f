"""What is made of the figures: ratios within a round, medians, promises, and the table in the document."""

import os
from pathlib import Path
from typing import Any

import pytest

from acl.judge import Policy
from acl.settings import Settings
from acl.tariff import plan
from bench import account, codec, process, results, road, wire


def figures(per_cpu_second: int) -> dict[str, Any]:
    return {
        "messages_per_cpu_second": per_cpu_second,
        "messages_per_second": per_cpu_second * 2,
        "server_share": 0.9,
        "p50_ms": 1.0,
        "p99_ms": 2.5,
        "written_per_message": 250.0,
        "generator_share": 0.2,
    }


def report(*pairs: tuple[int, int]) -> dict[str, Any]:
    case = road.CASES[0]
    rounds = [{case.name: {"gateway": figures(ours), "node-smpp": figures(theirs)}} for ours, theirs in pairs]
    return {
        "facts": {"commit": "abc1234", "date": "2026-01-01"},
        "manner": {"seconds": 4.0},
        "cases": road.compare([case], rounds),
    }


def test_the_median_of_the_ratios_counts_not_the_ratio_of_medians() -> None:
    found = report((300, 100), (800, 200), (500, 250))["cases"]["receipts"]
    assert [one["ratio"] for one in found["rounds"]] == [3.0, 4.0, 2.0]
    assert found["ratio"] == 3.0


@pytest.mark.parametrize(("ours", "kept"), [(200, True), (199, False)])
def test_a_promise_is_kept_or_named(ours: int, kept: bool) -> None:
    named = road.broken(report((ours, 100), (ours, 100), (ours, 100))["cases"])
    assert (named == []) is kept


def test_the_terminal_shows_every_round_and_the_verdict() -> None:
    shown = results.text(report((300, 100), (1234, 200), (500, 250)))
    assert "abc1234" in shown
    assert "1,234" in shown
    assert "median ratio 3.00 (promised: at least 2.0)" in shown


def test_the_document_keeps_its_words_and_gets_the_new_table(tmp_path: Path) -> None:
    document = tmp_path / "B.md"
    document.write_text(f"before\n{results.BEGIN}\nold\n{results.END}\nafter\n")
    results.write(report((300, 100)), document)
    results.write(report((500, 100)), document)
    written = document.read_text()
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    assert "old" not in written
    assert "5.00" in written
    assert "3.00" not in written


def test_a_document_without_marks_is_left_alone(tmp_path: Path) -> None:
    document = tmp_path / "B.md"
    document.write_text("words\n")
    with pytest.raises(SystemExit):
        results.write(report((1, 1)), document)
    assert document.read_text() == "words\n"


def test_the_document_of_the_repository_has_its_marks() -> None:
    words = results.DOCUMENT.read_text()
    assert words.index(results.BEGIN) < words.index(results.END)


def test_the_usage_of_a_process_grows_with_its_work() -> None:
    before = process.usage([os.getpid()])
    while process.usage([os.getpid()]).cpu == before.cpu:
        sum(range(100_000))
    assert before.rss_kib > 1000


def test_every_rule_of_the_benchmark_account_lets_the_generator_pass() -> None:
    assert len(account.PRICES) == 200
    settings = Settings.of({"senders": list(account.SENDERS), "deny_destinations": list(account.DENIED)})
    policy = Policy(settings, plan(account.PRICES))
    assert all(policy.senders[wire.address(name)] for name in account.SENDERS)
    assert policy.tariff.price(b"\1\x01447700123456\0") == 460


def test_the_pieces_of_the_codec_are_measured() -> None:
    pieces = codec.pieces()
    assert set(codec.measured(pieces, rounds=1)) == {piece.name for piece in pieces}
