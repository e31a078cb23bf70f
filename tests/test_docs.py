"""The reference pages say what the tables in the code say."""

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"


def pages() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name: page() for name, page in module.PAGES.items()}


@pytest.mark.parametrize("name", ["SETTINGS.md", "ANSWERS.md", "METRICS.md", "ACCESS.md", "PROMISES.md"])
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == pages()[name], "run: python docs/generate.py"


def test_every_generated_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text("utf-8")

    assert [name for name in pages() if f"({name})" not in index] == []
