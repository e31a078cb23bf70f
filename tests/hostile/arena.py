"""Where attacks are made: a real server, a healthy customer who measures, and what must hold when an attack is over.

Invariant: no case passes unless the healthy session was served throughout, memory stayed within its bounds, a new
customer is served as before, and the log has a line for each event and no traceback. Knows no attack.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from gateway.app import HASHERS
from tests.hostile.certificates import Issued
from tests.hostile.healthy import Seen
from tests.promises import note
from tests.road.client import bound
from tests.road.running import Road
from tests.server import HOUSE, Login

KIB, MIB = 1 << 10, 1 << 20
SLOWEST = 0.25  # seconds for an enquire_link of the healthy, of a hundred all but one
DEAREST = MIB  # of the server's memory for one hostile connection
HASHED = HASHERS * 19 * MIB  # for the passwords of all clients, or of all people in the panel
GROWTH = 48 * MIB  # of the server, by all attacks together
LOG_OF_A_CASE = MIB
SERVED_ANEW = 3.0  # seconds from connecting to a receipt, for a customer who comes after the attack
WARM_UP = 300_000  # messages
KINDLY = 5  # how far attackers stand back for the server: they come from machines of their own


class Arena:
    """`with Arena(folder, quick=True) as arena: async with arena.case("flood", 100) as case: ...`"""

    def __init__(self, folder: Path, *, quick: bool, tls: Issued | None = None, **environ: str) -> None:
        self.quick, self.tls = quick, tls
        settings = {"LOG__FORMAT": "json", "SMPP__SESSION_INIT": "3s", **environ}
        self.server = Road(folder, delay="0.1s", more=tls.section() if tls else "", **settings)
        self.began_with = 0  # octets of memory
        self._read = 0  # octets of the log

    def __enter__(self) -> Self:
        self.server.start()
        try:
            desk = self.server.desk
            self.newcomer = desk.account("newcomer", credits="1000000")
            self.victim = desk.account("victim", credits="1000000", max_binds=0, window=100)
            self.slow = desk.account("slow", credits="1000000", max_binds=0, window=100, throughput=500)
            self._healthy = self._send_healthy(desk.account("healthy", credits="1000000", window=100))
            for login in (self.victim, self.slow):  # from now on their passwords are known
                words = ("-u", login.system_id, "--password", login.password, "-c", "1", "-n", "1")
                self.server.cli("load", *words, "--port", str(self.server.port))
            self.look_back()
            self.began_with = self.server.memory()
        except BaseException:
            self.server.kill()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *details: object) -> None:
        self._healthy.kill()
        self._healthy.wait()
        for pipe in (self._healthy.stdin, self._healthy.stdout):
            assert pipe is not None
            pipe.close()
        self.server.__exit__(kind, *details)

    def warm_up(self) -> None:
        """What a server at work holds anyway is nobody's attack: pages of its store, written and read, and two hundred
        connections, plain and over TLS."""
        login = self.server.desk.account("busy", credits="1000000", max_binds=0, window=100)
        words = ("load", "-u", login.system_id, "--password", login.password, "-c", "200", "-w", "10")
        self.server.cli(*words, "--port", str(self.server.port), "-n", str(WARM_UP), "--receipts")
        if self.tls is not None:
            self.server.cli(*words, "--port", str(self.tls.port), "--tls", "--insecure", "-n", "5000")
        self.server.cli("history", "list", "busy", "--recipient", "nobody's")  # so it is read through
        self._stand_still()
        self.began_with = self.server.memory()

    def _stand_still(self) -> None:
        """Until what was stored is entered into the index of the history, and memory is what it was."""
        deadline, seen = time.monotonic() + 60, [0, 0, self.server.memory()]
        while max(seen) - min(seen) > 256 * KIB and time.monotonic() < deadline:
            time.sleep(1)
            seen = [*seen[1:], self.server.memory()]

    def _send_healthy(self, login: Login) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.healthy", str(self.server.port), login.system_id],
            cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{login.password}\n")
        process.stdin.flush()
        assert process.stdout.readline() == "bound\n"
        return process

    def look_back(self) -> Seen:
        """What the healthy has seen since it was last asked."""
        assert self._healthy.stdin is not None
        assert self._healthy.stdout is not None
        self._healthy.stdin.write("\n")
        self._healthy.stdin.flush()
        return Seen(**json.loads(self._healthy.stdout.readline()))

    # -- one attack ------------------------------------------------------------------------------------------------
    @asynccontextmanager
    async def case(
        self, name: str, connections: int = 1, *, seconds: tuple[float, float] = (2, 6), guesses: bool = False
    ) -> AsyncIterator[Case]:
        """An attack by so many connections at once. It lasts so many seconds at least, in the quick form and else.
        `guesses`: passwords are checked that were not just right, and what that takes is nobody's own."""
        await asyncio.to_thread(self.look_back)
        self.new_lines()
        before = self.server.memory()
        self.forget_peak()
        case = Case(seconds[0] if self.quick else seconds[1])
        yield case
        await case.rest()
        seen = await asyncio.to_thread(self.look_back)
        each = max(0, self.peak() - before - (HASHED if guesses else 0)) / connections
        note("A1", name, f"p99 {1000 * seen.p99:.1f} ms, worst {1000 * seen.worst:.1f} ms")
        note("A2", name, f"{each / KIB:.0f} KiB a connection of {connections}")
        grown = (self.server.memory() - self.began_with) / MIB
        print(f"{name}: {seen} {each / KIB:.0f} KiB each of {connections}, {grown:.1f} MiB more than at first")
        assert seen.links > 50
        assert seen.p99 < SLOWEST, f"the healthy session waited: {seen}"
        assert seen.accepted == seen.submits, f"the healthy session was refused: {seen}"
        assert each <= DEAREST, f"{each / KIB:.0f} KiB for each of {connections} connections"
        await self.serves_anew()
        self.stands()

    async def serves_anew(self) -> None:
        begun = time.monotonic()
        async with await bound(self.server.port, self.newcomer) as client:
            asked = client.submit(registered_delivery=1)
            await asked.answered()
            await client.receipt(asked.message_id)
            await client.unbind()
        assert time.monotonic() - begun < SERVED_ANEW, "a new customer waited"

    def stands(self) -> None:
        grown = self.server.memory() - self.began_with
        note("A2", "all attacks together", f"the server grew by {grown / MIB:.1f} MiB")
        assert grown <= GROWTH, f"the server grew by {grown / MIB:.1f} MiB"
        lines = self.new_lines()
        assert sum(map(len, lines)) < LOG_OF_A_CASE
        events = [json.loads(line) for line in lines]  # one event, one line
        assert [event for event in events if event["level"] == "error" or "exception" in event] == []

    def new_lines(self) -> list[str]:
        with self.server.log.open("rb") as log:
            log.seek(self._read)
            said = log.read()
        self._read += len(said)
        return said.decode("utf-8").splitlines()

    # -- the server's memory ---------------------------------------------------------------------------------------
    def forget_peak(self) -> None:
        Path(f"/proc/{self.server.pid}/clear_refs").write_text("5")

    def peak(self) -> int:
        """Octets of it that were in RAM at most since then."""
        fields = dict(line.split(":") for line in Path(f"/proc/{self.server.pid}/status").read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) * KIB


class Case:
    """How long an attack goes on."""

    def __init__(self, seconds: float) -> None:
        self.begun = time.monotonic()
        self.until = self.begun + seconds

    def goes_on(self) -> bool:
        return time.monotonic() < self.until

    async def rest(self) -> None:
        """Whatever is under way stays so until the time is over."""
        await asyncio.sleep(max(0.0, self.until - time.monotonic()))


def stand_back() -> None:
    os.nice(KINDLY)

