from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ids import EPOCH_MS, LARGEST, NODES, PER_MILLISECOND, SHIFT, Minter, id_at

NOW = EPOCH_MS + 86_400_000 * 270


def wall_ms_of(id_: int) -> int:
    return (id_ >> SHIFT) + EPOCH_MS


def test_an_id_tells_its_millisecond_and_node() -> None:
    [first] = Minter(node=5).mint(1, NOW)
    assert wall_ms_of(first) == NOW
    assert first == id_at(NOW, 5)
    assert (first >> 16) % NODES == 5


def test_a_run_is_consecutive_and_the_next_follows() -> None:
    minter = Minter()
    first, second = minter.mint(3, NOW), minter.mint(2, NOW)
    assert [*first, *second] == list(range(first[0], first[0] + 5))
    assert minter.next == second[-1] + 1


def test_ids_are_decimal_numbers_of_at_most_19_digits_until_2095() -> None:
    last = Minter(node=NODES - 1).mint(1, EPOCH_MS + (1 << 41) - 1)[0]
    assert last <= LARGEST
    assert len(b"%d" % last) == 19


def test_a_clock_that_stands_or_goes_back_repeats_nothing() -> None:
    minter = Minter()
    found = [*minter.mint(2, NOW), *minter.mint(2, NOW - 60_000), *minter.mint(2, 0), *minter.mint(2, NOW + 1)]
    assert all(earlier < later for earlier, later in pairwise(found))


def test_a_restart_goes_on_behind_the_greatest_id_of_the_store() -> None:
    last = Minter().mint(1000, NOW + 5000)[-1]
    assert Minter(last=last).mint(1, NOW)[0] > last  # the clock was set back meanwhile
    minter = Minter()
    minter.begin_after(last)
    minter.begin_after(3)  # never backwards
    assert minter.mint(1, NOW)[0] > last


def test_a_full_millisecond_borrows_the_next_and_never_another_nodes_ids() -> None:
    minter = Minter(node=2)
    for _ in range(PER_MILLISECOND // 1000 + 5):
        for id_ in minter.mint(1000, NOW):
            assert (id_ >> 16) % NODES == 2
    assert wall_ms_of(minter.next) == NOW + 1


def test_the_ids_of_another_node_in_the_store_are_stepped_over() -> None:
    for theirs in (0, 63):
        last = Minter(node=theirs).mint(1, NOW)[0]
        [mine] = Minter(node=7, last=last).mint(1, NOW - 1000)
        assert mine > last
        assert (mine >> 16) % NODES == 7
        assert wall_ms_of(mine) - NOW == (1 if theirs > 7 else 0)


def test_minting_nothing_gives_nothing() -> None:
    minter = Minter()
    assert list(minter.mint(0, NOW)) == []
    assert list(minter.mint(1, NOW)) == [id_at(NOW)]


def test_before_the_epoch_there_are_small_ids_and_no_negative_ones() -> None:
    assert id_at(0) == 0
    assert Minter().mint(1, 0)[0] == 1


@pytest.mark.parametrize("node", [-1, NODES])
def test_a_node_that_has_no_bits_is_refused(node: int) -> None:
    with pytest.raises(ValueError, match="node"):
        Minter(node)


@given(
    node=st.integers(0, NODES - 1),
    last=st.integers(0, id_at(NOW + 10)),
    mints=st.lists(st.tuples(st.integers(1, 1000), st.integers(NOW - 5, NOW + 5)), max_size=200),
)
def test_ids_grow_whatever_the_clock_does_and_stay_the_nodes_own(
    node: int, last: int, mints: list[tuple[int, int]]
) -> None:
    minter, before = Minter(node, last), last
    for count, wall in mints:
        ids = minter.mint(count, wall)
        assert len(ids) == count
        assert ids[0] > before
        assert {ids[0] >> 16, ids[-1] >> 16} == {(ids[0] >> SHIFT << 6) + node}
        before = ids[-1]
