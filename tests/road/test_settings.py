"""Every setting, changed under an open bind: what it decides is decided anew within two seconds.

CHECKS has a function for each setting that the running server enforces; SHOWN says of the others why they have none.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from acl.settings import SETTINGS
from pdu import constants as c
from pdu import receipt, tlv
from pdu.bodies import address
from pdu.times import format_relative
from tests.road.client import MOBILE, SENDER, Esme, accepted, answers_to, bound, connect, until
from tests.road.desk import Refused
from tests.road.running import Road
from tests.server import Login

pytestmark = pytest.mark.road

SOON = 2.0  # seconds a change may take to be felt
STUCK = """
rules = [
    {to = "*9", state = "undeliverable", error = 9},
    {to = "*7", state = "delivered", delay = "1h"},
]
"""
NEVER_DELIVERED = "48600100207"
SHOWN = {
    "text_retention": "what is kept, by the day: tests/gateway/test_archive.py",
    "number_retention": "what is kept, by the day: tests/gateway/test_archive.py",
    "low_credit_alert": "a level the owner is shown",
    "address_comments": "the owner's words about an address",
    "description": "the owner's words",
    "contact_email": "where the owner is written to",
    "language": "how the owner is spoken to",
    "time_zone": "in which the owner is shown times",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    """Numbers that end in 7 are never delivered."""
    with Road(tmp_path_factory.mktemp("road"), more=STUCK) as running:
        yield running


class Scene:
    """An account of its own for each check."""

    _numbers = itertools.count()

    def __init__(self, server: Road) -> None:
        self.server, self.desk = server, server.desk

    def account(self, **settings: Any) -> Login:
        return self.desk.account(f"live-{next(self._numbers)}", **settings)

    @asynccontextmanager
    async def client(self, command: int = c.BIND_TRANSCEIVER, **settings: Any) -> AsyncIterator[tuple[Login, Esme]]:
        login = self.account(**settings)
        async with await bound(self.server.port, login, command) as esme:
            yield login, esme

    async def bind_status(self, login: Login, command: int = c.BIND_TRANSCEIVER, **values: Any) -> int:
        async with await connect(self.server.port) as esme:
            return (await esme.bind(login, command, **values)).status


Check = Callable[[Scene], Awaitable[None]]
CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    """Of the setting of that name."""
    CHECKS[function.__name__] = function
    return function


async def status_of(client: Esme, **values: Any) -> int:
    return (await client.submit(**values).answered()).status


@pytest.mark.parametrize("name", [setting.name for setting in SETTINGS if setting.name not in SHOWN])
async def test_a_setting_is_felt_by_an_open_bind_within_two_seconds(server: Road, name: str) -> None:
    await CHECKS[name](Scene(server))


def test_every_setting_is_enforced_or_only_shown() -> None:
    assert CHECKS.keys() | SHOWN.keys() == {setting.name for setting in SETTINGS}
    assert not CHECKS.keys() & SHOWN.keys()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("low_credit_alert", "50"),
        ("address_comments", ["203.0.113.17 Gateway A, Warsaw"]),
        ("description", "The night shift"),
        ("contact_email", "ops@example.org"),
        ("language", "pl"),
        ("time_zone", "Europe/Warsaw"),
    ],
)
async def test_a_setting_that_is_only_shown_is_kept_and_shown(server: Road, name: str, value: Any) -> None:
    login = Scene(server).account()
    server.desk.change(login, **{name: value})
    assert server.desk.show(login)[name] == value


async def test_an_account_is_shown_as_low_on_credit_below_its_own_level(server: Road) -> None:
    login = Scene(server).account(credits="3")
    assert server.desk.show(login)["low_credit"] is False
    server.desk.change(login, low_credit_alert="3")
    assert server.desk.show(login)["low_credit"] is False
    async with await bound(server.port, login) as client:
        await accepted([client.submit()])
    assert server.desk.show(login)["low_credit"] is True
    server.desk.top_up(login, 1)
    assert server.desk.show(login)["low_credit"] is False


# -- who may bind, and how -----------------------------------------------------------------------------------------
@check
async def addresses(scene: Scene) -> None:
    async with scene.client() as (login, client):
        begun = time.monotonic()
        scene.desk.change(login, addresses=["192.0.2.1"])
        await client.gone(SOON)
        assert client.heard_of(c.UNBIND)
        assert time.monotonic() - begun < SOON
        assert await scene.bind_status(login) in (c.ESME_RINVPASWD, c.ESME_RBINDFAIL)
        scene.desk.change(login, addresses=["127.0.0.0/8"])
        assert await scene.bind_status(login) == c.ESME_ROK


@check
async def bind_types(scene: Scene) -> None:
    async with scene.client() as (login, client):
        scene.desk.change(login, bind_types=["receiver"])
        await client.gone(SOON)
        assert client.heard_of(c.UNBIND)
        assert await scene.bind_status(login) == c.ESME_RBINDFAIL
        assert await scene.bind_status(login, c.BIND_TRANSMITTER) == c.ESME_RBINDFAIL
        assert await scene.bind_status(login, c.BIND_RECEIVER) == c.ESME_ROK


@check
async def max_binds(scene: Scene) -> None:
    login = scene.account(max_binds=3)
    clients = [await bound(scene.server.port, login) for _ in range(3)]
    assert await scene.bind_status(login) == c.ESME_RALYBND
    scene.desk.change(login, max_binds=1)
    await until("two of three are unbound", lambda: sum(client.open for client in clients) == 1, SOON)
    assert clients[0].open  # the oldest stays
    assert await scene.bind_status(login, c.BIND_RECEIVER) == c.ESME_RALYBND


@check
async def system_type(scene: Scene) -> None:
    async with scene.client(max_binds=3) as (login, client):
        scene.desk.change(login, system_type="VMA")
        assert await scene.bind_status(login) == c.ESME_RINVSYSTYP
        assert await scene.bind_status(login, system_type=b"VMA") == c.ESME_ROK
        assert await status_of(client) == c.ESME_ROK  # asked at the door only


# -- what may be sent ----------------------------------------------------------------------------------------------
@check
async def senders(scene: Scene) -> None:
    async with scene.client(senders=["smppgate", "36180"]) as (login, client):
        assert await status_of(client) == c.ESME_ROK
        scene.desk.change(login, senders=["36180"])
        assert await status_of(client) == c.ESME_RINVSRCADR
        assert await status_of(client, source=address(0, 0, b"36180")) == c.ESME_ROK
        scene.desk.change(login, senders=[])
        assert await status_of(client, source=address(0, 0, b"36180")) == c.ESME_RINVSRCADR


@check
async def default_sender(scene: Scene) -> None:
    async with scene.client() as (login, client):
        nobody: dict[str, Any] = {"source": b"\0\0\0"}
        assert await status_of(client, **nobody) == c.ESME_RINVSRCADR
        scene.desk.change(login, default_sender="ACME")
        [id_] = await accepted([client.submit(registered_delivery=1, **nobody)])
        assert scene.desk.messages(login, id_)[0]["source_addr"] == "ACME"
        assert (await client.receipt(id_)).destination == "ACME"


@check
async def blacklisted(scene: Scene) -> None:
    async with scene.client(senders=["*"]) as (login, client):
        number: dict[str, Any] = {"destination": address(1, 1, b"48600100999")}
        assert await status_of(client, **number) == c.ESME_ROK
        scene.desk.ask("POST", "accounts", login.name, "blacklists", body={"numbers": ["+48600100999"]})
        assert await status_of(client, **number) == c.ESME_RINVDSTADR
        balance = scene.desk.balance(login)
        scene.desk.change(login, blacklisted="receipt")
        [id_] = await accepted([client.submit(registered_delivery=1, **number)])
        told = await client.receipt(id_)
        assert (told.state, told.error) == (c.UNDELIVERABLE, "053")
        assert scene.desk.balance(login) == balance  # it never reached the network
        scene.desk.ask("DELETE", "accounts", login.name, "blacklists", "48600100999")
        assert await status_of(client, **number) == c.ESME_ROK


@check
async def stop_keywords(scene: Scene) -> None:
    async with scene.client(senders=["36180"]) as (login, client):
        ours: dict[str, Any] = {"source": address(3, 1, b"36180"), "destination": address(1, 1, b"48600100998")}
        mo = {"from": "48600100998", "to": "36180", "account": login.name}
        scene.desk.ask("POST", "mo", body={**mo, "text": "Dość"})
        assert await status_of(client, **ours) == c.ESME_ROK
        scene.desk.change(login, stop_keywords=["dość", "stop"])
        scene.desk.ask("POST", "mo", body={**mo, "text": "DOŚĆ"})
        assert await status_of(client, **ours) == c.ESME_RINVDSTADR


async def test_a_registered_sender_works_as_soon_as_it_is_approved_and_no_longer_than_it_is_enabled(
    server: Road,
) -> None:
    scene = Scene(server)
    async with scene.client(senders=[]) as (login, client):
        maple: dict[str, Any] = {"source": address(5, 0, b"MAPLE")}

        def ask(*steps: str, **body: str) -> None:
            scene.desk.ask("POST", "accounts", login.name, "senders", *steps, body=body)

        ask(sender="MAPLE", reason="our shop")
        assert await status_of(client, **maple) == c.ESME_RINVSRCADR
        ask("MAPLE", "approve")
        assert await status_of(client, **maple) == c.ESME_ROK
        ask("MAPLE", "disable")
        assert await status_of(client, **maple) == c.ESME_RINVSRCADR
        ask("MAPLE", "enable")
        assert await status_of(client, **maple) == c.ESME_ROK
        ask("MAPLE", "refuse", comment="on second thoughts")
        assert await status_of(client, **maple) == c.ESME_RINVSRCADR


@check
async def allow_destinations(scene: Scene) -> None:
    async with scene.client() as (login, client):
        assert await status_of(client) == c.ESME_ROK
        scene.desk.change(login, allow_destinations=["44"])
        assert await status_of(client) == c.ESME_RINVDSTADR
        assert await status_of(client, to="447700900100") == c.ESME_ROK


@check
async def deny_destinations(scene: Scene) -> None:
    async with scene.client() as (login, client):
        assert await status_of(client) == c.ESME_ROK
        scene.desk.change(login, deny_destinations=[MOBILE[:5]])
        assert await status_of(client) == c.ESME_RINVDSTADR


@check
async def default_alphabet(scene: Scene) -> None:
    async with scene.client() as (login, client):
        assert await status_of(client, text="é".encode("latin-1")) == c.ESME_RINVGSM7CODING
        scene.desk.change(login, default_alphabet="latin1")
        [id_] = await accepted([client.submit(text="é".encode("latin-1"))])
        assert scene.desk.messages(login, id_)[0]["text"] == "é"


@check
async def data_codings(scene: Scene) -> None:
    async with scene.client() as (login, client):
        unicode: dict[str, Any] = {"data_coding": 8, "text": "é".encode("utf-16-be")}
        assert await status_of(client, **unicode) == c.ESME_ROK
        scene.desk.change(login, data_codings=[0])
        assert await status_of(client, **unicode) == c.ESME_RUNSDATACODING
        assert await status_of(client) == c.ESME_ROK


@check
async def max_parts(scene: Scene) -> None:
    async with scene.client() as (login, client):
        assert await status_of(client, text=b"x" * 200) == c.ESME_ROK
        scene.desk.change(login, max_parts=1)
        assert await status_of(client, text=b"x" * 200) == c.ESME_RINVMSGLEN
        assert await status_of(client, text=b"x" * 160) == c.ESME_ROK


@check
async def commands(scene: Scene) -> None:
    async with scene.client() as (login, client):
        optional: tuple[dict[str, Any], ...] = (
            {"command": c.DATA_SM, "source": SENDER, "destination": address(1, 1, MOBILE.encode())},
            {"command": c.SUBMIT_MULTI, "source": SENDER, "destinations": (address(1, 1, MOBILE.encode()),)},
            {"command": c.QUERY_SM, "message_id": b"1"},
            {"command": c.CANCEL_SM, "message_id": b"1"},
            {"command": c.REPLACE_SM, "message_id": b"1"},
        )
        for values in optional:
            assert (await client.ask(**values)).command == values["command"] | c.RESPONSE
        scene.desk.change(login, commands=[])
        for values in optional:
            answer = await client.ask(**values)
            assert (answer.command, answer.status) == (c.GENERIC_NACK, c.ESME_RINVCMDID)
        assert await status_of(client) == c.ESME_ROK


@check
async def max_validity(scene: Scene) -> None:
    async with scene.client() as (login, client):
        scene.desk.change(login, max_validity=1)
        in_a_day = format_relative(86_400)
        asked = client.submit(NEVER_DELIVERED, validity_period=in_a_day, registered_delivery=1)
        [id_] = await accepted([asked])
        assert (await client.receipt(id_, patience=5)).state == c.EXPIRED


# -- how fast ------------------------------------------------------------------------------------------------------
@check
async def window(scene: Scene) -> None:
    """What it means inside is tested with the disk in the hand: test_stalled."""
    async with scene.client(window=50) as (login, client):
        scene.desk.change(login, window=1)
        assert [bind["window"] for bind in scene.desk.binds(login)] == [1]
        asked = client.submit_many(20)
        await accepted(asked)
        lines = {scene.desk.messages(login, one.message_id)[0]["charge_line"] for one in asked}
        assert len(lines) == 20  # one commit each


@check
async def throughput(scene: Scene) -> None:
    async with scene.client(window=1) as (login, client):
        await accepted(client.submit_many(50))
        scene.desk.change(login, throughput=1)
        asked = client.submit_many(5)
        await answers_to(asked)
        assert [one.status for one in asked] == [c.ESME_ROK] + [c.ESME_RTHROTTLED] * 4
        assert int(scene.desk.balance(login)) == 1000 - 51  # what was throttled cost nothing


@check
async def burst(scene: Scene) -> None:
    async with scene.client(window=1, throughput=1) as (login, client):
        await accepted([client.submit()])
        scene.desk.change(login, burst=20)
        asked = client.submit_many(30)
        await answers_to(asked)
        passed = [one.status for one in asked].count(c.ESME_ROK)
        assert 19 <= passed <= 22


# -- what it costs -------------------------------------------------------------------------------------------------
@check
async def price_plan(scene: Scene) -> None:
    scene.desk.prices("dear", rest="7")
    async with scene.client() as (login, client):
        first = client.submit()
        await accepted([first])
        scene.desk.change(login, price_plan="dear")
        await accepted([client.submit()])
        assert scene.desk.balance(login) == "992"


@check
async def refund(scene: Scene) -> None:
    async with scene.client() as (login, client):
        for policy, balance in (("unsent", "999"), ("undelivered", "999"), ("never", "998")):
            scene.desk.change(login, refund=policy)
            [id_] = await accepted([client.submit("48600100209", registered_delivery=1)])
            await client.receipt(id_)
            assert scene.desk.balance(login) == balance


@check
async def credit_limit(scene: Scene) -> None:
    async with scene.client(credits="0") as (login, client):
        assert await status_of(client) == c.ESME_RNOCREDIT
        scene.desk.change(login, credit_limit="1")
        assert await status_of(client) == c.ESME_ROK
        assert await status_of(client) == c.ESME_RNOCREDIT
        with pytest.raises(Refused):
            scene.desk.change(login, credit_limit="0")


def asked_for(scene: Scene, login: Login) -> list[tuple[str, str]]:
    return [(one["state"], one["amount"]) for one in scene.desk.topups(login)]


@check
async def auto_topup_amount(scene: Scene) -> None:
    async with scene.client(credits="10", auto_topup_threshold="9") as (login, client):
        await accepted([client.submit()])
        assert asked_for(scene, login) == []
        scene.desk.change(login, auto_topup_amount="250")
        await accepted([client.submit()])
        assert asked_for(scene, login) == [("open", "250")]


@check
async def auto_topup_threshold(scene: Scene) -> None:
    async with scene.client(credits="10", auto_topup_amount="100") as (login, client):
        await accepted([client.submit()])
        assert asked_for(scene, login) == []
        scene.desk.change(login, auto_topup_threshold="8")
        await accepted([client.submit()])
        assert asked_for(scene, login) == [("open", "100")]


@check
async def auto_topup_per_day(scene: Scene) -> None:
    asks: dict[str, Any] = {"auto_topup_amount": "100", "auto_topup_threshold": "1000", "auto_topup_at_once": "yes"}
    async with scene.client(credits="10", **asks) as (login, client):
        scene.desk.change(login, auto_topup_per_day=2)
        for _ in range(4):
            await accepted([client.submit()])
        assert asked_for(scene, login) == [("capped", "100"), ("booked", "100"), ("booked", "100")]


@check
async def auto_topup_at_once(scene: Scene) -> None:
    async with scene.client(credits="10", auto_topup_amount="100", auto_topup_threshold="9") as (login, client):
        scene.desk.change(login, auto_topup_at_once="yes")
        await accepted([client.submit()])
        assert scene.desk.balance(login) == "109"


# -- sessions ------------------------------------------------------------------------------------------------------
@check
async def enquire_link(scene: Scene) -> None:
    async with scene.client(enquire_link=0) as (login, client):
        scene.desk.change(login, enquire_link=1)
        await until("a link check", lambda: client.heard_of(c.ENQUIRE_LINK), 1 + SOON)
        assert await status_of(client) == c.ESME_ROK


@check
async def response_timeout(scene: Scene) -> None:
    async with scene.client(enquire_link=1, response_timeout=600) as (login, client):
        client.answers_links = False
        scene.desk.change(login, response_timeout=1)
        await client.gone(2 + SOON)


@check
async def inactivity(scene: Scene) -> None:
    async with scene.client(enquire_link=1) as (login, client):
        scene.desk.change(login, inactivity=1)
        await client.gone(1 + SOON)
        assert client.heard_of(c.UNBIND)


@check
async def session_limit(scene: Scene) -> None:
    async with scene.client() as (login, client):
        scene.desk.change(login, session_limit=1)
        await client.gone(1 + SOON)
        assert client.heard_of(c.UNBIND)
        assert await scene.bind_status(login) == c.ESME_ROK


# -- receipts ------------------------------------------------------------------------------------------------------
@check
async def delivery_window(scene: Scene) -> None:
    async with scene.client(delivery_window=1, response_timeout=600) as (login, client):
        client.answering = lambda _pdu: None
        await accepted(client.submit_many(5, registered_delivery=1))
        await until("one is offered", lambda: client.deliveries)
        scene.desk.change(login, delivery_window=4)
        await until("four are offered", lambda: len(client.deliveries) == 4, SOON)


@check
async def receipt_tlvs(scene: Scene) -> None:
    async with scene.client() as (login, client):
        for choice, wanted in (
            ("standard", {c.TLV_RECEIPTED_MESSAGE_ID, c.TLV_NETWORK_ERROR_CODE, c.TLV_MESSAGE_STATE}),
            ("vendor", {c.TLV_RECEIPTED_MESSAGE_ID, c.TLV_NETWORK_ERROR_CODE, c.TLV_MESSAGE_STATE, c.TLV_OUTGOING_ID}),
            ("none", set[int]()),
        ):
            scene.desk.change(login, receipt_tlvs=choice)
            [id_] = await accepted([client.submit(registered_delivery=1)])
            pdu = (await client.receipt(id_)).pdu
            assert {tag for tag, _value in tlv.parse(pdu.body.tlvs)} == wanted


@check
async def receipt_zone(scene: Scene) -> None:
    async with scene.client() as (login, client):
        scene.desk.change(login, receipt_zone="Pacific/Kiritimati")  # 14 hours ahead: no other clock says that
        [id_] = await accepted([client.submit(registered_delivery=1)])
        said = receipt.parse((await client.receipt(id_)).pdu.body.short_message).done_date.decode()
        zone = ZoneInfo("Pacific/Kiritimati")
        done = datetime.strptime(said, "%y%m%d%H%M").replace(tzinfo=zone)
        assert abs((datetime.now(zone) - done).total_seconds()) < 120


@check
async def status_overrides(scene: Scene) -> None:
    async with scene.client(credits="0", max_binds=1) as (login, client):
        assert await status_of(client) == c.ESME_RNOCREDIT
        scene.desk.change(
            login,
            status_overrides={
                "no_credit": 0x45,
                "too_many_binds": 0x0D,
                "destination_invalid": 0x440,
                "message_unknown": 0x67,
                "command_switched_off": 0x15,
            },
        )
        assert await status_of(client) == 0x45
        assert await status_of(client, to="12") == 0x440
        assert await scene.bind_status(login) == 0x0D
        assert (await client.ask(c.QUERY_SM, message_id=b"1")).status == 0x67
        scene.desk.change(login, commands=[])
        assert (await client.ask(c.QUERY_SM, message_id=b"1")).status == 0x15
