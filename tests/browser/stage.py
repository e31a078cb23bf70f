"""A gateway with a mail server beside it, as its people find it: each has taken up an invitation that came by mail."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.browser.screen import Screen
from tests.mailserver import MailServer, text_of
from tests.road.running import Road
from tests.server import HOST, eventually

PASSWORD = "correct horse battery staple"


class Stage(Road):
    def __init__(self, folder: Path, mail: MailServer) -> None:
        section = f'[mail]\nhost = "{HOST}"\nport = {mail.port}\nsecurity = "none"\nsender = "sms@gate.example"\n'
        super().__init__(folder, delay="0.2s", more=section)
        self.mail = mail

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.web_port}"

    def invite(self, email: str, **person: Any) -> str:
        """-> the link of the letter."""
        self.desk.ask("POST", "people", body={"email": email, "time_zone": "Europe/Warsaw", **person})
        return self.link_for(email)

    def link_for(self, email: str) -> str:
        found = eventually(f"an invitation of {email} arrives", lambda: self._links_for(email))
        self.settle()
        return found[-1]

    def settle(self) -> None:
        """What has arrived is also noted: only then is it true."""
        eventually("no letter is on its way", lambda: not self.desk.ask("GET", "mail")["counts"].get("waiting"))

    def _links_for(self, email: str) -> list[str]:
        said = "\n".join(text_of(letter) for letter in self.letters_for(email))
        return re.findall(r"http://\S+/invitation/\S+", said)

    def letters_for(self, email: str) -> list[Any]:
        return [letter for letter, to in zip(self.mail.letters, self.mail.recipients, strict=False) if to == email]


def come_in(screen: Screen, link: str, email: str, name: str) -> None:
    """From the invitation to the list of accounts."""
    screen.open(link)
    screen.field("Your name").fill(name)
    screen.field("New password").fill(PASSWORD)
    screen.show("invitation")
    screen.button("Set the password").click()
    screen.told("Your password is set. Sign in with it.")
    screen.field("E-mail").fill(email)
    screen.field("Password").fill(PASSWORD)
    screen.show("sign-in")
    screen.button("Sign in").click()
    screen.page.wait_for_url("**/accounts")
