"""The newcomer's first minute: a fresh clone, an empty home, `make run`, and the script of the README pasted."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.server import HOST, HOUSE, eventually, free_port
from tests.test_repository import script_of_the_readme

pytestmark = [pytest.mark.prove, pytest.mark.timeout(240)]
MINUTE = 60.0


def test_from_clone_to_receipt(tmp_path: Path) -> None:
    clone, home = tmp_path / "smppgate", tmp_path / "home"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", str(HOUSE), str(clone)], check=True, timeout=60)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHON": sys.executable,
        **{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "LANG", "LC_"))},
        # the usual ports may be taken on the machine that runs this
        "SMPPGATE_SMPP__LISTEN": f"{HOST}:{free_port()}",
        "SMPPGATE_METRICS__LISTEN": f"{HOST}:{free_port()}",
        "SMPPGATE_WEB__LISTEN": f"{HOST}:{free_port()}",
    }
    begun = time.monotonic()
    log = tmp_path / "make.log"
    with log.open("wb") as out:
        make = subprocess.Popen(
            ["make", "run"],
            cwd=clone,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        eventually("the gateway is ready", lambda: ready(make, clone, log), patience=180)
        pasted = subprocess.run(
            [clone / ".venv" / "bin" / "python", "-i", "-q"],
            cwd=clone,
            env=environment,
            input=script_of_the_readme(),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        taken = time.monotonic() - begun
    finally:
        os.killpg(make.pid, signal.SIGTERM)
        make.wait(30)
    assert "stat:DELIVRD" in pasted.stdout, pasted.stdout + pasted.stderr + log.read_text(errors="replace")
    assert "Traceback" not in log.read_text(errors="replace")
    assert (clone / "data" / "demo.json").stat().st_mode & 0o777 == 0o600
    assert taken < MINUTE, f"{taken:.0f} s from the clone to the receipt"


def ready(make: "subprocess.Popen[bytes]", clone: Path, log: Path) -> bool:
    """`demo.json` is written when everything listens."""
    assert make.poll() is None, log.read_text(errors="replace")
    return (clone / "data" / "demo.json").exists()
