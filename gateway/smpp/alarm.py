"""Calls that come when they shall. uvloop's own timers count in milliseconds: what is wanted in four comes after three
to five.

Invariant: one call at most is expected; it comes once, never after it was cancelled and never after `close`. Linux has
a timer that is read like a socket (timerfd_create(2)); elsewhere, or without a descriptor for it, the loop's own has to
do. Knows nothing of what is called.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

CLOCK_MONOTONIC = 1
NANO = 1_000_000_000


class Expected(Protocol):
    def cancel(self) -> None: ...


class Alarm:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._descriptor = -1
        self._closed = False
        self._then: Callable[[], None] | None = None
        self._libc = ctypes.PyDLL(None)  # keeps the interpreter: to give it away would take longer than the call

    def call_later(self, seconds: float, then: Callable[[], None]) -> Expected:
        """As the loop's, for one call at a time."""
        if self._descriptor < 0 and not self._open():
            return self._loop.call_later(seconds, then)
        self._then = then
        self._set(max(1, round(seconds * NANO)))
        return self

    def cancel(self) -> None:
        if self._then is not None:
            self._then = None
            self._set(0)

    def close(self) -> None:
        self._then, self._closed = None, True
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> bool:
        """At the first call, and again if there was no descriptor left then."""
        if not self._closed:
            with suppress(AttributeError):  # a libc without it
                self._descriptor = self._libc.timerfd_create(CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor >= 0:
            self._loop.add_reader(self._descriptor, self._ring)
        return self._descriptor >= 0

    def _set(self, nanoseconds: int) -> None:
        """0: for never. A struct itimerspec is the time between two calls, which there is not, and that to the next."""
        self._libc.timerfd_settime(self._descriptor, 0, struct.pack("@4l", 0, 0, *divmod(nanoseconds, NANO)), None)

    def _ring(self) -> None:
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:  # set anew, or cancelled, in the turn of the loop in which it was due
            return
        then, self._then = self._then, None
        if then is not None:
            then()
