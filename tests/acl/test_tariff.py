from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acl.reasons import Refusal
from acl.tariff import FORBIDDEN, INVALID, UNPRICED, Tariff, plan, prefix


def address(digits: bytes, ton: int = 1, npi: int = 1) -> bytes:
    return bytes((ton, npi)) + digits + b"\0"


PLAN = {"": 10, "48": 20, "4850": 30, "1": 40}


@pytest.mark.parametrize(
    ("digits", "price"),
    [
        (b"447700900123", 10),
        (b"48600100200", 20),
        (b"48500100200", 30),
        (b"+48500100200", 30),
        (b"12025550123", 40),
        (b"4850123", 30),
        (b"485012", INVALID),
        (b"123456789012345", 40),
        (b"1234567890123456", INVALID),
        (b"+123456789012345", 40),
        (b"+1234567890123456", INVALID),
        (b"0048600100200", INVALID),
        (b"0600100200", INVALID),
        (b"+0600100200", INVALID),
        (b"", INVALID),
        (b"+", INVALID),
        (b"++48600100200", INVALID),
        (b"48 600 100 200", INVALID),
        (b"48600100200 ", INVALID),
        (b"48-600100200", INVALID),
        (b"4860010020a", INVALID),
        (b"48600\x00100200", INVALID),
        ("٤٨٦٠٠١٠٠٢٠٠".encode(), INVALID),
    ],
)
@pytest.mark.parametrize("ton", [0, 1, 2])
def test_the_longest_prefix_prices_an_international_number(digits: bytes, price: int | Refusal, ton: int) -> None:
    assert Tariff(PLAN).price(address(digits, ton, 9)) == price


@pytest.mark.parametrize("ton", [3, 4, 5, 6, 255])
def test_another_type_of_number_is_not_international(ton: int) -> None:
    tariff = Tariff(PLAN)
    assert tariff.price(address(b"48600100200", ton)) == INVALID
    assert tariff[address(b"48600100200", ton)[: tariff.head]] == INVALID


def test_without_a_price_there_is_no_route() -> None:
    assert Tariff({"48": 20}).price(address(b"447700900123")) == UNPRICED
    assert Tariff({}).price(address(b"447700900123")) == UNPRICED
    assert Tariff({"": 0}).price(address(b"447700900123")) == 0


@pytest.mark.parametrize(
    ("allow", "deny", "digits", "price"),
    [
        ((), (), b"48600100200", 20),
        (("48",), (), b"48600100200", 20),
        (("44",), (), b"48600100200", FORBIDDEN),
        ((), ("48",), b"48600100200", FORBIDDEN),
        ((), ("485",), b"48600100200", 20),
        ((), ("48",), b"48500100200", FORBIDDEN),  # though a longer prefix has a price
        (("4850",), ("48",), b"48500100200", FORBIDDEN),  # and though a longer prefix is allowed
        (("48",), ("4850",), b"48500100200", FORBIDDEN),
        (("48",), ("4850",), b"48600100200", 20),
        (("48600100200",), (), b"48600100200", 20),
        (("48600100200",), (), b"48600100201", FORBIDDEN),
        ((), ("486001002003333",), b"48600100200", 20),
        (("48600100200333",), (), b"48600100200", FORBIDDEN),
    ],
)
def test_a_deny_beats_everything(
    allow: tuple[str, ...], deny: tuple[str, ...], digits: bytes, price: int | Refusal
) -> None:
    tariff = Tariff(PLAN, allow, deny)
    assert tariff.price(address(digits)) == price
    assert tariff[address(digits)[: tariff.head]] == price


def test_rubbish_is_not_remembered_and_numbers_within_bounds() -> None:
    tariff = Tariff({"": 1, "4860010": 2})
    for rubbish in (b"\1\1abc", b"\5\0ACME\0", b"\1\1\0", b"\1\x010600100", b"\1\1+4860010"):
        assert tariff[rubbish] == INVALID
    assert len(tariff) == 0
    for number in range(tariff.LIMIT + 5):
        assert tariff[address(b"48%011d" % number)[: tariff.head]] == 1
        tariff[b"\1\1%d" % (10**6 + number)]
        assert len(tariff) <= tariff.LIMIT
    assert tariff[address(b"48600100200")[: tariff.head]] == 2


@pytest.mark.parametrize("price", [-1, 1.0, "1", None, True, 10**17])
def test_a_price_is_an_amount(price: Any) -> None:
    with pytest.raises(ValueError):
        Tariff({"48": price})


DIGITS = st.text(alphabet="128", min_size=0, max_size=16)


def naive(prices: dict[str, int], allow: set[str], deny: set[str], digits: str) -> int | Refusal:
    if any(digits.startswith(one) for one in deny) or (allow and not any(digits.startswith(one) for one in allow)):
        return FORBIDDEN
    fitting = [one for one in prices if digits.startswith(one)]
    return prices[max(fitting, key=len)] if fitting else UNPRICED


@given(
    st.dictionaries(st.text(alphabet="128", max_size=9), st.integers(0, 100), max_size=8),
    st.sets(st.text(alphabet="128", min_size=1, max_size=4), max_size=3),
    st.sets(st.text(alphabet="128", min_size=1, max_size=4), max_size=3),
    st.lists(DIGITS, max_size=8),
)
def test_the_tariff_is_the_naive_longest_prefix(
    prices: dict[str, int], allow: set[str], deny: set[str], numbers: list[str]
) -> None:
    tariff = Tariff(prices, allow, deny)
    for digits in numbers:
        whole = address(digits.encode())
        expected = naive(prices, allow, deny, digits) if 7 <= len(digits) <= 15 else INVALID
        assert tariff.price(whole) == expected
        assert tariff.price(address(b"+" + digits.encode(), 0, 0)) == expected
        if expected != INVALID:
            assert tariff[whole[: tariff.head]] == expected


@given(st.binary(min_size=3, max_size=30))
def test_no_address_throws(octets: bytes) -> None:
    tariff = Tariff(PLAN)
    tariff.price(octets)
    assert tariff[octets[: tariff.head]] is not None


@pytest.mark.parametrize(("text", "digits"), [("48", "48"), ("+48", "48"), ("1", "1"), ("123456789012345",) * 2])
def test_a_prefix_is_digits(text: str, digits: str) -> None:
    assert prefix(text) == digits


@pytest.mark.parametrize("text", ["", "+", "0", "048", "48 ", "4a", "48*", "*", "1234567890123456", "٤٨", "-48"])
def test_what_is_no_prefix_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        prefix(text)


def test_a_plan_is_read_as_people_write_it() -> None:
    assert plan({"*": 1, "+48": "0.5", "4850": "0"}) == {"": 10_000, "48": 5_000, "4850": 0}
    assert plan({"": "2"}) == {"": 20_000}


@pytest.mark.parametrize(
    "prices", [{"48": -1}, {"48": "x"}, {"x": 1}, {"48": 1, "+48": 2}, {"*": 1, "": 1}, {"48": 1.5}, {"48": None}]
)
def test_a_plan_that_is_wrong_says_where(prices: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{list(prices)[-1].replace('*', '.').replace('+', '.')}:"):
        plan(prices)


@pytest.mark.parametrize(
    ("number", "prefix"),
    [(b"48600100200", "48"), (b"+48500100200", "485"), (b"44700100200", ""), (b"123", None), (b"", None)],
)
def test_the_rule_that_prices_a_number_is_named(number: bytes, prefix: str | None) -> None:
    tariff = Tariff(plan({"48": 1, "485": "0.5", "*": 2}))
    assert tariff.prefix(b"\x01\x01" + number + b"\0") == prefix


def test_a_plan_without_the_rest_names_no_rule_for_it() -> None:
    assert Tariff(plan({"48": 1})).prefix(b"\x01\x0144700100200\0") is None
