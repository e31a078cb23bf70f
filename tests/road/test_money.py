"""Credits under pressure: what is accepted is paid, once; what is refused is not; what comes back comes back once."""

import asyncio
import itertools
import time
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from acl.money import CREDIT
from acl.password import hash_password
from pdu import constants as c
from store import open_store
from tests.road.client import MOBILE, Asked, all_of, answers_to, bound, until
from tests.road.desk import Refused
from tests.road.running import Road
from tests.server import HOST, Login

pytestmark = pytest.mark.road

MULTIPART = b"x" * 400  # three parts of GSM text


def books(server: Road, login: Login) -> Any:
    """The account's export, after it was checked: each message names the line that paid for it, and the sums agree."""
    export = server.desk.export(login)
    balance = sum((Decimal(line["amount"]) for line in export["ledger"]), Decimal(0))
    assert balance == Decimal(export["balance"])
    charged, refunded = defaultdict[int, Decimal](Decimal), defaultdict[int, Decimal](Decimal)
    for message in export["messages"]:
        charged[message["charge_line"]] += Decimal(message["charge"])
        if message["refund_line"] is not None:
            refunded[message["refund_line"]] += Decimal(message["charge"])
    lines = {line["line"]: line for line in export["ledger"]}
    assert {line: -Decimal(lines[line]["amount"]) for line in charged} == charged
    assert {line: Decimal(lines[line]["amount"]) for line in refunded} == refunded
    assert set(charged) == {number for number, line in lines.items() if line["kind"] == "debit"}
    assert set(refunded) == {number for number, line in lines.items() if line["kind"] == "refund"}
    return export


def statuses(asked: list[Asked]) -> Counter[int | None]:
    return Counter([one.status for one in asked])


@pytest.mark.promise("M4")
async def test_a_hundred_binds_spend_exactly_the_thousand_credits_there_are(server: Road) -> None:
    login = server.desk.account("crowd", credits="1000", max_binds=100, window=20)
    clients = await all_of(bound(server.port, login) for _ in range(100))
    asked = list(itertools.chain.from_iterable([client.submit_many(20) for client in clients]))
    await answers_to(asked)
    assert statuses(asked) == {c.ESME_ROK: 1000, c.ESME_RNOCREDIT: 1000}
    export = books(server, login)
    assert export["balance"] == "0"
    ids = [one.message_id for one in asked if one.accepted]
    assert sorted(ids) == sorted(message["message_id"] for message in export["messages"])
    assert len(set(ids)) == 1000
    server.desk.audited()


@pytest.mark.promise("M4")
async def test_top_ups_in_the_middle_of_a_rush_are_spent_to_the_last_credit(server: Road) -> None:
    login = server.desk.account("rush", credits="100", max_binds=20, window=10)
    clients = await all_of(bound(server.port, login) for _ in range(20))

    async def spend(client: Any) -> list[Asked]:
        asked = []
        for _ in range(15):
            batch = client.submit_many(2)
            await answers_to(batch)
            asked += batch
        return asked

    async def top_up(number: int) -> None:
        await asyncio.to_thread(server.desk.top_up, login, "10", f"rush-{number}")

    spent, _ = await asyncio.gather(
        all_of(spend(client) for client in clients), all_of(top_up(number) for number in range(10))
    )
    found = statuses(list(itertools.chain.from_iterable(spent)))
    accepted = found[c.ESME_ROK]
    assert accepted + found[c.ESME_RNOCREDIT] == 600
    export = books(server, login)
    assert Decimal(export["balance"]) == 200 - accepted
    assert len(export["messages"]) == accepted
    last = clients[0].submit_many(10 * 20)  # the rest, whenever the top-ups came
    await answers_to(last)
    assert books(server, login)["balance"] == "0"
    server.desk.audited()


@pytest.mark.parametrize(
    ("policy", "comes_back"),
    [("unsent", {"8"}), ("undelivered", {"8", "9"}), ("never", set())],
)
@pytest.mark.promise("M3")
async def test_the_refund_policy_decides_what_comes_back(server: Road, policy: str, comes_back: set[str]) -> None:
    login = server.desk.account(f"refund-{policy}", refund=policy, credits="100")
    async with await bound(server.port, login) as client:
        sent = {ending: client.submit(to=f"4860010020{ending}", text=MULTIPART, registered_delivery=1)
                for ending in "089"}  # fmt: skip
        await answers_to(sent.values())
        receipts = {ending: await client.receipt(one.message_id) for ending, one in sent.items()}
    states = {ending: receipt.state for ending, receipt in receipts.items()}
    assert states == {"0": c.DELIVERED, "8": c.REJECTED, "9": c.UNDELIVERABLE}
    export = books(server, login)
    refunded = {message["destination_addr"][-1] for message in export["messages"] if message["refund_line"]}
    assert refunded == comes_back
    assert Decimal(export["balance"]) == 100 - 3 * 3 + 3 * len(comes_back)
    server.desk.audited()


@pytest.mark.promise("M3")
async def test_a_refund_is_what_was_paid_though_the_price_has_changed(server: Road) -> None:
    server.desk.prices("changing", rest="2.5")
    login = server.desk.account("changing", credits="10", price_plan="changing")
    async with await bound(server.port, login) as client:
        first = client.submit(to="48600100208", registered_delivery=1)
        await first.answered()
        server.desk.prices("changing", rest="4")
        await client.receipt(first.message_id)
        assert server.desk.balance(login) == "10"
        second = client.submit()
        assert (await second.answered()).status == c.ESME_ROK
    assert [message["charge"] for message in books(server, login)["messages"]] == ["2.5", "4"]
    assert server.desk.balance(login) == "6"


async def test_a_message_of_three_parts_is_paid_whole_or_not_at_all(server: Road) -> None:
    login = server.desk.account("parts", credits="5")
    async with await bound(server.port, login) as client:
        assert (await client.submit(text=MULTIPART).answered()).status == c.ESME_ROK
        assert (await client.submit(text=MULTIPART).answered()).status == c.ESME_RNOCREDIT
        assert server.desk.balance(login) == "2"
        assert (await client.submit().answered()).status == c.ESME_ROK
    assert server.desk.balance(login) == "1"
    books(server, login)


async def test_the_longest_prefix_of_the_plan_names_the_price(server: Road) -> None:
    server.desk.prices("prefixes", n48="0.5", n4860="0.25", n44="3")
    login = server.desk.account("prefixes", credits="10", price_plan="prefixes")
    async with await bound(server.port, login) as client:
        for to, price in (("48600100200", "0.25"), ("48500100200", "0.5"), ("447700900100", "3")):
            asked = client.submit(to=to)
            await asked.answered()
            assert server.desk.messages(login, asked.message_id)[0]["charge"] == price
        assert (await client.submit(to="33600100200").answered()).status == c.ESME_RINVDSTADR  # no price, no route
    assert server.desk.balance(login) == "6.25"


@pytest.mark.promise("R3")
async def test_a_refused_message_is_neither_stored_nor_charged(server: Road) -> None:
    login = server.desk.account(
        "refused", credits="10", senders=["smppgate"], deny_destinations=["4470"], max_parts=1, data_codings=[0, 8]
    )
    async with await bound(server.port, login) as client:
        refusals = {
            c.ESME_RINVSRCADR: client.submit(source=b"\5\0ACME\0"),
            c.ESME_RINVDSTADR: client.submit(to="447000000000"),
            c.ESME_RINVMSGLEN: client.submit(text=MULTIPART),
            c.ESME_RUNSDATACODING: client.submit(data_coding=3),
            c.ESME_RINVGSM7CODING: client.submit(text=b"\x80"),
            c.ESME_RINVSCHED: client.submit(schedule_delivery_time=b"tomorrow"),
            c.ESME_RINVEXPIRY: client.submit(validity_period=b"000101000000000+"),
        }
        for status, asked in refusals.items():
            assert (await asked.answered()).status == status
        assert (await client.submit().answered()).status == c.ESME_ROK
    export = books(server, login)
    assert export["balance"] == "9"
    assert len(export["messages"]) == 1
    await until("the refusals are remembered", lambda: len(server.desk.refusals(login)) >= len(refusals))
    assert {int(refusal["status"], 16) for refusal in server.desk.refusals(login)} == set(refusals)


async def test_the_credit_limit_is_the_floor_of_the_balance(server: Road) -> None:
    login = server.desk.account("debtor", credits="2", credit_limit="3")
    async with await bound(server.port, login) as client:
        asked = client.submit_many(8)
        await answers_to(asked)
        assert statuses(asked) == {c.ESME_ROK: 5, c.ESME_RNOCREDIT: 3}
        assert server.desk.balance(login) == "-3"
        with pytest.raises(Refused):
            server.desk.change(login, credit_limit="1")
        server.desk.change(login, credit_limit="4")
        assert (await client.submit().answered()).status == c.ESME_ROK
    assert books(server, login)["balance"] == "-4"
    server.desk.audited()


@pytest.mark.promise("M6")
async def test_a_top_up_sent_fifty_times_at_once_books_once(server: Road) -> None:
    login = server.desk.account("twice", credits="0")
    lines = await all_of(asyncio.to_thread(server.desk.top_up, login, "7.5", "invoice-1") for _ in range(50))
    assert len({line["line"] for line in lines}) == 1
    assert server.desk.balance(login) == "7.5"
    with pytest.raises(Refused) as refusal:
        server.desk.top_up(login, "8", "invoice-1")
    assert refusal.value.status == 409
    assert [line["amount"] for line in server.desk.ledger(login)] == ["7.5"]
    async with await bound(server.port, login) as client:
        asked = client.submit_many(9)
        await answers_to(asked)
    assert statuses(asked) == {c.ESME_ROK: 7, c.ESME_RNOCREDIT: 2}
    assert books(server, login)["balance"] == "0.5"


async def test_what_is_due_to_one_account_never_moves_another(server: Road) -> None:
    poor, rich = server.desk.account("poor", credits="1"), server.desk.account("rich", credits="50")
    async with await bound(server.port, poor) as first, await bound(server.port, rich) as second:
        asked = first.submit_many(10), second.submit_many(10, lambda n: MOBILE[:-1] + "08"[n % 2])
        await answers_to((*asked[0], *asked[1]))
        assert statuses(asked[0]) == {c.ESME_ROK: 1, c.ESME_RNOCREDIT: 9}
        assert statuses(asked[1]) == {c.ESME_ROK: 10}
        await until("the refunds are booked", lambda: server.desk.balance(rich) == "45")
    assert books(server, poor)["balance"] == "0"
    books(server, rich)
    server.desk.audited()


async def test_eighty_accounts_that_bind_and_send_at_once_keep_their_books_apart(tmp_path: Path) -> None:
    """As after a restart: nobody's password is remembered."""
    hashed, at = hash_password("secret12"), int(time.time() * 1000)
    settings = {"addresses": [HOST], "senders": ["*"], "throughput": 0}
    logins = [Login(f"smpp-{n}", f"customer{n}", "secret12") for n in range(80)]
    server = Road(tmp_path)
    async with open_store(server.data) as store:
        for number, login in enumerate(logins):
            await store.add_account(login.name, login.system_id, hashed, settings, at, number * CREDIT)
    async with server:
        clients = await all_of(bound(server.port, login) for login in logins)
        asked = [client.submit_many(80) for client in clients]
        await answers_to(itertools.chain.from_iterable(asked))
        for number, mine in enumerate(asked):
            assert statuses(mine)[c.ESME_ROK] == number
        server.desk.audited()
        for login in logins[::33]:
            assert books(server, login)["balance"] == "0"
