"""The bill of materials lists exactly what the lock pins."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def made(target: Path) -> bytes:
    subprocess.run([sys.executable, ROOT / ".ci" / "sbom.py", target], check=True, timeout=60, capture_output=True)
    return target.read_bytes()


def test_every_pinned_package_stands_in_it_with_its_hashes(tmp_path: Path) -> None:
    bill = json.loads(made(tmp_path / "sbom.json"))
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pinned = set(re.findall(r"(?m)^([^\s#=]+)==([^\s;]+)", lock))
    assert {(part["name"], part["version"]) for part in bill["components"]} == pinned
    listed = [each["content"] for part in bill["components"] for each in part["externalReferences"][0]["hashes"]]
    assert listed == re.findall(r"sha256:([0-9a-f]{64})", lock)


def test_the_same_lock_gives_the_same_file(tmp_path: Path) -> None:
    assert made(tmp_path / "one.json") == made(tmp_path / "dist" / "two.json")
