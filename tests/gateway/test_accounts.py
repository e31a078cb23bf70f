"""What the gateway knows of its accounts is what the store last said, and open sessions feel it at once."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from acl import reasons
from acl.reasons import Refusal
from gateway.accounts import LABELS, SILENCE, Account
from gateway.delivery import Due
from gateway.smpp.session import Session
from pdu import constants as c
from pdu.bodies import address
from store.protocol import StoreDown

from .scene import MOBILE, SENDER, Reader, Scene, settled, submit
from .smpp.client import bound

KINDS = {"transmitter": c.BIND_TRANSMITTER, "receiver": c.BIND_RECEIVER, "transceiver": c.BIND_TRANSCEIVER}
HERE, THERE = "127.0.0.1", "192.0.2.7"


class Bound(Reader):
    """A link as its account sees it."""

    def __init__(self, kind: str = "transceiver", peer: str = HERE) -> None:
        super().__init__()
        self.session: Session = bound(KINDS[kind])
        self.kind, self.peer = kind, peer
        self.heard: list[str] = []  # what it was told

    def probe(self, within: float) -> None:
        self.heard.append(f"probe within {within}")

    def unbind(self, why: str) -> None:
        self.heard.append(why)

    def deliver(self, dues: Sequence[Due]) -> None:
        super().deliver(dues)


@pytest.fixture
async def scene() -> Scene:
    return Scene()


async def change(scene: Scene, account: Account, **fields: Any) -> None:
    scene.memory.change(account.id, **fields)
    await scene.accounts.refresh()


def bind(account: Account, *links: Bound) -> list[Bound]:
    for link in links:
        account.join(link)
    return list(links)


def judged(scene: Scene, account: Account, **values: Any) -> object:
    from acl.judge import judge

    [verdict] = judge(account.policy, account.purse, [submit(**values)], scene.clock(), account.parts)
    return verdict.reason if isinstance(verdict, Refusal) else verdict


# -- what is known -------------------------------------------------------------------------------------------------
async def test_accounts_are_found_by_id_and_by_system_id(scene: Scene) -> None:
    one, two = await scene.account("one"), await scene.account("two")
    assert scene.accounts.by_id == {one.id: one, two.id: two}
    assert scene.accounts.by_system_id == {b"one": one, b"two": two}
    assert (one.name, one.system_id, one.password_hash, one.enabled, one.error) == (
        "smpp-one", "one", "hash of one", True, "",
    )  # fmt: skip


async def test_who_may_knock_is_known_before_any_account_is_named(scene: Scene) -> None:
    assert not scene.accounts.listed.contains(HERE)
    account = await scene.account(addresses=["192.0.2.0/24", "2001:db8::/32"])
    assert scene.accounts.listed.contains(THERE)
    assert scene.accounts.listed.contains("2001:db8::1")
    assert not scene.accounts.listed.contains(HERE)
    await change(scene, account, settings={"addresses": []})
    assert not scene.accounts.listed.contains(THERE)


async def test_what_it_may_spend_is_balance_and_limit(scene: Scene) -> None:
    scene.memory.add("a", 50_000)
    scene.memory.change(1, credit_limit=20_000)
    await scene.accounts.refresh()
    assert scene.accounts.by_id[1].purse.credit == 70_000


async def test_reading_again_what_has_not_changed_changes_nothing(scene: Scene) -> None:
    account = await scene.account(throughput=5, burst=5)
    account.purse.rate.take(3, scene.clock())
    account.purse.credit -= 10_000
    policy, purse, index = account.policy, account.purse, scene.accounts.listed
    await scene.accounts.refresh()
    assert account.policy is policy
    assert account.purse is purse
    assert scene.accounts.listed is index
    assert account.purse.credit == 999_999 * 10_000


# -- what changes --------------------------------------------------------------------------------------------------
async def test_an_account_keeps_its_purse_through_any_change(scene: Scene) -> None:
    account = await scene.account(throughput=10, burst=10)
    account.purse.credit, purse = 123_456, account.purse
    account.purse.rate.take(10, scene.clock())
    await change(scene, account, settings={"throughput": 1, "burst": 4}, password_hash="another", enabled=False)
    assert (account.purse, account.purse.credit) == (purse, 123_456)
    assert (account.password_hash, account.enabled) == ("another", False)
    assert account.purse.rate.available(scene.clock()) == 0  # no fresh bucket for changing it
    assert account.purse.rate.available(scene.clock() + 2) == 2


async def test_another_credit_limit_moves_what_may_be_spent(scene: Scene) -> None:
    account = await scene.account(balance=5)
    await change(scene, account, credit_limit=30_000)
    assert account.purse.credit == 80_000
    await change(scene, account, credit_limit=10_000)
    assert account.purse.credit == 60_000


async def test_the_burst_follows_window_and_throughput_where_it_is_not_set(scene: Scene) -> None:
    account = await scene.account(throughput=5, window=30)
    assert account.purse.rate.burst == 30
    await change(scene, account, settings={"throughput": 50})
    assert account.purse.rate.burst == 50


@pytest.mark.parametrize(
    ("setting", "values", "before", "after"),
    [
        ({"senders": ["other"]}, {}, 10_000, reasons.SENDER_NOT_ALLOWED),
        ({"senders": []}, {}, 10_000, reasons.SENDER_NOT_ALLOWED),
        ({"deny_destinations": ["48"]}, {}, 10_000, reasons.DESTINATION_FORBIDDEN),
        ({"allow_destinations": ["44"]}, {}, 10_000, reasons.DESTINATION_FORBIDDEN),
        ({"max_parts": 1}, {"short_message": b"x" * 161}, 20_000, reasons.TEXT_TOO_LONG),
        ({"data_codings": [8]}, {}, 10_000, reasons.DATA_CODING_UNSUPPORTED),
        ({"default_alphabet": "latin1"}, {"short_message": b"\xe9"}, reasons.ALPHABET_INVALID, 10_000),
        ({"price_plan": "dear"}, {}, 10_000, 90_000),
        ({"price_plan": "nowhere"}, {}, 10_000, reasons.NO_ROUTE),
    ],
)
async def test_a_changed_setting_counts_for_the_next_message(
    scene: Scene, setting: dict[str, Any], values: dict[str, Any], before: object, after: object
) -> None:
    scene.memory.plans["dear"] = {"": 90_000}
    account = await scene.account()
    assert judged(scene, account, **values) == before
    await change(scene, account, settings=setting)
    assert judged(scene, account, **values) == after


async def test_a_changed_price_plan_counts_for_all_that_have_it(scene: Scene) -> None:
    one, two = await scene.account("one"), await scene.account("two", price_plan="other")
    scene.memory.plans = {"default": {"": 10_000, "4860": 5_000}, "other": {"": 1}}
    await scene.accounts.refresh()
    assert (judged(scene, one), judged(scene, two)) == (5_000, 1)


async def test_commands_can_be_switched_off(scene: Scene) -> None:
    account = await scene.account()
    assert account.switched_off == set()
    await change(scene, account, settings={"commands": ["query_sm"]})
    assert account.switched_off == {c.DATA_SM, c.SUBMIT_MULTI, c.CANCEL_SM, c.REPLACE_SM}


# -- what cannot be read allows nothing ----------------------------------------------------------------------------
@pytest.mark.parametrize("settings", [{"window": -1}, {"no such setting": 1}, {"addresses": ["everywhere"]}])
async def test_settings_that_cannot_be_read_disable_the_account_and_no_other(
    scene: Scene, settings: dict[str, Any]
) -> None:
    account, other = await scene.account("a"), await scene.account("b")
    [link] = bind(account, Bound())
    await change(scene, account, settings=settings)
    assert not account.enabled
    assert account.error
    assert link.heard == [reasons.ACCOUNT_DISABLED]
    assert other.enabled
    scene.memory.rows[account.id] = scene.memory.rows[account.id]._replace(settings={})
    await scene.accounts.refresh()
    assert (account.enabled, account.error) == (True, "")


async def test_a_new_account_that_cannot_be_read_is_there_and_disabled(scene: Scene) -> None:
    account = await scene.account(window="wide")
    assert not account.enabled
    assert "window" in account.error
    assert not account.policy.networks
    assert judged(scene, account) == reasons.SENDER_NOT_ALLOWED


async def test_prices_that_cannot_be_read_disable_those_that_have_them(scene: Scene) -> None:
    account, other = await scene.account("a", price_plan="broken"), await scene.account("b")
    scene.memory.plans["broken"] = {"": -1}
    await scene.accounts.refresh()
    assert (account.enabled, other.enabled) == (False, True)


async def test_a_store_that_cannot_be_read_leaves_everything_as_it_was(scene: Scene) -> None:
    account = await scene.account()
    scene.memory.change(account.id, enabled=False)
    scene.memory.fail("accounts", StoreDown("no disk"))
    with pytest.raises(StoreDown):
        await scene.accounts.refresh()
    assert account.enabled
    await scene.accounts.refresh()
    assert not account.enabled


# -- what moves ----------------------------------------------------------------------------------------------------
async def test_what_a_commit_moves_can_be_spent_at_once(scene: Scene) -> None:
    one, two = await scene.account("one", balance=1), await scene.account("two", balance=1)
    scene.accounts.moved({one.id: 30_000, two.id: -10_000, 99: 5})
    assert (one.purse.credit, two.purse.credit) == (40_000, 0)


async def test_what_moves_while_a_new_account_is_being_read_is_not_lost(scene: Scene) -> None:
    row = scene.memory.add("new", 0)
    read = scene.memory.price_plans

    async def slow() -> dict[str, dict[str, int]]:
        scene.accounts.moved({row.id: 50_000})  # behind the reading of the accounts
        return await read()

    scene.memory.price_plans = slow  # type: ignore[method-assign]
    await scene.accounts.refresh()
    assert scene.accounts.by_id[row.id].purse.credit == 50_000


async def test_of_two_readings_the_later_counts(scene: Scene) -> None:
    account = await scene.account()
    read, gates = scene.memory.accounts, [asyncio.Event(), asyncio.Event()]
    numbers = iter(range(2))

    async def slow() -> Any:
        rows, number = await read(), next(numbers)
        await gates[number].wait()
        return rows

    scene.memory.accounts = slow  # type: ignore[method-assign]
    first = asyncio.ensure_future(scene.accounts.refresh())
    await settled()
    scene.memory.change(account.id, enabled=False)
    second = asyncio.ensure_future(scene.accounts.refresh())
    await settled()
    gates[1].set()
    await settled()
    gates[0].set()
    await asyncio.gather(first, second)
    assert not account.enabled


# -- its links -----------------------------------------------------------------------------------------------------
async def test_receivers_get_what_is_due_and_transmitters_do_not(scene: Scene) -> None:
    account = await scene.account()
    tx, rx, trx = bind(account, Bound("transmitter"), Bound("receiver"), Bound("transceiver"))
    assert account.kinds() == ["transmitter", "receiver", "transceiver"]
    account.mailbox.put([Due(number, b"", 0, 0) for number in range(12)])
    account.mailbox.pump()
    assert [len(link.delivered) for link in (tx, rx, trx)] == [0, 10, 2]


async def test_a_link_that_leaves_is_forgotten_and_what_it_owed_is_due_again(scene: Scene) -> None:
    account = await scene.account()
    one, two = bind(account, Bound(), Bound())
    account.mailbox.put([Due(1, b"", 0, 0)])
    account.mailbox.pump()
    account.leave(one, one.unanswered)
    account.leave(one, [])
    assert account.links == [two]
    assert [due.id for due in two.delivered] == [1]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"enabled": False}, reasons.ACCOUNT_DISABLED),
        ({"settings": {"addresses": []}}, reasons.NO_ADDRESS_DECLARED),
        ({"settings": {"addresses": ["192.0.2.0/24"]}}, reasons.ADDRESS_NOT_AUTHORISED),
        ({"settings": {"bind_types": ["receiver"]}}, reasons.BIND_TYPE_NOT_ALLOWED),
    ],
)
async def test_who_would_not_be_let_in_today_is_asked_to_leave(scene: Scene, fields: dict[str, Any], why: str) -> None:
    account, other = await scene.account("a"), await scene.account("b")
    [link], [neighbour] = bind(account, Bound()), bind(other, Bound())
    await change(scene, account, **fields)
    assert link.heard == [why]
    assert neighbour.heard == []


@pytest.mark.parametrize(
    "fields",
    [
        {"password_hash": "another"},
        {"settings": {"window": 3, "delivery_window": 2, "enquire_link": 7, "response_timeout": 9}},
        {"settings": {"addresses": [HERE, THERE]}},
        {"settings": {"system_type": "OTA"}},
        {"settings": {"senders": []}},
    ],
)
async def test_who_would_be_let_in_today_stays_and_adapts(scene: Scene, fields: dict[str, Any]) -> None:
    account = await scene.account()
    [link] = bind(account, Bound())
    await change(scene, account, **fields)
    assert link.heard == []
    settings, session = account.settings, link.session
    assert (session.window, session.delivery_window) == (settings.window, settings.effective_delivery_window)
    assert (session.timers.enquire_link, session.timers.response) == (settings.enquire_link, settings.response_timeout)


async def test_when_fewer_binds_are_allowed_the_oldest_stay(scene: Scene) -> None:
    account = await scene.account(max_binds=3)
    links = bind(account, Bound(), Bound("transmitter"), Bound("receiver"), Bound("receiver"))
    await change(scene, account, settings={"max_binds": 2})
    assert [link.heard for link in links] == [[], [], [], [reasons.TOO_MANY_BINDS]]
    await change(scene, account, settings={"max_binds": 0})
    assert [len(link.heard) for link in links] == [0, 0, 0, 1]


async def test_who_leaves_for_another_reason_makes_room_for_those_who_stay(scene: Scene) -> None:
    account = await scene.account(max_binds=2, addresses=[HERE, THERE])
    one, two = bind(account, Bound(peer=THERE), Bound())
    await change(scene, account, settings={"max_binds": 1, "addresses": [HERE]})
    assert (one.heard, two.heard) == ([reasons.ADDRESS_NOT_AUTHORISED], [])


async def test_the_oldest_who_holds_the_place_is_asked_whether_it_is_there(scene: Scene) -> None:
    account = await scene.account(max_binds=1)
    tx, rx = bind(account, Bound("transmitter"), Bound("receiver"))
    account.probe_oldest("receiver")
    assert (tx.heard, rx.heard) == ([], [f"probe within {SILENCE}"])
    account.probe_oldest("transceiver")
    assert len(tx.heard) == 1
    await change(scene, account, settings={"max_binds": 2})
    account.probe_oldest("receiver")  # there is room
    assert (len(tx.heard), len(rx.heard)) == (1, 1)


async def test_an_account_that_is_gone_has_no_links(scene: Scene) -> None:
    account = await scene.account()
    [link] = bind(account, Bound())
    del scene.memory.rows[account.id]
    await scene.accounts.refresh()
    assert link.heard == ["account removed"]
    assert (scene.accounts.by_id, scene.accounts.by_system_id) == ({}, {})
    assert not scene.accounts.listed.contains(HERE)


# -- labels --------------------------------------------------------------------------------------------------------
async def test_only_so_many_accounts_have_a_label_of_their_own(scene: Scene) -> None:
    for number in range(LABELS + 2):
        scene.memory.add(f"n{number}")
    await scene.accounts.refresh()
    labels = [account.label for account in scene.accounts.by_id.values()]
    assert labels[:LABELS] == [f"smpp-n{number}" for number in range(LABELS)]
    assert labels[LABELS:] == ["other", "other"]


async def test_a_sender_that_is_allowed_may_be_spelt_as_clients_do(scene: Scene) -> None:
    account = await scene.account(senders=["smppgate", "48600000001"])
    for source in (SENDER, address(0, 0, b"smppgate"), address(1, 1, b"48600000001"), address(1, 1, b"+48600000001")):
        assert judged(scene, account, source=source, destination=MOBILE) == 10_000
