from hypothesis import given
from hypothesis import strategies as st

from acl.brake import Brake

KEY, OTHER = (b"demo", "192.0.2.1"), (b"demo", "192.0.2.2")


def failing(brake: Brake, times: int, now: float = 0.0) -> None:
    for _ in range(times):
        brake.failed(KEY, now)


def test_the_first_failures_cost_nothing() -> None:
    brake = Brake()
    for _ in range(5):
        assert not brake.braked(KEY, 0.0)
        assert brake.wait(KEY, 0.0) == 0.0
        brake.failed(KEY, 0.0)
    assert brake.braked(KEY, 0.0)


def test_then_one_check_an_interval_and_the_others_queue() -> None:
    brake = Brake()
    failing(brake, 5)
    assert [brake.wait(KEY, 0.0) for _ in range(6)] == [1.0, 2.0, 3.0, 4.0, 5.0, None]
    assert brake.wait(KEY, 0.5) is None
    assert brake.wait(KEY, 1.0) == 5.0
    assert brake.wait(KEY, 20.0) == 0.0
    assert brake.wait(KEY, 20.0) == 1.0


def test_a_refusal_takes_no_turn() -> None:
    brake = Brake()
    failing(brake, 5)
    for _ in range(50):
        brake.wait(KEY, 0.0)
    assert brake.wait(KEY, 6.0) == 0.0


def test_a_failure_after_a_pause_makes_the_next_wait() -> None:
    brake = Brake()
    failing(brake, 5)
    assert brake.wait(KEY, 10.0) == 0.0
    brake.failed(KEY, 10.1)
    assert brake.wait(KEY, 10.2) is not None
    assert round(brake.wait(KEY, 10.2) or 0, 6) == 1.9


def test_keys_do_not_feel_each_other() -> None:
    brake = Brake()
    failing(brake, 50)
    assert brake.wait(OTHER, 0.0) == 0.0
    assert brake.wait((b"other", KEY[1]), 0.0) == 0.0
    assert len(brake) == 1


def test_a_success_clears() -> None:
    brake = Brake()
    failing(brake, 50)
    brake.passed(KEY)
    brake.passed(OTHER)
    assert (brake.wait(KEY, 0.0), len(brake)) == (0.0, 0)


def test_failures_fade() -> None:
    brake = Brake(failures=5, fade=60.0)
    failing(brake, 5)
    assert brake.braked(KEY, 59.9)
    assert not brake.braked(KEY, 60.0)
    failing(brake, 1, 60.0)
    assert brake.braked(KEY, 60.0)


def test_even_a_long_attack_is_forgotten_soon() -> None:
    brake = Brake(failures=5, fade=60.0)
    failing(brake, 10_000)
    assert brake.braked(KEY, 299.0)
    assert not brake.braked(KEY, 360.0)


def test_asking_makes_no_entry() -> None:
    brake = Brake()
    for number in range(100):
        brake.wait(number, 0.0)
        brake.braked(number, 0.0)
    assert len(brake) == 0


def test_the_table_is_bounded_and_forgets_the_oldest() -> None:
    brake = Brake(failures=1, size=100)
    for number in range(1000):
        brake.failed(number, float(number) / 1000)
        brake.failed("always", float(number) / 1000)
    assert len(brake) == 100
    assert brake.braked("always", 1.0)
    assert brake.braked(999, 1.0)
    assert not brake.braked(0, 1.0)


def test_a_clock_that_steps_back_frees_nobody() -> None:
    brake = Brake()
    failing(brake, 5, 100.0)
    assert brake.braked(KEY, 50.0)
    assert brake.wait(KEY, 95.5) is None


@given(st.lists(st.floats(0, 2), max_size=80), st.floats(0, 1e6))
def test_a_braked_key_gets_one_check_an_interval(pauses: list[float], start: float) -> None:
    brake, now, checks = Brake(fade=1e9), start, []
    failing(brake, 5, now)
    for pause in pauses:
        now += pause
        delay = brake.wait(KEY, now)
        if delay is not None:
            assert 0 <= delay <= 5.0
            checks.append(now + delay)
            brake.failed(KEY, now)
    assert all(later - earlier >= 1.0 - 1e-6 for earlier, later in zip([start, *checks], checks, strict=False))
