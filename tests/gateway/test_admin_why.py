"""Refusals as people look for them: found by what names them, counted by reason, explained by the checks."""

import pytest

from acl import reasons
from acl.reasons import REASONS
from gateway.admin import COMMAND_LINE, Invalid, NotFound, actor_of
from gateway.admin.why import CHECKS, Asked
from store.protocol import RefusalRow
from tests.gateway.desk import Desk, open_desk, submit
from tests.gateway.web.visitors import person

TO = "48600100200"


@pytest.fixture
async def desk(tmp_path):  # type: ignore[no-untyped-def]
    async with open_desk(tmp_path) as opened:
        await opened.operator.accounts.create({"name": "acme", "credits": "10", "addresses": ["192.0.2.7"]})
        await opened.operator.accounts.create({"name": "other"})
        yield opened


async def refuse(desk: Desk) -> None:
    acme, other = [await desk.operator.accounts.show(name) for name in ("acme", "other")]
    await desk.store.refuse(
        [
            RefusalRow(1_000, await desk.id_of("smpp-acme"), "message", reasons.NO_CREDIT, 0x403, "192.0.2.7",
                       acme["system_id"], "ACME", TO, f"{TO} costs 1", 3),
            RefusalRow(2_000, None, "bind", reasons.WRONG_PASSWORD, 0x0E, system_id="nobody"),
            RefusalRow(3_000, None, "bind", reasons.ADDRESS_NOT_AUTHORISED, 0x0E, "10.0.0.9", acme["system_id"]),
            RefusalRow(4_000, await desk.id_of("smpp-other"), "message", reasons.NO_CREDIT, 0x403, "10.0.0.9",
                       other["system_id"], "OTHER", "+48600100201"),
        ]
    )  # fmt: skip


async def found(desk: Desk, **asked: str) -> list[int]:
    items, _ = await desk.operator.why.refused(Asked(**asked))
    return [int(each["id"]) for each in items]


async def test_what_was_refused_is_found_by_whatever_names_it(desk: Desk) -> None:
    await refuse(desk)
    assert await found(desk) == [4, 3, 2, 1]
    assert await found(desk, account="acme") == [3, 1]
    assert await found(desk, account="acme", kind="message") == [1]
    assert await found(desk, reason=reasons.NO_CREDIT) == [4, 1]
    for name in ("192.0.2.7", "acme", f"+{TO}", TO):
        assert await found(desk, named=name) == [1]
    assert await found(desk, named="48600100201") == [4]
    assert await found(desk, named="10.0.0.9", kind="bind") == [3]
    assert await found(desk, since="1970-01-01T00:00:03Z") == [4, 3]
    assert await found(desk, since="2030-01-01") == []


async def test_pages_follow_each_other(desk: Desk) -> None:
    await refuse(desk)
    first, following = await desk.operator.why.refused(Asked(), None, 3)
    rest, end = await desk.operator.why.refused(Asked(), following, 3)
    assert ([each["id"] for each in (*first, *rest)], end) == ([4, 3, 2, 1], None)


async def test_they_are_counted_by_reason_with_the_last_of_each(desk: Desk) -> None:
    await refuse(desk)
    counted = await desk.operator.why.by_reason(Asked())
    assert [(each["reason"], each["count"], each["last"]["id"]) for each in counted] == [
        (reasons.NO_CREDIT, 4, 4), (reasons.ADDRESS_NOT_AUTHORISED, 1, 3), (reasons.WRONG_PASSWORD, 1, 2),
    ]  # fmt: skip
    assert (counted[0]["last"]["account"], counted[0]["why"]) == ("smpp-other", REASONS[reasons.NO_CREDIT])


@pytest.mark.parametrize(("field", "value"), [("kind", "letter"), ("reason", "because"), ("since", "yesterday")])
async def test_a_wrong_question_is_named(desk: Desk, field: str, value: str) -> None:
    with pytest.raises(Invalid, match=field):
        await desk.operator.why.refused(Asked(**{field: value}))


async def test_a_refusal_is_explained_by_its_checks(desk: Desk) -> None:
    await refuse(desk)
    told = await desk.operator.why.show(3)
    results = [each["result"] for each in told["checks"]]
    assert results == ["passed"] * 4 + ["refused"] + ["not reached"] * 5
    assert (told["addresses"], told["same_for_all"], told["status_name"]) == (["192.0.2.7"], True, "ESME_RINVPASWD")


async def test_a_system_id_that_was_mistyped_is_recognised(desk: Desk) -> None:
    mistyped = str((await desk.operator.accounts.show("acme"))["system_id"]).swapcase()
    row = RefusalRow(1_000, None, "bind", reasons.UNKNOWN_SYSTEM_ID, 0x0E, "192.0.2.7", mistyped)
    await desk.store.refuse([row])
    assert (await desk.operator.why.show(1))["resembles"] == "smpp-acme"


async def test_an_id_leads_to_the_message_that_was_accepted(desk: Desk) -> None:
    [id_] = await desk.accept("smpp-acme", submit())
    told = await desk.operator.why.explain(str(id_))
    assert [(each["account"], each["state"]) for each in told["messages"]] == [("smpp-acme", "accepted")]
    assert told["refusals"] == []
    assert (await desk.operator.why.explain("9" * 30))["messages"] == []


async def test_an_account_is_asked_for_by_its_name(desk: Desk) -> None:
    await refuse(desk)
    told = await desk.operator.why.explain(" smpp-acme ")
    assert [each["id"] for each in told["refusals"]] == [3, 1]


async def test_nobody_is_told_of_what_they_do_not_see(desk: Desk) -> None:
    await refuse(desk)
    await desk.operator.accounts.change("acme", {"senders": ["ACME"]})
    [id_] = await desk.accept("smpp-acme", submit())
    other = desk.house.acting(COMMAND_LINE._replace(accounts=frozenset({await desk.id_of("smpp-other")})))
    assert [each["id"] for each in (await other.why.refused(Asked()))[0]] == [4]
    assert [each["count"] for each in await other.why.by_reason(Asked())] == [1]
    assert await other.why.explain(str(id_)) == {"messages": [], "refusals": [], "next": None}
    for hidden in (1, 2, 3, 99):
        with pytest.raises(NotFound, match=f"there is no refusal {hidden}"):
            await other.why.show(hidden)


async def test_who_may_only_look_sees_no_whole_number_also_where_it_says_why(desk: Desk) -> None:
    await refuse(desk)
    looking = desk.house.acting(actor_of(await person(desk, accounts=["smpp-acme"], read_only=True), "", "panel"))
    [_bind, seen] = (await looking.why.refused(Asked("acme")))[0]
    told = await looking.why.show(1)
    for each in (seen, told):
        assert (each["destination_addr"], each["detail"]) == ("4860•••••00", "4860•••••00 costs 1")
    [counted] = await looking.why.by_reason(Asked(kind="message"))
    assert TO not in str(counted)


def test_every_reason_stands_in_the_order_of_the_checks_or_outside_of_it_on_purpose() -> None:
    ordered = {reason for checks in CHECKS.values() for _check, whys in checks for reason in whys}
    assert set(REASONS) - ordered == {
        reasons.DRAINING, reasons.STORE_UNAVAILABLE, reasons.CHECK_FAILED, reasons.COMMAND_SWITCHED_OFF,
        reasons.MESSAGE_UNKNOWN, reasons.MESSAGE_FINAL, reasons.REPLACE_COSTS_MORE, reasons.MALFORMED,
    }  # fmt: skip
