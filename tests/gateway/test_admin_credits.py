"""Credits at the desk: the statement, top-ups and who decides, transfers, and what a message would cost."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from acl.money import credits as units
from gateway import admin
from gateway.admin import Actor, Conflict, Invalid, NotFound
from gateway.admin.actor import CUSTOMER
from gateway.admin.estimate import Asked
from gateway.admin.sheet import cell
from pdu.constants import REJECTED
from pdu.text import encode

from .desk import CREDIT, Desk, open_desk, submit

DAY = "2027-01-15"  # in which the desk's clock stands still, at 8:00 UTC
FORMULAS = ("=1+1", "+1+1", "-2+3", "@SUM(A1)", " =1", "=cmd|'/c calc'!A0")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        for name, credits_ in (("acme", "100"), ("branch", "5"), ("rival", "50")):
            await opened.operator.accounts.create({"name": name, "credits": credits_, "senders": ["ACME"]})
        yield opened


@pytest.fixture
async def owner(desk: Desk) -> admin.Desk:
    """Of two of the three accounts."""
    mine = frozenset({await desk.id_of("smpp-acme"), await desk.id_of("smpp-branch")})
    return desk.house.acting(Actor(7, "Jan", CUSTOMER, mine, "192.0.2.1", "panel", time_zone="Europe/Warsaw"))


async def statement(who: admin.Desk, name: str = "acme", **asked: str) -> list[tuple[str, str, str, int | None]]:
    entries, following = await who.statement.page(name, who.statement.asked(**asked))
    assert following is None
    shapes = [entry.shape() for entry in entries]
    return [(one["kind"], one["amount"], one["balance_after"], one["messages"]) for one in shapes]


async def spent(desk: Desk) -> None:
    """3 messages, 1 of which came back; a transfer; 2 messages."""
    [first, *_] = await desk.accept("smpp-acme", submit(), submit(), submit())
    await desk.settle("smpp-acme", [first], REJECTED, 803, refund=True)
    await desk.operator.credits.transfer("acme", "branch", "10", note="rent")
    await desk.accept("smpp-acme", submit(), submit())


# -- the statement -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("by", ["hour", "day"])
async def test_messages_are_summed_and_cut_where_another_line_lies(desk: Desk, owner: admin.Desk, by: str) -> None:
    await spent(desk)
    assert await statement(owner, by=by) == [
        ("messages", "-2", "86", 2),
        ("transfer_out", "-10", "88", None),
        ("refunds", "1", "98", 1),
        ("messages", "-3", "97", 3),
        ("topup", "100", "100", None),
    ]


async def test_every_line_on_request(desk: Desk, owner: admin.Desk) -> None:
    await spent(desk)
    lines = await statement(owner, by="line")
    assert [line[:3] for line in lines] == [
        ("messages", "-2", "86"), ("transfer_out", "-10", "88"), ("refunds", "1", "98"), ("messages", "-3", "97"),
        ("topup", "100", "100"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "amounts"),
    [("messages", ["-2", "-3"]), ("refunds", ["1"]), ("topups", ["100"]), ("transfers", ["-10"]), ("adjustments", [])],
)
@pytest.mark.parametrize("by", ["hour", "day", "line"])
async def test_only_one_kind(desk: Desk, owner: admin.Desk, kind: str, amounts: list[str], by: str) -> None:
    await spent(desk)
    assert [line[1] for line in await statement(owner, kind=kind, by=by)] == amounts


@pytest.mark.parametrize("by", ["hour", "day", "line"])
@pytest.mark.parametrize("size", [1, 2, 3])
async def test_pages_leave_out_nothing_and_repeat_nothing(
    desk: Desk, owner: admin.Desk, by: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await spent(desk)
        await desk.operator.credits.transfer("branch", "acme", "10")
    monkeypatch.setattr("gateway.admin.statement.READ", 2)
    asked = owner.statement.asked(by=by)
    whole, _end = await owner.statement.page("acme", asked)
    found, before = await owner.statement.page("acme", asked, limit=size)
    while before is not None:
        more, before = await owner.statement.page("acme", asked, before, size)
        found += more
    assert found == whole
    assert found[0].balance_after - sum(entry.amount for entry in found) == 0


async def test_days_are_those_of_the_reader_and_meant_to_their_end(desk: Desk, owner: admin.Desk) -> None:
    await spent(desk)
    for since, until, number in ((DAY, DAY, 5), (DAY, "", 5), ("", "2027-01-14", 0), ("2027-01-16", "", 0)):
        assert len(await statement(owner, since=since, until=until)) == number
    assert len(await statement(owner, since="2027-01-15T09:00:00+01:00", until="2027-01-15T09:01")) == 5
    assert owner.statement.asked(since=DAY).since == 1_799_967_600_000  # midnight in Warsaw


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"kind": "x"}, "kind"), ({"by": "week"}, "by"), ({"since": "yesterday"}, "from"), ({"until": "9999-12-31"}, "to"),
     ({"since": DAY, "until": "2027-01-14"}, "to")],
)  # fmt: skip
async def test_a_filter_that_cannot_be_is_named(owner: admin.Desk, asked: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        owner.statement.asked(**asked)
    assert [wrong.field for wrong in refused.value.errors] == [field]


async def test_the_other_end_of_a_transfer_is_named_to_whoever_sees_it(desk: Desk, owner: admin.Desk) -> None:
    await desk.operator.credits.transfer("acme", "branch", "1")
    await desk.operator.credits.transfer("rival", "acme", "2")
    asked = owner.statement.asked(kind="transfers")
    assert [one.account for one in (await owner.statement.page("acme", asked))[0]] == [None, "smpp-branch"]
    everybody = await desk.operator.statement.page("acme", asked)
    assert [one.account for one in everybody[0]] == ["smpp-rival", "smpp-branch"]


async def test_a_statement_in_a_spreadsheet_is_whole_and_holds_no_formula(desk: Desk, owner: admin.Desk) -> None:
    await spent(desk)
    for formula in FORMULAS:
        await desk.operator.credits.add("acme", "1", request_id=formula, note=formula)
    text = "".join([piece async for piece in await owner.statement.csv("acme", owner.statement.asked(by="line"))])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 5 + len(FORMULAS)
    assert sum(units(row["amount"]) for row in rows) == units(rows[0]["balance_after"])
    for row in rows:
        assert not row["note"].lstrip().startswith(("=", "+", "-", "@"))
        assert not row["request_id"].lstrip().startswith(("=", "+", "-", "@"))
    assert {row["note"] for row in rows} >= {"'" + formula for formula in FORMULAS}


@pytest.mark.parametrize(
    ("value", "safe"), [("-12.5", "-12.5"), (None, ""), ("a=1", "a=1"), ("\t=1", "'\t=1"), (" -1", "' -1"), (7, "7")]
)
def test_numbers_stay_numbers(value: object, safe: str) -> None:
    assert cell(value) == safe


async def test_how_long_it_lasts(desk: Desk, owner: admin.Desk) -> None:
    await spent(desk)
    summary = await owner.credits.summary("acme")
    assert (summary["balance"], summary["spent_today"], summary["messages_today"]) == ("86", "5", 5)
    assert (summary["refunded_this_month"], summary["per_day"], summary["hours_left"]) == ("1", "4", 516)
    assert (await owner.credits.summary("branch"))["hours_left"] is None


# -- top-ups -----------------------------------------------------------------------------------------------------------
async def balance(desk: Desk, name: str = "acme") -> str:
    return str((await desk.operator.accounts.show(name))["balance"])


async def logged(desk: Desk) -> list[tuple[str, str, Any]]:
    return [(row.change.who, row.change.name, row.change.new) for row in await desk.store.changes.newest(None, limit=2)]


async def test_the_owner_asks_and_an_operator_books(desk: Desk, owner: admin.Desk) -> None:
    asked = await owner.topups.ask("acme", "250", note="for May")
    assert (asked["state"], asked["who"], await balance(desk)) == ("open", "Jan", "100")
    assert (await desk.operator.topups.waiting())[0] == [asked]
    for _ in range(2):
        done = await desk.operator.topups.approve(asked["id"])
    assert (done["state"], done["done_by"], await balance(desk)) == ("booked", "command line", "350")
    assert (await owner.topups.of_account("acme"))[0] == [done]
    [newest, *_], _end = await owner.statement.page("acme", owner.statement.asked())
    assert (newest.kind, newest.note, newest.topup, newest.by) == ("topup", "for May", done["id"], "command line")
    names = [("command line", f"top-up {done['id']}", "booked"), ("Jan", "top-up asked for", "250")]
    assert await logged(desk) == names


async def test_an_operator_refuses_and_says_why(desk: Desk, owner: admin.Desk) -> None:
    asked = await owner.topups.ask("acme", "250")
    refused = await desk.operator.topups.refuse(asked["id"], "two invoices are unpaid")
    assert (refused["state"], refused["reason"], await balance(desk)) == ("refused", "two invoices are unpaid", "100")
    with pytest.raises(Conflict):
        await desk.operator.topups.approve(asked["id"])
    with pytest.raises(Invalid):
        await desk.operator.topups.refuse(asked["id"], "line\nend")


@pytest.mark.parametrize(
    ("amount", "more", "field"),
    [("0", {}, "amount"), ("-5", {}, "amount"), ("1e9", {}, "amount"), ("10000001", {}, "amount"), ("x", {}, "amount"),
     ("1", {"note": "n" * 201}, "note"), ("1", {"note": "a\nb"}, "note"), ("1", {"request_id": ""}, "request_id")],
)  # fmt: skip
async def test_a_request_that_cannot_be_is_named(
    owner: admin.Desk, amount: str, more: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await owner.topups.ask("acme", amount, **more)
    assert [wrong.field for wrong in refused.value.errors] == [field]
    assert (await owner.topups.of_account("acme"))[0] == []


async def test_others_top_ups_are_not_there(desk: Desk, owner: admin.Desk) -> None:
    theirs = await desk.operator.topups.ask("rival", "5")
    for attempt in (owner.topups.approve(theirs["id"]), owner.topups.approve(99)):
        with pytest.raises(NotFound, match="there is no top-up"):
            await attempt
    with pytest.raises(NotFound):
        await owner.topups.ask("rival", "5")
    assert (await owner.topups.waiting())[0] == []


async def test_the_payment_must_be_of_what_was_asked_for(desk: Desk, owner: admin.Desk) -> None:
    asked = await owner.topups.ask("acme", "250")
    with pytest.raises(Conflict, match="asks for 250 credits, not 25"):
        await desk.operator.topups.paid(asked["id"], "25")
    with pytest.raises(Invalid):
        await desk.operator.topups.paid(asked["id"], "lots")
    await desk.operator.topups.paid(asked["id"], "250.0")
    assert await balance(desk) == "350"


async def test_the_four_settings_reach_the_debit_that_uses_the_credit_up(desk: Desk, owner: admin.Desk) -> None:
    await owner.accounts.change("branch", {"auto_topup_amount": "100", "auto_topup_threshold": "4"})
    await desk.accept("smpp-branch", submit())
    [asked], _end = await owner.topups.of_account("branch")
    assert (asked["automatic"], asked["amount"], asked["balance_before"]) == (True, "100", "4")
    await desk.operator.topups.approve(asked["id"])
    await desk.operator.accounts.change("branch", {"auto_topup_at_once": "yes", "auto_topup_threshold": "103"})
    await desk.accept("smpp-branch", submit())
    assert await balance(desk, "branch") == "203"
    await owner.accounts.change("branch", {"auto_topup_amount": None, "auto_topup_threshold": "500"})
    await desk.accept("smpp-branch", submit())
    assert await balance(desk, "branch") == "202"


# -- transfers ---------------------------------------------------------------------------------------------------------
async def test_a_transfer_is_shown_before_and_done_once(desk: Desk, owner: admin.Desk) -> None:
    shown = await owner.credits.preview("acme", "branch", "40.5")
    assert (shown["from"]["balance_after"], shown["to"]["balance_after"]) == ("59.5", "45.5")
    for _ in range(2):
        done = await owner.credits.transfer("acme", "branch", "40.5", "t1")
    assert (done["from"]["balance_after"], done["to"]["balance_after"]) == ("59.5", "45.5")
    assert (await balance(desk), await balance(desk, "branch")) == ("59.5", "45.5")
    assert [line[:2] for line in await logged(desk)] == [
        ("Jan", "transfer from smpp-acme"), ("Jan", "transfer to smpp-branch")
    ]  # fmt: skip
    assert [one["account"] for one in await owner.credits.targets("acme")] == ["smpp-branch"]


async def test_the_whole_balance_may_go_and_a_repetition_still_hears_of_it(desk: Desk, owner: admin.Desk) -> None:
    for _ in range(2):
        await owner.credits.transfer("acme", "branch", "100", "all")
    assert (await balance(desk), await balance(desk, "branch")) == ("0", "105")


@pytest.mark.parametrize(
    ("target", "amount", "field", "why"),
    [
        ("branch", "100.0001", "credits", "there are 100 credits on smpp-acme; enter 1 to 100"),
        ("branch", "0.5", "credits", "enter 1 to 100"),
        ("branch", "-5", "credits", "enter 1 to 100"),
        ("branch", "ten", "credits", "is an amount"),
        ("acme", "5", "target", "itself"),
        ("rival", "5", "target", "there is no account smpp-rival"),
        ("nobody", "5", "target", "there is no account smpp-nobody"),
    ],
)
async def test_a_transfer_that_cannot_be_is_named(
    desk: Desk, owner: admin.Desk, target: str, amount: str, field: str, why: str
) -> None:
    for attempt in (owner.credits.transfer("acme", target, amount), owner.credits.preview("acme", target, amount)):
        with pytest.raises(Invalid, match=why) as refused:
            await attempt
        assert [wrong.field for wrong in refused.value.errors] == [field]
    assert await balance(desk) == "100"


async def test_borrowed_credit_is_not_moved_on(desk: Desk, owner: admin.Desk) -> None:
    await desk.operator.accounts.change("branch", {"credit_limit": "1000"})
    with pytest.raises(Invalid, match="enter 1 to 5"):
        await owner.credits.transfer("branch", "acme", "6")


async def test_an_operator_moves_credit_between_any_accounts(desk: Desk) -> None:
    await desk.operator.credits.transfer("rival", "acme", "50")
    assert (await balance(desk), await balance(desk, "rival")) == ("150", "0")


# -- what it would cost ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Hello", (5, "7bits", 160, 1, "0.5")),
        ("x" * 161, (161, "7bits", 153, 2, "1")),
        ("€" * 80, (160, "7bits", 160, 1, "0.5")),
        ("€" * 81, (162, "7bits", 153, 2, "1")),
        ("ż" * 70, (70, "unicode", 70, 1, "0.5")),
        ("ż" * 71, (71, "unicode", 67, 2, "1")),
        ("😀" * 35, (70, "unicode", 70, 1, "0.5")),
        ("", (0, "7bits", 160, 1, "0.5")),
    ],
)
async def test_what_a_text_makes_and_costs(desk: Desk, owner: admin.Desk, text: str, wanted: tuple[Any, ...]) -> None:
    await desk.operator.prices.set("default", {"48": "0.5", "*": "2"})
    found = await owner.estimates.price("acme", Asked(text, "48600100200"))
    shown = ("characters", "charactersClass", "maxCharactersPerPart", "parts", "credits")
    assert tuple(found[name] for name in shown) == wanted
    assert (found["prefix"], found["price_per_part"], found["refused"]) == ("48", "0.5", None)


async def test_an_estimate_is_what_is_charged(desk: Desk, owner: admin.Desk) -> None:
    """The same text over the road: parts by the same count, so the same price."""
    from acl.judge import Policy, Purse, judge
    from acl.rate import Rate
    from acl.settings import Settings
    from gateway.smpp.parts import counter
    from pdu.bodies import SUBMIT_SM_BODY

    await desk.operator.prices.set("default", {"*": "0.7"})
    for text in ("Hello", "ż" * 100, "x" * 200):
        coding, octets = encode(text)
        body = submit(octets[:254], data_coding=coding)
        message = SUBMIT_SM_BODY.decode(body, 0, 0, len(body))
        policy = Policy(Settings.of({"senders": ["ACME"]}), {"": 7000})
        [charge] = judge(policy, Purse(10**9, Rate(0, 0)), [message], 0.0, counter("gsm"))
        found = await owner.estimates.price("acme", Asked(text, "48600100200"))
        assert units(found["credits"]) == charge


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (Asked("x", "123"), "destination_invalid"),
        (Asked("x", "48600100200", "NOBODY"), "sender_not_allowed"),
        (Asked("x" * 2000, "48600100200"), "text_too_long"),
        (Asked("x", "44600100200"), "no_route"),
    ],
)
async def test_a_message_that_would_be_refused_says_why(
    desk: Desk, owner: admin.Desk, asked: Asked, reason: str
) -> None:
    await desk.operator.prices.set("default", {"48": "0.5"})
    found = await owner.estimates.price("acme", asked)
    assert (found["refused"], found["credits"]) == (reason, None)
    assert found["why"].endswith(".")


async def test_a_number_on_the_blacklist_is_judged_as_on_the_road(desk: Desk, owner: admin.Desk) -> None:
    await desk.store.blacklist.add(await desk.id_of("smpp-acme"), ["48600100200"], 0, "")
    for to, blocked in (("+48600100200", True), ("486001002001", False)):
        found = await owner.estimates.price("acme", Asked("x", to))
        assert (found["blacklisted"], found["refused"] is not None) == (blocked, blocked)
    await owner.accounts.change("acme", {"blacklisted": "receipt"})
    found = await owner.estimates.price("acme", Asked("x", "48600100200"))
    assert (found["blacklisted"], found["refused"]) == (True, None)


async def test_without_a_recipient_it_is_only_counted(owner: admin.Desk) -> None:
    found = await owner.estimates.price("acme", Asked("x" * 161))
    assert (found["parts"], found["credits"], found["refused"]) == (2, None, None)


async def test_a_coding_may_be_asked_for(owner: admin.Desk) -> None:
    assert (await owner.estimates.price("acme", Asked("x" * 71, coding="ucs2")))["parts"] == 2
    with pytest.raises(Invalid, match="'ż' is not in the account's alphabet"):
        await owner.estimates.price("acme", Asked("ażb", coding="alphabet"))


@pytest.mark.parametrize("alphabet", ["gsm", "gsm-packed", "latin1"])
async def test_in_each_alphabet_160_characters_are_counted(owner: admin.Desk, alphabet: str) -> None:
    await owner.accounts.change("acme", {"default_alphabet": alphabet})
    found = await owner.estimates.price("acme", Asked("x" * 160))
    assert (found["characters"], found["parts"]) == (160, 2 if alphabet == "latin1" else 1)


async def test_whoever_has_several_accounts_names_one(desk: Desk, owner: admin.Desk) -> None:
    with pytest.raises(Invalid, match="name the account"):
        await owner.estimates.price(None, Asked("x"))
    one = frozenset({await desk.id_of("smpp-branch")})
    alone = desk.house.acting(Actor(8, "Ola", CUSTOMER, one, "", "api"))
    assert (await alone.estimates.price(None, Asked("x")))["account"] == "smpp-branch"
    with pytest.raises(NotFound):
        await alone.estimates.price("acme", Asked("x"))


async def test_nothing_is_taken_for_an_estimate(desk: Desk, owner: admin.Desk) -> None:
    await owner.estimates.price("acme", Asked("x", "48600100200"))
    assert units(await balance(desk)) == 100 * CREDIT
