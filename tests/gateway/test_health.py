"""What is told of a store that fails and comes back."""

from structlog.testing import capture_logs

from gateway.health import Health


def test_a_failing_store_makes_the_gateway_unready_until_a_commit_succeeds() -> None:
    health = Health()
    assert health.unready() == []
    health.store_failed("no room on the disk")
    assert health.unready() == ["the store cannot write: no room on the disk"]
    health.store_worked()
    assert health.unready() == []


def test_the_log_hears_of_it_once_each_way() -> None:
    health = Health()
    with capture_logs() as events:
        health.store_worked()
        for _ in range(3):
            health.store_failed("no room on the disk")
        for _ in range(3):
            health.store_worked()
    assert [(event["log_level"], event["event"]) for event in events] == [
        ("error", "the store cannot write; submits are refused"),
        ("warning", "the store writes again"),
    ]


def test_a_gateway_that_stops_is_not_ready() -> None:
    health = Health()
    health.draining = True
    assert health.unready() == ["stopping"]
