"""The two servers of the road: the gateway with all its rules on a fresh data folder, and the yardstick.

Invariant: what was started here is ended here, by its own process, and a server that ends badly ends the benchmark.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

from bench import account
from bench.machine import RESULTS, ROOT

BENCH = ROOT / "bench"
PATIENCE = 30.0  # seconds for a server to come up, or to go


class Failed(Exception):  # noqa: N818 - read as "the benchmark failed"
    """Nothing can be measured."""


class Server(NamedTuple):
    name: str
    port: int
    pid: int


def cores() -> tuple[int, int]:
    """One for the server, one for the generator; the same if there is but one."""
    free = sorted(os.sched_getaffinity(0))
    return free[0], free[min(1, len(free) - 1)]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(name: str, command: list[str], port: int, core: int, log: Path) -> Iterator[Server]:
    """The command's process on one core, from the moment it listens until it has ended."""
    with log.open("ab") as sink:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            # before anything runs, so that every thread of it inherits the core
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
    try:
        await_port(process, port, name, log)
        yield Server(name, port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.returncode not in (0, -signal.SIGTERM):
        raise Failed(f"{name} ended with {process.returncode}:\n{tail(log)}")


def await_port(process: subprocess.Popen[bytes], port: int, name: str, log: Path) -> None:
    end = monotonic() + PATIENCE
    while monotonic() < end:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        sleep(0.05)
    raise Failed(f"{name} does not listen on port {port}:\n{tail(log)}")


def tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def environment() -> dict[str, str]:
    """Ours, without settings for a gateway that the benchmark does not know of."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SMPPGATE_")}


# -- the gateway -------------------------------------------------------------------------------------------


@contextmanager
def gateway(core: int) -> Iterator[Server]:
    """Durable on a real disk, all rules on, audited at the end."""
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gateway-", dir=RESULTS) as name:
        folder, port = Path(name), free_port()
        config = folder / "bench.toml"
        config.write_text(
            f"data_dir = {json.dumps(str(folder / 'data'))}\n"
            f'[smpp]\nlisten = ["127.0.0.1:{port}"]\n'
            f'[metrics]\nlisten = "127.0.0.1:{free_port()}"\n'
            f'[web]\nlisten = "127.0.0.1:{free_port()}"\n'
            "[simulator]\nrules = []\n"
        )
        prepare(config)
        with started("gateway", cli(config, "serve"), port, core, folder / "gateway.log") as server:
            yield server
        asked(config, "audit")


def cli(config: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "gateway", "--config", str(config), *words]


def prepare(config: Path) -> None:
    flags = {
        "--system-id": [account.SYSTEM_ID],
        "--password": [account.PASSWORD],
        "--ip": account.ADDRESSES,
        "--sender": account.SENDERS,
        "--deny-destination": account.DENIED,
        "--credits": [str(account.CREDITS)],
        "--window": [str(account.WINDOW)],
        "--throughput": [str(account.THROUGHPUT)],
        "--max-binds": [str(account.SIDES)],
    }
    words = [word for flag, values in flags.items() for value in values for word in (flag, value)]
    asked(config, "account", "add", account.NAME, *words)
    asked(config, "price", "set", account.PLAN, *(f"{prefix}={price}" for prefix, price in account.PRICES.items()))
    asked(config, "account", "set", account.NAME, "--price-plan", account.PLAN)


def asked(config: Path, *words: str) -> str:
    done = subprocess.run(cli(config, *words), cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"smppgate {' '.join(words[:3])} … ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


# -- the yardstick -----------------------------------------------------------------------------------------


@contextmanager
def node(core: int) -> Iterator[Server]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="smppgate-node-") as folder:
        command = ["node", str(BENCH / "node_echo.js"), str(port)]
        with started("node-smpp", command, port, core, Path(folder) / "node.log") as server:
            yield server


def install_yardstick() -> None:
    """node-smpp as package-lock.json names it, unless it is there."""
    wanted = json.loads((BENCH / "package.json").read_text())["dependencies"]["smpp"]
    there = BENCH / "node_modules" / "smpp" / "package.json"
    if there.exists() and json.loads(there.read_text())["version"] == wanted:
        return
    if shutil.which("npm") is None:
        raise Failed("the yardstick needs Node.js with npm (Debian: apt install nodejs npm)")
    done = subprocess.run(
        ["npm", "ci", "--no-fund", "--no-audit"], cwd=BENCH, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"npm could not install node-smpp {wanted}:\n{done.stderr}")
