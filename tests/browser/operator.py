"""An operator at another screen: decides about what customers ask for."""

from tests.browser.screen import Screen
from tests.browser.stage import Stage, come_in

EMAIL = "duty@gate.example"


class Operator:
    def __init__(self, screen: Screen, stage: Stage) -> None:
        self.screen, self.stage, self.page = screen, stage, screen.page

    def comes_in(self, email: str) -> None:
        come_in(self.screen, self.stage.invite(email, operator=True), email, "Duty")

    def invites(self, email: str, language: str, *accounts: str) -> str:
        """-> the link of the letter."""
        self.screen.menu("People")
        self.screen.link("Invite somebody").click()
        self.screen.field("E-mail").fill(email)
        self.screen.field("Language").last.select_option(language)
        for name in accounts:
            self.page.get_by_role("checkbox", name=name, exact=True).check()
        self.screen.show("invite")
        self.screen.button("Invite").click()
        self.screen.told("An invitation is on its way to %(email)s.", email=email)
        return self.stage.link_for(email)

    def enables(self, sender: str, account: str) -> None:
        self.screen.open("/senders")
        row = self.page.get_by_role("row").filter(has_text=account)
        row.get_by_role("link", name=sender, exact=True).click()
        self.screen.field("Comment").fill("Shown by the authorisation.")
        self.screen.show("sender-decide")
        self.screen.button("Enable").click()
        self.screen.told("%(sender)s is enabled.", sender=sender)

    def books(self, account: str) -> None:
        self.screen.open("/topups")
        self.screen.show("top-ups")
        self.page.get_by_role("row").filter(has_text=account).get_by_role("button").click()
        self.screen.sees(account)
        self.page.wait_for_url("**/topups")
