"""A window of Debian's Chromium, watched: what it loads comes from the gateway, and what it shows keeps to the policy.

Invariant: a Screen that was closed without a complaint has asked no other host for anything, has broken no rule of the
content security policy, has logged no error, and axe-core has found nothing on the pages that were judged.
"""

from collections.abc import Callable
from typing import Any, Literal, Self

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response, expect

from gateway.web.panel.words import translations
from tests.server import HOUSE, PATIENCE, eventually

Scheme = Literal["light", "dark"]
SHOTS = HOUSE / "dist" / "screenshots"
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
WATCH = """addEventListener("securitypolicyviolation",
    (event) => console.error(`policy: ${event.violatedDirective} forbids ${event.blockedURI}`))"""
JUDGE = """(rules) => axe.run(document, {runOnly: rules, resultTypes: ["violations"]})"""
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

expect.set_options(timeout=PATIENCE * 1000)


class Words:
    """What the panel calls things, in the language it is read in."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._translations = translations(language)

    def __call__(self, sentence: str, **values: object) -> str:
        said = self._translations.gettext(sentence)
        return said % values if values else said


class Screen:
    """`axe` is the source of axe-core; without it, or without scripts, nothing is judged."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        folder: str,
        *,
        axe: str = "",
        language: str = "en",
        scripts: bool = True,
        **looks: Any,
    ) -> None:
        self.url, self.scripts, self.say = url, scripts, Words(language)
        self.complaints: list[str] = []
        self._folder, self._axe, self._number = SHOTS / folder, axe, 0
        self.context = browser.new_context(
            base_url=url, locale=language, java_script_enabled=scripts, **(DESKTOP | looks)
        )
        self.context.set_default_timeout(PATIENCE * 1000)
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.context.add_init_script(WATCH)
        self.page = self.context.new_page()
        self._listen(self.page)

    def _listen(self, page: Page) -> None:
        page.on("request", self._asked)
        page.on("response", self._answered)
        page.on("console", self._logged)
        page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.url + "/", "data:", "blob:")):
            self.complaints.append(f"{self.page.url} asks {request.url}")

    def _answered(self, response: Response) -> None:
        wrong = 500 if response.request.resource_type == "document" else 400
        if response.status >= wrong:
            self.complaints.append(f"{response.url}: {response.status}")

    def _logged(self, message: ConsoleMessage) -> None:
        """Of answers that were not 200, `_answered` has judged."""
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"{self.page.url}: {message.text}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.shoot("failed")
            print("\n".join(self.complaints))
        self.context.close()
        if kind is None:
            assert self.complaints == [], "\n".join(self.complaints)

    # -- what a person does ----------------------------------------------------------------------------------------
    def open(self, path: str) -> None:
        self.page.goto(path, wait_until="load")

    def button(self, sentence: str, **values: object) -> Locator:
        return self.page.get_by_role("button", name=self.say(sentence, **values), exact=True)

    def link(self, sentence: str, **values: object) -> Locator:
        return self.page.get_by_role("link", name=self.say(sentence, **values), exact=True)

    def field(self, sentence: str) -> Locator:
        """By its label, which may go on after the words: (optional), a unit."""
        labelled = self.page.get_by_label(self.say(sentence))
        return labelled.and_(self.page.locator("input:not([type=checkbox]), select, textarea"))

    def menu(self, sentence: str) -> None:
        """Somewhere else, by the navigation."""
        navigation = self.page.get_by_role("navigation", name=self.say("Account")).or_(
            self.page.get_by_role("navigation", name=self.say("Gateway"))
        )
        navigation.get_by_role("link", name=self.say(sentence), exact=True).click()
        expect(navigation.locator("[aria-current=page]")).to_have_text(self.say(sentence))

    def told(self, sentence: str, **values: object) -> None:
        """The note that says what was done."""
        expect(self.page.locator(".note[role=status]")).to_contain_text(self.say(sentence, **values))

    def sees(self, *words: str) -> None:
        for each in words:
            expect(self.page.locator("main")).to_contain_text(each)

    def until(self, look: Callable[[], Locator]) -> None:
        """It appears by itself where there are scripts; else whoever waits asks for the page again."""

        def seen() -> bool:
            self.page.reload()
            return look().is_visible()

        if not self.scripts:
            eventually("the page shows it", seen)
        expect(look()).to_be_visible()

    # -- what is kept of it ----------------------------------------------------------------------------------------
    def show(self, name: str) -> None:
        """A picture of this moment, and axe-core's judgement of it."""
        self._number += 1
        self.judge()
        self.shoot(f"{self._number:02d}-{name}")

    def shoot(self, name: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self._folder / f"{name}.png", full_page=True)

    def judge(self) -> None:
        """By axe-core, and by a ruler: nobody scrolls sideways."""
        if not (self.scripts and self._axe):
            return
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(self._axe)
        where = f"{self.page.url} ({self.page.viewport_size})"
        for found in self.page.evaluate(JUDGE, RULES)["violations"]:
            for node in found["nodes"]:
                why = " ".join(node["failureSummary"].split())
                self.complaints.append(f"{where}: {found['impact']} {found['id']} {node['target']}: {why}")
        if (wide := self.page.evaluate(TOO_WIDE)) > 0:
            self.complaints.append(f"{where}: {wide} pixels too wide")

    def looks(self, scheme: Scheme) -> None:
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")


