"""Senders and the blacklist in the store: what belongs together is one commit, and everything has its bound."""

from collections.abc import Sequence

import pytest

from store.office import senders
from store.office.senders import MOST, MOST_DOCUMENTS, File
from store.protocol import AccountRow, Commit, Conflict, NotFound, Store
from tests.store.backends import NOW, account, body

LETTER = File("letter.pdf", "application/pdf", b"%PDF-1.7")


async def registered(store: Store, row: AccountRow, name: str = "MAPLE", files: Sequence[File] = ()) -> int:
    return (await store.senders.register(row.id, name, "", "ours", NOW, files)).id


async def settings_of(store: Store) -> object:
    [row] = await store.accounts()
    return row.settings.get("senders")


async def test_a_decision_and_the_settings_it_makes_are_one_commit(store: Store) -> None:
    row = await account(store)
    await registered(store, row)
    commits: list[Commit] = []
    store.observer = commits.append
    decided = await store.senders.decide(row.id, "MAPLE", "approved", "", NOW, {"senders": ["MAPLE"]})
    assert (decided.state, await settings_of(store), len(commits)) == ("approved", ["MAPLE"], 1)
    await store.senders.remove(row.id, ["MAPLE"], {"senders": []})
    assert (await store.senders.of_account(row.id), await settings_of(store), len(commits)) == ([], [], 2)


async def test_a_registration_comes_with_all_its_documents_or_not_at_all(store: Store) -> None:
    row = await account(store)
    with pytest.raises(Conflict, match="at most 10"):
        await registered(store, row, files=[LETTER] * (MOST_DOCUMENTS + 1))
    assert await store.senders.of_account(row.id) == []
    id_ = await registered(store, row, files=[LETTER] * MOST_DOCUMENTS)
    documents = await store.senders.documents(id_)
    assert len(documents) == MOST_DOCUMENTS
    assert (await store.senders.document(id_, documents[0].id))[1] == LETTER.octets
    other = await registered(store, row, "OTHER")
    with pytest.raises(NotFound):
        await store.senders.document(other, documents[0].id)
    await store.senders.remove(row.id, ["MAPLE"], None)
    with pytest.raises(NotFound):
        await store.senders.document(id_, documents[0].id)


async def test_an_account_fills_no_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "MOST_OCTETS", 3 * len(LETTER.octets))
    row, other = await account(store), await account(store, name="smpp-b")
    await registered(store, row, files=[LETTER, LETTER])
    with pytest.raises(Conflict, match="too much room"):
        await registered(store, row, "SECOND", [LETTER, LETTER])
    await registered(store, other, files=[LETTER, LETTER])
    for number in range(MOST - 1):
        await registered(store, other, f"S{number}")
    with pytest.raises(Conflict, match="remove one first"):
        await registered(store, other, "ONEMORE")


async def test_what_a_phone_says_and_that_it_is_left_alone_are_one_commit(store: Store) -> None:
    row = await account(store)
    commits: list[Commit] = []
    store.observer = commits.append
    await store.note_incoming(row.id, [(1, body(1))], ["48600100200"])
    await store.note_incoming(row.id, [(2, body(2))], ["48600100200"])
    [found] = await store.blacklist.page(row.id)
    assert (found.number, found.origin, len(commits)) == ("48600100200", "stop", 2)
    assert await store.blacklist.numbers() == {row.id: ["48600100200"]}
    await store.blacklist.add(row.id, ["48600100200", "48600100201"], NOW, "by hand")
    assert [one.origin for one in await store.blacklist.page(row.id)] == ["stop", "manual"]
