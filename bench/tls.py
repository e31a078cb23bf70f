"""The road over TLS next to the road without, on one server. Both with the generator in Python: that in C has none."""

import subprocess
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import trustme

from bench import account, generator
from bench.cases import BY_NAME, Manner
from bench.generator import PYTHON, Load
from bench.machine import ROOT, Failed
from bench.road import progress
from bench.servers import cores, free_port, gateway
from bench.tables import Table, amount

FLAGS = ("--tls", "--insecure")


def measured(manner: Manner) -> dict[str, Any]:
    helped = subprocess.run([*PYTHON.command, "--help"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    if "--tls" not in helped:
        raise Failed("the generator in Python has no --tls")
    found = [one_round(number, manner) for number in range(1, manner.rounds + 1)]
    return {"rounds": found, "ratio": median([one["ratio"] for one in found])}


def one_round(number: int, manner: Manner) -> dict[str, Any]:
    server_core, load_core = cores()
    case, port = BY_NAME["receipts"], free_port()
    plain = Load(case.connections, case.window, case.receipts, seconds=manner.seconds, warm_up=manner.warm_up)
    row = {}
    with gateway(server_core, more=partial(secured, port)) as server:
        both = ("plain", server, plain), ("tls", server._replace(port=port), plain._replace(more=FLAGS))
        for name, listener, load in both if number % 2 else reversed(both):
            row[name] = generator.run(PYTHON, load, listener, load_core)
    row["ratio"] = row["tls"][case.figure] / row["plain"][case.figure]
    progress(f"TLS, round {number}: {row['ratio']:.2f} times plain")
    return row


def secured(port: int, folder: Path) -> str:
    """A certificate for the loopback address, and the lines of the configuration that name it."""
    issued = trustme.CA().issue_cert(account.ADDRESSES[0])
    issued.private_key_pem.write_to_path(folder / "key.pem")
    for number, part in enumerate(issued.cert_chain_pems):
        part.write_to_path(folder / "cert.pem", append=number > 0)
    return f'[smpp.tls]\nlisten = ["127.0.0.1:{port}"]\ncert = "{folder}/cert.pem"\nkey = "{folder}/key.pem"\n'


def table(found: dict[str, Any]) -> Table:
    figure = BY_NAME["receipts"].figure
    rows = [
        [
            str(number),
            amount(one["tls"][figure]),
            amount(one["plain"][figure]),
            f"{one['ratio']:.2f}",
            amount(one["tls"]["p99_ms"]),
            amount(one["plain"]["p99_ms"]),
            f"{one['tls']['generator_share']:.2f} / {one['plain']['generator_share']:.2f}",
        ]
        for number, one in enumerate(found["rounds"], 1)
    ]
    heads = ["round", "TLS, messages a CPU second", "plain", "ratio", "p99 ms", "plain, p99 ms", "generator's core"]
    note = f"median ratio {found['ratio']:.2f}; generator: {PYTHON.name}"
    return Table("TLS instead of plain: 10 connections, window 100, receipts on", heads, rows, note)
