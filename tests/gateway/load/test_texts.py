"""Texts that are made up or given: their coding, their parts, their order."""

from collections import Counter
from itertools import pairwise

import pytest

from gateway.load import texts
from pdu import text


@pytest.mark.parametrize("length", [1, 40, 160, 254])
def test_plain_octets(length: int) -> None:
    made = texts.octets(length)
    assert (made.kind, made.data_coding, [len(part) for part in made.parts]) == ("gsm", 0, [length])


@pytest.mark.parametrize(
    ("words", "kind", "data_coding", "parts"),
    [
        ("Hello", "gsm", 0, 1),
        ("x" * 160, "gsm", 0, 1),
        ("x" * 161, "long", 0, 2),
        ("żółw", "ucs2", 8, 1),
        ("ż" * 71, "long", 8, 2),
        ("", "gsm", 0, 1),
    ],
)
def test_a_given_text(words: str, kind: str, data_coding: int, parts: int) -> None:
    made = texts.written(words)
    assert (made.kind, made.data_coding, len(made.parts)) == (kind, data_coding, parts)
    header = 0x40 if parts > 1 else 0
    assert "".join(text.decode(data_coding, part, esm_class=header) or "" for part in made.parts) == words


def test_a_text_that_no_header_can_number() -> None:
    with pytest.raises(ValueError):
        texts.written("x" * 153 * 256)


@pytest.mark.parametrize("parts", [2, 3, 255])
def test_a_long_text_fills_its_parts_and_has_its_reference_where_it_is_said_to_be(parts: int) -> None:
    made = texts.sample("long", 40, parts)
    assert [len(part) for part in made.parts] == [159] * parts
    assert {part[: texts.REFERENCE + 2] for part in made.parts} == {bytes((5, 0, 3, 0, parts))}


def test_ucs2_has_no_more_than_a_message_holds() -> None:
    assert [len(part) for part in texts.sample("ucs2", 160, 3).parts] == [140]
    assert [len(part) for part in texts.sample("ucs2", 10, 3).parts] == [20]


def test_a_mix_has_its_shares_evenly_spread() -> None:
    run = texts.mixed({"gsm": 80, "ucs2": 15, "long": 5}, 40, 3)
    assert Counter(made.kind for made in run) == {"gsm": 16, "ucs2": 3, "long": 1}
    places = [place for place, made in enumerate(run) if made.kind == "ucs2"]
    assert all(5 <= later - earlier <= 9 for earlier, later in pairwise(places))


def test_what_has_no_share_does_not_come() -> None:
    assert [made.kind for made in texts.mixed({"gsm": 0, "ucs2": 7}, 40, 3)] == ["ucs2"]
