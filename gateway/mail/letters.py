"""What letters say, in the reader's language: a subject, sentences, a few facts, perhaps a link; as text and as HTML.

Invariant: what a person typed (names, comments) is only ever text: no header, no markup. Knows no mail server.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any, NamedTuple

from babel.numbers import format_decimal
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from gateway.web.panel.words import marked, translations

Facts = Mapping[str, Any]
PASSWORD, INVITATION, RESET, LOW_CREDIT, TOPUP, SENDER, TEST = (
    "password", "invitation", "reset", "low-credit", "topup", "sender", "test",
)  # fmt: skip

ENVIRONMENT = Environment(
    loader=PackageLoader(__package__, "templates"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Text(NamedTuple):
    """`facts` are (name, value), shown as a table; `link` is where the button leads, (words, address)."""

    subject: str
    sentences: list[str]
    facts: list[tuple[str, str]]
    link: tuple[str, str] | None = None


class Tongue:
    """One language: its sentences and its numbers."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._gettext = translations(language).gettext

    def __call__(self, sentence: str, **values: Any) -> str:
        said = self._gettext(sentence)
        return said % values if values else said

    def credits(self, amount: str) -> str:
        return format_decimal(Decimal(amount), "#,##0.00##", locale=self.language)


# -- one function for each kind: (tongue, facts, secret) -> Text -------------------------------------------------------
def password(_: Tongue, facts: Facts, secret: str) -> Text:
    return Text(
        _("New SMPP password for %(account)s", account=facts["account"]),
        [
            _("Here is the new password you asked for. The old one opens no new binds from now on."),
            _("Binds that were open have been dropped.")
            if facts.get("drop_binds")
            else _("Binds that are open stay open until they end by themselves."),
        ],
        [(_("Account"), facts["account"]), ("SystemID", facts["system_id"]), (_("Password"), secret)],
    )


def invitation(_: Tongue, facts: Facts, secret: str) -> Text:
    return Text(
        _("You are invited to the SMS gateway"),
        [
            _("An account has been made for %(email)s. Choose a password to come in.", email=facts["email"]),
            _("The link works once, and for 7 days."),
        ],
        [],
        (_("Choose a password"), secret),
    )


def reset(_: Tongue, facts: Facts, secret: str) -> Text:
    return Text(
        _("Choose a new password"),
        [
            _("Somebody, probably you, asked for a new password for %(email)s.", email=facts["email"]),
            _("The link works once, and for an hour. If it was not you, nothing has to be done."),
        ],
        [],
        (_("Choose a new password"), secret),
    )


def low_credit(_: Tongue, facts: Facts, _secret: str) -> Text:
    return Text(
        _("Credit of %(account)s runs low", account=facts["account"]),
        [_("When it is used up, messages are refused. You are told once, until there is enough again.")],
        [
            (_("Account"), facts["account"]),
            (_("Credit balance"), _.credits(facts["balance"])),
            (_("Warning below"), _.credits(facts["threshold"])),
        ],
    )


BECAME_OF_TOPUP = {
    "booked": marked("A top-up of %(account)s has been booked"),
    "refused": marked("A top-up of %(account)s was refused"),
    "failed": marked("A top-up of %(account)s has failed"),
    "capped": marked("The daily limit of automatic top-ups of %(account)s is reached"),
}


def topup(_: Tongue, facts: Facts, _secret: str) -> Text:
    sentences = [_("The automatic top-up asked for it.") if facts["automatic"] else _("You asked for it.")]
    if facts["state"] != "booked":
        sentences.append(_("Nothing was added to the balance."))
    shown = [(_("Account"), facts["account"]), (_("Credits"), _.credits(facts["amount"]))]
    if facts.get("reason"):
        shown.append((_("Reason"), facts["reason"]))
    subject = BECAME_OF_TOPUP[facts["state"]]
    return Text(_(subject, account=facts["account"]), sentences, shown)


def sender(_: Tongue, facts: Facts, _secret: str) -> Text:
    enabled = facts["state"] == "enabled"
    shown = [(_("Account"), facts["account"]), (_("Sender"), facts["sender"])]
    if facts.get("comment"):
        shown.append((_("Comment"), facts["comment"]))
    return Text(
        _("The sender %(sender)s is enabled", sender=facts["sender"])
        if enabled
        else _("The sender %(sender)s was refused", sender=facts["sender"]),
        [
            _("Messages may name it from now on.")
            if enabled
            else _("Messages that name it are refused. You can register it again with other reasons or documents.")
        ],
        shown,
    )


def test(_: Tongue, _facts: Facts, _secret: str) -> Text:
    return Text(_("Mail from the SMS gateway works"), [_("This letter was sent to try it out.")], [])


TEXTS: dict[str, Callable[[Tongue, Facts, str], Text]] = {
    PASSWORD: password,
    INVITATION: invitation,
    RESET: reset,
    LOW_CREDIT: low_credit,
    TOPUP: topup,
    SENDER: sender,
    TEST: test,
}


# -- the message -------------------------------------------------------------------------------------------------------
def message(kind: str, language: str, facts: Facts, secret: str, sender_: str, to: str, at: datetime) -> EmailMessage:
    """ValueError if `to` is no address."""
    tongue = Tongue(language)
    text = TEXTS[kind](tongue, facts, secret)
    made = EmailMessage()
    made["Subject"] = one_line(text.subject)
    made["From"] = Address("smppgate", addr_spec=sender_)
    made["To"] = Address(addr_spec=to)
    made["Date"] = format_datetime(at)
    made["Message-ID"] = make_msgid(domain=sender_.rpartition("@")[2])
    made["Auto-Submitted"] = "auto-generated"
    made["Content-Language"] = language
    made.set_content(plain(text))
    made.add_alternative(
        ENVIRONMENT.get_template("letter.html").render(letter=text, language=language), subtype="html"
    )
    return made


def one_line(text: str) -> str:
    """A header ends at the end of a line, so there is none."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def plain(text: Text) -> str:
    parts = ["\n".join(text.sentences)]
    if text.facts:
        parts.append("\n".join(f"{name}: {value}" for name, value in text.facts))
    if text.link:
        parts.append(f"{text.link[0]}:\n{text.link[1]}")
    return "\n\n".join(parts) + "\n\n-- \nsmppgate\n"
