"""The payment service: its signature, and what becomes of an order whatever is answered."""

import hmac
import time
from collections.abc import Iterator
from hashlib import sha256

import pytest

from gateway.payment import LONGEST, TOLERANCE, Payment
from tests.payment_service import Service, payment_service

NOW = 1_795_650_000.0
PAYMENT = Payment("https://pay.example.org/orders", "sixteen octets or more")
BODY = b'{"id": 17, "status": "paid", "credits": "1000"}'
ORDER = {"id": 17, "account": "smpp-acme", "credits": "1000"}


def test_a_signature_is_what_the_documentation_says() -> None:
    wanted = hmac.new(PAYMENT.secret.encode(), b"1795650000." + BODY, sha256).hexdigest()
    assert PAYMENT.signature("1795650000", BODY) == "v1=" + wanted


@pytest.mark.parametrize("ahead", [-TOLERANCE, 0, TOLERANCE])
def test_a_signed_answer_is_good_for_five_minutes(ahead: int) -> None:
    timestamp = str(int(NOW) + ahead)
    assert PAYMENT.objection(timestamp, PAYMENT.signature(timestamp, BODY), BODY, NOW) is None


@pytest.mark.parametrize(
    "timestamp", ["", "-1", "1e9", " 1795650000", "1795650000.0", "٣", "9" * 5000, str(int(NOW) + TOLERANCE + 1)]
)
def test_a_time_that_is_none_or_another_is_refused_however_it_is_signed(timestamp: str) -> None:
    assert PAYMENT.objection(timestamp, PAYMENT.signature(timestamp, BODY), BODY, NOW) is not None


def test_every_octet_counts() -> None:
    signature = PAYMENT.signature("1795650000", BODY)
    for at in range(len(BODY)):
        forged = BODY[:at] + bytes([BODY[at] ^ 1]) + BODY[at + 1 :]
        assert PAYMENT.objection("1795650000", signature, forged, NOW) is not None


@pytest.fixture
def service() -> Iterator[Service]:
    with payment_service() as running:
        yield running


@pytest.mark.parametrize(
    ("status", "taken"), [(200, True), (202, True), (204, True), (302, False), (402, False), (500, False)]
)
def test_only_a_good_answer_takes_an_order(service: Service, status: int, taken: bool) -> None:
    service.answers = [status]
    assert service.payment.order(ORDER, time.time())[0] is taken
    assert service.paths == ["/orders?v=1"]  # and nowhere else: no redirect is followed


def test_a_long_answer_is_read_to_a_bound_and_shown_short(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.payment_service.SAID", b"x" * (10 * LONGEST))
    taken, said = service.payment.order(ORDER, time.time())
    assert taken
    assert len(said) == 200


def test_a_service_that_does_not_speak_http_is_a_failed_try() -> None:
    assert Payment("http://127.0.0.1:1/x", "s").order(ORDER, NOW)[0] is False
    assert Payment("https://127.0.0.1:1/x", "s").order(ORDER, NOW)[0] is False
