"""The decoder, led by what of its code was reached: whatever does something new is changed further.

In this process, so a fault has a place; lines are counted by sys.settrace, so nothing but Python is needed.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import pdu
from pdu import codec, frames
from pdu.faults import Desync, Malformed
from tests.hostile.mutations import framed, mutated, requests
from tests.promises import note

pytestmark = [pytest.mark.hostile, pytest.mark.timeout(1200)]

ROOM = str(Path(pdu.__file__).parent)
SLOWEST = 0.05  # seconds for one PDU, of CPU time
Reached = set[object]


def read(octets: bytes) -> object:
    """Everything that is read of a PDU; -> what came of it, coarsely."""
    found, used, _fault = frames.split(octets)
    assert used <= len(octets)
    for command, *_ in found:
        codec.decode_run(command, octets, found)
    try:
        read = codec.decode(octets)
    except (Malformed, Desync) as fault:
        return type(fault).__name__, getattr(fault, "field", ""), getattr(fault, "status", 0)
    assert codec.encode(read) == octets
    assert codec.decode(codec.encode(read)) == read
    return read.command, len(getattr(read.body, "tlvs", b"")) > 0


def traced(octets: bytes) -> Reached:
    """The lines of pdu/ that are reached, and what came of it."""
    reached: Reached = set()

    def line(frame: FrameType, event: str, _argument: Any) -> Callable[..., Any] | None:
        if not frame.f_code.co_filename.startswith(ROOM):
            return None
        reached.add((frame.f_code.co_filename, frame.f_lineno))
        return line

    before = sys.gettrace()
    sys.settrace(line)
    try:
        reached.add(read(octets))
    finally:
        sys.settrace(before)
    return reached


def quickest(octets: bytes) -> float:
    """Seconds of CPU time, of several tries."""
    times = []
    for _ in range(5):
        begun = time.thread_time()
        traced(octets)
        times.append(time.thread_time() - begun)
    return min(times)


def test_the_decoder_led_by_what_it_reaches(quick: bool, seed: int) -> None:
    chance, corpus, known = random.Random(seed), list(requests()), set[object]()
    tries = 5_000 if quick else 200_000
    for octets in corpus:
        known |= traced(octets)
    for _ in range(tries):
        octets = mutated(chance.choice(corpus), chance)
        if chance.random() < 0.9:
            octets = framed(octets)
        begun = time.thread_time()
        new = traced(octets) - known
        if time.thread_time() - begun >= SLOWEST:  # or it was Python, tidying up behind all of this
            assert quickest(octets) < SLOWEST, f"slow: {octets.hex()}"
        if new and len(octets) < frames.LARGEST:
            known |= new
            corpus.append(octets)
    assert len(corpus) > len(requests()) + 20
    note("A1", "the decoder", f"{tries} changed PDUs, {len(corpus)} kinds of what came of them")
