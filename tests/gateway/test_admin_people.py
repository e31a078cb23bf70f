"""People at the operator's desk, how they come in, and what they do about themselves."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyotp
import pytest

from acl.settings import SETTINGS
from gateway.admin import Actor, Conflict, Desk, Forbidden, Invalid, NotFound, Right, Unauthenticated
from gateway.admin.actor import CUSTOMER, EVERY_RIGHT, actor_of
from gateway.admin.entrance import CODE_REFUSED, IDLE_MS, LIFE_MS, REFUSED, TICKET_MS
from gateway.admin.faults import Stale, TooMany
from store.office.people import Person
from tests.gateway.desk import Desk as Scene
from tests.gateway.desk import open_desk
from tests.gateway.web.visitors import PASSWORD, Letters, login, person, token

PEER = "192.0.2.7"
HOSTILE = "<script>alert(1)</script>'; DROP TABLE person; --"


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_desk(tmp_path) as opened:
        yield opened


def acting(scene: Scene, who: Person, via: str = "panel") -> Desk:
    return scene.house.acting(actor_of(who, PEER, via))


def passing(scene: Scene, milliseconds: int) -> None:
    scene.time.now += milliseconds / 1000


def secret_in(link: str) -> str:
    found = re.fullmatch(r".*/invitation/([A-Za-z0-9_-]{43})", link)
    assert found is not None
    return found[1]


# -- looking after people --------------------------------------------------------------------------------------------
async def test_whoever_is_added_is_invited_by_a_link_that_is_shown_once(scene: Scene) -> None:
    await scene.operator.accounts.create({"name": "acme"})
    made = await scene.operator.people.add({"email": "ola@example.com", "name": HOSTILE, "accounts": ["acme"]})
    assert (made["name"], made["accounts"], made["invited"]) == (HOSTILE, ["smpp-acme"], True)
    secret = secret_in(made["link"])
    assert secret not in str(await scene.operator.people.all())
    assert secret not in str(await scene.operator.changes.newest())
    taken = await scene.house.entrance.take_up(secret, "invitation", PASSWORD, PEER, "Ola")
    assert (await scene.operator.people.show(taken.id))["invited"] is False
    with pytest.raises(NotFound, match="used already"):
        await scene.house.entrance.take_up(secret, "invitation", PASSWORD, PEER)


async def test_with_a_mail_server_the_link_is_mailed_and_shown_to_nobody_but_this_machine(tmp_path: Path) -> None:
    letters = Letters()
    async with open_desk(tmp_path, mail=letters) as scene:
        made = await scene.operator.people.add({"email": "ola@example.com"})
        assert made["sent_to"] == "ola@example.com"
        assert "link" not in made
        assert letters.sent == [("invitation", "ola@example.com")]
        boss = await person(scene, "boss@example.com", operator=True)
        with pytest.raises(Forbidden):
            await acting(scene, boss).people.invite(made["id"], shown=True)
        assert "link" in await scene.operator.people.invite(made["id"], shown=True)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"email"}),
        ({"email": "nobody", "name": "x\ny", "operator": 1, "language": "xx", "time_zone": "Mars/Base"},
         {"email", "name", "operator", "language", "time_zone"}),
        ({"email": "ola@example.com", "accounts": ["none"]}, {"accounts"}),
        ({"email": "ola@example.com", "accounts": "acme"}, {"accounts"}),
        ({"email": "ola@example.com", "password_hash": "x", "id": 1}, {"password_hash", "id"}),
        ({"email": "a@b.com\r\nBcc: all@example.com"}, {"email"}),
        ({"email": f"{'x' * 65}@example.com"}, {"email"}),
        ({"email": "ola@example.com", "name": "\ud800"}, {"name"}),
    ],
)  # fmt: skip
async def test_what_is_no_person(scene: Scene, fields: dict[str, Any], wrong: set[str]) -> None:
    with pytest.raises(Invalid) as caught:
        await scene.operator.people.add(fields)
    assert {error.field for error in caught.value.errors} == wrong
    assert await scene.operator.people.all() == []


async def test_an_address_is_one_persons(scene: Scene) -> None:
    await person(scene)
    with pytest.raises(Conflict):
        await scene.operator.people.add({"email": "OLA@example.com"})


async def test_a_person_is_changed_and_the_log_says_how(scene: Scene) -> None:
    for name in ("acme", "other"):
        await scene.operator.accounts.create({"name": name})
    who = await person(scene, accounts=["acme"])
    changed = await scene.operator.people.change(who.id, {"accounts": ["other"], "read_only": True})
    assert (changed["accounts"], changed["read_only"]) == (["smpp-other"], True)
    [line] = (await scene.operator.changes.newest(limit=1))[0]
    assert (line["subject"], line["name"]) == ("person", "ola@example.com")
    assert line["old"] == {"accounts": ["smpp-acme"], "read_only": False}
    assert line["new"] == {"accounts": ["smpp-other"], "read_only": True}
    before = await scene.operator.changes.newest()
    await scene.operator.people.change(who.id, {"read_only": True})
    assert await scene.operator.changes.newest() == before


@pytest.mark.parametrize("fields", [{"enabled": False}, {"operator": False}, {"read_only": True}])
async def test_the_last_operator_stays(scene: Scene, fields: dict[str, bool]) -> None:
    boss = await person(scene, "boss@example.com", operator=True)
    await scene.operator.people.add({"email": "invited@example.com", "operator": True})  # cannot log in yet
    with pytest.raises(Conflict, match="only operator"):
        await scene.operator.people.change(boss.id, fields)
    with pytest.raises(Conflict, match="only operator"):
        await scene.operator.people.remove(boss.id)
    await person(scene, "second@example.com", operator=True)
    await scene.operator.people.change(boss.id, fields)
    await scene.operator.people.remove(boss.id)


async def test_who_is_not_there(scene: Scene) -> None:
    people = scene.operator.people
    for attempt in (
        people.show(1), people.change(1, {}), people.remove(1), people.invite(1), people.forget_codes(1),
        people.tokens(1), people.add_token(1, "x", ["read"]), people.revoke_token(1, 1),
    ):  # fmt: skip
        with pytest.raises(NotFound, match="no person 1"):
            await attempt


# -- with a password -------------------------------------------------------------------------------------------------
async def test_a_login_opens_a_new_session_every_time(scene: Scene) -> None:
    who = await person(scene)
    first, second = await login(scene, who), await login(scene, who)
    assert first.secret != second.secret
    for each in (first, second):
        visitor = await scene.house.entrance.visitor(each.secret)
        assert visitor is not None
        assert visitor.person.id == who.id
    kept = await scene.store.credentials.sessions(who.id)
    assert first.secret not in str(kept)


async def test_why_a_login_was_refused_cannot_be_told_apart(scene: Scene) -> None:
    await person(scene)
    off = await person(scene, "off@example.com")
    await scene.operator.people.change(off.id, {"enabled": False})
    await scene.operator.people.add({"email": "invited@example.com"})
    for email, password in (
        ("ola@example.com", "wrong"), ("off@example.com", PASSWORD), ("invited@example.com", PASSWORD),
        ("invited@example.com", ""), ("nobody@example.com", PASSWORD), ("", ""), ("\ud800@x", "\ud800"),
    ):  # fmt: skip
        with pytest.raises(Unauthenticated) as caught:
            await scene.house.entrance.log_in(email, password, f"{PEER}{len(email)}")
        assert str(caught.value) == REFUSED


async def test_every_refusal_costs_one_hash(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []

    def verify(digest: str, _password: bytes) -> bool:
        hashed.append(digest)
        return False

    monkeypatch.setattr("gateway.hashing.verify", verify)
    await person(scene)
    for email in ("ola@example.com", "nobody@example.com"):
        with pytest.raises(Unauthenticated):
            await scene.house.entrance.log_in(email, "wrong", PEER)
    assert len(hashed) == 2


async def test_guessing_is_braked_and_nobody_is_locked_out(scene: Scene) -> None:
    who = await person(scene)
    for _ in range(12):
        with pytest.raises(Unauthenticated):
            await scene.house.entrance.log_in(who.email, "wrong", PEER)
    assert sum(scene.time.waited) >= 5
    assert (await scene.house.entrance.log_in(who.email, PASSWORD, "2001:db8::1")).secret  # from elsewhere: at once
    assert (await scene.house.entrance.log_in(who.email, PASSWORD, PEER)).secret


async def test_a_login_of_ones_own_does_not_clear_the_way_for_guessing(scene: Scene) -> None:
    mine = await person(scene, "me@example.com")
    for number in range(12):
        with pytest.raises(Unauthenticated):
            await scene.house.entrance.log_in(f"victim{number}@example.com", "wrong", PEER)
        await scene.house.entrance.log_in(mine.email, PASSWORD, PEER)
    assert scene.time.waited


async def test_sessions_end_when_idle_when_old_and_when_left(scene: Scene) -> None:
    who, entrance = await person(scene), scene.house.entrance
    idle = await login(scene, who)
    passing(scene, IDLE_MS + 1)
    assert await entrance.visitor(idle.secret) is None
    used = await login(scene, who)
    for _ in range(LIFE_MS // (IDLE_MS // 2)):
        assert await entrance.visitor(used.secret) is not None
        passing(scene, IDLE_MS // 2)
    passing(scene, 1_000)
    assert await entrance.visitor(used.secret) is None
    left = await login(scene, who)
    await entrance.leave(left.secret)
    await entrance.leave(left.secret)
    assert await entrance.visitor(left.secret) is None
    assert await entrance.visitor("") is None


async def test_who_is_switched_off_has_no_session_and_no_token(scene: Scene) -> None:
    who = await person(scene)
    session, key = await login(scene, who), await token(scene, who, "read")
    await scene.operator.people.change(who.id, {"enabled": False})
    assert await scene.house.entrance.visitor(session.secret) is None
    assert await scene.house.entrance.bearer(key, PEER) is None


# -- with a code -----------------------------------------------------------------------------------------------------
async def with_codes(scene: Scene, who: Person) -> tuple[pyotp.TOTP, list[str]]:
    own = acting(scene, who).own
    begun = await own.begin_codes()
    assert begun["picture"].startswith("<svg")
    assert "style=" not in begun["picture"]
    otp = pyotp.TOTP(begun["secret"])
    made = await own.confirm_codes(begun["secret"], otp.at(int(scene.time.now)), PASSWORD)
    return otp, made["recovery_codes"]


async def test_codes_are_asked_for_after_the_password_and_count_once(scene: Scene) -> None:
    who, entrance = await person(scene), scene.house.entrance
    otp, _recovery = await with_codes(scene, who)
    half = await entrance.log_in(who.email, PASSWORD, PEER)
    assert half.secret is None
    assert half.ticket is not None
    with pytest.raises(Invalid, match="code"):  # the one that confirmed them
        await entrance.enter_code(half.ticket, otp.at(int(scene.time.now)), PEER)
    passing(scene, 30_000)
    assert (await entrance.enter_code(half.ticket, otp.at(int(scene.time.now)), PEER)).secret
    with pytest.raises(Invalid) as caught:
        await entrance.enter_code(half.ticket, otp.at(int(scene.time.now)), PEER)
    assert caught.value.errors[0].reason == CODE_REFUSED


async def test_a_recovery_code_opens_once_however_it_is_typed(scene: Scene) -> None:
    who, entrance = await person(scene), scene.house.entrance
    _otp, recovery = await with_codes(scene, who)
    assert len(recovery) == 10
    half = await entrance.log_in(who.email, PASSWORD, PEER)
    assert (await entrance.enter_code(half.ticket or "", f" {recovery[0].upper()} ", PEER)).secret
    with pytest.raises(Invalid):
        await entrance.enter_code(half.ticket or "", recovery[0], PEER)
    assert (await acting(scene, who).own.show())["recovery_codes_left"] == 9


async def test_guessing_codes_is_braked(scene: Scene) -> None:
    who, entrance = await person(scene), scene.house.entrance
    await with_codes(scene, who)
    half = await entrance.log_in(who.email, PASSWORD, PEER)
    for number in range(7):
        with pytest.raises((Invalid, TooMany)):
            await entrance.enter_code(half.ticket or "", f"{number:06}", PEER)
    assert scene.time.waited


@pytest.mark.parametrize("ticket", ["", "1", "1.2.3", "x.y.z", "1.99999999999999.00", "1.²." + "0" * 64, "\ud800.1.1"])
async def test_a_ticket_that_was_not_made_here(scene: Scene, ticket: str) -> None:
    who = await person(scene)
    await with_codes(scene, who)
    with pytest.raises(Unauthenticated):
        await scene.house.entrance.enter_code(ticket, "000000", PEER)


async def test_a_ticket_dies_with_time_and_with_the_password(scene: Scene) -> None:
    who, entrance = await person(scene), scene.house.entrance
    otp, _recovery = await with_codes(scene, who)
    late = await entrance.log_in(who.email, PASSWORD, PEER)
    passing(scene, TICKET_MS + 1)
    with pytest.raises(Unauthenticated):
        await entrance.enter_code(late.ticket or "", otp.at(int(scene.time.now)), PEER)
    half = await entrance.log_in(who.email, PASSWORD, PEER)
    await acting(scene, who).own.change_password(PASSWORD, "another word that nobody has")
    with pytest.raises(Unauthenticated):
        await entrance.enter_code(half.ticket or "", otp.at(int(scene.time.now)), PEER)


async def test_codes_end_with_the_password_or_by_an_operator(scene: Scene) -> None:
    who, entrance = await person(scene), scene.house.entrance
    await with_codes(scene, who)
    with pytest.raises(Invalid, match="current_password"):
        await acting(scene, who).own.end_codes("wrong")
    await acting(scene, who).own.end_codes(PASSWORD)
    assert (await entrance.log_in(who.email, PASSWORD, PEER)).secret
    await with_codes(scene, who)
    await scene.operator.people.forget_codes(who.id)
    assert (await entrance.log_in(who.email, PASSWORD, PEER)).secret


async def test_codes_are_confirmed_before_they_are_asked_for(scene: Scene) -> None:
    who = await person(scene)
    own = acting(scene, who).own
    begun = await own.begin_codes()
    for secret, code in ((begun["secret"], "000000x"), ("SHORT", "000000"), (begun["secret"], "")):
        with pytest.raises(Invalid):
            await own.confirm_codes(secret, code, PASSWORD)
    assert (await scene.house.entrance.log_in(who.email, PASSWORD, PEER)).secret


# -- with a link -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "password",
    ["short", "x" * 201, "aaaaaaaaaaaa", "my name is Aleksandra", "ola@example.com!", "with\x00controls", "\ud800" * 9],
)
async def test_weak_passwords_are_refused_and_the_link_stays_good(scene: Scene, password: str) -> None:
    made = await scene.operator.people.add({"email": "ola@example.com", "name": "Aleksandra"})
    secret = secret_in(made["link"])
    with pytest.raises(Invalid) as caught:
        await scene.house.entrance.take_up(secret, "invitation", password, PEER)
    assert [error.field for error in caught.value.errors] == ["password"]
    await scene.house.entrance.take_up(secret, "invitation", PASSWORD, PEER)


async def test_a_link_is_for_its_purpose_and_dies_with_time_and_with_who_it_was_for(scene: Scene) -> None:
    made = await scene.operator.people.add({"email": "ola@example.com"})
    secret = secret_in(made["link"])
    entrance = scene.house.entrance
    assert (await entrance.invited(secret, "invitation")).id == made["id"]
    with pytest.raises(NotFound):
        await entrance.invited(secret, "reset")
    await scene.operator.people.change(made["id"], {"enabled": False})
    with pytest.raises(NotFound):
        await entrance.invited(secret, "invitation")
    await scene.operator.people.change(made["id"], {"enabled": True})
    secret = secret_in((await scene.operator.people.invite(made["id"]))["link"])
    passing(scene, 7 * 86_400_000)
    with pytest.raises(NotFound):
        await entrance.take_up(secret, "invitation", PASSWORD, PEER)


async def test_asking_for_a_reset_tells_nobody_anything_and_fills_no_mailbox(tmp_path: Path) -> None:
    letters = Letters()
    async with open_desk(tmp_path, mail=letters) as scene:
        who = await person(scene)
        letters.sent.clear()
        for email in ("nobody@example.com", "\ud800", "ola@example.com", "OLA@example.com "):
            await scene.house.entrance.forgot(email, PEER)
        assert letters.sent == [("reset", who.email)] * 2
        for _ in range(9):
            await scene.house.entrance.forgot(who.email, PEER)
        assert len(letters.sent) == 3


# -- what people do about themselves ---------------------------------------------------------------------------------
async def test_a_new_password_ends_every_other_session(scene: Scene) -> None:
    who, entrance = await person(scene), scene.house.entrance
    this, other = await login(scene, who), await login(scene, who)
    visitor = await entrance.visitor(this.secret)
    assert visitor is not None
    own = acting(scene, who).own
    with pytest.raises(Invalid, match="current_password"):
        await own.change_password("wrong", "another word that nobody has")
    with pytest.raises(Invalid, match="characters"):
        await own.change_password(PASSWORD, "short")
    await own.change_password(PASSWORD, "another word that nobody has", visitor.session.id)
    assert await entrance.visitor(other.secret) is None
    assert await entrance.visitor(this.secret) is not None
    assert (await entrance.log_in(who.email, "another word that nobody has", PEER)).secret
    assert "another word" not in str(await scene.operator.changes.newest())


async def test_the_profile(scene: Scene) -> None:
    who = await person(scene)
    own = acting(scene, who).own
    changed = await own.change({"name": HOSTILE, "language": "pl", "time_zone": "Europe/Warsaw"})
    assert (changed["name"], changed["language"], changed["time_zone"]) == (HOSTILE, "pl", "Europe/Warsaw")
    with pytest.raises(Invalid) as caught:
        await own.change({"operator": True, "accounts": ["acme"], "language": "xx"})
    assert {error.field for error in caught.value.errors} == {"operator", "accounts", "language"}
    assert (await own.change_email("new@example.com", PASSWORD))["email"] == "new@example.com"
    with pytest.raises(Invalid, match="current_password"):
        await own.change_email("other@example.com", "wrong")
    await person(scene, "taken@example.com")
    with pytest.raises(Conflict):
        await own.change_email("TAKEN@example.com", PASSWORD)


async def test_who_is_nobody_has_nothing_of_its_own(scene: Scene) -> None:
    with pytest.raises(NotFound, match="command line"):
        await scene.operator.own.show()


async def test_sessions_are_listed_and_ended(scene: Scene) -> None:
    who = await person(scene)
    first, second = await login(scene, who), await login(scene, who)
    own = acting(scene, who).own
    listed = await own.sessions(2)
    assert [(each["id"], each["this"]) for each in listed] == [(2, True), (1, False)]
    await own.end_session(1)
    assert await scene.house.entrance.visitor(first.secret) is None
    assert await scene.house.entrance.visitor(second.secret) is not None
    stranger = acting(scene, await person(scene, "jan@example.com")).own
    with pytest.raises(NotFound, match="no session 2"):
        await stranger.end_session(2)


# -- tokens ----------------------------------------------------------------------------------------------------------
async def bearer(scene: Scene, who: Person, *scopes: str) -> Actor:
    actor = await scene.house.entrance.bearer(await token(scene, who, *scopes), PEER)
    assert actor is not None
    return actor


async def test_a_token_may_do_what_its_scopes_and_its_person_may(scene: Scene) -> None:
    boss, ola = await person(scene, "boss@example.com", operator=True), await person(scene)
    looking = await person(scene, "looking@example.com", operator=True, read_only=True)
    assert (await bearer(scene, ola, "read")).rights == {Right.READ}
    assert (await bearer(scene, ola, "settings", "send")).rights == {Right.SETTINGS, Right.SEND}
    assert (await bearer(scene, boss, "read")).rights == {Right.READ, Right.OVERSEE}
    every = await bearer(scene, boss, "read", "settings", "credits", "send", "operate")
    assert every.rights == EVERY_RIGHT - {Right.SELF}
    assert (every.accounts, every.via) == (None, "api")
    for who, scope in ((ola, "operate"), (looking, "settings"), (ola, "self"), (ola, "oversee"), (ola, HOSTILE)):
        with pytest.raises(Invalid) as caught:
            await scene.operator.people.add_token(who.id, "x", [scope])
        assert {error.field for error in caught.value.errors} == {"scopes"}
    kept = await bearer(scene, boss, "operate")
    assert kept.rights == {Right.OPERATE}


async def test_a_token_loses_what_its_person_loses(scene: Scene) -> None:
    await person(scene, "other@example.com", operator=True)
    boss = await person(scene, "boss@example.com", operator=True)
    key = await token(scene, boss, "read", "operate")
    await scene.operator.people.change(boss.id, {"operator": False})
    actor = await scene.house.entrance.bearer(key, PEER)
    assert actor is not None
    assert actor.rights == {Right.READ}
    assert actor.accounts == frozenset()


async def test_a_token_is_shown_once_and_revoked(scene: Scene) -> None:
    who = await person(scene)
    own = acting(scene, who).own
    made = await own.add_token(f" {HOSTILE} ", ["read"])
    [listed] = await own.tokens()
    assert (listed["name"], listed["used_at"]) == (HOSTILE, None)
    for where in (listed, await scene.operator.changes.newest(), await scene.store.credentials.tokens(who.id)):
        assert made["token"] not in str(where)
    assert await scene.house.entrance.bearer(made["token"], PEER) is not None
    assert (await own.tokens())[0]["used_at"] is not None
    with pytest.raises(NotFound):
        await acting(scene, await person(scene, "jan@example.com")).own.revoke_token(made["id"])
    await own.revoke_token(made["id"])
    assert await scene.house.entrance.bearer(made["token"], PEER) is None
    with pytest.raises(Invalid) as caught:
        await own.add_token("", [])
    assert {error.field for error in caught.value.errors} == {"name", "scopes"}


# -- rights over settings, and undoing -------------------------------------------------------------------------------
async def test_an_owner_changes_what_is_the_owners(scene: Scene) -> None:
    await scene.operator.accounts.create({"name": "acme"})
    desk = acting(scene, await person(scene, accounts=["acme"]))
    changed = await desk.accounts.change("acme", {"description": HOSTILE, "addresses": ["::1"]})
    assert (changed["description"], changed["addresses"]) == (HOSTILE, ["::1"])
    for setting in SETTINGS:
        if setting.who == "operator":
            with pytest.raises(Forbidden, match=setting.name):
                await desk.accounts.change("acme", {setting.name: None, "description": "x"})
    assert (await desk.accounts.show("acme"))["description"] == HOSTILE
    assert {setting.who for setting in SETTINGS} == {"owner", "operator"}


async def test_a_change_that_was_decided_on_old_settings_is_refused(scene: Scene) -> None:
    await scene.operator.accounts.create({"name": "acme"})
    seen = await scene.operator.accounts.version("acme")
    await scene.operator.accounts.change("acme", {"window": 5}, seen)
    with pytest.raises(Stale):
        await scene.operator.accounts.change("acme", {"window": 6}, seen)
    await scene.operator.credits.add("acme", "1")
    await scene.operator.accounts.change("acme", {"window": 6}, await scene.operator.accounts.version("acme"))


async def test_a_setting_is_undone_unless_it_was_changed_again(scene: Scene) -> None:
    await scene.operator.accounts.create({"name": "acme", "window": 5})
    await scene.operator.accounts.change("acme", {"window": 7})
    [line] = (await scene.operator.changes.newest("acme", limit=1))[0]
    assert line["undoable"] is True
    assert (await scene.operator.changes.undo(line["id"]))["window"] == 5
    [undone] = (await scene.operator.changes.newest("acme", limit=1))[0]
    assert (undone["old"], undone["new"]) == (7, 5)
    with pytest.raises(Conflict, match="again since"):
        await scene.operator.changes.undo(line["id"])


async def test_what_has_other_consequences_is_not_undone(scene: Scene) -> None:
    await scene.operator.accounts.create({"name": "acme", "credits": "5"})
    lines, _next = await scene.operator.changes.newest()
    assert [(line["subject"], line["undoable"]) for line in lines] == [("credits", False), ("account", False)]
    with pytest.raises(Conflict, match="only settings"):
        await scene.operator.changes.undo(lines[0]["id"])
    with pytest.raises(NotFound):
        await scene.operator.changes.undo(99)


async def test_a_customer_reads_and_undoes_what_concerns_its_own_accounts(scene: Scene) -> None:
    for name in ("acme", "other"):
        await scene.operator.accounts.create({"name": name, "description": "x", "window": 5})
    desk = acting(scene, await person(scene, accounts=["acme"]))
    lines, _next = await desk.changes.newest()
    assert {line["account"] for line in lines} == {"smpp-acme"}
    assert {line["name"] for line in lines if line["undoable"]} == {"description"}
    for line in (await scene.operator.changes.newest("other"))[0]:
        with pytest.raises(NotFound, match=f"no change {line['id']}"):
            await desk.changes.undo(line["id"])
    [window] = [line for line in lines if line["name"] == "window"]
    with pytest.raises(Forbidden):
        await desk.changes.undo(window["id"])
    with pytest.raises(NotFound):
        await desk.changes.newest("other")


def test_a_customer_operates_nothing() -> None:
    assert CUSTOMER.isdisjoint({Right.OPERATE, Right.OVERSEE})
