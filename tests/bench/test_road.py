"""What is made of the figures of the road: ratios within a round, and medians."""

import os
from typing import Any

from acl.judge import Policy
from acl.settings import Settings
from acl.tariff import plan
from bench import account, codec, filling, process, road
from bench.cases import BY_NAME
from pdu.bodies import SUBMIT_SM_BODY
from tests.bench.sample import figures


def rows(*pairs: tuple[int, int]) -> list[dict[str, Any]]:
    return [{"gateway": figures(ours), "node-smpp": figures(theirs)} for ours, theirs in pairs]


def test_the_median_of_the_ratios_counts_not_the_ratio_of_medians() -> None:
    found = road.one_compared(BY_NAME["receipts"], rows((300, 100), (800, 200), (500, 250)))
    assert [one["ratio"] for one in found["rounds"]] == [3.0, 4.0, 2.0]
    assert found["ratio"] == 3.0


def test_the_floor_may_be_missing_from_some_rounds_or_from_all() -> None:
    found = rows((300, 100), (800, 200))
    assert road.one_compared(BY_NAME["receipts"], found)["to_floor"] is None
    found[1]["floor"] = figures(8000)
    compared = road.one_compared(BY_NAME["receipts"], found)
    assert (compared["to_floor"], compared["floor_p99_ms"]) == (0.1, 2.5)


def test_a_case_that_was_not_in_every_round_is_compared_by_those_it_was_in() -> None:
    cases = [BY_NAME["receipts"], BY_NAME["single"]]
    [first], [second] = rows((300, 100)), rows((500, 100))
    found = road.compared(cases, [{"receipts": first, "single": first}, {"receipts": second}])
    assert [len(found[case.name]["rounds"]) for case in cases] == [2, 1]


def test_the_usage_of_a_process_grows_with_its_work() -> None:
    before = process.usage([os.getpid()])
    while process.usage([os.getpid()]).cpu == before.cpu:
        sum(range(100_000))
    assert before.rss_kib > 1000


def test_every_rule_of_the_benchmark_account_lets_the_generator_pass() -> None:
    assert len(account.PRICES) == 200
    assert len(account.SENDERS) == 3
    settings = Settings.of({"senders": list(account.SENDERS), "deny_destinations": list(account.DENIED)})
    policy = Policy(settings, plan(account.PRICES))
    submit = SUBMIT_SM_BODY.decode(body := filling.BODY % 123_456, 0, 0, len(body))
    assert policy.senders[submit.source]
    assert policy.tariff.price(submit.destination) == account.PRICE


def test_the_pieces_of_the_codec_are_measured() -> None:
    pieces = codec.pieces()
    assert set(codec.measured(pieces, rounds=1)) == {piece.name for piece in pieces}
