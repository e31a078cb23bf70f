"""Which responses have not been written, and until when that is remembered."""

from gateway.network.unheard import Unheard

from ..scene import Peer, Scene


async def test_an_id_is_unheard_until_its_link_has_written() -> None:
    account = await Scene().account()
    unheard, first, second = Unheard(), Peer(account), Peer(account)
    assert unheard.waits_for([1, 2]) is None
    unheard.hold([1, 2], first)
    unheard.hold([3], second)
    assert (len(unheard), unheard.waits_for([0, 2]), unheard.waits_for([3]), unheard.waits_for([4])) == (
        3, first, second, None,
    )  # fmt: skip
    first.written()
    assert (len(unheard), unheard.waits_for([1, 2]), unheard.waits_for([1, 3])) == (1, None, second)
    second.written()
    assert len(unheard) == 0


async def test_what_comes_after_waits_for_every_link() -> None:
    account = await Scene().account()
    unheard, first, second, done = Unheard(), Peer(account), Peer(account), list[int]()
    unheard.when_heard([1], lambda: done.append(1))
    assert done == [1]
    first.holding = second.holding = True
    unheard.hold([1], first)
    unheard.hold([2], second)
    unheard.when_heard([1, 2], lambda: done.append(2))
    first.written()
    assert done == [1]
    second.written()
    assert done == [1, 2]
