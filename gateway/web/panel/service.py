"""What an account's status means, in words: a badge, its reason, and the next step.

Invariant: OK is quiet; an account that refuses every message never shows a bare OK.
"""

from decimal import Decimal
from typing import NamedTuple

from gateway.admin.shapes import Shape

from .words import _, credits_


class Badge(NamedTuple):
    kind: str
    word: str
    why: str
    icon: str = ""


def badges(account: Shape) -> list[Badge]:
    """The status first, then what else keeps messages from being sent."""
    return [status(account["status"], account.get("error", "")), *credit(account)]


def status(code: str, error: str = "") -> Badge:
    if code == "SUCCESS":
        return Badge("ok", _("OK"), _("Your SMPP clients can connect."))
    if code == "WAITING_IP":
        return Badge(
            "info",
            _("Awaiting the declaration of your IPs"),
            _("Nobody can connect until an address is authorised."),
        )
    if code == "UPDATING_IP":
        return Badge("info", _("Updating"), _("The new addresses take effect within 2 seconds."), "turn")
    if code == "DISABLED":
        return Badge("off", _("Disabled"), _("Nobody can connect, and nothing is sent, until an operator enables it."))
    return Badge("bad", _("Error"), _("The settings cannot be read: %(error)s", error=error))


def credit(account: Shape) -> list[Badge]:
    if account["status"] in ("DISABLED", "ERROR"):
        return []
    left = Decimal(account["balance"]) + Decimal(account["credit_limit"])
    if left <= 0:
        return [Badge("bad", _("No credit"), _("Every message that costs something is refused."), "alert")]
    if account["low_credit"]:
        return [
            Badge(
                "warn", _("Low credit"), _("Below its alert at %(limit)s.", limit=credits_(account["low_credit_alert"]))
            )
        ]
    return []


def needs_attention(account: Shape) -> bool:
    return any(badge.kind in ("warn", "bad") or account["status"] == "WAITING_IP" for badge in badges(account))
