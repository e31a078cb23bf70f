"""Credits as people write them, and the integers they are.

Invariant: one credit is 10,000 units and every amount is a whole number of units; what does not fit exactly is refused.
"""

import re
from decimal import Decimal

CREDIT = 10_000
LARGEST = 10**12 * CREDIT  # far below 2**63, so sums of amounts fit an integer column too

_EXPONENT = 20  # decimal places, needless zeros included; 1E+999999 is not spelt out
_DECIMAL = re.compile(r"([+-]?)([0-9]{1,13})(?:\.([0-9]{1,4})0*)?")


def credits(amount: str | int | Decimal) -> int:  # noqa: A001 - shadows a name of the interactive prompt only
    """Credits -> units, exactly."""
    matched = _DECIMAL.fullmatch(_spelt(amount))
    if matched is None:
        raise ValueError("is an amount of credits with at most 4 decimals, such as 12.5")
    sign, whole, fraction = matched.groups()
    units = int(whole) * CREDIT + int((fraction or "").ljust(4, "0"))
    if units > LARGEST:
        raise ValueError(f"is more than {as_credits(LARGEST)} credits")
    return -units if sign == "-" else units


def _spelt(amount: object) -> str:
    if isinstance(amount, str):
        return amount
    if isinstance(amount, Decimal):
        exponent = amount.as_tuple().exponent  # a letter if this is no number
        spellable = isinstance(exponent, int) and abs(exponent) <= _EXPONENT
        return f"{amount:f}" if spellable else ""
    if isinstance(amount, int) and not isinstance(amount, bool):
        return str(amount) if abs(amount) <= LARGEST else str(LARGEST)  # which is as much too large
    raise ValueError("is an amount of credits, written as a whole number or as text such as 12.5")


def as_credits(units: int) -> str:
    """Units -> credits, without a needless zero: 125_000 -> "12.5"."""
    whole, fraction = divmod(abs(units), CREDIT)
    sign = "-" if units < 0 else ""
    return f"{sign}{whole}.{fraction:04}".rstrip("0").rstrip(".")
