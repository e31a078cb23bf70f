"""The door: who is let in, what the others hear, and what guessing costs."""

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from acl import reasons
from acl.brake import Brake
from acl.password import Known, hash_password
from gateway.accounts import SILENCE, Account
from gateway.delivery import Due
from gateway.smpp.answers import STATUS
from gateway.smpp.bind import KEYS_AT_MOST, KEYS_OF_A_GUESSER, KINDS, QUEUE, Door
from gateway.smpp.session import Session
from pdu import constants as c

from ..scene import Clock, settled
from .client import bound, pdu, read
from .hall import DUMMY, Hall, bind_request, spoken

HERE, NEAR, STRANGER = "127.0.0.1", "10.0.0.2", "192.0.2.1"  # a's address, b's, nobody's
ENTERED = ("", 0)
WRONG = (reasons.WRONG_PASSWORD, c.ESME_RINVPASWD)
THROTTLED = (reasons.BIND_THROTTLED, c.ESME_RBINDTHROTTLED)


async def hall_of_three() -> Hall:
    """a and b have an address each, c has none."""
    hall = Hall()
    await hall.account("a", addresses=[HERE], max_binds=0)
    await hall.account("b", addresses=[NEAR], max_binds=0)
    await hall.account("c", addresses=[])
    return hall


# -- a refused login -----------------------------------------------------------------------------------------------
LOGINS = [
    ("a", "a", HERE, ENTERED, "hash of a"),
    ("a", "x", HERE, WRONG, "hash of a"),
    ("a", "", HERE, WRONG, "hash of a"),
    ("zz", "a", HERE, (reasons.UNKNOWN_SYSTEM_ID, c.ESME_RINVPASWD), DUMMY),
    ("", "", HERE, (reasons.UNKNOWN_SYSTEM_ID, c.ESME_RINVPASWD), DUMMY),
    ("b", "b", HERE, (reasons.ADDRESS_NOT_AUTHORISED, c.ESME_RINVPASWD), "hash of b"),
    ("b", "x", HERE, (reasons.ADDRESS_NOT_AUTHORISED, c.ESME_RINVPASWD), "hash of b"),
    ("c", "c", HERE, (reasons.NO_ADDRESS_DECLARED, c.ESME_RINVPASWD), "hash of c"),
    ("c", "x", HERE, (reasons.NO_ADDRESS_DECLARED, c.ESME_RINVPASWD), "hash of c"),
]


@pytest.mark.promise("A3")
@pytest.mark.parametrize(("name", "password", "peer", "heard", "hashed"), LOGINS)
async def test_from_a_listed_address_one_hash_is_made_whoever_asks(
    name: str, password: str, peer: str, heard: tuple[str, int], hashed: str
) -> None:
    hall = await hall_of_three()
    assert await hall.answer(name, password, peer) == heard
    assert hall.pool.checked == [(hashed, password.encode())]


@pytest.mark.promise("A3")
@pytest.mark.parametrize("peer", [STRANGER, "::1", "unreadable", "", "10.0.0.2 "])
@pytest.mark.parametrize(("name", "password"), [("a", "a"), ("a", "x"), ("zz", "a"), ("b", "b"), ("c", "c")])
async def test_from_any_other_nothing_is_hashed(name: str, password: str, peer: str) -> None:
    hall = await hall_of_three()
    assert await hall.answer(name, password, peer) == (reasons.ADDRESS_UNLISTED, c.ESME_RBINDFAIL)
    assert hall.pool.checked == []
    assert hall.naps == []


async def test_nor_when_the_password_is_known() -> None:
    hall = await hall_of_three()
    await hall.answer("a", "a", HERE)
    assert await hall.answer("a", "a", STRANGER) == (reasons.ADDRESS_UNLISTED, c.ESME_RBINDFAIL)


async def test_a_stranger_can_guess_for_ever_and_slows_nobody_down() -> None:
    hall = await hall_of_three()
    for number in range(200):
        assert await hall.answer("a", f"x{number}", STRANGER) == (reasons.ADDRESS_UNLISTED, c.ESME_RBINDFAIL)
    assert await hall.answer("a", "a", HERE) == ENTERED
    assert hall.naps == []


async def test_a_refused_login_names_no_account() -> None:
    hall = await hall_of_three()
    for name, password in (("a", "x"), ("b", "b"), ("c", "c"), ("zz", "")):
        assert (await hall.judge(name, password)).account is None


@pytest.mark.parametrize("reason", sorted(reasons.LOGIN_REASONS))
async def test_no_account_can_change_what_a_refused_login_hears(reason: str) -> None:
    hall = await hall_of_three()
    for account in hall.scene.accounts.by_id.values():  # as if the settings had let it through
        account.settings = replace(account.settings, status_overrides={reason: 0x45})
    heard = [await hall.answer(*login) for login in (("a", "x"), ("b", "b"), ("c", "c"), ("a", "a", STRANGER))]
    assert [status for _reason, status in heard] == [0x0E, 0x0E, 0x0E, 0x0D]


async def test_the_real_hash_is_checked() -> None:
    hall = Hall()
    account = await hall.account()
    await hall.change(account, password_hash=hash_password("Secret12"))
    with ThreadPoolExecutor(1) as pool:
        door = Door(hall.scene.accounts, Brake(), Known(bytes(32)), pool, hall.clock)

        async def answer(name: str, password: str) -> tuple[str, int]:
            request = bind_request(c.BIND_TRANSMITTER, name, password)
            return spoken(await door.judge(c.BIND_TRANSMITTER, request, HERE))

        assert await answer("a", "Secret13") == WRONG
        assert await answer("zz", "Secret12") == (reasons.UNKNOWN_SYSTEM_ID, c.ESME_RINVPASWD)
        assert await answer("a", "Secret12") == ENTERED


# -- a password that was right before ------------------------------------------------------------------------------
async def test_the_second_bind_needs_no_hash() -> None:
    hall = await hall_of_three()
    for _ in range(10):
        assert await hall.answer("a", "a") == ENTERED
    assert len(hall.pool.checked) == 1


async def test_from_another_address_of_the_account_neither() -> None:
    hall = Hall()
    await hall.account("a", addresses=[HERE, NEAR])
    assert await hall.answer("a", "a", HERE) == ENTERED
    assert await hall.answer("a", "a", NEAR) == ENTERED
    assert len(hall.pool.checked) == 1


async def test_from_somebody_elses_address_it_is_hashed_and_refused() -> None:
    hall = await hall_of_three()
    await hall.answer("a", "a", HERE)
    assert await hall.answer("a", "a", NEAR) == (reasons.ADDRESS_NOT_AUTHORISED, c.ESME_RINVPASWD)
    assert len(hall.pool.checked) == 2


async def test_another_password_is_hashed() -> None:
    hall = await hall_of_three()
    await hall.answer("a", "a")
    assert await hall.answer("a", "x") == WRONG
    assert await hall.answer("a", "a") == ENTERED
    assert [password for _hash, password in hall.pool.checked] == [b"a", b"x"]


async def test_what_was_right_for_one_account_is_nothing_to_another() -> None:
    hall = Hall()
    for name in "ab":
        await hall.account(name)
    assert await hall.answer("a", "a") == ENTERED
    assert await hall.answer("b", "a") == WRONG


# -- changes while a password is being hashed ----------------------------------------------------------------------
async def test_a_password_rotated_meanwhile_is_refused() -> None:
    hall = await hall_of_three()
    account = hall.scene.accounts.by_system_id[b"a"]
    hall.pool.held = True
    old = hall.knock("a", "a")
    await settled()
    await hall.change(account, password_hash="hash of new")
    hall.pool.release()
    assert spoken(await old) == WRONG
    assert await hall.answer("a", "a") == WRONG  # and was not remembered either
    assert await hall.answer("a", "new") == ENTERED


async def test_a_rotated_password_is_refused_though_the_old_one_was_known() -> None:
    hall = await hall_of_three()
    account = hall.scene.accounts.by_system_id[b"a"]
    assert await hall.answer("a", "a") == ENTERED
    await hall.change(account, password_hash="hash of new")
    assert await hall.answer("a", "a") == WRONG


@pytest.mark.parametrize(
    ("change", "heard"),
    [
        ({"settings": {"addresses": [NEAR]}}, (reasons.ADDRESS_NOT_AUTHORISED, c.ESME_RINVPASWD)),
        ({"settings": {"addresses": []}}, (reasons.NO_ADDRESS_DECLARED, c.ESME_RINVPASWD)),
        ({"settings": {"bind_types": ["receiver"]}}, (reasons.BIND_TYPE_NOT_ALLOWED, c.ESME_RBINDFAIL)),
        ({"enabled": False}, (reasons.ACCOUNT_DISABLED, c.ESME_RBINDFAIL)),
        ({"settings": {"window": "nonsense"}}, (reasons.ACCOUNT_DISABLED, c.ESME_RBINDFAIL)),
    ],
)
async def test_other_changes_meanwhile_count_too(change: dict[str, Any], heard: tuple[str, int]) -> None:
    hall = await hall_of_three()
    hall.pool.held = True
    task = hall.knock("a", "a")
    await settled()
    await hall.change(hall.scene.accounts.by_system_id[b"a"], **change)
    hall.pool.release()
    assert spoken(await task) == heard


async def test_an_account_made_meanwhile_is_not_let_in_on_a_dummy() -> None:
    hall = await hall_of_three()
    hall.pool.held = True
    task = hall.knock("d", "d")
    await settled()
    await hall.account("d")
    hall.pool.release()
    assert spoken(await task) == (reasons.UNKNOWN_SYSTEM_ID, c.ESME_RINVPASWD)
    assert await hall.answer("d", "d") == ENTERED


async def test_an_account_removed_meanwhile_is_not_let_in() -> None:
    hall = await hall_of_three()
    hall.pool.held = True
    task = hall.knock("a", "a")
    await settled()
    del hall.scene.memory.rows[hall.scene.accounts.by_system_id[b"a"].id]
    await hall.scene.accounts.refresh()
    hall.pool.release()
    assert spoken(await task) == WRONG


async def test_a_login_that_got_another_name_meanwhile_is_refused() -> None:
    hall = await hall_of_three()
    hall.pool.held = True
    task = hall.knock("a", "a")
    await settled()
    await hall.change(hall.scene.accounts.by_system_id[b"a"], system_id="d")
    hall.pool.release()
    assert spoken(await task) == WRONG
    assert await hall.answer("d", "a") == ENTERED


# -- the brake -----------------------------------------------------------------------------------------------------
async def test_after_five_failures_there_is_one_check_a_second() -> None:
    hall = await hall_of_three()
    await hall.brake()
    assert hall.naps == []
    for _ in range(4):
        assert await hall.answer("a", "x") == WRONG
    assert hall.naps == [1.0] * 4
    assert hall.pool.times == [1000.0] * 5 + [1001.0, 1002.0, 1003.0, 1004.0]


async def test_nobody_is_locked_out() -> None:
    hall = await hall_of_three()
    await hall.brake()
    assert await hall.answer("a", "a") == ENTERED
    assert hall.naps == [1.0]
    assert await hall.answer("a", "x") == WRONG  # and the slate is clean
    assert hall.naps == [1.0]


async def test_who_finds_the_queue_full_is_told_so_at_once() -> None:
    hall = await hall_of_three()
    await hall.brake()
    tasks = [hall.knock("a", f"x{number}") for number in range(20)]
    await settled()
    told = [spoken(task.result()) for task in tasks if task.done()]
    assert told == [THROTTLED] * (20 - 1 - QUEUE)  # one is about to be checked
    assert len(hall.pool.checked) == 5
    await hall.pass_(60)
    assert Counter(spoken(task.result()) for task in tasks) == {THROTTLED: 14, WRONG: 6}
    assert hall.pool.times[5:] == [1001.0, 1002.0, 1003.0, 1004.0, 1005.0, 1006.0]


async def test_a_password_known_to_be_right_passes_at_once_while_somebody_guesses() -> None:
    hall = await hall_of_three()
    await hall.answer("a", "a")
    await hall.brake()
    tasks = [hall.knock("a", f"x{number}") for number in range(20)]
    await settled()
    hashes = len(hall.pool.checked)
    task = hall.knock("a", "a")
    await settled()
    assert spoken(task.result()) == ENTERED
    assert len(hall.pool.checked) == hashes
    await hall.pass_(60)
    assert Counter(spoken(task.result()) for task in tasks) == {THROTTLED: 14, WRONG: 6}


async def test_a_right_password_in_the_queue_opens_for_its_like_behind_it() -> None:
    hall = await hall_of_three()
    await hall.brake()
    tasks = [hall.knock("a", "a") for _ in range(4)]
    await hall.pass_(1)
    assert [spoken(task.result()) for task in tasks] == [ENTERED] * 4
    assert len(hall.pool.checked) == 6


async def test_keys_do_not_wait_for_each_other() -> None:
    hall = Hall()
    for name in "ab":
        await hall.account(name, addresses=[HERE, NEAR])
    await hall.brake("a", HERE)
    assert await hall.answer("b", "b", HERE) == ENTERED
    assert await hall.answer("a", "a", NEAR) == ENTERED
    assert hall.naps == []


async def test_failures_are_forgotten_with_time() -> None:
    hall = await hall_of_three()
    await hall.brake()
    await hall.pass_(3600)
    assert await hall.answer("a", "x") == WRONG
    assert hall.naps == []


async def test_other_refusals_of_a_login_brake_too() -> None:
    hall = await hall_of_three()
    for name in ("zz", "b", "c"):
        hall.naps.clear()
        for _ in range(6):
            await hall.answer(name, "x")
        assert hall.naps[-1] == 1.0


async def test_a_hundred_at_once_with_the_right_password_cost_one_hash() -> None:
    hall = await hall_of_three()
    hall.pool.held = True
    tasks = [hall.knock("a", "a") for _ in range(100)]
    await settled()
    assert len(hall.pool.checked) == 1
    hall.pool.release()
    verdicts = await asyncio.gather(*tasks)
    assert [spoken(verdict) for verdict in verdicts] == [ENTERED] * 100
    assert len(hall.pool.checked) == 1
    assert hall.naps == []


async def test_a_hundred_at_once_with_wrong_ones_cannot_slip_past_the_brake() -> None:
    hall = await hall_of_three()
    tasks = [hall.knock("a", f"x{number}") for number in range(100)]
    await hall.pass_(600)
    verdicts = Counter(spoken(task.result()) for task in tasks)
    assert verdicts == {WRONG: 5 + QUEUE, THROTTLED: 95 - QUEUE}
    assert hall.pool.times == [1000.0] * 5 + [1001.0, 1002.0, 1003.0, 1004.0, 1005.0]


async def test_the_right_one_among_a_hundred_wrong_ones_opens_only_for_itself() -> None:
    hall = await hall_of_three()
    tasks = [hall.knock("a", "a" if number == 3 else f"x{number}") for number in range(100)]
    await hall.pass_(600)
    assert [at for at, task in enumerate(tasks) if spoken(task.result()) == ENTERED] == [3]


async def test_never_more_checks_than_the_brake_allows_however_they_arrive() -> None:
    hall = await hall_of_three()
    tasks = []
    for number in range(300):
        tasks.append(hall.knock("a", f"x{number}"))
        await hall.pass_(0.1)
    await hall.pass_(60)
    assert all(task.done() for task in tasks)
    assert len(hall.pool.checked) <= 5 + 30 + 1 + QUEUE
    late = hall.pool.times[5:]
    assert all(round(after - before, 6) >= 1.0 for before, after in pairwise(late))


# -- one address, many names ---------------------------------------------------------------------------------------
async def test_an_address_that_tries_one_name_after_the_other_gets_twenty_a_second() -> None:
    hall = await hall_of_three()
    for number in range(40):
        await hall.answer(f"n{number}", "x")
    assert hall.naps == [0.05] * 20
    assert len(hall.pool.checked) == 40


async def test_another_address_does_not_feel_it() -> None:
    hall = await hall_of_three()
    for number in range(30):
        await hall.answer(f"n{number}", "x", HERE)
    hall.naps.clear()
    assert await hall.answer("b", "b", NEAR) == ENTERED
    assert hall.naps == []


async def test_a_known_password_from_that_address_does_not_wait() -> None:
    hall = await hall_of_three()
    await hall.answer("a", "a")
    for number in range(30):
        await hall.answer(f"n{number}", "x")
    hall.naps.clear()
    assert await hall.answer("a", "a") == ENTERED
    assert hall.naps == []


async def test_many_names_at_once_are_bounded() -> None:
    hall = await hall_of_three()
    hall.pool.held = True
    tasks = [hall.knock(f"n{number}", "x") for number in range(3 * KEYS_AT_MOST)]
    await settled()
    assert len(hall.pool.checked) == KEYS_AT_MOST
    told = [spoken(task.result()) for task in tasks if task.done()]
    assert told == [THROTTLED] * 2 * KEYS_AT_MOST
    hall.pool.release()
    await hall.pass_(60)
    assert Counter(spoken(task.result())[0] for task in tasks) == {
        reasons.UNKNOWN_SYSTEM_ID: KEYS_AT_MOST,
        reasons.BIND_THROTTLED: 2 * KEYS_AT_MOST,
    }
    assert (await hall.answer("n0", "x"))[0] == reasons.UNKNOWN_SYSTEM_ID  # all places are free again


async def test_who_guesses_names_leaves_places_to_the_others() -> None:
    hall = await hall_of_three()
    for number in range(20):
        await hall.answer(f"n{number}", "x", HERE)
    tasks = [hall.knock(f"m{number}", "x", HERE) for number in range(2 * KEYS_AT_MOST)]
    await hall.quiet()
    assert sum(not task.done() for task in tasks) == KEYS_OF_A_GUESSER
    assert await hall.answer("b", "b", NEAR) == ENTERED
    assert await hall.answer("n0", "x", HERE) == THROTTLED
    await hall.pass_(60)
    assert (await hall.answer("n0", "x", HERE))[0] == reasons.UNKNOWN_SYSTEM_ID


# -- errors inside -------------------------------------------------------------------------------------------------
async def test_an_error_while_hashing_denies_and_the_next_one_is_served() -> None:
    hall = await hall_of_three()
    hall.pool.faults = [MemoryError("no room for the hash")]
    verdict = await hall.judge("a", "a")
    assert spoken(verdict) == (reasons.CHECK_FAILED, c.ESME_RSYSERR)
    assert verdict.account is None
    assert await hall.answer("a", "a") == ENTERED


async def test_a_pool_that_is_shut_down_denies() -> None:
    hall = await hall_of_three()
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    door = Door(hall.scene.accounts, Brake(), Known(bytes(32)), pool, hall.clock)
    request = bind_request(c.BIND_TRANSMITTER, "a", "a")
    assert spoken(await door.judge(c.BIND_TRANSMITTER, request, HERE))[0] == reasons.CHECK_FAILED


@pytest.mark.parametrize("what", ["listed", "by_system_id"])
async def test_an_error_in_the_tables_denies(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hall = await hall_of_three()
    monkeypatch.setattr(hall.scene.accounts, what, None)
    assert await hall.answer("a", "a") == (reasons.CHECK_FAILED, c.ESME_RSYSERR)


async def test_a_command_that_is_no_bind_denies() -> None:
    hall = await hall_of_three()
    request = bind_request(c.BIND_TRANSMITTER, "a", "a")
    assert spoken(await hall.door.judge(c.SUBMIT_SM, request, HERE))[0] == reasons.CHECK_FAILED


async def test_who_goes_away_while_waiting_leaves_the_queue_to_the_others() -> None:
    hall = await hall_of_three()
    hall.pool.held = True
    tasks = [hall.knock("a", password) for password in ("x", "y", "a")]
    await settled()
    for task in tasks[:2]:
        task.cancel()
    await settled()
    hall.pool.release()
    assert spoken(await tasks[2]) == ENTERED
    assert all(task.cancelled() for task in tasks[:2])


# -- what a right login may still lack -----------------------------------------------------------------------------
LACKING = [
    ({"enabled": False}, c.BIND_TRANSCEIVER, "", reasons.ACCOUNT_DISABLED, c.ESME_RBINDFAIL),
    (
        {"settings": {"bind_types": ["transmitter", "receiver"]}},
        c.BIND_TRANSCEIVER,
        "",
        reasons.BIND_TYPE_NOT_ALLOWED,
        c.ESME_RBINDFAIL,
    ),
    ({"settings": {"bind_types": ["receiver"]}}, c.BIND_TRANSMITTER, "", reasons.BIND_TYPE_NOT_ALLOWED, 0x0D),
    ({"settings": {"system_type": "VMS"}}, c.BIND_TRANSMITTER, "", reasons.SYSTEM_TYPE, c.ESME_RINVSYSTYP),
    ({"settings": {"system_type": "VMS"}}, c.BIND_TRANSMITTER, "vms", reasons.SYSTEM_TYPE, c.ESME_RINVSYSTYP),
]


@pytest.mark.parametrize(("change", "command", "system_type", "reason", "status"), LACKING)
async def test_a_right_login_that_lacks_something(
    change: dict[str, Any], command: int, system_type: str, reason: str, status: int
) -> None:
    hall = Hall()
    account = await hall.account()
    await hall.change(account, **change)

    async def heard(password: str) -> tuple[str, int]:
        return await hall.answer("a", password, command=command, system_type=system_type.encode())

    assert await heard("a") == (reason, status)
    assert await heard("x") == WRONG  # and nobody else is told of it
    await hall.change(account, settings={"status_overrides": {reason: 0x45}})
    assert await heard("a") == (reason, 0x45)


async def test_a_right_login_that_is_refused_names_the_account() -> None:
    hall = Hall()
    account = await hall.account()
    await hall.change(account, enabled=False)
    assert (await hall.judge("a", "a")).account is account


@pytest.mark.parametrize("system_type", [b"VMS", b"", b"\xff\xfe"])
async def test_any_system_type_will_do_unless_one_is_demanded(system_type: bytes) -> None:
    hall = Hall()
    account = await hall.account()
    assert await hall.answer("a", "a", system_type=system_type) == ENTERED
    await hall.change(account, settings={"system_type": "VMS"})
    assert (await hall.answer("a", "a", system_type=system_type) == ENTERED) is (system_type == b"VMS")


# -- as many binds as it may have ----------------------------------------------------------------------------------
class Bound:
    """A bind that an account already has."""

    peer = HERE

    def __init__(self, account: Account, command: int, clock: Clock) -> None:
        self.kind, self.session, self._account, self._clock = KINDS[command], bound(command, clock()), account, clock
        account.join(self)

    def probe(self, within: float) -> None:
        self.session.probe(self._clock(), within)

    def tick(self) -> None:
        self.session.tick(self._clock())
        if self.session.closing is not None:
            self._account.leave(self, self.session.abandon())

    def unbind(self, why: str) -> None:
        raise AssertionError(why)

    def room(self) -> int:
        return self.session.room()

    def deliver(self, dues: object) -> None:
        raise AssertionError("nothing is owed")

    def awaited(self) -> list[Due]:
        return []


def asked(session: Session) -> bool:
    """Whether it was sent an enquire_link since the last look."""
    return (c.ENQUIRE_LINK, 0) in [(command, status) for command, status, _sequence in read(session)]


FULL = (reasons.TOO_MANY_BINDS, c.ESME_RALYBND)
TX, RX, TRX = c.BIND_TRANSMITTER, c.BIND_RECEIVER, c.BIND_TRANSCEIVER


@pytest.mark.parametrize(
    ("most", "there", "comes", "heard"),
    [
        (1, [], TRX, ENTERED),
        (1, [TX], RX, ENTERED),
        (1, [RX], TX, ENTERED),
        (1, [TX], TX, FULL),
        (1, [TX], TRX, FULL),
        (1, [TRX], RX, FULL),
        (2, [TRX], TRX, ENTERED),
        (2, [TRX, TX], TX, FULL),
        (2, [TRX, TX], RX, ENTERED),
        (0, [TRX] * 10, TRX, ENTERED),
    ],
)
async def test_sides_are_counted(most: int, there: list[int], comes: int, heard: tuple[str, int]) -> None:
    hall = Hall()
    account = await hall.account("a", max_binds=most)
    for command in there:
        Bound(account, command, hall.clock)
    assert await hall.answer("a", "a", command=comes) == heard


async def test_the_oldest_in_the_way_is_asked_and_freed_after_five_seconds_of_silence() -> None:
    hall = Hall()
    account = await hall.account("a", max_binds=2)
    receiver, oldest, younger = [Bound(account, command, hall.clock) for command in (RX, TX, TRX)]
    assert await hall.answer("a", "a", command=TX) == FULL
    assert [asked(link.session) for link in (receiver, oldest, younger)] == [False, True, False]
    for _ in range(4):
        hall.clock.pass_(1)
        oldest.tick()
        assert await hall.answer("a", "a", command=TX) == FULL  # asking again does not start anew
    hall.clock.pass_(SILENCE - 4)
    oldest.tick()
    assert await hall.answer("a", "a", command=TX) == ENTERED
    assert account.links == [receiver, younger]


async def test_a_bind_that_answers_keeps_its_place() -> None:
    hall = Hall()
    account = await hall.account("a", max_binds=1)
    link = Bound(account, TRX, hall.clock)
    for _ in range(10):
        assert await hall.answer("a", "a") == FULL
        assert asked(link.session)
        hall.clock.pass_(SILENCE - 1)
        link.session.receive(pdu(c.ENQUIRE_LINK_RESP, 1), hall.clock())
        link.tick()
    assert account.links == [link]


async def test_a_wrong_password_or_a_type_that_is_not_allowed_asks_nobody() -> None:
    hall = Hall()
    account = await hall.account("a", max_binds=1, bind_types=["transceiver"])
    link = Bound(account, TRX, hall.clock)
    await hall.answer("a", "x")
    await hall.answer("a", "a", command=RX)
    assert not asked(link.session)


async def test_too_many_can_be_answered_in_the_accounts_own_way() -> None:
    hall = Hall()
    account = await hall.account("a", max_binds=1, status_overrides={reasons.TOO_MANY_BINDS: 0x0D})
    Bound(account, TRX, hall.clock)
    assert await hall.answer("a", "a") == (reasons.TOO_MANY_BINDS, 0x0D)
    assert STATUS[reasons.TOO_MANY_BINDS] == c.ESME_RALYBND
