"""Columns on the terminal, and Markdown."""

from bench.tables import WIDE, Table, amount, markdown, plain


def test_figures_are_shown_as_precisely_as_they_are_known() -> None:
    assert [amount(value) for value in (12345.6, 99.994, 0.5, 7, None)] == ["12,346", "99.99", "0.50", "7", "-"]


def test_columns_stand_below_their_heads() -> None:
    assert plain(Table("title", ["a", "long"], [["wide", "1"]])) == "title\na     long\nwide  1"


def test_heads_that_are_too_long_become_letters_that_are_explained() -> None:
    shown = plain(Table("title", ["x" * WIDE, "second"], [["1", "2"]], "note")).splitlines()
    assert shown == ["title", f"   a {'x' * WIDE}; b second", "a  b", "1  2", "note"]


def test_markdown_has_a_heading_and_a_line_of_dashes() -> None:
    shown = markdown(Table("title", ["a", "b"], [["1", "2"]], "note"))
    assert shown == "### Title\n\n| a | b |\n| ---: | ---: |\n| 1 | 2 |\n\n**note**"
