"""Framing and headers: where each PDU of a stream starts and ends.

A lying length is fatal (Desync), as soon as its four octets are there; nothing inside a body can reach the framing.
Knows no body."""
from struct import Struct
from typing import TypeAlias

from .constants import RESPONSE, SUBMIT_SM_RESP
from .faults import Desync

__all__ = ["HEADER", "LARGEST", "SMALLEST", "Desync", "Frame", "frame", "response", "split", "submit_sm_resp"]

HEADER = Struct(">IIII")                            # command_length, command_id, command_status, sequence_number
SMALLEST = HEADER.size
LARGEST = 70_000                                    # a message_payload of 64 KiB, and its fields

Frame: TypeAlias = tuple[int, int, int, int, int]   # command, status, sequence, where the body starts and ends

_length = Struct(">I").unpack_from
_pack = HEADER.pack


def split(buffer: bytes, largest: int = LARGEST) -> tuple[list[Frame], int, Desync | None]:
    """-> the frames of every whole PDU, the octets they take, and what stopped it if the stream is lost."""
    frames: list[Frame] = []
    at, end, unpack = 0, len(buffer), HEADER.unpack_from
    while end - at >= SMALLEST:
        length, command, status, sequence = unpack(buffer, at)
        if not SMALLEST <= length <= largest:
            return frames, at, Desync(length, sequence)
        stop = at + length
        if stop > end:
            return frames, at, None
        frames.append((command, status, sequence, at + SMALLEST, stop))
        at = stop
    if end - at >= 4:                               # nobody waits for the rest of a header that announces nonsense
        (length,) = _length(buffer, at)
        if not SMALLEST <= length <= largest:
            return frames, at, Desync(length)
    return frames, at, None


def frame(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """One whole PDU."""
    return _pack(SMALLEST + len(body), command, status, sequence) + body


def response(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """The whole answer to a request `command`; of an error there is the header only (§4.1.2, §4.4.2)."""
    return _pack(SMALLEST + len(body), command | RESPONSE, status, sequence) + body


def submit_sm_resp(sequence: int, message_id: bytes) -> bytes:
    """The answer to an accepted submit_sm."""
    return _pack(17 + len(message_id), SUBMIT_SM_RESP, 0, sequence) + message_id + b"\0"
