"""Records, TLVs and whole PDUs of every kind, made from the same tables that the codec is made from."""
from typing import Any

from hypothesis import strategies as st

from pdu import tlv
from pdu.bodies import BODIES, DistributionList, HeaderOnly, Unsuccess
from pdu.codec import Pdu
from pdu.constants import ESME_ROK, RESPONSE
from pdu.faults import Malformed
from pdu.grammar import Address, Grammar, Octet, Text
from pdu.tables import DESTINATIONS, Tabled

NUMBERS = st.integers(0, 0xFFFFFFFF)
LETTERS = st.integers(1, 255)


def texts(most: int) -> st.SearchStrategy[bytes]:
    """Octets without a NUL."""
    return st.lists(LETTERS, max_size=most).map(bytes)


def addresses(size: int = 21) -> st.SearchStrategy[bytes]:
    return st.builds(lambda ton, npi, digits: bytes((ton, npi)) + digits + b"\0",
                     st.integers(0, 255), st.integers(0, 255), texts(size - 1))


TLVS = st.lists(st.tuples(st.one_of(st.sampled_from(sorted(tlv.TABLE)), st.integers(0, 0xFFFF)),
                          st.binary(max_size=40)), max_size=4)


def fault_of(grammar: Grammar[Any], body: bytes, at: int = 0, end: int | None = None) -> Malformed | None:
    """What decoding raises, which is what explaining says: the pattern and the walk never disagree."""
    end = len(body) if end is None else end
    told = grammar.explain(body, at, end)
    try:
        grammar.decode(body, 1, at, end)
    except Malformed as fault:
        raised: Malformed | None = fault
    else:
        raised = None
    assert (told and told.args) == (raised and raised.args)
    return raised


def field_values(field: Octet | Text | Address) -> st.SearchStrategy[Any]:
    if isinstance(field, Octet):
        return st.integers(field.least, field.most)
    return addresses(field.size) if isinstance(field, Address) else texts(field.size - 1)


def values(grammar: Grammar[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Keywords for grammar.build: lengths and counts are left to it."""
    if grammar.record is HeaderOnly:
        return st.just({})
    fields = list(grammar.fields)
    made: dict[str, st.SearchStrategy[Any]] = {"tlvs": TLVS.map(tlv.encode)}
    if grammar.counted:
        made[fields.pop().name] = st.nothing()
        made[grammar.counted] = st.binary(max_size=254)
    if isinstance(grammar, Tabled):
        *before, count = grammar.before
        assert isinstance(count, Octet)
        fields += before
        rows: st.SearchStrategy[Any] = st.builds(Unsuccess, addresses(), NUMBERS)
        if grammar.row is DESTINATIONS:
            rows = st.one_of(addresses(), st.builds(DistributionList, texts(20)))
        made[grammar.name] = st.lists(rows, min_size=count.least, max_size=6).map(tuple)
    made |= {field.name: field_values(field) for field in fields}
    return st.fixed_dictionaries({name: strategy for name, strategy in made.items() if not strategy.is_empty})


def records(command: int) -> st.SearchStrategy[Any]:
    grammar = BODIES[command]
    return st.builds(lambda sequence, keywords: grammar.build(sequence, **keywords), NUMBERS, values(grammar))


COMMANDS = st.sampled_from(sorted(BODIES))


@st.composite
def pdus(draw: st.DrawFn) -> Pdu:
    """Any PDU, any status. A response without an error has its body; with one it may lack it."""
    command = draw(COMMANDS)
    status = draw(st.one_of(st.just(ESME_ROK), NUMBERS))
    body = draw(records(command))
    if command & RESPONSE and status != ESME_ROK and draw(st.booleans()):
        body = HeaderOnly(body.sequence, b"", b"")
    return Pdu(command, status, body.sequence, body)
