"""History: found by every filter as by looking at everything, entered or not; erased without touching the books."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.office import history
from store.office.history import Unwanted, Wanted
from store.protocol import Batch, Outcome, OutcomeUnknown, RefusalRow, Store, StoreDown, StoreError
from store.sql import Statement
from tests.store.backends import account, sqlite
from tests.store.conftest import Reopen

SENDERS, RECIPIENTS, STATES = ("A", "B"), ("44", "48", "33"), (2, 5, 8)


def addresses(body: bytes) -> tuple[str, str]:
    source, _, destination = body.decode().partition(" ")
    return source, destination


class Sent:
    """What a test knows of a message."""

    def __init__(self, id_: int, source: str, destination: str, state: int) -> None:
        self.id, self.source, self.destination, self.state = id_, source, destination, state

    def fits(self, wanted: Wanted) -> bool:
        return (
            wanted.first <= self.id <= wanted.last
            and wanted.source in ("", self.source)
            and wanted.destination in ("", self.destination)
            and wanted.state in (None, self.state)
        )


async def fill(store: Store, account_: int, sent: Sequence[Sent], each: int = 3) -> None:
    for at in range(0, len(sent), each):
        some = sent[at : at + each]
        rows = [(one.id, 0, bytearray(f"{one.source} {one.destination}".encode())) for one in some]
        await store.accept(Batch(account_, rows, 0), "session")
        for one in some:
            if one.state:
                await store.settle([Outcome(account_, one.state, 0, False, [one.id], [])])


message = st.tuples(st.sampled_from(SENDERS), st.sampled_from(RECIPIENTS), st.sampled_from((0, *STATES)))
filters = st.builds(
    Wanted,
    first=st.integers(0, 40),
    last=st.integers(20, 60),
    source=st.sampled_from(("", *SENDERS)),
    destination=st.sampled_from(("", *RECIPIENTS)),
    state=st.sampled_from((None, 0, *STATES)),
)


@given(
    st.lists(message, max_size=30),
    st.lists(filters, min_size=1, max_size=5),
    st.lists(st.integers(1, 5), max_size=12),
    st.integers(1, 9),
)
def test_what_fits_is_found_as_by_looking_at_everything(
    messages: list[tuple[str, str, int]], asked: list[Wanted], bites: list[int], limit: int
) -> None:
    """With the index at any place behind the messages, also within what one commit has stored."""
    sent = [Sent(10 + n, *one) for n, one in enumerate(messages)]

    async def look() -> None:
        with TemporaryDirectory() as folder:
            async with sqlite(Path(folder)) as store:
                await check(store)

    async def check(store: Store) -> None:
        mine, other = await account(store), await account(store, name="smpp-b")
        await fill(store, other.id, [Sent(1000 + n, "A", "44", 5) for n in range(4)])
        await fill(store, mine.id, sent)
        for bite in bites:
            await store.history.enter(addresses, bite)
        for wanted in asked:
            found = [row.id for row in await store.history.sent(mine.id, wanted, addresses, limit)]
            assert found == [one.id for one in reversed(sent) if one.fits(wanted)][:limit]

    old, history.PAGE = history.PAGE, 3
    try:
        asyncio.run(look())
    finally:
        history.PAGE = old


async def test_the_index_takes_each_message_once_and_catches_up(store: Store) -> None:
    mine = await account(store)
    await fill(store, mine.id, [Sent(10 + n, "A", "44", 2) for n in range(7)])
    assert await store.history.behind()
    while await store.history.enter(addresses):
        pass
    assert await store.history.behind() == 0
    await fill(store, mine.id, [Sent(30, "B", "48", 0)])
    await store.history.enter(addresses)
    assert [row.id for row in await store.history.sent(mine.id, Wanted(source="B"), addresses, 9)] == [30]


async def entered(store: Store, mine: int) -> int:
    return await store.history.count(mine, Wanted())


@pytest.mark.parametrize("lost", [False, True], ids=["not written", "written, and nobody knows"])
async def test_what_could_not_ride_along_is_entered_the_next_time(
    store: Store, lost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = await account(store)
    await fill(store, mine.id, [Sent(10 + n, "A", "44", 2) for n in range(7)], each=7)
    database: Any = store.history._database
    along, faults = database.along, [StoreDown("no disk"), None, StoreDown("no disk"), StoreDown("no disk"), None]

    async def failing(statements: Sequence[Statement]) -> None:
        fault = faults.pop(0) if faults else None
        if lost or fault is None:
            await along(statements)
        if fault is not None:
            raise OutcomeUnknown("the answer is lost") if lost else fault

    monkeypatch.setattr(database, "along", failing)
    more = True
    while more:
        try:
            more = await store.history.enter(addresses, 3)
        except StoreError:
            more = True
    assert faults == []
    assert await store.history.behind() == 0
    assert [row.id for row in await store.history.sent(mine.id, Wanted(), addresses, 99)] == list(range(16, 9, -1))
    assert await entered(store, mine.id) == 7


async def test_a_commit_of_any_size_is_entered_in_bites_of_the_size_asked_for(reopen: Reopen) -> None:
    async with reopen() as store:
        mine = (await account(store)).id
        await fill(store, mine, [Sent(10 + n, "A", "44", 2) for n in range(7)], each=7)
        seen = []
        for _ in range(3):
            await store.history.enter(addresses, 2)
            seen.append(await entered(store, mine))
        assert seen == [2, 4, 6]
        assert len(await store.history.sent(mine, Wanted(), addresses, 99)) == 7
    async with reopen() as store:  # how far within the commit is forgotten, and done again
        assert await store.history.enter(addresses, 4)
        assert await entered(store, mine) == 6
        while await store.history.enter(addresses, 4):
            pass
        assert (await entered(store, mine), await store.history.behind()) == (7, 0)


async def test_what_is_erased_while_it_is_entered_stays_erased(store: Store) -> None:
    mine = await account(store)
    await fill(store, mine.id, [Sent(10, "A", "44", 2)])
    await asyncio.gather(store.history.enter(addresses), store.history.erase(mine.id, [10]))
    while await store.history.enter(addresses):
        pass
    assert await store.history.sent(mine.id, Wanted(destination="44"), addresses, 9) == []


async def test_erasing_takes_the_words_and_leaves_the_books(store: Store) -> None:
    mine = await account(store)
    await fill(store, mine.id, [Sent(10, "A", "44", 2), Sent(11, "A", "44", 0), Sent(12, "A", "44", 5)])
    await store.settle([Outcome(mine.id, 2, 0, False, [11], [11])])  # a receipt is owed for this one
    while await store.history.enter(addresses):
        pass
    assert await store.history.erase(mine.id, [10, 11, 12, 99]) == 2
    rows = {row.id: row for row in await store.messages(mine.id)}
    assert {id_: len(row.body) for id_, row in rows.items()} == {10: 0, 11: 4, 12: 0}
    assert [row.id for row in await store.history.sent(mine.id, Wanted(destination="44"), addresses, 9)] == [11]
    assert await store.audit() == []
    assert len((await store.export(mine.id)).messages) == 3


async def test_another_accounts_messages_are_not_erased(store: Store) -> None:
    mine, other = await account(store), await account(store, name="smpp-b")
    await fill(store, other.id, [Sent(10, "A", "44", 2)])
    assert await store.history.erase(mine.id, [10]) == 0


async def test_refused_messages_are_found_by_why_by_whom_and_when(store: Store) -> None:
    mine = await account(store)
    rows = [(1, "no_credit", "A", "44"), (2, "throttled", "B", "48"), (3, "no_credit", "B", "44")]
    await store.refuse(
        [RefusalRow(at, mine.id, "message", why, source=source, destination=to) for at, why, source, to in rows]
    )
    await store.refuse([RefusalRow(4, None, "bind", "wrong_password", system_id="a")])

    async def found(**asked: Any) -> list[int]:
        return [row.at for _id, row in await store.history.refused(mine.id, Unwanted(**asked))]

    assert await found() == [3, 2, 1]
    assert await found(reason="no_credit") == [3, 1]
    assert await found(source="B", destination="44") == [3]
    assert await found(since=2, until=3) == [2]
    (last, _row), *_ = await store.history.refused(mine.id, Unwanted(), 1)
    assert await found(below=last) == [2, 1]
