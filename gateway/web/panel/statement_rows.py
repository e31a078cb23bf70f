"""A line of the statement as it is read: when, what, and with whom."""

from decimal import Decimal
from typing import NamedTuple

from gateway.admin.statement import Entry

from .words import _, clock, day, ngettext

MINUTE = 5  # characters of 14:32:07 that are hours and minutes


class Row(NamedTuple):
    when: str
    icon: str
    ink: str
    what: str
    details: str
    amount: str
    balance: str
    gains: bool


def row_of(entry: Entry, by: str) -> Row:
    shape = entry.shape()
    icon, what, details = told(entry)
    gains = Decimal(shape["amount"]) > 0
    ink = "ink-ok" if gains else "ink-off"
    return Row(when(entry, by), icon, ink, what, details, shape["amount"], shape["balance_after"], gains)


def when(entry: Entry, by: str) -> str:
    """A sum has a beginning and an end; a sum of a day is that day."""
    single = entry.first_line == entry.last_line
    if by == "day" and not single:
        return day(entry.first_at)
    first, last = clock(entry.first_at)[:MINUTE], clock(entry.last_at)[:MINUTE]
    return f"{day(entry.first_at)}, {first}" + (f"–{last}" if last != first else "")


def told(entry: Entry) -> tuple[str, str, str]:
    """-> icon, what it is, and details."""
    number, other = entry.messages, entry.account or _("another account")
    if entry.kind == "messages":
        return "sender", _("Messages") if number is None else ngettext("%(n)s message", "%(n)s messages", number), ""
    if entry.kind == "refunds":
        came_back = ngettext("for %(n)s message", "for %(n)s messages", number) if number is not None else ""
        return "turn", _("Refund"), came_back
    if entry.kind == "transfer_in":
        return "swap", _("Transfer in"), joined(_("from %(name)s", name=other), entry.note)
    if entry.kind == "transfer_out":
        return "swap", _("Transfer out"), joined(_("to %(name)s", name=other), entry.note)
    if entry.kind == "adjustment":
        return "pen", _("Adjustment"), entry.note
    by = _("by %(name)s", name=entry.by) if entry.by else ""
    return "up", _("Automatic top-up") if entry.kind == "auto_topup" else _("Top-up"), joined(entry.note, by)


def joined(*words: str) -> str:
    return ", ".join(filter(None, words))
