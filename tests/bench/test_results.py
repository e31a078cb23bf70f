"""A report on the terminal and in the document."""

from pathlib import Path

import pytest

from bench import results
from tests.bench.sample import report, whole


def test_the_terminal_shows_every_round_the_medians_and_the_promises() -> None:
    shown = results.text(report((300.0, 100.0), (1234.0, 200.0), (500.0, 250.0)))
    assert "abc1234" in shown
    assert "1,234" in shown
    assert "median ratio 3.00; 0.0005 times the floor" in shown
    assert ">= 3.60" in shown


def test_every_case_has_its_table() -> None:
    titles = [table.title for table in results.tables(whole((400.0, 100.0)))]
    assert len(titles) == len(set(titles)) == 8


def test_shares_of_a_core_that_were_taken_for_unlike_work_are_marked() -> None:
    case = report((5000.0, 5000.0))["cases"]["paced"]
    assert "pace" not in results.verdict(case | {"rate": 5000})
    assert "pace" in results.verdict(case | {"rate": 6000})


def test_what_is_left_out_is_said() -> None:
    found = report((300.0, 100.0)) | {"left_out": {"tls": "the generator has none"}}
    assert "not measured: tls: the generator has none" in results.text(found)
    assert "- not measured: tls: the generator has none" in results.markdown_of(found)


def test_the_document_keeps_its_words_and_gets_the_new_tables(tmp_path: Path) -> None:
    document = tmp_path / "B.md"
    document.write_text(f"before\n{results.BEGIN}\nold\n{results.END}\nafter\n")
    results.write(report((300.0, 100.0)), document)
    results.write(whole((500.0, 100.0)), document)
    written = document.read_text()
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    assert "old\n" not in written
    assert "median ratio 5.00" in written
    assert "median ratio 3.00" not in written


def test_a_document_without_marks_is_left_alone(tmp_path: Path) -> None:
    document = tmp_path / "B.md"
    document.write_text("words\n")
    with pytest.raises(SystemExit):
        results.write(report((1.0, 1.0)), document)
    assert document.read_text() == "words\n"


def test_the_document_of_the_repository_has_its_marks() -> None:
    words = results.DOCUMENT.read_text()
    assert words.index(results.BEGIN) < words.index(results.END)
