"""Receipts for clients that are not there: they wait, across restarts too, and arrive in the order they fell due."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from acl.password import hash_password
from gateway.ids import Minter
from pdu import codec
from pdu import constants as c
from pdu.bodies import SUBMIT_SM_BODY
from store import open_store
from store.protocol import Batch, Outcome
from tests.road.client import MOBILE, Esme, accepted, answer_to, answers_to, bound, connect, submitted, until
from tests.road.running import Road
from tests.server import HOST, Login

pytestmark = pytest.mark.road

LATE = """
rules = [
    {to = "*9", state = "undeliverable", error = 9},
    {to = "*8", state = "rejected", error = 803},
    {to = "*7", state = "delivered", delay = "1s"},
]
"""
SLOW, FAILING = "48600100207", "48600100209"
MIB = 1 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    """Numbers that end in 7 take a second."""
    with Road(tmp_path_factory.mktemp("road"), more=LATE) as running:
        yield running


def pending(server: Road, login: Login) -> float:
    return server.metric(f'smppgate_deliveries_pending{{account="{login.name}"}}')


async def settled(server: Road, login: Login, message_id: str) -> None:
    """The message has ended, whoever knows of it."""
    await until("it has ended", lambda: server.desk.messages(login, message_id)[0]["done_at"])


async def test_a_receipt_waits_until_its_client_binds_again(server: Road) -> None:
    login = server.desk.account("away")
    async with await bound(server.port, login) as client:
        asked = client.submit(SLOW, registered_delivery=1)
        await asked.answered()
        client.abort()
    await settled(server, login, asked.message_id)
    await until("one is owed", lambda: pending(server, login) == 1)
    async with await bound(server.port, login, c.BIND_RECEIVER) as client:
        receipt = await client.receipt(asked.message_id)
        assert receipt.state == c.DELIVERED
        await until("nothing is owed", lambda: pending(server, login) == 0)
    async with await bound(server.port, login) as client:
        await client.ask(c.ENQUIRE_LINK)
        assert not client.deliveries  # once acknowledged, never told again


@pytest.mark.promise("D2")
async def test_receipts_wait_for_their_client_while_the_server_is_stopped(tmp_path: Path) -> None:
    async with Road(tmp_path, more=LATE) as server:
        login = server.desk.account("away")
        async with await bound(server.port, login, c.BIND_TRANSMITTER) as client:
            ended = client.submit(FAILING, registered_delivery=1)
            slow = client.submit(SLOW, registered_delivery=1)
            await answers_to([ended, slow])
            await settled(server, login, ended.message_id)
            await asyncio.to_thread(server.restart)  # one receipt is owed, one message is still on its way
        async with await bound(server.port, login, c.BIND_RECEIVER) as client:
            assert (await client.receipt(ended.message_id)).state == c.UNDELIVERABLE
            assert (await client.receipt(slow.message_id)).state == c.DELIVERED
            assert len(client.deliveries) == 2
        server.desk.audited()


async def test_of_a_pair_of_binds_the_receiver_gets_the_receipts(server: Road) -> None:
    login = server.desk.account("pair")
    async with (
        await bound(server.port, login, c.BIND_TRANSMITTER) as sender,
        await bound(server.port, login, c.BIND_RECEIVER) as receiver,
    ):
        ids = await accepted(sender.submit_many(30, registered_delivery=1))
        await until("30 receipts", lambda: len(receiver.receipts) == 30)
        assert {receipt.message_id for receipt in receiver.receipts} == set(ids)
        assert not sender.deliveries
        assert (await receiver.submit().answered()).status == c.ESME_RINVBNDSTS


async def test_no_more_deliveries_than_the_delivery_window_are_unanswered(server: Road) -> None:
    login = server.desk.account("window", delivery_window=3, response_timeout=600)
    async with await bound(server.port, login, answering=lambda _pdu: None) as client:
        ids = await accepted(client.submit_many(10, registered_delivery=1))
        await until("ten are owed", lambda: pending(server, login) == 10)
        for answered in range(8):
            await until("the window is full", lambda: len(client.deliveries) == 3 + answered)  # noqa: B023 - at once
            await client.ask(c.ENQUIRE_LINK)
            assert len(client.deliveries) == 3 + answered
            client.write(answer_to(client.deliveries[answered].pdu, c.ESME_ROK))
        assert {receipt.message_id for receipt in client.receipts} == set(ids)


class Stubborn:
    """Answers the attempts at each delivery with the statuses of its destination, then with 0."""

    def __init__(self, answers: dict[str, list[int | None]]) -> None:
        self._answers = {to: iter(statuses) for to, statuses in answers.items()}
        self.attempts: Counter[str] = Counter()

    def __call__(self, pdu: codec.Pdu) -> int | None:
        to = pdu.body.source[2:-1].decode()
        self.attempts[to] += 1
        return next(self._answers[to], c.ESME_ROK)


async def test_what_a_receiver_answers_decides_whether_it_is_told_again(server: Road) -> None:
    answers: dict[str, list[int | None]] = {
        "48600100100": [c.ESME_RX_T_APPN],
        "48600100101": [c.ESME_RMSGQFUL],
        "48600100102": [c.ESME_RX_P_APPN],  # never again
        "48600100103": [c.ESME_RX_R_APPN],  # never again
        "48600100104": [c.ESME_RINVDSTADR] * 9,  # anything else: three attempts
        "48600100105": [None],  # no answer in time
    }
    login = server.desk.account("stubborn", response_timeout=1)
    stubborn = Stubborn(answers)
    async with await bound(server.port, login, answering=stubborn) as client:
        await accepted([client.submit(to, registered_delivery=1) for to in answers])
        await until("each was told once", lambda: len(stubborn.attempts) == len(answers))
        await until("nothing is owed", lambda: pending(server, login) == 0)
        assert list(stubborn.attempts.values()) == [2, 2, 1, 1, 3, 2]
        alike = [receipt.pdu.body._replace(sequence=0) for receipt in client.receipts]
        assert len(set(alike)) == len(answers)  # told again in the same words
        fresh = client.submit(registered_delivery=1)
        await fresh.answered()
        await client.receipt(fresh.message_id)


async def test_what_a_dead_bind_did_not_acknowledge_goes_to_the_other_one(server: Road) -> None:
    login = server.desk.account("heirs", max_binds=2, delivery_window=5)
    async with (
        await bound(server.port, login, c.BIND_TRANSMITTER) as sender,
        await bound(server.port, login, c.BIND_RECEIVER, answering=lambda _pdu: None) as silent,
        await bound(server.port, login, c.BIND_RECEIVER) as other,
    ):
        ids = await accepted(sender.submit_many(40, registered_delivery=1))
        await until("the silent one has its window full", lambda: len(silent.deliveries) == 5)
        await until("the other has the rest", lambda: len(other.receipts) == 35)
        silent.abort()
        await until("the other has all", lambda: len(other.receipts) == 40)
        assert {receipt.message_id for receipt in other.receipts} == set(ids)


async def test_a_client_that_does_not_read_keeps_a_window_from_the_others_and_no_more(server: Road) -> None:
    login = server.desk.account("deaf", max_binds=2, delivery_window=5, response_timeout=1)
    async with (
        await bound(server.port, login, c.BIND_RECEIVER) as deaf,
        await bound(server.port, login) as other,
    ):
        deaf.stop_reading()
        ids = await accepted(other.submit_many(100, registered_delivery=1))
        await until("the others came", lambda: len(other.receipts) >= 95)
        await until("its window came too, when its time was over", lambda: len(other.receipts) == 100, patience=40)
        assert {receipt.message_id for receipt in other.receipts} == set(ids)


@pytest.mark.promise("D5")
async def test_a_receipt_never_overtakes_the_answer_that_names_its_id(tmp_path: Path) -> None:
    async with Road(tmp_path, delay="0s") as server:
        login = server.desk.account("swift", window=200, delivery_window=200, credits="4000")
        early: list[str] = []
        async with await connect(server.port) as client:
            client.answering = overtaking(client, early)
            await client.bind(login)
            for _ in range(20):
                await accepted(client.submit_many(200, registered_delivery=1))
            await until("all receipts came", lambda: len(client.receipts) == 4000)
        assert not early


def overtaking(client: Esme, early: list[str]) -> Callable[[codec.Pdu], int | None]:
    """Notes the receipts that come before their answer."""
    known: set[str] = set()
    read = itertools.count()

    def answering(_pdu: codec.Pdu) -> int | None:
        for place in range(next(read), len(client.answers)):
            body = client.answers[place].body
            known.add(getattr(body, "message_id", b"").decode())
        id_ = client.receipts[-1].message_id
        if id_ not in known and all(getattr(pdu.body, "message_id", b"").decode() != id_ for pdu in client.answers):
            early.append(id_)
        return c.ESME_ROK

    return answering


# -- a backlog -----------------------------------------------------------------------------------------------------
async def owing(folder: Path, number: int) -> tuple[Login, list[str]]:
    """A store that owes an account so many receipts; -> its login, and the ids in the order they are due."""
    login = Login("smpp-backlog", "backlog", "secret12")
    settings = {"addresses": [HOST], "senders": ["*"], "throughput": 0, "max_binds": 3, "delivery_window": 200}
    submit = SUBMIT_SM_BODY.build(registered_delivery=1, **submitted(MOBILE, b"x"))
    body = bytearray(SUBMIT_SM_BODY.encode(submit))
    minter, ids = Minter(), list[int]()
    async with open_store(folder) as store:
        at = int(time.time() * 1000)
        account = (
            await store.add_account(
                login.name, login.system_id, hash_password(login.password), settings, at, 2 * number * 10_000
            )
        ).id
        for start in range(0, number, 1000):
            some = list(minter.mint(min(1000, number - start), at + start))
            await store.accept(Batch(account, [(id_, 10_000, body) for id_ in some], 10_000 * len(some)), "prefilled")
            await store.settle([Outcome(account, c.DELIVERED, 0, False, some, some)])
            ids += some
    return login, [str(id_) for id_ in ids]


@pytest.mark.timeout(600)
@pytest.mark.promise("D3")
async def test_a_backlog_drains_oldest_first_and_once_each_in_bounded_memory(
    tmp_path: Path, effort: Callable[[int, int], int]
) -> None:
    number = effort(30_000, 300_000)
    server = Road(tmp_path)
    login, ids = await owing(server.data, number)
    async with server:
        assert pending(server, login) == number
        before, peak, slowest = server.memory(), [0], [0.0]
        async with (
            await bound(server.port, login, c.BIND_TRANSMITTER) as sender,
            await bound(server.port, login, c.BIND_RECEIVER) as first,
            await bound(server.port, login, c.BIND_RECEIVER) as second,
        ):
            async for received in watched(server, sender, peak, slowest):
                if received(first, second) >= number:
                    break
            await until("nothing is owed", lambda: pending(server, login) == 0)
            came = [receipt.message_id for receipt in sorted(first.receipts + second.receipts)]
        assert Counter(came).most_common(1)[0][1] == 1
        assert sorted(came) == sorted(ids)
        for one in (first, second):
            order = [receipt.message_id for receipt in one.receipts]
            assert order == sorted(order)
        assert slowest[0] < 1.0, f"a submit took {slowest[0]:.2f} s meanwhile"
        assert peak[0] - before < 48 * MIB, f"{(peak[0] - before) / MIB:.0f} MiB"
        server.desk.audited()


@pytest.mark.timeout(600)
async def test_receivers_that_come_and_go_all_the_time_get_everything_in_the_end(
    tmp_path: Path, effort: Callable[[int, int], int]
) -> None:
    chance = random.Random(2775)
    server = Road(tmp_path)
    login, ids = await owing(server.data, effort(12_000, 100_000))
    told = set[str]()

    async def come_and_go() -> None:
        """Take some, forget to acknowledge some of them, and vanish."""
        enough, forgetful = chance.randint(0, 1500), chance.random() * 0.2
        async with await connect(server.port) as client:
            client.answering = lambda _pdu: None if chance.random() < forgetful else c.ESME_ROK
            if (await client.bind(login, c.BIND_RECEIVER)).status == c.ESME_ROK:
                with suppress(AssertionError):
                    await until("enough", lambda: len(client.receipts) >= enough, patience=1)
        told.update(receipt.message_id for receipt in client.receipts)

    async def flicker(times: int) -> None:
        for _ in range(times):
            await come_and_go()

    async with server:
        async with await bound(server.port, login, c.BIND_TRANSMITTER) as sender:
            work = [asyncio.create_task(flicker(8)) for _ in range(2)]
            while not all(task.done() for task in work):
                ids += await accepted(sender.submit_many(10, registered_delivery=1))
                await asyncio.sleep(0.02)
            await asyncio.gather(*work)
            await until("both are gone", lambda: len(server.desk.binds(login)) == 1)
        async with await bound(server.port, login, c.BIND_RECEIVER) as steady:
            missing = set(ids) - told
            await until("the rest", lambda: missing <= {receipt.message_id for receipt in steady.receipts})
            await until("nothing is owed", lambda: pending(server, login) == 0)
            assert told | {receipt.message_id for receipt in steady.receipts} == set(ids)
        server.desk.audited()


async def watched(
    server: Road, sender: Esme, peak: list[int], slowest: list[float]
) -> AsyncIterator[Callable[[Esme, Esme], int]]:
    """Look at the server while it works: its memory, and how long a submit takes."""
    while True:
        asked = sender.submit()
        await asked.answered()
        slowest[0] = max(slowest[0], asked.seconds)
        peak[0] = max(peak[0], server.memory())
        yield lambda first, second: len(first.receipts) + len(second.receipts)
        await asyncio.sleep(0.02)
