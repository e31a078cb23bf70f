"""The servers of the benchmark: the gateway with all its rules on, the yardstick, and the floor.

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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

from bench import account, compiled
from bench.account import Customer
from bench.machine import RESULTS, ROOT, Failed

BENCH = ROOT / "bench"
PATIENCE = 30.0  # seconds for a server to come up, or to go


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
def gateway(
    core: int,
    customers: Sequence[Customer] = (account.MAIN,),
    fill: Callable[[Path], None] = lambda data: None,
    more: Callable[[Path], str] = lambda folder: "",
) -> Iterator[Server]:
    """Durable on a real disk, all rules on, audited at the end.

    `fill` is given the data folder before the server starts, `more` a folder for files that the lines it returns, the
    rest of the configuration, speak of.
    """
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gateway-", dir=RESULTS) as name:
        folder, port = Path(name), free_port()
        config = folder / "bench.toml"
        config.write_text(
            f"data_dir = {json.dumps(str(folder / 'data'))}\n"
            f'[smpp]\nlisten = ["127.0.0.1:{port}"]\nmax_connections_per_address = {2 * account.SIDES}\n'
            f'[metrics]\nlisten = "127.0.0.1:{free_port()}"\n'
            f'[web]\nlisten = "127.0.0.1:{free_port()}"\n'
            f"[simulator]\nrules = []\n{more(folder)}"
        )
        prepare(config, customers)
        fill(folder / "data")
        with started("gateway", cli(config, "serve"), port, core, folder / "gateway.log") as server:
            yield server
        asked(config, "audit")


def cli(config: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "gateway", "--config", str(config), *words]


def prepare(config: Path, customers: Sequence[Customer]) -> None:
    for customer in customers:
        flags = {
            "--system-id": [customer.system_id],
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
        asked(config, "account", "add", customer.name, *words)
    asked(config, "price", "set", account.PLAN, *(f"{prefix}={price}" for prefix, price in account.PRICES.items()))
    for customer in customers:
        asked(config, "account", "set", customer.name, "--price-plan", account.PLAN)


def asked(config: Path, *words: str) -> str:
    done = subprocess.run(cli(config, *words), cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"smppgate {' '.join(words[:3])} … ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


# -- what it is compared to --------------------------------------------------------------------------------


@contextmanager
def node(core: int) -> Iterator[Server]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="smppgate-node-") as folder:
        command = ["node", str(BENCH / "node_echo.js"), str(port)]
        with started("node-smpp", command, port, core, Path(folder) / "node.log") as server:
            yield server


@contextmanager
def floor(core: int) -> Iterator[Server | None]:
    """None where nothing can be compiled."""
    program = compiled.built("floor")
    if program is None:
        yield None
        return
    port = free_port()
    log = program.with_suffix(".log")
    with started("floor", [str(program), str(port)], port, core, log) as server:
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
