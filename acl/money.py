"""Credits as people write them, and the integers they are.

Invariant: one credit is 10,000 units and every amount is a whole number of units; what does not fit exactly is refused.
"""

import re
from decimal import Decimal

CREDIT = 10_000
LARGEST = 10**12 * CREDIT  # far below 2**63, so sums of amounts fit an integer column too

_DECIMAL = re.compile(r"([+-]?)([0-9]{1,13})(?:\.([0-9]{1,4})0*)?")


def credits(amount: str | int | Decimal) -> int:  # noqa: A001 - shadows a name of the interactive prompt only
    """Credits -> units, exactly."""
    if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
        raise ValueError("is an amount of credits, written as a whole number or as text such as 12.5")
    matched = _DECIMAL.fullmatch(f"{amount:f}" if isinstance(amount, Decimal) else str(amount))
    if matched is None:
        raise ValueError("is an amount of credits with at most 4 decimals, such as 12.5")
    sign, whole, fraction = matched.groups()
    units = int(whole) * CREDIT + int((fraction or "").ljust(4, "0"))
    if units > LARGEST:
        raise ValueError(f"is more than {as_credits(LARGEST)} credits")
    return -units if sign == "-" else units


def as_credits(units: int) -> str:
    """Units -> credits, without a needless zero: 125_000 -> "12.5"."""
    whole, fraction = divmod(abs(units), CREDIT)
    sign = "-" if units < 0 else ""
    return f"{sign}{whole}.{fraction:04}".rstrip("0").rstrip(".")
