"""The requests of a session that wait for their turn: frames in the order in which they came, decoded later.

Invariant: `backlog` says what they cost in memory, and they keep no segment alive most of which does not wait. Knows no
states and no meaning of commands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from pdu.frames import SMALLEST, Frame

SMALL = 4096  # octets of a segment that may stay alive for whatever waits in it
OVERHEAD = 128  # octets that a waiting request takes besides its own

Run = tuple[int, bytes, list[Frame]]
"""A command, the buffer that its frames lie in, and the frames."""


class Waiting:
    """Consecutive requests of one command are one run."""

    __slots__ = ("_runs", "backlog")

    def __init__(self) -> None:
        self.backlog = 0  # octets
        self._runs: deque[Run] = deque()

    def __bool__(self) -> bool:
        return bool(self._runs)

    def add(self, command: int, octets: bytes, frames: list[Frame]) -> None:
        self.backlog += weight(frames)
        if self._runs:
            last, buffer, run = self._runs[-1]
            if last == command and buffer is octets:  # only answers stood between: still one run
                run += frames
                return
        self._runs.append((command, octets, frames))

    def settle(self, octets: bytes) -> None:
        """All requests of this segment were added: let go of it if most of it need not wait."""
        if len(octets) <= SMALL or not self._runs or self._runs[-1][1] is not octets:
            return
        count = next((n for n, run in enumerate(reversed(self._runs)) if run[1] is not octets), len(self._runs))
        runs = [self._runs.pop() for _ in range(count)]
        thin = 2 * sum([weight(frames) for _command, _buffer, frames in runs]) < len(octets)
        for command, buffer, frames in reversed(runs):
            self._runs.append((command, *copied(buffer, frames)) if thin else (command, buffer, frames))

    def first(self) -> int:
        """The command whose turn it is."""
        return self._runs[0][0]

    def take(self, limit: int) -> tuple[bytes, list[Frame]]:
        """At most so many frames of the first run, and their buffer."""
        command, buffer, frames = self._runs[0]
        taken = frames[:limit]
        if len(frames) > limit:
            self._runs[0] = command, buffer, frames[limit:]
        else:
            self._runs.popleft()
        self.backlog -= weight(taken)
        return buffer, taken

    def clear(self) -> None:
        self._runs.clear()
        self.backlog = 0


def weight(frames: Sequence[Frame]) -> int:
    return sum([end - at for _command, _status, _sequence, at, end in frames]) + OVERHEAD * len(frames)


def copied(buffer: bytes, frames: Sequence[Frame]) -> tuple[bytes, list[Frame]]:
    """The frames in a buffer of their own."""
    pieces: list[bytes] = []
    moved: list[Frame] = []
    at = 0
    for command, status, sequence, start, end in frames:
        pieces.append(buffer[start - SMALLEST : end])
        moved.append((command, status, sequence, at + SMALLEST, at + SMALLEST + end - start))
        at += SMALLEST + end - start
    return b"".join(pieces), moved
