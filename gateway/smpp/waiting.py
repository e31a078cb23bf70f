"""The requests of a session that wait for their turn: frames in the order in which they came, decoded later.

Invariant: `backlog` says what they cost in memory, and they keep no segment alive most of which does not wait. Knows no
states and no meaning of commands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from pdu.frames import SMALLEST, Frame

SMALL = 4096  # octets of a segment that may stay alive for whatever waits in it
OVERHEAD = 200  # octets that a waiting request takes besides its own: its frame

Piece = tuple[bytes, list[Frame]]
"""A buffer, and frames that lie in it."""


class Waiting:
    """Consecutive requests of one command are one run, in however many segments they came."""

    __slots__ = ("_pieces", "backlog", "number")

    def __init__(self) -> None:
        self.backlog = 0  # octets
        self.number = 0  # requests
        self._pieces: deque[tuple[int, bytes, list[Frame]]] = deque()

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def add(self, command: int, octets: bytes, frames: list[Frame]) -> None:
        self.backlog += weight(frames)
        self.number += len(frames)
        if self._pieces:
            last, buffer, piece = self._pieces[-1]
            if last == command and buffer is octets:  # only answers stood between
                piece += frames
                return
        self._pieces.append((command, octets, frames))

    def settle(self, octets: bytes) -> None:
        """All requests of this segment were added: let go of it if most of it need not wait."""
        pieces = self._pieces
        if len(octets) <= SMALL or not pieces or pieces[-1][1] is not octets:
            return
        count = next((n for n, piece in enumerate(reversed(pieces)) if piece[1] is not octets), len(pieces))
        last = [pieces.pop() for _ in range(count)]
        thin = 2 * sum([weight(frames) for _command, _buffer, frames in last]) < len(octets)
        for command, buffer, frames in reversed(last):
            pieces.append((command, *copied(buffer, frames)) if thin else (command, buffer, frames))

    def first(self) -> int:
        """The command whose turn it is."""
        return self._pieces[0][0]

    def take(self, limit: int) -> list[Piece]:
        """At most so many frames of the first run. A client that writes each request by itself gets as long a run as
        one that writes them together: else each of its messages would cost a commit."""
        pieces, command, taken = self._pieces, self._pieces[0][0], []
        while limit > 0 and pieces and pieces[0][0] == command:
            _command, buffer, frames = pieces.popleft()
            if len(frames) > limit:
                pieces.appendleft((command, buffer, frames[limit:]))
                frames = frames[:limit]
            limit -= len(frames)
            self.backlog -= weight(frames)
            self.number -= len(frames)
            taken.append((buffer, frames))
        return taken

    def clear(self) -> None:
        self._pieces.clear()
        self.backlog = self.number = 0


def weight(frames: Sequence[Frame]) -> int:
    if len(frames) == 1:
        return frames[0][4] - frames[0][3] + OVERHEAD
    return sum([end - at for _command, _status, _sequence, at, end in frames]) + OVERHEAD * len(frames)


def copied(buffer: bytes, frames: Sequence[Frame]) -> Piece:
    """The frames in a buffer of their own."""
    parts: list[bytes] = []
    moved: list[Frame] = []
    at = 0
    for command, status, sequence, start, end in frames:
        parts.append(buffer[start - SMALLEST : end])
        moved.append((command, status, sequence, at + SMALLEST, at + SMALLEST + end - start))
        at += SMALLEST + end - start
    return b"".join(parts), moved
