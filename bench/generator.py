"""Who plays the customers: a program with the flags of `python -m bench.load`, in a process of its own.

Invariant: figures of a run in which a message was lost or refused, or a receipt named the wrong id, are no figures.
"""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from bench import account, compiled
from bench.machine import ROOT, Failed
from bench.servers import Server


class Generator(NamedTuple):
    command: tuple[str, ...]
    name: str
    prompt: bool  # whether it is in C, and falls asleep as soon as it has nothing to do


PYTHON = Generator((sys.executable, "-m", "bench.load"), "bench.load, in Python", False)


def chosen(given: str = "") -> Generator:
    """The one that was named; else our own in C, or in Python where nothing can be compiled."""
    if given == "python":
        return PYTHON
    if given:
        return Generator(tuple(shlex.split(given)), given, True)
    program = compiled.built("generator")
    if program is None:
        print(f"bench: the generator is the one in Python; a prompt one needs {compiled.WANTED}", file=sys.stderr)
        return PYTHON
    return Generator((str(program),), "bench/generator.c", True)


class Load(NamedTuple):
    """What a run sends."""

    connections: int = 1
    window: int = 10
    receipts: bool = True
    rate: int = 0
    seconds: float = 4.0
    warm_up: float = 0.0
    customer: account.Customer = account.MAIN
    more: tuple[str, ...] = ()


def words_of(load: Load, server: Server, core: int) -> list[str]:
    words = ["--json", "--core", str(core), "-p", str(server.port), "-s", str(server.pid)]
    words += ["-c", str(load.connections), "-w", str(load.window)]
    words += ["-t", str(load.seconds), "--warm-up", str(load.warm_up)]
    words += ["-u", load.customer.system_id, "-P", account.PASSWORD]
    words += [word for sender in account.SENDERS for word in ("--sender", sender)]
    words += ["--receipts"] if load.receipts else []
    words += ["--rate", str(load.rate)] if load.rate else []
    return [*words, *load.more]


def run(generator: Generator, load: Load, server: Server, core: int) -> dict[str, Any]:
    """One run -> its figures. Failed if not every message went the whole road."""
    words = [*generator.command, *words_of(load, server, core)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return figures_of(done.stdout, done.stderr, done.returncode, server.name)


def figures_of(out: str, complaint: str, ended: int, name: str) -> dict[str, Any]:
    if not out:
        raise Failed(f"{name}: the generator ended with {ended}: {complaint}")
    figures: dict[str, Any] = json.loads(out)
    if ended or figures["refused"]:
        raise Failed(f"{name}: not every message went the whole road: {figures}")
    return figures


@contextmanager
def silent(load: Load, server: Server, core: int, total: int = 0) -> Iterator["subprocess.Popen[str]"]:
    """Clients that submit nothing and answer everything, from when all are bound; they end after `total` receipts.

    Failed where nothing can be compiled: look before.
    """
    program = compiled.built("generator")
    if program is None:
        raise Failed(f"clients that wait need {compiled.WANTED}")
    words = [str(program), *words_of(load, server, core), "--silent", "-n", str(total)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None  # it is a pipe
        if (said := process.stderr.readline()) != "bound\n":
            raise Failed(f"the clients could not bind: {said}")
        yield process
    finally:
        process.terminate()
        process.communicate()
