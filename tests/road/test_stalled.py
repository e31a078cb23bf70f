"""A disk that waits, fails or forgets to answer: sessions live on, and nobody is told what is not so."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from acl.money import CREDIT
from pdu import constants as c
from pdu.times import format_relative
from store.protocol import OutcomeUnknown
from tests.road.client import SENDER, Asked, accepted, answers_to, bound, hang_up_all, until
from tests.road.inside import Inside, inside

pytestmark = pytest.mark.road

TENTH = 0.1
MIB = 1 << 20


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Inside]:
    async with inside(tmp_path / "data") as gateway:
        try:
            yield gateway
        finally:
            gateway.disk.resume()
            await hang_up_all()


def full() -> Exception:
    return OSError(errno.ENOSPC, "No space left on device")


def broken() -> Exception:
    fault = sqlite3.OperationalError("disk I/O error")
    fault.sqlite_errorcode = sqlite3.SQLITE_IOERR_READ
    return fault


def lost() -> Exception:
    return OutcomeUnknown("nobody knows")


async def blind(*_: object) -> bool:
    raise OSError("the disk is gone")


async def test_link_checks_are_answered_within_a_tenth_of_a_second_while_commits_stall(house: Inside) -> None:
    login = await house.account("patient", window=5)
    client = await bound(house.port, login)
    house.disk.stall()
    asked = client.submit_many(20)
    await until("a commit is under way", lambda: house.disk.waiting)
    checks = list[Asked]()
    for _ in range(30):
        checks.append(client.send(c.ENQUIRE_LINK))
        await checks[-1].answered()
    assert sorted(check.seconds for check in checks)[-3] < TENTH  # a busy machine may hold up one or two
    assert all(one.answer is None for one in asked)
    house.disk.resume()
    await accepted(asked)


async def test_no_more_than_a_window_of_a_session_is_ever_inside_the_store(house: Inside) -> None:
    login = await house.account("windowed", window=7, max_binds=3)
    house.counted()
    clients = [await bound(house.port, login) for _ in range(3)]
    house.disk.stall()
    asked = [one for client in clients for one in client.submit_many(100)]
    await until("three windows are in the store", lambda: sum(house.in_store.values()) == 21)
    for client in clients:
        await client.ask(c.ENQUIRE_LINK)
    assert list(house.in_store.values()) == [7, 7, 7]
    house.disk.resume()
    await accepted(asked)
    assert house.most_in_store == 7


async def test_a_window_that_was_lowered_holds_from_the_next_requests_on(house: Inside) -> None:
    login = await house.account("narrowed", window=50)
    house.counted()
    client = await bound(house.port, login)
    await accepted(client.submit_many(50))
    assert house.most_in_store == 50
    begun = time.monotonic()
    await house.admin.accounts.change(login.name, {"window": 2})
    house.most_in_store = 0
    await accepted(client.submit_many(20))
    assert house.most_in_store == 2
    assert time.monotonic() - begun < 2


async def test_a_session_that_waits_for_the_disk_is_not_read_and_loses_nothing(house: Inside) -> None:
    login = await house.account("pressed", window=1000, credits="1000000", max_parts=2)
    client = await bound(house.port, login)
    house.disk.stall()
    asked, written = list[Asked](), 0
    transport = client.transport
    transport.set_write_buffer_limits(high=0)
    while transport.get_write_buffer_size() == 0:  # until neither the server nor the kernel takes more
        assert written < 64 * MIB, "the server reads on and on"
        asked += client.submit_many(100, short_message=b"x" * 250)
        written += 100 * 250
        await asyncio.sleep(0)
    [link] = house.gateway.server.links.values()
    assert link.session.backlog < MIB
    house.disk.resume()
    ids = await accepted(asked)
    assert [pdu.sequence for pdu in client.answers[1:]] == [one.sequence for one in asked]
    assert [int(id_) for id_ in ids] == sorted(int(id_) for id_ in ids)


async def test_after_a_stall_everything_is_answered_in_the_order_of_acceptance(house: Inside) -> None:
    login = await house.account("ordered", window=4, max_binds=2)
    first, second = await bound(house.port, login), await bound(house.port, login)
    house.disk.stall()
    asked = [(first.submit_many(11), second.submit_many(11)) for _ in range(3)]
    await until("a commit is under way", lambda: house.disk.waiting)
    house.disk.resume()
    for client, mine in ((first, [a for pair in asked for a in pair[0]]), (second, [a for p in asked for a in p[1]])):
        ids = [int(id_) for id_ in await accepted(mine)]
        assert ids == sorted(ids)
        assert [pdu.sequence for pdu in client.answers[1:]] == [one.sequence for one in mine]
    assert await house.store.audit() == []


@pytest.mark.parametrize(("failure", "status"), [(full, c.ESME_RMSGQFUL), (broken, c.ESME_RSYSERR)])
async def test_a_store_that_fails_is_never_called_ok(
    house: Inside, failure: type[Exception], status: int
) -> None:
    login = await house.account("unlucky", credits="10")
    client = await bound(house.port, login)
    house.disk.failure = failure
    asked = client.submit_many(12)
    await answers_to(asked)
    assert [one.status for one in asked] == [status] * 10 + [status] * 2
    assert (await client.ask(c.ENQUIRE_LINK)).status == c.ESME_ROK
    house.disk.failure = None
    asked = client.submit_many(11)  # what was refused cost nothing
    await answers_to(asked)
    assert [one.status for one in asked] == [c.ESME_ROK] * 10 + [c.ESME_RNOCREDIT]
    assert await house.store.audit() == []
    assert (await house.admin.accounts.show(login.name))["balance"] == "0"


async def test_a_commit_that_failed_in_name_only_is_looked_up_and_answered_ok(house: Inside) -> None:
    login = await house.account("lucky")
    client = await bound(house.port, login)
    house.disk.guessing = True
    [id_] = await accepted([client.submit()])
    house.disk.guessing = False
    assert (await house.admin.messages.show(login.name, id_))[0]["charge"] == "1"
    assert await house.store.audit() == []


async def test_when_nobody_knows_what_became_of_a_commit_the_session_closes_unanswered(
    house: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what was stored all the same goes its way as soon as the store can be asked again."""
    login, other = await house.account("unsure"), await house.account("bystander")
    client, bystander = await bound(house.port, login), await bound(house.port, other)
    monkeypatch.setattr("store.connection.Connection.recognise", blind)
    house.disk.guessing = True
    asked = client.submit_many(3, registered_delivery=1)
    await client.gone()
    assert [one.answer for one in asked] == [None] * 3
    house.disk.guessing = False
    monkeypatch.undo()
    assert (await bystander.ask(c.ENQUIRE_LINK)).status == c.ESME_ROK
    client = await bound(house.port, login)
    await until("all three were sent", lambda: len(client.receipts) == 3)
    await accepted([bystander.submit()])
    assert await house.store.audit() == []
    assert (await house.admin.accounts.show(login.name))["balance"] == "997"


async def test_the_price_of_what_was_not_stored_after_all_can_be_spent_again(house: Inside) -> None:
    login = await house.account("lucky-in-the-end", credits="3")
    client = await bound(house.port, login)
    house.disk.failure = lost
    asked = client.submit_many(3)
    await client.gone()
    assert [one.answer for one in asked] == [None] * 3
    house.disk.failure = None
    client = await bound(house.port, login)
    await until("the doubts are cleared", lambda: house.gateway.accounts.by_id[1].purse.credit == 3 * CREDIT)
    await accepted(client.submit_many(3))
    assert (await house.admin.accounts.show(login.name))["balance"] == "0"
    assert await house.store.audit() == []


async def test_a_release_of_which_nobody_knows_is_found_out(house: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    login = await house.account("released")
    client = await bound(house.port, login)
    await accepted(client.submit_many(3, schedule_delivery_time=format_relative(1), registered_delivery=1))
    monkeypatch.setattr("store.connection.Connection.recognise", blind)
    house.disk.guessing = True
    while await house.store.scheduled(1):  # until the release is stored, and nobody was told
        await asyncio.sleep(0.01)
    house.disk.guessing = False
    monkeypatch.undo()
    await until("all three were sent", lambda: len(client.receipts) == 3)
    assert {receipt.state for receipt in client.receipts} == {c.DELIVERED}


async def test_a_message_that_could_not_replace_an_older_one_goes_its_way_all_the_same(house: Inside) -> None:
    login = await house.account("replacing")
    client = await bound(house.port, login)
    hour = format_relative(3600)
    [old] = await accepted([client.submit(schedule_delivery_time=hour)])
    house.disk.spared, house.disk.failure = 1, broken  # the new one is stored, the old one cannot be ended
    [new] = await accepted([client.submit(replace_if_present_flag=1, registered_delivery=1)])
    house.disk.failure = None
    assert (await client.receipt(new)).state == c.DELIVERED
    assert (await house.admin.messages.show(login.name, old))[0]["state"] == "scheduled"


async def test_a_cancel_of_which_nobody_knows_whether_it_was_done_is_not_answered(
    house: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = await house.account("undecided")
    client = await bound(house.port, login)
    [id_] = await accepted([client.submit(schedule_delivery_time=format_relative(3600))])
    monkeypatch.setattr("store.connection.Connection.recognise", blind)
    house.disk.guessing = True
    cancel = client.send(c.CANCEL_SM, message_id=id_.encode(), source=SENDER)
    await client.gone()
    assert cancel.answer is None


async def test_outcomes_that_could_not_be_stored_are_stored_later(house: Inside) -> None:
    login = await house.account("later")
    client = await bound(house.port, login)
    asked = client.submit(to="48600100208", registered_delivery=1)
    await asked.answered()
    house.disk.failure = broken
    await until("its end was tried in vain", lambda: house.disk.failed)
    house.disk.failure = None
    assert (await client.receipt(asked.message_id)).state == c.REJECTED
    assert (await house.admin.accounts.show(login.name))["balance"] == "1000"
