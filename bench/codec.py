"""python -m bench.codec: microseconds a message for the pieces of the hot road, each by itself.

Every piece gets what it gets on the road: a window of a hundred messages from three senders. Rounds go through all
pieces in turn, so that a disturbance of the machine does not hit one of them alone; CPU time is counted, and the median
of the rounds is the figure.
"""

import argparse
import asyncio
import gc
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter, process_time, time
from typing import Any, NamedTuple

from acl.judge import Policy, Purse, judge
from acl.rate import Rate
from acl.settings import Settings
from acl.tariff import plan
from bench import account, machine, wire
from bench.process import pin
from gateway.smpp.parts import counter
from pdu import receipt, text
from pdu.bodies import SubmitSm
from pdu.codec import decode_run
from pdu.constants import DELIVER_SM_RESP, SUBMIT_SM
from pdu.frames import split, submit_sm_resp
from store.protocol import Batch, Outcome, Store
from store.sqlite import open_store

WINDOW = 100
SLICE = 0.03  # seconds of one piece in one round


class Piece(NamedTuple):
    """One call does the work of a whole window."""

    name: str
    call: Callable[[], object]
    promise: float | None = None  # microseconds a message


def submits() -> tuple[bytes, list[SubmitSm]]:
    octets = b"".join(piece for _numbers, piece in wire.Pages(count(), account.SENDERS).take(WINDOW))
    messages, _faults = decode_run(SUBMIT_SM, octets, split(octets)[0])
    return octets, messages


def pieces() -> list[Piece]:
    octets, messages = submits()
    frames = split(octets)[0]
    acknowledged = wire.acknowledgements(range(1, WINDOW + 1))
    answers = split(acknowledged)[0]
    ids = [b"%d" % (7_000_000_000_000_000_000 + number) for number in range(WINDOW)]
    rows = [(message.source, message.destination, message.short_message) for message in messages]
    middle, tail = receipt.frame(0, 0, 2, 0)
    measure, deliver = text.measure, receipt.deliver_sm
    return [
        Piece("split: frames of submit_sm", lambda: split(octets)),
        Piece("decode_run: submit_sm of 40 characters", lambda: decode_run(SUBMIT_SM, octets, frames), 2.0),
        Piece("decode_run: deliver_sm_resp", lambda: decode_run(DELIVER_SM_RESP, acknowledged, answers), 0.5),
        Piece(
            "submit_sm_resp",
            lambda: b"".join([submit_sm_resp(number, name) for number, name in enumerate(ids)]),
            0.5,
        ),
        Piece(
            "receipt.deliver_sm",
            lambda: [
                deliver(name, source, destination, words, middle, tail)
                for name, (source, destination, words) in zip(ids, rows, strict=True)
            ],
        ),
        Piece("text.measure", lambda: [measure("gsm", 0, 0, words) for _source, _destination, words in rows]),
        Piece("judge", judged(messages)),
    ]


def judged(messages: list[SubmitSm]) -> Callable[[], object]:
    settings = Settings.of(
        {
            "addresses": list(account.ADDRESSES),
            "senders": list(account.SENDERS),
            "deny_destinations": list(account.DENIED),
            "throughput": account.THROUGHPUT,
            "window": account.WINDOW,
        }
    )
    policy, parts = Policy(settings, plan(account.PRICES)), counter("gsm")
    purse = Purse(account.CREDITS * 10_000, Rate(account.THROUGHPUT, account.WINDOW))
    moments = count()
    verdicts = judge(policy, purse, messages, 0.0, parts)
    if not all(isinstance(verdict, int) for verdict in verdicts):
        raise SystemExit(f"the benchmark's own messages are refused: {verdicts[0]}")
    return lambda: judge(policy, purse, messages, float(next(moments)), parts)


@contextmanager
def quiet() -> Iterator[None]:
    """No collection in the middle of a piece."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def measured(found: list[Piece], rounds: int) -> dict[str, Any]:
    times: dict[str, list[float]] = {piece.name: [] for piece in found}
    repeats = {piece.name: calls_in(piece.call, SLICE) for piece in found}
    with quiet():
        for _ in range(rounds):
            for piece in found:
                started, call = process_time(), piece.call
                for _call in range(repeats[piece.name]):
                    call()
                spent = process_time() - started
                times[piece.name].append(spent / repeats[piece.name] / WINDOW * 1e6)
    return {
        piece.name: {
            "median_us": round(median(times[piece.name]), 3),
            "best_us": round(min(times[piece.name]), 3),
            "promise_us": piece.promise,
        }
        for piece in found
    }


def calls_in(call: Callable[[], object], seconds: float) -> int:
    started = process_time()
    for _ in range(10):
        call()
    return max(1, int(seconds / max((process_time() - started) / 10, 1e-7)))


async def stored(store: Store, batches: int, body: bytes) -> dict[str, float]:
    """The life of a message in the store: accepted and charged, ended with its receipt due, acknowledged."""
    mine = (await store.add_account("smpp-bench", "bench", "-", {}, int(time() * 1000), 10**15)).id
    ids, sessions = count(int(time() * 1000) << 20), [object() for _ in range(10)]
    started, spent = perf_counter(), process_time()
    for _ in range(batches):
        runs = [[next(ids) for _ in range(WINDOW)] for _ in sessions]
        accepted = [
            store.accept(Batch(mine, [(number, 400, bytearray(body)) for number in run], 400 * WINDOW), session)
            for run, session in zip(runs, sessions, strict=True)
        ]
        await asyncio.gather(*accepted)
        await asyncio.gather(*[store.settle([Outcome(mine, 2, 0, False, run, run)]) for run in runs])
        await asyncio.gather(*[store.acknowledge(mine, run) for run in runs])
    messages = batches * WINDOW * len(sessions)
    return {
        "messages_per_second": round(messages / (perf_counter() - started)),
        "cpu_us_per_message": round((process_time() - spent) / messages * 1e6, 2),
    }


async def store_rounds(rounds: int, batches: int = 20) -> dict[str, Any]:
    _octets, messages = submits()
    machine.RESULTS.mkdir(exist_ok=True)
    seen = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="store-", dir=machine.RESULTS) as folder:
            async with open_store(Path(folder)) as store:
                seen.append(await stored(store, batches, messages[0].raw))
    return {name: median(one[name] for one in seen) for name in seen[0]} | {"rounds": rounds}


def show(report: dict[str, Any]) -> str:
    rows = [machine.as_lines(report["facts"]), "", f"{'microseconds of CPU a message':40}  median    best  promised"]
    for name, found in report["pieces"].items():
        promise = "" if found["promise_us"] is None else f"{found['promise_us']:10.2f}"
        rows.append(f"{name:40} {found['median_us']:7.3f} {found['best_us']:7.3f}{promise}")
    stored = report["store"]
    rows.append(
        f"\nstore: {stored['messages_per_second']:,} messages a second through their whole life, durable, "
        f"{stored['cpu_us_per_message']} us of CPU each"
    )
    return "\n".join(rows + [f"BROKEN PROMISE: {name}" for name in broken(report)])


def broken(report: dict[str, Any]) -> list[str]:
    found: dict[str, Any] = report["pieces"]
    return [name for name, figures in found.items() if figures["median_us"] > (figures["promise_us"] or float("inf"))]


def report(rounds: int) -> dict[str, Any]:
    return {
        "facts": machine.facts(),
        "rounds": rounds,
        "pieces": measured(pieces(), rounds),
        "store": asyncio.run(store_rounds(min(3, rounds))),
    }


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.codec", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--check", action="store_true", help="fail if a promise is broken")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(words)
    pin(given.core)
    found = report(given.rounds)
    print(json.dumps(found, indent=1) if given.json else show(found))
    return 1 if given.check and broken(found) else 0


if __name__ == "__main__":
    sys.exit(main())
