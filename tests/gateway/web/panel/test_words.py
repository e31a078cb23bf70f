"""Every word of the panel has its translation, and speaks to whoever reads it."""

import ast
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Message as Translated
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from gateway.web.panel import words
from tests.test_architecture import HOUSE

PANEL = HOUSE / "gateway" / "web" / "panel"
LETTERS = HOUSE / "gateway" / "mail"
KEYWORDS = {"_": None, "gettext": None, "marked": None, "ngettext": (1, 2)}
Message = str | tuple[str, ...] | list[str]


def used() -> Iterator[tuple[str, Message]]:
    for folder in (PANEL, LETTERS):
        for file in sorted(folder.rglob("*")):
            method = {".py": "python", ".html": "jinja2", ".txt": "jinja2"}.get(file.suffix)
            if method is None:
                continue
            options = {"trimmed": "true", "silent": "false"} if method == "jinja2" else {}
            for _line, message, _comments, _context in extract(
                "jinja2.ext:babel_extract" if method == "jinja2" else "python",
                BytesIO(file.read_bytes()),
                {**KEYWORDS, "trans": None},
                options=options,
            ):
                yield str(file.relative_to(HOUSE)), message


def single(message: Message) -> str:
    return message if isinstance(message, str) else message[0]


def whole(found: Translated | None) -> bool:
    """In every plural form."""
    if found is None or not found.string:
        return False
    return isinstance(found.string, str) or all(found.string)


@pytest.mark.parametrize("language", [code for code in words.LANGUAGES if code != "en"])
def test_everything_that_is_said_is_translated(language: str) -> None:
    catalogue = words.catalogue(language)
    missing = [f"{where}: {message!r}" for where, message in used() if not whole(catalogue.get(single(message)))]
    assert not missing, "\n".join(sorted(set(missing)))


@pytest.mark.parametrize("language", [code for code in words.LANGUAGES if code != "en"])
def test_nothing_is_translated_that_nobody_says(language: str) -> None:
    said = {single(message) for _where, message in used()}
    unused = [
        str(message.id)
        for message in words.catalogue(language)
        if message.id and message.context is None and single(message.id) not in said
    ]
    assert not unused, "\n".join(unused)


@pytest.mark.parametrize("file", sorted(PANEL.rglob("*.po")), ids=lambda file: file.name)
def test_a_translation_has_the_places_of_its_sentence(file: Path) -> None:
    catalogue = read_po(BytesIO(file.read_bytes()))
    wrong = [f"{message.id}: {error}" for message, errors in catalogue.check() for error in errors]
    assert not wrong


def test_what_others_say_is_known_by_its_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "speech", lambda: words.Speech("pl"))
    monkeypatch.setattr(words, "patterns", lambda _language: (words.pattern("there is no %(x)s", "nie ma %(x)s"),))
    assert words.said("there is no 100 %") == "nie ma 100 %"
    assert words.said("nobody translated this") == "nobody translated this"


def test_numbers_amounts_and_times_are_the_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "speech", lambda: words.Speech("pl", "Europe/Warsaw"))
    assert words.credits_("112480.5") == "112\xa0480,50"
    assert words.clock("2026-11-25T13:32:07Z") == "14:32:07"
    monkeypatch.setattr(words, "speech", lambda: words.Speech("en", "UTC"))
    assert words.credits_("112480.5") == "112,480.50"
    assert words.credits_("0.0125") == "0.0125"
    assert words.duration(40_740) == "11 hr 19 min"


def test_no_module_of_the_panel_shows_a_bare_sentence() -> None:
    """A flash note or a page title goes through the catalogue."""
    bare = [
        f"{file.name}:{call.lineno}"
        for file in PANEL.glob("*.py")
        for call in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "done"
        if len(call.args) > 2 and isinstance(call.args[2], ast.Constant)
    ]
    assert not bare
