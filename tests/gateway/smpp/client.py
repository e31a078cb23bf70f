"""Octets as a client sends them, and what it reads: for sessions that are tested without any socket."""

from typing import Any

from acl.settings import Settings
from gateway.metrics import Traffic
from gateway.smpp.session import Session, Timers
from pdu import codec, frames
from pdu import constants as c
from pdu.bodies import BODIES

from ..scene import MOBILE, SENDER

NEEDED: dict[int, dict[str, Any]] = {
    c.SUBMIT_SM: {"source": SENDER, "destination": MOBILE, "short_message": b"hello"},
    c.SUBMIT_MULTI: {"source": SENDER, "destinations": (MOBILE,), "short_message": b"hello"},
    **{bind: {"system_id": b"a", "password": b"secret"} for bind in c.BINDS},
}


def pdu(command: int, sequence: int = 1, status: int = 0, **values: Any) -> bytes:
    """One whole PDU; what is not named is sound."""
    if command not in BODIES:
        return frames.frame(command, status, sequence)
    body = BODIES[command].build(sequence, **{**NEEDED.get(command, {}), **values})
    return codec.encode(codec.Pdu(command, status, sequence, body))


def submits(*sequences: int) -> bytes:
    return b"".join([pdu(c.SUBMIT_SM, sequence) for sequence in sequences])


def heads(octets: bytes) -> list[tuple[int, int, int]]:
    """(command, status, sequence) of each PDU; they must be whole."""
    found, used, fault = frames.split(octets)
    assert (used, fault) == (len(octets), None)
    return [(command, status, sequence) for command, status, sequence, _at, _end in found]


def read(session: Session) -> list[tuple[int, int, int]]:
    """What the session wants to be written."""
    return heads(session.outbox())


def settings(**values: Any) -> Settings:
    return Settings.of(values)


def opened(now: float = 0.0, **timers: float) -> Session:
    return Session(now, Traffic(), Timers(**timers))


def bound(command: int = c.BIND_TRANSCEIVER, now: float = 0.0, version: int = 0x34, **values: Any) -> Session:
    session = opened(now)
    session.bind(command, settings(**values), version, now)
    return session


def drained(session: Session) -> list[tuple[int, list[Any]]]:
    """Every run that the session gives, without a handler."""
    runs = []
    while (run := session.next_run()) is not None:
        runs.append(run)
    return runs
