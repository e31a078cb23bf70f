"""The plan that the foreign customers in other languages carry out, and what they bring back."""

import json
import subprocess
from typing import Any, NamedTuple

from tests.server import HOST, Login, Server

Params = dict[str, Any]


class Seen(NamedTuple):
    bind: Params
    answers: list[Params]
    deliveries: list[Params]
    unbind: Params | None


def octets(value: bytes) -> dict[str, str]:
    return {"hex": value.hex()}


def converse(
    command: list[str],
    server: Server,
    login: Login,
    ask: list[tuple[str, Params]],
    *,
    bind: str = "bind_transceiver",
    deliveries: int = 0,
    **more: object,
) -> Seen:
    """Bind, ask everything, wait for so many deliveries, unbind."""
    plan = {
        "host": HOST,
        "port": server.port,
        "bind": bind,
        "login": {"system_id": login.system_id, "password": login.password, **more},
        "ask": ask,
        "deliveries": deliveries,
    }
    ran = subprocess.run(command, input=json.dumps(plan), capture_output=True, text=True, timeout=50, check=False)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout + ran.stderr
    return Seen(**json.loads(ran.stdout))
