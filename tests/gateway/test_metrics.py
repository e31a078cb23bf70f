"""What Prometheus reads: through its own parser."""

import subprocess
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics import SECONDS, SIZES, WAITS, AccountView, Histogram, Meter, Traffic
from pdu import constants as c
from pdu.frames import Frame
from tests.interop.conftest import program

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(meter: Meter) -> Samples:
    """Every sample by name and labels; none may be there twice."""
    found: Samples = {}
    for family in text_string_to_metric_families(generate_latest(meter.registry).decode()):
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found
            found[key] = sample.value
    return found


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def labels_of(samples: Samples, name: str) -> list[dict[str, str]]:
    return [dict(labels) for found, labels in samples if found == name]


def frames(*statuses: int, command: int = c.DELIVER_SM_RESP) -> list[Frame]:
    return [(command, status, sequence, 0, 0) for sequence, status in enumerate(statuses)]


def meter(*views: AccountView) -> Meter:
    return Meter(lambda: views)


# -- the whole page ------------------------------------------------------------------------------------------------
def test_a_page_of_a_gateway_that_has_done_nothing_can_be_read() -> None:
    samples = scraped(meter())
    assert value(samples, "smppgate_ledger_imbalance") == 0
    assert value(samples, "smppgate_loop_lag_seconds") == 0
    assert value(samples, "smppgate_submit_seconds_count") == 0


def test_every_metric_has_its_kind_and_says_what_it_is() -> None:
    families = list(text_string_to_metric_families(generate_latest(meter().registry).decode()))
    assert {family.name: family.type for family in families} == {
        "smppgate_pdus": "counter",
        "smppgate_messages": "counter",
        "smppgate_refusals": "counter",
        "smppgate_submit_seconds": "histogram",
        "smppgate_receipt_seconds": "histogram",
        "smppgate_commit_seconds": "histogram",
        "smppgate_commit_group_size": "histogram",
        "smppgate_payment_orders": "counter",
        "smppgate_topups_waiting": "gauge",
        "smppgate_mail_attempts": "counter",
        "smppgate_mail_waiting": "gauge",
        "smppgate_binds": "gauge",
        "smppgate_deliveries_pending": "gauge",
        "smppgate_deliveries_oldest_seconds": "gauge",
        "smppgate_credits": "gauge",
        "smppgate_ledger_imbalance": "gauge",
        "smppgate_loop_lag_seconds": "gauge",
    }
    assert all(family.documentation for family in families)


def test_accounts_are_asked_when_it_is_scraped_and_not_before() -> None:
    asked = []

    def views() -> list[AccountView]:
        asked.append(1)
        return []

    made = Meter(views)
    assert asked == []
    scraped(made)
    assert asked == [1]


def test_an_account_as_the_gauges_show_it() -> None:
    samples = scraped(
        meter(
            AccountView("smpp-a", Counter(transmitter=2, receiver=1), 7, 12.5, 99.25),
            AccountView("smpp-b", Counter(), 0, 0.0, -3.0),
        )
    )
    assert value(samples, "smppgate_binds", account="smpp-a", type="transmitter") == 2
    assert value(samples, "smppgate_binds", account="smpp-a", type="receiver") == 1
    assert value(samples, "smppgate_deliveries_pending", account="smpp-a") == 7
    assert value(samples, "smppgate_deliveries_oldest_seconds", account="smpp-a") == 12.5
    assert value(samples, "smppgate_credits", account="smpp-a") == 99.25
    assert value(samples, "smppgate_credits", account="smpp-b") == -3
    assert len(labels_of(samples, "smppgate_binds")) == 2


def test_names_that_would_break_the_page_do_not() -> None:
    name = 'smpp-"a"\\\n# TYPE x counter\nx 1'
    made = meter(AccountView(name, Counter(), 1, 0.0, 5.0))
    made.messages[name, "delivered"] += 2
    samples = scraped(made)
    assert value(samples, "smppgate_credits", account=name) == 5
    assert value(samples, "smppgate_messages_total", account=name, state="delivered") == 2
    assert not labels_of(samples, "x")


def test_messages_refusals_and_plain_gauges() -> None:
    made = meter()
    made.messages["smpp-a", "delivered"] += 3
    made.messages["smpp-a", "expired"] += 1
    made.refusals["no_credit"] += 5
    made.imbalance, made.loop_lag = -2, 0.25
    samples = scraped(made)
    assert value(samples, "smppgate_messages_total", account="smpp-a", state="delivered") == 3
    assert value(samples, "smppgate_messages_total", account="smpp-a", state="expired") == 1
    assert value(samples, "smppgate_refusals_total", reason="no_credit") == 5
    assert value(samples, "smppgate_ledger_imbalance") == -2
    assert value(samples, "smppgate_loop_lag_seconds") == 0.25


# -- PDUs ----------------------------------------------------------------------------------------------------------
def test_pdus_by_direction_command_and_status() -> None:
    made = meter()
    made.traffic.received(c.SUBMIT_SM, frames(0, 0, 0, command=c.SUBMIT_SM))
    made.traffic.received(c.DELIVER_SM_RESP, frames(0, c.ESME_RTHROTTLED, 0))
    made.traffic.sent(c.SUBMIT_SM_RESP, c.ESME_RNOCREDIT, 2)
    samples = scraped(made)

    def pdus(direction: str, command: str, status: str) -> float:
        return value(samples, "smppgate_pdus_total", direction=direction, command=command, status=status)

    assert pdus("in", "submit_sm", "ESME_ROK") == 3
    assert pdus("in", "deliver_sm_resp", "ESME_ROK") == 2
    assert pdus("in", "deliver_sm_resp", "ESME_RTHROTTLED") == 1
    assert pdus("out", "submit_sm_resp", "ESME_RNOCREDIT") == 2


def test_the_status_of_a_request_is_not_looked_at() -> None:
    made = meter()
    made.traffic.received(c.SUBMIT_SM, frames(5, 6, 0xFFFFFFFF, command=c.SUBMIT_SM))
    [labels] = labels_of(scraped(made), "smppgate_pdus_total")
    assert labels == {"direction": "in", "command": "submit_sm", "status": "ESME_ROK"}


def test_statuses_nobody_knows_are_one() -> None:
    made = meter()
    made.traffic.received(c.DELIVER_SM_RESP, frames(0x7777, 0x8888, 0xFFFFFFFF))
    made.traffic.sent(c.SUBMIT_SM_RESP, 0x999, 1)  # an account's own status
    samples = scraped(made)
    assert value(samples, "smppgate_pdus_total", direction="in", command="deliver_sm_resp", status="other") == 3
    assert value(samples, "smppgate_pdus_total", direction="out", command="submit_sm_resp", status="other") == 1


def test_commands_nobody_knows_are_one() -> None:
    made = meter()
    for command in (0, 0x0A, 0x7FFFFFFF, 0x10200):
        made.traffic.received(command, frames(0, command=command))
    [labels] = labels_of(scraped(made), "smppgate_pdus_total")
    assert labels["command"] == "unknown"


@given(st.lists(st.tuples(st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF)), max_size=50))
def test_a_client_chooses_neither_labels_nor_how_much_is_remembered(pdus: list[tuple[int, int]]) -> None:
    made = meter()
    for command, status in pdus:
        made.traffic.received(command, frames(status, command=command))
    names, statuses = {*c.COMMAND_NAMES.values(), "unknown"}, {*c.STATUS_NAMES.values(), "other"}
    for labels in labels_of(scraped(made), "smppgate_pdus_total"):
        assert labels["command"] in names
        assert labels["status"] in statuses
    known = {*c.COMMAND_NAMES, -1}
    assert all(command in known for _direction, command, _status in made.traffic.counts)
    assert made.traffic.counts.total() == len(pdus)


def test_a_scanner_that_tries_every_command_fills_no_memory() -> None:
    traffic = Traffic()
    for command in range(0x1000, 0x3000):
        traffic.received(command, frames(0, command=command))
        traffic.received(command | c.RESPONSE, frames(command, command=command | c.RESPONSE))
    assert len(traffic.counts) == 2


# -- histograms ----------------------------------------------------------------------------------------------------
def buckets(histogram: Histogram) -> dict[str, float]:
    [*samples] = histogram.family("x", "for a test").samples
    return {sample.labels["le"]: sample.value for sample in samples if sample.name == "x_bucket"}


def plain(histogram: Histogram, name: str) -> float:
    return next(sample.value for sample in histogram.family("x", "").samples if sample.name == name)


def test_a_value_is_counted_with_its_weight_in_every_bucket_above_it() -> None:
    histogram = Histogram((1, 2, 5))
    histogram.observe(1.5, 10)
    histogram.observe(0.5)
    histogram.observe(100.0, 3)
    assert buckets(histogram) == {"1": 1, "2": 11, "5": 11, "+Inf": 14}
    assert plain(histogram, "x_count") == 14
    assert plain(histogram, "x_sum") == 15 + 0.5 + 300


def test_a_value_on_a_bound_belongs_to_it() -> None:
    histogram = Histogram((1, 2, 5))
    for bound in (1, 2, 5):
        histogram.observe(bound)
    assert buckets(histogram) == {"1": 1, "2": 2, "5": 3, "+Inf": 3}


@pytest.mark.parametrize("bounds", [SECONDS, WAITS, SIZES])
def test_the_bounds_in_use_rise(bounds: tuple[float, ...]) -> None:
    assert list(bounds) == sorted(set(bounds))


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(1, 1000))))
def test_buckets_never_fall_and_end_with_all_of_them(seen: list[tuple[float, int]]) -> None:
    histogram = Histogram(SECONDS)
    for each, weight in seen:
        histogram.observe(each, weight)
    counts = list(buckets(histogram).values())
    assert counts == sorted(counts)
    assert counts[-1] == plain(histogram, "x_count") == sum(weight for _each, weight in seen)
    for bound, count in zip(SECONDS, counts, strict=False):
        assert count == sum(weight for each, weight in seen if each <= bound)
    assert plain(histogram, "x_sum") == pytest.approx(sum(each * weight for each, weight in seen))


def test_the_four_histograms_are_shown_with_what_they_saw() -> None:
    made = meter()
    for number, histogram in enumerate(
        (made.submit_seconds, made.receipt_seconds, made.commit_seconds, made.commit_group_size), 1
    ):
        histogram.observe(1.0, number)
    samples = scraped(made)
    for number, name in enumerate(("submit_seconds", "receipt_seconds", "commit_seconds", "commit_group_size"), 1):
        assert value(samples, f"smppgate_{name}_count") == number
        assert value(samples, f"smppgate_{name}_bucket", le="+Inf") == number


# -- the referee ---------------------------------------------------------------------------------------------------
def busy() -> Meter:
    """Something in every family."""
    views = [
        AccountView('smpp-"quoted"\\', Counter(transmitter=2), 3, 1.5, -2.5),
        AccountView("other", Counter(receiver=1), 0, 0.0, 1e6),
    ]
    made = meter(*views)
    made.traffic.received(c.SUBMIT_SM, frames(0, 0, command=c.SUBMIT_SM))
    made.traffic.received(0x7FFFFFFF, frames(9))
    made.traffic.sent(c.SUBMIT_SM_RESP, 0x12345, 2)
    made.messages["smpp-a", "delivered"] += 2
    made.refusals["no_credit"] += 1
    for histogram in (made.submit_seconds, made.receipt_seconds, made.commit_seconds, made.commit_group_size):
        histogram.observe(0.02, 7)
        histogram.observe(1e9)
    return made


@pytest.mark.interop
@pytest.mark.parametrize("made", [meter(), busy()], ids=["idle", "busy"])
def test_promtool_finds_nothing_to_say(made: Meter) -> None:
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=generate_latest(made.registry),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_a_histogram_in_four_figures() -> None:
    histogram = Histogram((0.001, 0.01, 0.1))
    assert histogram.summary() == {"number": 0, "mean": None, "half_within": None, "99_within": None}
    histogram.observe(0.002, 98)
    histogram.observe(0.102, 2)
    assert histogram.summary() == {
        "number": 100, "mean": pytest.approx(0.004), "half_within": 0.01, "99_within": None,
    }  # fmt: skip
