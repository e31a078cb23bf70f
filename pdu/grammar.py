"""A body's fields compile to one bytes regex (decode), one bytes format (encode) and an explanation of what is wrong.

Invariant: a body is read inside its own frame only, and every limit stands in the pattern. What follows the fields must
be whole TLVs; up to three zero octets behind everything are tolerated. Knows no particular body."""
import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

from . import tlv
from .constants import ESME_RINVMSGLEN, ESME_RINVPARLEN
from .faults import Desync, Malformed

__all__ = ["Address", "Desync", "Grammar", "Malformed", "Octet", "Single", "Text"]

R = TypeVar("R", bound=tuple[Any, ...])             # the record, a NamedTuple: sequence, its fields, tlvs, raw
new = tuple.__new__                                 # a record from its values, at half the price of calling its class
HEADER_SIZE = 16                                    # offsets in a fault count from the start of the PDU


class Octet(NamedTuple):
    """An integer of one octet. `status` is what a value outside the limits is answered with."""
    name: str
    least: int = 0
    most: int = 255
    status: int = ESME_RINVPARLEN
    default: int = 0

    @property
    def span(self) -> int:
        """At most so many octets of the body."""
        return 1

    @property
    def format(self) -> bytes:
        return b"%c"

    def pattern(self) -> bytes:
        if (self.least, self.most) == (0, 255):
            return b"."
        return rb"[\x%02x-\x%02x]" % (self.least, self.most)

    def after(self, buffer: bytes, at: int, end: int) -> int:
        """Where the next field starts; 0 if this one is not as it should be."""
        return at + 1 if at < end and self.least <= buffer[at] <= self.most else 0

    def complaint(self, first: int) -> str:
        return f"{first} is not in {self.least} to {self.most}"


class Text(NamedTuple):
    """C-Octet String; size counts the NUL."""
    name: str
    size: int
    status: int = ESME_RINVPARLEN
    default: bytes = b""

    @property
    def span(self) -> int:
        return self.size

    @property
    def format(self) -> bytes:
        return b"%b\0"

    def pattern(self) -> bytes:
        return rb"([^\0]{0,%d}+)\0" % (self.size - 1)

    def after(self, buffer: bytes, at: int, end: int) -> int:
        return buffer.find(0, at, min(at + self.size, end)) + 1

    def complaint(self, _first: int) -> str:
        return f"longer than {self.size - 1} octets"


class Address(NamedTuple):
    """ton, npi and digits with their NUL: ONE value in wire order, so it is compared, hashed and echoed whole.

    size is that of the digits and counts their NUL."""
    name: str
    size: int
    status: int = ESME_RINVPARLEN
    default: bytes = b"\0\0\0"

    @property
    def span(self) -> int:
        return self.size + 2

    @property
    def format(self) -> bytes:
        return b"%b"

    def pattern(self) -> bytes:
        return rb"(..[^\0]{0,%d}+\0)" % (self.size - 1)

    def after(self, buffer: bytes, at: int, end: int) -> int:
        return buffer.find(0, at + 2, min(at + self.span, end)) + 1

    def complaint(self, _first: int) -> str:
        return f"longer than {self.size - 1} octets"


Field: TypeAlias = Octet | Text | Address


class Shape(NamedTuple):
    """What a row of fields compiles to."""
    pattern: bytes
    parameters: tuple[str, ...]                     # one for each group of the pattern
    values: tuple[str, ...]                         # how the record takes them
    format: bytes


def shape(fields: Sequence[Field]) -> Shape:
    pattern, parameters, values = b"", [], []
    for octets, run in groupby(fields, lambda field: isinstance(field, Octet)):
        row = list(run)
        patterns = [field.pattern() for field in row]
        if octets:                                  # adjacent octets are one group, and unpack as ints
            pattern += b"(" + b"".join(patterns) + b")"
            parameters.append("_" + row[0].name)
            values.append("*_" + row[0].name)
        else:
            pattern += b"".join(patterns)
            parameters += [field.name for field in row]
            values += [field.name for field in row]
    return Shape(pattern, tuple(parameters), tuple(values), b"".join([field.format for field in fields]))


def compiled(pattern: bytes) -> Callable[[bytes, int, int], re.Match[bytes] | None]:
    """The pattern's match(buffer, at, end): `end` keeps a body inside its frame without slicing it out."""
    return cast("Callable[[bytes, int, int], re.Match[bytes] | None]", re.compile(pattern, re.DOTALL).match)


def constructor(record: type[R], parameters: Sequence[str], values: Sequence[str]) -> Callable[..., R]:
    """f(sequence, raw, *groups, tlvs=b"") -> record, generated as collections.namedtuple generates its own __new__."""
    source = f"lambda sequence, raw, {', '.join([*parameters, 'tlvs=none'])}: " \
             f"new(record, (sequence, {', '.join([*values, 'tlvs'])}, raw))"
    # every word of the source is a field name from our own tables
    return cast("Callable[..., R]", eval(source, {"new": new, "record": record, "none": b""}))  # noqa: S307


class Grammar(Generic[R]):
    """The fields of one body, and its record: NamedTuple(sequence, fields…, tlvs, raw).

    With `counted` the last field is a length octet, and the record has one more value, the text of that length.
    `short` is the status for a body that ends too early."""

    def __init__(self, record: type[R], *fields: Field, counted: str = "", short: int = ESME_RINVPARLEN) -> None:
        self.record, self.fields, self.counted, self.short = record, fields, counted, short
        form = shape(fields)
        text = (counted,) if counted else ()
        self._match = compiled(form.pattern + b"(.*)")
        self._build = constructor(record, form.parameters + text, form.values + text)
        self._format = form.format + (b"%b%b" if counted else b"%b")
        self._empty = tuple(self._defaults(0).values())[1:]

    def decode(self, buffer: bytes, sequence: int, at: int, end: int) -> R:
        """The body in buffer[at:end] as a record, or Malformed."""
        match = self._match(buffer, at, end)
        if match is None:
            raise self.explain(buffer, at, end) or unmatched()
        groups = match.groups()
        if not self.counted:
            if groups[-1]:
                tlvs = tlv.whole(groups[-1], HEADER_SIZE + match.start(match.re.groups) - at)
                return self._build(sequence, match[0], *groups[:-1], tlvs)
        elif len(groups[-1]) != groups[-2][-1]:     # more than the text, or less
            *fields, rest = groups
            length, start = fields[-1][-1], HEADER_SIZE + match.start(match.re.groups) - at
            if len(rest) < length:
                raise cut_text(self.fields[-1].name, start, length, len(rest))
            return self._build(sequence, match[0], *fields, rest[:length], tlv.whole(rest[length:], start + length))
        return self._build(sequence, match[0], *groups)

    def encode(self, record: R) -> bytes:
        """The body's octets. The fields rule; of `raw` only the zero octets that stood behind them are kept."""
        body = self._format % record[1:-1]
        raw: bytes = record[-1]
        return body if len(raw) <= len(body) else with_slack(body, raw)

    def absent(self, sequence: int) -> R:
        """The record of a response that came without its body."""
        return new(self.record, (sequence, *self._empty))

    def build(self, sequence: int = 0, **values: Any) -> R:
        """A record from keywords and the specification's defaults; lengths and counts are filled in.

        ValueError if the values do not fit their fields: what is built here can be read by anybody."""
        if unknown := values.keys() - set(self.record._fields):     # type: ignore[attr-defined]  # a NamedTuple has them
            raise ValueError(f"{self.record.__name__} has no {', '.join(sorted(unknown))}")
        whole = self._defaults(sequence) | self._counts(values) | values
        try:
            body = self.encode(new(self.record, whole.values()))
            built = self.decode(body, sequence, 0, len(body))
        except (Malformed, OverflowError) as fault:
            raise ValueError(str(fault)) from fault
        if built[:-1] != tuple(whole.values())[:-1]:
            raise ValueError(f"{self.record.__name__} would not be read as it was written: {whole}")
        return built

    def _defaults(self, sequence: int) -> dict[str, Any]:
        text = {self.counted: b""} if self.counted else {}
        return {"sequence": sequence, **{field.name: field.default for field in self.fields}, **text,
                "tlvs": b"", "raw": b""}

    def _counts(self, values: dict[str, Any]) -> dict[str, int]:
        if self.counted in values:
            return {self.fields[-1].name: len(values[self.counted])}
        return {}

    def explain(self, buffer: bytes, at: int, end: int) -> Malformed | None:
        """The first thing wrong with the body in buffer[at:end], or None. Slow: field by field, without the pattern."""
        after, fault = walk(self.fields, buffer, at, at, end, self.short)
        return fault or self._explain_tail(buffer, at, after, end)

    def _explain_tail(self, buffer: bytes, start: int, at: int, end: int) -> Malformed | None:
        if self.counted:
            length = buffer[at - 1]
            if end - at < length:
                return cut_text(self.fields[-1].name, HEADER_SIZE + at - start, length, end - at)
            at += length
        try:
            tlv.whole(buffer[at:end], HEADER_SIZE + at - start)
        except Malformed as fault:
            return fault
        return None


class Single(Grammar[R]):
    """A body of one text, the usual response: without optional parameters it is read without the pattern, in half
    the time, and an empty one in a quarter."""

    def __init__(self, record: type[R], text: Text) -> None:
        super().__init__(record, text)
        self._size = text.size

    def decode(self, buffer: bytes, sequence: int, at: int, end: int) -> R:
        if end - at == 1 and not buffer[at]:
            return new(self.record, (sequence, b"", b"", b"\0"))
        raw = buffer[at:end]
        text = raw[:-1]
        if 0 not in text and raw[-1:] == b"\0" and len(raw) <= self._size:
            return new(self.record, (sequence, text, b"", raw))
        return super().decode(buffer, sequence, at, end)


def walk(fields: Sequence[Field], buffer: bytes, start: int, at: int, end: int,
         short: int) -> tuple[int, Malformed | None]:
    """Goes through the fields one by one -> where they end, or the first that is wrong. The body starts at `start`."""
    for field in fields:
        after = field.after(buffer, at, end)
        if not after:
            offset = HEADER_SIZE + at - start
            if end - at < field.span:
                return at, Malformed(field.name, offset, short, "the body ends too early")
            return at, Malformed(field.name, offset, field.status, field.complaint(buffer[at]))
        at = after
    return at, None


def cut_text(field: str, start: int, announced: int, present: int) -> Malformed:
    """The length octet in front of `start` promises more than there is."""
    return Malformed(field, start - 1, ESME_RINVMSGLEN, f"{announced} announced, {present} octets follow")


def unmatched() -> Malformed:
    """The pattern and the walk disagree, which the tests rule out; still only a fault of this one PDU."""
    return Malformed("body", HEADER_SIZE, ESME_RINVPARLEN)


def with_slack(body: bytes, raw: bytes) -> bytes:
    """raw, if it is the body and up to three zero octets; else the body: somebody has changed a field."""
    slack = raw[len(body):]
    return raw if len(slack) <= tlv.SLACK and not any(slack) and raw.startswith(body) else body
