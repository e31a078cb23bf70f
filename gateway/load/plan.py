"""What a run of the generator is asked to do."""

from math import inf
from ssl import SSLContext
from typing import NamedTuple

from .texts import Text, octets


class Plan(NamedTuple):
    """What is to be sent, and where. A message is one submit_sm: a long text makes as many as it has parts."""

    port: int
    host: str = "127.0.0.1"
    tls: SSLContext | None = None
    system_id: str = "perf"
    password: str = "perf"  # noqa: S105 - what a test server of nobody's takes
    system_type: str = ""
    transmitter: bool = False  # else a transceiver
    connections: int = 1
    window: int = 10
    rate: int = 0  # messages a second over all connections; 0 = as fast as the windows allow
    total: int = 0  # messages in all; 0 = until the time is over
    seconds: float = 5.0  # inf = until `total` is answered
    warm_up: float = 0.0  # seconds of the same load before the clock starts
    receipts: bool = False
    grace: float = 3.0  # seconds without any answer or receipt after which the missing ones are given up
    senders: tuple[str, ...] = ("ACME",)
    destination: str = "447700######"  # each # is a digit that counts
    texts: tuple[Text, ...] = (octets(40),)

    @property
    def timed(self) -> bool:
        return self.seconds != inf
