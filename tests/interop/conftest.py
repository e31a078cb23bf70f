"""Foreign software: found, or the test says which package brings it. In CI nothing may be missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def missing(what: str) -> None:
    complaint = f"{what} is not installed; .ci/setup installs it"
    if os.environ.get("CI"):
        pytest.fail(complaint)
    pytest.skip(complaint)


def program(name: str) -> str:
    """Where a program is. Debian keeps Kannel in sbin, which is not on everybody's path."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
    if found is None:
        missing(name)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def node() -> list[str]:
    """The command that runs the node-smpp customer; its modules are installed by the lock file."""
    script = HERE / "esme.js"
    if not (HERE / "node_modules" / "smpp").is_dir():
        subprocess.run([program("npm"), "ci", "--silent"], cwd=HERE, check=True, timeout=120, stdin=subprocess.DEVNULL)
    return [program("node"), str(script)]


@pytest.fixture(scope="session")
def perl() -> list[str]:
    """The command that runs the Net::SMPP customer."""
    command = [program("perl"), "-MNet::SMPP", "-MJSON::PP"]
    if subprocess.run([*command, "-e", "1"], check=False, capture_output=True).returncode != 0:
        missing("Net::SMPP")
    return [*command, str(HERE / "esme.pl")]
