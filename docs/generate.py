"""Write the reference pages that are made of the product's own tables: `python docs/generate.py`.

Invariant: what these pages say is what the code does, because it is the same table; a test compares them.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from acl.reasons import LOGIN_REASONS, MALFORMED, REASONS  # noqa: E402 - the checkout itself, wherever this is run from
from acl.settings import SETTINGS  # noqa: E402 - as above
from gateway.metrics import AccountView, Meter  # noqa: E402 - as above
from gateway.smpp.answers import STATUS  # noqa: E402 - as above
from gateway.web.rights import OPEN, ROLES, guarded  # noqa: E402 - as above
from pdu.constants import STATUS_NAMES  # noqa: E402 - as above
from tests import promises  # noqa: E402 - as above

SETTINGS_HEAD = """\
# Settings of an account

Every setting can be given to `smppgate account add` and `smppgate account set`; a change shows on open binds within
two seconds, and a session that is no longer allowed is unbound. As a limit, 0 means none. Lists are given by
repeating the flag. What the owner of an account may change, an operator may change too.

"""
ANSWERS_HEAD = """\
# Why something was refused, and what the client reads

A refusal has a reason. The reason stands in the log, in `smppgate_refusals_total{reason=…}` and in `smppgate refusal
list`; on the wire it becomes a command_status. An account may have a status of its own for a reason (`account set NAME
--status-override REASON=STATUS`) where the third column says so. 0x400 to 0x403 are of the vendor range: bind
throttled, data_coding not supported, octets that are not of the alphabet, not enough credit.

What a refused login reads depends on the peer's address alone: from an address that stands on some account's list it is
ESME_RINVPASWD, from any other ESME_RBINDFAIL, so names and passwords cannot be probed.

"""
METRICS_HEAD = """\
# Metrics

Served for Prometheus at `[metrics] listen`, path `/metrics`. No label can be chosen by a client. The first 200
accounts have a label of their own; those beyond are added up as `other`.

"""
ACCESS_HEAD = """\
# Who may do what

Read from the routes themselves. A customer sees the accounts they own and no others: what belongs to somebody else
answers exactly like what does not exist. Who may only look sees numbers masked. A token may do what its scopes say and
its person may, and never what needs `self`. Of the settings of an account, [some](SETTINGS.md) are an operator's to
change. The socket in the data folder may do everything: only the folder's owner can open it.

What needs no right: `/healthz` and `/readyz`, the files of the panel and the description of the API, and

"""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def settings() -> str:
    rows = []
    for setting in SETTINGS:
        default = setting.text(setting.default)
        limits = ", ".join(str(choice) for choice in setting.choices)
        if setting.kind == "integer" and setting.maximum is not None:
            limits = f"{setting.minimum or 0} to {setting.maximum}"
        shown = f"`{default}` {setting.unit}".strip() if default else ""
        rows.append((f"`{setting.name}`", f"`{setting.flag}`", shown, limits, setting.who, setting.help))
    return SETTINGS_HEAD + table(("setting", "flag", "default", "values", "who may change it", "what it does"), rows)


def answers() -> str:
    rows = []
    for reason, sentence in REASONS.items():
        status = f"0x{STATUS[reason]:02X} {STATUS_NAMES[STATUS[reason]]}"
        fixed = reason in LOGIN_REASONS or reason == MALFORMED
        rows.append((f"`{reason}`", status, "" if fixed else "yes", sentence))
    return ANSWERS_HEAD + table(("reason", "command_status", "may be overridden", "meaning"), rows)


def metrics() -> str:
    """The families as a scrape shows them once everything has happened."""
    meter = Meter(lambda: [AccountView("smpp-acme", Counter(transceiver=1), 0, 0.0, 0.0)])
    meter.traffic.sent(0, 0, 1)
    meter.messages["smpp-acme", "accepted"] = meter.refusals["throttled"] = 1
    rows = []
    for family in meter.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = ", ".join(label for label in family.samples[0].labels if label != "le")
        rows.append((f"`{name}`", family.type, labels, family.documentation))
    return METRICS_HEAD + table(("metric", "type", "labels", "meaning"), rows)


def access() -> str:
    found = guarded()
    free = table(("route", "why it is open"), [(f"`{path}`", why) for path, why in OPEN.items()])
    rows = [
        (each.method, f"`{each.path}`", each.right, *("yes" if each.open_to(role) else "" for role in ROLES))
        for each in found
        if each.right is not None
    ]
    return ACCESS_HEAD + free + "\n" + table(("method", "route", "right", *ROLES), rows)


PAGES: dict[str, Callable[[], str]] = {
    "SETTINGS.md": settings,
    "ANSWERS.md": answers,
    "METRICS.md": metrics,
    "ACCESS.md": access,
    "PROMISES.md": promises.page,
}


def main() -> None:
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
