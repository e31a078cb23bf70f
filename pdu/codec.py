"""Whole PDUs, and runs of alike ones: octets to records and back, byte for byte.

Nothing but Malformed and Desync is ever raised, whatever the octets."""
from collections.abc import Iterable
from typing import Any, NamedTuple

from .bodies import BODIES, HEADER_ONLY
from .constants import ESME_RINVCMDID, ESME_ROK, RESPONSE
from .faults import Desync, Malformed
from .frames import HEADER, LARGEST, SMALLEST, Frame, frame


class Pdu(NamedTuple):
    """The envelope. Records of different commands may look alike, so the command stands here."""
    command: int
    status: int
    sequence: int
    body: Any                                       # a record of BODIES[command], or HeaderOnly


def decode_run(command: int, buffer: bytes, frames: Iterable[Frame]) -> tuple[list[Any], list[tuple[int, Malformed]]]:
    """The records of a run of frames of one command, and (sequence, fault) of those that could not be read.

    A response that came without its body has the record of an empty one; so has an error response nobody can read."""
    grammar = BODIES.get(command)
    if grammar is None:
        return [], [(sequence, unknown(command)) for _, _, sequence, _, _ in frames]
    records: list[Any] = []
    faults: list[tuple[int, Malformed]] = []
    read, response = grammar.decode, command & RESPONSE
    for _, status, sequence, at, end in frames:
        if response and at == end:
            records.append(grammar.absent(sequence))
            continue
        try:
            records.append(read(buffer, sequence, at, end))
        except Malformed as fault:
            if response and status != ESME_ROK:
                records.append(grammar.absent(sequence))
            else:
                faults.append((sequence, fault.with_traceback(None)))  # which would hold this frame, and that the fault
    return records, faults


def unknown(command: int) -> Malformed:
    return Malformed("command_id", 4, ESME_RINVCMDID, f"0x{command:08X} is not SMPP 3.4")


def decode(octets: bytes) -> Pdu:
    """One whole PDU. A response without a body, or an error response whose body cannot be read, has a HeaderOnly."""
    if len(octets) < SMALLEST:
        raise Desync(len(octets))
    length, command, status, sequence = HEADER.unpack_from(octets)
    if length != len(octets) or length > LARGEST:
        raise Desync(length, sequence)
    grammar = BODIES.get(command)
    if grammar is None:
        raise unknown(command)
    if command & RESPONSE and length == SMALLEST:
        grammar = HEADER_ONLY
    try:
        body = grammar.decode(octets, sequence, SMALLEST, length)
    except Malformed:
        if status == ESME_ROK or not command & RESPONSE:
            raise
        body = HEADER_ONLY.decode(octets, sequence, SMALLEST, length)
    return Pdu(command, status, sequence, body)


def encode(pdu: Pdu) -> bytes:
    """The whole PDU: the inverse of decode."""
    command, status, sequence, body = pdu
    grammar = HEADER_ONLY if isinstance(body, HEADER_ONLY.record) else BODIES[command]
    return frame(command, status, sequence, grammar.encode(body))
