"""Debian's Chromium, driven by Playwright, and axe-core, which looks at what it shows. In CI neither may be missing."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.screen import Screen
from tests.browser.stage import Stage
from tests.mailserver import MailServer

AXE = Path(__file__).resolve().parent / "node_modules" / "axe-core" / "axe.min.js"
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-quic", "--no-first-run")
Opening = Callable[..., Screen]


def missing(what: str, remedy: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{what} is not installed; {remedy}")
    pytest.skip(f"{what} is not installed; {remedy}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium")
    if found is None:
        missing("chromium", ".ci/setup installs it")
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*QUIET, *root])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """Its source, of the version that the lock file names."""
    if not AXE.is_file():
        missing("axe-core", "`make browser` installs it")
    return AXE.read_text("utf-8")


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, mail: MailServer) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("stage"), mail) as running:
        yield running


@pytest.fixture
def opening(chromium: Browser, stage: Stage, axe: str) -> Opening:
    """`with opening("folder of its pictures", language="pl", scripts=False) as screen: …`"""

    def opened(folder: str, **options: Any) -> Screen:
        return Screen(chromium, stage.url, folder, axe=axe, **options)

    return opened
