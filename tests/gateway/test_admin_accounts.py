"""Accounts at the operator's desk: made, changed, switched off, given addresses and passwords; credits and prices."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from acl.password import verify
from acl.settings import SETTINGS
from gateway.admin import COMMAND_LINE, Conflict, Invalid, NotFound, Stale
from gateway.admin.identity import LONGEST_PASSWORD, LONGEST_SYSTEM_ID
from gateway.admin.why import Asked
from store.protocol import Commit

from .desk import NOW, Desk, open_desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


async def wrong_fields(desk: Desk, **fields: Any) -> set[str]:
    with pytest.raises(Invalid) as caught:
        await desk.operator.accounts.create({"name": "acme", **fields})
    assert all(error.reason for error in caught.value.errors)
    return {error.field for error in caught.value.errors}


async def test_a_new_account_has_a_login_that_fits_a_bind(desk: Desk) -> None:
    made = await desk.operator.accounts.create({"name": "acme"})
    assert made["name"] == "smpp-acme"
    assert 0 < len(made["system_id"]) <= LONGEST_SYSTEM_ID
    assert len(made["password"]) == LONGEST_PASSWORD
    assert (made["status"], made["balance"], made["warnings"]) == ("WAITING_IP", "0", [])
    [row] = await desk.store.accounts()
    assert row.password_hash.startswith("$argon2id$")
    assert verify(row.password_hash, made["password"].encode())
    assert await desk.store.ledger(row.id) == []


async def test_the_password_is_shown_once(desk: Desk) -> None:
    made = await desk.operator.accounts.create({"name": "acme"})
    everywhere = str([await desk.operator.accounts.show("acme"), await desk.operator.accounts.all()])
    assert "password" not in everywhere
    assert made["password"] not in everywhere
    assert "argon2" not in everywhere


async def test_an_account_shows_every_setting_flat(desk: Desk) -> None:
    made = await desk.operator.accounts.create({"name": "smpp-acme", "window": 5, "addresses": ["::ffff:10.0.0.1"]})
    assert {setting.name for setting in SETTINGS} <= made.keys()
    assert (made["window"], made["addresses"], made["status"]) == (5, ["10.0.0.1"], "SUCCESS")


async def test_only_what_was_decided_is_stored(desk: Desk) -> None:
    """So that a better default of a later version reaches everybody else."""
    await desk.operator.accounts.create({"name": "acme", "window": 5})
    await desk.operator.accounts.change("acme", {"throughput": 0, "window": None})
    [row] = await desk.store.accounts()
    assert row.settings == {"throughput": 0}


async def test_first_credits_are_a_topup(desk: Desk) -> None:
    made = await desk.operator.accounts.create({"name": "acme", "credits": "12.5"})
    assert made["balance"] == "12.5"
    [line] = await desk.store.ledger(await desk.id_of("smpp-acme"))
    assert (line.kind, line.amount, line.balance_after) == ("topup", 125_000, 125_000)


async def test_everything_wrong_is_said_at_once_and_nothing_is_made(desk: Desk) -> None:
    found = await wrong_fields(
        desk, name="no spaces", system_id="no spaces", password="no spaces", credits="-1", window=0,
        addresses=["300.0.0.1"], senders=["much too long a sender"], nonsense=1, price_plan="gold",
    )  # fmt: skip
    assert found == {
        "name", "system_id", "password", "credits", "window", "addresses", "senders", "nonsense", "price_plan",
    }  # fmt: skip
    assert await desk.store.accounts() == []


@pytest.mark.parametrize("value", [1.5, True, ["x"], {"a": 1}])
@pytest.mark.parametrize("field", ["name", "system_id", "password", "credits", "price_plan", "window"])
async def test_values_of_the_wrong_type(desk: Desk, field: str, value: object) -> None:
    assert await wrong_fields(desk, **{field: value}) == {field}


async def test_what_many_clients_would_cut_off_is_warned_about(desk: Desk) -> None:
    made = await desk.operator.accounts.create({"name": "acme", "system_id": "x" * 16, "password": "y" * 9})
    assert len(made["warnings"]) == 2
    assert "16" in made["warnings"][0]
    assert made["password"] == "y" * 9


async def test_names_and_system_ids_are_unique(desk: Desk) -> None:
    await desk.operator.accounts.create({"name": "acme", "system_id": "one"})
    for fields in ({"name": "smpp-acme"}, {"name": "other", "system_id": "one"}):
        with pytest.raises(Conflict):
            await desk.operator.accounts.create(fields)


async def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    accounts, money, messages = desk.operator.accounts, desk.operator.credits, desk.operator.messages
    for attempt in (
        accounts.show("none"), accounts.change("none", {}), accounts.enable("none", True),
        accounts.add_address("none", "::1"), accounts.remove_address("none", "::1"),
        accounts.rotate_password("none", False), money.add("none", "1"), money.ledger("none"),
        messages.newest("none"), messages.show("none", "1"), messages.export("none"),
        desk.operator.why.refused(Asked("none")), desk.operator.binds.all("none"), desk.operator.prices.show("none"),
    ):  # fmt: skip
        with pytest.raises(NotFound, match="none"):
            await attempt


async def test_settings_change_and_the_live_gateway_hears_of_it(desk: Desk) -> None:
    await desk.operator.accounts.create({"name": "acme"})
    heard = desk.live.refreshed
    changed = await desk.operator.accounts.change("acme", {"senders": ["ACME", "*"], "window": 7})
    assert (changed["senders"], changed["window"]) == (["ACME", "*"], 7)
    assert desk.live.refreshed == heard + 1


async def test_wrong_settings_change_nothing(desk: Desk) -> None:
    await desk.operator.accounts.create({"name": "acme", "senders": ["ACME"]})
    with pytest.raises(Invalid) as caught:
        await desk.operator.accounts.change("acme", {"window": 5, "throughput": -1, "default_sender": "OTHER", "x": 1})
    assert {error.field for error in caught.value.errors} == {"throughput", "default_sender", "x"}
    assert (await desk.operator.accounts.show("acme"))["window"] == 10


async def test_status_follows_addresses_and_the_switch(desk: Desk) -> None:
    await desk.operator.accounts.create({"name": "acme"})
    assert (await desk.operator.accounts.add_address("acme", "10.0.0.0/8"))["status"] == "SUCCESS"
    assert (await desk.operator.accounts.enable("acme", False))["status"] == "DISABLED"
    assert (await desk.operator.accounts.enable("acme", True))["status"] == "SUCCESS"
    assert (await desk.operator.accounts.remove_address("acme", "10.0.0.0/8"))["status"] == "WAITING_IP"


async def test_addresses_are_canonical_unique_and_ten(desk: Desk) -> None:
    await desk.operator.accounts.create({"name": "acme"})
    assert (await desk.operator.accounts.add_address("acme", "::FFFF:192.0.2.1"))["addresses"] == ["192.0.2.1"]
    with pytest.raises(Conflict, match="already"):
        await desk.operator.accounts.add_address("acme", "192.0.2.1/32")
    with pytest.raises(Invalid, match="address"):
        await desk.operator.accounts.add_address("acme", "192.0.2.1/24")
    with pytest.raises(NotFound, match=r"192\.0\.2\.1"):
        await desk.operator.accounts.remove_address("acme", "192.0.2.2")
    for last in range(2, 11):
        await desk.operator.accounts.add_address("acme", f"192.0.2.{last}")
    with pytest.raises(Conflict, match="10 of 10"):
        await desk.operator.accounts.add_address("acme", "192.0.2.11")
    assert (await desk.operator.accounts.remove_address("acme", "::ffff:192.0.2.1"))["addresses"][0] == "192.0.2.2"


async def test_a_new_password_replaces_the_old_one(desk: Desk) -> None:
    old = (await desk.operator.accounts.create({"name": "acme"}))["password"]
    desk.live.bound(1, "smpp-acme")
    made = await desk.operator.accounts.rotate_password("acme", drop_binds=False)
    [row] = await desk.store.accounts()
    assert verify(row.password_hash, made["password"].encode())
    assert not verify(row.password_hash, old.encode())
    assert (made["dropped_binds"], len(desk.live.open)) == (0, 1)


async def test_a_new_password_drops_binds_of_that_account_if_asked(desk: Desk) -> None:
    await desk.operator.accounts.create({"name": "acme"})
    for number, name in enumerate(("smpp-acme", "smpp-other", "smpp-acme")):
        desk.live.bound(number, name)
    assert (await desk.operator.accounts.rotate_password("acme", drop_binds=True))["dropped_binds"] == 2
    assert [bind["account"] for bind in desk.live.open] == ["smpp-other"]


async def test_the_credit_limit_is_known_to_the_store(desk: Desk) -> None:
    await desk.operator.accounts.create({"name": "acme", "credit_limit": "5"})
    [row] = await desk.store.accounts()
    assert row.credit_limit == 50_000
    await desk.operator.credits.add("acme", "-3")
    with pytest.raises(Conflict, match="owes"):
        await desk.operator.accounts.change("acme", {"credit_limit": "2", "window": 3})
    assert (await desk.operator.accounts.show("acme"))["window"] == 10
    assert (await desk.operator.accounts.change("acme", {"credit_limit": "3"}))["credit_limit"] == "3"
    await desk.operator.credits.add("acme", "3")
    await desk.operator.accounts.change("acme", {"credit_limit": None})
    assert (await desk.store.accounts())[0].credit_limit == 0


async def test_settings_and_credit_limit_are_one_commit(desk: Desk) -> None:
    """Between two of them a crash would leave a limit that nobody set."""
    commits: list[Commit] = []
    desk.store.observer = commits.append
    await desk.operator.accounts.create({"name": "acme", "credits": "1", "credit_limit": "5"})
    assert len(commits) == 1
    await desk.operator.accounts.change("acme", {"credit_limit": "7", "window": 3})
    assert len(commits) == 2
    [row] = await desk.store.accounts()
    assert (row.credit_limit, row.settings) == (70_000, {"credit_limit": "7", "window": 3})


async def test_an_account_whose_settings_cannot_be_read_is_still_listed(desk: Desk) -> None:
    """As after a step back to an older version."""
    await desk.operator.accounts.create({"name": "acme", "addresses": ["::1"]})
    await desk.store.change_account(await desk.id_of("smpp-acme"), settings={"from_the_future": 1})
    shown = await desk.operator.accounts.show("acme")
    assert shown["status"] == "ERROR"
    assert "from_the_future" in shown["error"]
    assert (await desk.operator.accounts.enable("acme", False))["status"] == "DISABLED"
    assert await desk.operator.incoming.inject("48600100200", "+48500600700", "x", account="acme")


# -- credits -----------------------------------------------------------------------------------------------------------
async def test_a_request_id_counts_once(desk: Desk) -> None:
    await desk.operator.accounts.create({"name": "acme"})
    first = await desk.operator.credits.add("acme", "10", "invoice-1", "paid")
    again = await desk.operator.credits.add("acme", 10, "invoice-1")
    assert first == again
    assert (first["kind"], first["amount"], first["balance_after"], first["note"]) == ("topup", "10", "10", "paid")
    with pytest.raises(Conflict, match="invoice-1"):
        await desk.operator.credits.add("acme", "11", "invoice-1")
    assert (await desk.operator.accounts.show("acme"))["balance"] == "10"


async def test_a_negative_amount_is_an_adjustment_within_the_balance(desk: Desk) -> None:
    await desk.operator.accounts.create({"name": "acme", "credits": 2})
    line = await desk.operator.credits.add("acme", "-0.5")
    assert (line["kind"], line["amount"], line["balance_after"]) == ("adjustment", "-0.5", "1.5")
    with pytest.raises(Conflict, match=r"1\.5"):
        await desk.operator.credits.add("acme", "-1.5001")


@pytest.mark.parametrize("amount", ["0", "", "x", "1.00001", "1e3", "NaN", "99999999999999"])
async def test_what_is_no_amount(desk: Desk, amount: str) -> None:
    await desk.operator.accounts.create({"name": "acme"})
    with pytest.raises(Invalid) as caught:
        await desk.operator.credits.add("acme", amount, "", "n" * 201)
    assert {error.field for error in caught.value.errors} == {"amount", "request_id", "note"}


async def test_the_ledger_in_pages(desk: Desk) -> None:
    await desk.operator.accounts.create({"name": "acme", "credits": 1})
    await desk.operator.accounts.create({"name": "other", "credits": 1})
    for number in range(4):
        await desk.operator.credits.add("acme", number + 1)
    page, following = await desk.operator.credits.ledger("acme", limit=3)
    rest, end = await desk.operator.credits.ledger("acme", after=following or 0, limit=3)
    assert [line["amount"] for line in page + rest] == ["1", "1", "2", "3", "4"]
    assert [line["balance_after"] for line in page + rest] == ["1", "2", "4", "7", "11"]
    assert end is None


# -- prices ------------------------------------------------------------------------------------------------------------
async def test_price_plans(desk: Desk) -> None:
    assert await desk.operator.prices.all() == [{"name": "default", "prices": {"*": "1"}}]
    heard = desk.live.refreshed
    made = await desk.operator.prices.set("gold", {"+48": "0.5", "*": 2})
    assert made == await desk.operator.prices.show("gold") == {"name": "gold", "prices": {"*": "2", "48": "0.5"}}
    assert desk.live.refreshed == heard + 1
    await desk.operator.accounts.create({"name": "acme", "price_plan": "gold"})


@pytest.mark.parametrize(
    ("name", "prices"),
    [("no spaces", {}), ("gold", {"x": "1"}), ("gold", {"48": "-1"}), ("gold", {"48": "1", "+48": "2"})],
)
async def test_what_is_no_price_plan(desk: Desk, name: str, prices: dict[str, str | int]) -> None:
    with pytest.raises(Invalid):
        await desk.operator.prices.set(name, prices)
    assert [plan["name"] for plan in await desk.operator.prices.all()] == ["default"]


async def test_a_price_plan_is_deleted_once_no_account_has_it(desk: Desk) -> None:
    prices = desk.operator.prices
    await prices.set("gold", {"48": "0.5"})
    await desk.operator.accounts.create({"name": "acme", "price_plan": "gold"})
    with pytest.raises(Conflict, match="is that of smpp-acme; give them another one first"):
        await prices.delete("gold")
    with pytest.raises(Conflict, match="default stays"):
        await prices.delete("default")
    with pytest.raises(NotFound):
        await prices.delete("none")
    await desk.operator.accounts.change("acme", {"price_plan": None})
    with pytest.raises(Stale):
        await prices.delete("gold", "another")
    await prices.delete("gold", await prices.version("gold"))
    assert [plan["name"] for plan in await prices.all()] == ["default"]
    [(row, *_rest)] = [await desk.store.changes.newest(None)]
    assert (row.change.subject, row.change.name, row.change.old, row.change.new) == (
        "price plan", "gold", {"48": "0.5"}, None,
    )  # fmt: skip


async def test_no_account_is_made_with_a_plan_that_is_just_being_deleted(desk: Desk) -> None:
    await desk.operator.prices.set("gold", {"48": "0.5"})
    made, deleted = await asyncio.gather(
        desk.operator.accounts.create({"name": "acme", "price_plan": "gold"}),
        desk.operator.prices.delete("gold"),
        return_exceptions=True,
    )
    assert isinstance(made, Invalid) != isinstance(deleted, Conflict)


async def test_without_a_live_gateway_everything_works_the_same(tmp_path: Path) -> None:
    async with open_desk(tmp_path / "stopped", live=False) as desk:
        made = await desk.operator.accounts.create({"name": "acme"})
        assert made["binds"] is None
        assert (await desk.operator.accounts.rotate_password("acme", drop_binds=True))["dropped_binds"] == 0
        assert await desk.operator.binds.all() == []
        with pytest.raises(NotFound):
            await desk.operator.binds.kick(1)


# -- whoever asks ------------------------------------------------------------------------------------------------------
async def test_every_change_is_logged_with_who_old_and_new(desk: Desk) -> None:
    made = await desk.operator.accounts.create({"name": "acme", "credits": "2", "window": 5})
    await desk.operator.accounts.change("acme", {"window": 7, "throughput": 0})
    await desk.operator.accounts.change("acme", {"window": None})
    await desk.operator.accounts.change("acme", {"throughput": 0})
    await desk.operator.accounts.enable("acme", False)
    await desk.operator.accounts.enable("acme", False)
    password = (await desk.operator.accounts.rotate_password("acme", False))["password"]
    await desk.operator.credits.add("acme", "1")
    await desk.operator.prices.set("default", {"*": "2"})
    rows = await desk.store.changes.newest(None)
    assert {(row.change.who, row.change.via, row.change.at) for row in rows} == {("command line", "cli", NOW * 1000)}
    lines = [(row.change.subject, row.change.name, row.change.old, row.change.new) for row in reversed(rows)]
    assert lines == [
        ("account", "created", None, "smpp-acme"), ("setting", "window", None, 5), ("credits", "topup", None, "2"),
        ("setting", "throughput", None, 0), ("setting", "window", 5, 7), ("setting", "window", 7, None),
        ("account", "enabled", True, False), ("account", "password", None, None), ("credits", "topup", None, "1"),
        ("price plan", "default", {"*": "1"}, {"*": "2"}),
    ]  # fmt: skip
    assert made["password"] not in str(rows)
    assert password not in str(rows)


async def test_what_an_actor_does_not_see_is_not_there(desk: Desk) -> None:
    for name in ("acme", "other"):
        await desk.operator.accounts.create({"name": name, "senders": ["ACME"], "credits": "1"})
        desk.live.bound(len(desk.live.open), f"smpp-{name}")
    mine = desk.house.acting(COMMAND_LINE._replace(accounts=frozenset({await desk.id_of("smpp-acme")})))
    assert [row["name"] for row in await mine.accounts.all()] == ["smpp-acme"]
    assert [bind["account"] for bind in await mine.binds.all()] == ["smpp-acme"]
    for attempt in (
        mine.accounts.show("other"), mine.accounts.change("other", {}), mine.accounts.enable("other", False),
        mine.accounts.rotate_password("other", False), mine.credits.add("other", "1"), mine.credits.ledger("other"),
        mine.messages.newest("other"), mine.messages.export("other"), mine.why.refused(Asked("other")),
        mine.binds.kick_account("other"), mine.incoming.inject("48600100200", "ACME", "x", "other"),
    ):  # fmt: skip
        with pytest.raises(NotFound, match="there is no account smpp-other"):
            await attempt
    with pytest.raises(NotFound, match="there is no bind 1"):
        await mine.binds.kick(1)
    assert len(desk.live.open) == 2
    assert (await mine.incoming.inject("48600100200", "ACME", "x"))["account"] == "smpp-acme"
