from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acl.money import CREDIT, LARGEST, as_credits
from acl.money import credits as units_of


@pytest.mark.parametrize(
    ("amount", "units"),
    [
        ("0", 0), ("1", 10_000), ("12.5", 125_000), ("0.0001", 1), ("-0.0001", -1), ("-0", 0), ("+3", 30_000),
        ("1.00000000", 10_000), ("007", 70_000), (5, 50_000), (-5, -50_000), (Decimal("0.3"), 3_000),
        (Decimal("1E+2"), 1_000_000), (Decimal("2.50000"), 25_000), ("1000000000000", LARGEST), (10**12, LARGEST),
    ],
)  # fmt: skip
def test_credits_are_read_exactly(amount: Any, units: int) -> None:
    assert units_of(amount) == units


@pytest.mark.parametrize(
    "amount",
    [
        "", " ", "1 ", "1,5", ".5", "5.", "1e3", "1_000", "0x10", "nan", "inf", "0.00001", "1.23456", "١",
        "--1", "1000000000000.0001", "9" * 5000, 10**12 + 1, -(10**4000), True, False, 1.5, None, [], b"1",
        Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+999999"), Decimal("1E-999999"),
        Decimal("0.00001"),
    ],
)  # fmt: skip
def test_what_is_no_exact_amount_is_refused(amount: Any) -> None:
    with pytest.raises(ValueError):
        units_of(amount)


@pytest.mark.parametrize(
    ("units", "text"),
    [
        (0, "0"), (1, "0.0001"), (-1, "-0.0001"), (10_000, "1"), (1_000_000, "100"), (125_000, "12.5"),
        (-125_000, "-12.5"), (100_010, "10.001"), (LARGEST, "1000000000000"),
    ],
)  # fmt: skip
def test_units_are_shown_without_needless_zeros(units: int, text: str) -> None:
    assert as_credits(units) == text


@given(st.integers(-LARGEST, LARGEST))
def test_what_is_shown_reads_back(units: int) -> None:
    assert units_of(as_credits(units)) == units
    assert units_of(Decimal(as_credits(units))) == units
    assert Decimal(as_credits(units)) * CREDIT == units
