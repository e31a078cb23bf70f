"""Whatever arrives: an answer or a closed connection, never a dead process, and nobody else feels it.

A healthy customer is bound during every test; its link checks stay quick and its messages are accepted.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from pdu import constants as c
from pdu import frames, tlv
from pdu.bodies import BIND_BODY, SUBMIT_SM_BODY, address
from tests.road.client import (
    MOBILE,
    SENDER,
    Esme,
    accepted,
    all_of,
    answers_to,
    bound,
    connect,
    octets_of,
    payload,
    submitted,
    until,
)
from tests.road.running import Road
from tests.server import HOST, Login

pytestmark = pytest.mark.road

SESSION_INIT = 2.0
MIB = 1 << 20
BROADCAST_SM = 0x111  # of SMPP 5.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    with Road(tmp_path_factory.mktemp("road"), SMPP__SESSION_INIT=f"{SESSION_INIT:g}s") as running:
        yield running


class Pulse:
    """A customer that checks its link all the time."""

    def __init__(self, client: Esme) -> None:
        self._client = client
        self.seconds: list[float] = []

    async def beat(self) -> None:
        while True:
            check = self._client.send(c.ENQUIRE_LINK)
            await check.answered()
            self.seconds.append(check.seconds)
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
async def healthy(server: Road, no_connection_is_left: None) -> AsyncIterator[None]:
    """Is not disturbed by whatever a test does to the server."""
    login = server.desk.account(f"healthy-{time.monotonic_ns()}")
    client = await bound(server.port, login)
    pulse = Pulse(client)
    beating = asyncio.create_task(pulse.beat())
    yield
    await until("some link checks", lambda: len(pulse.seconds) > 5)
    await accepted([client.submit()])
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    ordered = sorted(pulse.seconds)
    assert ordered[-1] < 1.0, f"a link check took {ordered[-1]:.2f} s"
    assert ordered[len(ordered) // 2] < 0.1
    assert "Traceback" not in server.said(), server.said()


async def customer(server: Road, **settings: Any) -> tuple[Login, Esme]:
    login = server.desk.account(f"bad-{time.monotonic_ns()}", **settings)
    return login, await bound(server.port, login)


def request(command: int, body: bytes, sequence: int = 7) -> bytes:
    return frames.frame(command, 0, sequence, body)


async def lives(client: Esme) -> None:
    """The session goes on as if nothing had been."""
    await accepted([client.submit()])


# -- framing -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("length", [0, 4, 8, 15, 70_001, 1 << 20, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("is_bound", [False, True])
async def test_a_length_that_lies_is_refused_from_the_header_and_the_connection_closed(
    server: Road, length: int, is_bound: bool
) -> None:
    client = (await customer(server))[1] if is_bound else await connect(server.port)
    before = len(client.answers)
    client.write(length.to_bytes(4, "big") + (c.SUBMIT_SM).to_bytes(4, "big") + bytes(4) + b"\0\0\0\x2a")
    await client.gone(SESSION_INIT - 0.5)
    [answer] = client.answers[before:]
    assert (answer.command, answer.status, answer.sequence) == (c.GENERIC_NACK, c.ESME_RINVCMDLEN, 0x2A)


async def test_four_octets_are_enough_to_be_refused(server: Road) -> None:
    client = await connect(server.port)
    client.write(b"\x7f\xff\xff\xff")
    await client.gone(SESSION_INIT - 0.5)
    [answer] = client.answers
    assert (answer.command, answer.status, answer.sequence) == (c.GENERIC_NACK, c.ESME_RINVCMDLEN, 0)


async def test_what_came_whole_before_the_lie_is_answered(server: Road) -> None:
    login, client = await customer(server)
    good = [client.note(c.SUBMIT_SM, **submitted(MOBILE, b"good")) for _ in range(3)]
    octets = b"".join(octets_of(c.SUBMIT_SM, one.sequence, **one.values) for one in good)
    client.write(octets + b"\0\0\0\x01")
    await accepted(good)
    await client.gone()
    assert client.answers[-1].status == c.ESME_RINVCMDLEN
    assert len(server.desk.export(login)["messages"]) == 3


FOREIGN = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "AMQP": b"AMQP\0\0\x09\x01",
    "RDP": b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0",
    "PROXY": b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 2775\r\n",
    "noise": random.Random(1).randbytes(4096),
}


@pytest.mark.parametrize("protocol", FOREIGN)
async def test_another_protocol_is_shown_the_door(server: Road, protocol: str) -> None:
    client = await connect(server.port)
    client.write(FOREIGN[protocol])
    await client.gone(SESSION_INIT - 0.5)
    assert [answer.command for answer in client.answers] == [c.GENERIC_NACK]


async def test_a_tls_handshake_on_the_plain_port_ends_at_once(server: Road) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(HOST, server.port, ssl=ssl.create_default_context(), server_hostname=HOST)


async def test_a_session_in_pieces_of_one_octet(server: Road) -> None:
    login = server.desk.account(f"pieces-{time.monotonic_ns()}")
    client = await connect(server.port)
    client.transport.set_write_buffer_limits(high=0)
    bind = client.note(c.BIND_TRANSCEIVER, system_id=login.system_id.encode(), password=login.password.encode())
    submit = client.note(c.SUBMIT_SM, **submitted(MOBILE, b"slow", ), registered_delivery=1)
    for asked in (bind, submit):
        for octet in octets_of(asked.command, asked.sequence, **asked.values):
            client.write(bytes((octet,)))
            await asyncio.sleep(0)
    assert (await bind.answered()).status == c.ESME_ROK
    await client.receipt((await accepted([submit]))[0])


async def test_a_thousand_requests_in_one_segment_are_answered_in_order(server: Road) -> None:
    login, client = await customer(server, window=10, credits="2000")
    asked = client.submit_many(1000)
    ids = [int(id_) for id_ in await accepted(asked)]
    assert ids == sorted(set(ids))
    assert [pdu.sequence for pdu in client.answers[1:]] == [one.sequence for one in asked]
    checks = [client.note(c.ENQUIRE_LINK) for _ in range(1000)]
    client.write(b"".join(request(c.ENQUIRE_LINK, b"", check.sequence) for check in checks))
    await answers_to(checks)
    assert server.desk.balance(login) == "1000"


async def test_what_stands_behind_a_bind_in_the_same_segment_is_governed_by_it(server: Road) -> None:
    login = server.desk.account(f"behind-{time.monotonic_ns()}", max_binds=5)
    for command, status in ((c.BIND_TRANSCEIVER, 0), (c.BIND_TRANSMITTER, 0), (c.BIND_RECEIVER, c.ESME_RINVBNDSTS)):
        client = await connect(server.port)
        asked = [
            client.note(command, system_id=login.system_id.encode(), password=login.password.encode()),
            *[client.note(c.SUBMIT_SM, **submitted(MOBILE, b"early")) for _ in range(30)],
            client.note(c.UNBIND),
            client.note(c.SUBMIT_SM, **submitted(MOBILE, b"too late")),
        ]
        client.write(b"".join(octets_of(one.command, one.sequence, **one.values) for one in asked))
        await client.gone()
        assert [one.status for one in asked] == [0, *[status] * 30, 0, None]


async def test_what_stands_behind_a_refused_bind_is_dropped(server: Road) -> None:
    login = server.desk.account(f"refused-{time.monotonic_ns()}")
    client = await connect(server.port)
    bind = octets_of(c.BIND_TRANSCEIVER, 1, system_id=login.system_id.encode(), password=b"wrong")
    client.write(bind + octets_of(c.SUBMIT_SM, 2, **submitted(MOBILE, b"early")))
    await client.gone()
    assert [answer.status for answer in client.answers] == [c.ESME_RINVPASWD]
    assert not server.desk.export(login)["messages"]


# -- bodies --------------------------------------------------------------------------------------------------------
def submit_body(**values: Any) -> bytes:
    return SUBMIT_SM_BODY.encode(SUBMIT_SM_BODY.build(**{**submitted(MOBILE, b"hello"), **values}))


BODY = submit_body()
MALFORMED: dict[str, tuple[bytes, int]] = {
    "empty": (b"", c.ESME_RINVPARLEN),
    "one octet": (b"x", c.ESME_RINVPARLEN),
    "no NUL anywhere": (b"x" * 60, c.ESME_RINVPARLEN),
    "cut in the source": (BODY[:6], c.ESME_RINVPARLEN),
    "cut in the text": (BODY[:-2], c.ESME_RINVMSGLEN),
    "sm_length of 255": (BODY[:-6] + b"\xffhello", c.ESME_RINVMSGLEN),
    "source of 300": (BODY[:1] + b"\1\1" + b"4" * 300 + b"\0" + BODY[12:], c.ESME_RINVPARLEN),
    "a TLV that runs over": (BODY + b"\x02\x04\0\x09ab", c.ESME_RINVOPTPARSTREAM),
    "half a TLV header": (BODY + b"\x02\x04\0", c.ESME_RINVOPTPARSTREAM),
    "priority 9": (BODY.replace(b"\0\0\0\0\0\0\0\0\0\5hello", b"\0\0\x09\0\0\0\0\0\0\5hello"), c.ESME_RINVPRTFLG),
    "text twice": (BODY + payload(b"again"), c.ESME_RINVMSGLEN),
}


@pytest.mark.parametrize("fault", MALFORMED)
async def test_a_body_that_cannot_be_read_costs_one_answer_and_nothing_else(server: Road, fault: str) -> None:
    body, status = MALFORMED[fault]
    login, client = await customer(server)
    client.write(request(c.SUBMIT_SM, body) + request(c.ENQUIRE_LINK, b"", 8))
    await until("both are answered", lambda: len(client.answers) == 3)
    found = {answer.command: (answer.sequence, answer.status) for answer in client.answers[1:]}
    assert found == {c.SUBMIT_SM_RESP: (7, status), c.ENQUIRE_LINK_RESP: (8, 0)}
    await lives(client)
    assert server.desk.balance(login) == "999"


@pytest.mark.parametrize(
    "command", [c.DATA_SM, c.SUBMIT_MULTI, c.QUERY_SM, c.CANCEL_SM, c.REPLACE_SM, c.DELIVER_SM, c.BIND_TRANSCEIVER]
)
async def test_no_request_is_left_without_an_answer_however_its_body_is_cut(server: Road, command: int) -> None:
    _login, client = await customer(server)
    for number, body in enumerate((b"", b"\0", b"\xff" * 40, b"\0" * 40, b"x" * 2000), 100):
        client.write(request(command, body, number))
        await until("it is answered", lambda: client.answers[-1].sequence == number)  # noqa: B023 - at once
        assert client.answers[-1].command == command | c.RESPONSE
        assert client.answers[-1].status != c.ESME_ROK
    await lives(client)


async def test_zeros_behind_the_text_are_forgiven(server: Road) -> None:
    _login, client = await customer(server)
    client.write(request(c.SUBMIT_SM, BODY + b"\0"))
    await until("it is accepted", lambda: client.answers[-1].command == c.SUBMIT_SM_RESP)
    assert client.answers[-1].status == c.ESME_ROK


async def test_thousands_of_optional_parameters_are_no_burden(server: Road) -> None:
    """They are stored and not paid for, so there is a limit; up to it any number is carried along."""
    login, client = await customer(server)
    many, some = [tlv.encode([(0x1500 + n % 200, b"x") for n in range(number)]) for number in (4000, 150)]
    begun = time.monotonic()
    for _ in range(20):
        assert (await client.submit(tlvs=many).answered()).status == c.ESME_RINVMSGLEN
    await accepted(client.submit(tlvs=some) for _ in range(20))
    assert time.monotonic() - begun < 20
    assert server.desk.balance(login) == "980"


@pytest.mark.parametrize(
    ("body", "esm_class", "coding"),
    [
        (b"\xff\0\3", c.UDHI, 0),
        (b"\5\0\3\7\0\0text", c.UDHI, 0),  # part 0 of 0
        (b"\5\0\3\7\2\x09text", c.UDHI, 0),  # part 9 of 2
        (b"", c.UDHI, 0),
        (b"odd", 0, 8),
        (b"\xd8\0\xd8\0", 0, 8),  # lone surrogates
        (b"\x1b", 0, 0),
        (b"\0" * 254, 0xFF, 0xFF),
    ],
)
async def test_texts_that_are_none_are_answered_and_can_be_shown(
    server: Road, body: bytes, esm_class: int, coding: int
) -> None:
    login, client = await customer(server)
    asked = client.submit(text=body, esm_class=esm_class, data_coding=coding)
    await asked.answered()
    await lives(client)
    export = server.desk.export(login)
    assert len(export["messages"]) == (2 if asked.accepted else 1)


async def test_what_a_peer_writes_cannot_forge_the_log_or_the_export(server: Road) -> None:
    login, client = await customer(server)
    hostile = b"\x1b[2Jx\r\n2026 forged\r\n"[:15]
    async with await connect(server.port) as other:
        await other.bind(login._replace(system_id=hostile.decode("latin-1"), password="x"))
    for source in (b"'; DROP--", b"=cmd|'/C'", b"\x1b[31m", b"a\r\nb"):
        await client.submit(source=b"\5\0" + source + b"\0").answered()
    await client.submit(text=b"\r\n\x1b[31mforged").answered()
    await until("refusals are kept", lambda: server.desk.refusals())
    assert "\x1b" not in server.said()
    assert not any(line.startswith("2026 forged") for line in server.said().splitlines())
    json.dumps(server.desk.export(login))


# -- states --------------------------------------------------------------------------------------------------------
WORK = (c.SUBMIT_SM, c.SUBMIT_MULTI, c.DATA_SM, c.QUERY_SM, c.CANCEL_SM, c.REPLACE_SM)


async def test_requests_before_the_bind_are_refused_and_the_connection_stays(server: Road) -> None:
    login = server.desk.account(f"early-{time.monotonic_ns()}")
    client = await connect(server.port)
    for command in (*WORK, c.DELIVER_SM):
        client.write(request(command, BODY, command))
        await until("it is answered", lambda: client.answers and client.answers[-1].sequence == command)  # noqa: B023
        assert client.answers[-1].status == c.ESME_RINVBNDSTS
    assert (await client.ask(c.ENQUIRE_LINK)).status == c.ESME_ROK
    assert (await client.bind(login)).status == c.ESME_ROK
    await lives(client)


async def test_a_receiver_may_not_send_and_a_transmitter_is_told_nothing(server: Road) -> None:
    login = server.desk.account(f"sides-{time.monotonic_ns()}")
    receiver = await bound(server.port, login, c.BIND_RECEIVER)
    sender = await bound(server.port, login, c.BIND_TRANSMITTER)
    for command in (c.SUBMIT_SM, c.SUBMIT_MULTI, c.QUERY_SM, c.CANCEL_SM, c.REPLACE_SM):
        receiver.write(request(command, BODY, command))
        await until("it is answered", lambda: receiver.answers[-1].sequence == command)  # noqa: B023
        assert receiver.answers[-1].status == c.ESME_RINVBNDSTS
    [id_] = await accepted([sender.submit(registered_delivery=1)])
    await receiver.receipt(id_)
    assert not sender.heard


async def test_a_second_bind_leaves_the_first_as_it_is(server: Road) -> None:
    login, client = await customer(server)
    other = server.desk.account(f"other-{time.monotonic_ns()}")
    for again in (login, other, other._replace(password="wrong")):
        assert (await client.bind(again)).status == c.ESME_RALYBND
    await lives(client)
    assert server.desk.balance(login) == "999"


async def test_unbind_before_the_bind_is_refused_and_closes(server: Road) -> None:
    client = await connect(server.port)
    assert (await client.ask(c.UNBIND)).status == c.ESME_RINVBNDSTS
    await client.gone()


@pytest.mark.parametrize("is_bound", [False, True])
async def test_unknown_commands_are_nacked_by_their_number(server: Road, is_bound: bool) -> None:
    client = (await customer(server))[1] if is_bound else await connect(server.port)
    for command in (0, 0xA, 0x16, BROADCAST_SM, 0x10200, 0x7FFFFFFF, c.OUTBIND, c.ALERT_NOTIFICATION):
        client.write(request(command, b"whatever", 4242))
        before = len(client.answers)
        await until("it is answered", lambda: len(client.answers) > before)  # noqa: B023
        answer = client.answers[-1]
        assert (answer.command, answer.status, answer.sequence) == (c.GENERIC_NACK, c.ESME_RINVCMDID, 4242)
    if is_bound:
        await lives(client)


async def test_answers_to_nothing_are_not_answered(server: Road) -> None:
    _login, client = await customer(server)
    for command in (*(known | c.RESPONSE for known in (*WORK, c.DELIVER_SM, c.ENQUIRE_LINK, c.UNBIND)), 0x80000777):
        client.write(frames.frame(command, c.ESME_RSYSERR, 99))
        client.write(frames.frame(command, 0, 99, b"x" * 70))
    client.write(frames.frame(c.GENERIC_NACK, 3, 99))
    await client.ask(c.ENQUIRE_LINK)
    assert [answer.command for answer in client.answers] == [c.BIND_TRANSCEIVER_RESP, c.ENQUIRE_LINK_RESP]
    await lives(client)


async def test_sequence_numbers_are_given_back_whatever_they_are(server: Road) -> None:
    _login, client = await customer(server)
    numbers = [0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, *[5] * 300]
    client.write(b"".join(request(c.SUBMIT_SM, BODY, number) for number in numbers))
    await until("each is answered", lambda: len(client.answers) == 1 + len(numbers))
    assert [answer.sequence for answer in client.answers[1:]] == numbers
    assert len({answer.body.message_id for answer in client.answers[1:]}) == len(numbers)


async def test_binds_with_impossible_fields_are_refused(server: Road) -> None:
    login = server.desk.account(f"fields-{time.monotonic_ns()}")
    name, secret = login.system_id.encode(), login.password.encode()
    good = BIND_BODY.encode(BIND_BODY.build(system_id=name, password=secret))
    bodies = [
        b"",
        good[:-1],
        good[: len(name) + 3],
        b"x" * 300,
        b"x" * 65_000,
        name + b"x" * 40 + b"\0" + good[len(name) + 1 :],
        b"\0\0\0\x34\0\0\0",
        good.replace(secret, secret + b"x"),
        good.replace(secret, secret[:-1]),
        good.replace(secret, secret.upper() if secret != secret.upper() else secret.lower()),
        good.replace(secret, secret + b" "),
    ]
    for body in bodies:
        client = await connect(server.port)
        client.write(request(c.BIND_TRANSCEIVER, body))
        await until("it is answered", lambda: client.answers)  # noqa: B023
        assert client.answers[0].status != c.ESME_ROK
        client.abort()
    assert not server.desk.binds(login)
    assert (await bound(server.port, login)).open


# -- time ----------------------------------------------------------------------------------------------------------
async def test_who_does_not_bind_in_time_is_closed_whatever_it_does_meanwhile(server: Road) -> None:
    """The deadline is absolute: a trickle of octets or of link checks does not put it off."""
    idle, asking, trickling, half = [await connect(server.port) for _ in range(4)]
    begun = time.monotonic()
    half.write(request(c.BIND_TRANSCEIVER, b"x" * 40)[:30])
    octets = iter(request(c.BIND_TRANSCEIVER, b"x" * 60_000))
    while any(client.open for client in (idle, asking, trickling, half)):
        trickling.write(bytes((next(octets),)))
        if asking.open:
            asking.send(c.ENQUIRE_LINK)
        await asyncio.sleep(0.05)
        assert time.monotonic() - begun < SESSION_INIT + 2
    assert time.monotonic() - begun > SESSION_INIT - 0.5
    assert len(asking.answers) > 10


async def test_a_request_that_is_never_finished_closes_its_session(server: Road) -> None:
    _login, client = await customer(server)
    client.write(request(c.SUBMIT_SM, BODY)[:-3])
    await client.gone(SESSION_INIT + 2)


async def test_a_client_that_says_no_more_is_answered_before_the_connection_closes(server: Road) -> None:
    login, client = await customer(server)
    asked = client.submit_many(50)
    client.finish_writing()
    await client.gone()
    assert [one.status for one in asked] == [c.ESME_ROK] * 50
    assert not server.desk.binds(login)


# -- floods --------------------------------------------------------------------------------------------------------
FLOODS: dict[str, bytes] = {
    "link checks": request(c.ENQUIRE_LINK, b""),
    "submits": request(c.SUBMIT_SM, BODY),
    "unknown commands": request(0x123, b""),
    "unreadable bodies": request(c.SUBMIT_SM, b"x"),
    "wrong states": request(c.BIND_RECEIVER, b"x" * 40),
    "wrong directions": request(c.DELIVER_SM, BODY),
    "queries": octets_of(c.QUERY_SM, 7, message_id=b"12345"),
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_peer_that_reads_no_answers_is_not_read_either_and_closed_in_the_end(server: Road, flood: str) -> None:
    login = server.desk.account(f"flood-{time.monotonic_ns()}", response_timeout=1, window=100, credits="100000")
    before = server.memory()
    with deaf(server) as flooding:
        bind = {"system_id": login.system_id.encode(), "password": login.password.encode()}
        flooding.sendall(octets_of(c.BIND_TRANSCEIVER, 1, **bind))
        assert await asyncio.to_thread(flooding.recv, 100)
        taken, peak = await asyncio.to_thread(poured, flooding, FLOODS[flood], server.memory)
    await until("its bind is gone", lambda: not server.desk.binds(login), 30)
    assert taken < 64 * MIB
    assert peak - before < 48 * MIB, f"{(peak - before) / MIB:.0f} MiB more after {taken / MIB:.0f} MiB"


async def test_a_flood_behind_a_bind_that_is_being_judged_is_not_swallowed(server: Road) -> None:
    login = server.desk.account(f"hasty-{time.monotonic_ns()}")
    with deaf(server) as flooding:
        flooding.sendall(octets_of(c.BIND_TRANSCEIVER, 1, system_id=login.system_id.encode(), password=b"wrong"))
        taken, _peak = await asyncio.to_thread(poured, flooding, request(c.ENQUIRE_LINK, b""), server.memory)
    assert taken < 16 * MIB, f"{taken / MIB:.0f} MiB"


async def test_a_flood_before_the_bind_is_bounded_too(server: Road) -> None:
    before = server.memory()
    with deaf(server) as flooding:
        taken, peak = await asyncio.to_thread(poured, flooding, request(c.ENQUIRE_LINK, b""), server.memory)
    assert taken < 64 * MIB
    assert peak - before < 48 * MIB


def deaf(server: Road) -> socket.socket:
    """A connection whose kernel keeps next to nothing for who does not read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((HOST, server.port))
    return connection


def poured(flooding: socket.socket, octets: bytes, memory: Callable[[], int]) -> tuple[int, int]:
    """Write without reading until the connection is closed. -> octets that were taken, and the most memory seen."""
    chunk, taken, peak, deadline = octets * (65_536 // len(octets) + 1), 0, 0, time.monotonic() + 40
    flooding.settimeout(0.2)
    while taken < 64 * MIB:
        peak = max(peak, memory())
        try:
            taken += flooding.send(chunk[taken % len(octets) :])
        except TimeoutError:
            assert time.monotonic() < deadline, "it is neither read nor closed"
        except ConnectionError:
            break
    return taken, peak


async def test_connections_that_come_and_go_leave_nothing_behind(
    server: Road, effort: Callable[[int, int], int]
) -> None:
    login = server.desk.account(f"churn-{time.monotonic_ns()}", max_binds=0)

    async def come_and_go(number: int) -> None:
        client = await connect(server.port)
        if number % 2:
            client.send(c.BIND_TRANSCEIVER, system_id=login.system_id.encode(), password=login.password.encode())
            client.submit_many(3, registered_delivery=1)
        client.abort()

    before = server.files()
    for start in range(0, effort(400, 10_000), 50):
        await all_of(come_and_go(start + number) for number in range(50))
    await until("all binds are gone", lambda: not server.desk.binds(login))
    await until("its sockets are closed", lambda: server.files() <= before + 3)
    server.desk.audited()


@pytest.mark.promise("A3")
async def test_guessing_passwords_is_slowed_down_and_locks_nobody_out(server: Road) -> None:
    login, newcomer = [server.desk.account(f"{name}-{time.monotonic_ns()}", max_binds=9) for name in ("old", "new")]
    await bound(server.port, login)

    async def guess(number: int) -> int:
        async with await connect(server.port) as client:
            try:
                return (await client.bind(login._replace(password=f"guess{number}"))).status
            except (AssertionError, TimeoutError):
                return 0  # its time to bind was over

    guessing = asyncio.create_task(all_of(guess(number) for number in range(60)))
    begun = time.monotonic()
    await bound(server.port, login)  # its right password is known
    await bound(server.port, newcomer)  # another's is checked in time
    assert time.monotonic() - begun < 20
    answers = await guessing
    assert set(answers) <= {c.ESME_RINVPASWD, c.ESME_RBINDTHROTTLED, 0}
    assert answers.count(c.ESME_RINVPASWD) <= 5 + SESSION_INIT + 3


async def test_noise_and_mutations_kill_nobody(server: Road, effort: Callable[[int, int], int]) -> None:
    login = server.desk.account(f"noise-{time.monotonic_ns()}", max_binds=0, credits="1000000", response_timeout=600)
    seed = random.Random(2775)
    whole = [request(c.SUBMIT_SM, BODY), octets_of(c.DATA_SM, 8, source=SENDER, destination=address(1, 1, b"48600"),
             tlvs=payload(b"text")), octets_of(c.QUERY_SM, 9, message_id=b"123")]  # fmt: skip
    client = await bound(server.port, login)
    for _ in range(effort(400, 20_000)):
        if not client.open:
            client = await bound(server.port, login)
        octets = bytearray(seed.choice(whole))
        for _ in range(seed.randint(1, 6)):
            place = seed.randrange(4 if seed.random() < 0.02 else 16, len(octets))
            octets[place] = seed.randrange(256)
        client.write(bytes(octets))
        if seed.random() < 0.1:
            client.write(request(c.ENQUIRE_LINK, b"", 10))
            answered = len(client.answers)
            await until("an answer or the end", lambda: not client.open or len(client.answers) > answered)  # noqa: B023
    server.desk.export(login)
    server.desk.audited()
