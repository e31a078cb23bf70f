"""The desk of a gateway that has stored very much and is busy: no page is slow, and nobody's messages notice it."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from gateway.web.rights import guarded
from tests.road.large import RARE_NUMBER, RARE_SENDER, Visitor, fill
from tests.road.running import Road
from tests.server import HOUSE, Login

pytestmark = [pytest.mark.road, pytest.mark.prove, pytest.mark.alone, pytest.mark.timeout(3600)]

SLOWEST = 0.3  # seconds
READS = 5
WHOLE = re.compile(r"\.csv$|/live$|/file$|/export$|/audit$|/doctor$")  # not pages: streams, and looks at everything
OPENS = (200, 404, 422)  # some ask for more than this test knows
SHARE = 0.6  # of the rate at which it is saturated
CONNECTIONS, WINDOW = 10, 20
SLACK = 8.0  # milliseconds by which a p99 may differ however it is measured
ROUNDS = 3  # a disk that others use too stands still now and then
THINK = 0.2  # seconds between two requests of the visitor


class Scene(NamedTuple):
    server: Road
    login: Login
    visitor: Visitor
    messages: int


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, effort: Callable[[int, int], int]) -> Iterator[Scene]:
    server, messages = Road(tmp_path_factory.mktemp("road")), effort(20_000, 1_000_000)
    many = str(10**8)
    login = server.account("large", "--credits", many, "--max-binds", "100", "--window", str(WINDOW))
    fill(server.data, login, messages)
    with server:
        yield Scene(server, login, Visitor(server), messages)
        server.desk.audited()


# -- no page is slow ---------------------------------------------------------------------------------------------------
def pages(scene: Scene) -> Iterator[str]:
    """Every page and every list, and the single things that are known here; then each filter with many hits, few and
    none."""
    name = scene.login.name
    listed = scene.visitor.get(f"/api/v1/accounts/{name}/outgoing?limit=1")["items"]
    known = {"name": name, "message": listed[0]["key"], "message_id": listed[0]["message_id"], "person": "1"}
    for each in guarded():
        path = each.path.replace("plans/{name}", "plans/default")
        strange = set(re.findall(r"\{(\w+)[:}]", path)) - known.keys()
        if each.method == "GET" and each.right not in (None, "self") and not WHOLE.search(path) and not strange:
            yield re.sub(r"\{(\w+)\}", lambda found: known[found[1]], path)
    filters: list[dict[str, str]] = [
        {"sender": "ACME"}, {"sender": RARE_SENDER}, {"sender": "NOBODY"},
        {"recipient": "447700000001"}, {"recipient": RARE_NUMBER}, {"recipient": "4470000"},
        *({"state": state} for state in ("delivered", "undeliverable", "rejected", "expired", "under way", "deleted")),
        *({"sender": sender, "state": "rejected"} for sender in ("ACME", RARE_SENDER, "NOBODY")),
        *({"sender": sender, "state": "delivered"} for sender in (RARE_SENDER, "NOBODY")),
        {"recipient": RARE_NUMBER, "state": "delivered"}, {"sender": "ACME", "recipient": RARE_NUMBER},
        {"since": "2026-01-01", "until": "2026-01-02"}, {"until": "2026-01-01"}, {"message_id": known["message_id"]},
    ]  # fmt: skip
    for asked in filters:
        for page in (f"/accounts/{name}/history", f"/api/v1/accounts/{name}/outgoing"):
            yield f"{page}?{urlencode(asked)}"
    for asked in ({"sender": "48600000007"}, {"sender": "NOBODY"}, {"recipient": "ACME"}, {"recipient": "NOBODY"}):
        yield f"/accounts/{name}/received?{urlencode(asked)}"
    for asked in ({"reason": "throttled"}, {"reason": "no_credit"}, {"recipient": "4"}):
        yield f"/accounts/{name}/refused?{urlencode(asked)}"


def slow(visitor: Visitor, path: str) -> float:
    """The slowest of some reads, but for one that the machine may have had other things to do."""
    seen = [visitor.ask(path) for _ in range(READS)]
    assert seen[0].status in OPENS, (path, seen[0])
    return sorted(each.seconds for each in seen)[-2]


def test_no_page_is_slow_however_much_is_stored(scene: Scene) -> None:
    took = {path: slow(scene.visitor, path) for path in dict.fromkeys(pages(scene))}
    worst = sorted(took.items(), key=lambda each: -each[1])[:5]
    print(f"{len(took)} pages over {scene.messages} messages; the slowest: {worst}")
    assert len(took) > 80
    assert {path: seconds for path, seconds in took.items() if seconds > SLOWEST} == {}


# -- and nobody notices ------------------------------------------------------------------------------------------------
def generator(scene: Scene, rate: int, seconds: float) -> subprocess.Popen[str]:
    words = ("-p", scene.server.port, "-c", CONNECTIONS, "-w", WINDOW, "-R", rate, "-t", seconds, "-r")
    login = ("-u", scene.login.system_id, "-P", scene.login.password, "--warm-up", 1.0, "--grace", 10.0, "--json")
    command = [sys.executable, "-m", "bench.load", *map(str, (*words, *login))]
    return subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, text=True)


def figures(running: subprocess.Popen[str]) -> dict[str, Any]:
    said, _ = running.communicate()
    found: dict[str, Any] = json.loads(said)
    assert (found["refused"], found["unanswered"], found["lost_connections"]) == ({}, 0, 0), found
    assert found["sent"] == found["accepted"] == found["receipts"], found
    return found


def browse(scene: Scene, running: subprocess.Popen[str]) -> int:
    """All pages in turn, as somebody would who reads none of them, while the load is on. -> how many were seen."""
    every, number = list(dict.fromkeys(pages(scene))), 0
    while running.poll() is None:
        seen = scene.visitor.ask(every[number % len(every)])
        assert seen.status in OPENS, every[number % len(every)]
        number += 1
        time.sleep(THINK)
    return number


def accepted(scene: Scene) -> int:
    """Messages that the ledger charged."""
    lines = scene.visitor.get(f"/api/v1/accounts/{scene.login.name}/traffic?span=month")["items"]
    return sum(int(line["submitted"]) for line in lines)


def compared(scene: Scene, rate: int, seconds: float) -> tuple[float, float]:
    """p99 in milliseconds of a load by itself, and with a visitor and an export beside it."""
    name, visitor, stored = scene.login.name, scene.visitor, accepted(scene)
    quiet = figures(generator(scene, rate, seconds))
    made = json.loads(visitor.ask(f"/api/v1/accounts/{name}/exports", "POST", {}).body)
    with generator(scene, rate, seconds) as running:
        try:
            seen = browse(scene, running)
            busy = figures(running)
        finally:
            running.kill()
    export = f"/api/v1/accounts/{name}/exports/{made['id']}"
    written = visitor.get(export)["rows"]
    print(f"at {rate}/s p99 {quiet['p99_ms']} ms, with {seen} pages and {written} rows exported {busy['p99_ms']} ms")
    assert accepted(scene) - stored >= quiet["accepted"] + busy["accepted"]
    assert seen > seconds
    assert written > 0
    visitor.ask(f"{export}/cancel", "POST")
    return quiet["p99_ms"], busy["p99_ms"]


def test_nobodys_messages_notice_who_looks_and_exports(scene: Scene, effort: Callable[[int, int], int]) -> None:
    seconds = float(effort(4, 30))
    full = figures(generator(scene, 0, seconds))["messages_per_second"]
    print(f"saturated {full}/s")
    rounds = [compared(scene, int(full * SHARE), seconds) for _ in range(ROUNDS)]
    quiet, busy = (statistics.median(each) for each in zip(*rounds, strict=True))
    assert busy <= 2 * quiet + SLACK, rounds
