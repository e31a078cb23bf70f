"""The four loads of the road, and how each run is made."""

from typing import NamedTuple

from bench.generator import Generator


class Case(NamedTuple):
    """One load, and the figure that is compared."""

    name: str
    title: str
    connections: int
    window: int
    receipts: bool
    figure: str
    rate: int = 0  # messages a second over all connections; 0: as many as the windows allow


CASES = (
    Case("receipts", "10 connections, window 100, receipts on", 10, 100, True, "messages_per_cpu_second"),
    Case("submits", "10 connections, window 100, receipts off", 10, 100, False, "messages_per_cpu_second"),
    Case("single", "1 connection, window 10, receipts on", 1, 10, True, "messages_per_second"),
    Case("paced", "5,000 a second over 10 connections, receipts on", 10, 100, True, "server_share", 5000),
)
BY_NAME = {case.name: case for case in CASES}
LESS_IS_BETTER = frozenset({"server_share"})


class Manner(NamedTuple):
    """How runs are made."""

    generator: Generator
    rounds: int = 3
    seconds: float = 4.0
    warm_up: float = 1.0
    short: bool = False  # one round of every case but the first, and the floor in one of them
