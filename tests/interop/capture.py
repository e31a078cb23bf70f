"""tshark as a referee: it listens on loopback while a test talks to a server, then says what it thinks of every PDU."""

import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.interop.conftest import program
from tests.server import HOST, PATIENCE, eventually


class Dissected(NamedTuple):
    """One PDU that the server sent, as tshark reads it."""

    command: int
    status: int
    complaints: list[str]


class Capture:
    """`with capture.running(): talk`, then `capture.dissected()`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.file = folder / "smpp.pcap"
        self.out = folder / "tshark.out"

    @contextmanager
    def running(self) -> Iterator[None]:
        with self.out.open("wb") as out:
            # -P -l: also a line for every packet, at once, from which we know how far it is
            tshark = subprocess.Popen(
                [program("tshark"), "-n", "-i", "lo", "-f", f"tcp port {self.port}", "-w", str(self.file), "-P", "-l"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            self._reached(tshark, "tshark captures")
            yield
            self._reached(tshark, "tshark has seen the end")
        finally:
            tshark.send_signal(signal.SIGINT)
            tshark.wait(PATIENCE)

    def _reached(self, tshark: subprocess.Popen[bytes], what: str) -> None:
        """Knock at the port until tshark reports one of the knocks."""
        knocks: set[str] = set()

        def seen() -> bool:
            assert tshark.poll() is None, self.out.read_text(errors="replace")
            with socket.create_connection((HOST, self.port), timeout=PATIENCE) as knock:
                knocks.add(str(knock.getsockname()[1]))
            ports = set(re.findall(r"\d+", self.out.read_text(errors="replace")))
            return bool(knocks & ports)

        eventually(what, seen)

    def dissected(self) -> list[Dissected]:
        """Every PDU from the server, in order."""
        ours = ["-d", f"tcp.port=={self.port},smpp", "-Y", f"smpp && tcp.srcport == {self.port}"]
        read = subprocess.run(
            [program("tshark"), "-n", "-r", str(self.file), *ours, "-T", "json", "--no-duplicate-keys"],
            check=True,
            capture_output=True,
            timeout=60,
        )
        packets = [packet["_source"]["layers"] for packet in json.loads(read.stdout)]
        return [pdu for packet in packets for pdu in pdus(packet)]


def pdus(layers: dict[str, Any]) -> Iterator[Dissected]:
    """tshark hangs a malformed packet beside the PDUs it was found among; then all of them are suspect."""
    beside = [f"{key}: {value}" for key, value in layers.items() if key.startswith("_ws")]
    found = layers["smpp"]
    for smpp in found if isinstance(found, list) else [found]:
        command = int(smpp["smpp.command_id"], 16)
        status = int(smpp.get("smpp.command_status", "0"), 16)
        yield Dissected(command, status, [*beside, *complaints(smpp)])


def complaints(node: Any) -> Iterator[str]:
    """Expert notes of whatever severity, anywhere inside a PDU."""
    if isinstance(node, list):
        for one in node:
            yield from complaints(one)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key.startswith("_ws."):
                yield f"{key}: {value}"
            else:
                yield from complaints(value)
