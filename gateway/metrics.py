"""What Prometheus is shown: plain integers counted per batch on the road, read by one Collector when it is scraped.

Invariant: no label can be chosen by a client; accounts are the only open set, and only existing ones are shown.
Knows nothing of what the numbers mean to the rules.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from pdu.constants import COMMAND_NAMES, RESPONSE, STATUS_NAMES
from pdu.frames import Frame

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
WAITS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 3600.0, 21_600.0, 86_400.0, 604_800.0)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


class Histogram:
    """Buckets filled per batch: a run shares one value, counted with its weight."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float, weight: int = 1) -> None:
        self._counts[bisect_left(self._bounds, value)] += weight
        self._sum += value * weight

    def summary(self) -> dict[str, float | None]:
        """How many, their mean, and the bounds that half of them and 99 of 100 stay within; None beyond the last."""
        number = sum(self._counts)
        return {
            "number": number,
            "mean": self._sum / number if number else None,
            "half_within": self._within(0.5 * number),
            "99_within": self._within(0.99 * number),
        }

    def _within(self, wanted: float) -> float | None:
        for bound, reached in zip(self._bounds, accumulate(self._counts), strict=False):
            if reached >= wanted > 0:
                return bound
        return None

    def family(self, name: str, text: str) -> Metric:
        total, buckets = 0, []
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            total += count
            buckets.append((bound, total))
        return HistogramMetricFamily(name, text, buckets=buckets, sum_value=self._sum)


class Traffic:
    """PDUs by direction, command and status."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, int, int]] = Counter()

    def received(self, command: int, frames: Sequence[Frame]) -> None:
        """What nobody knows is counted as one: a client's choice of numbers must not fill the table."""
        known = command if command in COMMAND_NAMES else -1
        if not command & RESPONSE:  # the status of a request means nothing
            self.counts["in", known, 0] += len(frames)
        else:
            for status, count in Counter([frame[1] for frame in frames]).items():
                self.counts["in", known, status if status in STATUS_NAMES else -1] += count

    def sent(self, command: int, status: int, count: int) -> None:
        self.counts["out", command, status] += count

    def family(self) -> Metric:
        family = CounterMetricFamily(
            "smppgate_pdus", "SMPP PDUs by direction, command and status.", labels=["direction", "command", "status"]
        )
        named: Counter[tuple[str, str, str]] = Counter()
        for (direction, command, status), count in self.counts.items():
            named[direction, COMMAND_NAMES.get(command, "unknown"), STATUS_NAMES.get(status, "other")] += count
        for labels, count in sorted(named.items()):
            family.add_metric(labels, count)
        return family


class AccountView(NamedTuple):
    """One account as the gauges show it, read at scrape time."""

    name: str
    binds: Counter[str]  # by bind type
    pending: int  # deliveries owed
    oldest: float  # age of the oldest of them, seconds
    credits: float


class Meter(Collector):
    """All counters of the running gateway. `accounts` and `imbalance` are asked when Prometheus scrapes."""

    def __init__(self, accounts: Callable[[], Iterable[AccountView]]) -> None:
        self.traffic = Traffic()
        self.messages: Counter[tuple[str, str]] = Counter()  # account name, state
        self.refusals: Counter[str] = Counter()  # reason
        self.submit_seconds = Histogram(SECONDS)
        self.receipt_seconds = Histogram(WAITS)
        self.commit_seconds = Histogram(SECONDS)
        self.commit_group_size = Histogram(SIZES)
        self.imbalance = 0
        self.loop_lag = 0.0
        self.topups_waiting = 0
        self.orders = {True: 0, False: 0}  # whether the payment service took it
        self.letters = Counter({"sent": 0, "not_taken": 0, "failed": 0})  # attempts, by how they ended
        self.letters_waiting = 0
        self._accounts = accounts
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def describe(self) -> Iterable[Metric]:
        """Nothing: so registering does not collect."""
        return []

    def collect(self) -> Iterable[Metric]:
        yield self.traffic.family()
        messages = CounterMetricFamily(
            "smppgate_messages", "Messages by account and state entered.", labels=["account", "state"]
        )
        for labels, count in sorted(self.messages.items()):
            messages.add_metric(labels, count)
        yield messages
        refusals = CounterMetricFamily("smppgate_refusals", "Binds and messages refused, by reason.", labels=["reason"])
        for reason, count in sorted(self.refusals.items()):
            refusals.add_metric([reason], count)
        yield refusals
        yield self.submit_seconds.family(
            "smppgate_submit_seconds", "From the arrival of a submit to its response, seconds."
        )
        yield self.receipt_seconds.family(
            "smppgate_receipt_seconds", "From a receipt or MO becoming due to its acknowledgement, seconds."
        )
        yield self.commit_seconds.family("smppgate_commit_seconds", "Duration of a group commit, seconds.")
        yield self.commit_group_size.family("smppgate_commit_group_size", "Messages accepted in one group commit.")
        orders = CounterMetricFamily(
            "smppgate_payment_orders", "Top-ups told to the payment service, by its answer.", labels=["result"]
        )
        for taken, count in self.orders.items():
            orders.add_metric(["taken" if taken else "not_taken"], count)
        yield orders
        letters = CounterMetricFamily(
            "smppgate_mail_attempts", "Letters handed to the mail server, by what became of it.", labels=["result"]
        )
        for result, count in self.letters.items():
            letters.add_metric([result], count)
        yield letters
        yield from self._gauges()

    def _gauges(self) -> Iterable[Metric]:
        binds = GaugeMetricFamily("smppgate_binds", "Live binds by account and type.", labels=["account", "type"])
        pending = GaugeMetricFamily(
            "smppgate_deliveries_pending", "Receipts and MO not yet acknowledged.", labels=["account"]
        )
        oldest = GaugeMetricFamily(
            "smppgate_deliveries_oldest_seconds", "Age of the oldest pending delivery.", labels=["account"]
        )
        credit = GaugeMetricFamily("smppgate_credits", "Credits an account can still spend.", labels=["account"])
        for view in self._accounts():
            for kind, count in sorted(view.binds.items()):
                binds.add_metric([view.name, kind], count)
            pending.add_metric([view.name], view.pending)
            oldest.add_metric([view.name], view.oldest)
            credit.add_metric([view.name], view.credits)
        yield from (binds, pending, oldest, credit)
        yield GaugeMetricFamily(
            "smppgate_ledger_imbalance",
            "Credits by which balances and ledger differ; anything but 0 is a fault.",
            value=self.imbalance,
        )
        yield GaugeMetricFamily(
            "smppgate_topups_waiting", "Top-ups asked for and not decided.", value=self.topups_waiting
        )
        yield GaugeMetricFamily("smppgate_mail_waiting", "Letters that wait to leave.", value=self.letters_waiting)
        yield GaugeMetricFamily(
            "smppgate_loop_lag_seconds", "How late the event loop's last tick was.", value=self.loop_lag
        )
