"""Every failpoint there is, as an exit, an error and a delay, under load; then the books, as after a kill -9.

The list is that of gateway/failpoints.py. A new failpoint is expected to be come by under the general load; if it is
not, its test fails until DRILLS says what brings the server there.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest

from gateway.failpoints import EXIT_CODE, POINTS, parsed
from store.backup import verified
from tests.conftest import PROFILE
from tests.mailserver import MailServer
from tests.promises import note
from tests.road.client import until
from tests.road.desk import Refused
from tests.road.ordeal import Load, accounts, reconciled
from tests.road.running import Road
from tests.road.witness import note_of
from tests.server import Login

LONG = PROFILE == "prove"
SEED = int(os.environ.get("SMPPGATE_SEED", 0)) or secrets.randbelow(10**9)
TOGETHER = 1 if LONG else 6  # failpoints that share a store, one process after the other
MODES = ("delay:100", "raise", "exit")
FEW, MANY = 5, 40  # hits among which the one that counts is chosen, in CI and at length
CODES = {"exit": EXIT_CODE, "raise": 1}
PATIENCE = 40.0  # seconds until every failpoint of a process must have acted

pytestmark = [pytest.mark.road, pytest.mark.prove, pytest.mark.crash, pytest.mark.timeout(600)]

Errand = Callable[[Road, Load], Coroutine[Any, Any, None]]


# -- what brings a server to its failpoints ----------------------------------------------------------------------------
async def nothing(_server: Road, _load: Load) -> None:
    """The general load is enough."""


async def make_backups(server: Road, load: Load) -> None:
    number = 0
    while load.alive():
        number += 1
        file = server.folder / f"{time.time_ns()}-{number}.db"
        with suppress(OSError, HTTPException, ValueError, Refused):
            await asyncio.to_thread(server.desk.ask, "POST", "backups", body={"file": str(file)})
        await asyncio.sleep(0.05)
    for file in server.folder.glob("*-*.db"):  # under its name there is a whole one or none
        await asyncio.to_thread(verified, file)


async def ask_for_a_letter(server: Road, _load: Load) -> None:
    with suppress(OSError, HTTPException, ValueError, Refused):
        await asyncio.to_thread(server.desk.ask, "POST", "mail", body={"to": "ola@example.com"})


class Drill(NamedTuple):
    """How to come by a failpoint that the general load does not meet again and again."""

    once: bool = False  # in the life of a process, or nearly: each mode has a process of its own
    signal: bool = False  # it lies behind a SIGTERM
    fatal: bool = False  # an error there is the end of the process, though it served
    pending: bool = False  # it needs a store whose server was killed
    also: str = ""  # another failpoint that leads there
    idle: bool = False  # it is met before anything is served
    most: int = MANY  # hits of it in one process
    errand: Errand = nothing


FIRST = "in-automatic-topup"  # before others have used up what an account may ask for in a day
DRILLS = {
    FIRST: Drill(most=20),  # a hundred a day, in three processes that go on after their hit
    "before-checkpoint": Drill(once=True, also="after-commit=raise@3"),  # after it the WAL is written back
    "after-checkpoint": Drill(once=True, also="after-commit=raise@3"),
    "before-mark": Drill(once=True),
    "in-backup": Drill(once=True, errand=make_backups),
    "after-letter": Drill(once=True, errand=ask_for_a_letter),
    "in-recovery": Drill(once=True, pending=True),
    "in-stop": Drill(once=True, signal=True, fatal=True),
    "after-stop": Drill(once=True, signal=True, fatal=True),
}
ELSEWHERE = {"in-create", "in-migration", "in-restore"}  # no load can bring a server there: tests of their own
NAMES = [FIRST, *(name for name in POINTS if name not in ELSEWHERE | {FIRST})]
GROUPS = [NAMES[at : at + TOGETHER] for at in range(0, len(NAMES), TOGETHER)]


def processes(name: str, drill: Drill, chance: random.Random) -> Iterator[str]:
    """What each process of the failpoint's drill is started with."""
    if drill.once:
        for mode in MODES:
            yield ",".join(filter(None, (drill.also, f"{name}={mode}@1")))
    elif LONG:
        for mode in MODES:
            yield f"{name}={mode}@{chance.randint(1, drill.most)}"
    else:
        first, second, third = sorted(chance.sample(range(1, FEW + 1), 3))
        yield f"{name}={MODES[0]}@{first},{name}={MODES[1]}@{second},{name}={MODES[2]}@{third}"


# -- one life of a server ----------------------------------------------------------------------------------------------
class Life:
    """From its start to its end, under load; its log is its own."""

    def __init__(self, load: Load, planted: str, drill: Drill) -> None:
        self.load, self.server, self.planted, self.drill = load, load.server, planted, drill
        self.server.log = self.server.folder / f"{time.time_ns()}.log"
        self.code = 0

    def left(self) -> str:
        """Those that have not acted yet."""
        acts = zip(self.planted.split(","), map(note_of, parsed(self.planted)), strict=True)
        return ",".join(one for one, said in acts if said not in self.server.said())

    async def run(self) -> Self:
        server, load = self.server, self.load
        server.environ["SMPPGATE_FAILPOINTS"] = self.planted
        process = server.process = await asyncio.to_thread(server.launch)
        try:
            if await self._up() and not self.drill.idle:
                await self._work()
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            self.code = await asyncio.to_thread(process.wait, PATIENCE)
        finally:
            server.kill()
            server.environ.pop("SMPPGATE_FAILPOINTS", None)
            await load.hang_up()
        return self

    async def _up(self) -> bool:
        """Whether it got as far as serving."""
        await until("it serves or is gone", lambda: not self.load.alive() or self.server.serves(), PATIENCE)
        return self.load.alive()

    async def _work(self) -> None:
        deadline = time.monotonic() + PATIENCE
        errand = asyncio.create_task(self.drill.errand(self.server, self.load))
        if self.drill.signal:
            asyncio.get_running_loop().call_later(0.7, self.server.signal, signal.SIGTERM)
            await self.load.run(lambda: time.monotonic() < deadline)
        else:
            await self.load.run(lambda: time.monotonic() < deadline and bool(self.left()))
            await self.load.run_for(0.3)  # how it goes on
            if self.load.alive():
                self.server.signal(signal.SIGTERM)
        await until("it is gone", lambda: not self.load.alive(), 20)
        await errand


async def lived(load: Load, planted: str, drill: Drill) -> None:
    """One life, or several if an error ends it at its start: then those that have not acted get another."""
    while planted:
        life = await Life(load, planted, drill).run()
        left, said = life.left(), f"{planted}: exit code {life.code}\n{load.server.said()}"
        error_at_start = life.code == 1 and "cannot start" in said
        last = parsed(planted)[-1].what
        if left or error_at_start:
            assert error_at_start, f"not come by {left}; {said}"
            assert left != planted, said
        else:
            assert life.code == (EXIT_CODE if last == "exit" else 0), said
        await sound(load, planted)
        planted = left


# -- the store they begin with -----------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Login]]:
    """A folder with accounts; copied, not used."""
    with Road(tmp_path_factory.mktemp("template")) as server:
        logins = accounts(server, "100")
    return server.data, logins


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@asynccontextmanager
async def ready(
    folder: Path, template: tuple[Path, dict[str, Login]], chance: random.Random, more: str = ""
) -> AsyncIterator[Load]:
    server = Road(folder, delay="0.2s", more=more, LOG__LEVEL="warning")
    server.program = ("tests.road.witness",)
    shutil.copytree(template[0], server.data)
    load = Load(server, template[1], chance)
    try:
        yield load
    finally:
        server.kill()


async def killed(load: Load) -> None:
    """Let it work, and end it so that there is something to recover."""
    await asyncio.to_thread(load.server.start)
    await load.run_for(0.5)
    await asyncio.to_thread(load.server.kill)
    await load.hang_up()


async def sound(load: Load, planted: str) -> None:
    verdict = await reconciled(load.server.data, load, ended=False)
    assert not verdict.faults, f"{planted}: {verdict}"


# -- the tests ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("names", GROUPS, ids=lambda names: names[0] if LONG else f"{names[0]} to {names[-1]}")
@pytest.mark.promise("R1", "R3", "R4", "R5", "M1", "M2", "M3", "M6", "D1", "D2")
async def test_the_books_are_right_whatever_dies_fails_or_dawdles_and_wherever(
    names: list[str],
    tmp_path: Path,
    template: tuple[Path, dict[str, Login]],
    mail: MailServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chance = random.Random(f"{SEED} {names}")
    section = f'[mail]\nhost = "127.0.0.1"\nport = {mail.port}\nsecurity = "none"\nsender = "sms@example.net"\n'
    lives = 0
    async with ready(tmp_path, template, chance, section) as load:
        for name in names:
            drill = DRILLS.get(name, Drill())
            for planted in processes(name, drill, chance):
                if drill.pending:
                    await killed(load)
                with capsys.disabled():
                    print(f"\n{planted} (seed {SEED})", end="", flush=True)
                await lived(load, planted, drill)
                lives += 1
        load.server.log = load.server.folder / "last.log"
        verdict = await load.come_to_an_end()
    assert not verdict.faults, f"{names}: {verdict}"
    assert verdict.seen["acknowledged"] > 10 * lives


@pytest.mark.promise("R8")
@pytest.mark.parametrize("mode", MODES)
async def test_a_store_is_made_whole_or_not_at_all(tmp_path: Path, mode: str) -> None:
    for number, name in enumerate(("in-create", "in-migration")):
        server = Road(tmp_path / name)
        server.program = ("tests.road.witness",)
        load = Load(server, {}, random.Random(number))
        life = await begun(load, f"{name}={mode}@{1 + number}")
        assert life.code == CODES.get(mode, 0), server.said()
        server.log = server.folder / "last.log"
        with server:
            server.desk.account("first")
            server.desk.audited()


async def begun(load: Load, planted: str) -> Life:
    """A life without any load, stopped as soon as it serves."""
    life = await Life(load, planted, Drill(idle=True)).run()
    assert not life.left(), load.server.said()
    return life


@pytest.mark.promise("R1", "R5")
@pytest.mark.parametrize("mode", ["raise", "exit"])
async def test_a_store_that_dies_in_a_migration_is_what_it_was(
    tmp_path: Path, template: tuple[Path, dict[str, Login]], mode: str
) -> None:
    async with ready(tmp_path, template, random.Random(SEED)) as load:
        await killed(load)
        load.server.program = ("tests.road.witness", "tomorrow")
        planted = f"in-migration={mode}"  # the others it has gone through
        life = await begun(load, planted)
        assert life.code == CODES[mode], load.server.said()
        await sound(load, planted)
        load.server.program = ("tests.road.witness",)
        load.server.log = load.server.folder / "last.log"
        verdict = await load.come_to_an_end()
        assert not verdict.faults, verdict


@pytest.mark.promise("R1", "R8")
@pytest.mark.parametrize("mode", MODES)
async def test_a_restore_is_whole_or_not_at_all(
    tmp_path: Path, template: tuple[Path, dict[str, Login]], mode: str
) -> None:
    async with ready(tmp_path, template, random.Random(SEED)) as load:
        server = load.server
        await asyncio.to_thread(server.start)
        await load.run_for(0.5)
        await load.hang_up()
        copy = tmp_path / "copy.db"
        await asyncio.to_thread(server.cli, "backup", str(copy))
        await asyncio.to_thread(server.kill)
        shutil.move(server.data, tmp_path / "lost")
        server.environ["SMPPGATE_FAILPOINTS"] = f"in-restore={mode}"
        code = CODES.get(mode, 0)
        await asyncio.to_thread(server.cli, "restore", str(copy), expect=code)
        server.environ.pop("SMPPGATE_FAILPOINTS")
        assert (server.data / "smppgate.db").exists() == (code == 0)
        if code:
            await asyncio.to_thread(server.cli, "restore", str(copy))
        await sound(load, f"in-restore={mode}")
        verdict = await load.come_to_an_end()
        assert not verdict.faults, verdict


def test_each_failpoint_has_its_drill() -> None:
    assert {name for group in GROUPS for name in group} | ELSEWHERE == POINTS.keys()
    assert DRILLS.keys() <= POINTS.keys()
    for promise in ("R1", "M2", "D1", "D2"):
        note(promise, "failpoints", f"{len(POINTS)} as exit, error and delay, nothing lost, doubled or contradictory")
