"""The real thing: `smppgate serve` as a process of its own, in a folder of its own, on free loopback ports.

A test talks to it as a customer (over SMPP), as an operator (through the CLI) and as a monitoring system (through its
metrics). It ends only the process it started, and a server that logged a traceback fails the test that used it.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

HOUSE = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
GIVEN = set[int]()  # free ports
PATIENCE = 20.0  # seconds a loaded machine may take for what is normally done at once

T = TypeVar("T")


class Login(NamedTuple):
    """What a customer is given."""

    name: str
    system_id: str
    password: str


def free_port() -> int:
    """One that this process was not given before: the system may give a port again that nobody has bound yet."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port: int = probe.getsockname()[1]
        if port not in GIVEN:
            GIVEN.add(port)
            return port


def eventually(what: str, look: Callable[[], T], patience: float = PATIENCE) -> T:
    """The first true thing that `look` sees."""
    deadline = time.monotonic() + patience
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {patience:g} s (last seen: {seen!r})")
        time.sleep(0.02)
    return seen


class Server:
    """One smppgate, with a fast simulated network. `with Server(folder) as server: ...` starts and stops it."""

    program: Sequence[str] = ("gateway",)
    """The module that is run, and words before `serve`: a test may have one of its own that changes something first."""

    def __init__(self, folder: Path, *, delay: str = "0.05s", more: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.config = folder / "smppgate.toml"
        self.port, self.metrics_port, self.web_port = free_port(), free_port(), free_port()
        self.config.write_text(
            f'data_dir = "{self.data}"\n'
            f'[smpp]\nlisten = ["{HOST}:{self.port}"]\n'
            f'[metrics]\nlisten = "{HOST}:{self.metrics_port}"\n'
            f'[web]\nlisten = "{HOST}:{self.web_port}"\n'
            f'[simulator]\ndelay = "{delay}"\n{more}',
            encoding="utf-8",
        )
        self.process: subprocess.Popen[bytes] | None = None

    # the process

    def launch(self) -> "subprocess.Popen[bytes]":
        """The process, just begun."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *self.program, "serve", "--config", str(self.config)],
                cwd=HOUSE,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def start(self) -> Self:
        self.process = self.launch()
        try:
            eventually("the SMPP port opens", self._listens)
        except BaseException:
            self.kill()
            print(self.said())
            raise
        return self

    def _listens(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.said()}")
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """SIGTERM: finish what is under way, unbind everybody, exit 0."""
        if self.process is None:
            return
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server did not stop within {PATIENCE:g} s:\n{self.said()}") from None
        assert code == 0, f"the server exited with {code}:\n{self.said()}"
        assert "Traceback" not in self.said(), self.said()

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            process, self.process = self.process, None
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.stop()
        else:
            self.kill()  # the test has failed already: leave its own complaint on top
            print(self.said())

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    # the operator

    def environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("SMPPGATE_")}
        return ours | {"SMPPGATE_CONFIG": str(self.config), "NO_COLOR": "1", "PYTHONWARNINGS": "error"}

    def cli(self, *words: str, expect: int = 0) -> str:
        ran = subprocess.run(
            [sys.executable, "-m", "gateway", *words],
            cwd=HOUSE,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == expect, f"{' '.join(words)}: exit {ran.returncode}\n{ran.stdout}{ran.stderr}"
        return ran.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.cli(*words, "--json"))

    def account(self, name: str, *flags: str) -> Login:
        """A customer on this machine who may send as anybody; flags for whatever else a test needs."""
        defaults: Mapping[str, Sequence[str]] = {
            "--ip": ("--ip", HOST),
            "--sender": ("--sender", "*"),
            "--throughput": ("--throughput", "0"),
            "--credits": ("--credits", "1000"),
        }
        words = [word for flag, pair in defaults.items() if flag not in flags for word in pair]
        made = self.json("account", "add", name, *words, *flags)
        return Login(made.get("name", name), made["system_id"], made["password"])

    def export(self, login: Login) -> Any:
        return self.json("account", "export", login.name)

    def login_file(self, login: Login) -> Path:
        """The login as `smppgate quickstart` writes it for the demo account."""
        path = self.folder / f"{login.name}.json"
        path.write_text(
            json.dumps({"host": HOST, "port": self.port, "system_id": login.system_id, "password": login.password})
        )
        return path

    # the monitoring system

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://{HOST}:{self.metrics_port}/metrics", timeout=PATIENCE) as answer:
            text: str = answer.read().decode("utf-8")
            return text

    def metric(self, sample: str) -> float:
        """The value of one sample, named as the exposition writes it: smppgate_credits{account="..."}."""
        found = [line for line in self.metrics().splitlines() if line.startswith(sample + " ")]
        assert len(found) == 1, f"{sample}: {len(found)} samples"
        return float(found[0].rpartition(" ")[2])
