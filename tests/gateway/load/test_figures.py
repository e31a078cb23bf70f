"""What the figures are made of, and what is said of them."""

from typing import Any

import pytest

from gateway.load import texts
from gateway.load.figures import faults, figures, warnings
from gateway.load.plan import Plan
from gateway.load.tally import Tally

MS = 1_000_000


def found(plan: Plan, tally: Tally, **more: Any) -> dict[str, Any]:
    rest = {"unanswered": 0, "lost_connections": 0, "interrupted": False, "generator_share": 0.2}
    return figures(plan, tally, 2.0, tally.answered) | rest | more


def counted(accepted: int = 10) -> Tally:
    tally = Tally()
    tally.sent = tally.accepted = accepted
    tally.latency.add(1500, accepted)
    return tally


def test_a_run_in_which_all_went_well() -> None:
    run = found(Plan(2775, texts=texts.mixed({"gsm": 3, "long": 1}, 40, 3)), counted())
    assert (faults(run), warnings(run)) == ([], [])
    assert (run["messages_per_second"], run["ids"], run["statuses"]) == (5, "-", {"ESME_ROK": 10})
    assert (run["texts"], run["bind"], run["tls"]) == ({"gsm": 3, "long": 1}, "transceiver", False)
    assert (run["p50_ms"], run["max_ms"], run["receipt_p50_ms"]) == (1.5, 1.5, 0)
    assert run["histogram"] == [{"to_ms": 2.0, "number": 10}]


def test_receipts_that_are_missing() -> None:
    tally = counted()
    tally.owe([b"%d" % number for number in range(10)], MS)
    tally.receive([b"%d" % number for number in range(7)], 3 * MS)
    run = found(Plan(2775, receipts=True), tally)
    assert (run["receipts"], run["receipts_missing"], run["ids"], run["receipt_p50_ms"]) == (7, 3, "differ", 2.0)
    assert faults(run) == ["3 receipts missing"]


def test_statuses_have_names_and_unknown_ones_their_number() -> None:
    tally = counted()
    tally.refused.update({0x58: 3, 0x4AB: 1})
    run = found(Plan(2775), tally)
    assert run["statuses"] == {"ESME_ROK": 10, "ESME_RTHROTTLED": 3, "0x000004ab": 1}
    assert (run["refused"], run["throttled"]) == ({"0x00000058": 3, "0x000004ab": 1}, 3)
    assert faults(run) == ["4 refused"]


def test_nothing_at_all() -> None:
    run = found(Plan(2775), Tally())
    assert faults(run) == ["nothing was accepted"]
    assert (run["statuses"], run["max_ms"], run["histogram"]) == ({}, 0, [])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"generator_share": 0.96}, "the generator was the limit"),
        ({"rate": 100}, "pace of 100 a second was not kept"),
        ({"foreign_receipts": 2}, "2 receipts name no message of this run, or came again"),
        ({"foreign_receipts": 2, "receipts_missing": 2}, "two ways"),
        ({"other_deliveries": 1}, "1 other messages"),
        ({"receipts_on": True}, "too many receipts"),
    ],
)
def test_what_must_be_known_to_read_the_figures(more: dict[str, Any], said: str) -> None:
    [sentence] = warnings(found(Plan(2775), counted(), **more))
    assert said in sentence


@pytest.mark.parametrize("why", ["interrupted", "lost_connections"])
def test_a_pace_that_ended_early_is_not_complained_of(why: str) -> None:
    assert warnings(found(Plan(2775), counted(), rate=100, **{why: True})) == []
