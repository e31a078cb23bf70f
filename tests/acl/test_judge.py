import sys
from collections.abc import Callable
from itertools import product
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acl import reasons
from acl.judge import Policy, Purse, judge
from acl.rate import Rate
from acl.reasons import Refusal
from acl.senders import Senders
from acl.settings import Settings
from acl.tariff import Tariff

PRICES = {"": 10, "48": 7, "99": 0}


class Message(NamedTuple):
    source: bytes = b"\5\0ACME\0"
    destination: bytes = b"\1\x01447700900123\0"
    data_coding: int = 0
    length: int = 1  # in parts


def counted(message: Message) -> int:
    return message.length


def policy(prices: dict[str, int] = PRICES, **settings: Any) -> Policy:
    return Policy(Settings.of({"senders": ["ACME", "38069"], **settings}), prices)


def purse(credit: int = 10**9, throughput: float = 0, burst: float = 0) -> Purse:
    return Purse(credit, Rate(throughput, burst))


def verdict(message: Message, of: Policy | None = None, **limits: Any) -> int | str:
    (found,) = judge(of or policy(), purse(**limits), [message], 0.0, counted)
    return found.reason if isinstance(found, Refusal) else found


ELSEWHERE = b"\1\x0148600100200\0"
FREE = b"\1\x01999999999\0"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (Message(), 10),
        (Message(length=8), 80),
        (Message(destination=ELSEWHERE, length=3), 21),
        (Message(destination=b"\0\0+48600100200\0"), 7),
        (Message(destination=b"\1\x01999999999\0"), 0),
        (Message(source=b"\0\x0038069\0"), 10),
        (Message(source=b"\5\0acme\0"), reasons.SENDER_NOT_ALLOWED),
        (Message(source=b"\0\0\0"), reasons.SENDER_NOT_ALLOWED),
        (Message(destination=b"\1\1\0"), reasons.DESTINATION_INVALID),
        (Message(destination=b"\1\x01447700\0"), reasons.DESTINATION_INVALID),
        (Message(destination=b"\1\x014477009001234567\0"), reasons.DESTINATION_INVALID),
        (Message(destination=b"\1\x0144770090012x\0"), reasons.DESTINATION_INVALID),
        (Message(destination=b"\1\x010044770090012\0"), reasons.DESTINATION_INVALID),
        (Message(destination=b"\1\x01+0447700900123\0"), reasons.DESTINATION_INVALID),
        (Message(destination=b"\3\x01447700900123\0"), reasons.DESTINATION_INVALID),
        (Message(length=0), reasons.ALPHABET_INVALID),
        (Message(length=-1), reasons.DATA_CODING_UNSUPPORTED),
        (Message(length=9), reasons.TEXT_TOO_LONG),
    ],
)
def test_one_message(message: Message, expected: int | str) -> None:
    assert verdict(message) == expected


@pytest.mark.parametrize(
    ("settings", "message", "expected"),
    [
        ({"senders": ["*"]}, Message(source=b"\1\x0133601020304\0"), 10),
        ({"senders": []}, Message(), reasons.SENDER_NOT_ALLOWED),
        ({"default_sender": "ACME"}, Message(source=b"\0\0\0"), 10),
        ({"allow_destinations": ["48"]}, Message(), reasons.DESTINATION_FORBIDDEN),
        ({"allow_destinations": ["48"]}, Message(destination=ELSEWHERE), 7),
        ({"deny_destinations": ["4477"]}, Message(), reasons.DESTINATION_FORBIDDEN),
        ({"deny_destinations": ["4477"]}, Message(destination=b"\0\0+447700900123\0"), reasons.DESTINATION_FORBIDDEN),
        ({"data_codings": [8]}, Message(), reasons.DATA_CODING_UNSUPPORTED),
        ({"data_codings": [8]}, Message(data_coding=8), 10),
        ({"data_codings": []}, Message(data_coding=0xF5), 10),
        ({"max_parts": 1}, Message(length=2), reasons.TEXT_TOO_LONG),
        ({"max_parts": 0}, Message(length=200), 2000),
    ],
)
def test_a_message_by_the_settings(settings: dict[str, Any], message: Message, expected: int | str) -> None:
    assert verdict(message, policy(**settings)) == expected


def test_no_price_no_route() -> None:
    assert verdict(Message(), policy({})) == reasons.NO_ROUTE
    assert verdict(Message(), policy({"48": 1})) == reasons.NO_ROUTE


def test_the_first_thing_wrong_is_the_reason() -> None:
    """Sender, destination, coding and text, credit, rate: in this order."""
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"source": b"\5\0evil\0"}, reasons.SENDER_NOT_ALLOWED),
        ({"destination": b"\1\1x\0"}, reasons.DESTINATION_INVALID),
        ({"data_coding": 4}, reasons.DATA_CODING_UNSUPPORTED),
        ({"length": 0}, reasons.ALPHABET_INVALID),
        ({"credit": 0}, reasons.NO_CREDIT),
        ({"spent": 5}, reasons.THROTTLED),
    ]
    for chosen in product([False, True], repeat=len(wrong)):
        faults = [fault for fault, is_wrong in zip(wrong, chosen, strict=True) if is_wrong]
        changes: dict[str, Any] = {name: value for fault, _reason in faults for name, value in fault.items()}
        held = purse(changes.pop("credit", 100), 1, 5)
        held.rate.take(changes.pop("spent", 0), 0.0)
        expected = Refusal(faults[0][1]) if faults else 10
        assert judge(policy(data_codings=[0]), held, [Message(**changes)], 0.0, counted) == [expected]


def test_a_refused_message_takes_neither_credit_nor_rate() -> None:
    held = purse(100, 10, 5)
    run = [Message(source=b"\5\0evil\0"), Message(destination=b"\1\1\0"), Message(length=0), Message(length=-1)] * 10
    assert not any(type(found) is int for found in judge(policy(), held, run, 0.0, counted))
    assert (held.credit, held.rate.available(0.0)) == (100, 5)


def test_no_credit_takes_no_rate_and_throttled_no_credit() -> None:
    held = purse(10, 10, 5)
    refused = judge(policy(), held, [Message(length=2)], 0.0, counted)
    assert refused == [Refusal(reasons.NO_CREDIT)]
    assert (held.credit, held.rate.available(0.0)) == (10, 5)
    held = purse(1000, 10, 5)
    assert judge(policy(), held, [Message(length=5), Message()], 0.0, counted) == [50, Refusal(reasons.THROTTLED)]
    assert (held.credit, held.rate.available(0.0)) == (950, 0)


def test_the_last_credit_goes_to_whom_it_suffices() -> None:
    held = purse(25)
    run = [Message(), Message(length=2), Message(destination=ELSEWHERE), Message(destination=ELSEWHERE)]
    no = Refusal(reasons.NO_CREDIT)
    assert judge(policy(), held, run, 0.0, counted) == [10, no, 7, 7]
    assert held.credit == 1
    assert judge(policy(), held, run, 0.0, counted) == [no, no, no, no]
    assert verdict(Message(destination=b"\1\x01999999999\0"), credit=0) == 0


def test_credit_below_zero_buys_nothing() -> None:
    assert verdict(Message(), credit=-1) == reasons.NO_CREDIT


def test_the_rate_counts_parts_over_everything_that_shares_the_purse() -> None:
    held, rules = purse(10**6, 10, 12), policy()
    assert [type(one) for one in judge(rules, held, [Message(length=5)] * 3, 0.0, counted)] == [int, int, Refusal]
    assert judge(rules, held, [Message(length=2), Message()], 0.0, counted) == [20, Refusal(reasons.THROTTLED)]
    assert judge(rules, held, [Message(length=5), Message(length=6)], 1.0, counted) == [50, Refusal(reasons.THROTTLED)]


def test_a_message_of_more_parts_than_the_burst_passes_a_full_bucket() -> None:
    held, rules, throttled = purse(10**6, 1, 4), policy(), Refusal(reasons.THROTTLED)
    assert judge(rules, held, [Message(length=6), Message()], 0.0, counted) == [60, throttled]
    assert judge(rules, held, [Message(), Message(length=6)], 5.0, counted) == [10, throttled]
    assert judge(rules, held, [Message(length=6), Message(length=6)], 20.0, counted) == [60, throttled]


def test_an_empty_run() -> None:
    assert judge(policy(), purse(), [], 0.0, counted) == []


class Broken(dict[bytes, Any]):
    def __missing__(self, key: bytes) -> Any:
        raise RuntimeError(key)


def explode(message: Message) -> int:
    raise ZeroDivisionError


def broken(**parts: Any) -> Policy:
    rules = policy()
    for name, value in parts.items():
        setattr(rules, name, value)
    return rules


class BrokenSenders(Senders):
    def __missing__(self, address: bytes) -> bool:
        raise RuntimeError


class BrokenTariff(Tariff):
    def __missing__(self, head: bytes) -> int | Refusal:
        raise RuntimeError


@pytest.mark.parametrize(
    ("rules", "parts"),
    [
        (broken(senders=BrokenSenders()), counted),
        (broken(tariff=BrokenTariff({})), counted),
        (broken(codings=None), counted),
        (broken(max_parts=None), counted),
        (policy(), explode),
        (policy(), lambda message: None),
        (policy(), lambda message: "1"),
    ],
)
def test_whatever_throws_denies_and_takes_nothing(rules: Policy, parts: Callable[[Message], Any]) -> None:
    held = purse(100, 10, 5)
    assert judge(rules, held, [Message(), Message()], 0.0, parts) == [Refusal(reasons.CHECK_FAILED)] * 2
    assert (held.credit, held.rate.available(0.0)) == (100, 5)


def test_a_message_that_breaks_a_check_does_not_harm_its_neighbours() -> None:
    odd: Any = Message(source=None)  # type: ignore[arg-type]  # what no wire brings, but a fault elsewhere might
    held = purse(100)
    assert judge(policy(), held, [Message(), odd, Message()], 0.0, counted) == [10, Refusal(reasons.CHECK_FAILED), 10]
    assert held.credit == 80


def test_a_broken_rate_or_credit_denies() -> None:
    held = purse(100, 10, 5)
    nowhen: Any = None
    assert judge(policy(), held, [Message()], nowhen, counted) == [Refusal(reasons.CHECK_FAILED)]
    nothing: Any = None
    held = Purse(nothing, Rate(0, 0))
    assert judge(policy(), held, [Message()], 0.0, counted) == [Refusal(reasons.CHECK_FAILED)]


def test_a_policy_is_compiled_from_settings() -> None:
    rules = policy(default_sender="38069", addresses=["192.0.2.0/24"], max_parts=0)
    assert rules.default_source == b"\3\x0138069\0"
    assert rules.networks.contains("::ffff:192.0.2.7")
    assert rules.max_parts == sys.maxsize
    assert policy().default_source is None


MESSAGES = st.builds(
    Message,
    source=st.sampled_from([b"\5\0ACME\0", b"\5\0evil\0", b"\0\0\0"]),
    destination=st.sampled_from([b"\1\x01447700900123\0", ELSEWHERE, b"\0\0+48600100200\0", b"\1\1x\0", FREE]),
    data_coding=st.sampled_from([0, 8, 4]),
    length=st.integers(-1, 10),
)  # fmt: skip


@given(
    st.lists(st.tuples(st.lists(MESSAGES, max_size=12), st.floats(0, 1)), max_size=8),
    st.integers(0, 400),
    st.integers(0, 30),
    st.integers(1, 10),
)
def test_a_run_is_judged_as_its_messages_one_by_one(
    runs: list[tuple[list[Message], float]], credit: int, throughput: int, burst: int
) -> None:
    rules, now, spent = policy(data_codings=[0, 8]), 0.0, 0
    together, single = purse(credit, throughput, burst), purse(credit, throughput, burst)
    for run, pause in runs:
        now += pause
        verdicts = judge(rules, together, run, now, counted)
        assert verdicts == [judge(rules, single, [message], now, counted)[0] for message in run]
        spent += sum(one for one in verdicts if isinstance(one, int))
        assert together.credit == single.credit == credit - spent >= 0


def test_a_fresh_policy_judges_as_one_that_remembers() -> None:
    random, rules = Random(7), policy()
    for _ in range(2000):
        digits = "".join(random.choices("0123456789+", k=random.randint(0, 17)))
        message = Message(destination=bytes((random.randint(0, 2), 1)) + digits.encode() + b"\0")
        assert verdict(message, rules) == verdict(message, policy())


# -- the blacklist -----------------------------------------------------------------------------------------------------
def test_a_number_on_the_blacklist_is_refused_at_no_cost_in_either_spelling() -> None:
    of, full = policy(), purse(credit=100, throughput=10, burst=10)
    of.block(frozenset({b"48600100200"}))
    run = [Message(destination=ELSEWHERE), Message(destination=b"\0\0+48600100200\0"), Message()]
    assert judge(of, full, run, 0.0, counted) == [
        Refusal(reasons.DESTINATION_BLACKLISTED), Refusal(reasons.DESTINATION_BLACKLISTED), 10,
    ]  # fmt: skip
    assert (full.credit, full.rate.available(0.0)) == (90, 9)
    of.block(frozenset())
    assert verdict(Message(destination=ELSEWHERE), of) == 7


def test_where_a_receipt_is_to_tell_it_the_message_is_judged_like_any_other() -> None:
    of = Policy(Settings.of({"senders": ["ACME"], "blacklisted": "receipt"}), PRICES, frozenset({b"48600100200"}))
    assert verdict(Message(destination=ELSEWHERE), of) == 7
    assert verdict(Message(destination=ELSEWHERE), Policy(Settings.of({"senders": ["ACME"]}), PRICES, of.blocked)) == (
        reasons.DESTINATION_BLACKLISTED
    )


def test_another_reason_goes_first_and_tells_nobody_who_is_on_the_list() -> None:
    of = policy(deny_destinations=["486"])
    of.block(frozenset({b"48600100200"}))
    assert verdict(Message(destination=ELSEWHERE), of) == reasons.DESTINATION_FORBIDDEN
    assert verdict(Message(source=b"\5\0OTHER\0", destination=ELSEWHERE), of) == reasons.SENDER_NOT_ALLOWED
