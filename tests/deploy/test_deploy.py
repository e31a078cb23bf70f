"""What ships for operators: a unit as tight as it says, alerts that fire when they should, panels of what there is."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.interop.conftest import program

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
LOOSEST = 2.0  # what systemd calls the exposure of a service, of 10


def run(*words: str | Path) -> str:
    ran = subprocess.run([*words], capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.mark.interop
def test_the_unit_is_hardened() -> None:
    said = run(program("systemd-analyze"), "security", "--offline=true", "--no-pager", DEPLOY / "smppgate.service")
    exposure = re.search(r"Overall exposure level .*: ([0-9.]+)", said)
    assert exposure is not None
    assert float(exposure[1]) <= LOOSEST


@pytest.mark.interop
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "smppgate.service"
    text = (DEPLOY / "smppgate.service").read_text("utf-8")
    unit.write_text(text.replace("/opt/smppgate/.venv/bin/smppgate", "/bin/true"), encoding="utf-8")
    assert "smppgate.service" not in run(program("systemd-analyze"), "verify", "--man=no", unit)


def test_the_unit_writes_nowhere_but_to_its_data_folder() -> None:
    text = (DEPLOY / "smppgate.service").read_text("utf-8")
    assert "ProtectSystem=strict" in text
    assert re.findall(r"(?m)^(\w+Directory)=", text) == ["StateDirectory", "ConfigurationDirectory"]
    assert re.findall(r"(?m)^(ReadWritePaths|BindPaths)=", text) == []
    assert re.findall(r"(?m)^User=(.*)$", text) == ["smppgate"]


@pytest.mark.interop
def test_alerts_fire_when_they_should() -> None:
    run(program("promtool"), "check", "rules", DEPLOY / "alerts.yml")
    run(program("promtool"), "test", "rules", DEPLOY / "alerts_test.yml")


def test_every_alert_is_tested_and_says_what_to_do() -> None:
    rules = (DEPLOY / "alerts.yml").read_text("utf-8")
    alerts = re.findall(r"- alert: (\w+)", rules)
    tested = (DEPLOY / "alerts_test.yml").read_text("utf-8")
    assert alerts
    assert [name for name in alerts if f'alertname="{name}"' not in tested] == []
    assert len(re.findall(r"(?m)^ +action: ", rules)) == len(alerts)


def test_alerts_and_dashboard_ask_for_metrics_that_are_there() -> None:
    served = set(re.findall(r"`(smppgate_\w+)`", (ROOT / "docs" / "METRICS.md").read_text("utf-8")))
    panels = json.loads((DEPLOY / "dashboard.json").read_text("utf-8"))["panels"]
    asked = " ".join(target["expr"] for panel in panels for target in panel["targets"])
    asked += (DEPLOY / "alerts.yml").read_text("utf-8")
    names = {re.sub("_(bucket|sum|count)$", "", name) for name in re.findall(r"\bsmppgate_\w+", asked)}
    assert len(names) > 10
    assert names <= served
