"""Where one can go from here: the pages of an account, and those of the gateway for whoever oversees it.

Invariant: a page that this gateway does not have, or that the actor may not see, is not offered.
"""

from typing import NamedTuple

from gateway.admin import Actor, Right

from .words import gettext, marked

ACCOUNT = "/accounts/{name}"


class Item(NamedTuple):
    path: str
    icon: str
    label: str
    right: Right = Right.READ


class Link(NamedTuple):
    href: str
    icon: str
    label: str
    current: bool


OF_AN_ACCOUNT = (
    Item(ACCOUNT, "home", marked("Home")),
    Item(ACCOUNT + "/send", "send", marked("Send a message"), Right.SEND),
    Item(ACCOUNT + "/history", "history", marked("History")),
    Item(ACCOUNT + "/received", "phone", marked("Received")),
    Item(ACCOUNT + "/senders", "sender", marked("Senders")),
    Item(ACCOUNT + "/credits", "coins", marked("Credits")),
    Item(ACCOUNT + "/blacklist", "ban", marked("Blacklist")),
    Item(ACCOUNT + "/settings", "sliders", marked("Options")),
    Item(ACCOUNT + "/specification", "log", marked("SMPP specification")),
)
OF_THE_GATEWAY = (
    Item("/accounts", "list", marked("Accounts")),
    Item("/binds", "plug", marked("Live binds"), Right.OVERSEE),
    Item("/refusals", "ban", marked("Refusals"), Right.OVERSEE),
    Item("/why", "question", marked("Why was this refused?"), Right.OVERSEE),
    Item("/senders", "sender", marked("Senders to approve"), Right.OVERSEE),
    Item("/topups", "coins", marked("Top-ups to approve"), Right.OVERSEE),
    Item("/price-plans", "tag", marked("Price plans"), Right.OVERSEE),
    Item("/simulator", "swap", marked("Simulator"), Right.OVERSEE),
)
MORE = (
    Item("/mail", "mail", marked("Mail outbox"), Right.OVERSEE),
    Item("/people", "key", marked("People"), Right.OVERSEE),
    Item("/changes", "log", marked("Change log")),
    Item("/health", "pulse", marked("Health"), Right.OVERSEE),
    Item("/me", "sliders", marked("My profile")),
)


class Navigation:
    """`paths` are those of the pages that there are."""

    def __init__(self, paths: set[str]) -> None:
        self._paths = paths

    def has(self, path: str) -> bool:
        """Whether there is such a page."""
        return path in self._paths

    def account(self, actor: Actor, name: str, path: str) -> list[Link]:
        return self._links(OF_AN_ACCOUNT, actor, name, path)

    def gateway(self, actor: Actor, path: str) -> list[Link]:
        return self._links(OF_THE_GATEWAY, actor, "", path)

    def more(self, actor: Actor, path: str) -> list[Link]:
        return self._links(MORE, actor, "", path)

    def _links(self, items: tuple[Item, ...], actor: Actor, name: str, path: str) -> list[Link]:
        offered = [item for item in items if item.path in self._paths and item.right in actor.rights]
        return [link(item, item.path.replace("{name}", name), path) for item in offered]


def link(item: Item, href: str, path: str) -> Link:
    """A page that stands below another in the menu is also current below its own address."""
    within = item.path not in (ACCOUNT, "/accounts") and path.startswith(href + "/")
    return Link(href, item.icon, gettext(item.label), path == href or within)
