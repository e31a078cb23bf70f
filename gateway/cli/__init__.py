"""smppgate on the command line: nouns and verbs over the HTTP API.

Invariant: exit 0 for done, 1 for failed, 2 for a wrong call, 3 for not found or in conflict.
"""

import os

import click

from . import (
    accounts,
    backups,
    blacklist,
    checks,
    history,
    load,
    mail,
    messages,
    money,
    people,
    senders,
    sending,
    serving,
    topups,
)
from .whereabouts import USAGE, Failure, Group


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="smppgate", prog_name="smppgate")
def main() -> None:
    """An SMPP 3.4 gateway: accounts, credits, durable submits and delivery receipts.

    While the server runs, these commands talk to it; when it is stopped, they open its store.
    """
    if planted := os.environ.get("SMPPGATE_FAILPOINTS"):
        plant(planted)


def plant(planted: str) -> None:
    """For drills and tests: docs/TESTING.md."""
    from gateway import failpoints

    try:
        failpoints.install(planted)
    except ValueError as error:
        raise Failure(f"SMPPGATE_FAILPOINTS: {error}", USAGE) from None
    click.echo(f"SMPPGATE_FAILPOINTS is set, so this process will not behave: {planted}", err=True)


for command in (
    serving.serve,
    serving.quickstart,
    checks.config,
    checks.doctor,
    checks.audit,
    backups.check,
    backups.backup,
    backups.restore,
    accounts.account,
    money.credit,
    money.price,
    topups.estimate,
    messages.message,
    history.history,
    messages.refusal,
    messages.bind,
    messages.mo,
    senders.sender,
    blacklist.blacklist,
    mail.mail,
    people.operator,
    people.person,
    people.token,
    people.change,
    sending.send,
    load.load,
):
    main.add_command(command)
