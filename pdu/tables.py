"""Bodies with a table inside: a count octet, then that many rows (the submit_multi pair).

Same contract as Grammar; the fields before the table, each row and the fields behind it are three patterns."""
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from . import tlv
from .constants import ESME_RINVDESTFLAG, ESME_RINVPARLEN
from .faults import Malformed
from .grammar import HEADER_SIZE, Field, Grammar, R, compiled, constructor, cut_text, new, shape, unmatched, walk


class DistributionList(NamedTuple):
    """A destination that stands for a list of them; any other destination is the octets of an address."""
    name: bytes


class Unsuccess(NamedTuple):
    """A destination that was not accepted, and why."""
    destination: bytes
    status: int


class Row(NamedTuple):
    """How one row is read, written and explained."""
    pattern: bytes
    read: Callable[[re.Match[bytes]], Any]
    write: Callable[[Any], bytes]
    fault: Callable[[str, bytes, int, int, int], Malformed]     # name, buffer, start of the body, at, end


class Tabled(Grammar[R]):
    """`before`, the last of which is the count; the table `name`; the fields `behind`, the last counted if they are."""

    def __init__(self, record: type[R], before: Sequence[Field], name: str, row: Row,
                 behind: Sequence[Field] = (), counted: str = "") -> None:
        self.before, self.name, self.row = tuple(before), name, row
        super().__init__(record, *behind, counted=counted)
        head, tail, text = shape(self.before), shape(behind), (counted,) if counted else ()
        self._head, self._row = compiled(head.pattern), compiled(row.pattern)
        self._build = constructor(record, (*head.parameters, name, *tail.parameters, *text),
                                  (*head.values, name, *tail.values, *text))
        self._format = head.format + b"%b" + self._format
        self._at = 1 + len(self.before)             # where the table stands in the record

    def decode(self, buffer: bytes, sequence: int, at: int, end: int) -> R:
        head = self._head(buffer, at, end)
        if head is None:
            raise self.explain(buffer, at, end) or unmatched()
        rows, after = self._rows(buffer, at, head.end(), end)
        tail = self._match(buffer, after, end)
        if tail is None:
            raise self.explain(buffer, at, end) or unmatched()
        *groups, rest = tail.groups()
        start = HEADER_SIZE + tail.start(tail.re.groups) - at
        if self.counted:
            length = groups[-1][-1]
            if len(rest) < length:
                raise cut_text(self.fields[-1].name, start, length, len(rest))
            groups.append(rest[:length])
            rest, start = rest[length:], start + length
        return self._build(sequence, buffer[at:end], *head.groups(), rows, *groups, tlv.whole(rest, start))

    def explain(self, buffer: bytes, at: int, end: int) -> Malformed | None:
        after, fault = walk(self.before, buffer, at, at, end, self.short)
        if fault is not None:
            return fault
        try:
            after = self._rows(buffer, at, after, end)[1]
        except Malformed as found:
            return found
        after, fault = walk(self.fields, buffer, at, after, end, self.short)
        return fault or self._explain_tail(buffer, at, after, end)

    def _rows(self, buffer: bytes, start: int, at: int, end: int) -> tuple[tuple[Any, ...], int]:
        rows = []
        for _ in range(buffer[at - 1]):             # the count is the last octet before the table
            match = self._row(buffer, at, end)
            if match is None:
                raise self.row.fault(self.name, buffer, start, at, end)
            rows.append(self.row.read(match))
            at = match.end()
        return tuple(rows), at

    def encode(self, record: R) -> bytes:
        table = b"".join([self.row.write(entry) for entry in record[self._at]])
        return super().encode(new(self.record, (*record[:self._at], table, *record[self._at + 1:])))

    def _defaults(self, sequence: int) -> dict[str, Any]:
        defaults = super()._defaults(sequence)
        before = {field.name: field.default for field in self.before}
        return {"sequence": defaults.pop("sequence"), **before, self.name: (), **defaults}

    def _counts(self, values: dict[str, Any]) -> dict[str, int]:
        return super()._counts(values) | {self.before[-1].name: len(values.get(self.name, ()))}


def _read_destination(match: re.Match[bytes]) -> bytes | DistributionList:
    address, name = match.groups()
    return address if name is None else DistributionList(name)


def _write_destination(entry: bytes | DistributionList) -> bytes:
    return b"\x02%b\0" % entry.name if isinstance(entry, DistributionList) else b"\x01" + entry


def _destination_fault(name: str, buffer: bytes, start: int, at: int, end: int) -> Malformed:
    offset = HEADER_SIZE + at - start
    if at < end and buffer[at] not in (1, 2):
        return Malformed("dest_flag", offset, ESME_RINVDESTFLAG, f"{buffer[at]} is neither 1 nor 2")
    return Malformed(name, offset, ESME_RINVPARLEN, "cut short or longer than 20 octets")


def _unsuccess_fault(name: str, buffer: bytes, start: int, at: int, end: int) -> Malformed:
    return Malformed(name, HEADER_SIZE + at - start, ESME_RINVPARLEN, "cut short or longer than 20 octets")


DESTINATIONS = Row(rb"\x01(..[^\0]{0,20}+\0)|\x02([^\0]{0,20}+)\0", _read_destination, _write_destination,
                   _destination_fault)
UNSUCCESS = Row(rb"(..[^\0]{0,20}+\0)(....)",
                lambda match: Unsuccess(match[1], int.from_bytes(match[2], "big")),
                lambda entry: entry.destination + entry.status.to_bytes(4, "big"), _unsuccess_fault)
