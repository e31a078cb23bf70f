"""Letters on their way to a real mail server: what arrives, what is true afterwards, and what happens when it does not
go well."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from structlog.testing import capture_logs

from acl.password import verify
from gateway.admin import Admin
from gateway.config import Mail
from gateway.mail.handover import carrier
from gateway.mail.letters import SENDER
from gateway.mail.post import Post
from gateway.mail.postman import HOURLY_MS, MOST_TRIES, PAUSES_MS, Postman, open_postman
from gateway.metrics import Meter
from store.office.outbox import MOST_AN_HOUR
from store.protocol import AccountRow, StoreDown
from tests.gateway.desk import Desk, open_desk, submit
from tests.mailserver import MailServer, fact, hanging_up, text_of

HOSTILE = "<script>alert(1)</script>\r\nBcc: eve@example.org"


class Scene(NamedTuple):
    desk: Desk
    server: MailServer
    postman: Postman
    post: Post
    house: Admin

    async def account(self, **settings: Any) -> AccountRow:
        made = await self.desk.operator.accounts.create(
            {"name": "smpp-a", "addresses": ["127.0.0.1"], "contact_email": "ola@example.com", **settings}
        )
        return await self.row(made["name"])

    async def row(self, name: str = "smpp-a") -> AccountRow:
        return next(row for row in await self.desk.store.accounts() if row.name == name)

    async def renew(self, **more: bool) -> dict[str, Any]:
        return await self.house.acting(self.desk.operator.actor).letters.renew_password("smpp-a", **more)

    async def states(self) -> list[str]:
        return [letter.state for letter in await self.desk.store.outbox.newest()]


def made(desk: Desk, server: MailServer, **config: Any) -> Scene:
    settings = Mail(host="127.0.0.1", port=server.port, sender="sms@example.net", **{"security": "none", **config})
    postman = Postman(
        desk.store, desk.live, carrier(settings), settings.sender, "https://sms.example.net", desk.time.wall
    )
    post = Post(desk.store, lambda: int(desk.time.now * 1000), postman.wake)
    return Scene(desk, server, postman, post, Admin(desk.store, desk.minter, desk.time.wall, desk.live, post))


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    with MailServer() as server:
        async with open_desk(tmp_path) as desk:
            yield made(desk, server)


def opens(row: AccountRow, password: str) -> bool:
    return verify(row.password_hash, password.encode())


# -- a new password --------------------------------------------------------------------------------------------------
async def test_the_mailed_password_opens_and_the_old_one_does_not(scene: Scene) -> None:
    before = await scene.account()
    asked = await scene.renew()
    assert (asked["email"], (await scene.row()).password_hash) == ("ola@example.com", before.password_hash)

    await scene.postman.turn()

    [letter] = scene.server.letters
    password = fact(letter, "Password")
    assert (letter["To"], letter["From"].addresses[0].addr_spec) == ("ola@example.com", "sms@example.net")
    assert fact(letter, "SystemID") == before.system_id
    assert password in text_of(letter, "html")
    assert opens(await scene.row(), password)
    assert (await scene.row()).password_hash != before.password_hash
    assert await scene.states() == ["sent"]


async def test_nothing_secret_is_kept_or_logged(scene: Scene, tmp_path: Path) -> None:
    await scene.account()
    await scene.renew()
    with capture_logs() as logs:
        await scene.postman.turn()
    password = fact(scene.server.letters[0], "Password")
    assert password not in str(logs)
    stored = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert password.encode() not in stored


async def test_asking_twice_sends_one_letter_and_too_often_none(scene: Scene) -> None:
    await scene.account()
    assert (await scene.renew())["letter"] == (await scene.renew())["letter"]
    for _ in range(MOST_AN_HOUR):
        await scene.postman.turn()
        with_answer = await scene.post.password((await scene.row()).id, False, [])
    assert with_answer is None
    assert len(scene.server.letters) == MOST_AN_HOUR


@pytest.mark.parametrize("drop", [True, False])
async def test_open_binds_are_dropped_if_that_was_asked_for(scene: Scene, drop: bool) -> None:
    await scene.account()
    scene.desk.live.bound(7, "smpp-a")
    await scene.renew(drop_binds=drop)
    assert scene.desk.live.open
    await scene.postman.turn()
    assert bool(scene.desk.live.open) is not drop


async def test_a_commit_that_fails_after_the_letter_left_leaves_the_old_password(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await scene.account()
    await scene.renew()
    sent = scene.desk.store.outbox.sent

    async def down(*_: Any, **__: Any) -> bool:
        raise StoreDown("no room")

    monkeypatch.setattr(scene.desk.store.outbox, "sent", down)
    await scene.postman.turn()
    assert (await scene.row()).password_hash == before.password_hash

    monkeypatch.setattr(scene.desk.store.outbox, "sent", sent)
    await scene.postman.turn()
    first, second = [fact(letter, "Password") for letter in scene.server.letters]
    assert (opens(await scene.row(), first), opens(await scene.row(), second)) == (False, True)


async def test_a_contact_reads_polish(scene: Scene) -> None:
    await scene.account(language="pl")
    await scene.renew()
    await scene.postman.turn()
    [letter] = scene.server.letters
    assert letter["Subject"] == "Nowe hasło SMPP do konta smpp-a"
    assert opens(await scene.row(), fact(letter, "Hasło"))


# -- when it does not go well ----------------------------------------------------------------------------------------
async def test_what_is_not_taken_now_is_tried_again_with_another_password(scene: Scene) -> None:
    before = await scene.account()
    scene.server.answers = ["451 later"]
    await scene.renew()
    await scene.postman.turn()
    assert (await scene.row()).password_hash == before.password_hash
    [letter] = await scene.desk.store.outbox.newest()
    assert (letter.state, letter.tries, "later" in letter.error) == ("waiting", 1, True)

    await scene.postman.turn()  # not yet
    assert scene.server.letters == []
    scene.desk.time.now += PAUSES_MS[0] / 1000
    await scene.postman.turn()
    assert opens(await scene.row(), fact(scene.server.letters[0], "Password"))


async def test_what_is_refused_for_good_has_failed_and_can_be_tried_again(scene: Scene) -> None:
    await scene.account()
    scene.server.answers = ["550 no such mailbox"]
    await scene.renew()
    await scene.postman.turn()
    [letter] = await scene.desk.store.outbox.newest()
    assert (letter.state, "no such mailbox" in letter.error) == ("failed", True)

    await scene.house.acting(scene.desk.operator.actor).letters.retry(letter.id)
    await scene.postman.turn()
    assert await scene.states() == ["sent"]


async def test_it_is_given_up_after_more_than_a_day(scene: Scene) -> None:
    await scene.account()
    scene.server.answers = ["451 later"] * MOST_TRIES
    await scene.renew()
    for _ in range(MOST_TRIES):
        await scene.postman.turn()
        scene.desk.time.now += HOURLY_MS / 1000
    [letter] = await scene.desk.store.outbox.newest()
    assert (letter.state, letter.tries) == ("failed", MOST_TRIES)


async def test_a_discarded_letter_does_not_leave(scene: Scene) -> None:
    await scene.account()
    asked = await scene.renew()
    await scene.house.acting(scene.desk.operator.actor).letters.discard(asked["letter"])
    await scene.postman.turn()
    assert (scene.server.letters, await scene.states()) == ([], ["discarded"])


async def test_a_server_that_is_not_there_is_no_end(scene: Scene, tmp_path: Path) -> None:
    await scene.account()
    nowhere = Mail(host="127.0.0.1", port=1, sender="sms@example.net", security="none")
    postman = Postman(scene.desk.store, scene.desk.live, carrier(nowhere), nowhere.sender, "", scene.desk.time.wall)
    await scene.renew()
    await postman.turn()
    assert await scene.states() == ["waiting"]


@pytest.mark.parametrize("at", [b"", b"MAIL", b"RCPT", b"DATA", b"SUBJECT", b"."])
async def test_a_server_that_hangs_or_is_gone_in_the_middle_leaves_the_old_password(
    scene: Scene, at: bytes
) -> None:
    before = await scene.account()
    await scene.renew()
    async with hanging_up(at) as port:
        broken = Mail(host="127.0.0.1", port=port, sender="sms@example.net", security="none", timeout=0.3)
        postman = Postman(scene.desk.store, scene.desk.live, carrier(broken), broken.sender, "", scene.desk.time.wall)
        await postman.turn()
    [letter] = await scene.desk.store.outbox.newest()
    assert (letter.state, letter.tries, bool(letter.error)) == ("waiting", 1, True)
    assert (await scene.row()).password_hash == before.password_hash


async def test_an_attempt_under_way_may_end_before_the_gateway_does(scene: Scene) -> None:
    await scene.account()
    await scene.renew()
    begun, go_on = asyncio.Event(), asyncio.Event()
    carry = carrier(Mail(host="127.0.0.1", port=scene.server.port, sender="sms@example.net", security="none"))

    async def slowly(made: EmailMessage) -> None:
        begun.set()
        await go_on.wait()
        await carry(made)

    postman = Postman(scene.desk.store, scene.desk.live, slowly, "sms@example.net", "", scene.desk.time.wall)
    async with open_postman(postman):
        await begun.wait()
        asyncio.get_running_loop().call_soon(go_on.set)
    assert await scene.states() == ["sent"]


async def test_a_stop_does_not_wait_for_ever(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.mail.postman.LEAVING", 0.05)
    await scene.account()
    await scene.renew()
    begun = asyncio.Event()

    async def never(_made: EmailMessage) -> None:
        begun.set()
        await asyncio.Event().wait()

    postman = Postman(scene.desk.store, scene.desk.live, never, "sms@example.net", "", scene.desk.time.wall)
    async with open_postman(postman):
        await begun.wait()
    assert await scene.states() == ["waiting"]


async def test_attempts_are_counted_by_how_they_ended(scene: Scene) -> None:
    await scene.account()
    meter = Meter(list)
    carry = carrier(Mail(host="127.0.0.1", port=scene.server.port, sender="sms@example.net", security="none"))
    postman = Postman(scene.desk.store, scene.desk.live, carry, "sms@example.net", "", scene.desk.time.wall, meter)
    scene.server.answers = ["451 later", "550 never"]
    for address in ("a@example.com", "b@example.com", "c@example.com"):
        await scene.desk.store.outbox.put("test", int(scene.desk.time.now * 1000), facts={"to": address})
    await postman.turn()
    assert (meter.letters, meter.letters_waiting) == ({"sent": 1, "not_taken": 1, "failed": 1}, 1)


# -- other letters ---------------------------------------------------------------------------------------------------
async def test_a_link_for_a_person_works_once_it_has_left(scene: Scene) -> None:
    person = await scene.house.acting(scene.desk.operator.actor).people.add({"email": "jan@example.com"})
    assert person["sent_to"] == "jan@example.com"
    await scene.postman.turn()
    [letter] = scene.server.letters
    link = text_of(letter).splitlines()[4]
    assert link.startswith("https://sms.example.net/invitation/")
    secret = link.rpartition("/")[2]
    taken = await scene.house.entrance.take_up(secret, "invitation", "a word that nobody else has", "192.0.2.1", "Jan")
    assert taken.email == "jan@example.com"


async def test_low_credit_is_told_once_until_there_is_enough_again(scene: Scene) -> None:
    await scene.account(low_credit_alert="50", credits="10")
    for _ in range(3):
        await scene.postman.turn()
    [letter] = scene.server.letters
    assert fact(letter, "Credit balance") == "10.00"

    await scene.desk.operator.credits.add("smpp-a", "100")
    await scene.postman.turn()
    await scene.desk.operator.credits.add("smpp-a", "-100")
    await scene.postman.turn()
    assert len(scene.server.letters) == 2


async def test_an_account_that_wants_no_warning_gets_none(scene: Scene) -> None:
    await scene.account(low_credit_alert="0", credits="10", credit_limit="50")
    await scene.desk.accept("smpp-a", submit(), charge=300_000)
    await scene.postman.turn()
    assert scene.server.letters == []


async def test_what_people_typed_is_only_text(scene: Scene) -> None:
    row = await scene.account()
    await scene.post.notify(SENDER, row.id, {"sender": HOSTILE, "state": "refused", "comment": HOSTILE})
    await scene.postman.turn()
    [letter] = scene.server.letters
    assert (letter["Bcc"], scene.server.recipients) == (None, ["ola@example.com"])
    assert "<script>" not in text_of(letter, "html")


async def test_an_account_without_a_contact_is_written_to_by_nobody(scene: Scene) -> None:
    row = await scene.account(contact_email="")
    await scene.post.notify(SENDER, row.id, {"sender": "A", "state": "enabled"})
    await scene.postman.turn()
    assert await scene.states() == ["failed"]


# -- how it is handed over -------------------------------------------------------------------------------------------
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # its server counts STARTTLS only
@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_letters_leave_encrypted_with_a_login(tmp_path: Path, security: str) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    with MailServer(tls=context, starttls=security == "starttls", login="gate:s3cret") as server:
        async with open_desk(tmp_path / "store") as desk:
            scene = made(desk, server, security=security, ca_file=ca, username="gate", password_file=secret)
            await scene.post.try_out("ola@example.com")
            await scene.postman.turn()
            assert (await scene.states(), server.recipients) == (["sent"], ["ola@example.com"])

            distrustful = made(desk, server, security=security, username="gate", password_file=secret)
            await distrustful.post.try_out("ola@example.com")
            await distrustful.postman.turn()
            assert await scene.states() == ["waiting", "sent"]
