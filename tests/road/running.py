"""The server of the road suites: a process of its own, like everybody's, and its operator's desk."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Self

from tests.road.client import hang_up_all
from tests.road.desk import Desk
from tests.server import Server, eventually


class Road(Server):
    """`more` is TOML behind the `[simulator]` section; `environ` are settings as the environment gives them."""

    def __init__(self, folder: Path, *, delay: str = "0.05s", more: str = "", **environ: str) -> None:
        super().__init__(folder, delay=delay, more=more)
        self.environ = {f"SMPPGATE_{name}": value for name, value in environ.items()}
        self.desk = Desk(self)

    def environment(self) -> dict[str, str]:
        return super().environment() | self.environ

    def start(self) -> Self:
        super().start()
        eventually("the desk is open", self.serves)
        return self

    def serves(self) -> bool:
        try:
            self.desk.ask("GET", "price-plans")
        except OSError:
            return False
        return True

    async def __aenter__(self) -> Self:
        """`async with`: the customers' connections live on while it starts and stops."""
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *details: object) -> None:
        await hang_up_all()  # nobody is there to answer an unbind
        await asyncio.to_thread(self.__exit__, kind, *details)

    def restart(self) -> None:
        self.stop()
        self.start()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def files(self) -> int:
        """How many it has open, sockets too."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory(self) -> int:
        """Octets of it that are in RAM now."""
        fields = Path(f"/proc/{self.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
