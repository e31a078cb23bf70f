"""The programs in C are built from the sources as they stand, and missed loudly where that matters."""

from pathlib import Path

import pytest

from bench import compiled
from bench.machine import Failed

build = compiled.built.__wrapped__  # what it found before is not remembered


@pytest.fixture(autouse=True)
def no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("CI", raising=False)


def test_without_a_compiler_there_is_no_program() -> None:
    assert build("floor") is None


def test_in_ci_that_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(Failed, match="gcc"):
        build("floor")


def test_a_program_that_does_not_compile_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    compiler = tmp_path / "broken"
    compiler.write_text("#!/bin/sh\necho no such thing >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    monkeypatch.setattr(compiled, "RESULTS", tmp_path)
    with pytest.raises(Failed, match="no such thing"):
        build("floor")


def test_other_sources_make_another_program(tmp_path: Path) -> None:
    source = tmp_path / "a.c"
    source.write_text("one")
    first = compiled.stamp(source)
    source.write_text("two")
    assert compiled.stamp(source) != first
