"""What a customer's developers need to know of the wire, read out of the tables that decide what happens on it.

Invariant: nothing is told here that the code does not do, because it is the same table. The page puts it into the
reader's words; what stands here are the names of the protocol, numbers, and sentences marked for translation.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from acl.reasons import LOGIN_REASONS, MALFORMED, REASONS
from acl.settings import OPTIONAL_COMMANDS, Settings
from gateway.network.dispatch import BLACKLISTED_ERROR, DELETED_ERROR, EXPIRED_ERROR
from gateway.smpp.answers import status_of
from gateway.zones import zone_of
from pdu import constants as smpp
from pdu import receipt, tlv
from pdu.bodies import BODIES, DELIVER_SM_BODY, HEADER_ONLY, address
from pdu.commands import COMMANDS, ESME, KIND_OF, Command
from pdu.grammar import Address, Field, Grammar, Octet
from pdu.tables import Tabled
from pdu.text import CODINGS, capacity, kind_of

from .words import marked

SENT = frozenset({smpp.UNBIND, smpp.ENQUIRE_LINK, smpp.DELIVER_SM})  # requests that this gateway makes of its clients
FIELD_KINDS = {
    "integer": marked("integer"),
    "text": marked("text ending in a zero octet"),
    "address": marked("TON, NPI, and the number ending in a zero octet"),
    "octets": marked("octets"),
    "rows": marked("rows, as many as the field before says"),
    tlv.STRING: marked("string"),
}
EXAMPLE_ID, EXAMPLE_TIME = b"123456789012345678", 1_790_000_000_000
VENDOR = {smpp.TLV_OUTGOING_ID: "outgoing_id", smpp.TLV_INCOMING_ID: "incoming_id"}
OWN_ERRORS = {
    0: marked("No error: the message was delivered."),
    BLACKLISTED_ERROR: marked("The number stands on the account's blacklist."),
    EXPIRED_ERROR: marked("The message's time ran out before it was delivered."),
    DELETED_ERROR: marked("The message was cancelled before it was delivered."),
}


def sizes(least: int, most: int) -> str:
    return str(most) if least == most else f"{least}–{most}"


def status_text(number: int) -> str:
    return f"0x{number:02X} {smpp.STATUS_NAMES.get(number, '')}".strip()


# -- PDUs --------------------------------------------------------------------------------------------------------------
class Pdu(NamedTuple):
    """One request. `by_you` and `by_gateway`: who sends it. `on`: an optional command may be off for an account."""

    name: str
    id: int
    response: str
    by_you: bool
    by_gateway: bool
    states: tuple[str, ...]
    on: bool


def pdus(settings: Settings) -> list[Pdu]:
    """Requests that pass between this gateway and its clients."""
    return [pdu(command, settings) for command in COMMANDS.values() if passes(command)]


def passes(command: Command) -> bool:
    return ESME in command.senders or command.id in SENT


def pdu(command: Command, settings: Settings) -> Pdu:
    name, states = command.name, tuple(sorted(command.states))
    if command.id in KIND_OF:
        on = KIND_OF[command.id] in settings.bind_types
    else:
        on = name not in OPTIONAL_COMMANDS or name in settings.commands
    response = "" if command.response is None else f"{smpp.COMMAND_NAMES[command.response]} 0x{command.response:08X}"
    return Pdu(name, command.id, response, ESME in command.senders, command.id in SENT, states, on)


# -- fields ------------------------------------------------------------------------------------------------------------
class Row(NamedTuple):
    """A field of a body. `limits` where a value may not be any; `status` is what a wrong one is answered with, None
    where no value is wrong."""

    name: str
    kind: str
    size: str
    limits: str
    status: int | None


class Body(NamedTuple):
    commands: tuple[str, ...]
    rows: tuple[Row, ...]


def field_row(field: Field) -> Row:
    if isinstance(field, Octet):
        if (field.least, field.most) == (0, 255):
            return Row(field.name, "integer", "1", "", None)
        return Row(field.name, "integer", "1", f"{field.least}–{field.most}", field.status)
    if isinstance(field, Address):
        return Row(field.name, "address", f"3–{field.span}", "", field.status)
    return Row(field.name, "text", f"1–{field.span}", "", field.status)


def rows_of(body: Grammar[Any]) -> Iterator[Row]:
    if isinstance(body, Tabled):
        yield from map(field_row, body.before)
        yield Row(body.name, "rows", "", "", smpp.ESME_RINVPARLEN)
    yield from map(field_row, body.fields)
    if body.counted:
        length = body.fields[-1]
        most = length.most if isinstance(length, Octet) else 0
        yield Row(body.counted, "octets", sizes(0, most), "", smpp.ESME_RINVMSGLEN)


@cache
def bodies() -> tuple[Body, ...]:
    """Every body that has fields, with all PDUs that have it: requests, and the responses to them."""
    shared: dict[int, list[int]] = defaultdict(list)
    for number in traded():
        if BODIES[number] is not HEADER_ONLY:
            shared[id(BODIES[number])].append(number)
    return tuple(
        Body(tuple(smpp.COMMAND_NAMES[number] for number in numbers), tuple(rows_of(BODIES[numbers[0]])))
        for numbers in shared.values()
    )


def traded() -> list[int]:
    """The numbers of all PDUs that pass, responses behind the requests."""
    requests = [command for command in COMMANDS.values() if passes(command)]
    return [command.id for command in requests] + [each.response for each in requests if each.response is not None]


# -- optional parameters -----------------------------------------------------------------------------------------------
class Parameter(NamedTuple):
    tag: int
    name: str
    kind: str
    size: str
    values: str
    commands: tuple[str, ...]


@cache
def parameters() -> tuple[Parameter, ...]:
    found = []
    for row in tlv.TABLE.values():
        commands = tuple(smpp.COMMAND_NAMES[number] for number in traded() if number in row.valid_in)
        values = "" if row.values is None else f"{row.values.start}–{row.values.stop - 1}"
        if commands:
            found.append(Parameter(row.tag, row.name, row.kind, sizes(row.least, row.most), values, commands))
    return tuple(found)


# -- text --------------------------------------------------------------------------------------------------------------
class Text(NamedTuple):
    """How the values of data_coding in `codings` are counted: characters alone in a message, and in each of many."""

    codings: str
    kind: str
    alone: int
    each: int
    allowed: str


def texts(settings: Settings) -> list[Text]:
    counted: dict[str, list[int]] = defaultdict(list)
    for coding in sorted(CODINGS):
        counted[kind_of(coding, settings.default_alphabet) or ""].append(coding)
    only = set(settings.data_codings)
    return [
        Text(
            ranges(codings), kind, capacity(kind), capacity(kind, 2),
            ranges(codings if not only else [one for one in codings if one in only]),
        )
        for kind, codings in counted.items()
    ]  # fmt: skip


def ranges(numbers: Sequence[int]) -> str:
    """0x00, 0x10–0x13"""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"0x{run[0]:02X}" + (f"–0x{run[-1]:02X}" if run[1:] else "") for run in runs)


# -- receipts ----------------------------------------------------------------------------------------------------------
class Receipt(NamedTuple):
    """An example as this account gets it: its text, and its optional parameters."""

    text: str
    tlvs: tuple[tuple[int, str, str], ...]


def example(settings: Settings) -> Receipt:
    """Made by what makes all receipts."""
    vendor, done = settings.receipt_tlvs == "vendor", EXAMPLE_TIME + 60_000
    middle, tail = receipt.frame(EXAMPLE_TIME, done, smpp.DELIVERED, 0, vendor, zone_of(settings.receipt_zone))
    sender, recipient = address(5, 0, b"SENDER"), address(1, 1, b"48600100200")
    body, length = receipt.deliver_sm(EXAMPLE_ID, sender, recipient, b"Hello", middle, tail)
    if settings.receipt_tlvs == "none":
        body = body[:length]
    made = DELIVER_SM_BODY.decode(body, 0, 0, len(body))
    tlvs = [(tag, VENDOR.get(tag) or tlv.name_of(tag), shown(tag, octets)) for tag, octets in tlv.parse(made.tlvs)]
    return Receipt(made.short_message.decode("ascii"), tuple(tlvs))


def shown(tag: int, octets: bytes) -> str:
    value = octets.rstrip(b"\0") if tag in VENDOR else tlv.value(tag, octets)
    if isinstance(value, int):
        return str(value)
    return value.decode("ascii") if value.isalnum() else value.hex(" ")


class State(NamedTuple):
    word: str
    number: int
    name: str


STATES = tuple(State(word.decode("ascii"), number, smpp.STATE_NAMES[number]) for number, word in receipt.STAT.items())


class Error(NamedTuple):
    """Of a receipt's err field. `why` is empty for what the network says, which is then known by its state alone."""

    code: int
    why: str
    state: str = ""


def errors(rules: Iterable[Mapping[str, Any]]) -> list[Error]:
    """Codes of the gateway's own, and those of the network's rules."""
    own = [Error(code, why) for code, why in OWN_ERRORS.items()]
    said = {(rule["error"], rule["state"]) for rule in rules if rule["error"] not in OWN_ERRORS}
    return sorted([*own, *(Error(code, "", state) for code, state in said)])


# -- refusals and statuses ---------------------------------------------------------------------------------------------
class Answer(NamedTuple):
    """`own`: the account has chosen this status itself."""

    reason: str
    why: str
    status: int
    own: bool


def answers(settings: Settings) -> list[Answer]:
    found = []
    for reason, why in REASONS.items():
        fixed = reason in LOGIN_REASONS or reason == MALFORMED
        status = status_of(reason, {} if fixed else settings.status_overrides)
        found.append(Answer(reason, why, status, status != status_of(reason, {})))
    return found


class Status(NamedTuple):
    """`reasons` and `fields` are what it answers here: refusals, and fields with a wrong value."""

    number: int
    name: str
    reasons: tuple[str, ...]
    fields: tuple[str, ...]


def statuses(settings: Settings) -> list[Status]:
    reasons: dict[int, list[str]] = defaultdict(list)
    fields: dict[int, list[str]] = defaultdict(list)
    for answer in answers(settings):
        reasons[answer.status].append(answer.reason)
    for body in bodies():
        for row in body.rows:
            if row.status is not None and row.name not in fields[row.status]:
                fields[row.status].append(row.name)
    return [
        Status(number, name, tuple(reasons[number]), tuple(fields[number]) if number != smpp.ESME_RINVPARLEN else ())
        for number, name in sorted(smpp.STATUS_NAMES.items())
    ]
