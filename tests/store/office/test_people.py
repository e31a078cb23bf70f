"""People, their accounts, and what proves them, as every back end must keep them."""

from collections.abc import Mapping
from typing import Any

import pytest

from store.office.changes import Change
from store.office.credentials import MOST_SESSIONS, Link
from store.office.people import Person
from store.protocol import Conflict, NotFound, Store
from tests.store.backends import NOW

HOSTILE = "<img src=x onerror=alert(1)>'; DROP TABLE person; --"
NEW: Mapping[str, Any] = {
    "email": "ola@example.com", "name": HOSTILE, "operator": False, "read_only": True, "language": "pl",
    "time_zone": "Europe/Warsaw",
}  # fmt: skip
D1, D2, D3 = (bytes([number]) * 32 for number in (1, 2, 3))


async def ola(store: Store, **fields: Any) -> Person:
    return await store.people.add({**NEW, **fields}, (3, 5), NOW)


async def test_a_person_comes_back_as_it_was_added(store: Store) -> None:
    person = await ola(store)
    assert person == Person(
        person.id, "ola@example.com", HOSTILE, False, True, "pl", "Europe/Warsaw", None, None, 0, True, NOW,
        frozenset({3, 5}),
    )  # fmt: skip
    assert await store.people.all() == [person]
    assert await store.people.find(person.id) == person
    assert await store.people.owners(5) == [person]
    assert await store.people.owners(4) == []
    assert await store.people.find(99) is None


@pytest.mark.parametrize("email", ["ola@example.com", "OLA@Example.COM"])
async def test_an_address_belongs_to_one_person_whatever_its_capitals(store: Store, email: str) -> None:
    person = await ola(store)
    assert await store.people.with_email(email) == person
    with pytest.raises(Conflict, match="somebody"):
        await ola(store, email=email)
    other = await ola(store, email="jan@example.com")
    with pytest.raises(Conflict):
        await store.people.change(other.id, {"email": email})
    assert (await store.people.change(person.id, {"email": email})).email == email


async def test_accounts_are_set_as_a_whole(store: Store) -> None:
    person = await ola(store)
    assert (await store.people.change(person.id, {"name": "Ola"})).accounts == {3, 5}
    assert (await store.people.change(person.id, {}, (7,))).accounts == {7}
    assert (await store.people.change(person.id, {}, ())).accounts == frozenset()


async def test_what_is_not_there_cannot_be_changed(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.people.change(1, {"name": "x"})
    with pytest.raises(NotFound):
        await store.people.remove(1)


async def test_who_is_removed_leaves_nothing_but_the_log_and_an_id_that_nobody_gets_again(store: Store) -> None:
    person = await ola(store)
    await store.credentials.open_session(D1, person.id, "", "", NOW, 0, 0)
    await store.credentials.add_token(D2, person.id, "t", ("read",), NOW)
    await store.credentials.keep_link(D3, Link(person.id, "reset", NOW + 1))
    change = Change(NOW, 1, "boss", "", "cli", None, "person", person.email, {"name": person.name})
    await store.people.remove(person.id, [change])
    assert await store.people.all() == []
    assert await store.credentials.session(D1) is None
    assert await store.credentials.token(D2) is None
    assert await store.credentials.link(D3) is None
    assert [row.change for row in await store.changes.newest(None)] == [change]
    assert (await ola(store)).id > person.id


async def test_who_is_switched_off_is_logged_out(store: Store) -> None:
    person = await ola(store)
    await store.credentials.open_session(D1, person.id, "", "", NOW, 0, 0)
    assert not (await store.people.change(person.id, {"enabled": False})).enabled
    assert await store.credentials.session(D1) is None


# -- links -----------------------------------------------------------------------------------------------------------
async def test_a_link_is_good_once(store: Store) -> None:
    person = await ola(store)
    await store.credentials.keep_link(D1, Link(person.id, "invitation", NOW + 10))
    assert await store.credentials.redeem(D1, NOW, "hash", "Ola")
    assert not await store.credentials.redeem(D1, NOW, "other hash")
    found = await store.people.find(person.id)
    assert found is not None
    assert (found.password_hash, found.name) == ("hash", "Ola")


async def test_a_link_that_expired_is_worthless_and_so_is_one_that_was_replaced(store: Store) -> None:
    person = await ola(store)
    await store.credentials.keep_link(D1, Link(person.id, "invitation", NOW + 10))
    await store.credentials.keep_link(D2, Link(person.id, "invitation", NOW + 10))
    assert await store.credentials.link(D1) is None
    assert not await store.credentials.redeem(D1, NOW, "hash")
    assert not await store.credentials.redeem(D2, NOW + 10, "hash")


async def test_a_new_password_ends_sessions_and_links(store: Store) -> None:
    person = await ola(store)
    for digest in (D1, D2):
        await store.credentials.open_session(digest, person.id, "", "", NOW, 0, 0)
    await store.credentials.keep_link(D3, Link(person.id, "reset", NOW + 10))
    kept = await store.credentials.session(D2)
    assert kept is not None
    await store.credentials.set_password(person.id, "hash", kept.id)
    assert await store.credentials.sessions(person.id) == [kept]
    assert not await store.credentials.redeem(D3, NOW, "stolen")


# -- sessions --------------------------------------------------------------------------------------------------------
async def test_sessions_of_a_person_are_bounded_and_the_oldest_goes(store: Store) -> None:
    person = await ola(store)
    for number in range(MOST_SESSIONS + 1):
        await store.credentials.open_session(bytes([number]) * 32, person.id, HOSTILE, HOSTILE, NOW, 0, 0)
    assert len(await store.credentials.sessions(person.id)) == MOST_SESSIONS
    assert await store.credentials.session(bytes(32)) is None


async def test_sessions_that_are_over_go_when_somebody_logs_in(store: Store) -> None:
    first, second = await ola(store), await ola(store, email="jan@example.com")
    await store.credentials.open_session(D1, first.id, "", "", NOW, 0, 0)
    await store.credentials.open_session(D2, first.id, "", "", NOW + 5, 0, 0)
    await store.credentials.seen(2, NOW + 9)
    await store.credentials.open_session(D3, second.id, "", "", NOW + 10, NOW + 1, NOW + 8)
    assert await store.credentials.session(D1) is None
    assert await store.credentials.session(D2) is not None


async def test_a_session_is_ended_by_its_person_only(store: Store) -> None:
    person = await ola(store)
    await store.credentials.open_session(D1, person.id, "", "", NOW, 0, 0)
    [session] = await store.credentials.sessions(person.id)
    assert not await store.credentials.end_session(person.id + 1, session.id)
    assert await store.credentials.end_session(person.id, session.id)
    assert not await store.credentials.end_session(person.id, session.id)


# -- tokens and codes ------------------------------------------------------------------------------------------------
async def test_tokens(store: Store) -> None:
    person = await ola(store)
    token = await store.credentials.add_token(D1, person.id, HOSTILE, ("read", "send"), NOW)
    assert await store.credentials.token(D1) == token
    await store.credentials.used(token.id, NOW + 1)
    assert await store.credentials.tokens(person.id) == [token._replace(used_at=NOW + 1)]
    assert not await store.credentials.revoke_token(person.id + 1, token.id)
    assert await store.credentials.revoke_token(person.id, token.id)
    assert await store.credentials.token(D1) is None


async def test_a_code_counts_once_and_none_before_it(store: Store) -> None:
    person = await ola(store)
    await store.credentials.set_codes(person.id, "SECRET", 10, [D1, D2])
    assert not await store.credentials.count_code(person.id, 10)
    assert await store.credentials.count_code(person.id, 12)
    assert not await store.credentials.count_code(person.id, 11)


async def test_a_recovery_code_is_used_up(store: Store) -> None:
    person = await ola(store)
    await store.credentials.set_codes(person.id, "SECRET", 0, [D1, D2])
    assert not await store.credentials.use_recovery_code(person.id + 1, D1)
    assert await store.credentials.use_recovery_code(person.id, D1)
    assert not await store.credentials.use_recovery_code(person.id, D1)
    assert await store.credentials.recovery_codes_left(person.id) == 1
    await store.credentials.set_codes(person.id, None, 0, ())
    assert await store.credentials.recovery_codes_left(person.id) == 0


# -- answers ---------------------------------------------------------------------------------------------------------
async def test_a_key_is_taken_once_by_each_sender_and_remembers_its_answer(store: Store) -> None:
    assert await store.answers.begin("ola", "k", D1, NOW, 0) is None
    unfinished = await store.answers.begin("ola", "k", D1, NOW, 0)
    assert unfinished is not None
    assert unfinished.status is None
    assert await store.answers.begin("jan", "k", D1, NOW, 0) is None
    await store.answers.finish("ola", "k", 201, {"content-type": "application/json"}, b"{}")
    answer = await store.answers.begin("ola", "k", D2, NOW, 0)
    assert answer == (D1, 201, {"content-type": "application/json"}, b"{}")


async def test_a_key_is_free_again_when_it_is_dropped_or_old(store: Store) -> None:
    await store.answers.begin("ola", "k", D1, NOW, 0)
    await store.answers.drop("ola", "k")
    assert await store.answers.begin("ola", "k", D1, NOW, 0) is None
    assert await store.answers.begin("ola", "k", D1, NOW + 10, NOW + 1) is None
