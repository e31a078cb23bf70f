"""Receipts and the responses that promised them, in whatever order they come."""

import pytest

from gateway.load import tally
from gateway.load.tally import Tally

MS = 1_000_000


def test_a_receipt_is_measured_from_its_response() -> None:
    counts = Tally()
    counts.owe([b"1", b"2"], 10 * MS)
    counts.owe([b"3"], 20 * MS)
    counts.receive([b"3", b"1"], 30 * MS)
    assert (counts.receipts, counts.foreign, counts.ids_match) == (2, 0, False)
    counts.receive([b"2"], 31 * MS)
    assert (counts.receipts, counts.ids_match) == (3, True)
    assert [counts.receipt_latency.quantile(share) / 1000 for share in (0.3, 0.6, 1)] == pytest.approx(
        [10, 20, 21], rel=0.001
    )


def test_a_receipt_may_overtake_its_response() -> None:
    counts = Tally()
    counts.owe([b"0"], MS)
    counts.receive([b"1", b"0", b"2"], 2 * MS)
    assert (counts.receipts, counts.foreign) == (1, 2)
    counts.owe([b"2", b"3", b"1"], 3 * MS)
    counts.receive([b"3"], 4 * MS)
    assert (counts.receipts, counts.foreign, counts.ids_match) == (4, 0, True)


def test_an_id_that_no_response_gave_is_foreign() -> None:
    counts = Tally()
    counts.owe([b"10"], MS)
    counts.receive([b"a"], 2 * MS)
    assert (counts.receipts, counts.foreign, counts.ids_match) == (0, 1, False)


def test_a_receipt_counts_once() -> None:
    counts = Tally()
    counts.owe([b"1"], MS)
    for _ in range(3):
        counts.receive([b"1"], 2 * MS)
    assert (counts.receipts, counts.foreign, counts.ids_match) == (1, 2, False)


def test_what_is_too_much_to_remember_is_only_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "MOST_OWED", 2)
    counts = Tally()
    counts.owe([b"1", b"2", b"3"], MS)
    counts.owe([b"4"], MS)
    counts.receive([b"1", b"x"], 2 * MS)
    assert (counts.following, counts.receipts, counts.foreign, counts.ids_match) == (False, 2, 0, False)
